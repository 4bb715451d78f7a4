"""Checks of an answer that draws the VMAs after a call: as text, `"[0-2 rw] [3-5 r]"`, or as a list of tuples."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from vmalab.call import Call
from vmalab.errors import UsageError
from vmalab.machines.model import Model
from vmalab.misconceptions.layouts import Rows
from vmalab.predictions import Answer, judge, layout_text, parse_layout
from vmalab.teach.feedback import Feedback, no_answer, not_yet, solved

HOW = 'Write the VMAs as text, such as "[0-2 rw] [3-5 r]": first page, page after the last, permissions.'

Hint = tuple[Callable[[Rows], bool], str]
"""What is wrong with a drawing if the function says so, and what to say to it."""


def drawn(answer: Any) -> Rows:
    """The VMAs of an answer.  Raises UsageError for what is neither text nor a list of tuples, or not understood."""
    if isinstance(answer, str):
        return parse_layout(answer)
    try:
        return parse_layout(" ".join(f"[{start}-{end} {perms or 'none'}]" for start, end, perms in answer))
    except (TypeError, ValueError):
        raise UsageError(HOW) from None


def judged(answer: Any, vm: Model, call: Call, praise: str, hints: Sequence[Hint] = ()) -> Feedback:
    """What there is to say to a drawing of the VMAs after `call` on `vm`, which is not changed.

    The right VMAs are named, the missing ones only counted; then the first of `hints` that fits, or the misconception
    that the drawing suggests.
    """
    if answer is ... or answer is None or not answer:
        return no_answer(HOW)
    try:
        rows = drawn(answer)
    except UsageError as error:
        return not_yet(str(error))
    verdict = judge(vm, call, Answer(rows=rows))
    if verdict.right:
        return solved(praise)
    good = [row for row, line in zip(rows, verdict.lines, strict=False) if line.right]
    said = [f"Right: {layout_text(good)}." if good else "None of these VMAs is there afterwards."]
    told = [words for wrong, words in hints if wrong(rows)]
    told += [f"{one.belief} That is not so. {one.truth}" for one in verdict.suspected]
    if len(rows) != len(verdict.real.after):
        told.append(f"There are {len(verdict.real.after)} VMAs afterwards; you have drawn {len(rows)}.")
    else:
        odd = [row for row in rows if row not in good]
        told.append(f"Look again at {layout_text(odd)}.")
    return not_yet(*said, *told[:1])
