"""Snapshots and steps as pandas tables.  pandas is loaded when a table is asked for.

The numbers are those of the pictures: addresses in pages of the arena (text, because outside the arena they are hex).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from vmalab.linux.addr import PAGE
from vmalab.machines.outcome import Change, Outcome, Row, Snapshot, diff
from vmalab.pictures.lineage import letters
from vmalab.pictures.sceneparts import backing_words
from vmalab.programs.calltext import page_number
from vmalab.words.explain import narrate

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

    lines = [
        (step.func, narrate(step), ", ".join(map(str, step.removed)), ", ".join(map(str, step.added)), step.errno or "")
        for step in outcome.steps
    ]
    index = pandas.RangeIndex(1, len(lines) + 1, name="step")
    return pandas.DataFrame(lines, columns=["function", "what", "removed", "added", "errno"], index=index)


def changes_table(outcome: Outcome) -> DataFrame:
    """What is different after the call: one line for each VMA that is new, gone or changed."""
    return _changes(diff(outcome.before, outcome.after))


def _changes(changes: Iterable[Change]) -> DataFrame:
    import pandas

    lines = [{"change": change.kind, **_line(change.row, known=False)} for change in changes]
    return pandas.DataFrame(
        lines, columns=["change", "start", "end", "pages", "perms", "backing", "present", "VmFlags"]
    )
