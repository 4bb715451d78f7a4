"""What to try where an mremap failed."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from attrs import evolve

from vmalab.linux.addr import ARENA_BASE, PAGE, TASK_SIZE, WORD, page_align
from vmalab.linux.call import Call, Mmap, Mremap, Munmap
from vmalab.linux.flags import MREMAP_DONTUNMAP, MREMAP_FIXED, MREMAP_MAYMOVE
from vmalab.words.attempts.base import MANY, Attempt, Maker, Problem
from vmalab.words.summary import Area, inside


def _remap(call: Mremap, start: int, end: int, target: int | None = None) -> Mremap:
    """The part [start, end) of a move that keeps its size, at the same distance from its target."""
    length = end - start
    goal = call.new_addr + start - call.addr if target is None else target
    return evolve(call, addr=start, old_len=length, new_len=length, new_addr=goal & WORD)


def _moves_alike(call: Mremap) -> bool:
    """Whether the call is a move to a named place that keeps its size."""
    return bool(call.flags & MREMAP_FIXED) and page_align(call.old_len) == page_align(call.new_len)


def page_start(problem: Problem) -> Iterator[Attempt]:
    call = problem.call
    changes = {"addr": call.addr & -PAGE}
    if isinstance(call, Mremap):
        changes["new_addr"] = call.new_addr & -PAGE
    elif not isinstance(call, Mmap):
        changes["length"] = page_align(call.length + call.addr % PAGE)
    yield Attempt("page_start", (evolve(call, **changes),))


def known_flags(problem: Problem) -> Iterator[Attempt]:
    known = MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP
    yield Attempt("known_flags", (evolve(problem.call, flags=problem.call.flags & known),))


def maymove(problem: Problem) -> Iterator[Attempt]:
    yield Attempt("maymove", (evolve(problem.call, flags=problem.call.flags | MREMAP_MAYMOVE),))


def at_least_a_page(problem: Problem) -> Iterator[Attempt]:
    call = problem.call
    if isinstance(call, Mremap):
        if call.old_len:
            yield Attempt("munmap_instead", (Munmap(call.addr, call.old_len),))
        yield Attempt("one_page", (evolve(call, new_len=PAGE),), part=True)
    else:
        yield Attempt("one_page", (evolve(call, length=PAGE),))


def equal_lengths(problem: Problem) -> Iterator[Attempt]:
    call = problem.call
    if call.old_len:
        yield Attempt("equal_lengths", (evolve(call, new_len=call.old_len),))
    if call.flags & (MREMAP_FIXED | MREMAP_DONTUNMAP):
        yield Attempt("as_move", (evolve(call, old_len=call.new_len),))


def without_dontunmap(problem: Problem) -> Iterator[Attempt]:
    yield Attempt("without_dontunmap", (evolve(problem.call, flags=problem.call.flags & ~MREMAP_DONTUNMAP),))


def _free_target(problem: Problem, length: int) -> int:
    """The first page of the arena from which on nothing is mapped, nor lies in the old or the new range."""
    top = max((row.end for row in problem.before if row.end <= ARENA_BASE + (1 << 32)), default=ARENA_BASE)
    call = problem.call
    if isinstance(call, Mremap):
        for end in (call.addr + page_align(call.old_len & WORD), call.new_addr + length):
            if top < end <= ARENA_BASE + (1 << 32):
                top = end
    return (top + PAGE - 1) & -PAGE


def two_hops(problem: Problem) -> Iterator[Attempt]:
    call = problem.call
    if _moves_alike(call) and not call.flags & MREMAP_DONTUNMAP and call.new_addr != call.addr:
        free = _free_target(problem, page_align(call.new_len & WORD))
        first = evolve(call, new_addr=free)
        yield Attempt("two_hops", (first, evolve(call, addr=free)))


def other_target(problem: Problem) -> Iterator[Attempt]:
    call = problem.call
    if isinstance(call, Mremap):
        start, old, new = (page_align(number & WORD) for number in (call.addr, call.old_len, call.new_len))
        if problem.rule == "overlap":
            beside = (start + old, start - new) if call.new_addr >= call.addr else (start - new, start + old)
            for target in beside:
                if target >= ARENA_BASE and not inside(problem.before, target, target + new):
                    yield Attempt("beside", (evolve(call, new_addr=target),))
        yield Attempt("other_target", (evolve(call, new_addr=_free_target(problem, new)),))
    elif isinstance(call, Mmap):
        yield Attempt("other_target", (evolve(call, addr=_free_target(problem, call.length)),))


def within_task_size(problem: Problem) -> Iterator[Attempt]:
    call = problem.call
    if not isinstance(call, Mremap | Mmap):
        if call.addr < TASK_SIZE:
            yield Attempt("shorter", (evolve(call, length=TASK_SIZE - (call.addr & -PAGE)),), part=True)
        return
    length = page_align((call.new_len if isinstance(call, Mremap) else call.length) & WORD)
    if 0 < length <= TASK_SIZE:
        highest = TASK_SIZE - length
        changed = evolve(call, new_addr=highest) if isinstance(call, Mremap) else evolve(call, addr=highest)
        yield Attempt("highest", (changed,))
    yield from other_target(problem)


def above_min_addr(problem: Problem) -> Iterator[Attempt]:
    least = problem.values["least"]
    call = problem.call
    changed = evolve(call, new_addr=least) if isinstance(call, Mremap) else evolve(call, addr=least)
    yield Attempt("above_min_addr", (changed,))


def start_mapped(problem: Problem) -> Iterator[Attempt]:
    call, pieces = problem.call, problem.pieces
    if not pieces:
        return
    first = pieces[0]
    if isinstance(call, Mremap) and _moves_alike(call):
        yield Attempt("start_mapped", (_remap(call, first.start, problem.end),), {"start": first.start})
        yield from each_alone(problem)
    elif isinstance(call, Mremap):
        shift = first.start - call.addr
        if call.new_len > shift:
            changed = evolve(call, addr=first.start, old_len=problem.end - first.start, new_len=call.new_len - shift)
            yield Attempt("start_mapped", (changed,), {"start": first.start})


def each_alone(problem: Problem) -> Iterator[Attempt]:
    """One call for each VMA, or for the one there is."""
    call, pieces = problem.call, problem.pieces
    if not isinstance(call, Mremap) or not call.flags & (MREMAP_FIXED | MREMAP_DONTUNMAP):
        return
    if page_align(call.old_len) != page_align(call.new_len) or not 0 < len(pieces) <= MANY:
        return
    if call.flags & MREMAP_FIXED:
        calls = tuple(_remap(call, piece.start, piece.end) for piece in pieces)
    else:
        calls = tuple(_remap(call, piece.start, piece.end, call.new_addr and call.new_addr + piece.start - call.addr)
                      for piece in pieces)  # fmt: skip
    if len(calls) > 1:
        yield Attempt("each_alone", calls, {"count": len(calls)})
    else:
        yield Attempt("no_gap", calls, {"vma": pieces[0].row})


def fixed(problem: Problem) -> Iterator[Attempt]:
    """Name the place, so that several VMAs may move."""
    call = problem.call
    if isinstance(call, Mremap) and call.flags & MREMAP_DONTUNMAP and not call.flags & MREMAP_FIXED:
        target = call.new_addr or _free_target(problem, call.new_len)
        yield Attempt("fixed", (evolve(call, flags=call.flags | MREMAP_FIXED, new_addr=target),))


def to_vma_end(problem: Problem) -> Iterator[Attempt]:
    """Only as much as lies in the first VMA; a growth grows that by as much, or the last VMA instead."""
    call, pieces = problem.call, problem.pieces
    if not isinstance(call, Mremap) or not pieces:
        return
    first, last = pieces[0], pieces[-1]
    growth = call.new_len - call.old_len
    if growth > 0 and len(pieces) > 1:
        changed = evolve(call, addr=last.start, old_len=len(last), new_len=len(last) + growth,
                         new_addr=call.new_addr and call.new_addr + last.start - call.addr)  # fmt: skip
        yield Attempt("grow_last", (changed,), {"vma": last.row}, part=True)
    if first.start == call.addr and first.end < problem.end:
        new_len = len(first) + growth if growth > 0 else min(len(first), call.new_len)
        changed = evolve(call, old_len=len(first), new_len=new_len)
        yield Attempt("to_vma_end", (changed,), {"vma": first.row}, part=True)


def without(bad: Callable[[Problem, Area], bool]) -> Maker:
    """Leave out the VMAs that `bad` names: one call for each stretch between them."""

    def make(problem: Problem) -> Iterator[Attempt]:
        call, pieces = problem.call, problem.pieces
        out = [piece for piece in pieces if bad(problem, piece)]
        kept = _stretches(pieces, out)
        if not out or not kept or len(kept) > MANY:
            return
        if isinstance(call, Mremap):
            if not _moves_alike(call):
                return
            calls: tuple[Call, ...] = tuple(_remap(call, low, high) for low, high in kept)
        else:
            calls = tuple(evolve(call, addr=low, length=high - low) for low, high in kept)
        yield Attempt("without", calls, {"vmas": [piece.row for piece in out]}, part=True)

    return make


def _stretches(pieces: list[Area], out: list[Area]) -> list[tuple[int, int]]:
    """The stretches of addresses from first to last piece between those left out."""
    found: list[tuple[int, int]] = []
    open_ = False
    for piece in pieces:
        if piece in out:
            open_ = False
        elif open_:
            found[-1] = found[-1][0], piece.end
        else:
            found.append((piece.start, piece.end))
            open_ = True
    return found


def named(problem: Problem, piece: Area) -> bool:
    vma = problem.values.get("vma")
    return vma is not None and vma.start <= piece.start < vma.end


def is_sealed(problem: Problem, piece: Area) -> bool:
    return "sl" in piece.row.flags


def is_zero_or_uffd(problem: Problem, piece: Area) -> bool:
    return piece.row.backing == "/dev/zero" or "um" in piece.row.flags


def room_behind(problem: Problem) -> Iterator[Attempt]:
    """Grow only into the room there is, or clear the room first."""
    call, vma = problem.call, problem.values["vma"]
    following = problem.values.get("next")
    if following is None or problem.values["why"] != "occupied":
        return
    room = following.start - vma.end
    if room > 0:
        yield Attempt(
            "only_room", (evolve(call, new_len=page_align(call.old_len) + room),), {"length": room}, part=True
        )
