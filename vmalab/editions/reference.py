"""The reference of the package, from its docstrings: a page for each room, in the order of the house.

The docstrings are plain text with a few habits (names in backticks, tables and examples indented); `docstring` turns
those into what Sphinx reads.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

PACKAGE = Path(__file__).parents[1]
LEFT_OUT = ("__main__", "cli", "machines.live.driver", "editions.grader")
"""Modules that nobody imports: commands, and programs that run in processes of their own."""


def reference_pages() -> dict[str, str]:
    """The pages in reStructuredText, by name; `index` lists the others."""
    rooms: dict[str, list[str]] = {}
    for name in modules():
        rooms.setdefault(name.partition(".")[0], []).append(name)
    pages = {room: "".join(_page(room, names)) for room, names in rooms.items()}
    said = "\n".join(f"   * - :doc:`{_title(room)} <{room}>`\n     - {summary(room)}" for room in pages)
    toctree = "\n".join(f"   {room}" for room in pages)
    pages["index"] = (
        "Reference\n=========\n\nThe package, room by room. What most programs need is in ``vmalab`` itself::\n\n"
        "    from vmalab import Model, Live, page, PAGE\n\n"
        f".. list-table::\n   :widths: 25 75\n\n{said}\n\n.. toctree::\n   :hidden:\n\n{toctree}\n"
    )
    return pages


def modules() -> list[str]:
    """The modules to describe, without the package's own name; the package itself is `vmalab`."""
    found = ["vmalab"]
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        name = ".".join(parts).removesuffix(".__init__").removesuffix("__init__")
        inner = any(name == out or name.startswith(f"{out}.") for out in LEFT_OUT)
        if name and not inner and not any(part.startswith("_") for part in name.split(".")):
            found.append(name)
    return found


def _title(name: str) -> str:
    return name if name == "vmalab" else f"vmalab.{name}"


def _page(room: str, names: list[str]) -> Iterator[str]:
    for name in names:
        mark = "=" if name == room else "-"
        heading = _title(name)
        yield f"{heading}\n{mark * len(heading)}\n\n.. automodule:: {heading}\n"
        # the package's own page has what `vmalab` exports said where it lives
        yield "\n" if name == "vmalab" else "   :members:\n   :member-order: bysource\n\n"


def summary(room: str) -> str:
    """The opening line of a room's docstring, as reStructuredText on one line."""
    path = PACKAGE / "__init__.py" if room == "vmalab" else PACKAGE / f"{room}.py"
    if not path.exists():
        path = PACKAGE / room / "__init__.py"
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return " ".join(docstring(text.split("\n\n")[0].splitlines()))


# --- docstrings ---

_CODE = re.compile(r"(`[^`]+`)")
_AWKWARD = re.compile(r"([*|]|(?<=\w)_(?!\w))")
_DRAWN = re.compile(r"\S {3,}\S|[├└│─]")


def docstring(lines: Iterable[str]) -> list[str]:
    r"""A docstring as reStructuredText: what is indented or drawn is shown as it is, names in backticks as code.

    >>> docstring(["A `thing`*.", "", "    a  b"])
    ['A ``thing``\\*.', '', '::', '', '    a  b']
    """
    told: list[str] = []
    for block in _blocks(lines):
        if not block[0].strip() or block[0].lstrip().startswith(">>>"):
            told += block
        elif all(line.startswith("    ") for line in block) or any(_DRAWN.search(line) for line in block):
            literal = told[-2:-1] and told[-2].endswith("::")
            told += ([] if literal else ["::", ""]) + [
                f"    {line}" if not line.startswith("    ") else line for line in block
            ]
        else:
            told += [_inline(line) for line in block]
    return told


def _blocks(lines: Iterable[str]) -> Iterator[list[str]]:
    """Paragraphs, and the empty lines between them."""
    block: list[str] = []
    for line in lines:
        if not line.strip():
            if block:
                yield block
            block = []
            yield [""]
        else:
            block.append(line)
    if block:
        yield block


def _inline(line: str) -> str:
    told = ""
    for number, part in enumerate(_CODE.split(line.lstrip())):
        if number % 2:
            told += f"``{part.strip('`')}``"
        else:
            plural = (
                number and part[:1].isalnum()
            )  # "`Snapshot`s": markup ends at a space only, or at this sign for none
            told += ("\\ " if plural else "") + _AWKWARD.sub(r"\\\1", part)
    return told
