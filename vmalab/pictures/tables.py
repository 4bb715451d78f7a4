"""Snapshots, steps and differences as pandas tables.  pandas is loaded when a table is asked for.

The numbers are those of the pictures: addresses in pages of the arena (text, because outside the arena they are hex).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from vmalab.differences.compare import Comparison, Difference
from vmalab.linux.addr import PAGE
from vmalab.machines.outcome import Change, Outcome, Row, Snapshot, diff
from vmalab.pictures.lineage import letters
from vmalab.pictures.sceneparts import backing_words
from vmalab.programs.calltext import call_text, page_number, result_text

if TYPE_CHECKING:
    from pandas import DataFrame


def snapshot_table(snapshot: Snapshot, *, hex: bool = False) -> DataFrame:
    """One line for each VMA, indexed by the picture's letters.

    Columns: `start`, `end` (page, or hex bytes; the end is excluded), `pages`, `perms`, `backing`, `present` (pages),
    `VmFlags`; of the model also `vm_pgoff` and `anon_vma`.  `hex`: all addresses in hex.  O(n).
    """
    import pandas

    known = any(row.vm_pgoff is not None for row in snapshot)
    lines = [_line(row, known=known, hex=hex) for row in snapshot]
    columns = ["start", "end", "pages", "perms", "backing", "present", "VmFlags"]
    columns += ["vm_pgoff", "anon_vma"] if known else []
    return pandas.DataFrame(lines, columns=columns, index=pandas.Index(letters(len(snapshot)), name="VMA"))


def _line(row: Row, *, known: bool, hex: bool = False) -> dict[str, Any]:
    line: dict[str, Any] = {
        "start": _place(row.start, hex),
        "end": _place(row.end, hex),
        "pages": (row.end - row.start) // PAGE,
        "perms": row.perms,
        "backing": backing_words(row),
        "present": sum(run.end - run.start for run in row.runs) if row.seen else None,
        "VmFlags": " ".join(row.flags),
    }
    if known:
        line["vm_pgoff"] = "" if row.vm_pgoff is None else f"{row.vm_pgoff:#x}"
        line["anon_vma"] = "" if row.anon_vma is None else str(row.anon_vma)
    return line


def _place(address: int, hex: bool) -> str:
    return f"{address:#x}" if hex else page_number(address) or f"{address:#x}"


def steps_table(outcome: Outcome) -> DataFrame:
    """One line for each step: the kernel `function`, what happened in words, the VMAs taken out and put in, the errno.

    Empty for an outcome of the live machine or of a recording: they tell no steps.
    """
    import pandas

    from vmalab.words.explain import narrate

    lines = [
        (step.func, narrate(step), ", ".join(map(str, step.removed)), ", ".join(map(str, step.added)), step.errno or "")
        for step in outcome.steps
    ]
    index = pandas.RangeIndex(1, len(lines) + 1, name="step")
    return pandas.DataFrame(lines, columns=["function", "what", "removed", "added", "errno"], index=index)


def changes_table(outcome: Outcome) -> DataFrame:
    """What is different after the call: one line for each VMA that is new, gone or changed."""
    return _changes(diff(outcome.before, outcome.after))


def differences_table(comparison: Comparison) -> DataFrame:
    """Two machines side by side: one line for each step, with what each returned, and what differs in words."""
    import pandas

    words = {found.step: say_difference(found) for found in comparison.differences()}
    lines = [
        (call_text(step.call), _told(step.a), _told(step.b), "same" if step.agrees else "differs",
         words.get(step.number, ""))
        for step in comparison.steps
    ]  # fmt: skip
    index = pandas.RangeIndex(1, len(lines) + 1, name="step")
    columns = ["call", comparison.a.machine, comparison.b.machine, "verdict", "what differs"]
    return pandas.DataFrame(lines, columns=columns, index=index)


def _told(outcome: Outcome | None) -> str:
    return "" if outcome is None else result_text(outcome.call, outcome.value, outcome.errno)


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
    where = f"Step {found.step}: {what}" if found.step else what[:1].upper() + what[1:]
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
        backing = f" {item['backing']}" if item.get("backing") else ""
        text = f"[{item['start']}, {item['end']}) {item.get('perms', '')}{backing}"
        if item.get("flags"):
            text += " flags " + " ".join(item["flags"])
        if item.get("pages"):
            text += " present " + " ".join(f"{index}={word}" for index, word in item["pages"].items())
        return text
    return "success" if item is None else str(item)


def _changes(changes: Iterable[Change]) -> DataFrame:
    import pandas

    lines = [{"change": change.kind, **_line(change.row, known=False)} for change in changes]
    return pandas.DataFrame(
        lines, columns=["change", "start", "end", "pages", "perms", "backing", "present", "VmFlags"]
    )
