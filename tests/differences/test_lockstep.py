"""Two machines in lock-step: what stands beside what, what is marked, and that the words say the state."""

from __future__ import annotations

import pytest
from attrs import evolve

from tests.pictures.test_frames import unsqueeze
from tests.property.test_text_alternatives import read_all, there
from tests.sample_outcomes import gap_model
from vmalab.differences.compare import unlike
from vmalab.differences.generate import random_scenario
from vmalab.differences.lockstep import Lockstep, places_of, who
from vmalab.errors import UsageError
from vmalab.linux.addr import PAGE, page
from vmalab.linux.profile import profile
from vmalab.machines.machine import Played
from vmalab.machines.model import Model
from vmalab.machines.recorded import Recorded
from vmalab.pictures.scene import scale_for, scenes_of, with_differing
from vmalab.programs.scenario import Scenario


def program() -> Model:
    vm = gap_model()
    vm.mremap(page(0), 5 * PAGE, 5 * PAGE, 3, page(64))
    vm.touch(page(64), PAGE)
    return vm


def test_calls_are_brought_side_by_side():
    both = Lockstep(program())
    assert ("Linux 6.16", "Linux 6.17") == both.sides
    data = both.data()
    assert [True, True, True, True, False, False] == [call["agrees"] for call in data["calls"]]
    assert (5, "Linux 6.16 and Linux 6.17 differ first at call 5.") == (both.first, data["about"])
    assert ["fails with EFAULT", "returns page 64"] == [side["result"] for side in data["calls"][4]["sides"]]
    assert "Call 5: the errno: EFAULT on Linux 6.16, success on Linux 6.17." == data["calls"][4]["words"][0]
    assert data["calls"][4]["words"][1].startswith("The rule of Linux 6.17 that makes the difference: multi_vma_move: ")
    assert [] == data["calls"][0]["words"]


def test_steps_that_both_take_stand_together_and_one_waits_for_the_other():
    both = Lockstep(program())
    step = both.steps[4]
    places = places_of(step.a, step.b)
    assert [(0, 0, False), (1, 1, False), (2, 2, True), (3, 3, True), (3, 4, True)] == [
        (place.a, place.b, place.parted) for place in places[:5]
    ]
    assert (3, 15) == (places[-1].a, places[-1].b)


def test_every_step_of_both_sides_has_its_place_for_random_programs():
    parted = 0
    for seed in range(40):
        both = Lockstep(random_scenario(f"lock {seed}"), "6.1", "7.3")
        for step in both.steps:
            places = places_of(step.a, step.b)
            assert step.a is not None and step.b is not None
            for frames, told in (([one.a for one in places], step.a), ([one.b for one in places], step.b)):
                assert list(dict.fromkeys(frames)) == list(range(len(told.frames))) or not told.steps
                assert frames == sorted(frames)
            if step.a.steps and step.b.steps and not any(one.parted for one in places):
                assert [one.key for one in step.a.steps] == [one.key for one in step.b.steps]
            parted += any(one.parted for one in places)
    assert parted > 5


def test_a_machine_without_steps_shows_its_result_at_the_end():
    scenario = Recorded("6.16").scenarios[0]
    both = Lockstep(scenario, "recorded:6.16", "6.16")
    assert "Linux 6.16.12, recorded" == both.sides[0]
    for step in both.steps:
        places = places_of(step.a, step.b)
        assert (0, 0) == (places[0].a, places[0].b)
        assert 1 == places[-1].a and {0} == {one.a for one in places[:-1]}
        assert (step.b is not None and len(step.b.frames) - 1 == places[-1].b) or not step.b.steps
        assert not any(one.parted for one in places)
    two = Lockstep(scenario, "recorded:6.16", "recorded:6.17").steps[0]
    assert [(0, 0), (1, 1)] == [(one.a, one.b) for one in places_of(two.a, two.b)]


def test_pictures_mark_what_the_other_side_does_not_have():
    both = Lockstep(program())
    step, call = both.steps[4], both.data()["calls"][4]
    assert step.a is not None and step.b is not None
    scale = scale_for((step.a, step.b))
    for which, (ours, theirs) in enumerate(((step.a, step.b), (step.b, step.a))):
        frames = unsqueeze(call["sides"][which]["frames"])
        assert len(call["places"]) == len(frames)
        for place, frame in zip(call["places"], frames, strict=True):
            own, other = (ours.frames[place[which]].snapshot, theirs.frames[place[1 - which]].snapshot)
            scene = with_differing(scenes_of(ours, scale=scale)[place[which]], unlike(own, other))
            marked = {box.key for box in scene.bands[1].boxes if box.mark == "differs"}
            drawn = {call["sides"][which]["parts"][n][0] for n in frame
                     if "differs from the other side" in call["sides"][which]["parts"][n][1]}  # fmt: skip
            assert marked == drawn
            assert len(unlike(own, other)) == len(marked)


def test_the_text_alternative_says_the_state_and_what_differs_for_random_programs():
    marked = 0
    for seed in range(60):
        both = Lockstep(random_scenario(f"pair {seed}"), "6.1", "7.3")
        for step in both.steps:
            assert step.a is not None and step.b is not None
            for ours, theirs in ((step.a, step.b), (step.b, step.a)):
                starts = unlike(ours.after, theirs.after)
                scene = with_differing(scenes_of(ours, scale=scale_for((step.a, step.b)))[-1], starts)
                words = scene.bands[-1].words().partition("; removed")[0]
                alive = " ".join(box.words + "." for box in scene.bands[-1].boxes)
                assert there(ours.after) == read_all(alive), words
                assert len(starts) == alive.count("; differs from the other side")
                marked += len(starts)
    assert marked > 100


def test_whoever_can_answer_may_stand_on_a_side():
    vm = program()
    own = Model("6.17").run(Lockstep(vm).scenario)
    both = Lockstep(vm, own, Model("v3"))
    assert ("model:6.17", "version 3 of the patch") == both.sides
    assert both.comparison.agrees and () == both.causes and None is both.first
    assert "Linux 6.17.13, recorded" == who(Recorded("6.17"))
    with pytest.raises(UsageError, match="these answers are to another program"):
        Lockstep("never-heals", own, "6.17")
    with pytest.raises(UsageError, match="there is no machine 'gold'"):
        Lockstep(vm, "gold")
    with pytest.raises(UsageError, match="5 is no machine: it is a release"):
        Lockstep(vm, 5)  # type: ignore[arg-type]


def test_causes_need_two_kernels_that_do_what_their_models_say():
    vm = program()
    scenario = Lockstep(vm).scenario
    lying = Played(scenario, "model:6.17", Model("6.16").run(scenario).outcomes, Model("6.16").run(scenario).final)
    assert ["multi_vma_move"] == [cause.behaviour.name for cause in Lockstep(vm, "6.16", "6.18").causes]
    assert () == Lockstep(vm, lying, "6.18").causes
    assert not Lockstep(vm, lying, "6.18").comparison.agrees


class Odd:
    """A kernel of a release that nobody knows, which moves one VMA at most."""

    name, release = "live", "4.4.0"

    def run(self, scenario: Scenario) -> Played:
        return Model("6.12", trace=False).run(scenario)


def test_a_kernel_without_a_profile_is_explained_as_far_as_can_be():
    both = Lockstep(program(), "6.17", Odd())
    assert ("Linux 6.17", "this machine, Linux 4.4.0") == both.sides
    assert () == both.causes
    (said,) = both.why()
    assert said.startswith("this machine, Linux 4.4.0: It answers as Linux 6.16 does, not as Linux 6.17: ")
    assert "multi_vma_move" in said
    assert both.why(5) == both.why() and [] == both.why(4)
    assert [] == Lockstep(program(), "6.16", Odd()).why()


def test_a_model_of_ones_own_keeps_its_profile():
    own = Model(evolve(profile("6.17"), multi_vma_move=False))
    (cause,) = Lockstep(program(), own, "6.17").causes
    assert "multi_vma_move" == cause.behaviour.name


def test_a_difference_only_at_the_end_is_told_at_the_last_call():
    vm = Model("6.16")
    vm.mmap(page(0), 2 * PAGE)
    vm.mremap(page(0), 2 * PAGE, 2 * PAGE, 5, 0)
    both = Lockstep(vm, "6.16", "6.18")
    last = both.data()["calls"][-1]
    assert (None, False, 2) == (both.first, last["agrees"], len(last["words"]))
    assert last["words"][0].startswith("The end: ") and "flags ac" in last["words"][0]
    assert "dontunmap_loses_account" in last["words"][1]


def test_a_side_that_could_not_run_it_is_said():
    both = Lockstep(Scenario("own", tuple(program().history)), "6.17", "recorded:6.17")
    assert "does not hold this scenario" in both.verdict
    side = both.data()["calls"][0]["sides"][1]
    assert ("did not come so far", None, []) == (side["result"], side["ok"], side["steps"])
    assert "parts" not in side


def test_it_shows_itself_still_with_the_rule():
    both = Lockstep(program())
    html = both._repr_html_()
    assert 2 == html.count("<svg") and "multi_vma_move" in html and "The same calls" in html
    assert "Linux 6.16 | Linux 6.17" == repr(both).splitlines()[0]
