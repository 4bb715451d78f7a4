"""Why two VMAs that touch are not one, and which VMAs show the same memory: worked out from the rows alone.

What a machine does not tell (vm_pgoff and anon_vma are the model's) is not guessed.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from attrs import evolve, frozen

from vmalab.linux.addr import ARENA_BASE, PAGE_SHIFT
from vmalab.machines.outcome import Row
from vmalab.pictures.badges import BADGES
from vmalab.pictures.scale import Scale

FLAGS = {
    **BADGES, "ac": "VM_ACCOUNT", "nr": "VM_NORESERVE", "dd": "VM_DONTDUMP", "rr": "VM_RAND_READ", "sr": "VM_SEQ_READ",
    "sh": "VM_SHARED", "uw": "userfaultfd",
}  # fmt: skip
"""Two letters of VmFlags by which VMAs can differ → name."""

ARENA_PAGE = ARENA_BASE >> PAGE_SHIFT


LEVELS = 3
"""What is said at seams that stand close together is written at so many levels."""

FAR = 1 << 20


@frozen
class Seam:
    """Where two VMAs touch, at byte `at`, pixel `x`: `reasons` keep them apart; `names`: what they are called.

    `room`: pixels of the narrower of the two; `number`: counted from the left, for what is written at several levels;
    `apart`: pixels to the nearest seam that is written at the same level.
    """

    at: int
    x: int
    room: int
    number: int
    names: tuple[str, str]
    reasons: tuple[str, ...]
    apart: int = FAR

    def words(self) -> str:
        """`A and B: rw-p ≠ r--p`."""
        return f"{self.names[0]} and {self.names[1]}: {'; '.join(self.reasons)}"


@frozen
class Tie:
    """Two VMAs through which some of the same memory is seen: places in the band, their pixels, and it in words."""

    one: int
    other: int
    x: int
    to: int
    words: str


def seams_of(
    rows: Sequence[Row], names: Sequence[str], scale: Scale, known: dict[object, Seam] | None = None
) -> tuple[Seam, ...]:  # fmt: skip
    """Every seam of a band, in order; `known`: those of the frames before.  O(n)."""
    known = {} if known is None else known
    found: list[Seam] = []
    keys: list[tuple[int, int, tuple[str, str]]] = []
    for place, (low, high) in enumerate(pairwise(rows)):
        if low.end == high.start:
            called = names[place], names[place + 1]
            keys.append((id(low), id(high), called))
            seam = known.get(keys[-1])
            if seam is None:
                x = scale.x(high.start)
                room = min(x - scale.x(low.start), scale.x(high.end) - x)
                seam = Seam(high.start, x, room, 0, called, apart(low, high))
            found.append(seam)
    for number, (key, seam) in enumerate(zip(keys, found, strict=True)):
        others = (found[other].x for other in (number - LEVELS, number + LEVELS) if 0 <= other < len(found))
        far = min((abs(x - seam.x) for x in others), default=FAR)
        if (number, far) != (seam.number, seam.apart):  # what stays is the same object, and is drawn once
            found[number] = evolve(seam, number=number, apart=far)
        known[key] = found[number]
    return tuple(found)


def apart(low: Row, high: Row) -> tuple[str, ...]:
    """What keeps two VMAs that touch from being one, from what is known of them.

    Source: can_vma_merge_left(), is_mergeable_vma() and is_mergeable_anon_vma() in mm/vma.c.
    """
    found = []
    if low.perms != high.perms:
        found.append(f"{low.perms} ≠ {high.perms}")
    differ = {code: FLAGS.get(code, code) for code in sorted(set(low.flags) ^ set(high.flags))}
    if low.perms[1] != high.perms[1]:
        differ.pop("ac", None)  # follows from it
    if differ:
        found.append(f"flags: {', '.join(differ.values())}")
    if low.backing != high.backing or low.file is not high.file:
        one, other = low.backing or "anon", high.backing or "anon"
        found.append(f"{one} ≠ {other}" if one != other else f"not the same {one}")
    elif low.vm_pgoff is not None and high.vm_pgoff is not None:
        needed = low.vm_pgoff + low.pages
        if needed != high.vm_pgoff:
            found.append(f"vm_pgoff {_page(needed)} ≠ {_page(high.vm_pgoff)}")
    elif low.pgoff is not None and high.pgoff is not None and low.pgoff + low.pages != high.pgoff:
        found.append(f"offset {low.pgoff + low.pages} ≠ {high.pgoff}")
    if None not in (low.anon_vma, high.anon_vma) and low.anon_vma != high.anon_vma:
        found.append(f"anon_vma {low.anon_vma} ≠ {high.anon_vma}")
    elif low.anon_vma != high.anon_vma and max(len(low.chain), len(high.chain)) > 1:
        found.append("anon_vma inherited")
    if not found:
        found.append("nothing" if low.vm_pgoff is not None else "not told by /proc")
    return tuple(found)


def _page(number: int) -> str:
    """A vm_pgoff as the page of the arena that it is the natural one of, or in hex."""
    return str(number - ARENA_PAGE) if 0 <= number - ARENA_PAGE < 1 << 24 else f"{number:#x}"


def ties_of(rows: Sequence[Row], names: Sequence[str], scale: Scale) -> tuple[Tie, ...]:
    """Each VMA with the next one through which some of the same memory is seen.  O(n + k²) for k of one file."""
    alike: dict[int | str, list[int]] = {}
    for place, row in enumerate(rows):
        if row.perms[3] == "s" and row.pgoff is not None and (row.file is not None or row.backing != "shmem"):
            alike.setdefault(id(row.file) if row.file is not None else row.backing or "", []).append(place)
    found = []
    for places in alike.values():
        for number, one in enumerate(places[:-1]):
            other = next((other for other in places[number + 1 :] if _common(rows[one], rows[other])), None)
            if other is not None:
                low, high = _common(rows[one], rows[other]) or (0, 0)
                x, to = (scale.x(rows[place].start + rows[place].end >> 1) for place in (one, other))
                pages = "page" if high - low == 1 else "pages"
                said = f"{names[one]} and {names[other]} are the same memory ({high - low} {pages})"
                found.append(Tie(one, other, x, to, said))
    return tuple(found)


def _common(one: Row, other: Row) -> tuple[int, int] | None:
    assert one.pgoff is not None
    assert other.pgoff is not None
    low, high = max(one.pgoff, other.pgoff), min(one.pgoff + one.pages, other.pgoff + other.pages)
    return (low, high) if low < high else None
