"""The questions of lesson 01."""

from __future__ import annotations

from typing import Any

from vmalab.teach.procfs import recorded_process
from vmalab.teach.questions.question import Choice, MultipleChoice
from vmalab.teach.questions.ran import Ran, on

LOWER, UPPER = "7f6922999000", "7f69229ec000"


def _libc() -> dict[str, Any]:
    process = recorded_process()
    return {
        "codes": [set(process.smaps(start).codes) for start in (LOWER, UPPER)],
        "alike": on("6.17", "mmap(0, 2, r) mmap(2, 2, r)")(),
        "ours": on("6.17", "mmap(0, 2, rw) touch(0, 1) mprotect(0, 2, r) mmap(2, 2, r)")(),
    }


def _joining() -> tuple[int, int]:
    first = on("6.17", "mmap(0, 6) mprotect(2, 2, r) mprotect(4, 1, r)")()
    then = on("6.17", "mmap(0, 6) mprotect(2, 2, r) mprotect(4, 1, r) mprotect(2, 3, rw)")()
    return first.count, then.count


def _pairs() -> list[int]:
    """How many VMAs each pair comes to, in the order of the choices."""
    return [on("6.17", program)().count for program in (
        "mmap(0, 2, rw) mmap(2, 2, rw)", "mmap(0, 2, rw) mmap(2, 2, r)", "mmap(0, 2, rw) mlock(0, 2) mmap(2, 2, rw)",
        "mmap(0, 2, rw, shared) mmap(2, 2, rw, shared)", "mmap(0, 2, r, file f) mmap(2, 2, r, file f from page 2)",
    )]  # fmt: skip


def _written() -> dict[str, Ran]:
    return {
        "written": on("6.17", "mmap(0, 2) touch(0, 1) mprotect(0, 2, r) mmap(2, 2, r)")(),
        "unwritten": on("6.17", "mmap(0, 2) mprotect(0, 2, r) mmap(2, 2, r)")(),
        "pages": on("6.17", "mmap(0, 2) touch(0, 1) mmap(2, 2)")(),  # one has pages and an anon_vma, the other has none
    }


def _there() -> tuple[Ran, Ran]:
    program = "mmap(2, 1, r, sharedfile canary) mmap(1, 3)"
    return on("6.17", program)(), on("6.17", program + " mmap(1, 3, r, noreplace)")()


def _gap() -> tuple[Ran, Ran]:
    program = "mmap(0, 2) mmap(4, 2) mprotect(0, 6, r)"
    return on("6.17", program)(), on("6.17", program + " munmap(0, 20) munmap(0, 20)")()


FULL = "mmap(0, 6) limit(map_count, 0)"

QUESTIONS = (
    MultipleChoice(
        "01-libc",
        f"Two lines of the C library stand side by side. They start at `{LOWER}` and `{UPPER}`, both are `r--p`, and the file offset "
        "continues: `0017c000` and 0x53000 bytes make `001cf000`. Why are they two lines?",
        (
            Choice("For the kernel each `mmap` call is a line, for ever.", "Section 4 shows that ranges that are alike in everything become one.",
                   lambda seen: seen["alike"].count == 2),
            Choice("They differ in something that `maps` does not print.",
                   "The second one has the flag `ac`, and the first has not. It was writable when the loader relocated pointers in it, so its pages count as "
                   "committed memory, and it kept the flag although it was made read-only afterwards. Its pages have been written, too: they are `Anonymous` now.",
                   lambda seen: seen["codes"][0] != seen["codes"][1]),
            Choice("It is a quirk of the C library.", "Any program may bring this about. You will do it in exercise 1.4.",
                   lambda seen: seen["ours"].count == 1),
        ),
        "b",
        _libc,
    ),
    MultipleChoice(
        "01-present",
        "We write to the second page of A, and read the third one. How many pages are present afterwards, and which of the three VMAs has an `anon_vma`?",
        (
            Choice("two pages; A has one", "A page comes when it is first used. Page 1 got one of its own; page 2 was only read, and got the page of zeros "
                   "that all processes share. The first **write** to private memory gives the VMA an `anon_vma`.",
                   lambda ran: _present(ran) == (2, [0])),
            Choice("one page; A has one", "That would be so if reading brought nothing in.", lambda ran: _present(ran) == (1, [0])),
            Choice("four pages; all have one", "A VMA has no page as long as nobody touches it, and B and C were not touched.",
                   lambda ran: _present(ran) == (4, [0, 1, 2])),
        ),
        "a",
        on("6.17", "mmap(0, 4) mmap(4, 2, rx, file program from page 1) mmap(16, 2, rw, shared) touch(1, 1) read(2, 1)"),
    ),
    MultipleChoice(
        "01-joining",
        "First `mprotect` makes page 4 read-only. How many VMAs are there then? And how many after pages 2 to 4 have been made writable again?",
        (
            Choice("4, then 4: what was cut stays cut", "Neighbours that are alike are merged each time a call changes or makes one of them.",
                   lambda counts: counts == (4, 4)),
            Choice("3, then 1", "Page 4 leaves the VMA on its right and joins the one on its left: only a boundary moves, and nothing new is made. Then the "
                   "middle becomes equal to both its neighbours, and all three are one.", lambda counts: counts == (3, 1)),
            Choice("4, then 2", "That would be merging on one side only. The kernel looks at both.", lambda counts: counts == (4, 2)),
        ),
        "b",
        _joining,
    ),
    MultipleChoice(
        "01-pairs",
        "Apply the five rules. Which of these pairs become one VMA?",
        (
            Choice("two identical anonymous mappings", "All five rules hold.", lambda counts: counts[0] == 1),
            Choice("`rw` beside `r`", "`vm_flags` differ.", lambda counts: counts[1] == 1),
            Choice("a locked one beside one that is not", "So do these: `lo` is one of the flags.", lambda counts: counts[2] == 1),
            Choice("two shared anonymous mappings", "Each has an object of its own behind it, a file without a name.", lambda counts: counts[3] == 1),
            Choice("one file, with offsets that continue", "The same open file, and `vm_pgoff` goes on where the first one ends.", lambda counts: counts[4] == 1),
        ),
        "ae",
        _pairs,
        several=True,
    ),
    MultipleChoice(
        "01-committed",
        "Look at the last two lines. Both times memory that was mapped `rw` is made read-only, and stands beside memory that was read-only from the start. Why "
        "does it matter whether it was written before?",
        (
            Choice("Written pages have to be kept apart from unwritten ones.", "Pages don't matter to a merge. Any VMA may have some pages present and others not.",
                   lambda seen: seen["pages"].count == 2),
            Choice("Written memory counts as committed, and a flag says so.",
                   "Private writable memory carries `ac` (`VM_ACCOUNT`): its pages count towards what the system has promised. Made read-only before anything "
                   "was written, the VMA gives that back; with pages of its own it can't. One flag differs, so they stay two. This is the pair from the C "
                   "library in section 1.",
                   lambda seen: seen["unwritten"].count == 1 and seen["written"].count == 2
                   and seen["written"].rows[0].flags != seen["written"].rows[1].flags),
            Choice("The `anon_vma` of the one does not fit the other.",
                   "An unwritten VMA has no `anon_vma`, and that fits to any. Lesson 03 has the details, and the exceptions.",
                   lambda seen: seen["pages"].count == 2),
        ),
        "b",
        _written,
    ),
    MultipleChoice(
        "01-replaced",
        "At page 2 a file called `canary` is mapped. Two calls want pages 1 to 3: the first with `MAP_FIXED`, the second one with `MAP_FIXED_NOREPLACE`. What do they do?",
        (
            Choice("The first one fails, since something is mapped there; the second one takes another place.",
                   "An address *without* `MAP_FIXED` is a hint: if the range is not free, the kernel takes another place. With it, nobody is asked.",
                   lambda seen: seen[0].errno is not None),
            Choice("The first one replaces the canary; the second one fails.",
                   "`MAP_FIXED` means *exactly here, whatever is there*: it unmaps first. Programs that are not sure what lies at an address use "
                   "`MAP_FIXED_NOREPLACE` (since Linux 4.17), which fails with `EEXIST`.",
                   lambda seen: seen[0].errno is None and seen[0].at(2) == "anon" and seen[1].errno == "EEXIST"),
            Choice("Both map around the canary.", "A mapping has one range, and `mmap` never leaves holes in it.",
                   lambda seen: seen[0].at(2) == "canary" and seen[1].errno is None),
        ),
        "b",
        _there,
    ),
    MultipleChoice(
        "01-halfway",
        "Two VMAs, on pages 0 and 1 and on pages 4 and 5. `mprotect` is asked to make pages 0 to 5 read-only, gap and all. Then `munmap` is asked to remove pages "
        "0 to 19, twice. What do the calls return, and what have they changed?",
        (
            Choice("All succeed; a gap is nothing, and nothing is to be done there.", "So `munmap` sees it. `mprotect` is asked for protection where there is nothing to protect, and says so.",
                   lambda seen: seen[0].errno is None and seen[1].errno is None),
            Choice("All fail with `ENOMEM` and change nothing.", "A failed call may have changed something, and `munmap` takes away what there is: gaps don't trouble it.",
                   lambda seen: seen[0].errno == "ENOMEM" and seen[1].errno == "ENOMEM"),
            Choice("`mprotect` fails and has changed the first VMA; `munmap` succeeds.",
                   "`mprotect` goes from VMA to VMA, and fails when it comes to the gap. By then the first VMA is read-only, and nobody makes it writable again. "
                   "`munmap` succeeds even for a range with nothing in it.",
                   lambda seen: seen[0].errno == "ENOMEM" and seen[0].row(0).perms[:2] == "r-" and seen[0].row(4).perms[:2] == "rw"
                   and seen[1].errno is None and not seen[1].count),
        ),
        "c",
        _gap,
        "After a failure a program can't rely on either state. This will come back: `mremap` over several VMAs works, and fails, in the same way (lessons 04 and 05).",
    ),
    MultipleChoice(
        "01-full",
        "A process has as many VMAs as it may. One of them has six pages. Which calls still work?",
        (
            Choice("`munmap` of one of its pages in the middle", "A hole in the middle makes two VMAs of one, and there is no room for another one. So giving memory back can fail for want of memory.",
                   lambda seen: seen["munmap(2, 1)"].errno is None),
            Choice("`munmap` of its last page", "Cutting off an end makes no VMA.", lambda seen: seen["munmap(5, 1)"].errno is None),
            Choice("`mmap` of one more page somewhere else", "It works, once: `mmap` only refuses when the limit has been passed already, so it makes one too many.",
                   lambda seen: seen["mmap(20, 1, r)"].errno is None),
        ),
        "bc",
        lambda: {call: on("6.17", f"{FULL} {call}")() for call in ("munmap(2, 1)", "munmap(5, 1)", "mmap(20, 1, r)")},
        "Programs meet this limit with garbage collectors that protect single pages, with many threads, with memory-mapped databases. Each of the many small cuts looked harmless.",
        several=True,
    ),
)  # fmt: skip


def _present(ran: Ran) -> tuple[int, list[int]]:
    """How many pages are present, and which VMAs have an anon_vma."""
    rows = ran.rows
    return sum(len(row.contents()) for row in rows), [at for at, row in enumerate(rows) if row.anon_vma is not None]
