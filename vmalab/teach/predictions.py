"""Predictions of a call: read what somebody drew or wrote, and say what is right and what is not.

    parse_layout("[0 to 1 rw] [3 to 4 r]")        VMAs as one writes them
    judge(model, call, Answer(…))           the verdict, VMA by VMA, with the misconception that it suggests

A VMA counts by its place and by what may be done to it; what backs it need not be said.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import pairwise

from attrs import field, frozen

from vmalab.errors import UsageError
from vmalab.linux.addr import page
from vmalab.linux.call import Call
from vmalab.linux.flags import PROT_LETTERS
from vmalab.machines.model import Model
from vmalab.machines.outcome import Outcome, Row, Snapshot
from vmalab.programs.calltext import result_text, vma_text
from vmalab.teach.misconceptions import GIVEN, Misconception, case_of, suspects
from vmalab.teach.misconceptions.layouts import Rows, outline

_ONE = re.compile(r"\[\s*(\d+)(?:\s*to\s*(\d+))?\s+([rwx-]+|none)p?(?:\s+[^\]]*)?\]")
_DASH = re.compile(r"\[\s*(\d+)\s*[-–,]\s*(\d+)")
HOW = "write each VMA as first page to last page and permissions, such as [0 to 1 rw] [3 r]; none: no permission"


def parse_layout(text: str) -> Rows:
    """The VMAs that `text` describes, in order of address.

    Raises UsageError that names the part that is not understood, or the two VMAs that overlap.

    >>> [(row.pages, row.perms) for row in parse_layout("[0 to 1 rw] [3 to 4 r]")]
    [(2, 'rw-p'), (2, 'r--p')]
    """
    rows = []
    for part in filter(None, (piece.strip(" ,;") for piece in re.split(r"(?<=\])", text))):
        found = _ONE.fullmatch(part)
        if found is None:
            dash = _DASH.match(part)
            first, last = dash.groups() if dash else ("", "")
            doubt = f"does page {last} belong to it? If so it is {first} to {last}" if dash else HOW
            raise UsageError(f"“{part}” is not understood: {doubt}.")
        start, end = int(found[1]), int(found[2] or found[1]) + 1
        if not start < end <= 1 << 32:
            raise UsageError(f"“{part}” ends before it starts, or nowhere: {HOW}.")
        letters = "" if found[3] == "none" else found[3]
        rows.append(Row(page(start), page(end), f"{''.join(c if c in letters else '-' for c in PROT_LETTERS)}p"))
    rows.sort(key=lambda row: row.start)
    for low, high in pairwise(rows):
        if high.start < low.end:
            raise UsageError(f"{spelled(low)} and {spelled(high)} overlap: a page belongs to one VMA.")
    return tuple(rows)


def layout_text(rows: Snapshot | Iterable[Row]) -> str:
    """VMAs as `parse_layout` reads them; what backs a VMA is written too.

    >>> layout_text(parse_layout("[3 to 4 r][0 to 1 rw]"))
    '[0 to 1 rw] [3 to 4 r]'
    """
    return " ".join(spelled(row, backing=True) for row in rows)


def spelled(row: Row, *, backing: bool = False) -> str:
    """One VMA: `[0 to 1 rw]`, with `backing` `[0 to 1 r canary]`."""
    letters = row.perms[:3].replace("-", "") or "none"
    return vma_text(row.start, row.end, letters, row.backing or "" if backing else "")


@frozen
class Answer:
    """What somebody predicted.  What was not said is left out: `GIVEN` for errno and value, None for the rows."""

    errno: object = GIVEN
    value: object = GIVEN
    rows: Rows | None = None


@frozen
class Line:
    """One thing that was predicted or forgotten: whether it is right, and what there is to say."""

    right: bool
    said: str


@frozen
class Verdict:
    """What there is to say to a prediction.  `suspected`: the misconceptions that it suggests; `real`: what happens."""

    lines: tuple[Line, ...]
    suspected: tuple[Misconception, ...]
    real: Outcome = field(eq=False)

    @property
    def right(self) -> bool:
        """Whether all of it is right."""
        return all(line.right for line in self.lines)

    @property
    def headline(self) -> str:
        """The verdict in one sentence."""
        wrong = sum(not line.right for line in self.lines)
        if not self.lines:
            return "Nothing was predicted."
        return "All of it is right." if not wrong else f"{len(self.lines) - wrong} of {len(self.lines)} are right."

    def texts(self) -> list[str]:
        """Everything, line by line."""
        signs = [f"{'✓' if line.right else '✕'} {line.said}" for line in self.lines]
        return [self.headline, *signs, *(f"{one.belief} That is not so. {one.truth}" for one in self.suspected)]


def judge(model: Model, call: Call, answer: Answer) -> Verdict:
    """Hold a prediction of `call` on `model` (which is not changed) against what happens.  O(history + VMAs)."""
    real = case_of(model, call).real
    lines: list[Line] = []
    if answer.errno is not GIVEN:
        lines.append(_errno_line(answer.errno, real))
    if answer.value is not GIVEN and real.errno is None and answer.errno in (None, GIVEN):
        lines.append(_value_line(answer.value, real))
    if answer.rows is not None:
        lines += _row_lines(answer.rows, real.after)
    wrong = any(not line.right for line in lines)
    found = suspects(model, call, errno=answer.errno, value=answer.value, rows=answer.rows) if wrong else []
    return Verdict(tuple(lines), tuple(found[:2]), real)


def _errno_line(errno: object, real: Outcome) -> Line:
    said = "It succeeds" if errno is None else f"It fails with {errno}"
    if errno == real.errno:
        return Line(True, f"{said}.")
    return Line(False, f"{said}: no, it {'succeeds' if real.errno is None else f'fails with {real.errno}'}.")


def _value_line(value: object, real: Outcome) -> Line:
    def words(number: object) -> str:
        return result_text(real.call, number, None) if isinstance(number, int) else str(number)

    if value == real.value:
        return Line(True, f"It returns {words(value)}.")
    return Line(False, f"It returns {words(value)}: no, {words(real.value)}.")


def _row_lines(drawn: Rows, after: Snapshot) -> list[Line]:
    """A line for each VMA that was drawn, and one for each that was forgotten."""
    real = {(row.start, row.end): row for row in after}
    lines = []
    for row in drawn:
        there = real.pop((row.start, row.end), None)
        if there is None:
            lines.append(Line(False, f"{spelled(row)}: there is no such VMA{_near(row, after)}."))
        elif outline((there,)) != outline((row,)):
            lines.append(Line(False, f"{spelled(row)}: its place is right, its permissions are {_letters(there)}."))
        else:
            lines.append(Line(True, f"{spelled(row)}."))
    lines += [Line(False, f"{spelled(row)} is missing.") for row in real.values()]
    return lines or [Line(True, "Nothing is mapped.")]


def _near(row: Row, after: Snapshot) -> str:
    """What is there instead."""
    inside = [other for other in after if other.start < row.end and row.start < other.end]
    if not inside:
        return "; nothing is mapped there"
    return f"; there you find {', '.join(spelled(other, backing=True) for other in inside[:3])}"


def _letters(row: Row) -> str:
    return row.perms[:3].replace("-", "") or "none"


__all__ = ["GIVEN", "Answer", "Line", "Verdict", "judge", "layout_text", "parse_layout", "spelled"]
