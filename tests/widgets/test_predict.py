"""Predict without a browser: the sketch and its tools, the answer, the verdict, and what the page is told when."""

from __future__ import annotations

import json
import lzma
import re

import pytest
from traitlets import TraitError

from tests.sample_outcomes import gap_model
from vmalab.errors import UsageError
from vmalab.linux.addr import PAGE, page
from vmalab.linux.call import Mmap, Mprotect, Mremap, Munmap
from vmalab.linux.errnos import ERRNOS_OF
from vmalab.machines.model import Model
from vmalab.programs.data import folder
from vmalab.programs.scenario import load_scenarios
from vmalab.teach.predictions import GIVEN, Answer, judge, layout_text, parse_layout
from vmalab.widgets import Predict
from vmalab.widgets.predict import errno_choices
from vmalab.widgets.sketch import TOOLS, Sketch

MOVE = Mremap(page(0), 5 * PAGE, 5 * PAGE, 3, page(64))
RIGHT = "[64 to 65 rw] [66 to 68 r]"


def guess() -> Predict:
    return Predict(gap_model("6.18"), MOVE)


def hear(widget: Predict, **message) -> dict:
    widget._heard(widget, message, [])
    return json.loads(widget.state)


# --- reading and judging ---


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[0 to 1 rw", "“[0 to 1 rw” is not understood"),
        ("[0 to 1]", "“[0 to 1]” is not understood"),
        ("[2 to 1 r]", "“[2 to 1 r]” ends before it starts"),
        ("[0-2 r]", "“[0-2 r]” is not understood: does page 2 belong to it? If so it is 0 to 2."),
        ("[0 to 2 r] [2 to 3 r]", "[0 to 2 r] and [2 to 3 r] overlap"),
    ],
)
def test_a_layout_that_can_not_be_read_names_the_place(text: str, words: str):
    with pytest.raises(UsageError, match=re.escape(words)):
        parse_layout(text)


def test_a_layout_is_read_as_it_is_written():
    text = "[0 to 1 rw] [2 none] [7 to 8 rwx]"
    assert text == layout_text(parse_layout(text))
    assert "" == layout_text(parse_layout(" "))
    assert "[0 to 1 rw]" == layout_text(parse_layout("[ 0 to 1 rwp canary ]"))


def test_a_verdict_goes_vma_by_vma():
    verdict = judge(
        gap_model("6.18"), MOVE, Answer(None, page(64), parse_layout("[64 to 65 r] [66 to 68 r] [0 to 1 rw]"))
    )
    assert [
        (True, "It succeeds."),
        (True, "It returns page 64."),
        (False, "[0 to 1 rw]: there is no such VMA; nothing is mapped there."),
        (False, "[64 to 65 r]: its place is right, its permissions are rw."),
        (True, "[66 to 68 r]."),
    ] == [(line.right, line.said) for line in verdict.lines]
    assert "3 of 5 are right." == verdict.headline


def test_what_is_not_said_is_not_judged():
    model = gap_model("6.18")
    assert "Nothing was predicted." == judge(model, MOVE, Answer()).headline
    assert ["It fails with EFAULT: no, it succeeds."] == [
        line.said for line in judge(model, MOVE, Answer("EFAULT")).lines
    ]
    assert judge(model, MOVE, Answer(rows=parse_layout(RIGHT))).right
    assert ["Nothing is mapped."] == [
        line.said for line in judge(Model("6.18"), Munmap(page(0), PAGE), Answer(rows=())).lines
    ]


# --- the sketch ---


def test_every_tool_does_what_its_button_says():
    sketch = Sketch(gap_model("6.18").snapshot())
    sketch.select(7, 9)
    sketch.use("map")
    assert "[0 to 1 rw] [3 to 4 r] [7 to 8 rw] [66 r]" == sketch.text
    sketch.select(8, 10)
    sketch.allow("rx")
    sketch.use("map")
    assert "[0 to 1 rw] [3 to 4 r] [7 rw] [8 to 9 rx] [66 r]" == sketch.text
    sketch.select(0, 8)
    sketch.use("unmap")
    assert "[8 to 9 rx] [66 r]" == sketch.text
    sketch.select(9, 10)
    sketch.use("split")
    assert "[8 rx] [9 rx] [66 r]" == sketch.text
    sketch.select(8, 10)
    sketch.use("join")
    assert "[8 to 9 rx] [66 r]" == sketch.text
    sketch.use("start")
    assert "[0 to 1 rw] [3 to 4 r] [66 r]" == sketch.text
    assert {"map", "unmap", "split", "join", "start"} == set(TOOLS)


def test_what_was_typed_wrong_is_kept():
    sketch = Sketch(gap_model("6.18").snapshot())
    before = sketch.rows
    sketch.write("[5 to 1 r]")
    assert ("[5 to 1 r]", before) == (sketch.text, sketch.rows)
    assert "ends before it starts" in sketch.error
    sketch.write("[5 r]")
    assert ("[5 r]", "") == (sketch.text, sketch.error)


def test_what_backs_a_vma_stays_where_its_edges_stay():
    vm = Model("6.18")
    vm.mmap(page(0), PAGE, "r", "file", file="book")
    sketch = Sketch(vm.snapshot())
    sketch.write("[0 rw] [2 r]")
    assert "[0 rw book] [2 r]" == sketch.text


@pytest.mark.parametrize(
    "message",
    [
        {"do": "select"},
        {"do": "select", "start": "x", "end": 1},
        {"do": "perms", "value": "q"},
        {"do": "tool", "value": "no"},
    ],
)
def test_a_message_that_makes_no_sense_becomes_a_sentence(message):
    sketch = Sketch(gap_model("6.18").snapshot())
    assert sketch.handle(message)
    assert sketch.error
    assert not sketch.handle({"do": "something else"})


def test_a_vma_is_moved_and_replaces_what_lies_there():
    sketch = Sketch(gap_model("6.18").snapshot())
    assert sketch.handle({"do": "move", "first": 3, "start": 65})
    assert "[0 to 1 rw] [65 to 66 r]" == sketch.text
    assert (65, 67) == sketch.range
    assert sketch.handle({"do": "move", "first": 30, "start": 1}) and "no VMA at page 30" in sketch.error


# --- the widget ---


def test_errnos_are_those_that_the_call_can_give():
    """Held against everything that the kernels of the recordings have answered."""
    names = {one.name: one for one in load_scenarios(str(folder("recordings") / "scenarios.json.xz"))}
    for path in sorted(folder("recordings").glob("[0-9]*.json.xz")):
        for result in json.loads(lzma.decompress(path.read_bytes()))["results"]:
            for call, step in zip(names[result["name"]].steps, result.get("steps", ()), strict=False):
                assert step["errno"] in (None, *ERRNOS_OF[call.name]), (path.name, result["name"])
    offered = [name for name, _ in errno_choices(MOVE)]
    assert ["", "succeeds", "EAGAIN", "EFAULT", "EINVAL", "ENOMEM", "EPERM"] == offered


def test_reveal_with_nothing_answered_gives_nothing_away():
    widget = guess()
    with pytest.raises(UsageError, match="Nothing is revealed yet"):
        widget.reveal()
    state = hear(widget, do="reveal", n=1)
    assert (False, "") == (state["revealed"], widget.told)
    assert state["problem"].startswith("Nothing is revealed yet")


def test_a_value_that_is_not_understood_is_said_as_long_as_it_stands():
    widget = guess()
    assert "“hello” is not an address" in hear(widget, do="value", value="hello", n=1)["wrong"]
    assert hear(widget, do="tool", value="start", n=2)["wrong"]
    assert "" == hear(widget, do="value", value="64", n=3)["wrong"]


def test_the_bands_are_judged_on_one_scale():
    widget = guess()
    widget.vmas = "[64 to 65 rw] [67 to 68 r]"
    widget.reveal()
    look, told = json.loads(widget.look), json.loads(widget.told)
    drawn = "".join(text for _, text in look["picture"]["parts"])
    assert "✓ right" in drawn and "✕ not so" in drawn
    assert "missed" in "".join(text for _, text in told["kernel"]["parts"])
    assert 2 == len(told["kernel"]["frames"])
    before = "".join(text for _, text in look["before"]["parts"])
    assert "range: pages 0 to 4" in before and "target: pages 64 to 68" in before


def test_from_python():
    widget = guess()
    widget.errno, widget.value, widget.vmas = "succeeds", "64", RIGHT
    assert widget.reveal().right
    assert repr(widget).endswith(f"predicted: succeeds, 64, {RIGHT}; All of it is right.)")
    assert gap_model("6.18").history == widget.model.history
    widget.again()
    assert "" == widget.told


def test_an_answer_that_is_not_understood_is_one_clear_error():
    widget = guess()
    with pytest.raises((UsageError, TraitError), match="'EWHAT' is no errno of these calls"):
        widget.errno = "EWHAT"
    with pytest.raises(UsageError, match="is not understood"):
        widget.vmas = "nonsense"
    widget = guess()
    widget.value = "here"
    with pytest.raises(UsageError, match="“here” is not an address"):
        widget.reveal()


def test_the_truth_is_not_in_the_page_before_it_is_revealed():
    widget = guess()
    widget.vmas = "[64 to 65 rw] [67 to 68 r]"
    for text in (widget.state, widget.look, widget.told, widget.still_html(), repr(widget)):
        assert "[66-69" not in text and "66 to 68" not in text
    widget.reveal()
    assert "[66 to 68 r] is missing" in widget.told
    assert "[66 to 68 r]" in widget.still_html()


def test_by_messages_as_the_browser_sends_them():
    widget = guess()
    hear(widget, do="errno", value="succeeds", n=1)
    hear(widget, do="value", value="64", n=2)
    state = hear(widget, do="write", value="[64 to 65 rw] [67 to 68 r]", n=3)
    assert (3, "succeeds", "64", True) == (state["n"], state["errno"], state["value"], state["drawn"])
    hear(widget, do="reveal", n=4)
    told = json.loads(widget.told)
    assert ["A moved gap unmaps what lies at the destination under it."] == [belief for belief, _ in told["suspected"]]
    state = hear(widget, do="value", value="nowhere", n=5)
    state = hear(widget, do="reveal", n=6)
    assert "“nowhere” is not an address" in state["problem"]


def test_a_range_alone_is_no_prediction():
    widget = guess()
    hear(widget, do="select", start=0, end=2, n=1)
    assert GIVEN is widget.answer().errno
    assert widget.answer().rows is None


@pytest.mark.parametrize(
    ("call", "value", "vmas"),
    [
        (Mmap(page(8), PAGE, 3), "8", "[0 to 1 rw] [3 to 4 r] [8 rw] [66 r]"),
        (Mprotect(page(0), PAGE, 1), "0", "[0 r] [1 rw] [3 to 4 r] [66 r]"),
    ],
)
def test_other_calls(call, value: str, vmas: str):
    widget = Predict(gap_model("6.18"), call)
    widget.errno, widget.value, widget.vmas = "succeeds", value, vmas
    assert widget.reveal().right


def test_one_message_for_one_action(monkeypatch: pytest.MonkeyPatch):
    widget = guess()
    sent = []
    monkeypatch.setattr(widget, "send_state", lambda key=None: sent.append(key))
    hear(widget, do="write", value=RIGHT, n=1)
    assert 1 == len(sent)


def test_who_leaves_the_picture_is_asked_whether_that_was_the_answer() -> None:
    widget = guess()
    widget.errno = "succeeds"
    widget.reveal()
    assert "You said nothing of the VMAs" in json.loads(widget.told)["unsaid"] in widget.still_html()
    hear(widget, do="tool", value="start")
    assert widget.vmas and not widget.reveal().right
    assert "" == json.loads(widget.told)["unsaid"]
