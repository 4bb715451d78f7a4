"""The call builder without a widget: fields, running, undo and redo, another kernel, and what is shown."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.sample_outcomes import gap_model
from tests.tiny_language import Little
from vmalab.errors import ProfileError, UsageError
from vmalab.linux.addr import PAGE, page
from vmalab.linux.call import Mremap
from vmalab.machines.model import Model
from vmalab.pictures.scale import MOST
from vmalab.programs.calltext import c_call
from vmalab.programs.scenario import loads
from vmalab.widgets.session import Session, scale_for_dragging


def ready(release: str = "6.18") -> Session:
    """A session with the multi-VMA move in its fields."""
    session = Session(gap_model(release))
    session.select("0", "5")
    session.aim("64")
    return session


def test_it_begins_with_the_first_vma_chosen():
    session = Session(gap_model())
    assert ("mremap", "0", "2", "2") == (
        session.call,
        *(session.values[name] for name in ("addr", "length", "new_len")),
    )
    assert "mmap" == Session("6.18").call


def test_dragging_a_range_and_a_target_makes_the_call():
    assert (Mremap(page(0), 5 * PAGE, 5 * PAGE, 3, page(64)), {}) == ready().built()


def test_the_new_length_follows_until_it_is_set():
    session = Session(gap_model())
    session.set("length", "5")
    assert "5" == session.values["new_len"]
    session.set("new_len", "7")
    session.set("length", "6")
    assert "7" == session.values["new_len"]


def test_the_whole_program_as_python_as_c_and_as_a_scenario():
    assert {} == Session("6.18").texts()
    session = ready("6.17")
    session.run()
    session.set("call", "limit")
    session.run()
    texts = session.texts()
    names: dict = {}
    exec(texts["Python"], names)
    assert (session.model.history, session.model.snapshot()) == (names["vm"].history, names["vm"].snapshot())
    assert texts["C"].splitlines() == [c_call(call) for call in session.model.history]
    (scenario,) = loads(texts["scenario"])
    assert ("built", tuple(session.model.history)) == (scenario.name, scenario.steps)
    played = Model("6.17").run(scenario)
    assert (None, session.model.snapshot()) == (played.error, played.outcomes[-1].after)


def test_where_the_kernel_chooses_there_is_no_range():
    session = Session("6.18")
    session.set("addr", "")
    assert session.state()["source"] is None
    assert session.run().ok
    texts = session.texts()
    assert "vm.mmap(None, 2 * PAGE" in texts["Python"]
    assert '"call": "mmap", "pages": 2' in texts["scenario"]


def test_a_target_sets_fixed_and_says_so():
    session = Session(gap_model())
    session.aim("64")
    assert ("maymove", "fixed") == session.values["flags"]
    assert "MREMAP_FIXED" in session.status
    session.set("flags", ("maymove", "dontunmap"))
    session.aim("70", "75")
    assert ("maymove", "dontunmap") == session.values["flags"]
    assert ("70", "5") == (session.values["new_addr"], session.values["new_len"])


def test_running_undoing_and_redoing():
    session = ready()
    start = session.model.snapshot()
    told = session.run()
    assert told is not None
    assert (page(64), "mremap returns page 64.", True) == (told.value, session.status, session.status_ok)
    after = session.model.snapshot()
    session.undo()
    assert (start, [], True) == (session.model.snapshot(), session.outcomes, session.state()["can"]["redo"])
    session.redo()
    assert after == session.model.snapshot()
    session.undo()
    session.run()
    session.redo()
    assert "There is nothing to redo." == session.status


def test_undo_never_goes_behind_the_start():
    session = Session(gap_model())
    session.undo()
    assert ("There is nothing to undo.", False) == (session.status, session.status_ok)
    assert 3 == len(session.model.snapshot())


def test_reset():
    session = ready()
    session.run()
    session.reset()
    assert (gap_model().snapshot(), [], "2") == (session.model.snapshot(), session.outcomes, session.values["length"])


def test_the_given_model_is_never_changed():
    vm = gap_model()
    before = vm.snapshot()
    session = Session(vm)
    session.aim("64")
    session.run()
    assert (before, 4) == (vm.snapshot(), len(vm.history))


def test_a_failure_is_told_with_its_reason():
    session = ready("6.16")
    told = session.run()
    assert told is not None
    assert "EFAULT" == told.errno
    assert session.status.startswith("mremap fails: EFAULT means")
    assert len(session.status) > 60
    assert not session.status_ok


def test_a_wrong_field_is_not_run_and_says_which():
    session = Session(gap_model())
    session.set("addr", "foo")
    assert session.run() is None
    assert "Not run: addr needs another value." == session.status
    assert 0 == len(session.outcomes)
    assert "foo" in next(field["error"] for field in session.state()["form"] if field["name"] == "addr")


def test_another_kernel_makes_the_same_calls():
    session = ready("6.16")
    session.run()
    session.set("release", "6.17")
    assert session.outcomes[-1].ok
    assert "The same call under Linux 6.17: mremap returns page 64." == session.status
    assert "6.17" == session.state()["release"]
    session.set("release", "v3")
    assert "v3" == session.state()["release"]
    with pytest.raises(ProfileError):
        session.set("release", "2.4")
    assert "v3" == session.model.release


def test_what_the_browser_sends_is_never_answered_with_an_exception():
    session = Session(gap_model())
    odd: list[dict[str, object]] = [
        {},
        {"do": "fly"},
        {"do": "set"},
        {"do": "set", "name": "colour", "value": 1},
        {"do": "set", "name": "call", "value": "sbrk"},
        {"do": "set", "name": "release", "value": "1.0"},
        {"do": "select", "start": "a", "end": "b"},
        {"do": "aim", "start": None},
    ]
    for message in odd:
        session.handle(message)
        assert session.status.startswith("Not understood: "), message
        assert not session.status_ok


messages = st.one_of(
    st.builds(lambda what: {"do": what}, st.sampled_from(["run", "undo", "redo", "reset"])),
    st.builds(lambda a, n: {"do": "select", "start": str(a), "end": str(a + n)},
              st.integers(-2, 90), st.integers(-3, 9)),
    st.builds(lambda a: {"do": "aim", "start": str(a)}, st.integers(-2, 90)),
    st.builds(lambda name, value: {"do": "set", "name": name, "value": value},
              st.sampled_from(["addr", "length", "new_len", "new_addr"]),
              st.sampled_from(["0", "3", "64", "x", "0x1000003000", ""])),
    st.builds(lambda value: {"do": "set", "name": "call", "value": value},
              st.sampled_from(["mmap", "munmap", "mprotect", "mremap", "touch", "read", "mlock"])),
    st.builds(lambda value: {"do": "set", "name": "release", "value": value}, st.sampled_from(["6.16", "6.18", "v3"])),
    st.builds(lambda value: {"do": "set", "name": "flags", "value": value},
              st.lists(st.sampled_from(["maymove", "fixed", "dontunmap"]))),
)  # fmt: skip


@settings(max_examples=30)
@given(st.lists(messages, max_size=15))
def test_whatever_a_person_does_the_state_can_be_shown(program):
    session = Session(gap_model())
    for message in program:
        session.handle(message)
        session.model.mm.validate()
        state = {**session.state(), **session.look()}
        assert state == json.loads(json.dumps(state))
        assert len(session.outcomes) == len(state["program"])
        again = Model(session.model.profile)
        for call in session.model.history:
            again.do(call)
        assert again.snapshot() == session.model.snapshot()


def test_the_state_has_range_target_and_both_texts():
    state = ready().state()
    assert ([0, 5], [64, 69], True) == (state["source"], state["target"], state["aims"])
    assert (
        "mremap((void *)0x1000000000, 5 * 4096, 5 * 4096, MREMAP_MAYMOVE | MREMAP_FIXED, (void *)0x1000040000);"
        == state["c"]
    )
    assert "vm.mremap(page(0), 5 * PAGE, 5 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, page(64))" == state["python"]
    assert [["v1", 0, 2, "A", "rw"], ["v2", 3, 5, "B", "r"], ["v3", 66, 67, "C", "r"]] == ready().look()["vmas"]


def test_a_wrong_target_does_not_hide_the_range():
    session = ready()
    session.set("new_addr", "?")
    state = session.state()
    assert ([0, 5], None, "") == (state["source"], state["target"], state["c"])


def test_numbers_for_the_pointer_are_small():
    session = Session(gap_model())
    session.set("addr", "0xffffffffffffffff")
    session.set("length", "0xffffffffffffffff")
    assert all(abs(number) < 2**53 for number in session.state()["source"])


def test_there_is_room_to_drag_in():
    scale = scale_for_dragging(Little("6.18", "map 0-2").model.snapshot().rows, 48)
    assert [(0, 2, False), (2, 8, False), (8, 16, False), *((at, at + 8, False) for at in range(16, 48, 8))] == [
        ((s.start - page(0)) // PAGE, (s.end - page(0)) // PAGE, s.folded) for s in scale.stretches
    ]
    far = scale_for_dragging(gap_model().snapshot().rows, 48)
    assert far.per_page <= MOST
    assert page(75) == far.stretches[-1].end


def test_the_picture_does_not_jump_when_a_call_moves_vmas():
    session = ready()
    session.run()
    places = {(s[0], s[1]) for s in session.look()["geometry"]["stretches"]}
    assert {(0, 2), (2, 3), (3, 5)} <= places


def test_the_summary_is_stable():
    session = ready()
    call = "mremap(page 0, 5 pages, 5 pages, MREMAP_MAYMOVE | MREMAP_FIXED, page 64)"
    assert f"Linux 6.18, 3 VMAs, 0 calls made; next: {call}" == session.summary()
    session.run()
    then = "mremap(page 64, 5 pages, 5 pages, MREMAP_MAYMOVE)"
    assert f"Linux 6.18, 2 VMAs, 1 call made; last: {call} returns page 64; next: {then}" == session.summary()
    session.set("addr", "x")
    assert session.summary().endswith("; next: mremap with a wrong addr")


def test_the_range_follows_what_was_moved_and_comes_back_with_undo():
    session = ready()
    session.run()
    chosen = [session.values[name] for name in ("addr", "length", "new_len", "new_addr", "flags")]
    assert ["64", "5", "5", "", ("maymove",)] == chosen
    session.undo()
    assert ["0", "64"] == [session.values[name] for name in ("addr", "new_addr")]
    failing = ready("6.16")
    failing.run()
    assert "0" == failing.values["addr"]


def test_a_typed_target_sets_its_flags_as_a_dragged_one_does_and_only_once():
    session = Session(gap_model())
    session.handle({"do": "set", "name": "new_addr", "value": "6"})
    assert ("maymove", "fixed") == session.values["flags"]
    assert "MREMAP_MAYMOVE and MREMAP_FIXED were set, because you typed a target." == session.status
    session.handle({"do": "set", "name": "flags", "value": ["maymove"]})
    session.handle({"do": "set", "name": "new_addr", "value": "64"})
    assert (("maymove",), "") == (session.values["flags"], session.status)


def test_a_wrong_field_is_called_what_its_label_says():
    session = Session(gap_model())
    session.set("length", "many")
    session.set("new_len", "2")
    session.run()
    assert "Not run: old_len needs another value." == session.status


def test_the_picture_grows_when_something_is_chosen_at_its_edge():
    session = Session(gap_model())
    assert not session.grown()
    session.select("0", "100")
    assert session.grown() and not session.grown()
    assert session.look()["geometry"]["stretches"][-1][1] >= 104
    session.set("length", "1000000000")
    assert not session.grown()


def test_few_vmas_play_in_the_one_picture_and_many_in_one_below():
    session = ready()
    assert session.playable is None and "picture" in session.look()
    session.run()
    assert session.outcomes[-1] is session.playable
    assert session.outcomes[-1].frames[-1].index == len(session.look()["play"]["steps"]) - 1
    many = Session(Model("6.18"))
    for number in range(60):
        many.model.mmap(page(3 * number), PAGE)
    many.set("call", "mremap")
    many.select("0", "5")
    many.aim("400")
    assert many.run().ok and many.playable is None
    born = [part for _, part in many.look()["picture"]["parts"] if "data-born" in part]
    assert 2 == len(born)


def test_no_such_field():
    with pytest.raises(UsageError, match="there is no field 'colour'"):
        Session("6.18").set("colour", "red")
