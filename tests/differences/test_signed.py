"""The model's steps against the kernel's own traces: every step of every recorded program, on every traced release."""

from __future__ import annotations

import json
import re
from collections import Counter
from functools import cache

import pytest
from attrs import evolve

from tests.tools import docs_tables
from tests.tools.source_lines import LINES
from vmalab.differences.signed import Report, Signed, report, signed
from vmalab.linux.functions import NOT_THE_KERNELS, PLACES, places
from vmalab.linux.mm.trace import Step
from vmalab.machines.model import Model
from vmalab.machines.outcome import Outcome
from vmalab.machines.traces import Trace, load, releases, trace_of
from vmalab.words.catalogue import TEXTS

TRACED = ("6.1.0", "6.12.107", "6.16.12", "6.17.13", "6.18.15", "7.3.4")


@cache
def held(release: str) -> Report:
    return report(load(release))


def test_these_releases_have_traces():
    assert list(TRACED) == releases()


@pytest.mark.parametrize("release", TRACED)
def test_every_step_of_the_model_is_one_of_the_kernel(release: str):
    found = held(release)
    assert {} == found.problems
    assert found.programs >= 150
    assert found.steps == found.fitting + found.not_traceable
    assert found.fitting > 4000
    assert found.pinned > 250


def test_the_page_has_these_numbers():
    page, _ = docs_tables.BLOCKS["signed"]
    _, found, _ = docs_tables.block("signed", (docs_tables.DOCS / page).read_text(encoding="utf-8"))
    assert docs_tables.signed_rows(held(release) for release in TRACED) + "\n" == found


@pytest.mark.parametrize("release", TRACED)
def test_the_programs_make_calls_of_every_kind(release: str):
    made = Counter(call.name for scenario, _ in load(release).programs for call in scenario.steps)
    wanted = "mmap munmap mprotect madvise mlock munlock mseal mremap touch read uffd fork fork_child".split()
    assert [] == [name for name in wanted if made[name] < 5 and name not in ("fork_child",)]


@pytest.mark.parametrize("release", TRACED)
def test_every_function_of_the_model_has_its_place_in_every_release_that_has_it(release: str):
    # what came with a later release
    later = {
        "6.1.0": {"do_mseal", "remap_move", "madvise_guard_install", "guard_remove_pte_entry"},
        "6.12.107": {"remap_move", "madvise_guard_install", "guard_remove_pte_entry"},
        "6.16.12": {"remap_move"},
    }
    traceable = load(release).traceable
    nowhere = {func for func in TEXTS["file"] if not places(func, "", traceable)} - NOT_THE_KERNELS.keys()
    assert nowhere <= later.get(release, set())


def test_the_lines_of_the_source_are_those_of_what_a_release_cannot_trace():
    found = json.loads(LINES.read_text(encoding="utf-8"))
    assert {"6.1.176", "6.12.107", "7.3.4"} == set(found)
    for version, functions in found.items():
        traceable = load("6.1.0" if version.startswith("6.1.") else version).traceable
        names = {name.partition(".")[0] for name in PLACES}
        assert {name for name in names if name not in traceable} == set(functions)
        assert all(place is None or re.fullmatch(r"[\w/.-]+:\d+", place["defined"]) for place in functions.values())


def test_what_stands_for_a_function_says_what_the_source_says():
    for func, stands in PLACES.items():
        for place in stands:
            assert place.source.startswith(("mm/", "fs/", "kernel/", "arch/", "include/")), (func, place)


# --- what the judge sees ---


def outcome(release: str = "6.17") -> Outcome:
    """A move of two pages, one of them written, out of a VMA of four."""
    for scenario, traces in load(trace_release(release)).programs:
        played = Model(release, privileged=not scenario.unprivileged).run(scenario)
        for one, text in zip(played.outcomes, traces, strict=True):
            keys = [step.key for step in one.steps]
            if text and one.ok and {"copied", "pages_moved", "split", "unmap_source"} <= set(keys):
                return one
    raise AssertionError("no program moves a part of a VMA")


def trace_release(release: str) -> str:
    return next(one for one in TRACED if one.startswith(release + "."))


@pytest.fixture(scope="module")
def move() -> Outcome:
    return outcome()


def judged(move: Outcome, *steps: Step) -> Signed:
    assert move.trace is not None
    return signed(steps, move.trace)


def without(move: Outcome, key: str) -> list[Step]:
    return [step for step in move.steps if step.key != key]


def test_a_move_fits(move: Outcome):
    found = judged(move, *move.steps)
    assert found.fits and found.pinned is None
    assert move.trace is not None
    calls = move.trace.calls
    named = {step.key: calls[at].name for step, at in zip(move.steps, found.at, strict=True) if at is not None}
    assert ("copy_vma", "move_page_tables", "__split_vma") == (named["copied"], named["pages_moved"], named["split"])


@pytest.mark.parametrize(
    ("key", "function"),
    [
        ("split", "__split_vma"),
        ("copied", "copy_vma"),
        ("pages_moved", "move_page_tables"),
        ("unmap_source", "unmap_vmas"),
    ],
)
def test_a_change_without_a_step_is_noticed(move: Outcome, key: str, function: str):
    assert function in judged(move, *without(move, key)).untold


def test_a_step_of_what_the_kernel_did_not_do_fits_nothing(move: Outcome):
    assert -1 in judged(move, *move.steps, Step("mprotect_fixup", "same_flags")).at


def test_steps_in_another_order_do_not_fit(move: Outcome):
    copied = next(step for step in move.steps if step.key == "copied")
    assert -1 in judged(move, *without(move, "copied"), copied).at


def test_a_refusal_by_another_function_is_not_pinned():
    release = trace_release("6.17")
    trace = load(release).trace("__x64_sys_mremap=EFAULT(do_mremap=EFAULT(check_prep_vma=EFAULT))")
    assert signed([Step("check_prep_vma", "crosses_vma_end", errno="EFAULT")], trace).pinned is True
    assert signed([Step("check_mremap_params", "overlap", errno="EFAULT")], trace).pinned is False
    assert signed([Step("check_prep_vma", "crosses_vma_end", errno="EINVAL")], trace).pinned is False
    unasked = evolve(trace, returning=frozenset[str]())
    assert signed([Step("check_prep_vma", "crosses_vma_end", errno="EFAULT")], unasked).pinned is None


def test_a_wrong_munmap_is_refused_by_the_function_that_all_ways_lead_through():
    trace = load("6.17.13").trace("__x64_sys_munmap=EINVAL(__vm_munmap=EINVAL(do_vmi_munmap=EINVAL))")
    assert signed([Step("do_vmi_munmap", "unaligned", errno="EINVAL")], trace).fits


def test_calls_made_alike_can_be_entered_again():
    trace = Trace("6.1.0", "__x64_sys_mlock(2*mlock_fixup(vma_merge split_vma(__split_vma)))",
                  frozenset({"vma_merge", "__split_vma", "split_vma", "mlock_fixup"}), frozenset())  # fmt: skip
    steps = [Step("vma_merge_existing_range", "no_merge"), Step("__split_vma", "split")] * 2
    assert (2, 4, 2, 4) == signed(steps, trace).at


def test_a_trace_is_found_for_the_beginning_of_a_recorded_program_only():
    scenario, traces = load("6.17.13").programs[0]
    vm = Model("6.17", privileged=not scenario.unprivileged)
    for call, text in zip(scenario.steps, traces, strict=True):
        made = vm.do(call)
        assert text is None or (made.trace is not None and ("6.17.13", text) == (made.trace.release, made.trace.text))
    assert vm.munmap(0x10_0000_0000 + 4000 * 4096, 4096).trace is None
    assert trace_of("6.8", 0) is None and trace_of("v3", 0) is None
