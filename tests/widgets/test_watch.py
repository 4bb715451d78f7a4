"""`Watch`: a process while it runs, what it is told to do, and what it says where nothing can be seen."""

from __future__ import annotations

import json
import os
import sys

import pytest

from tests.unpacked import unpacked
from tests.widget_states import watched
from vmalab.errors import MachineError, UsageError
from vmalab.system.subject import CALLS, Subject
from vmalab.widgets import Watch
from vmalab.widgets import watch as module

linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="processes can be watched on Linux only")


def state(shown: Watch) -> dict:
    return json.loads(shown.state)


def test_before_the_first_look_it_is_the_same_everywhere():
    shown = Watch()
    assert "Watch(not looked yet)" == repr(shown)
    assert ("cat, recorded", False) == (state(shown)["title"], state(shown)["live"])
    assert "as it was recorded" in shown.still_html()
    assert shown.look_data == Watch().look_data
    with pytest.raises(UsageError, match="there is no process to look at yet"):
        shown.look()
    with pytest.raises(UsageError, match="press Start first"):
        shown.do("mmap")
    with pytest.raises(UsageError, match="it can mmap, write, "):
        shown.do("fork")


def test_what_changed_since_the_last_look():
    shown = watched()
    assert "2 changes since the last look; 5 VMAs at look 2" in repr(shown)
    assert ["~ 7f0000000000-7f0000020000 rw-p 32 pages", "+ 7f0000100000-7f0000104000 r--p 4 pages"] == [
        words.partition(",")[0] for words in state(shown)["changes"]
    ]
    near = len(unpacked(shown.look_data)["parts"])
    told = [shown.saw(shown.now) or state(shown) for _ in range(2)]
    assert "process 4242 (python3): nothing has changed since look 2; 5 VMAs." == told[0]["said"] == told[1]["said"]
    assert 2 == len(told[1]["changes"])  # the last change stays
    assert 4 == shown.looks
    shown._heard(None, {"do": "whole", "value": True, "n": 7}, None)
    assert (True, 7) == (state(shown)["whole"], state(shown)["n"])
    assert near < len(unpacked(shown.look_data)["parts"])


@linux
def test_a_process_is_started_and_does_what_it_is_told():
    shown = Watch()
    shown._heard(None, {"do": "start", "n": 1}, None)
    assert ("", True) == (state(shown)["problem"], state(shown)["runs"])
    before = len(shown.now)
    for what, sign in (("mmap", None), ("write", "~"), ("mprotect", "~"), ("munmap", None)):
        shown._heard(None, {"do": "call", "value": what, "n": 2}, None)
        assert "" == state(shown)["problem"]
        assert state(shown)["said"].startswith("wrote" if what == "write" else what)
        assert state(shown)["changes"]
        if sign:
            assert any(words.startswith(sign) for words in state(shown)["changes"])
    assert before == len(shown.now)
    pid = shown.pid
    shown._heard(None, {"do": "end"}, None)
    assert "was ended" in state(shown)["said"]
    shown._heard(None, {"do": "look"}, None)
    assert f"There is no process {pid}." == state(shown)["problem"]


@linux
def test_a_process_of_ones_own_by_its_number():
    shown = Watch(os.getpid())
    assert f"process {os.getpid()}, not looked at yet" in repr(shown)
    shown.look()
    shown.look()
    assert f"process {os.getpid()}" in state(shown)["title"]
    assert 2 == shown.looks


@pytest.mark.parametrize("value", ["", "x", "-1", "1e3", "²", "99999999999999", None])
def test_what_is_no_process_id_is_said(value: object):
    shown = Watch()
    shown._heard(None, {"do": "follow", "value": value}, None)
    assert "A process id is a number" in state(shown)["problem"]
    assert not state(shown)["live"]


@linux
def test_a_process_that_is_not_there():
    shown = Watch()
    shown._heard(None, {"do": "follow", "value": "999999998"}, None)
    assert "There is no process 999999998." == state(shown)["problem"]
    with pytest.raises(UsageError, match="a process has a number from 1 on"):
        shown.follow(0)


def test_where_there_is_no_linux_it_says_so(monkeypatch: pytest.MonkeyPatch):
    def nowhere(pid: int | None = None) -> None:
        raise MachineError("this system has no /proc: processes can be watched on Linux only")

    monkeypatch.setattr(module, "process", nowhere)
    shown = Watch()
    shown._heard(None, {"do": "follow", "value": "1"}, None)
    assert "on Linux only" in state(shown)["problem"]
    assert "cat, recorded" == state(shown)["title"]


@linux
def test_the_small_process_does_all_of_its_calls_and_ends():
    subject = Subject()
    assert all(subject.do(what)[1] for what in ("mmap", "write", "mremap", "mprotect", "munmap"))
    assert {"mmap", "write", "mremap", "mprotect", "munmap"} == CALLS.keys()
    assert all(subject.do(what)[1] for what in ("mmap", "mprotect"))
    words, ok = subject.do("mremap")  # lesson 04: what grows is one VMA
    assert words.endswith("= EFAULT")
    assert (False, True) == (ok, subject.do("munmap")[1])
    assert ("nothing is left that it has mapped: mmap first", False) == subject.do("munmap")
    subject.end()
    subject.end()
    assert not subject.alive
    with pytest.raises(MachineError, match="has ended"):
        subject.do("mmap")
