"""The folded address line: to scale, in order, complete, and the same every time."""

from __future__ import annotations

import doctest

from hypothesis import given
from hypothesis import strategies as st

import vmalab.pictures.scale
from vmalab.linux.addr import PAGE
from vmalab.pictures.scale import FOLD_FREE, FOLD_USED, LEAST, MOST, WIDTH, make_scale

areas = st.lists(
    st.tuples(st.integers(0, 1 << 40), st.integers(1, 1 << 30)).map(
        lambda pair: (pair[0] * PAGE, (pair[0] + pair[1]) * PAGE)
    ),
    max_size=30,
)


def test_example_in_the_docstring():
    assert 0 == doctest.testmod(vmalab.pictures.scale).failed


@given(areas, st.lists(st.integers(0, 1 << 63), max_size=4))
def test_the_line_is_complete_in_order_and_deterministic(spaces, edges):
    scale = make_scale(spaces, edges)
    assert scale == make_scale(list(reversed(spaces)), list(reversed(edges)))
    position = None
    for stretch in scale.stretches:
        assert stretch.start < stretch.end
        assert position in (None, (stretch.start, stretch.x))
        position = (stretch.end, stretch.x + stretch.width)
        assert stretch.width >= LEAST - 1  # a pixel may be lost by rounding
        assert scale.x(stretch.start) == stretch.x
    if scale.stretches:
        assert position is not None
        assert position[1] < scale.width
        assert scale.width >= WIDTH
        wanted = {edge for area in spaces for edge in area} | set(edges)
        assert wanted == {stretch.start for stretch in scale.stretches} | {scale.stretches[-1].end}


@given(areas, st.lists(st.integers(0, 1 << 52), min_size=2, max_size=20))
def test_a_higher_address_never_lies_further_left(spaces, addresses):
    scale = make_scale(spaces)
    pixels = [scale.x(address) for address in sorted(addresses)]
    assert sorted(pixels) == pixels


def test_unfolded_stretches_are_to_scale():
    scale = make_scale([(0, 2 * PAGE), (4 * PAGE, 7 * PAGE), (7 * PAGE, 8 * PAGE)])
    assert [144, 144, 216, 72] == [stretch.width for stretch in scale.stretches]
    assert MOST == scale.per_page
    assert not scale.enlarged


def test_a_long_gap_is_folded_and_a_short_one_is_not():
    scale = make_scale([(0, 2 * PAGE), (3 * PAGE, 5 * PAGE), (64 * PAGE, 66 * PAGE)])
    assert [(False, True), (False, False), (False, True), (True, False), (False, True)] == [
        (stretch.folded, stretch.used) for stretch in scale.stretches
    ]
    assert FOLD_FREE == scale.stretches[3].width
    assert [scale.stretches[3]] == scale.folds(5 * PAGE, 64 * PAGE)


def test_a_terabyte_beside_a_page_is_folded_but_a_terabyte_alone_is_not():
    tera = 1 << 40
    beside = make_scale([(0, tera), (tera, tera + PAGE)])
    assert [(FOLD_USED, True), (MOST, False)] == [(stretch.width, stretch.folded) for stretch in beside.stretches]
    alone = make_scale([(0, tera)])
    assert [False] == [stretch.folded for stretch in alone.stretches]


def test_a_window_is_not_folded():
    areas = [(0, 2 * PAGE), (1000 * PAGE, 1001 * PAGE)]
    assert 1 == sum(stretch.folded for stretch in make_scale(areas).stretches)
    inside = make_scale(areas, window=(0, 48 * PAGE))
    assert [(0, 2, False), (2, 48, False), (48, 1000, True), (1000, 1001, False)] == [
        (stretch.start // PAGE, stretch.end // PAGE, stretch.folded) for stretch in inside.stretches
    ]


def test_hundreds_of_edges_make_the_line_longer_instead_of_too_fine():
    scale = make_scale([(3 * i * PAGE, (3 * i + 2) * PAGE) for i in range(512)])
    assert scale.width > WIDTH
    assert LEAST <= min(stretch.width for stretch in scale.stretches)


def test_short_beside_long_is_enlarged_and_says_so():
    scale = make_scale([(0, PAGE), *(((1 + 40 * i) * PAGE, (41 + 40 * i) * PAGE) for i in range(30))])
    assert scale.enlarged
    assert LEAST == scale.stretches[0].width


def test_nothing_to_show():
    scale = make_scale([])
    assert ((), WIDTH, 0) == (scale.stretches, scale.width, scale.x(PAGE))
