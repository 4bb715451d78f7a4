"""The story of one call of a log, and what all of them add up to."""

from __future__ import annotations

import pytest

from tests.machines.replay.test_replay import START, A, mapped
from vmalab.differences.programs import compare_releases
from vmalab.differences.why import top, why
from vmalab.errors import UsageError
from vmalab.programs.strace import StraceLog, parse
from vmalab.words.catalogue.advice import HELP


def log(text: str) -> StraceLog:
    return parse(("# kernel: 6.18.44\n" + START + text).splitlines())


FIRST = 10
"""The line of the first call after the start."""


def test_why_it_moved_and_who_is_in_the_way():
    moved = mapped(A + 0x1000, 1, "PROT_READ") + mapped(A)
    moved += f"10 mremap({A:#x}, 4096, 8192, MREMAP_MAYMOVE) = {A + 0x100000:#x}\n"
    told = why(log(moved), FIRST + 2)
    assert any(f"line {FIRST}" in sentence and "In the way" in sentence for sentence in told.sentences)
    assert HELP["occupied"] in told.helps


def test_why_it_failed_on_this_kernel():
    failing = mapped(A) + f"10 mremap({A + 0x5000:#x}, 4096, 8192, MREMAP_MAYMOVE) = -1 EFAULT (Bad address)\n"
    told = why(log(failing), FIRST + 1)
    assert "EFAULT" in told.sentences[1]
    assert HELP["unmapped"] in told.helps


def test_a_failure_that_the_vmas_do_not_explain_is_said_to_be_one():
    failing = mapped(A) + f"10 mprotect({A:#x}, 4096, PROT_READ) = -1 ENOMEM (Cannot allocate memory)\n"
    assert any("a log of calls does not show" in sentence for sentence in why(log(failing), FIRST + 1).sentences)


def test_why_two_stayed_apart():
    apart = mapped(A + 0x1000, 1, "PROT_READ") + mapped(A)
    told = why(log(apart), FIRST + 1)
    assert HELP["flags"] in told.helps


def test_no_call_on_that_line():
    with pytest.raises(UsageError, match="is no call that changes an address space"):
        why(log(mapped(A)), 1000)
    with pytest.raises(UsageError, match="was not understood: not a line that strace writes"):
        why(log("what\n"), FIRST)


def test_what_the_calls_add_up_to():
    text = mapped(A, 20)
    for page in range(0, 20, 2):
        text += f"10 mprotect({A + page * 4096:#x}, 4096, PROT_READ) = 0\n"
    for page in range(5):
        at, to = A + page * 4096, A + 0x100000 + page * 4096
        text += f"10 mremap({at:#x}, 4096, 4096, MREMAP_MAYMOVE|MREMAP_FIXED, {to:#x}) = {to:#x}\n"
    found = top(log(text))
    assert ("mprotect of 1 page to r", 10, 19) == (
        found.most("made")[0].name, found.most("made")[0].calls, found.most("made")[0].made)  # fmt: skip
    assert [(FIRST + 11, 5)] == found.runs
    assert 5 == found.most("moved")[0].moved


def test_where_this_program_would_do_otherwise():
    move = f"10 mremap({A:#x}, 8192, 8192, MREMAP_MAYMOVE|MREMAP_FIXED, {A + 0x100000:#x}) = {A + 0x100000:#x}\n"
    text = mapped(A) + mapped(A + 0x1000, 1, "PROT_READ") + move
    _, (one,) = compare_releases(log(text), ["6.16", "6.18"])
    assert {"6.16": "EFAULT"} == one.answers
