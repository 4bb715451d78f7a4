"""A widget in a page of its own: its module with a model that keeps anywidget's contract, and nothing else around it.

So a widget is tried in milliseconds, and it is seen that it needs nothing of JupyterLab's page.  What a person does
reaches `window.model`: `saved` lists the states that it would have sent, `sent` the messages.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.widget_states import Ended, Output
from vmalab.pictures.theme import picture_css
from vmalab.widgets.base import Widget, module_text, styles

_HEAD = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>a widget</title><style>{css}</style>
<style>body{{margin:12px;background:var(--vml-ground)}}</style></head>
<body class="vml"><main><h1>A widget</h1>"""
_PAGE = (
    _HEAD
    + """<div id="host"></div></main>
<script type="module">
{module}
const state = {state};
const heard = {{}};
window.model = {{
  saved: [], sent: [],
  get: (name) => state[name],
  set(name, value) {{
    if (state[name] === value) return;
    state[name] = value;
    (heard[`change:${{name}}`] ?? []).forEach((hear) => hear());
  }},
  receive(fresh) {{ // as one message: all values are there before anybody hears of one
    const changed = Object.keys(fresh).filter((name) => state[name] !== fresh[name]);
    Object.assign(state, fresh);
    changed.forEach((name) => (heard[`change:${{name}}`] ?? []).forEach((hear) => hear()));
  }},
  save_changes() {{ this.saved.push({{ ...state, data: undefined }}); }},
  send(message) {{ this.sent.push(message); }},
  on: (name, hear) => (heard[name] ??= []).push(hear),
  off: (name, hear) => {{ heard[name] = (heard[name] ?? []).filter((other) => other !== hear); }},
}};
const leave = shown.render({{ model: window.model, el: document.getElementById("host") }});
window.leave = () => leave?.();
</script></body></html>
"""
)
_OUTPUT = _HEAD + """<div id="host">{output}</div></main></body></html>"""


def traits_of(widget: Widget) -> dict[str, Any]:
    """What of the widget the browser knows."""
    names = [name for name in widget.keys if not name.startswith("_") and isinstance(getattr(widget, name), str | int)]
    return {name: getattr(widget, name) for name in names}


def widget_page(shown: Widget | Output | Ended) -> str:
    """The page as text."""
    if isinstance(shown, Output):
        output = shown.widget.output_html().partition("\n")[2]  # the first line is for where it is folded
        return _OUTPUT.format(css=picture_css(), output=output)
    widget = shown.widget if isinstance(shown, Ended) else shown
    module = module_text(widget.scripts, widget.render, widget.needs_python, widget.pictured)
    module = module.replace("export default", "const shown =")
    state = json.dumps(traits_of(widget)).replace("<", "\\u003c")
    return _PAGE.format(css=styles(widget.pictured), module=module, state=state)


def answer(shown: Any, widget: Widget) -> list[dict[str, Any]]:
    """Give Python the messages that the page sends (one at least), and the page what Python makes of them."""
    shown.wait_for_function("window.model.sent.length > 0")
    sent = shown.evaluate("window.model.sent.splice(0)")
    for message in sent:
        widget._handle_custom_msg(message, [])
    shown.evaluate("(traits) => window.model.receive(traits)", traits_of(widget))
    shown.wait_for_function("!document.querySelector('[aria-busy]')")
    return list(sent)


def swipe(shown: Any, start: tuple[float, float], end: tuple[float, float]) -> None:
    """A finger put down at `start` and drawn to `end` (pixels of the window)."""
    session = shown.context.new_cdp_session(shown)
    (x, y), (to, down) = start, end

    def touch(kind: str, *points: tuple[float, float]) -> None:
        at = [{"x": a, "y": b} for a, b in points]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": at})

    touch("touchStart", start)
    for part in (0.3, 0.6, 1):
        touch("touchMove", (x + (to - x) * part, y + (down - y) * part))
    touch("touchEnd")
    session.detach()


def open_widget(widget: Widget | Output | Ended, open_page: Any, folder: Path, **options: Any) -> Any:
    """A fresh page with the network off that shows `widget`."""
    path = folder / "widget.html"
    path.write_text(widget_page(widget), encoding="utf-8")
    shown = open_page(**options)
    shown.context.set_offline(True)
    shown.goto(path.as_uri())
    if isinstance(widget, Output):
        output = "[...document.querySelectorAll('#host > div')].at(-1)"
        shown.wait_for_function(f"getComputedStyle({output}).visibility === 'visible'")  # it has come to a decision
    elif isinstance(widget, Ended):
        shown.evaluate("() => { window.model.send = () => { throw new Error('Cannot send'); }; }")
        shown.locator(".vml-behind .vml-do:enabled").first.click()
        shown.locator(".vml-veiled > .vml-veil").wait_for()
    return shown
