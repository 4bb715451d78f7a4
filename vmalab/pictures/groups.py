"""Pictures as groups of parts, so that what many frames share is drawn, numbered and compared once.

A *part* is one SVG element with its key, or the number that stands for it.  Frame after frame most groups are the same
objects, and what is the same object is never looked into: a frame costs what differs in it.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import accumulate
from typing import Any, TypeVar

GROUP = 64
"""Parts of a group; in a picture with fewer there is one group of a kind."""

Part = tuple[str, str]
"""Key and SVG element."""

T = TypeVar("T")


def alike(a: Sequence[Any], b: Sequence[Any]) -> int:
    """How many items two sequences begin with alike.  O(n), almost all of it in comparisons of whole slices."""
    low, high = 0, min(len(a), len(b))
    while low < high:
        half = (low + high + 1) // 2
        if a[low:half] == b[low:half]:
            low = half
        else:
            high = half - 1
    return low


def middle(old: Sequence[Any], new: Sequence[Any]) -> tuple[int, int, int]:
    """What differs, as (start, old stop, new stop): before and behind it both hold the same."""
    start = alike(old, new)
    end = min(alike(old[::-1], new[::-1]), len(old) - start, len(new) - start)
    return start, len(old) - end, len(new) - end


def differences(old: Sequence[Any], new: Sequence[Any]) -> list[tuple[int, int, int, int]]:
    """Where two sequences differ: what [start, stop) of each is.  Items are the same if they are the same object, and
    what comes in another order is different.

    `[(old start, old stop, new start, new stop), ...]`, in order.  O(n), in comparisons of whole slices where few
    items that stand together are other ones.
    """
    at, old_stop, new_stop = middle(old, new)
    there, found = at, []
    places: dict[int, int] = {}
    while at < old_stop or there < new_stop:
        gone, fresh = _nearest(old[at : at + NEAR], new[there : there + NEAR], old_stop - at, new_stop - there)
        if gone < 0:
            places = places or {id(item): place for place, item in enumerate(old)}
            stop = next((place for place in range(there, new_stop) if places.get(id(new[place]), -1) >= at), new_stop)
            gone = (places[id(new[stop])] if stop < new_stop else old_stop) - at
            fresh = stop - there
        found.append((at, at + gone, there, there + fresh))
        at, there = at + gone, there + fresh
        same = alike(old[at:old_stop], new[there:new_stop])
        at, there = at + same, there + same
    return found


NEAR = 8
"""So few items are looked through one by one."""


def _nearest(old: Sequence[Any], new: Sequence[Any], old_left: int, new_left: int) -> tuple[int, int]:
    """How many items of each to leave out for both to go on alike, or to end together; (-1, -1) if that is not near."""
    for both in range(1, NEAR):
        for gone in range(both + 1):
            fresh = both - gone
            if gone < len(old) and fresh < len(new):
                if old[gone] is new[fresh]:
                    return gone, fresh
            elif gone == old_left and fresh == new_left:
                return gone, fresh
    return -1, -1


class Groups:
    """The parts of a row of items that changes from frame to frame, in groups of at most `GROUP`.

    `part`: draws an item; each is drawn once, by its identity, so items have to be kept as long as this is.
    """

    def __init__(self) -> None:
        self._items: Sequence[Any] = ()
        self._groups: list[list[Part]] = []
        self._drawn: dict[int, Part] = {}

    def part(self, item: T, draw: Callable[[T], Part]) -> Part:
        """The part of one item."""
        found = self._drawn.get(id(item))
        if found is None:
            found = self._drawn[id(item)] = draw(item)
        return found

    def of(self, items: Sequence[T], draw: Callable[[T], Part]) -> list[list[Part]]:
        """The parts of `items`; a group in which no item is new is that of the time before.  O(n) in C, and
        O(differences)."""
        if items is self._items:
            return self._groups
        groups, at = [], 0
        for first, last, start, stop in self._touched(differences(self._items, items)):
            fresh = [self.part(item, draw) for item in items[start:stop]]
            groups += self._groups[at:first]
            groups += [fresh[at : at + GROUP] for at in range(0, len(fresh), GROUP)]
            at = last
        self._items, self._groups = items, [*groups, *self._groups[at:]]
        return self._groups

    def _touched(self, changes: Iterable[tuple[int, int, int, int]]) -> list[tuple[int, int, int, int]]:
        """The groups [first, last) to be made again, and of which new items [start, stop); in order and apart."""
        ends = [0, *accumulate(map(len, self._groups))]
        found: list[tuple[int, int, int, int]] = []
        for was, was_stop, now, now_stop in changes:
            first = bisect_right(ends, was) - 1  # so many groups end before the difference
            last = max(first, bisect_left(ends, was_stop))  # and from here on they begin behind it
            if first and ends[first] - ends[first - 1] < GROUP // 2:
                first -= 1  # a small one is made larger
            start, stop = now - (was - ends[first]), now_stop + ends[last] - was_stop
            if found and first < found[-1][1]:
                first, _, start, _ = found.pop()
            found.append((first, last, start, stop))
        return found


def replaced(groups: list[list[Part]], parts: Mapping[int, Part]) -> list[list[Part]]:
    """`groups` with other parts at some places, counted over all of them."""
    ends = list(accumulate(map(len, groups)))
    changed = list(groups)
    for place, part in parts.items():
        number = bisect_right(ends, place)
        if changed[number] is groups[number]:
            changed[number] = list(groups[number])
        changed[number][place - (ends[number - 1] if number else 0)] = part
    return changed


def squeeze(frames: Iterable[Sequence[list[int]]]) -> list[list[Any]]:
    """Each frame as the list of its parts, or as what differs from the frame before, whichever is shorter.

    `[[from, to, [n, ...]], ...]` (lists inside another): the parts from `from` up to, not including, `to` of the frame
    before are replaced; in order, and all counted in the frame before.  A frame is given in groups.  O(groups + parts
    of those that differ).

    >>> squeeze([[[1, 2, 3], [4, 5, 6, 7]], [[1, 2, 9], [4, 5, 6]], [[1, 2, 9], [4, 5, 6]]])
    [[1, 2, 3, 4, 5, 6, 7], [[2, 3, [9]], [6, 7, []]], [[0, 0, []]]]
    """
    squeezed: list[list[Any]] = []
    previous: Sequence[list[int]] = ()
    for frame in frames:
        changes = _changes(previous, frame)
        if squeezed and sum(len(fresh) + 2 for _, _, fresh in changes) < sum(map(len, frame)):
            squeezed.append(changes or [[0, 0, []]])
        else:
            squeezed.append(_flat(frame))
        previous = frame
    return squeezed


def _flat(groups: Iterable[list[int]]) -> list[int]:
    return [part for group in groups for part in group]


def _changes(old: Sequence[list[int]], new: Sequence[list[int]]) -> list[list[Any]]:
    """What to replace in the parts of `old` to have those of `new`; only groups that `old` has not are looked into."""
    starts = [0, *accumulate(map(len, old))]
    return [
        change
        for was, was_stop, now, now_stop in differences(old, new)
        for change in _changes_between(_flat(old[was:was_stop]), _flat(new[now:now_stop]), starts[was])
    ]


def _changes_between(old: list[int], new: list[int], offset: int) -> list[list[Any]]:
    """The same for two lists; what comes in another order is replaced too."""
    start, old_stop, new_stop = middle(old, new)
    places = {part: place for place, part in enumerate(old[start:old_stop], start)}
    found: list[list[Any]] = []
    at, fresh = start, []  # how far of `old` is settled, and what stands there instead
    for part in new[start:new_stop]:
        place = places.get(part, -1)
        if place < at:
            fresh.append(part)
            continue
        if fresh or place > at:
            found.append([offset + at, offset + place, fresh])
            fresh = []
        at = place + 1
    if fresh or at < old_stop:
        found.append([offset + at, offset + old_stop, fresh])
    return found
