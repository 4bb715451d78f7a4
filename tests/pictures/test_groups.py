"""Parts in groups: whatever is put in, taken out or changed, the groups hold it, and what stays is the same object."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.pictures.test_frames import unsqueeze
from vmalab.pictures.groups import GROUP, Groups, Part, differences, middle, replaced, squeeze

edits = st.lists(st.tuples(st.integers(0, 400), st.integers(0, 90), st.integers(0, 90)), max_size=12)
"""Where, how many are taken out, and how many put in."""


class Item:
    """Told apart by identity alone, as boxes of different frames may be equal."""


def states(start: int, changes: list[tuple[int, int, int]]) -> list[tuple[Item, ...]]:
    found = [tuple(Item() for _ in range(start))]
    for at, gone, fresh in changes:
        items = list(found[-1])
        items[at : at + gone] = [Item() for _ in range(fresh)]
        found.append(tuple(items))
    return found


@given(st.integers(0, 300), edits)
def test_groups_hold_every_item_once_and_draw_it_once(start: int, changes: list[tuple[int, int, int]]) -> None:
    drawn: list[Item] = []

    def part(item: Item) -> Part:
        drawn.append(item)
        return str(id(item)), "drawn"

    groups, every = Groups(), states(start, changes)
    for items in every:
        found = groups.of(items, part)
        assert [str(id(item)) for item in items] == [key for group in found for key, _ in group]
        assert all(0 < len(group) <= GROUP for group in found)
    assert len(drawn) == len({id(item) for items in every for item in items})


def test_one_that_comes_or_goes_changes_one_group() -> None:
    items = tuple(Item() for _ in range(10 * GROUP))
    groups = Groups()
    before = groups.of(items, lambda item: ("", ""))
    after = groups.of((*items[:300], Item(), *items[301:]), lambda item: ("", ""))
    assert 9 == len({id(group) for group in before} & {id(group) for group in after})


def test_many_that_come_one_by_one_are_in_few_groups() -> None:
    groups, items = Groups(), tuple(Item() for _ in range(8 * GROUP))
    for count in range(len(items)):
        found = groups.of(items[:count], lambda item: ("", ""))
    assert len(found) <= 16


@given(st.integers(1, 300), st.sets(st.integers(0, 299)))
def test_parts_are_replaced_at_their_places(count: int, places: set[int]) -> None:
    groups = Groups()
    found = groups.of(tuple(Item() for _ in range(count)), lambda item: ("old", ""))
    changed = replaced(found, {place: ("new", "") for place in places if place < count})
    assert ["new" if place in places else "old" for place in range(count)] == [k for group in changed for k, _ in group]
    assert all(one is other for one, other in zip(found, changed, strict=True) if one == other)
    assert {"old"} == {key for group in found for key, _ in group}


@given(st.integers(0, 300), edits)
def test_frames_in_groups_are_squeezed_and_come_back(start: int, changes: list[tuple[int, int, int]]) -> None:
    numbers: dict[int, int] = {}
    groups, kept = Groups(), states(start, changes)
    known: dict[int, list[int]] = {}
    frames, alive = [], []
    for items in kept:
        found = groups.of(items, lambda item: (str(numbers.setdefault(id(item), len(numbers))), ""))
        alive.append(found)
        frames.append([known.setdefault(id(group), [int(key) for key, _ in group]) for group in found])
    assert [[numbers[id(item)] for item in items] for items in kept] == unsqueeze(squeeze(frames))


@given(st.lists(st.integers(0, 3)), st.lists(st.integers(0, 3)))
def test_before_and_behind_the_middle_both_are_alike(old: list[int], new: list[int]) -> None:
    start, old_stop, new_stop = middle(old, new)
    assert old[:start] == new[:start] and old[old_stop:] == new[new_stop:]
    assert start <= old_stop <= len(old) and start <= new_stop <= len(new)
    assert old != new or (start, start) == (old_stop, new_stop)


@given(st.integers(0, 300), edits, edits)
def test_differences_turn_one_into_the_other(
    start: int, before: list[tuple[int, int, int]], after: list[tuple[int, int, int]]
) -> None:
    old = states(start, before)[-1]
    new = old
    for at, gone, fresh in after:
        new = (*new[:at], *(Item() for _ in range(fresh)), *new[at + gone :])
    found = differences(old, new)
    made, reached = [], 0
    for was, was_stop, now, now_stop in found:
        made += [*old[reached:was], *new[now:now_stop]]
        assert reached <= was and (was < was_stop or now < now_stop)
        assert not set(map(id, old[was:was_stop])) & set(map(id, new))
        reached = was_stop
    assert [*made, *old[reached:]] == list(new)
