"""Beliefs about what a move costs: each counts as it believes, and the model counts otherwise somewhere."""

from __future__ import annotations

import pytest

from tests.tiny_language import Little, parse
from vmalab.teach.misconceptions import case_of, misconceptions
from vmalab.teach.misconceptions.costs import COSTS, Moved, really_moved
from vmalab.words.catalogue.misconceptions import BELIEFS, TRUTHS

CASES = [
    # belief, program, move, what is expected, what is moved
    ("every-page-costs", "map 512-1536; touch 600", "move 512-1536 to 4096", Moved(1024), Moved(0, 1)),
    ("present-pages-cost", "map 512-1536; touch 512-1536", "move 512-1536 to 4096", Moved(1024), Moved(0, 2)),
    ("tables-always-move", "map 512-1536; touch 512-1536", "move 512-1536 to 4097", Moved(0, 2), Moved(1024)),
    ("tables-always-move", "map 500-1100; touch 510-520; touch 600", "move 500-1100 to 4097", Moved(2, 1), Moved(11)),
    ("size-decides", "map 512-1636; touch 600", "move 512-1636 to 4096", Moved(100, 2), Moved(0, 1)),
    ("only-the-vma-moves", "map 512-1024; touch 600", "move 512-1024 to 4096", Moved(), Moved(0, 1)),
]


@pytest.mark.parametrize(("name", "before", "move", "expected", "moved"), CASES)
def test_what_a_believer_counts(name: str, before: str, move: str, expected: Moved, moved: Moved) -> None:
    case = case_of(Little("6.18", before).model, parse(move)[0])
    assert (expected, moved) == (COSTS[name](case), really_moved(case.real))


def test_every_belief_has_a_case_here_and_its_words() -> None:
    assert set(COSTS) == {case[0] for case in CASES}
    assert set(BELIEFS) == set(TRUTHS) == set(COSTS) | set(misconceptions())


@pytest.mark.parametrize("step", ["unmap 0-2", "move 8-9 to 64", "resize 0-4 to 2"])
def test_they_say_nothing_of_what_is_no_move(step: str) -> None:
    case = case_of(Little("6.18", "map 0-4; touch 0-4").model, parse(step)[0])
    assert {None} == {belief(case) for belief in COSTS.values()}
