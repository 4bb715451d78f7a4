"""brk: where the heap may end, what is mapped and unmapped for it, and what is in its way."""

from __future__ import annotations

import pytest

from tests.tiny_language import SPREAD, Little, at
from vmalab.linux.addr import HEAP, WORD
from vmalab.linux.call import Brk
from vmalab.words.explain import one_line

every_release = pytest.mark.parametrize("release", SPREAD)


def test_the_heap_starts_in_the_arena() -> None:
    assert at(2048) == HEAP == Little("6.18").mm.brk


@every_release
@pytest.mark.parametrize(
    ("program", "layout"),
    [
        ("brk 2050", "[2048-2050]"),
        ("brk 2050; brk 2052; brk 2049", "[2048-2049]"),
        ("brk 2050; brk 2048", ""),
        ("brk 2049.5", "[2048-2050]"),
        ("brk 2049.5; brk 2050; brk 2049.25", "[2048-2050]"),
        ("map 2046-2048; brk 2050", "[2046-2048][2048-2050]"),  # it never joins what lies before it
        ("brk 2050; protect 2049-2050 r; brk 2052", "[2048-2049][2049-2050][2050-2052]"),
        ("brk 2054; unmap 2050-2052; brk 2051", "[2048-2050]"),
        ("brk 2050; map 2053-2054; brk 2052", "[2048-2052][2053-2054]"),
        ("brk 2050; child; brk 2052", "[2048-2052]"),
    ],
)
def test_where_it_ends(release: str, program: str, layout: str) -> None:
    assert layout == Little(release, program).layout


@every_release
@pytest.mark.parametrize(
    ("program", "key"),
    [
        ("brk 2047 !ENOMEM", "below_heap"),
        ("brk 2050; map 2053-2054; brk 2053 !ENOMEM", "heap_in_the_way"),
        ("map 2310-2311 growsdown; brk 2054 !ENOMEM", "heap_in_the_way"),
        ("brk 2050; unmap 2048-2050; brk 2049 !ENOMEM", "heap_not_mapped"),
        ("limit as 2; brk 2051 !ENOMEM", "rlimit_as"),
        ("limit data 2; brk 2051 !ENOMEM", "heap_rlimit_data"),
        ("map 0-2; limit data 2; brk 2050; map 4-6 r; protect 4-6 rw !ENOMEM", "rlimit_data"),
        ("limit memlock 2; lockall future; brk 2051 !ENOMEM", "rlimit_memlock"),
    ],
)
def test_what_is_in_the_way(release: str, program: str, key: str) -> None:
    outcome = Little(release)(program)
    assert outcome is not None and outcome.rule is not None
    assert key == outcome.rule.key


def test_no_address_is_too_high_for_an_answer() -> None:
    vm = Little("6.18")
    assert ["ENOMEM"] * 3 == [vm.do(Brk(address)).errno for address in (WORD, 1 << 47, 0)]
    assert "" == vm.layout


@every_release
def test_new_heap_is_locked_and_brought_in_where_all_that_comes_is(release: str) -> None:
    vm = Little(release, "brk 2049; lockall future; brk 2051")
    assert ("[2048-2049 ac][2049-2051 ac,lo]", {2049: 0, 2050: 0}) == (vm.show("flags"), vm.contents())
    assert 2 == vm.mm.locked_vm


def test_the_words() -> None:
    vm = Little("6.18")
    said = [one_line(vm.do(Brk(at(end)))) for end in (2050, 2050.5, 2049, 2049)]
    assert [
        "brk moved the end of the heap up, from page 2048 to page 2050; the number of VMAs went from 0 to 1",
        "brk moved the end of the heap up, from page 2050 to page 2050 + 2048 bytes",
        "brk moved the end of the heap down, to page 2049",
        "brk moved the end of the heap to page 2049, and no page came or went",
    ] == said
