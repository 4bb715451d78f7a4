"""How an answer is said in a choice: what somebody expects of the last call → a short text."""

from __future__ import annotations

from collections.abc import Mapping

from vmalab.linux.addr import PAGE
from vmalab.programs.calltext import page_number, place
from vmalab.teach.misconceptions.case import Expectation
from vmalab.teach.misconceptions.costs import Moved
from vmalab.teach.misconceptions.layouts import Rows
from vmalab.teach.predictions import layout_text
from vmalab.teach.problems.asked_calls import ARENA
from vmalab.words.failure import errno_name
from vmalab.words.wording import say, word


def errno_said(expected: Expectation) -> str:
    """`It succeeds.`, or with which errno it fails."""
    return say("quiz", "fails", errno=errno_name(expected.errno)) if expected.errno else word("quiz", "succeeds")


def value_said(expected: Expectation) -> str | None:
    """What comes back; None for an address that nobody could name."""
    if expected.errno:
        return word("quiz", "failed_value")
    if expected.value == 0:
        return word("quiz", "zero")
    return place(expected.value) if expected.value is not None and expected.value in ARENA else None


def vmas_said(expected: Expectation) -> str | None:
    """The VMAs in one line; None where one lies at an address that nobody could name."""
    if not _in_arena(expected.rows.rows):
        return None
    return layout_text(expected.rows) or word("quiz", "nothing")


def contents_said(expected: Expectation) -> str | None:
    """The pages that hold a value other than zero."""
    return held_said(page_values(expected.rows.rows)) if _in_arena(expected.rows.rows) else None


def page_values(rows: Rows) -> dict[int, int]:
    """Page address → its first 64 bits, where those are not zero."""
    return {row.start + index * PAGE: value for row in rows for index, value in row.contents().items() if value}


def held_said(values: Mapping[int, int]) -> str:
    """Pages with their values: `64: 1000, 65: 1001`."""
    told = [f"{page_number(at)}: {values[at]}" for at in sorted(values)]
    return ", ".join(told) or word("quiz", "empty")


def entries_said(moved: Moved) -> str:
    """`4 PMD entries (2 MiB each) and 100 PTEs`."""
    if moved == Moved():
        return word("quiz", "no_entry")
    return say("quiz", "entries", pte=moved.pte, pmd=moved.pmd, pud=moved.pud)


def _in_arena(rows: Rows) -> bool:
    return all(row.start in ARENA and row.end in ARENA for row in rows)
