"""Each misconception acts on its belief, is silent where the belief is no mistake, and is recognised in an answer."""

from __future__ import annotations

from itertools import pairwise

import pytest

from tests.tiny_language import Little, parse
from vmalab.differences.generate import random_scenario
from vmalab.linux.addr import PAGE
from vmalab.linux.profile import profile
from vmalab.machines.outcome import Snapshot
from vmalab.programs.calltext import vma_text
from vmalab.teach.misconceptions import Expectation, case_of, misconceptions, same, suspects, truth_of
from vmalab.teach.misconceptions.layouts import shape

CANARY = "map 0-2; touch 0-2; map 3-5 r; map 65-69 r sharedfile canary"
AWAY = "map 0-9; move 3-6 to 100; touch 100-103"


def drawn(rows: Snapshot) -> str:
    """VMAs as one would write them: `[0 to 1 rw] [3 to 4 r canary]`."""
    return " ".join(vma_text(row.start, row.end, row.perms[:3].replace("-", ""), row.backing or "") for row in rows)


CASES = [
    # belief, release, program, call, errno, VMAs
    ("gaps-close-up", "6.17", CANARY, "move 0-5 to 64", None, "[64 to 65 rw] [66 to 67 r] [68 r canary]"),
    ("gap-unmaps", "6.17", CANARY, "move 0-5 to 64", None, "[64 to 65 rw] [67 to 68 r]"),
    ("one-vma-per-call", "6.17", CANARY, "move 0-5 to 64", "EFAULT", "[0 to 1 rw] [3 to 4 r] [65 to 68 r canary]"),
    ("stops-at-a-gap", "6.17", CANARY, "move 0-5 to 64", None, "[3 to 4 r] [64 to 65 rw] [66 to 68 r canary]"),
    ("growth-spans-too", "6.17", "map 0-2; map 2-4 r", "move 0-4 to 64-70", None, "[64 to 65 rw] [66 to 69 r]"),
    ("failure-changes-nothing", "6.16", CANARY, "move 0-5 to 64", "EFAULT",
     "[0 to 1 rw] [3 to 4 r] [65 to 68 r canary]"),
    ("ineligible-is-skipped", "6.17", "map 0-2; map 2-4 zero; map 4-5 r", "move 0-5 to 64", None,
     "[2 to 3 rw /dev/zero] [64 to 65 rw] [68 r]"),
    ("occupied-is-refused", "6.17", "map 0-4", "map 2-6 r", "EEXIST", "[0 to 3 rw]"),
    ("occupied-is-refused", "6.17", "map 0-2; map 64-66 r", "move 0-2 to 64", "EEXIST", "[0 to 1 rw] [64 to 65 r]"),
    ("contents-are-copied", "6.17", "map 0-4", "move 1-2 to 50", None, "[0 to 3 rw] [50 rw]"),
    ("contents-are-lost", "6.17", "map 0-2; touch 0", "move 0-2 to 50", None, "[50 to 51 rw]"),
    ("source-is-kept", "6.17", "map 0-2; touch 0", "keep 0-2 to 50", None, "[0 to 1 rw] [50 to 51 rw]"),
    ("edges-must-fit", "6.17", "map 0-4", "move 1-2 to 50", "EINVAL", "[0 to 3 rw]"),
    ("neighbours-always-merge", "6.17", AWAY, "move 100-103 to 3", None, "[0 to 8 rw]"),
    ("neighbours-never-merge", "6.17", "map 0-2", "map 2-4", None, "[0 to 1 rw] [2 to 3 rw]"),
    ("whole-vma", "6.17", "map 0-4", "protect 1-2 r", None, "[0 to 3 r]"),
    ("whole-vma", "6.17", "map 0-4; map 6-8", "unmap 2-7", None, ""),
    ("holes-are-refused", "6.17", "map 0-4; map 6-8", "unmap 2-7", "ENOMEM", "[0 to 3 rw] [6 to 7 rw]"),
    ("old-address-on-failure", "6.17", "map 0-2; map 2-4 r", "move 0-4 to 64-70", None, "[0 to 1 rw] [2 to 3 r]"),
    ("order-is-free", "6.17", "map 9-10", "move 0-2 to 1", "EFAULT", "[9 rw]"),
    ("moves-anyway", "6.17", "map 0-2; map 2-3 r", "resize 0-2 to 3", None, None),
    ("grows-over-neighbours", "6.17", "map 0-2; map 2-5 r", "resize 0-2 to 3 maymove", None, "[0 to 2 rw] [3 to 4 r]"),
    ("overlap-is-fine", "6.17", "map 0-4; map 5-6 r", "move 0-4 to 1", None, "[1 to 4 rw] [5 r]"),
    ("addresses-are-rounded", "6.17", "map 0-4", "move 0-4 to 50.5", None, "[50 to 53 rw]"),
    ("dontunmap-resizes", "6.17", "map 0-4; touch 0-4", "keep 0-4 to 50-56", None, "[0 to 3 rw] [50 to 55 rw]"),
    ("moves-know-no-limits", "6.17", "map 0-4; limit as 2", "keep 0-4 to 50", None, "[0 to 3 rw] [50 to 53 rw]"),
    ("seals-bind-rights-only", "6.17", "map 0-4; seal 0-4", "move 0-4 to 50", None, "[50 to 53 rw]"),
    ("holes-are-skipped", "6.17", "map 0-4; map 6-8", "protect 0-8 r", None, "[0 to 3 r] [6 to 7 r]"),
    ("fixed-is-enough", "6.17", "map 0-4", "fixed 0-4 to 50", None, "[50 to 53 rw]"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "release", "before", "call", "errno", "vmas"), CASES)
def test_what_a_believer_expects(name: str, release: str, before: str, call: str, errno: str | None, vmas: str) -> None:
    vm = Little(release, before).model
    made = len(vm.history)
    asked = parse(call)[0]
    expected = misconceptions()[name].expects(vm, asked)
    assert expected is not None
    assert (errno, vmas) == (expected.errno, None if vmas is None else drawn(expected.rows))  # None: somewhere else
    assert made == len(vm.history)
    drawn_differently = shape(expected.rows) != shape(case_of(vm, asked).real.after)
    if errno != case_of(vm, asked).real.errno or drawn_differently:
        found = suspects(vm, asked, errno=expected.errno, rows=expected.rows)
        assert name in [one.name for one in found]


def test_contents_that_a_believer_expects() -> None:
    vm = Little("6.17", "map 0-2; touch 0-2").model
    moved, kept = parse("move 0-2 to 50")[0], parse("keep 0-2 to 50")[0]
    lost = misconceptions()["contents-are-lost"].expects(vm, moved)
    assert [{}] == [row.contents() for row in lost.rows]
    twice = misconceptions()["source-is-kept"].expects(vm, kept)
    assert 2 == len({tuple(row.contents().items()) for row in twice.rows}) or [2, 2] == [
        len(row.contents()) for row in twice.rows
    ]


def test_every_misconception_has_a_case_here_and_its_words() -> None:
    assert set(misconceptions()) == {case[0] for case in CASES}
    for found in misconceptions().values():
        assert found.belief.endswith(".") and found.truth.endswith(".")


def test_a_right_answer_suggests_nothing() -> None:
    vm = Little("6.17", CANARY).model
    call = parse("move 0-5 to 64")[0]
    real = case_of(vm, call).real
    assert [] == suspects(vm, call, errno=real.errno, value=real.value, rows=real.after)
    assert [] == suspects(vm, call)


def test_an_answer_that_nobody_would_give_suggests_nothing() -> None:
    vm = Little("6.17", CANARY).model
    assert [] == suspects(vm, parse("move 0-5 to 64")[0], errno="EXDEV", rows=())


def test_growth_from_a_gap_takes_nobodys_room() -> None:
    vm = Little("6.17", "map 1-3; map 3-5 r").model
    assert misconceptions()["grows-over-neighbours"].expects(vm, parse("resize 0-3 to 4 maymove")[0]) is None


def test_part_of_an_answer_is_enough() -> None:
    vm = Little("6.17", CANARY).model
    call = parse("move 0-5 to 64")[0]
    assert "one-vma-per-call" in [one.name for one in suspects(vm, call, errno="EFAULT")]
    # the errno is right and the drawing is that of a belief, with another mistake in the value
    gone = misconceptions()["gap-unmaps"].expects(vm, call)
    assert ["gap-unmaps"] == [one.name for one in suspects(vm, call, errno=None, value=gone.value, rows=gone.rows)]


def test_no_misconception_ever_says_what_is_right_or_breaks_an_address_space() -> None:
    told = 0
    for release in ("6.1", "6.16", "6.17", "7.3"):
        for number in range(60):
            calls = random_scenario(f"misconceptions {number}").steps
            vm = Little(profile(release), trace=True).model
            for call in calls[:-1]:
                vm.do(call)
            case = case_of(vm, calls[-1])
            for found in misconceptions().values():
                expected = found.expects_in(case)
                if expected is None:
                    continue
                told += 1
                assert not same(expected, truth_of(case))
                rows = expected.rows.rows
                assert all(row.start < row.end for row in rows)
                assert all(a.end <= b.start for a, b in pairwise(rows))
                for row in rows:
                    assert all(row.start <= run.start * PAGE and run.end * PAGE <= row.end for run in row.runs)
    assert told > 100


def test_expectations_are_the_same_by_what_they_say() -> None:
    assert same(Expectation(None, 0, Snapshot()), Expectation(None, 0, Snapshot()))
    assert not same(Expectation(None, 0, Snapshot()), Expectation("EINVAL", 0, Snapshot()))
