"""The checks of lesson 10, and what `traced` answers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from vmalab.errors import UsageError
from vmalab.linux.addr import PAGE, page
from vmalab.machines.replay.program import replay
from vmalab.teach import check, exercise, traced
from vmalab.teach.exercises.lesson10 import MOVED, PAGES_MOVED


def test_the_numbers_are_those_of_the_recording() -> None:
    calls = [event for event in traced("grow").log.calls if event.what.name == "mremap"]
    moved = [one.what.call.old_len for one in calls if one.answer != one.what.call.addr]
    assert (23, MOVED, PAGES_MOVED) == (len(calls), len(moved), sum(-(-length // PAGE) for length in moved))
    assert [] == replay(traced("grow").log).differences


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((23, 0), "most return the address"),
        ((3, 6660), "another address"),
        ((4, 1), "the old length"),
        ("x", "two numbers"),
    ],
)
def test_a_wrong_count_is_told_what_to_look_at(answer: Any, words: str) -> None:
    said = check("10.1", answer)
    assert not said.solved and words in str(said).lower()


def test_half_of_the_pages() -> None:
    vm = exercise("10.2")
    vm.mprotect(page(32), 31 * PAGE, "")
    assert not check("10.2", vm).solved
    vm.mprotect(page(63), PAGE, "")
    assert check("10.2", vm).solved


def test_one_call_for_eight() -> None:
    vm = exercise("10.3")
    for number in range(8):
        vm.mremap(page(number), PAGE, PAGE, 3, page(64 + number))
    assert "after 8 calls" in str(check("10.3", vm))


def test_a_file_of_ones_own(tmp_path: Path) -> None:
    (tmp_path / "x.strace").write_text("munmap(0x7f0000000000, 4096) = 0\n")
    assert "1 calls" in repr(traced(tmp_path / "x.strace"))
    with pytest.raises(UsageError, match="neither a file nor one of grow, fragments, moves"):
        traced("nothing")
