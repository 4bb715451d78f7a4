"""Chance that is the same everywhere: `Dice`, thrown by a seed, and the `Slot` that keeps problems apart.

Of Python's `random` only one thing is promised to stay as it is: what `Random(text).random()` gives.  `choice`,
`shuffle` and `randrange` may change between versions, so all choices here are made from that one method, and no set
or hash has a say in them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random
from typing import TypeVar

from attrs import frozen

T = TypeVar("T")


class Dice:
    """Chance that `seed` decides.

    >>> Dice("7").below(6), Dice("7").shuffled("abcd")
    (4, ['c', 'd', 'b', 'a'])
    """

    def __init__(self, seed: str) -> None:
        self.random = Random(seed).random

    def below(self, count: int) -> int:
        """A number from 0 to `count` - 1."""
        return int(self.random() * count)

    def between(self, low: int, high: int) -> int:
        """A number from `low` to `high`, both included."""
        return low + self.below(high - low + 1)

    def chance(self, of_one: float) -> bool:
        """True with this probability."""
        return self.random() < of_one

    def pick(self, things: Sequence[T]) -> T:
        """One of them."""
        return things[self.below(len(things))]

    def weighted(self, weights: Mapping[T, int]) -> T:
        """One of the keys, as often as its weight says."""
        at = self.below(sum(weights.values()))
        for thing, weight in weights.items():
            if at < weight:
                return thing
            at -= weight
        raise AssertionError("weights are above zero")

    def ordered(self, weights: Mapping[T, int]) -> list[T]:
        """All keys; the heavier, the likelier to come early."""
        rest = dict(weights)
        found: list[T] = []
        while rest:
            found.append(self.weighted(rest))
            del rest[found[-1]]
        return found

    def shuffled(self, things: Sequence[T]) -> list[T]:
        """All of them in another order."""
        rest = list(things)
        return [rest.pop(self.below(len(rest))) for _ in range(len(rest))]


HOMES, SIZES, LEAST = 40, 5, 3


@frozen
class Slot:
    """Where a program starts, and how long its first two mappings are: no two of 1,000 seeds in a row share a slot.

    A program's first mmap is at page `home` and `first` pages long, its second one `second` pages.  So two programs of
    different slots are never the same, whatever else chance gives them.

    >>> len({Slot.of(seed) for seed in range(5000, 6000)})
    1000
    """

    home: int
    first: int
    second: int

    @classmethod
    def of(cls, seed: int) -> Slot:
        """The slot of a seed; neighbours lie far apart."""
        number = seed * 617 % (HOMES * SIZES * SIZES)
        return cls(number % HOMES, LEAST + number // HOMES % SIZES, LEAST + number // (HOMES * SIZES))
