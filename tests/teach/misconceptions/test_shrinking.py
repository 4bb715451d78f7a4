"""A move that shrinks is no move of many: no belief about gaps and several VMAs speaks of it."""

from __future__ import annotations

import pytest

from vmalab import PAGE, Model, page
from vmalab.teach.misconceptions import misconceptions
from vmalab.teach.misconceptions.case import Case

ABOUT_MANY = ("gaps-close-up", "gap-unmaps", "one-vma-per-call", "stops-at-a-gap")


def spoken(old: int, new: int) -> set[str]:
    vm = Model("6.18")
    for first in (0, 3, 6):
        vm.mmap(page(first), 2 * PAGE)
    vm.mmap(page(66), PAGE, "r")
    before = vm.copy()
    real = vm.mremap(page(0), old * PAGE, new * PAGE, 3, page(64))
    assert real.ok
    case = Case(before, real.call, real)
    return {name for name in ABOUT_MANY if misconceptions()[name].expects_in(case) is not None}


def test_beliefs_about_many_speak_of_moves_that_keep_the_size() -> None:
    assert spoken(8, 8) == set(ABOUT_MANY)


@pytest.mark.parametrize(("old", "new"), [(8, 2), (8, 1), (4, 2)])
def test_and_not_of_those_that_shrink(old: int, new: int) -> None:
    assert spoken(old, new) == set()
