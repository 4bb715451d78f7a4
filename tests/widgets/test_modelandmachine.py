"""The widget of model and machine without a browser: traits, repr, the button's message, one message back."""

from __future__ import annotations

import json

import pytest

from tests.teach.test_answers import two_with_gap
from vmalab.widgets import ModelAndMachine


def test_what_is_stored_does_not_depend_on_the_machine():
    widget = ModelAndMachine(two_with_gap())
    assert (
        "ModelAndMachine(Linux 6.17.13, recorded: it answers as the model does, on every call; "
        "this machine: not asked yet; call 4 of 4)" == repr(widget)
    )
    assert widget.still_html() == ModelAndMachine(two_with_gap()).still_html()
    assert 0 == json.loads(widget.data)["asked"]
    assert len(widget.data) < 70_000


def test_traits_stay_within_the_program():
    widget = ModelAndMachine(two_with_gap(), call=2)
    assert 2 == widget.call
    widget.call = 99
    assert 4 == widget.call
    widget.call = -1
    assert 1 == widget.call


def test_the_button_is_answered_with_one_message_every_time(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("VMALAB_LIVE", "off")
    widget = ModelAndMachine(two_with_gap())
    sent = []
    widget.comm.send = lambda data=None, **_: sent.append(data)
    for count in (1, 2):
        widget._handle_custom_msg({"do": "ask"}, [])
        assert count == len(sent) == json.loads(sent[-1]["state"]["data"])["asked"]
    widget._handle_custom_msg("nonsense", [])
    assert 2 == len(sent)
    assert "it can't be asked: the live machine is switched off" in widget.verdicts[1]
    assert widget.verdicts[1] == widget.ask()
