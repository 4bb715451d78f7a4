"""Page arithmetic and the half-open range."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vmalab.linux.addr import (
    ARENA_BASE,
    PAGE,
    PAGE_SHIFT,
    PMD_SIZE,
    PUD_SIZE,
    TASK_SIZE,
    WORD,
    Range,
    is_aligned,
    page,
    page_align,
    pages,
)

words = st.integers(0, WORD)


def test_sizes() -> None:
    assert (4096, 2 << 20, 1 << 30, (1 << 47) - 4096) == (PAGE, PMD_SIZE, PUD_SIZE, TASK_SIZE)
    assert PAGE == 1 << PAGE_SHIFT


def test_pages_of_the_arena() -> None:
    assert [ARENA_BASE, ARENA_BASE + 2 * PAGE, ARENA_BASE + PAGE // 2] == [page(0), page(2), page(0.5)]
    assert ARENA_BASE - PAGE == page(-1)


@pytest.mark.parametrize(
    ("length", "expected"),
    [
        (0, 0),
        (1, PAGE),
        (PAGE, PAGE),
        (PAGE + 1, 2 * PAGE),
        (WORD - PAGE + 1, WORD - PAGE + 1),
        (WORD - PAGE + 2, 0),
        (WORD, 0),
    ],
)
def test_rounding_up_wraps(length: int, expected: int) -> None:
    assert expected == page_align(length)


@given(words)
def test_rounding_up(length: int) -> None:
    rounded = page_align(length)
    assert is_aligned(rounded)
    assert (rounded - length) % (WORD + 1) < PAGE
    assert rounded == page_align(rounded)


def test_rounding_down() -> None:
    assert [0, 0, 1, 1, 2] == [pages(length) for length in (0, 4095, 4096, 8191, 8192)]


# --- ranges -----------------------------------------------------------------------------------------------------


def test_a_range() -> None:
    one = Range(PAGE, 4 * PAGE)
    assert one == Range.sized(PAGE, 3 * PAGE)
    assert (3 * PAGE, "1000-4000", [PAGE, 2 * PAGE, 3 * PAGE]) == (len(one), str(one), list(one))
    assert [False, True, True, False] == [address in one for address in (PAGE - 1, PAGE, 4 * PAGE - 1, 4 * PAGE)]
    assert "nothing" not in one
    assert Range(0, PAGE) < one


def test_a_range_does_not_run_backwards() -> None:
    assert 0 == len(Range(PAGE, PAGE))
    with pytest.raises(ValueError, match="ends at or after its start"):
        Range(PAGE, 0)


@pytest.mark.parametrize(
    ("other", "overlap", "clipped"),
    [
        (Range(0, 10), False, Range(0, 0)),
        (Range(0, 11), True, Range(10, 11)),
        (Range(12, 15), True, Range(12, 15)),
        (Range(0, 99), True, Range(10, 20)),
        (Range(19, 30), True, Range(19, 20)),
        (Range(20, 30), False, Range(20, 20)),
    ],
)
def test_overlap_and_clip(other: Range, overlap: bool, clipped: Range) -> None:
    one = Range(10, 20)
    assert (overlap, overlap, clipped) == (one.overlaps(other), other.overlaps(one), one.clip(other))
