"""Near misses: wrong choices that no belief leads to, each with the reason why it is wrong.

Most are what the call would have done with one page more, one page less, or another place: the model makes it so, on a
copy of the process, and the reason names the difference.  Nothing is offered that can't be answered.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from attrs import evolve, frozen

from vmalab.errors import VmalabError
from vmalab.linux.addr import PAGE, PAGE_SHIFT, page_align
from vmalab.linux.call import Call, Mmap, Mprotect, Mremap, Munmap
from vmalab.machines.outcome import Outcome
from vmalab.teach.misconceptions.case import Expectation
from vmalab.teach.misconceptions.costs import really_moved
from vmalab.teach.misconceptions.moving import moved_many
from vmalab.teach.problems.asked_calls import ARENA, Asked
from vmalab.teach.problems.dice import Dice
from vmalab.teach.problems.said import (
    contents_said,
    entries_said,
    errno_said,
    held_said,
    page_values,
    value_said,
    vmas_said,
)
from vmalab.words.failure import errno_meaning, errno_name
from vmalab.words.wording import say


@frozen
class NearMiss:
    """A wrong choice: its `text`, its `key` among the catalogue's near misses, and `why` it is wrong, in a sentence."""

    text: str
    key: str
    why: str


Near = Iterator[NearMiss]

ERRNOS: Mapping[str, tuple[str, ...]] = {
    "mmap": ("EEXIST", "ENOMEM", "EINVAL"),
    "munmap": ("EINVAL", "ENOMEM", "EPERM"),
    "mprotect": ("ENOMEM", "EACCES", "EINVAL"),
    "mremap": ("EFAULT", "EINVAL", "ENOMEM"),
    "mseal": ("ENOMEM", "EPERM", "EINVAL"),
    "touch": ("SEGV", "EFAULT", "BUS"),
    "read": ("SEGV", "EFAULT", "BUS"),
}
"""Call → what one might think of."""
ANY_ERRNO = ("ENOMEM", "EINVAL", "EAGAIN")


def _miss(text: str | None, key: str, **values: Any) -> Near:
    """The near miss, if its text can be said."""
    if text is not None:
        yield NearMiss(text, key, say("near", key, **values))


# --- the call made a little otherwise ------------------------------------------------------------------------


def _made(asked: Asked, call: Call) -> Outcome | None:
    """What `call` would do in place of the last one; None where the model can't tell, or it fails."""
    try:
        told = asked.case.model.copy().do(call)
    except VmalabError:
        return None
    return told if told.ok else None


def _resized(call: Call, pages: int) -> Call | None:
    """The call on so many pages more (or less); None where it has no length, or would have none."""
    by = pages * PAGE
    if isinstance(call, Mremap):
        if call.old_len == call.new_len:
            return evolve(call, old_len=call.old_len + by, new_len=call.new_len + by) if call.old_len + by > 0 else None
        return evolve(call, new_len=call.new_len + by) if call.new_len + by > 0 else None
    if isinstance(call, Mmap | Munmap | Mprotect):
        return evolve(call, length=call.length + by) if call.length + by > 0 else None
    return None


def _off_by_one(asked: Asked, dice: Dice) -> Iterator[tuple[Expectation, str, dict[str, int]]]:
    """What the call would leave if its range were a page longer or shorter, and the right range for the reason."""
    call = asked.last.call
    for key, pages in dice.shuffled([("page_more", 1), ("page_less", -1)]):
        other = _resized(call, pages)
        told = _made(asked, other) if other is not None else None
        if told is not None and asked.last.ok:
            start = getattr(call, "addr", None) or 0
            length: int = call.new_len if isinstance(call, Mremap) else getattr(call, "length", 0)
            yield Expectation(None, told.value, told.after), key, {"start": start, "end": start + page_align(length)}


# --- kind by kind --------------------------------------------------------------------------------------------


def near_errnos(asked: Asked, dice: Dice) -> Near:
    """Errnos that the call could fail with, elsewhere."""
    key = "errno" if asked.last.ok else "other_errno"
    for errno in dice.shuffled(ERRNOS.get(asked.last.call.name, ANY_ERRNO)):
        text = errno_said(Expectation(errno, None, asked.last.after))
        yield from _miss(text, key, errno=errno_name(errno), meaning=errno_meaning(errno))


def near_values(asked: Asked, dice: Dice) -> Near:
    """Addresses that play a part in the call, and what other calls return."""
    call, after = asked.last.call, asked.last.after
    places: list[int] = []
    if isinstance(call, Mremap):
        places = [call.addr, call.new_addr, call.addr + page_align(call.old_len), call.new_addr + call.new_len]
    elif isinstance(call, Mmap) and call.addr is not None:
        places = [call.addr + call.length, *(row.start for row in asked.last.before)]
    near = [
        *((at, "address_mremap" if isinstance(call, Mremap) else "address_mmap")
          for at in places if at in ARENA and not at % PAGE),
        (0, "zero_address" if places else "zero"),
    ]  # fmt: skip
    for at, key in dice.shuffled(near):
        if at or asked.last.value != 0:
            yield from _miss(value_said(Expectation(None, at, after)), key)
    if asked.last.ok:
        yield from _miss(value_said(Expectation("E", None, after)), "failed")
    elif not places:
        yield from _miss(value_said(Expectation(None, 0, after)), "zero_failed")
    if not places and asked.last.ok:
        yield from _miss(say("quiz", "pages", n=getattr(call, "length", PAGE) // PAGE), "length")


def near_vmas(asked: Asked, dice: Dice) -> Near:
    """What a range that is a page too long or too short would leave; what was there before."""
    for expected, key, values in _off_by_one(asked, dice):
        yield from _miss(vmas_said(expected), key, **values)
    yield from _miss(vmas_said(Expectation(None, None, asked.setup)), "unchanged")
    stays = [row for row in asked.last.after if row in asked.last.before.rows]
    for row in dice.shuffled(stays):
        rest = evolve(asked.last.after, rows=tuple(other for other in asked.last.after if other is not row))
        yield from _miss(vmas_said(Expectation(None, None, rest)), "stays", vma=row)


def near_contents(asked: Asked, dice: Dice) -> Near:
    """Values a page off, one of them dropped, or all as before."""
    for expected, key, values in _off_by_one(asked, dice):
        yield from _miss(contents_said(expected), key, **values)
    yield from _miss(contents_said(Expectation(None, None, asked.setup)), "unchanged")
    held = page_values(asked.last.after.rows)
    move = moved_many(asked.case)
    if move is not None:
        arrived = {at: value for at, value in held.items() if move.target <= at < move.end + move.distance}
        others = {at: value for at, value in held.items() if at not in arrived}
        for by in dice.shuffled((PAGE, -PAGE)):
            off = others | {at + by: value for at, value in arrived.items()}
            if arrived and all(at in ARENA for at in off):
                yield from _miss(held_said(off), "shifted", n=abs(move.distance) >> PAGE_SHIFT)
    for at in dice.shuffled(sorted(held)):
        less = {other: value for other, value in held.items() if other != at}
        yield from _miss(held_said(less), "dropped", at=at, value=held[at])


def near_entries(asked: Asked, dice: Dice) -> Near:
    """What another range or another place would cost."""
    call = asked.last.call
    assert isinstance(call, Mremap)
    others = [
        ("range", evolve(call, old_len=call.old_len + PAGE, new_len=call.new_len + PAGE)),
        ("range", evolve(call, old_len=call.old_len - PAGE, new_len=call.new_len - PAGE)),
        ("range", evolve(call, old_len=call.old_len // 2, new_len=call.new_len // 2)),
        ("place", evolve(call, new_addr=call.new_addr + PAGE)),
        ("place", evolve(call, new_addr=call.new_addr + (call.addr - call.new_addr) % (PAGE << 9))),
    ]
    for key, other in dice.shuffled(others):
        told = _made(asked, other) if other.old_len > 0 and not other.old_len % PAGE else None
        if told is not None:
            end = call.addr + page_align(call.old_len)
            yield from _miss(
                entries_said(really_moved(told)), f"entries_{key}", start=call.addr, end=end, to=call.new_addr
            )
