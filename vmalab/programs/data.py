"""Where the data files and the lessons are: beside the package in a checkout, inside an installed package.

Here live paths only; what the files mean is known to those who read them.
"""

from __future__ import annotations

from pathlib import Path

_HERE = Path(__file__).parents[1]


def folder(name: str) -> Path:
    """The folder `name` of the data (`"recordings"`, `"scenarios"`); it may be missing."""
    return _top("data") / name


def lessons() -> Path:
    """The folder of the lessons; it may be missing."""
    return _top("notebooks")


def docs() -> Path:
    """The folder of the instructor's guide; it may be missing."""
    return _top("docs")


def _top(name: str) -> Path:
    """An installed package keeps a folder of the top level within itself, so that comes first."""
    inside = _HERE / f"_{name}"
    return inside if inside.is_dir() else _HERE.parent / name
