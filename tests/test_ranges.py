"""One notation for ranges: pages from the first to the last, "0 to 4"; hex as in /proc/PID/maps (docs/glossary.md).

Looked for is the other one, page numbers with the end excluded: `[0-5]`, `[0, 5)`, in all that a person reads.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from vmalab.words.catalogue import TEXTS

ROOT = Path(__file__).parents[1]
OTHER = re.compile(
    r"\[\d+ ?[-–] ?\d+(?=\]| (?:[r-][w-][x-]|[rwx]+\b|none\b))"  # a VMA, a range: [0-2 rw-p], [0-5]
    r"|[\[(]\d+, ?\d+\)(?= (?:[r-][w-][x-]|[rwx]+\b))|\[\d+, ?\d+\)"  # [0, 5)
    r"|\bpages? \d+ ?[-–] ?\d+\b"
)
"""Digits alone, so that no variable is meant; `QUOTED`: classes of regular expressions."""
QUOTED = re.compile(r"\[0-[0-9]\](?=[+*?{|()\\,/<\"]|$)|\[[01]-9\]?[a-zA-Z]|\[1-9\](?=\[)|00000\[0-6\]")


def found(text: str) -> list[str]:
    return [match[0] for match in OTHER.finditer(QUOTED.sub("", text))]


def read() -> Iterator[tuple[str, str]]:
    """What is read: the words of the package, its scripts, the documents, the lessons with their outputs."""
    for path in sorted((ROOT / "vmalab").rglob("*")):
        if path.suffix in (".py", ".js", ".md") and "driver" not in path.parts:
            yield str(path.relative_to(ROOT)), path.read_text(encoding="utf-8")
    for path in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))):
        yield str(path.relative_to(ROOT)), path.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("VMA [0-2 rw-p] may move", ["[0-2"]),
        ("[0, 3)", ["[0, 3)"]),
        ("pages 0-5", ["pages 0-5"]),
        ("[0-2] [3-5]", ["[0-2", "[3-5"]),
        (
            "[0 to 1 rw-p] at pages 0 to 1, [1000000000-1000002000 rw-p], re.compile('[0-9]+')",
            ["[1000000000-1000002000"],
        ),
    ],
)
def test_the_search_finds_the_other_notation(text: str, expected: list[str]) -> None:
    assert expected == found(text)


def test_the_package_and_its_documents_have_one_notation() -> None:
    assert {} == {name: hits for name, text in read() if (hits := found(text))}


def test_the_catalogue_puts_no_dash_between_pages() -> None:
    dash = re.compile(r"\{[a-z_.]+(?::place|:number)?\}[-–]\{")
    assert [] == [text for group in TEXTS.values() for text in group.values() if dash.search(text)]


@pytest.mark.parametrize("path", sorted((ROOT / "notebooks").glob("*.ipynb")), ids=lambda path: path.stem)
def test_the_lessons_have_one_notation(path: Path) -> None:
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        assert [] == found("".join(cell["source"]))
        for output in cell.get("outputs", ()):
            told = output.get("data", {}).get("text/plain", "") or output.get("text", "")
            assert [] == [hit for hit in found("".join(told)) if len(hit) < 12]
