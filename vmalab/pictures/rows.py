"""A VMA of a real process in one line of words, and what has changed of it since it was last seen."""

from __future__ import annotations

from vmalab.machines.outcome import Change, Row
from vmalab.pictures.sceneparts import backing_words, present_words
from vmalab.programs.calltext import size

SIGNS = {"added": "+", "removed": "-", "changed": "~"}


def row_words(row: Row) -> str:
    """Where it is, what may be done there, what backs it and what is present."""
    where = f"{row.start:x}-{row.end:x} {row.perms} {size(row.end - row.start)}"
    return ", ".join((where, backing_words(row), present_words(row)))


def change_words(change: Change) -> str:
    """The VMA behind a sign for new, gone or changed; of one that changed also what it was before."""
    return f"{SIGNS[change.kind]} {row_words(change.row)}{_was(change)}"


def _was(change: Change) -> str:
    before, after = change.before, change.after
    if before is None or after is None:
        return ""
    if before.end != after.end:
        return f" (before: {size(before.end - before.start)})"
    if before.perms != after.perms:
        return f" (before: {before.perms})"
    return f" (before: {present_words(before)})"
