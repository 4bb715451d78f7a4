"""The stepper's words at three depths and its page tables, without a browser."""

from __future__ import annotations

import json

import pytest

from tests.sample_outcomes import gap_move, many
from vmalab.errors import UsageError
from vmalab.linux.addr import PAGE, page
from vmalab.machines.model import Model
from vmalab.widgets import Stepper
from vmalab.words.explain import detail, story


def test_the_words_are_as_deep_as_asked_for():
    told = gap_move()
    stepper = Stepper(told, index=3)
    assert stepper.narration.startswith("VMA A [0 to 1 rw-p] may move")
    stepper.depth = 3
    assert detail(told.steps[2]) == stepper.narration.replace("VMA A ", "VMA ")
    stepper.depth = 1
    line = story(told, 1)[0].replace("into VMA [66 to", "into VMA B+C [66 to")
    assert line == stepper.narration
    stepper.index = 5
    assert line == stepper.narration


def test_depth_and_page_tables_can_be_given_and_are_checked():
    stepper = Stepper(gap_move(), depth=3, page_tables=True)
    assert (3, True) == (stepper.depth, stepper.page_tables)
    with pytest.raises(UsageError, match=r"depth is 1 \(short\), 2 \(plain\), 3 \(kernel\) or 4 .*, not 5"):
        stepper.depth = 5


def test_all_depths_and_the_tables_are_in_the_one_message():
    data = json.loads(Stepper(gap_move()).data)
    assert all(step["detail"] for step in data["steps"][1:])
    assert len(data["frames"]) == len(data["tables"]["frames"]) == len(data["tables"]["says"])
    assert len(json.dumps(data["tables"])) < 0.25 * len(json.dumps(data))


def test_the_kernels_own_trace_is_the_fourth_depth():
    stepper = Stepper(gap_move("6.17"), depth=4)
    trace = json.loads(stepper.data)["trace"]
    assert len(trace["at"]) == len(trace["says"]) == stepper.last + 1
    assert [0, "__x64_sys_mremap()"] == trace["calls"][0]
    stepper.index = next(number for number, step in enumerate(stepper.outcome.steps, 1) if step.key == "copied")
    assert stepper.narration.endswith(" → copy_vma_and_data() → copy_vma().")
    assert "copy_vma()" == trace["calls"][trace["at"][stepper.index]][1]


def test_where_nothing_was_traced_there_is_no_fourth_depth_and_no_byte_more():
    stepper = Stepper(Model("6.17").mmap(page(123), 77 * PAGE))
    assert "trace" not in json.loads(stepper.data)
    with pytest.raises(UsageError, match=r"only where these calls were traced; here it is 1 to 3"):
        stepper.depth = 4


def test_a_machine_without_steps_has_its_words_at_every_depth():
    stepper = Stepper(many(8), index=1)
    plain = stepper.narration
    stepper.depth = 3
    assert plain == stepper.narration
