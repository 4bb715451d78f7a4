"""A call that succeeded, in one sentence.  What failed is told by `vmalab.words.failure`.

Works from the call and the rows before and after it, which every machine has; steps are not needed.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from operator import attrgetter
from typing import Any

from vmalab.linux.addr import PAGE, WORD, page_align
from vmalab.linux.call import (
    AddSeals,
    Brk,
    Call,
    Fork,
    ForkChild,
    Ftruncate,
    Limit,
    Madvise,
    Mlock,
    Mlock2,
    Mlockall,
    Mmap,
    Mprotect,
    Mremap,
    Mseal,
    Munlock,
    Munlockall,
    Munmap,
    Read,
    Touch,
    Uffd,
    UffdCopy,
    UffdUnregister,
    UffdWriteprotect,
    UffdZeropage,
)
from vmalab.linux.flags import MREMAP_DONTUNMAP, perms
from vmalab.machines.outcome import Outcome, Row, Snapshot
from vmalab.programs.calltext import place
from vmalab.words.wording import LISTED, clauses, say, texts, word

SHOWN_VALUES = LISTED
"""So many words that a read saw are told."""


def success(outcome: Outcome) -> str:
    """The story of a call that succeeded, in one sentence without a full stop."""
    return clauses(_SUCCESS[type(outcome.call)](outcome))


def call_name(call: Call) -> str:
    """What a sentence calls it: the name of the system call."""
    return texts()["call"].get(call.name, call.name)


# --- rows in a range ---


class Area:
    """A part of a row, or some other stretch of addresses, that a text names as a VMA."""

    __slots__ = ("backing", "end", "perms", "row", "start")

    def __init__(self, row: Row, start: int, end: int) -> None:
        self.row, self.start, self.end, self.perms, self.backing = row, start, end, row.perms, row.backing

    def __len__(self) -> int:
        return self.end - self.start

    @property
    def whole(self) -> bool:
        """Whether it is all of its row."""
        return (self.start, self.end) == (self.row.start, self.row.end)


def inside(rows: Snapshot | Sequence[Row], start: int, end: int) -> list[Area]:
    """The parts of `rows` in bytes [start, end), in order.  O(log n + parts)."""
    ordered = rows.rows if isinstance(rows, Snapshot) else rows
    first = max(bisect_right(ordered, start, key=attrgetter("start")) - 1, 0)
    last = bisect_left(ordered, end, lo=first, key=attrgetter("start"))
    return [Area(row, max(row.start, start), min(row.end, end)) for row in ordered[first:last] if start < row.end]


def _bytes(areas: Sequence[Area]) -> int:
    return sum(len(area) for area in areas)


# --- mremap ---


def _mremap(outcome: Outcome) -> Iterator[str]:
    call = outcome.call
    assert isinstance(call, Mremap)
    start, old, new = call.addr & WORD, page_align(call.old_len & WORD), page_align(call.new_len & WORD)
    if not old:
        yield say("outcome", "duplicated", start=start, length=new, target=_target(outcome.value))
    elif outcome.value != start:
        yield from _moved(outcome, start, old, new)
    elif old == new:
        yield say("outcome", "no_op")
    elif new < old:
        yield say("outcome", "shrunk", start=start, old=old, new=new)
        if not inside(outcome.before, start + new, start + old):
            yield say("outcome", "tail_empty")
    else:
        yield say("outcome", "grown", start=start, old=old, new=new)
        row = outcome.after.at(start)
        if row is not None and row.end > start + new:
            yield say("outcome", "swallowed", vma=row)


def _target(value: int | None) -> str:
    return word("special", "elsewhere") if value is None else place(value)


def _moved(outcome: Outcome, start: int, old: int, new: int) -> Iterator[str]:
    call, value = outcome.call, outcome.value
    assert isinstance(call, Mremap)
    end = start + min(old, new)
    pieces = inside(outcome.before, start, end)
    part = len(pieces) == 1 and not pieces[0].whole
    yield say("outcome", f"moved/{'part' if part else 'whole'}", count=len(pieces), length=_bytes(pieces), start=start,
              target=_target(value))  # fmt: skip
    if old < new:
        yield say("outcome", "resized", length=new)
    tail = _bytes(inside(outcome.before, start + new, start + old)) if new < old else 0
    if tail:
        yield say("outcome", "tail_gone", length=tail)
    gaps = _gaps(pieces, end)
    if gaps:
        key = "one" if len(gaps) == 1 else "many"
        yield say("outcome", f"gap/{key}", count=len(gaps), length=sum(high - low for low, high in gaps))
    if value is not None:
        yield from _at_target(outcome, pieces, gaps, value - start, new if len(pieces) == 1 and not gaps else None)
    if call.flags & MREMAP_DONTUNMAP:
        yield say("outcome", "kept")


def _gaps(pieces: Sequence[Area], end: int) -> list[tuple[int, int]]:
    """The unmapped parts between the pieces, and from the last one to `end`."""
    starts = [piece.start for piece in pieces[1:]] + [end]
    return [(piece.end, after) for piece, after in zip(pieces, starts, strict=False) if piece.end < after]


def _at_target(
    outcome: Outcome, pieces: Sequence[Area], gaps: Sequence[tuple[int, int]], distance: int, length: int | None
) -> Iterator[str]:
    """What the move met at its target: what it replaced, what stayed under a gap, what it merged with."""
    targets = [(piece.start + distance, piece.end + distance) for piece in pieces]
    if length is not None and targets:
        targets = [(targets[0][0], targets[0][0] + length)]
    replaced = sum(_bytes(inside(outcome.before, low, high)) for low, high in targets)
    if replaced:
        yield say("outcome", "replaced", length=replaced)
    kept = sum(_bytes(inside(outcome.before, low + distance, high + distance)) for low, high in gaps)
    if kept:
        yield say("outcome", "under_gap", length=kept)
    there: dict[int, list[int]] = {}
    for low, high in targets:
        for area in inside(outcome.after, low, high):
            there.setdefault(area.row.start, [area.row.end, 0])[1] += len(area)
    larger = next((low for low, (high, own) in there.items() if high - low > own), None)
    if larger is not None:
        yield say("outcome", "merged", vma=outcome.after.at(larger))
    elif 0 < len(there) < len(pieces):
        yield say("outcome", "fewer", count=len(there))


# --- the other calls ---


def _mmap(outcome: Outcome) -> Iterator[str]:
    call, value = outcome.call, outcome.value
    assert isinstance(call, Mmap)
    length = page_align(call.length)
    yield say("outcome", "mapped", length=length, target=_target(value))
    if value is None:
        return
    replaced = _bytes(inside(outcome.before, value, value + length))
    if replaced:
        yield say("outcome", "replaced", length=replaced)
    row = outcome.after.at(value)
    if row is not None and row.end - row.start > length:
        yield say("outcome", "merged", vma=row)


def _munmap(outcome: Outcome) -> Iterator[str]:
    call = outcome.call
    assert isinstance(call, Munmap)
    start, end = call.addr, call.addr + page_align(call.length)
    gone = _bytes(inside(outcome.before, start, end))
    yield say("outcome", "unmapped" if gone else "unmapped_none", length=gone, start=start, end=end)
    yield from _vma_count(outcome)


def _vma_count(outcome: Outcome) -> Iterator[str]:
    before, after = len(outcome.before) + outcome.beyond, len(outcome.after) + outcome.beyond
    if before != after:
        yield say("outcome", "vma_count", before=before, after=after)


def _ranged(outcome: Outcome) -> Iterator[str]:
    """mprotect, madvise, mlock, munlock, mseal, userfaultfd: what was done to which range."""
    call: Any = outcome.call
    low, high = call.addr & -PAGE, (call.addr & -PAGE) + page_align(call.length + call.addr % PAGE)
    if low == high:
        yield say("outcome", "empty_range", call=call_name(call))
        return
    access = perms(call.prot)[:3] if isinstance(call, Mprotect) else ""
    advice = call.advice if isinstance(call, Madvise) else ""
    key = call.name
    if isinstance(call, Uffd) and call.mode != "missing":
        key = f"uffd_mode/{call.mode}"
    elif isinstance(call, UffdWriteprotect):
        key = f"uffd_writeprotect/{'on' if call.protect else 'off'}"
    elif isinstance(call, Mlock2):
        key = f"mlock2/{'onfault' if call.onfault else 'at_once'}"
    yield say("outcome", key, start=low, end=high, perms=access, advice=advice)
    yield from _vma_count(outcome)


def _all(outcome: Outcome) -> Iterator[str]:
    """mlockall, munlockall."""
    if isinstance(outcome.call, Mlockall):
        locked = sum(row.pages for row in outcome.after if "lo" in row.flags)
        yield say("outcome", "mlockall", flags=outcome.call.flags, pages=locked)
    else:
        yield say("outcome", "munlockall")
    yield from _vma_count(outcome)


def _ftruncate(outcome: Outcome) -> Iterator[str]:
    call = outcome.call
    assert isinstance(call, Ftruncate)
    yield say("outcome", "ftruncate", file=call.file, length=call.length)


def _add_seals(outcome: Outcome) -> Iterator[str]:
    call = outcome.call
    assert isinstance(call, AddSeals)
    yield say("outcome", "add_seals", file=call.file, seals=call.seals)


def _brk(outcome: Outcome) -> Iterator[str]:
    call = outcome.call
    assert isinstance(call, Brk)
    before, after = (sum(row.pages for row in rows) for rows in (outcome.before, outcome.after))
    if after > before:
        yield say("outcome", "brk/grown", start=page_align(call.addr) - (after - before) * PAGE, end=call.addr)
    else:
        yield say("outcome", f"brk/{'shrunk' if after < before else 'same'}", end=call.addr)
    yield from _vma_count(outcome)


def grown(outcome: Outcome) -> list[tuple[Row, int]]:
    """The stacks that an access has let grow, as they are then, and by how many bytes.  O(VMAs)."""
    found = []
    for row in outcome.after:
        was = outcome.before.at(row.end - PAGE)
        if was is not None and row.start < was.start:
            found.append((row, was.start - row.start))
    return found


def _touch(outcome: Outcome) -> Iterator[str]:
    call = outcome.call
    assert isinstance(call, Touch)
    length = page_align(call.length)
    yield say("outcome", "touched", length=length, start=call.addr)
    yield from (say("outcome", "stack_grew", length=length, vma=row) for row, length in grown(outcome))
    first = 0
    for area in inside(outcome.after, call.addr, call.addr + length):
        was = outcome.before.at(area.row.end - PAGE)
        first += area.row.anon_vma is not None and was is not None and was.anon_vma is None
    if first:
        yield say("outcome", "first_write", count=first)


def _read(outcome: Outcome) -> Iterator[str]:
    call = outcome.call
    assert isinstance(call, Read)
    yield say("outcome", "read", length=page_align(call.length), start=call.addr)
    yield from (say("outcome", "stack_grew", length=length, vma=row) for row, length in grown(outcome))
    values = outcome.values or ()
    if 0 < len(values) <= SHOWN_VALUES:
        yield say("outcome", "value" if len(values) == 1 else "values", values=values)


def _fork(outcome: Outcome) -> Iterator[str]:
    key = "forked" if isinstance(outcome.call, ForkChild) else "fork_parent"
    yield _as_clause(say("step", key, count=len(outcome.after) + outcome.beyond))


def _limit(outcome: Outcome) -> Iterator[str]:
    call = outcome.call
    assert isinstance(call, Limit)
    yield _as_clause(say("step", f"limit_set/{call.resource}", headroom=call.headroom))


def _as_clause(sentence: str) -> str:
    """A sentence of a step, for where a sentence has no full stop."""
    return sentence.removesuffix(word("glue", "stop"))


_SUCCESS: dict[type[Call], Callable[[Outcome], Iterator[str]]] = {
    Mremap: _mremap, Mmap: _mmap, Munmap: _munmap, Mprotect: _ranged, Madvise: _ranged, Mlock: _ranged,
    UffdCopy: _ranged, UffdUnregister: _ranged, UffdZeropage: _ranged, Ftruncate: _ftruncate,
    UffdWriteprotect: _ranged, AddSeals: _add_seals,
    Brk: _brk, Mlock2: _ranged, Mlockall: _all, Munlockall: _all,
    Munlock: _ranged, Mseal: _ranged, Uffd: _ranged, Touch: _touch, Read: _read, Fork: _fork, ForkChild: _fork,
    Limit: _limit,
}  # fmt: skip
