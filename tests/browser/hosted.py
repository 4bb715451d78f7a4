"""A widget in a page of its own: its module with a model that keeps anywidget's contract, and nothing else around it.

So a widget is tried in milliseconds, and it is seen that it needs nothing of JupyterLab's page.  What a person does
reaches `window.model`: `saved` lists the states that it would have sent, `sent` the messages.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from vmalab.widgets.base import Widget, module_text, styles

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>a widget</title><style>{css}</style>
<style>body{{margin:12px;background:var(--vml-ground)}}</style></head>
<body class="vml"><main><h1>A widget</h1><div id="host"></div></main>
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
  save_changes() {{ this.saved.push({{ ...state, data: undefined }}); }},
  send(message) {{ this.sent.push(message); }},
  on: (name, hear) => (heard[name] ??= []).push(hear),
  off: (name, hear) => {{ heard[name] = (heard[name] ?? []).filter((other) => other !== hear); }},
}};
const leave = widget.render({{ model: window.model, el: document.getElementById("host") }});
window.leave = () => leave?.();
</script></body></html>
"""


def widget_page(widget: Widget) -> str:
    """The page as text."""
    module = module_text(widget.scripts, widget.render).replace("export default", "const widget =")
    names = [name for name in widget.keys if not name.startswith("_") and isinstance(getattr(widget, name), str | int)]
    state = {name: getattr(widget, name) for name in names}
    return _PAGE.format(css=styles(), module=module, state=json.dumps(state).replace("<", "\\u003c"))


def open_widget(widget: Widget, open_page: Any, folder: Path, **options: Any) -> Any:
    """A fresh page with the network off that shows `widget`."""
    path = folder / "widget.html"
    path.write_text(widget_page(widget), encoding="utf-8")
    shown = open_page(**options)
    shown.context.set_offline(True)
    shown.goto(path.as_uri())
    return shown
