"""Where the data files are: `data/` of a checkout, or `vmalab/_data` of an installed package.

Here live paths only; what the files mean is known to those who read them.
"""

from __future__ import annotations

from pathlib import Path

_HERE = Path(__file__).parent


def folder(name: str) -> Path:
    """The folder `name` of the data (`"recordings"`, `"scenarios"`); it may be missing.

    An installed package keeps its data within itself, so that comes first.
    """
    inside = _HERE / "_data"
    return (inside if inside.is_dir() else _HERE.parent / "data") / name
