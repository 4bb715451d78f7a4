"""The one door upwards: what shows an object in a notebook stands above the file that the object is made in.

`_repr_html_` of an address space, an outcome, a snapshot and a comparison asks here, and `repr` of a step.  Only when
a notebook or a person asks is the file loaded that knows.  Nothing else in the package names what stands above it; a
test reads all imports (`tests/test_house.py`).
"""

from __future__ import annotations

from importlib import import_module

SHOWN_BY = {
    "space": "vmalab.machines.capture:space_html",
    "snapshot": "vmalab.pictures.display:snapshot_html",
    "outcome": "vmalab.pictures.display:outcome_html",
    "outcome page": "vmalab.pictures.export:outcome_page",
    "comparison": "vmalab.differences.display:comparison_html",
    "step": "vmalab.words.explain:step_text",
}
"""Which function shows what."""


def repr_html(kind: str, shown: object, *more: object) -> str:
    """What the function named in `SHOWN_BY` makes of `shown`, as HTML, a step as text; `more` goes to it too."""
    module, _, function = SHOWN_BY[kind].partition(":")
    html: str = getattr(import_module(module), function)(shown, *more)
    return html
