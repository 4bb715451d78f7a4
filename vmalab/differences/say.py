"""What differs between two answers, in a sentence, and two machines side by side as a table."""

from __future__ import annotations

from typing import Any

from vmalab.differences.compare import Comparison, Difference
from vmalab.linux.addr import page
from vmalab.machines.outcome import Outcome
from vmalab.pictures.table import Table
from vmalab.programs.calltext import call_text, result_text, vma_text

WHAT_DIFFERS = {
    "errno": "the errno",
    "return": "the returned address",
    "vmas": "the VMAs",
    "elsewhere": "the VMAs outside the arena",
    "values": "what was read",
    "pages": "the contents of the pages",
    "final": "the end",
    "error": "one machine could not run it",
}


def say_difference(found: Difference, a: str = "one side", b: str = "the other") -> str:
    """One difference in a sentence: what differs, and for VMAs and pages only those that do.

    `a`, `b`: who the two are.
    """
    what = WHAT_DIFFERS.get(found.key, found.key)
    where = f"Call {found.step}: {what}" if found.step else what[:1].upper() + what[1:]
    left, right = found.a, found.b
    if isinstance(left, list) and isinstance(right, list):
        said = [_listed([one for one in ours if one not in other]) for ours, other in ((left, right), (right, left))]
    else:
        said = [_plain(left), _plain(right)]
    return f"{where}: {said[0]} on {a}, {said[1]} on {b}."


def _listed(items: list[Any]) -> str:
    return "; ".join(_plain(item) for item in items) or "nothing more"


def _plain(item: Any) -> str:
    if isinstance(item, dict) and "start" in item and "end" in item:
        start, end = (page(at) if isinstance(at, int) else int(at, 16) for at in (item["start"], item["end"]))
        text = vma_text(start, end, item.get("perms", ""), item.get("backing") or "")
        if item.get("flags"):
            text += " flags " + " ".join(item["flags"])
        if item.get("pages"):
            text += " present " + " ".join(f"{index}={word}" for index, word in item["pages"].items())
        return text
    return "success" if item is None else str(item)


def differences_table(comparison: Comparison) -> Table:
    """Two machines side by side: one line for each step, with what each returned, and what differs in words."""
    words = {found.step: say_difference(found) for found in comparison.differences()}
    rows = (
        (step.number, call_text(step.call), _told(step.a), _told(step.b), "same" if step.agrees else "differs",
         words.get(step.number, ""))
        for step in comparison.steps
    )  # fmt: skip
    heads = ("step", "call", comparison.a.machine, comparison.b.machine, "verdict", "what differs")
    return Table("Two machines side by side", heads, rows)


def _told(outcome: Outcome | None) -> str:
    return "" if outcome is None else result_text(outcome.call, outcome.value, outcome.errno)
