"""One program on several machines: what is told, what is held together, and what is said where a machine is missing."""

from __future__ import annotations

import pytest
from attrs import evolve

from vmalab import MREMAP_FIXED, MREMAP_MAYMOVE, PAGE, Model, page
from vmalab.differences import live_answers
from vmalab.differences.answers import by_model, by_recording, layout, lesson_recordings
from vmalab.differences.live_answers import needed, on_this_machine
from vmalab.errors import LiveUnavailable, UsageError
from vmalab.linux.call import Mmap, Mremap
from vmalab.linux.profile import profile
from vmalab.machines.machine import Played
from vmalab.machines.program import scenario_of
from vmalab.programs import data
from vmalab.programs.scenario import Scenario
from vmalab.teach import answers
from vmalab.teach.answers import real_kernels, same_calls, side_by_side
from vmalab.teach.rules import OPERATIONS, range_rules

MOVE = MREMAP_MAYMOVE | MREMAP_FIXED
GAP = "gap-keeps-what-was-there"


def two_with_gap(release: str = "6.17") -> Model:
    """`[0 to 1 rw] [3 to 4 r]` moved to page 64: a program of lesson 04, so recorded."""
    vm = Model(release)
    vm.mmap(page(0), 2 * PAGE)
    vm.touch(page(0), 2 * PAGE)
    vm.mmap(page(3), 2 * PAGE, "r")
    vm.mremap(page(0), 5 * PAGE, 5 * PAGE, MOVE, page(64))
    return vm


# --- programs ---


def test_a_program_may_come_as_a_model_as_calls_or_by_name() -> None:
    vm = two_with_gap()
    calls = scenario_of(vm).steps
    assert tuple(vm.history) == calls == scenario_of(vm.history).steps
    assert scenario_of(GAP).name == GAP
    assert scenario_of(scenario_of(vm)) == scenario_of(vm)


def test_a_models_calls_are_made_without_capabilities_as_the_model_did() -> None:
    assert scenario_of(two_with_gap()).unprivileged
    privileged = Model("6.17", privileged=True)
    privileged.mmap(page(0), PAGE)
    assert not scenario_of(privileged).unprivileged


@pytest.mark.parametrize("thing", [Model("6.17"), [], [1], 5, None])
def test_what_is_no_program_is_said_in_one_line(thing: object) -> None:
    with pytest.raises(UsageError, match="this needs a program"):
        scenario_of(thing)  # type: ignore[arg-type]


# --- models ---


def test_same_calls_gives_the_last_outcome_under_another_kernel() -> None:
    out = same_calls(two_with_gap("6.16"), "6.17")
    assert ("model:6.17", page(64), None) == (out.machine, out.value, out.errno)


def test_side_by_side_names_both_kernels_and_tells_which_step_differs() -> None:
    shown = side_by_side(two_with_gap(), "6.16", "6.17")
    lines = repr(shown).splitlines()
    assert lines[0] == "Linux 6.16 | Linux 6.17"
    assert lines[-1].endswith("EFAULT | page 64: differs")
    assert all(line.endswith("same") for line in lines[1:-1])
    html = shown._repr_html_()
    assert "Linux 6.16" in html and "<svg" in html


def test_a_layout_is_one_line() -> None:
    vm = Model("6.17")
    assert layout(vm.snapshot()) == "(nothing mapped)"
    vm.mmap(page(0), PAGE, "r", "sharedfile", file="canary")
    assert layout(vm.snapshot()) == "[0 r--s canary]"


# --- recordings ---


@pytest.mark.parametrize(("release", "who", "errno"), [("6.16", "6.16.12", "EFAULT"), ("6.17", "6.17.13", None)])
def test_a_recording_answers_for_its_series(release: str, who: str, errno: str | None) -> None:
    answer = by_recording(release, scenario_of(two_with_gap()))
    assert answer.who == f"Linux {who}, recorded"
    assert answer.last is not None and answer.last.errno == errno


def test_a_program_that_nobody_recorded_has_no_answer_and_a_reason() -> None:
    vm = two_with_gap()
    vm.mmap(page(77), PAGE)
    assert by_recording("6.17", scenario_of(vm)).told() == ("no answer", "this program was not recorded on it")
    assert by_recording("6.9", scenario_of(vm)).told() == ("no answer", "there is no recording of it")
    assert "Not every kernel was asked this" in real_kernels(vm, "6.17").verdict


def test_real_kernels_says_when_a_model_and_its_kernel_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "Every model agrees" in real_kernels(two_with_gap(), "6.16", "6.17").verdict
    monkeypatch.setattr(answers, "by_model", lambda release, scenario: by_model("6.16", scenario))
    verdict = real_kernels(two_with_gap(), "6.17").verdict
    assert verdict.startswith("Here model and kernel differ. Linux 6.17.13, recorded: Call 4: the errno")


def test_real_kernels_needs_a_release() -> None:
    with pytest.raises(UsageError, match="needs the releases"):
        real_kernels(two_with_gap())


def test_answers_are_a_table_in_text_and_in_html() -> None:
    shown = real_kernels(two_with_gap(), "6.16", "6.17")
    assert len(repr(shown).splitlines()) == 6
    html = shown._repr_html_()
    assert html.count("<th scope=row>") == 4 and "[67 to 68 r--p]" in html


# --- rules ---


def test_the_rules_are_those_of_the_measured_table() -> None:
    rules = {name: marks for name, *marks in range_rules("6.16", "6.17").rows}
    assert len(OPERATIONS) == len(rules)
    assert rules["FIXED, same size (a move)"] == ["✕ EFAULT", "✓ works"]
    assert rules["FIXED | DONTUNMAP, same size"] == ["✕ EFAULT", "✓ works"]
    assert {marks[0] == marks[1] for name, marks in rules.items() if "same size" not in name} == {True}


def test_the_rules_were_held_against_kernels() -> None:
    assert "Linux 6.16.12, Linux 6.17.13 answered the same" in range_rules("6.16", "6.17").verdict
    assert range_rules("6.13").verdict == "Tried on the models."


# --- this machine ---


class Kernel:
    """A live machine that answers as the model of a release does."""

    def __init__(self, release: str, **abilities: bool) -> None:
        self.release, self._abilities = f"{release}-test", abilities

    def run(self, scenario: Scenario) -> Played:
        return evolve(Model(self.release, trace=False).run(scenario), machine="live")

    def abilities(self) -> live_answers.Abilities:
        able = {"multi_vma_move": True, "userfaultfd": True, "mseal": True, "guard_regions": True} | self._abilities
        notes = {name: "EFAULT" for name, can in able.items() if not can}
        return live_answers.Abilities(self.release, **able, notes=notes)


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    """Put another kernel under this machine."""

    def install(release: str, **abilities: bool) -> None:
        there = Kernel(release, **abilities)
        monkeypatch.setattr(live_answers, "why_unavailable", lambda: None)
        monkeypatch.setattr(live_answers, "live", lambda: there)
        monkeypatch.setattr(live_answers, "abilities", there.abilities)

    return install


def test_a_kernel_that_does_what_the_model_says(kernel) -> None:  # type: ignore[no-untyped-def]
    kernel("6.18.44")
    shown = on_this_machine(two_with_gap())
    assert ["model of Linux 6.17", "this machine, Linux 6.18.44", "Linux 6.17.13, recorded"] == [
        answer.who for answer in shown.answers
    ]
    assert shown.verdict == "This machine's kernel does what the model says, on every step of the program."


def test_an_old_kernel_is_said_to_be_old_and_the_recording_stands_in(kernel) -> None:  # type: ignore[no-untyped-def]
    kernel("6.12.107", multi_vma_move=False)
    shown = on_this_machine(two_with_gap())
    assert [answer.told()[0] for answer in shown.answers] == ["page 64", "EFAULT", "page 64"]
    assert "can't do what this needs: one mremap moves several VMAs (since Linux 6.17)" in shown.verdict
    assert shown.verdict.endswith("Look at the line of Linux 6.17.13 instead: it was recorded.")


def test_an_unexpected_difference_is_told_as_one(kernel) -> None:  # type: ignore[no-untyped-def]
    kernel("6.16")  # says that it can, and can't
    shown = on_this_machine(two_with_gap())
    assert shown.verdict.startswith("This machine's kernel differs from Linux 6.17. Call 4: the errno")
    assert shown.shown == 1 and "<svg" in shown._repr_html_()


def test_without_a_live_machine_the_recording_is_shown_and_the_reason_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VMALAB_LIVE", "off")
    shown = on_this_machine(two_with_gap())
    assert [answer.told()[0] for answer in shown.answers] == ["page 64", "no answer", "page 64"]
    assert "the live machine is switched off (VMALAB_LIVE=off)" in shown.verdict
    assert "what Linux 6.17.13 answered when it was recorded" in shown.verdict


def test_without_any_kernel_the_model_is_still_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VMALAB_LIVE", "off")
    vm = two_with_gap()
    vm.munmap(page(67), PAGE)
    shown = on_this_machine(vm)
    assert "this program was not recorded" in shown.verdict
    assert shown.answers[0].told()[0] == "0"


def test_a_release_without_recordings_takes_the_newest_kernel_that_was_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VMALAB_LIVE", "off")
    assert on_this_machine(two_with_gap(), "7.2").answers[-1].who == "Linux 7.3.4, recorded"


@pytest.mark.live
def test_the_live_machine_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    try:
        shown = on_this_machine(two_with_gap())
    except LiveUnavailable as error:
        pytest.skip(str(error))
    if shown.answers[1].last is None:
        pytest.skip(shown.answers[1].why)
    assert shown.verdict.startswith("This machine's kernel ")


def test_what_a_program_needs_is_found_by_trying() -> None:
    followed = profile("6.17")
    assert needed(scenario_of(two_with_gap()), followed) == ["multi_vma_move"]
    one = [Mmap(page(0), PAGE), Mremap(page(0), PAGE, PAGE, MOVE, page(64))]
    assert needed(scenario_of(one), followed) == []
    assert needed(scenario_of("uffd-stops-it"), followed) == ["userfaultfd", "multi_vma_move"]


def test_each_lesson_has_recordings_of_its_own() -> None:
    lessons = [path.stem for path in sorted((data.folder("scenarios") / "lessons").glob("*.json"))]
    releases = ["6.12.107", "6.16.12", "6.17.13", "6.18.44", "7.3.4"]
    found = [(path.name.removesuffix(".json.xz"), path.parent.name) for path in lesson_recordings()]
    assert [(release, lesson) for release in releases for lesson in lessons] == found


def test_where_the_kernel_chose_is_elsewhere_for_all_machines() -> None:
    vm = Model("6.17")
    vm.mmap(page(0), 2 * PAGE)
    vm.mmap(page(2), PAGE, "r")
    vm.mremap(page(0), 2 * PAGE, 4 * PAGE, MREMAP_MAYMOVE)
    assert by_model("6.17", scenario_of(vm)).told() == ("elsewhere", "[2 r--p] and elsewhere 4 pages rw-p")
