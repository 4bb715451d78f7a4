"""What one move would cost: the model's counts, the level that decides, and the measurement beside it."""

from __future__ import annotations

import pytest

from vmalab.errors import UsageError
from vmalab.linux.addr import PAGE, PMD_SIZE
from vmalab.machines.measure import cases, recorded
from vmalab.machines.measure.costs import TERMS, CostModel
from vmalab.machines.measure.plan import SOURCE, TARGET, Entries
from vmalab.machines.measure.price import MOST_PAGES, price


def test_a_price_counts_what_the_measured_case_counts():
    variants = {"aligned": (0, "all"), "a page off": (1, "all"), "nothing present": (0, "none")}
    compared = 0
    for case in cases():
        if case.group not in ("move", "sparse"):
            continue
        target, present = variants.get(case.variant, (0, "sparse"))
        if case.group == "sparse":
            target, present = (case.there[0].new_addr - TARGET) // PAGE, "sparse"
        assert SOURCE == case.there[0].addr
        found = price(case.x, 0, target, present)
        assert case.entries == found.entries, case.name
        assert found.measured is not None
        assert found.entries == found.measured.entries
        compared += 1
    assert compared == len(recorded().group("move")) + len(recorded().group("sparse"))


def test_the_time_is_the_sum_of_its_parts():
    costs = CostModel(dict(zip(TERMS, (1000.0, 100.0, 10.0, 50.0, 70.0, 20.0), strict=True)))
    found = price(1024, 0, 1, costs=costs)
    assert Entries(1, 1, 1024, 0, 0, 3) == found.entries
    assert 1000 + 100 + 10240 + 60 == found.ns == sum(ns for _, _, ns in found.shares())
    assert list(TERMS) == [term for term, _, _ in found.shares()]


@pytest.mark.parametrize(
    ("arguments", "level"),
    [
        ((1, 0, 0, "none"), "nothing"),
        ((4096, 0, 1), "apart"),
        ((511, 0, 0), "short"),
        ((300, 1, 1), "short"),
        ((512, 1, 1), "pmd_rest"),  # the kernel begins at the 2 MiB boundary where nothing else lies before (6.7)
        ((512, 0, 512), "pmd"),
        ((3000, 0, 0), "pmd_rest"),
        ((262144, 0, 0, "sparse"), "pud"),
        ((262144, 512, 0, "sparse"), "pmd"),
        ((262144, 0, 1, "sparse"), "apart"),
        ((512, 0, 512, "huge"), "huge_pmd"),
        ((3000, 0, 0, "huge"), "huge_pmd_rest"),
        ((512, 0, 1, "huge"), "huge_apart"),
        ((512, 1, 2, "huge"), "apart"),  # no 2 MiB between two boundaries, so no huge page came
        ((262144, 0, 0, "huge"), "pud"),
    ],
)
def test_which_level_decides(arguments: tuple, level: str):
    assert level == price(*arguments).level


def test_two_mib_apart_and_a_page_apart_are_two_things():
    assert 0 == price(512, 0, PMD_SIZE // PAGE).entries.pte
    assert 512 == price(512, 0, 1).entries.pte


def test_huge_pages_move_by_one_entry_each_or_are_split():
    whole, split = price(2048, 0, 512, "huge"), price(2048, 0, 1, "huge")
    assert (0, 4, 0) == (whole.entries.pte, whole.entries.pmd, whole.entries.pud)
    assert (2048, 0, 0) == (split.entries.pte, split.entries.pmd, split.entries.pud)
    assert whole.measured is None


def test_what_was_not_measured_has_no_measurement():
    assert price(3000).measured is None


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((0,), f"pages is a number of pages from 1 to {MOST_PAGES}, not 0"),
        ((MOST_PAGES + 1,), "not 524289"),
        ((1, -1), "source is a number of pages from 0 to 262144, not -1"),
        ((1, 0, 262145), "target is a number of pages from 0 to 262144, not 262145"),
        ((1, 0, 0, "some"), "present is one of all, huge, sparse, none, not 'some'"),
    ],
)
def test_numbers_out_of_range(arguments: tuple, words: str):
    with pytest.raises(UsageError, match=words):
        price(*arguments)
