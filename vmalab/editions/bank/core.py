"""What of vmalab judges an answer, as one zip file that Python imports from: where nothing can be installed.

In it are the model, its words and the problems, and the two pure Python libraries that they need.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import vmalab

WINGS = ("linux", "programs", "machines", "words", "pictures", "differences", "teach")
"""Wings of the house that the problems stand on, and their own."""

LIBRARIES = ("attrs", "sortedcontainers")

STYLES = "widgets/static/picture.css"

FIRST = (1980, 1, 1, 0, 0, 0)
"""The moment that every file in the zip bears, so that the same version gives the same bytes."""


def core() -> bytes:
    """The zip file.  The same for one version of vmalab and of its libraries."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, content in sorted(core_files()):
            archive.writestr(zipfile.ZipInfo(name, FIRST), content, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def core_files() -> Iterator[tuple[str, bytes]]:
    """The same as files: name and content."""
    home = Path(vmalab.__file__).parent
    own = [home / "__init__.py", home / "errors.py", home / STYLES]
    for path in (*own, *(path for wing in WINGS for path in (home / wing).rglob("*.py"))):
        yield f"vmalab/{path.relative_to(home).as_posix()}", path.read_bytes()
    for library in LIBRARIES:
        for part in metadata.files(library) or ():
            if ".." not in part.parts and (part.suffix == ".py" or "LICENSE" in part.name):
                yield part.as_posix(), Path(str(part.locate())).read_bytes()
    yield "LICENSE", _licence(home)


def _licence(home: Path) -> bytes:
    """Our own licence: at the top of a checkout, or with what an installation says of the package."""
    for part in metadata.files("vmalab") or ():
        if part.name == "LICENSE":
            return Path(str(part.locate())).read_bytes()
    return (home.parent / "LICENSE").read_bytes()
