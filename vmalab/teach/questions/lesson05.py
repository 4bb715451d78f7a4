"""The questions of lesson 05."""

from __future__ import annotations

from vmalab.machines.model import Model
from vmalab.teach.obstacles import OBSTACLES, arrived
from vmalab.teach.questions.question import Choice, MultipleChoice
from vmalab.teach.questions.ran import on

SEALED = ("A is sealed", "B is sealed", "what lies where B should arrive is sealed")


def _sealed() -> list[bool]:
    """Whether something has moved when the call fails, for each of the three."""
    moved = []
    for obstacle in (one for one in OBSTACLES if one.name in SEALED):
        vm = Model("6.17")
        outcome = [vm.do(call) for call in obstacle.program()][-1]
        moved.append(outcome.errno is not None and bool(arrived(outcome)))
    return moved


QUESTIONS = (
    MultipleChoice(
        "05-seals",
        "Something is sealed with `mseal`. Three programs: the first VMA of the range is sealed; the second is; what lies where the second should arrive is. In which of them has something moved when the call fails?",
        (
            Choice("In none: seals are looked at before the move begins.", "That would need a walk over the whole range before the first move. It would cost time in every call, for the sake of the few that fail.", lambda moved: not any(moved)),
            Choice("In the last two.", "Each row of the table is a program of its own. Three VMAs, A, B and C, are to move, and under each destination lies a canary. *Arrived* says whose contents are at the destination after the call, *gone under* where a canary is gone.",
                   lambda moved: moved == [False, True, True]),
            Choice("Only in the last: a sealed source is found at once.", "That is true of the first VMA only.", lambda moved: moved == [False, False, True]),
        ),
        "b",
        _sealed,
    ),
    MultipleChoice(
        "05-no-room",
        "The copy of A takes the two pages. For the copy of B there is no room: `ENOMEM`. What is at page 67, where B should have arrived?",
        (
            Choice("The canary: B has not arrived, so nothing is replaced.", "That is what happens with the obstacles that are found earlier: a mapping that may not take part, a seal, a range past the end of its VMA.", lambda ran: ran.at(67) == "canary"),
            Choice("Nothing.", "The destination of B was unmapped before the kernel asked whether there is room. It has to be in that order: what is unmapped makes room, and the canary was one page. It was not enough.",
                   lambda ran: ran.errno == "ENOMEM" and ran.at(67) is None),
            Choice("The first page of B.", "B has not arrived: the call says `ENOMEM`.", lambda ran: ran.at(67) == "anon"),
        ),
        "b",
        on("6.17", "mmap(0, 2) touch(0, 2) mmap(3, 2, r) mmap(67, 1, r, sharedfile canary) limit(as, 2) mremap(0, 5, 5, maymove fixed dontunmap, 64)"),
    ),
    MultipleChoice(
        "05-map-count",
        "Five VMAs, and room for seven more. Linux 6.17 wants room for six at the start, and for each VMA it wants four. How many copies does it make?",
        (
            Choice("5", "Five more would fit. But Linux 6.17 wants room for four before each copy, although a copy takes one.", lambda ran: _copies(ran.ranges) == 5),
            Choice("4", "Before the fifth copy there are nine VMAs and room for three. Linux 6.17 wants four: it allows for the worst case. Linux 7.1 counts more exactly, and does all five.",
                   lambda ran: ran.errno == "ENOMEM" and _copies(ran.ranges) == 4),
            Choice("1", "What it wants for a VMA it gives back when that one is done: each copy takes only one.", lambda ran: _copies(ran.ranges) == 1),
        ),
        "b",
        on("6.17", "mmap(0, 2) mmap(3, 2) mmap(6, 2) mmap(9, 2) mmap(12, 2) limit(map_count, 7) mremap(0, 14, 14, maymove fixed dontunmap, 64)"),
    ),
    MultipleChoice(
        "05-back",
        "B is sealed, so the call fails when the second half of A has moved. Can it be moved back?",
        (
            Choice("Yes: it was there before, so there is room.", "Back in its place it would merge with the first half, and there would be one VMA less. But the check at the start looks only at what is there now.", lambda ran: ran.errno is None),
            Choice("No: there is one VMA too many for the check at the start.", "Back in its place it would merge with the first half, and there would be one VMA less. But the check at the start looks only at what is there now. A kernel that tried to put things back would have to give up here, with its half move still undone by half.",
                   lambda ran: ran.errno == "ENOMEM"),
            Choice("No: the seal of B forbids it.", "B is not touched: where A's half comes from, nothing is sealed.", lambda ran: ran.errno == "EPERM"),
        ),
        "b",
        on("6.17", "mmap(0, 4) mmap(5, 1, r) mseal(5, 1) limit(map_count, 6) mremap(2, 4, 4, maymove fixed, 64) mremap(64, 2, 2, maymove fixed, 2)"),
    ),
)  # fmt: skip


def _copies(ranges: list[tuple[int, int]]) -> int:
    return sum(start >= 64 for start, _ in ranges)
