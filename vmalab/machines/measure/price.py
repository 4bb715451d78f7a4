"""What one move would cost: the entries that it touches, counted by the model, and a time by the fitted cost model.

Numbers only, and no numpy: the fitted costs lie beside the measurements (`costs.py`).  Words: `vmalab.words.costing`.
"""

from __future__ import annotations

from functools import cache, lru_cache

import attrs
from attrs import frozen

from vmalab.errors import UsageError
from vmalab.linux.addr import PAGE, PMD_SIZE, PUD_SIZE
from vmalab.linux.call import Call, Madvise, Mmap, Mremap, Touch
from vmalab.linux.flags import PROT_READ, PROT_WRITE
from vmalab.machines.measure import recorded
from vmalab.machines.measure.costs import TERMS, CostModel, recorded_costs
from vmalab.machines.measure.plan import FIXED, SOURCE, TARGET, Case, Entries
from vmalab.machines.measure.results import Result, Results

MOST_PAGES = 2 * PUD_SIZE // PAGE
PRESENT = ("all", "huge", "sparse", "none")
"""What is present of the source: every page by a PTE of its own, or by huge pages where they fit, one page in each
2 MiB, or none."""


@frozen
class Price:
    """A move and what it costs.

    `pages` move from `source` pages after a 1 GiB boundary to `target` pages after another one.
    """

    pages: int
    source: int
    target: int
    present: str
    entries: Entries
    costs: CostModel

    @property
    def ns(self) -> float:
        """Nanoseconds, predicted by `costs`."""
        return self.costs.predict(self.entries)

    def shares(self) -> list[tuple[str, int, float]]:
        """Each of `TERMS`: its name, how many, and nanoseconds for all of them."""
        counted: dict[str, int] = attrs.asdict(self.entries)
        return [(term, counted[term], counted[term] * self.costs.cost[term]) for term in TERMS]

    @property
    def level(self) -> str:
        """What decides the time: a key of the catalogue's group `cost_why`."""
        apart = (self.target - self.source) * PAGE
        if not self.entries.pte + self.entries.pmd + self.entries.pud:
            return "nothing"
        if self.entries.pud:
            return "pud"
        huge = "huge_" if self.present == "huge" and _holds_huge(self.source, self.pages) else ""
        if self.entries.pmd:
            return huge + ("pmd_rest" if self.entries.pte else "pmd")
        return f"{huge}apart" if apart % PMD_SIZE else "short"

    @property
    def measured(self) -> Result | None:
        """The recorded measurement of a move with the same counts, or None: huge pages were not measured.  O(cases)."""
        if self.present == "huge":
            return None
        moves = (row for group in ("move", "sparse") for row in _results().group(group))
        return next((row for row in moves if row.entries == self.entries), None)


def _holds_huge(source: int, pages: int) -> bool:
    """Whether `pages` pages, `source` pages after a 1 GiB boundary, hold 2 MiB between two boundaries."""
    whole = PMD_SIZE // PAGE
    return -(-source // whole) * whole + whole <= source + pages


def price(pages: int, source: int = 0, target: int = 0, present: str = "all", costs: CostModel | None = None) -> Price:
    """What moving `pages` pages costs; `source` and `target`: pages after a 1 GiB boundary.

    `costs`: those recorded in `data/measurements` if not given.  O(1), sparse O(2 MiB blocks).  Raises UsageError for a
    number that is out of range.
    """
    for name, value, low, high in (
        ("pages", pages, 1, MOST_PAGES),
        ("source", source, 0, PUD_SIZE // PAGE),
        ("target", target, 0, PUD_SIZE // PAGE),
    ):
        if not low <= value <= high:
            raise UsageError(f"{name} is a number of pages from {low} to {high}, not {value}")
    if present not in PRESENT:
        raise UsageError(f"present is one of {', '.join(PRESENT)}, not {present!r}")
    return Price(pages, source, target, present, _count(pages, source, target, present), costs or _costs())


@lru_cache(maxsize=256)
def _count(pages: int, source: int, target: int, present: str) -> Entries:
    """What the model counts for this move."""
    start, length = SOURCE + source * PAGE, pages * PAGE
    setup: list[Call] = [Mmap(start, length, PROT_READ | PROT_WRITE)]
    if present == "huge":
        setup.append(Madvise(start, length, "hugepage"))
    if present != "none":
        setup.append(Touch(start, length))
    there = [Mremap(start, length, length, FIXED, TARGET + target * PAGE)]
    stride = PMD_SIZE if present == "sparse" else PAGE
    entries = Case("price", "price", present, pages, "pages", setup, there, stride=stride).entries
    assert entries is not None
    return entries


@cache
def _costs() -> CostModel:
    return recorded_costs()


@cache
def _results() -> Results:
    return recorded()
