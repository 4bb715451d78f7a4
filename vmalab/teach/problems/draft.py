"""A program while it is written: `Draft` puts calls down in pages and knows which of them are asked about.

What makes programs of a topic lives in the shapes; nothing here runs anything.
"""

from __future__ import annotations

from collections.abc import Sequence

from attrs import evolve

from vmalab.linux.addr import PAGE, page
from vmalab.linux.call import Call, Limit, Mlock, Mmap, Mprotect, Mremap, Mseal, Munlock, Munmap, Read, Touch, Uffd
from vmalab.linux.flags import MREMAP_DONTUNMAP, MREMAP_FIXED, MREMAP_MAYMOVE, prot_from_letters
from vmalab.teach.problems.dice import Dice, Slot

MOVE = MREMAP_MAYMOVE | MREMAP_FIXED
KEEP = MOVE | MREMAP_DONTUNMAP
FAR = (64, 80, 96, 100, 128, 160, 200)
"""Pages that things are moved to."""

Pages = tuple[int, int]
"""First page, page after the last."""


class Draft:
    """A program being written: places and lengths in pages of the arena.

    `level`: how hard it is meant to be.  `asked`: how many calls at the end are asked about.
    """

    def __init__(self, dice: Dice, slot: Slot, level: int) -> None:
        self.dice, self.level = dice, level
        self.home, self.away = slot.home, dice.pick(FAR)
        self.calls: list[Call] = []
        self._lengths = [slot.first, slot.second]
        self._setup: int | None = None
        self._writes = 0

    @property
    def asked(self) -> int:
        """How many calls are asked about."""
        return len(self.calls) - (self._setup or 0)

    def ask(self) -> None:
        """What comes from here on is asked about."""
        self._setup = len(self.calls)

    # --- choices ---

    def one(self, *things: str) -> str:
        """One of some words."""
        return self.dice.pick(things)

    def part(self, span: Pages, least: int = 1) -> Pages:
        """A part of a range, at least `least` pages long and not the whole if it can be less."""
        start, end = span
        count = self.dice.between(least, max(least, end - start - 1))
        first = start + self.dice.below(end - start - count + 1)
        return first, first + count

    def inner(self, span: Pages) -> Pages:
        """A part of a range that touches neither of its ends, if the range has three pages or more."""
        return self.part((span[0] + 1, span[1] - 1)) if span[1] - span[0] > 3 else (span[0] + 1, span[0] + 2)

    # --- calls ---

    def map(
        self, at: int, prot: str = "rw", kind: str = "anon", *, file: str = "f0", pages: int = 0, unit: int = 1,
        more: int = 0,
    ) -> Pages:  # fmt: skip
        """An mmap of the next length (those of the slot first, `pages` or a small one then); where it lies.

        The length is counted in `unit` pages; `more`, less than a unit, comes on top.
        """
        count = (self._lengths.pop(0) if self._lengths else pages or self.dice.between(1, 4)) * unit + more
        call = Mmap(page(at), count * PAGE, prot_from_letters(prot), kind)
        self.calls.append(evolve(call, file=file) if kind.endswith("file") else call)
        return at, at + count

    def over(self, span: Pages, prot: str, *, noreplace: bool = False) -> None:
        """An mmap over what is there."""
        start, end = span
        self.calls.append(Mmap(page(start), (end - start) * PAGE, prot_from_letters(prot), noreplace=noreplace))

    def touch(self, span: Pages) -> None:
        """Writes, each with a value of its own."""
        self._writes += 1
        self.calls.append(Touch(page(span[0]), (span[1] - span[0]) * PAGE, self._writes))

    def read(self, span: Pages) -> None:
        """Reads."""
        self.calls.append(Read(page(span[0]), (span[1] - span[0]) * PAGE))

    def unmap(self, span: Pages) -> None:
        """Munmap."""
        self.calls.append(Munmap(page(span[0]), (span[1] - span[0]) * PAGE))

    def protect(self, span: Pages, prot: str) -> None:
        """Mprotect."""
        self.calls.append(Mprotect(page(span[0]), (span[1] - span[0]) * PAGE, prot_from_letters(prot)))

    def ranged(self, kind: type[Mlock | Munlock | Mseal | Uffd], span: Pages) -> None:
        """A call that takes nothing but a range."""
        self.calls.append(kind(page(span[0]), (span[1] - span[0]) * PAGE))

    def limit(self, resource: str, headroom: int) -> None:
        """A limit a little above what is in use."""
        self.calls.append(Limit(resource, headroom))

    def move(self, span: Pages, to: float, flags: int = MOVE, new: int = 0) -> None:
        """Mremap of a range to page `to`; `new` pages long there, if that is another length."""
        count = span[1] - span[0]
        self.calls.append(Mremap(page(span[0]), count * PAGE, (new or count) * PAGE, flags, page(to)))

    def resize(self, span: Pages, new: int, flags: int) -> None:
        """Mremap without a place."""
        self.calls.append(Mremap(page(span[0]), (span[1] - span[0]) * PAGE, new * PAGE, flags))

    def row_of(self, prots: Sequence[str], gaps: Sequence[int], *, written: float = 0.6) -> list[Pages]:
        """VMAs one behind the other from `home` on, with `gaps` between them; some are written."""
        at, spans = self.home, []
        for prot, gap in zip(prots, gaps, strict=True):
            spans.append(self.map(at + gap, prot))
            at = spans[-1][1]
            if "w" in prot and self.dice.chance(written):
                self.touch(spans[-1])
        return spans
