"""Snapshots, steps and changes as tables.

Ranges are those of the pictures: first and last page of the arena, or hex as in maps.
"""

from __future__ import annotations

from vmalab.linux.addr import PAGE
from vmalab.machines.lineage import names_of
from vmalab.machines.outcome import Outcome, Row, Snapshot, diff
from vmalab.pictures.sceneparts import backing_words
from vmalab.pictures.table import Table
from vmalab.programs.calltext import extent
from vmalab.words.explain import narrate

COLUMNS = ("range", "pages", "perms", "backing", "present", "VmFlags")
KNOWN = ("vm_pgoff", "anon_vma")
"""What only the model knows."""


def snapshot_table(snapshot: Snapshot, *, hex: bool = False) -> Table:
    """One line for each VMA, named by the picture's letters.

    Columns: `range` (first and last page, or hex as in maps), `pages`, `perms`, `backing`, `present` (pages) and
    `VmFlags`; of the model also `vm_pgoff` and `anon_vma`.  `hex`: all ranges in hex.  O(n).
    """
    known = any(row.vm_pgoff is not None for row in snapshot)
    lines = (_line(row, known=known, hex=hex) for row in snapshot)
    rows = [(letter, *line) for letter, line in zip(names_of(snapshot), lines, strict=True)]
    return Table("The VMAs", ("VMA", *COLUMNS, *(KNOWN if known else ())), rows)


def _line(row: Row, *, known: bool, hex: bool = False) -> list[object]:
    line: list[object] = [
        f"{row.start:#x}-{row.end:#x}" if hex else extent(row.start, row.end),
        (row.end - row.start) // PAGE,
        row.perms,
        backing_words(row),
        sum(run.end - run.start for run in row.runs) if row.seen else "",
        " ".join(row.flags),
    ]
    if known:
        line.append("" if row.vm_pgoff is None else f"{row.vm_pgoff:#x}")
        line.append("" if row.anon_vma is None else row.anon_vma)
    return line


def steps_table(outcome: Outcome) -> Table:
    """One line for each step: the kernel `function`, what happened in words, the VMAs taken out and put in, the errno.

    Empty for an outcome of the live machine or of a recording: they tell no steps.
    """
    rows = (
        (number, step.func, narrate(step), ", ".join(map(str, step.removed)), ", ".join(map(str, step.added)),
         step.errno or "")
        for number, step in enumerate(outcome.steps, 1)
    )  # fmt: skip
    return Table("The steps of the kernel", ("step", "function", "what", "removed", "added", "errno"), rows)


def changes_table(outcome: Outcome) -> Table:
    """What is different after the call: one line for each VMA that is new, gone or changed."""
    changes = diff(outcome.before, outcome.after)
    rows = ((change.kind, *_line(change.row, known=False)) for change in changes)
    return Table("What is different", ("change", *COLUMNS), rows)
