"""What all widgets share: the one JavaScript module, the styles, and the bundle with a still picture in it."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from vmalab.theme import picture_css, stylesheet

STATIC = Path(__file__).parent / "static"


@cache
def module_text() -> str:
    """The JavaScript module, for every widget the same."""
    return "".join((STATIC / name).read_text(encoding="utf-8") for name in ("player.js", "builder.js"))


@cache
def styles() -> str:
    """The styles of pictures and controls."""
    return picture_css() + stylesheet("controls.css")


class Widget(anywidget.AnyWidget):
    """A widget of vmalab.  `shows` tells the JavaScript module which one.

    Where no kernel runs (a built page, nbconvert, a notebook on a code host) the still picture of `still_html` stands
    in its place.  The repr is the same in every run, so that nbval can compare it.
    """

    _esm = ""
    _css = ""
    shows = traitlets.Unicode().tag(sync=True)

    def __init__(self, **traits: Any) -> None:
        super().__init__(_esm=module_text(), _css=styles(), **traits)

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
