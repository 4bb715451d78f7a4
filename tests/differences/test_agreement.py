"""Model, recording and this machine on one program: every difference explained or flagged, nothing asked unasked."""

from __future__ import annotations

import pytest
from attrs import evolve

from tests.teach.test_answers import Kernel, two_with_gap
from vmalab.differences import live_answers
from vmalab.differences.agreement import Agreement
from vmalab.linux.addr import PAGE, page
from vmalab.machines.machine import Played
from vmalab.machines.model import Model
from vmalab.machines.program import scenario_of
from vmalab.pictures.scene import scene_of
from vmalab.programs.scenario import Scenario


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch):
    """Put another kernel under this machine."""

    def install(there: Kernel) -> None:
        monkeypatch.setattr(live_answers, "why_unavailable", lambda: None)
        monkeypatch.setattr(live_answers, "live", lambda: there)
        monkeypatch.setattr(live_answers, "abilities", there.abilities)

    return install


def test_nothing_is_asked_before_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse():
        raise AssertionError("the live machine was asked")

    monkeypatch.setattr(live_answers, "live", refuse)
    monkeypatch.setattr(live_answers, "why_unavailable", refuse)
    both = Agreement(two_with_gap())
    both.data(), both._repr_html_()
    assert [
        "✓ Linux 6.17.13, recorded: it answers as the model does, on every call.", "– this machine: not asked yet.",
    ] == str(both).splitlines()  # fmt: skip


def test_where_it_cannot_be_asked_one_line_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VMALAB_LIVE", "off")
    both = Agreement(two_with_gap())
    both.ask()
    assert "– this machine: it can't be asked: the live machine is switched off (VMALAB_LIVE=off)." == both.live.line
    assert "no answer" == both.data()["calls"][0]["sides"][2]["result"]


def test_a_kernel_that_agrees(kernel) -> None:
    kernel(Kernel("6.18.44"))
    both = Agreement(two_with_gap())
    assert "✓ this machine, Linux 6.18.44: it answers as the model does, on every call." == both.ask().line
    assert None is both.first
    assert all(call["agrees"] and not call["words"] for call in both.data()["calls"])


def test_another_release_is_explained_call_by_call(kernel) -> None:
    kernel(Kernel("6.12.107"))
    both = Agreement(two_with_gap())
    found = both.ask()
    assert ("differs", 4) == (found.kind, both.first)
    assert "It is Linux 6.12.107, not 6.17: there the rules differ: multi_vma_move: " in found.line
    said = both.said_of(4)
    assert "Call 4: the errno: success on the model of Linux 6.17, EFAULT on this machine, Linux 6.12.107." == said[0]
    assert said[-1].startswith("Why: multi_vma_move: ")
    assert [] == both.said_of(3)
    assert [True, True, True, False] == [call["agrees"] for call in both.data()["calls"]]


class Wrong(Kernel):
    """A kernel that loses the last VMA of its last answer."""

    def run(self, scenario: Scenario) -> Played:
        played = super().run(scenario)
        last = played.outcomes[-1]
        after = evolve(last.after, rows=last.after.rows[:-1])
        broken = evolve(last, after=lambda: after)
        return evolve(played, outcomes=(*played.outcomes[:-1], broken), final=after)


def test_what_nothing_explains_is_flagged(kernel) -> None:
    kernel(Wrong("6.17.13"))
    both = Agreement(two_with_gap())
    found = both.ask()
    assert "unknown" == found.kind
    assert found.line.startswith("⚑ this machine, Linux 6.17.13: No behaviour that the model knows explains this: the ")
    assert found.words in both.said_of(4)
    assert "⚑" in both._repr_html_() and "differs from the other side" in both._repr_html_()


def test_a_missing_ability_is_named(kernel) -> None:
    there = Wrong("6.17.13", multi_vma_move=False)
    kernel(there)
    found = Agreement(two_with_gap()).ask()
    assert "differs" == found.kind
    assert "it can't do what this needs: one mremap moves several VMAs (since Linux 6.17)." == found.words


def test_a_program_that_nobody_recorded_says_so() -> None:
    vm = two_with_gap()
    vm.mmap(page(77), PAGE)
    both = Agreement(vm)
    assert "none" == both.recorded.kind
    assert "– Linux 6.17, recorded: this program was not recorded on it." == both.recorded.line


def test_pictures_are_of_the_state_after_each_call_for_everybody() -> None:
    both = Agreement(two_with_gap())
    assert both.model.played is not None and both.recorded.answer.played is not None
    for step, call in enumerate(both.data()["calls"]):
        for side, played in zip(call["sides"], (both.model.played, both.recorded.answer.played), strict=False):
            drawn = "".join(side["parts"][n][1] for n in side["frames"][0])
            for box in scene_of(played.outcomes[step]).bands[1].boxes:
                assert box.words in drawn
            assert 1 == len(side["frames"])


def test_the_release_may_be_said() -> None:
    both = Agreement(two_with_gap("6.17"), "6.16")
    assert "model of Linux 6.16" == both.model.who
    assert "✓ Linux 6.16.12, recorded: it answers as the model does, on every call." == both.recorded.line
    assert "Linux 6.17" in Agreement(list(Model("6.16").history) or two_with_gap().history).model.who


def test_still_html_is_stable_and_has_every_answer() -> None:
    html = Agreement(two_with_gap())._repr_html_()
    assert html == Agreement(two_with_gap())._repr_html_()
    assert 4 + 1 == html.count("<tr><th scope=") and 1 == html.count("<svg")


@pytest.mark.live
def test_this_machine_is_asked() -> None:
    if (reason := live_answers.why_unavailable()) is not None:
        pytest.skip(reason)
    both = Agreement(two_with_gap())
    assert both.ask().kind in ("same", "differs", "unknown")
    assert 1 == both.asked


def cve() -> Model:
    """The program of CVE-2026-23077, as lesson 09 has it."""
    vm = Model("6.17")
    vm.mmap(page(0), 2 * PAGE)
    vm.touch(page(0), 2 * PAGE)
    vm.mremap(page(0), 2 * PAGE, 2 * PAGE, 3, page(64))
    vm.mmap(page(2), 2 * PAGE)
    vm.mremap(page(64), 2 * PAGE, 2 * PAGE, 3, page(0))
    return vm


def test_a_program_that_goes_through_a_hole_of_this_kernel_is_not_run_on_it(monkeypatch: pytest.MonkeyPatch) -> None:
    scenario = scenario_of(cve())
    releases = ("6.12", "6.16.12", "6.18.7", "6.18.8", "9.9")
    assert ["6.16.12", "6.18.7"] == [release for release in releases if live_answers.danger(scenario, release)]
    harmless = Scenario("harmless", scenario.steps[:-1])
    assert live_answers.danger(harmless, "6.16.12") is None

    class Holed:
        release = "6.17.13-generic"

        def run(self, scenario: Scenario) -> None:
            raise AssertionError("it was run")

    monkeypatch.setattr(live_answers, "why_unavailable", lambda: None)
    monkeypatch.setattr(live_answers, "live", Holed)
    answers = live_answers.on_this_machine(cve())
    assert "Linux 6.17.13 has CVE-2026-23077" in answers.verdict
