"""How the programs of problems are made, for moves of many VMAs: topics 04 and 05, what they cost (07), the patch and
its releases (08), and kernel bugs (09).  What a shape is, says `vmalab.teach.problems.shapes`.
"""

from __future__ import annotations

from itertools import pairwise

from vmalab.linux.call import Mlock, Mseal, Munlock, Uffd
from vmalab.linux.flags import MREMAP_MAYMOVE
from vmalab.teach.problems.draft import KEEP, Draft, Pages

MOVES = {1: (1, 1), 2: (1, 2), 3: (1, 2), 4: (2, 3), 5: (3, 5)}
"""Level → how many moves of some MiB."""

TABLE = 512
"""Pages that one page of PTEs maps."""


# --- 04: moves of many VMAs ----------------------------------------------------------------------------------


def _pieces(d: Draft, least: int = 2, *, gaps: bool = True) -> list[Pages]:
    """VMAs behind each other, most of them with gaps between."""
    count = least + d.dice.below(1 + d.level // 2)
    prots = [d.dice.pick(("rw", "r", "rw")) for _ in range(count)]
    between = [0] + [d.dice.pick((1, 2, 0, 3) if gaps else (0,)) for _ in prots[1:]]
    for index in range(1, count):
        if not between[index] and prots[index] == prots[index - 1]:
            prots[index] = "r" if prots[index] == "rw" else "rw"
    return d.row_of(prots, between)


def _canary(d: Draft, at: int) -> None:
    d.map(at, d.one("r", "rw"), d.one("sharedfile", "anon"), file="canary", pages=d.dice.between(1, 4))


def many(d: Draft) -> None:
    """Several VMAs with gaps move in one call; where they go, something may lie."""
    spans = _pieces(d)
    start, end = spans[0][0], spans[-1][1]
    if d.dice.chance(0.8):
        holes = [low[1] for low, high in pairwise(spans) if low[1] < high[0]]
        edge = d.dice.pick(holes or [end])
        _canary(d, d.away + edge - start + d.dice.pick((0, 0, 0, -1, 1)))
    d.ask()
    if d.level > 1 and d.dice.chance(0.4):
        start += 1
    if d.level > 1 and d.dice.chance(0.3):
        end -= 1
    if d.dice.chance(0.15):
        end += 2
    goal = d.away + start - spans[0][0]
    d.move((start, end), goal)
    if d.level > 3 and d.dice.chance(0.6):
        d.move((goal, goal + end - start), d.dice.pick((start, d.away + 32)))


def grown(d: Draft) -> None:
    """What may span VMAs and what may not: growing, shrinking, without MREMAP_FIXED, from a gap on."""
    spans = _pieces(d)
    start, end = spans[0][0], spans[-1][1]
    if d.dice.chance(0.5):
        _canary(d, d.away + d.dice.between(0, end - start))
    d.ask()
    for _ in range(1 + d.dice.below(max(1, d.level - 1))):
        how = d.one("grow", "shrink", "inside", "hint", "gap", "move")
        if how == "grow":
            d.move((start, end), d.away, new=end - start + d.dice.between(1, 2))
        elif how == "shrink":
            d.move((start, end), d.away, new=end - start - 1)
        elif how == "inside":
            d.move((start, end), d.away, new=spans[0][1] - start)
        elif how == "hint":
            d.resize((start, end), d.dice.pick((end - start, end - start + 1, 1)), MREMAP_MAYMOVE)
        elif how == "gap":
            d.move((spans[0][1], end), d.away)
        else:
            d.move((start, end), d.away)


# --- 05: where a call ends half-way, and limits --------------------------------------------------------------


def stopped(d: Draft) -> None:
    """One of the VMAs may not take part, or may not be replaced: what has moved by then?"""
    count = 2 + d.dice.below(1 + d.level // 2)
    bad = d.dice.below(count)
    why = d.one("zero", "uffd", "sealed", "target")
    at, spans = d.home, []
    for index in range(count):
        kind = "zero" if index == bad and why == "zero" else "anon"
        span = d.map(at + (d.dice.pick((0, 1, 2)) if index else 0), "rw" if kind == "zero" else d.one("rw", "r"), kind)
        spans.append(span)
        at = span[1]
        if kind == "anon" and d.dice.chance(0.3):
            d.read(span)
    start, end = spans[0][0], spans[-1][1]
    if why == "uffd":
        d.ranged(Uffd, spans[bad])
    elif why == "sealed":
        d.ranged(Mseal, spans[bad])
    elif why == "target":
        at = d.away + spans[bad][0] - start
        d.ranged(Mseal, d.map(at + d.dice.pick((0, 0, spans[bad][1] - spans[bad][0])), "r", pages=1))
    if d.level > 1 and d.dice.chance(0.5):
        d.map(d.away + d.dice.between(1, end - start), "r", "sharedfile", file="canary", pages=1)
    d.ask()
    d.move((start, end), d.away)
    if d.level > 2:
        for span in d.dice.shuffled(spans)[: d.level - 2]:
            d.move(span, d.away + span[0] - start)


def limited(d: Draft) -> None:
    """RLIMIT_AS, RLIMIT_MEMLOCK or the map count stand in the way, or nearly."""
    resource = d.one("as", "memlock", "map_count")
    span = d.map(d.home)
    other = d.map(span[1] + d.dice.between(1, 3), d.one("rw", "r"))
    if resource == "memlock":
        d.ranged(Mlock, span)
    elif d.dice.chance(0.5):
        d.touch(span)
    room = d.dice.between(0, 6 if resource == "map_count" else 3)
    d.limit(resource, room)
    count = span[1] - span[0]
    d.ask()
    for number in range(max(1, d.dice.between(d.level - 1, d.level))):
        goal = d.away + 8 * number
        how = d.one("move", "grow", "keep", "resize", "map", "both")
        if how == "move":
            d.move(span if d.dice.chance(0.5) else d.part(span), goal)
        elif how == "both":
            d.move((span[0], other[1]), goal)
        elif how == "grow":
            d.move(span, goal, new=count + d.dice.between(1, 3))
        elif how == "keep":
            d.move(span, goal, KEEP)
        elif how == "resize":
            d.resize(span, count + d.dice.between(1, 3), d.dice.pick((0, MREMAP_MAYMOVE)))
        else:
            d.map(goal, pages=d.dice.between(1, 3))


def destroyed(d: Draft) -> None:
    """A call that fails, over something: is it there afterwards?  The order of checks and unmapping decides."""
    spans = _pieces(d)
    start, end = spans[0][0], spans[-1][1]
    target = d.map(d.away, d.one("r", "rw"), d.one("sharedfile", "anon"), file="canary")
    if d.dice.chance(0.3):
        d.ranged(Mseal, spans[-1])
    d.ask()
    how = d.one("many", "grow", "past", "odd")
    if how == "many":
        d.move((start, end), target[0])
    elif how == "grow":
        d.move((start, end), target[0] - d.dice.below(2), new=end - start + 1)
    elif how == "past":
        d.move((spans[-1][0], spans[-1][1] + 1), target[0], new=spans[-1][1] + 2 - spans[-1][0])
    else:
        d.move(spans[0], target[0] + 0.5)
    if d.level > 1:
        d.move(spans[0], target[0])
    if d.level > 2:
        d.move(spans[-1], target[1] if d.dice.chance(0.5) else target[0] + 1)


# --- 07: what a move costs -----------------------------------------------------------------------------------


def priced(d: Draft) -> None:
    """Moves of some MiB, alone or with a neighbour, aligned or not: how many entries are moved, and at which level."""
    start = TABLE * (1 + d.home) + d.dice.pick((0, 0, 1, 64, 256))
    span = d.map(start, unit=TABLE, more=d.dice.pick((0, 0, 0, 1, 100, 256)))
    _write(d, span)
    other = d.map(span[1] + d.dice.pick((0, 1, TABLE)), "r", unit=TABLE // 8)
    d.ask()
    for number in range(d.dice.between(*MOVES[d.level])):
        tail = span[0] + TABLE - span[0] % TABLE
        part = d.dice.pick((span, span, (tail, span[1]) if tail < span[1] else span))
        if not number and d.level > 1 and d.dice.chance(0.4):
            part = (span[0], other[1])
        within = part[0] % TABLE
        goal = TABLE * (64 + 16 * number) + d.dice.pick((within, within, 0, 1, 64))
        d.move(part, goal)
        span = (goal, goal + span[1] - part[0])


def _write(d: Draft, span: Pages) -> None:
    """All of it, or some pages here and there, or nothing."""
    how = d.one("all", "all", "some", "some", "front", "none")
    if how == "all":
        d.touch(span)
    elif how == "front":
        d.touch((span[0], span[0] + d.dice.pick((1, 64, TABLE))))
    elif how == "some":
        for _ in range(d.dice.between(1, 3)):
            at = span[0] + TABLE * d.dice.below((span[1] - span[0]) // TABLE) + d.dice.pick((0, 0, 100))
            d.touch((at, min(at + d.dice.pick((1, 2, 64, TABLE)), span[1])))


# --- 09: kernel bugs -----------------------------------------------------------------------------------------


def sealed_late(d: Draft) -> None:
    """Mseal over VMAs some of which are sealed: which become one?"""
    span = d.map(d.home, d.one("rw", "r"))
    d.map(span[1] + d.dice.between(1, 3), "r")
    d.ranged(Mseal, d.inner(span))
    if d.level > 3:
        d.map(d.away, "rw")
    d.ask()
    for _ in range(1 + d.dice.below(d.level)):
        d.ranged(Mseal, span if d.dice.chance(0.7) else d.part(span, 2))


def husk_beside(d: Draft) -> None:
    """What MREMAP_DONTUNMAP leaves behind, and a fresh mapping beside it: one VMA or two?"""
    span = d.map(d.home)
    d.map(d.away - 8, d.one("r", "rw"))
    if d.dice.chance(0.5):
        d.touch(span)
    d.ask()
    d.move(span, d.away, d.dice.pick((KEEP,)))
    for _ in range(1 + d.dice.below(d.level)):
        step = d.one("behind", "there", "touch")
        if step == "behind":
            d.map(span[1], pages=2)
        elif step == "there":
            d.map(d.away + span[1] - span[0], pages=2)
        else:
            d.touch(span)


def forgotten(d: Draft) -> None:
    """A written VMA merges with fresh neighbours, and all moves on: does it remember that it was written?"""
    written = d.map(d.home)
    fresh = d.map(d.away)
    d.touch(written)
    length = written[1] - written[0]
    d.ask()
    d.move(written, fresh[1])
    whole = (fresh[0], fresh[1] + length)
    goal = d.away + 32
    d.move(whole, goal)
    for number in range(d.dice.below(d.level)):
        if d.dice.chance(0.5):
            d.map(goal + whole[1] - whole[0] + number, pages=1)
        else:
            d.move((goal, goal + 1), d.away + 64 + 4 * number)


def leaked(d: Draft) -> None:
    """Locked memory counted by MREMAP_DONTUNMAP: how much may still be locked?"""
    span = d.map(d.home)
    other = d.map(span[1] + 2)
    d.ranged(Mlock, span)
    d.limit("memlock", other[1] - other[0] + d.dice.pick((0, 0, span[1] - span[0])))
    d.ask()
    d.move(span, d.away, KEEP)
    if d.level > 2 and d.dice.chance(0.5):
        d.ranged(Munlock, (d.away, d.away + 1))
    for _ in range(1 + d.dice.below(d.level)):
        d.ranged(Mlock, other if d.dice.chance(0.6) else d.part(other))
    if d.level > 3:
        d.resize(other, other[1] - other[0] + 1, 0)
