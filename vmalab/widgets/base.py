"""What all widgets share: how their JavaScript is put together, and what they leave in a notebook.

A widget's output is HTML alone, which needs no kernel: its still picture, and a script (`static/output.js`) that gives
way to the widget while its model lives and else plays what can be played without Python.  No view of a model is stored,
for a view that is opened on another day is an error message.
"""

from __future__ import annotations

import re
import sys
from functools import cache
from html import escape
from pathlib import Path
from typing import Any, ClassVar
from uuid import uuid4

import traitlets

from vmalab.pictures.frames import packed
from vmalab.pictures.theme import picture_css, style_for, stylesheet, words_css

try:
    from anywidget import AnyWidget as Model
except ModuleNotFoundError:  # no Jupyter: a page in a browser, or somebody who wants no more than a widget's Python
    from vmalab.widgets.inpage import InPage as Model  # type: ignore[assignment]

STATIC = Path(__file__).parent / "static"

ASLEEP = (
    "%s needs Python, and none is running behind it. Run the cell above: click into it and press Shift+Enter. "
    "If it builds on other cells, run those first (menu Run, “Run All Above Selected Cell”)."
)
"""What stands over the still picture of a widget that can do nothing without Python."""


@cache
def module_text(scripts: tuple[str, ...], render: str, needs_python: bool = True, pictured: bool = True) -> str:
    """The JavaScript module of a widget: its scripts behind what all have, and what anywidget calls."""
    shared = ("dom.js", "picture.js", "kernel.js") if pictured else ("dom.js", "kernel.js")
    parts = [_script(name) for name in (*shared, *scripts)]
    return "".join([*parts, f"\nexport default widget({render}, {str(needs_python).lower()});\n"])


@cache
def styles(pictured: bool = True) -> str:
    """The styles of pictures and controls; without pictures, of what is asked in words."""
    return picture_css() + stylesheet("controls.css") if pictured else words_css() + stylesheet("question.css")


@cache
def _script(name: str) -> str:
    """A script without the lines that only people read."""
    text = (STATIC / name).read_text(encoding="utf-8")
    return "".join(line for line in text.splitlines(keepends=True) if not line.lstrip().startswith("//"))


@cache
def _code(scripts: tuple[str, ...], render: str, pictured: bool) -> str:
    """All that a page needs to play without Python, packed."""
    return packed({"module": module_text(scripts, render, False, pictured), "css": styles(pictured)})


class Widget(Model):
    """A widget of vmalab.

    `scripts`: files of `static/`, which share one scope: each uses what those before it define.  `render`: the function
    of them that puts the widget into the page, as anywidget asks for it.  `needs_python`: whether it can do nothing
    without; else it plays wherever scripts run, on any day.  `pictured`: whether it shows pictures of VMAs; who doesn't
    comes with a sixth of the code.

    Where neither a kernel nor scripts run (a notebook on a code host) the still picture of `still_html` stands in its
    place.  The repr is the same in every run, so that nbval can compare it.
    """

    _esm = ""
    _css = ""
    scripts: ClassVar[tuple[str, ...]] = ("player.js",)
    render: ClassVar[str]
    needs_python: ClassVar[bool] = True
    pictured: ClassVar[bool] = True

    place = traitlets.Unicode().tag(sync=True)
    """What the model and its output in a notebook know one another by."""

    def __init__(self, **traits: Any) -> None:
        module = module_text(self.scripts, self.render, self.needs_python, self.pictured)
        super().__init__(_esm=module, _css=styles(self.pictured), place=uuid4().hex, **traits)

    def summary(self) -> str:
        """What it shows now, in words."""
        raise NotImplementedError

    def still_html(self) -> str:
        """What it shows now, as HTML without script."""
        raise NotImplementedError

    def output_html(self) -> str:
        """What it leaves in a notebook: the still picture, and the script that the widget comes by."""
        data = f' data-place="{self.place}"'
        if not self.needs_python:
            traits = {
                name: getattr(self, name)
                for name in self.keys
                if not name.startswith("_") and isinstance(getattr(self, name), str | int)
            }
            data += f' data-code="{_code(self.scripts, self.render, self.pictured)}" data-traits="{packed(traits)}"'
        script = re.sub(r"\n\s*", "", _script("output.js"))
        return f'{self._still()}\n<script class="vml-output"{data}>{script}</script>'

    def _still(self) -> str:
        """The still picture; over it, where nothing can be done without Python, which cell to run."""
        still = self.still_html()
        if not self.needs_python:
            return still
        waits, _, picture = still.partition("\n")
        said = f'<p class="vml-veil">{escape(ASLEEP % f"This {self._named()}")}</p>'
        return (
            f'{waits}\n<div class="vml vml-sleeps">{style_for(said)}{said}<div class="vml-behind">{picture}</div></div>'
        )

    def _named(self) -> str:
        return re.sub(r"(?<=.)([A-Z])", r" \1", type(self).__name__).lower()

    def _handle_custom_msg(self, content: Any, buffers: Any) -> None:
        """One message of the browser: what a person did, or that the notebook is to keep what is shown now."""
        if isinstance(content, dict) and content.get("do") == "keep":
            self.send({"kept": self.output_html()})
            return
        super()._handle_custom_msg(content, buffers)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.summary()})"

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        data = {"text/plain": repr(self), "text/html": self.output_html()}
        if _models_need_views():
            view, metadata = super()._repr_mimebundle_(**kwargs) or ({}, {})
            return {**view, **data}, metadata
        return data, {}


def _models_need_views() -> bool:
    """Whether this notebook's page makes a model only for a view of it, as those of VS Code and of Colab do."""
    if "google.colab" in sys.modules:
        return True
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    return shell is not None and "__vsc_ipynb_file__" in shell.user_ns
