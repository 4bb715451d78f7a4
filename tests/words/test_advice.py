"""What would have made it work: each suggestion for the cases of the lessons, and that every one really works."""

from __future__ import annotations

import pytest

from tests.tiny_language import Little
from vmalab.errors import ProfileError
from vmalab.linux.addr import PAGE, page
from vmalab.linux.call import Call, Limit, Mmap, Mremap, Munmap
from vmalab.linux.flags import MREMAP_FIXED, MREMAP_MAYMOVE
from vmalab.machines.model import Model
from vmalab.machines.outcome import Outcome
from vmalab.programs import data
from vmalab.programs.scenario import load_scenarios
from vmalab.words.explain import Suggestion, advise

MOVE = MREMAP_MAYMOVE | MREMAP_FIXED


def advice(program: str, release: str = "6.18", **options: bool) -> list[Suggestion]:
    """What is suggested for the last call of `program`."""
    vm = Little(release, **options)
    outcome = vm(program)
    assert outcome is not None
    return advise(vm.model, outcome)


def texts(program: str, release: str = "6.18", **options: bool) -> list[str]:
    """The same, up to the calls."""
    return [str(suggestion).partition(": ")[0] for suggestion in advice(program, release, **options)]


def test_a_range_over_two_vmas_before_6_17() -> None:
    found = advice("map 0-2; map 3-5 r; move 0-5 to 64 !EFAULT", "6.16")
    assert [
        "the same call on Linux 6.17 and later",
        (
            "with 2 calls, one for each VMA: mremap(page 0, 2 pages, 2 pages, MREMAP_MAYMOVE | MREMAP_FIXED, page 64), "
            "then mremap(page 3, 2 pages, 2 pages, MREMAP_MAYMOVE | MREMAP_FIXED, page 67)"
        ),
        (
            "only as far as VMA [0 to 1 rw-p] goes: "
            "mremap(page 0, 2 pages, 2 pages, MREMAP_MAYMOVE | MREMAP_FIXED, page 64)"
        ),
    ] == list(map(str, found))
    assert ["6.17", "", ""] == [suggestion.release for suggestion in found]
    assert [False, False, True] == [suggestion.part for suggestion in found]
    two = (Mremap(page(0), 2 * PAGE, 2 * PAGE, MOVE, page(64)), Mremap(page(3), 2 * PAGE, 2 * PAGE, MOVE, page(67)))
    assert two == found[1].calls


@pytest.mark.parametrize(
    ("release", "program", "said"),
    [
        (
            "6.18",
            "map 0-2; map 2-4 zero; map 4-6; move 0-6 to 64 !EFAULT",
            ["with 3 calls, one for each VMA", "leaving [2 to 3 rw-p /dev/zero] out"],
        ),
        (
            "6.18",
            "map 0-2 zero; map 2-4; move 0-4 to 64 !EFAULT",
            ["with 2 calls, one for each VMA", "leaving [0 to 1 rw-p /dev/zero] out"],
        ),
        (
            "v3",
            "map 0-2 zero; map 2-4; move 0-4 to 64 !EFAULT",
            ["with 2 calls, one for each VMA", "leaving [0 to 1 rw-p /dev/zero] out"],
        ),
        (
            "6.18",
            "map 0-2 zero; move 0-4 to 64 !EFAULT",
            ["without the gap, only as far as VMA [0 to 1 rw-p /dev/zero] goes"],
        ),
        ("6.18", "map 0-4; seal 2; move 0-4 to 64 !EPERM", ["leaving [2 rw-p] out"]),
        ("6.18", "map 0-4; map 64-68; seal 66; move 0-4 to 64 !EPERM", ["at a place that is free"]),
        ("6.18", "map 0-4; resize 0-4 to 6; map 6-8 r; resize 0-6 to 8 !ENOMEM", ["with MREMAP_MAYMOVE"]),
        (
            "6.18",
            "map 0-4; map 6-8 r; resize 0-4 to 8 !ENOMEM",
            ["with MREMAP_MAYMOVE", "growing by no more than 2 pages"],
        ),
        ("6.18", "map 2-4; move 0-4 to 64 !EFAULT", ["starting where something is mapped, at page 2"]),
        (
            "6.18",
            "map 0-2; map 2-4 r; move 0-4 to 64-70 !EFAULT",
            ["growing only the last VMA, [2 to 3 r--p]", "only as far as VMA [0 to 1 rw-p] goes"],
        ),
        (
            "6.18",
            "map 0-2; map 2-4 r; hint 0-4 !EFAULT",
            ["with MREMAP_FIXED", "with 2 calls, one for each VMA", "only as far as VMA [0 to 1 rw-p] goes"],
        ),
        (
            "6.18",
            "map 0-4; move 0-4 to 2 !EINVAL",
            [
                "with two calls, by way of a free place",
                "with the new range just beside the old one",
                "at a place that is free",
            ],
        ),
        ("6.18", "move 0-4 to 64 !EFAULT", ["after mapping something there"]),
        ("6.18", "map 0-2; limit map_count 2; move 0-2 to 64 !ENOMEM", ["with a higher vm.max_map_count"]),
        (
            "6.18",
            "map 0-2; limit as 1; resize 0-2 to 5 !ENOMEM",
            ["with a higher RLIMIT_AS", "growing by no more than 1"],
        ),
        ("6.18", "map 0-2; limit as 1; map 4-7 !ENOMEM", ["with a higher RLIMIT_AS", "with a length that fits"]),
        ("6.18", "map 0-2; map 0 noreplace !EEXIST", ["at a place that is free"]),
        ("6.1", "map 0-2; seal 0-2 !ENOSYS", ["the same call on Linux 6.12 and later"]),
        ("6.12", "map 0-2; advise 0-2 guard_install !EINVAL", ["the same call on Linux 6.16 and later"]),
        ("6.18", "map 0-2; map 3-5; protect 0-5 r !ENOMEM", ["only what is mapped", "after mapping something there"]),
        ("6.18", "map 0-2; lock 0-2; advise 0-2 dontneed !EINVAL", ["after munlock"]),
        ("6.18", "map 0-2 none; lock 0-2 !ENOMEM", ["after mprotect"]),
        ("6.18", "map 0-2 r; touch 0-2 !SEGV", ["after mprotect"]),
        ("6.18", "map 0-2; touch 0-4 !SEGV", ["only where that is allowed", "after mapping something there"]),
        (
            "6.18",
            "map 0-2; advise 1 guard_install; touch 0-2 !SEGV",
            ["after removing the guard markers", "only up to"],
        ),
        ("6.18", "map 0-2; uffd 1; touch 0-2 !UFFD", ["only up to page 1"]),
        ("6.18", "map 0-4 sharedfile f0 @4094; touch 0-4 !BUS", ["only up to page 2"]),
        ("6.18", "map 0-2 none; read 0-2 !SEGV", ["after mprotect"]),
        ("6.18", "map 300; map 600-602 growsdown; touch 550-602 !SEGV", ["after mapping something there"]),
        ("6.18", "map 600-602 growsdown; limit as 1; touch 598 !SEGV", ["with a higher RLIMIT_AS"]),
        ("6.18", "map 3000-3002 growsdown; touch 3 !SEGV", ["after mapping something there"]),
        ("6.18", "map 0-2 file growsdown !EINVAL", ["without MAP_GROWSDOWN"]),
        ("6.18", "map 0-2; seal 0-2; move 0-2 to 64 !EPERM", []),
    ],
)
def test_suggestions(release: str, program: str, said: list[str]) -> None:
    found = texts(program, release)
    assert len(said) == len(found)
    assert [True] * len(said) == [text.startswith(start) for text, start in zip(found, said, strict=True)]


ARGUMENTS = [
    (Mremap(page(0.5), PAGE, PAGE, MOVE, page(64)), "with addresses at the start of a page"),
    (Mremap(page(0), PAGE, PAGE, MOVE, page(64.5)), "with addresses at the start of a page"),
    (Mremap(page(0), PAGE, PAGE, MOVE | 8, page(64)), "without the unknown flags"),
    (Mremap(page(0), PAGE, PAGE, MREMAP_FIXED, page(64)), "with MREMAP_MAYMOVE"),
    (Mremap(page(0), PAGE, 0, 0), "with munmap, if the mapping is to go"),
    (Mremap(page(0), PAGE, 2 * PAGE, MOVE | 4, page(64)), "with the new length equal to the old one"),
    (Mremap(page(0), PAGE, PAGE, MOVE, 1 << 47), "at the highest possible address"),
    (Mremap(page(0), 0, PAGE, MOVE, page(64)), "with the old length equal to the new one"),
    (Mremap(page(0), PAGE, PAGE, MOVE, 0), "at the lowest address that is allowed"),
    (Munmap(page(0.5), PAGE), "with addresses at the start of a page"),
    (Munmap(page(0), 0), "with at least one page"),
    (Munmap(page(0), 1 << 47), "with a length that fits"),
    (Mmap(page(8.5), PAGE), "with addresses at the start of a page"),
]


@pytest.mark.parametrize(("call", "said"), ARGUMENTS)
def test_suggestions_for_arguments(call: Call, said: str) -> None:
    vm = Model("6.18")
    vm.mmap(page(0), 4 * PAGE)
    found = advise(vm, vm.do(call))
    assert said == str(found[0]).partition(": ")[0]


def test_two_changes_where_one_does_not_do() -> None:
    vm = Model("6.18")
    vm.mmap(page(0), 4 * PAGE)
    outcome = vm.mremap(page(0.5), PAGE, PAGE, MREMAP_FIXED, page(64))
    assert (
        "with addresses at the start of a page and with MREMAP_MAYMOVE: "
        "mremap(page 0, 1 page, 1 page, MREMAP_MAYMOVE | MREMAP_FIXED, page 64)" == str(advise(vm, outcome)[0])
    )


def test_an_older_release_may_be_the_answer() -> None:
    """RLIMIT_AS: before 6.17 a fixed growth counted what it replaced (row 7 of the differences)."""
    program = "map 0-2; map 8-12; limit as 0; move 0-2 to 8-12 !ENOMEM"
    found = advice(program)
    assert "the same call on Linux 6.16 and earlier" == str(found[0])
    assert "6.16" == found[0].release
    assert Limit("as", 2) in found[1].calls


def test_the_release_of_a_suggestion_works() -> None:
    calls: list[Call] = [
        Mmap(page(0), 2 * PAGE),
        Mmap(page(3), 2 * PAGE),
        Mremap(page(0), 5 * PAGE, 5 * PAGE, MOVE, page(64)),
    ]
    old = Model("6.12")
    outcome = [old.do(call) for call in calls][-1]
    assert outcome.errno == "EFAULT"
    new = Model(advise(old, outcome)[0].release)
    assert [None] * 3 == [new.do(call).errno for call in calls]


def test_model_and_history_say_the_same() -> None:
    vm = Little("6.16")
    outcome = vm("map 0-2; map 3-5 r; move 0-5 to 64 !EFAULT")
    assert outcome is not None
    known = advise(vm.model, outcome)
    history = list(vm.model.history)
    assert known == advise(history, outcome)
    assert known == advise(history[:-1], outcome)
    vm("map 200; unmap 0-300")
    assert known == advise(vm.model, outcome)


def test_a_call_that_worked_needs_no_advice() -> None:
    assert [] == advice("map 0-2")


def test_live_outcomes_need_a_release() -> None:
    call = Mremap(page(0), PAGE, PAGE, MREMAP_FIXED, page(64))
    outcome = Outcome(call, None, "EINVAL", machine="live")
    with pytest.raises(ProfileError, match="live names no kernel release; give one as release="):
        advise([Mmap(page(0), PAGE)], outcome)
    assert "with MREMAP_MAYMOVE" == str(advise([Mmap(page(0), PAGE)], outcome, release="6.18")[0]).partition(":")[0]


def test_where_model_and_kernel_differ_there_is_no_advice() -> None:
    call = Mremap(page(0), PAGE, PAGE, MREMAP_FIXED, page(64))
    outcome = Outcome(call, None, "EBUSY", machine="recorded:6.18.44")
    assert [] == advise([Mmap(page(0), PAGE)], outcome)


def test_privilege_counts() -> None:
    program = "map 0-2; move 0-2 to 64; lock 64-66; limit memlock 0; resize 64-66 to 68"
    assert "after munlock" == texts(f"{program} !EAGAIN", privileged=False)[0]


# --- everything that was recorded ---


@pytest.mark.parametrize("release", ["6.1", "6.16", "6.18", "7.3", "v3"])
def test_every_suggestion_works(release: str) -> None:
    """Run again by a model of its own: the same past, then the calls; on its release where it names one."""
    checked = 0
    for scenario in load_scenarios(data.folder("recordings") / "scenarios.json.xz")[::25]:
        privileged = not scenario.unprivileged
        vm = Model(release, privileged=privileged)
        for number, call in enumerate(scenario.steps):
            outcome = vm.do(call)
            for suggestion in advise(vm, outcome):
                checked += 1
                again = Model(suggestion.release or release, privileged=privileged)
                for earlier in scenario.steps[:number]:
                    again.do(earlier)
                results = [again.do(one) for one in suggestion.calls or (call,)]
                assert [None] * len(results) == [result.errno for result in results]
                assert str(suggestion) and "{" not in str(suggestion)
    assert checked > 20
