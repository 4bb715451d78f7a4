"""How the programs of problems are made, for calls that stay within one VMA or rework it: topics 01, 02, 03 and 06.

A shape writes one program into a `Draft`: some mappings, then the calls that are asked about.  The level says how much
of everything; what it costs to work the program out is measured afterwards (`vmalab.teach.problems.difficulty`).
Moves of many VMAs and their limits are in `vmalab.teach.problems.shapes_many`.
"""

from __future__ import annotations

from vmalab.linux.flags import MREMAP_DONTUNMAP, MREMAP_FIXED, MREMAP_MAYMOVE
from vmalab.teach.problems.draft import KEEP, MOVE, Draft, Pages

PROTS = ("rw", "rw", "r")
CALLS = {1: (1, 2), 2: (2, 5), 3: (3, 6), 4: (5, 9), 5: (8, 13)}
"""Level → how many small calls; of too many the last ones are left out."""


# --- 01: mmap, munmap, mprotect ------------------------------------------------------------------------------


def carved(d: Draft) -> None:
    """Some VMAs, near each other; calls on parts of them: everything is cut and merged."""
    count = 2 + d.dice.below(1 + d.level // 2) + d.level // 4
    prots = [d.dice.pick(PROTS) for _ in range(count)]
    spans = d.row_of(prots, [0] + [d.dice.pick((0, 0, 1, 2)) for _ in prots[1:]], written=0.25)
    whole = (spans[0][0], spans[-1][1])
    d.ask()
    for _ in range(d.dice.between(*CALLS[d.level])):
        _rework(d, whole)


def undone(d: Draft) -> None:
    """A change and the change back: what was cut merges again."""
    spans = d.row_of(("rw", d.one("rw", "r")), (0, d.dice.pick((0, 1, 2))), written=0.4)
    d.ask()
    for _ in range(d.dice.between(1, 1 + d.level)):
        part = d.part(spans[d.dice.below(2)] if d.level > 2 else spans[0])
        d.protect(part, d.one("r", "", "r") if d.dice.chance(0.9) else "rw")
        if d.dice.chance(0.6):
            d.protect(part, "rw")


def filled(d: Draft) -> None:
    """A hole, and an mmap that fills it, fits it or misses it."""
    left = d.map(d.home, d.one("rw", "r"))
    hole = d.dice.between(1, 3)
    right = d.map(left[1] + hole, d.one("rw", "r"))
    for span in (left, right):
        if d.dice.chance(0.3):
            d.touch(span)
    d.ask()
    for _ in range(d.dice.between(1, 1 + d.level)):
        d.over((left[1] - d.dice.below(2), right[0] + d.dice.below(2)), d.one("rw", "r"),
               noreplace=d.dice.chance(0.2))  # fmt: skip
    for _ in range(d.level):
        _rework(d, (left[0], right[1]))


def _rework(d: Draft, whole: Pages) -> None:
    """One call on a part of `whole`."""
    call = d.dice.weighted({"unmap": 4, "protect": 6, "over": 3, "noreplace": 1, "beside": 2})
    part = d.part(whole)
    if call == "unmap":
        d.unmap((part[0], part[1] + d.dice.pick((0, 0, 2))))
    elif call == "protect":
        d.protect(part, d.one("r", "rw", "rw", ""))
    elif call == "beside":
        d.map(whole[1], d.one("rw", "r"), pages=d.dice.between(1, 3))
    else:
        d.over(part, d.one("r", "rw"), noreplace=call == "noreplace")


# --- 02: mremap of one VMA -----------------------------------------------------------------------------------


def resized(d: Draft) -> None:
    """Growing and shrinking, with a neighbour at some distance behind."""
    prot = d.one("rw", "rw", "r")
    span = d.map(d.home, prot)
    if "w" in prot and d.dice.chance(0.5):
        d.touch(span)
    room = d.dice.between(0, 3)
    d.map(span[1] + room, d.one(prot, "r"), d.one("anon", "anon", "file"), file="lib")
    d.ask()
    for _ in range(d.dice.between(1, max(1, d.level - 1))):
        range_ = span if d.dice.chance(0.7) else d.part(span)
        length = range_[1] - range_[0]
        new = d.dice.pick((length + room, length + room + 1, length + 1, length - 1, 1))
        d.resize(range_, max(new, 1), d.dice.pick((0, 0, MREMAP_MAYMOVE)))


def moved(d: Draft) -> None:
    """One VMA or a part of it moves: to free ground, over something, beside something; some grow or shrink."""
    prot = d.one("rw", "rw", "r")
    span = d.map(d.home, prot)
    if prot == "rw" and d.dice.chance(0.7):
        d.touch(span)
    other = d.map(d.away, d.one("rw", "r", "rw"), d.one("anon", "anon", "sharedfile"), file="canary")
    if d.level > 1 and d.dice.chance(0.5):
        d.map(span[1] + d.dice.pick((0, 1)), d.one("rw", "r"))
    d.ask()
    at = span
    for number in range(d.dice.between(1, max(1, d.level - 1))):
        part = at if d.dice.chance(0.5) else d.part(at)
        count = part[1] - part[0]
        goal = d.dice.pick((other[1], other[0] - count, other[0] + 1, other[0], d.away + 12 + 4 * number))
        new = d.dice.pick((count, count, count, count + 1, max(count - 1, 1)))
        d.move(part, goal, new=new)
        at = (goal, goal + new)


def refused(d: Draft) -> None:
    """Arguments of which one is wrong, or two: which check comes first?"""
    span = d.map(d.home, "rw")
    gap = d.dice.below(2)
    behind = d.map(span[1] + gap, d.one("r", "rw"))
    if d.dice.chance(0.3):
        d.touch(span)
    d.ask()
    bad = ("overlap", "odd", "maymove", "grows", "hole", "nothing", "high", "shrinks_away")
    for _ in range(max(1, d.dice.between(d.level - 2, d.level))):
        _one_wrong(d, d.dice.pick(bad), span, behind)


def _one_wrong(d: Draft, wrong: str, span: Pages, behind: Pages) -> None:
    count, two = span[1] - span[0], behind[1] - span[0]
    source = span if d.dice.chance(0.65) else (behind[1] + 3, behind[1] + 3 + count)
    away = d.away + 8 * d.dice.below(3)
    if wrong == "overlap":
        d.move(source, source[0] + d.dice.between(1, count - 1))
    elif wrong == "odd":
        d.move(source, away + 0.5)
    elif wrong == "maymove":
        d.move(source, away, d.dice.pick((MREMAP_FIXED, MREMAP_DONTUNMAP)))
    elif wrong == "grows":
        d.move((span[0], span[0] + two), away, new=two + 1)
    elif wrong == "hole":
        d.resize((span[0], span[0] + two), two + 1, MREMAP_MAYMOVE)
    elif wrong == "nothing":
        d.move((behind[1] + 2, behind[1] + 2 + count), away)
    elif wrong == "high":
        d.move(source, 2**45)
    else:
        d.move(source, away, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, new=max(count - 1, 1))


# --- 03: anon_vma and vm_pgoff -------------------------------------------------------------------------------


def away_and_back(d: Draft) -> None:
    """A part goes away and comes back; written there or not, it fits or it does not."""
    span = d.map(d.home)
    if d.dice.chance(0.4):
        d.touch(d.part(span))
    d.map(span[1] + d.dice.pick((0, 1)), d.one("rw", "r"))
    part = d.inner(span)
    d.ask()
    for number in range(1 + (d.level > 3)):
        goal = d.away + 16 * number
        d.move(part, goal)
        there = (goal, goal + part[1] - part[0])
        if d.dice.chance(0.55):
            d.touch(there if d.dice.chance(0.5) else d.part(there))
        d.move(there, part[0])


def beside(d: Draft) -> None:
    """VMAs are brought beside each other, fresh ones and written ones: which merge?"""
    first = d.map(d.home)
    if d.dice.chance(0.5):
        d.touch(first)
    other = d.map(d.away)
    if d.dice.chance(0.5):
        d.touch(other)
    spans = [first]
    for _ in range(d.dice.below(d.level)):
        spans.append(d.map(spans[-1][1] + 1))
        if d.dice.chance(0.5):
            d.touch(spans[-1])
    d.ask()
    low, high = other
    for span in d.dice.shuffled(spans)[: max(1, d.level - 1)]:
        part = span if d.dice.chance(0.6) else d.part(span)
        count = part[1] - part[0]
        if d.dice.chance(0.6):
            d.move(part, high)
            high += count
        else:
            d.move(part, low - count)
            low -= count


def mapped_beside(d: Draft) -> None:
    """A fresh mapping beside memory that was written here, or somewhere else, or not at all."""
    span = d.map(d.home)
    away = d.map(d.away)
    how = d.one("here", "away", "fresh", "came", "empty")
    if how in ("here", "away"):
        d.touch(span if how == "here" else away)
    at = span
    if how in ("away", "came", "empty"):
        if how == "came":
            d.touch(away)
        at = (span[1] + 2, span[1] + 2 + away[1] - away[0])
        d.move(away, at[0])
    d.ask()
    for _ in range(d.level):
        if d.dice.chance(0.6):
            count = d.dice.between(1, 3)
            d.map(at[1], pages=count)
            at = (at[0], at[1] + count)
        elif at[0] > 0:
            d.map(at[0] - 1, pages=1)
            at = (at[0] - 1, at[1])


def bridged(d: Draft) -> None:
    """A hole between two VMAs is filled: with a fresh mapping, or with what was moved there."""
    left = d.map(d.home)
    hole = d.dice.between(1, 3)
    right = d.map(left[1] + hole)
    for span in (left, right):
        if d.dice.chance(0.6):
            d.touch(span)
    d.ask()
    if d.level > 2:
        kept = (left[1] - 1, left[1])
        d.move(kept, d.away)
        if d.dice.chance(0.5):
            d.touch((d.away, d.away + 1))
        d.move((d.away, d.away + 1), kept[0])
    d.over((left[1], right[0]), "rw")
    if d.level > 1:
        d.protect(d.part((left[0], right[1])), d.one("r", "rw"))
    if d.level > 3:
        d.protect((left[0], right[1]), "rw")


# --- 06: MREMAP_DONTUNMAP ------------------------------------------------------------------------------------


def left_behind(d: Draft) -> None:
    """MREMAP_DONTUNMAP of a VMA or a part; at higher levels again, or with writes to what stayed."""
    prot = d.one("rw", "rw", "r")
    span = d.map(d.home, prot)
    if prot == "rw" and d.dice.chance(0.75):
        d.touch(span if d.dice.chance(0.6) else d.part(span))
    other = d.map(span[1] + d.dice.pick((0, 2, d.away - span[1])), "rw", d.one("anon", "anon", "sharedfile"))
    if d.dice.chance(0.3):
        d.touch(other)
    d.ask()
    part = span if d.dice.chance(0.5) else d.part(span)
    count = part[1] - part[0]
    goal = d.dice.pick((d.away + 24, d.away + 24, other[1], d.away + 24 - count))
    d.move(part, goal, KEEP)
    for number in range(d.dice.below(d.level)):
        step = d.one("touch", "back", "again", "there", "map")
        if step == "touch":
            d.touch(d.part(part))
        elif step == "back":
            d.move((goal, goal + count), part[0], d.dice.pick((MOVE, KEEP)))
        elif step == "again":
            d.move(part, d.away + 48 + 8 * number, d.dice.pick((MOVE, KEEP)))
        elif step == "there":
            d.touch(d.part((goal, goal + count)))
        else:
            d.map(part[1] if part[1] > span[1] - 1 else goal + count, pages=1)


def left_refused(d: Draft) -> None:
    """MREMAP_DONTUNMAP with something that it does not go with, or with things people think it does not go with."""
    kind = d.one("anon", "anon", "shared", "sharedfile", "zero")
    span = d.map(d.home, "rw", kind)
    if d.dice.chance(0.5):
        d.touch(span)
    other = d.map(span[1] + d.dice.below(2), d.one("rw", "r"))
    count, two = span[1] - span[0], other[1] - span[0]
    d.ask()
    for number in range(max(1, d.dice.between(d.level - 2, d.level))):
        goal = d.away + 8 * number
        wrong = d.one("resize", "maymove", "two", "overlap", "fine", "odd")
        if wrong == "resize":
            d.move(span, goal, KEEP, new=d.dice.pick((count - 1, count + 1)))
        elif wrong == "maymove":
            d.move(span, goal, MREMAP_DONTUNMAP | d.dice.pick((0, MREMAP_FIXED)))
        elif wrong == "two":
            d.move((span[0], span[0] + two), goal, KEEP)
        elif wrong == "overlap":
            d.move(span, span[0] + d.dice.between(1, count - 1), KEEP)
        elif wrong == "odd":
            d.move(span, goal + 0.5, KEEP)
        else:
            d.move(span, goal, KEEP)
