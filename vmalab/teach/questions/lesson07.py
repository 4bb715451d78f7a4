"""The questions of lesson 07."""

from __future__ import annotations

from vmalab.machines.measure import recorded
from vmalab.machines.measure.costs import recorded_costs
from vmalab.teach.misconceptions.costs import Moved, really_moved
from vmalab.teach.questions.question import Choice, MultipleChoice
from vmalab.teach.questions.ran import Ran, on, on_each

MOVE = "maymove fixed"


def _entries(ran: Ran) -> Moved:
    return really_moved(ran.last)


def _median(variant: str, x: int, group: str) -> float:
    return next(row.median for row in recorded().group(group) if (row.variant, row.x) == (variant, x))


def _within() -> float:
    """The part of the measurements that the cost model comes within 25 % of."""
    model = recorded_costs()
    rows = [row for row in recorded().rows if row.entries is not None]
    return sum(abs(model.residual(row)) <= 0.25 for row in rows) / len(rows)


def _overlap(count: int) -> bool:
    """Whether the middle halves of the samples of one call and of many overlap."""
    one, each = (
        next(row for row in recorded().group("many") if row.x == count and row.variant == variant)
        for variant in ("one call", "a call for each VMA")
    )
    return one.q3 > each.q1


def _off(times: float, low: float, high: float) -> bool:
    return low <= times <= high


QUESTIONS = (
    MultipleChoice(
        "07-entries",
        "A VMA has four pages, and three of them were written. It moves to page 64. How many entries of the lowest level move, those that stand for one page each?",
        (
            Choice("4", "A page that was never used has no entry, so there is nothing to move for it.", lambda ran: _entries(ran) == Moved(4)),
            Choice("3", "A page that was never used has no entry, so there is nothing to move for it.", lambda ran: _entries(ran) == Moved(3)),
            Choice("1: the table as a whole.", "A table stands for 512 pages. This move takes four of them.", lambda ran: _entries(ran) == Moved(0, 1)),
        ),
        "b",
        on("6.18", f"mmap(0, 4) touch(0, 3) mremap(0, 4, 4, {MOVE}, 64)"),
    ),
    MultipleChoice(
        "07-table",
        "512 pages are written, from page 0 on: just what hangs below one PMD entry. They move to page 1024. How many entries move?",
        (
            Choice("512", "So it is where the table does not fit, as in the next question.", lambda ran: _entries(ran) == Moved(512)),
            Choice("1", "Source and destination lie alike within their 2 MiB, so the whole table fits where it goes: the kernel hangs it below another PMD entry.", lambda ran: _entries(ran) == Moved(0, 1)),
            Choice("513", "The entries go along in their table, and nobody touches them.", lambda ran: _entries(ran) == Moved(512, 1)),
        ),
        "b",
        on("6.18", f"mmap(0, 512) touch(0, 512) mremap(0, 512, 512, {MOVE}, 1024)"),
    ),
    MultipleChoice(
        "07-off",
        "And to page 1025?",
        (
            Choice("1, as before", "At the destination the same pages lie in two tables. No table fits.", lambda ran: _entries(ran) == Moved(0, 1)),
            Choice("512", "At the destination the same pages lie in two tables, 511 in the first and one in the second. No table fits, so each PTE moves alone.", lambda ran: _entries(ran) == Moved(512)),
            Choice("511, and 1 for the last page", "That is 512 in all, and said as two: each of them moves alone, whichever table it comes to.", lambda ran: _entries(ran) == Moved(511, 1)),
        ),
        "b",
        on("6.18", f"mmap(0, 512) touch(0, 512) mremap(0, 512, 512, {MOVE}, 1025)"),
    ),
    MultipleChoice(
        "07-behind",
        "Which entries move, on Linux 6.1 and on 6.18?",
        (
            Choice("On both 1 PMD entry for the second table, and 511 PTEs for the first.", "So it was until 6.6.", lambda seen: [_entries(one) for one in seen.values()] == [Moved(511, 1)] * 2),
            Choice("On both 2 PMD entries.", "6.1 moves a table only where it is asked for the whole of it.", lambda seen: [_entries(one) for one in seen.values()] == [Moved(0, 2)] * 2),
            Choice("On 6.1 as in a), on 6.18 as in b).", "Since 6.7 (commit `af8ca1c14906`) the kernel begins at the boundary below, if nothing else is mapped there, neither before the source nor before the destination. The first page of the table has no entry, so it does no harm to move it along.",
                   lambda seen: [_entries(one) for one in seen.values()] == [Moved(511, 1), Moved(0, 2)]),
        ),
        "c",
        on_each(f"mmap(1, 1023) touch(1, 1023) mremap(1, 1023, 1023, {MOVE}, 1025)", "6.1", "6.18"),
    ),
    MultipleChoice(
        "07-measured",
        "128 MiB are moved, all of it written: once to a place that is aligned alike, once to a place that is a page off. How many times longer does the second take?",
        (
            Choice("about 500 times, for 512 entries instead of one", "There are 512 times as many entries. But moving a whole table costs more than moving one PTE, and each call costs some microseconds before the first entry moves.", lambda times: _off(times, 400, 600)),
            Choice("about 13 times", "There are 512 times as many entries, but moving a whole table costs more than moving one PTE, and each call costs some microseconds before the first entry moves. Look at the left side of the chart: up to 16 pages or so the three lines are flat. A small move costs the same, whatever it moves.", lambda times: _off(times, 12, 14)),
            Choice("twice", "So it would be if most of the time went into what both have in common.", lambda times: _off(times, 1, 3)),
        ),
        "b",
        lambda: _median("a page off", 32768, "move") / _median("aligned", 32768, "move"),
    ),
    MultipleChoice(
        "07-together",
        "300 VMAs of one page each. One call takes how much of the time that 300 calls take?",
        (
            Choice("less than 5 %", "So it would be if the calls were what costs. But each VMA still has to be found, copied and cut out.", lambda part: part < 0.05),
            Choice("about a third", "The work for each VMA is a larger part than that.", lambda part: _off(part, 0.25, 0.4)),
            Choice("more than half", "About 57 %. The work for each VMA is by far the larger part, and it remains.", lambda part: part > 0.5),
        ),
        "c",
        lambda: _median("one call", 300, "many") / _median("a call for each VMA", 300, "many"),
    ),
    MultipleChoice(
        "07-grow",
        "A block of 64 MiB doubles. How many times longer does the copy take?",
        (
            Choice("2", "The copy touches every byte twice, and `mremap` touches none.", lambda times: _off(times, 1, 5)),
            Choice("20", "Still too few: the copy does not only copy.", lambda times: _off(times, 10, 50)),
            Choice("200", "Some 50 milliseconds against a quarter of one. The copy does not only copy: each new page must first be allocated by the kernel, in a page fault.", lambda times: _off(times, 150, 300)),
        ),
        "c",
        lambda: _median("copy", 64 << 20, "grow") / _median("mremap", 64 << 20, "grow"),
    ),
    MultipleChoice(
        "07-prices",
        "How well can six prices describe 44 measurements? How many of them come out within 25 %?",
        (
            Choice("nearly all", "40 of them.", lambda part: part > 0.85),
            Choice("half", "That would be a poor model. Six prices are few, but each stands for something that the kernel really does.", lambda part: _off(part, 0.4, 0.6)),
            Choice("a quarter", "That would be a poor model. Six prices are few, but each stands for something that the kernel really does.", lambda part: _off(part, 0.15, 0.35)),
        ),
        "a",
        _within,
        "Now look at the others, and at those that are all off to the same side: they say what is wrong with the idea. *many*, towards the right: with 1000 VMAs the model says far too little. A VMA is dearer where there are many, and a sum can't know that. "
        "*move*, a single PMD entry (512 pages, aligned): measured is more than predicted. A likely cause: for PMD entries, too, the destination needs a table, and none of the six prices stands for that one. "
        "*move*, nothing present: always predicted too high, by up to a fifth. The price of a VMA was fitted to VMAs with pages, and those have more to be done.",
    ),
    MultipleChoice(
        "07-noise",
        "With 1000 VMAs one call took 81 % of the time that 1000 calls took, with 300 VMAs 57 %. So, does one call lose its advantage when there are many?",
        (
            Choice("Yes.", "The two medians say so. Their spread does not.", lambda overlaps: overlaps == (False, False)),
            Choice("That can't be said from these numbers.", "With 300 VMAs the middle halves lie far apart. With 1000 they overlap: half of the samples of one call lie between 6.1 and 8.9 ms, those of the many between 8.3 and 12. What one sees there is mostly noise, on a machine with a load of 2 on two cores. To know, one would need a quiet machine and more samples.",
                   lambda overlaps: overlaps == (False, True)),
        ),
        "b",
        lambda: (_overlap(300), _overlap(1000)),
    ),
)  # fmt: skip
