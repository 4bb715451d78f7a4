"""The side-by-side widget without a browser: traits, repr, the still picture, and one message."""

from __future__ import annotations

import json

import pytest

from tests.differences.test_lockstep import program
from vmalab.differences.lockstep import Lockstep
from vmalab.errors import UsageError
from vmalab.widgets import SideBySide


def test_it_opens_at_the_end_of_the_first_call_that_differs():
    both = SideBySide(program())
    assert (5, 15, 15) == (both.call, both.step, both.last)
    assert (
        "SideBySide(Linux 6.16 and Linux 6.17 differ first at call 5; call 5 of 6, step 15 of 15)"
        == repr(both)
        == repr(SideBySide(program()))
    )
    assert ("multi_vma_move",) == both.why
    assert Lockstep(program()).data() == json.loads(both.data)
    assert (6, 1) == (SideBySide(program(), "6.17", "6.18").call, SideBySide(program(), "6.17", "6.18").step)


def test_traits_stay_within_the_program():
    both = SideBySide(program(), call=5, step=3)
    both.call = 1
    assert (1, 1) == (both.call, both.step)
    both.call = 99
    both.step = 99
    assert (6, 1) == (both.call, both.step)
    both.step = -1
    assert 0 == both.step


def test_still_and_stable():
    both = SideBySide(program())
    html = both.still_html()
    assert html == SideBySide(program()).still_html() == Lockstep(program())._repr_html_()
    assert 2 == html.count("<svg") and "<script" not in html


def test_all_in_one_message_of_moderate_size():
    assert len(SideBySide(program()).data) < 130_000


def test_what_nobody_could_run_is_an_error():
    with pytest.raises(UsageError, match=r"nothing to show side by side: Linux 6\.16\.12, recorded could not run it"):
        SideBySide(program(), "recorded:6.16", "recorded:6.17")
