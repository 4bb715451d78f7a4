"""What all widgets share: how their JavaScript is put together, the styles, and the still picture in the bundle."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, ClassVar

import anywidget

from vmalab.pictures.theme import picture_css, stylesheet

STATIC = Path(__file__).parent / "static"


@cache
def module_text(scripts: tuple[str, ...], render: str) -> str:
    """The JavaScript module of a widget: its scripts behind picture.js, and what anywidget calls."""
    parts = [(STATIC / name).read_text(encoding="utf-8") for name in ("picture.js", *scripts)]
    return "".join([*parts, f"\nexport default {{ render: {render} }};\n"])


@cache
def styles() -> str:
    """The styles of pictures and controls."""
    return picture_css() + stylesheet("controls.css")


class Widget(anywidget.AnyWidget):
    """A widget of vmalab.

    `scripts`: files of `static/`, which share one scope: each uses what those before it define.  `render`: the function
    of them that puts the widget into the page, as anywidget asks for it.

    Where no kernel runs (a built page, nbconvert, a notebook on a code host) the still picture of `still_html` stands
    in its place.  The repr is the same in every run, so that nbval can compare it.
    """

    _esm = ""
    _css = ""
    scripts: ClassVar[tuple[str, ...]] = ("player.js",)
    render: ClassVar[str]

    def __init__(self, **traits: Any) -> None:
        super().__init__(_esm=module_text(self.scripts, self.render), _css=styles(), **traits)

    def summary(self) -> str:
        """What it shows now, in words."""
        raise NotImplementedError

    def still_html(self) -> str:
        """What it shows now, as HTML without script."""
        raise NotImplementedError

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.summary()})"

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        bundle = super()._repr_mimebundle_(**kwargs)
        data, metadata = bundle if bundle is not None else ({}, {})
        return {**data, "text/plain": repr(self), "text/html": self.still_html()}, metadata
