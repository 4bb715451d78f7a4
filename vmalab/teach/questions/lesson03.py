"""The questions of lesson 03."""

from __future__ import annotations

from vmalab.linux.addr import ARENA_BASE, PAGE_SHIFT
from vmalab.machines.model import Model
from vmalab.teach.merges import RETURNS
from vmalab.teach.questions.question import Choice, MultipleChoice
from vmalab.teach.questions.ran import Ran, on, on_each

HOME = ARENA_BASE >> PAGE_SHIFT
"""The index of a page that is first written on page 0."""


def _has(ran: Ran) -> list[int]:
    return [at for at, row in enumerate(ran.rows) if row.anon_vma is not None]


def _forked() -> tuple[int, int]:
    """VMAs in the parent and in the child."""
    parent = on("6.18", "mmap(0, 2) touch(0, 1) fork() mmap(2, 2)")()
    return parent.count, on("6.18", "mmap(0, 2) touch(0, 1) fork_child() mmap(2, 2)")().count


def _returned() -> list[int]:
    """How many VMAs there are after each of the ways home that are asked about."""
    wanted = (0, 2, 4, 6)
    counts = []
    for number in wanted:
        vm = Model("6.18")
        for call in RETURNS[number][1]:
            vm.do(call)
        counts.append(len(vm.snapshot()))
    return counts


QUESTIONS = (
    MultipleChoice(
        "03-written",
        "Three mappings. The first one is read, the second one written, and the third one, which is shared, is written too. Who has an `anon_vma` afterwards?",
        (
            Choice("all three", "Each of the three has a page present now. But that of the first is the common page of zeros, which belongs to nobody.", lambda ran: _has(ran) == [0, 1, 2]),
            Choice("the two that were written", "The page of the third belongs to the shared object: the way back to who maps it goes through that.", lambda ran: _has(ran) == [1, 2]),
            Choice("the second one", "Each of the three has a page present now. That of the first is the common page of zeros, that of the third belongs to the shared object. Only the second one has a private page.",
                   lambda ran: _has(ran) == [1]),
        ),
        "c",
        on("6.18", "mmap(0, 2) mmap(4, 2) mmap(8, 2, rw, shared) read(0, 1) touch(4, 1) touch(8, 1)"),
    ),
    MultipleChoice(
        "03-pgoff",
        "Both VMAs move, A to page 100 (that is 0x64), and B to page 104. What is `vm_pgoff` afterwards?",
        (
            Choice("A has that of page 100, and B that of page 104: it always follows the address.", "B's page remembers its index, and somebody would have to visit every page of a VMA to change it.",
                   lambda ran: _offsets(ran) == [100, 104]),
            Choice("Both keep what they had.", "A has no `anon_vma`, so no page can carry an index, and nothing speaks against a fresh start.", lambda ran: _offsets(ran) == [0, 4]),
            Choice("A has that of page 100, and B keeps what it had.",
                   "B's page has its index, and nobody wants to visit every page of a VMA to change it. So `vm_pgoff` stays, and the formula gives the new address. A has no `anon_vma`, so no page can carry an "
                   "index: it takes the number of the place where it arrives.", lambda ran: _offsets(ran) == [100, 4]),
        ),
        "c",
        on("6.18", "mmap(0, 2) mmap(4, 2) touch(4, 1) mremap(0, 2, 2, maymove fixed, 100) mremap(4, 2, 2, maymove fixed, 104)"),
    ),
    MultipleChoice(
        "03-back",
        "How many VMAs are there in the end?",
        (
            Choice("One: everything is as it was.", "All that `maps` shows is as it was. `vm_pgoff` is not.", lambda ran: ran.count == 1),
            Choice("Three.", "When the middle left it was unfaulted, so it took the `vm_pgoff` of page 100. There it was written, and from then on it keeps that. Back home, page 3 should follow on page 2 with 0x1000003, "
                   "and it has 0x1000064.", lambda ran: ran.count == 3),
            Choice("Two: it merges on one side.", "Its `vm_pgoff` continues neither of its neighbours.", lambda ran: ran.count == 2),
        ),
        "b",
        on("6.18", "mmap(0, 9) mremap(3, 3, 3, maymove fixed, 100) touch(100, 1) mremap(100, 3, 3, maymove fixed, 3)"),
    ),
    MultipleChoice(
        "03-when",
        "Each time pages 3 to 5 go to page 100 and come back. In which of these cases will there be one VMA again?",
        (
            Choice("Nothing is written.", "`vm_pgoff` follows to page 100 and back.", lambda counts: counts[0] == 1),
            Choice("Only page 4, which moves, was written before.", "The VMA had an `anon_vma` when it left, because that belongs to the VMA and not to the page. So it kept its `vm_pgoff`, and that fits at home.",
                   lambda counts: counts[1] == 1),
            Choice("Page 100 is written while they are away.", "This is the case above.", lambda counts: counts[2] == 1),
            Choice("Pages 0 **and** 8 are written while they are away.", "Both sides were written apart from each other and have two different `anon_vma`s. The middle joins its left side, and the right one stays.",
                   lambda counts: counts[3] == 1),
        ),
        "ab",
        _returned,
        "The table below has four cases more. If only one side is written meanwhile, it has an `anon_vma` and the others have none, and that fits together. If both sides are mapped afresh, they merge since Linux 6.16: section 6 is about that.",
        several=True,
    ),
    MultipleChoice(
        "03-shared-anon",
        "Two VMAs lie side by side and differ in their permissions: `rw` and `rwx`. Both are written. Then the second one is made `rw` as well. Do they merge?",
        (
            Choice("Yes.", "The second one took the `anon_vma` of its neighbour when it was written.", lambda ran: ran.count == 1),
            Choice("No: each has an `anon_vma` of its own.", "So it would be if they had not been neighbours when they were written.", lambda ran: ran.count == 2),
        ),
        "a",
        on("6.18", "mmap(0, 4) mprotect(2, 2, rwx) touch(0, 1) touch(2, 1) mprotect(2, 2, rw)"),
    ),
    MultipleChoice(
        "03-between",
        "Two VMAs with a gap of one page between them are written. Then the page between them is mapped. How many VMAs are there?",
        (
            Choice("One: all three touch and are alike.", "They are alike in all that `maps` and `smaps` show. Their `anon_vma`s are two.", lambda ran: ran.count == 1),
            Choice("Two.", "They did not touch when they were written, so each got an `anon_vma` of its own, and a VMA has room for one. The page in the middle has none yet and fits to both; it joins the left one.",
                   lambda ran: ran.ranges == [(0, 3), (3, 5)]),
            Choice("Three.", "The page in the middle was never written. It has no `anon_vma`, and that fits to any.", lambda ran: ran.count == 3),
        ),
        "b",
        on("6.18", "mmap(0, 2) touch(0, 1) mmap(3, 2) touch(3, 1) mmap(2, 1)"),
    ),
    MultipleChoice(
        "03-fork",
        "A written VMA. The process forks, and then maps two pages right behind it. In the child, do they merge? And in the parent?",
        (
            Choice("in both", "In the child the VMA is inherited, and has a chain of two.", lambda counts: counts == (1, 1)),
            Choice("in the parent only", "Nothing that is fresh merges with inherited, written memory. If it did, the pages of the new part would hang on the same long chain, and each search through it would cost more; in programs that "
                   "fork often that was a problem once.", lambda counts: counts == (1, 2)),
            Choice("in neither", "To the parent a `fork` changes nothing: its VMA is linked to its own `anon_vma` and to no other.", lambda counts: counts == (2, 2)),
        ),
        "b",
        _forked,
    ),
    MultipleChoice(
        "03-releases",
        "Memory is written, moves away, and what is mapped beside its old place is fresh. It comes home. On which release does it become one VMA with its neighbour?",
        (
            Choice("on Linux 6.12 and on 6.18", "On 6.12 the unwritten VMA on the left may not take over the `anon_vma` of the one that arrives.", lambda seen: [one.count for one in seen.values()] == [1, 1]),
            Choice("on Linux 6.18 only", "The releases part at `vma_merge_new_range`, called by `copy_vma`: on Linux 6.12 the unwritten VMA on the left may not take over the `anon_vma` of the one that arrives; on Linux 6.18 it may.",
                   lambda seen: [one.count for one in seen.values()] == [2, 1]),
            Choice("on neither", "So it would be for memory that was inherited.", lambda seen: [one.count for one in seen.values()] == [2, 2]),
        ),
        "b",
        on_each("mmap(2, 2) touch(2, 1) mremap(2, 2, 2, maymove fixed, 100) mmap(0, 2) mremap(100, 2, 2, maymove fixed, 2)", "6.12", "6.18"),
    ),
)  # fmt: skip


def _offsets(ran: Ran) -> list[int]:
    """The vm_pgoff of each VMA, as the page of the arena that it stands for."""
    return [(row.vm_pgoff or 0) - HOME for row in ran.rows]
