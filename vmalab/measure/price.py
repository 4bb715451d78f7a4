"""What one move would cost: the entries that it touches, counted by the model, and a time by the fitted cost model."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import attrs
from attrs import frozen

from vmalab.addr import PAGE, PMD_SIZE, PUD_SIZE
from vmalab.call import Call, Mmap, Mremap, Touch
from vmalab.errors import UsageError
from vmalab.flags import PROT_READ, PROT_WRITE
from vmalab.measure import recorded
from vmalab.measure.costs import TERMS, WORDS, CostModel, fit
from vmalab.measure.plan import FIXED, SOURCE, TARGET, Case, Entries

MOST_PAGES = 2 * PUD_SIZE // PAGE
PRESENT: Mapping[str, str] = {
    "all": "every page",
    "sparse": "one page in each 2 MiB",
    "none": "no page",
}
"""What is present of the source."""


@frozen
class Price:
    """A move and what it costs.

    `pages` moves from `source` pages behind a 1 GiB boundary to `target` pages behind another one; `ns` nanoseconds by
    the cost model `costs`.
    """

    pages: int
    source: int
    target: int
    present: str
    entries: Entries
    costs: CostModel

    @property
    def ns(self) -> float:
        """Nanoseconds, predicted."""
        return self.costs.predict(self.entries)

    def shares(self) -> list[tuple[str, int, float]]:
        """Each term that plays a part: its name, how many, and nanoseconds for all of them."""
        counted: dict[str, int] = attrs.asdict(self.entries)
        return [(term, counted[term], counted[term] * self.costs.cost[term]) for term in TERMS if counted[term]]

    def words(self) -> str:
        """What the picture shows."""
        parts = "; ".join(f"{count} times {WORDS[term]}, {duration(ns)}" for term, count, ns in self.shares())
        return (
            f"Moving {self.pages} pages ({PRESENT[self.present]} present) takes about {duration(self.ns)}: {parts}. "
            f"{self.why()}"
        )

    def why(self) -> str:
        """Which level the kernel can move at, and why."""
        apart = (self.target - self.source) * PAGE
        if not self.entries.pte + self.entries.pmd + self.entries.pud:
            return "Nothing is present, so there is nothing to move but the VMA."
        if apart % PMD_SIZE:
            return "Source and destination lie differently within their 2 MiB, so each present page's PTE moves alone."
        if not self.entries.pmd and not self.entries.pud:
            return "Both lie alike within their 2 MiB, but no whole 2 MiB is in the range."
        if apart % PUD_SIZE or not self.entries.pud:
            return "Both lie alike within their 2 MiB, so whole tables of 512 PTEs move with the one entry above them."
        return "Both lie alike within their 1 GiB, so whole tables of PMD entries move with the one entry above them."


def price(pages: int, source: int = 0, target: int = 0, present: str = "all", costs: CostModel | None = None) -> Price:
    """What moving `pages` pages costs; `source` and `target`: pages behind a 1 GiB boundary.

    O(1), sparse O(2 MiB blocks).  Raises UsageError for a number that is out of range.
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
    start, length = SOURCE + source * PAGE, pages * PAGE
    setup: list[Call] = [Mmap(start, length, PROT_READ | PROT_WRITE)]
    if present != "none":
        setup.append(Touch(start, length))
    there = [Mremap(start, length, length, FIXED, TARGET + target * PAGE)]
    case = Case(
        "price", "price", present, pages, "pages", setup, there, stride=PMD_SIZE if present == "sparse" else PAGE
    )
    assert case.entries is not None
    return Price(pages, source, target, present, case.entries, costs or recorded_costs())


@cache
def recorded_costs() -> CostModel:
    """The cost model fitted to the measurements that come with vmalab."""
    return fit(recorded())


def duration(ns: float) -> str:
    """Nanoseconds for a person: `850 ns`, `12.3 us`, `4.56 ms`."""
    for unit, name in ((1e6, "ms"), (1e3, "us")):
        if ns >= unit:
            return f"{ns / unit:.3g} {name}"
    return f"{ns:.0f} ns"
