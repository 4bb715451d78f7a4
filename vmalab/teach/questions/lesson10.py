"""The questions of lesson 10."""

from __future__ import annotations

from itertools import pairwise

from vmalab.teach.programs import traced
from vmalab.teach.questions.question import Choice, MultipleChoice


def _moves() -> list[int]:
    """Which of the growing calls had to move, counted from 0."""
    calls = [one for one in traced("grow").log.calls if one.what.name == "mremap"]
    return [at for at, one in enumerate(calls) if one.answer != one.what.call.addr]  # type: ignore[union-attr]


def _rarer(moved: list[int]) -> bool:
    """Whether each time lies at least as far behind the last one as that behind the one before."""
    apart = [b - a for a, b in pairwise(moved)]
    return apart == sorted(apart)


QUESTIONS = (
    MultipleChoice(
        "10-realloc",
        "The buffer grows 23 times. How often does it have to move?",
        (
            Choice("Each time: the kernel puts mappings right below each other, so that above it there is never room.", "The first time there is none. But a move leaves a hole above the new place.", lambda moved: len(moved) == 23),
            Choice("Never: what grows is always the last mapping.", "The kernel puts a new mapping *below* the last one, so that above it there is no room.", lambda moved: not moved),
            Choice("The first time and then ever more rarely.", "Each move leaves a hole above the new place, as large as the buffer was, and into that hole it grows the next times. When it is full, it moves again; by then the buffer is twice as large. So the moves become rarer as the buffer grows, and no content is copied in any of them.",
                   lambda moved: moved[:1] == [0] and len(moved) < 8 and _rarer(moved)),
        ),
        "c",
        _moves,
        "Where a call returns the address that it was given, nothing has moved. On lines 60, 62, 66 and 74 it is another, and lower, address: there it moves.",
    ),
    MultipleChoice(
        "10-limit",
        "Which limit did it meet?",
        (
            Choice("The memory of the machine.", "The errno is the one for memory, but memory is not what has run out.", lambda said: "out of memory in the machine" in said),
            Choice("`RLIMIT_AS`, the size of its address space.", "Taking the access away from a page leaves the address space as large as it was.", lambda said: "RLIMIT_AS" in said),
            Choice("The number of its VMAs.", "Each page whose protection differs from that of its neighbours is a VMA of its own, and cuts another in two. After 32,753 such calls there are 65,530 VMAs, the default of `vm.max_map_count`.",
                   lambda said: "there are 65530 VMAs where vm.max_map_count is 65530" in said),
        ),
        "c",
        lambda: str(traced("fragments").why(32811)),
        "The last call was refused **in the middle**: it needs two cuts, and the first one stays.",
    ),
    MultipleChoice(
        "10-older",
        "The last call moves a hundred VMAs at once. The log is from Linux 6.18. What does Linux 6.16 answer to this very program?",
        (
            Choice("The same; it is only slower.", "Until Linux 6.16 one call moves one VMA.", lambda said: "EFAULT" not in said),
            Choice("`EFAULT` to the last call, and the same to all others.", "Until Linux 6.16 one call moves one VMA. The single moves are all the same there. This is how to find out beforehand whether a program needs a new kernel: take its calls on one, and ask the model of the other.",
                   lambda said: said.startswith("line 209:") and said.count("EFAULT") == 1),
            Choice("`EFAULT` to all moves.", "The single moves each take one VMA, and that is what 6.16 can do.", lambda said: said.count("EFAULT") > 1),
        ),
        "b",
        lambda: str(traced("moves").on("6.16")),
    ),
)  # fmt: skip
