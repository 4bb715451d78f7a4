"""`Chunks`: a sequence in order of `start` that a changed one shares its parts with.

For the states of a process one after the other: each costs what changed, not what there is.  Knows nothing of VMAs.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import accumulate, chain, islice
from typing import Protocol, TypeVar, overload

SIZE = 64
"""Items of a chunk; up to twice as many before it is cut."""


class Starts(Protocol):
    """Whatever has a start."""

    @property
    def start(self) -> int: ...


T = TypeVar("T", bound=Starts)


class Chunks(Sequence[T]):
    """Items, each with a `start` of its own, in order of it; never changed.

    >>> from vmalab.linux.mm.runs import Run
    >>> some = Chunks.of(Run(start, start + 1, "anon") for start in range(0, 1000, 2))
    >>> more = some.updated({7: Run(7, 8, "anon"), 10: None})
    >>> len(some), [run.start for run in more[3:7]]
    (500, [6, 7, 8, 12])
    """

    __slots__ = ("_chunks", "_ends", "_firsts")

    def __init__(self, chunks: tuple[tuple[T, ...], ...] = ()) -> None:
        self._chunks = chunks
        self._firsts = [chunk[0].start for chunk in chunks]
        self._ends = list(accumulate(map(len, chunks)))

    @classmethod
    def of(cls, items: Iterable[T]) -> Chunks[T]:
        """`items` come in order.  O(n)."""
        return cls(tuple(_cut(list(items))))

    def updated(self, changes: Mapping[int, T | None]) -> Chunks[T]:
        """These with the item of each start in `changes` put there, or with none there.

        O(k · (log n + SIZE) + n / SIZE) for k changes.
        """
        if not changes:
            return self
        by_chunk: dict[int, dict[int, T | None]] = {}
        for start, item in changes.items():
            by_chunk.setdefault(max(bisect_right(self._firsts, start) - 1, 0), {})[start] = item
        chunks = list(self._chunks)
        for index in sorted(by_chunk, reverse=True):
            held: dict[int, T | None] = {item.start: item for item in (chunks[index] if chunks else ())}
            held |= by_chunk[index]
            items = [item for _, item in sorted(held.items(), key=lambda pair: pair[0]) if item is not None]
            chunks[index : index + 1] = [tuple(items)] if 0 < len(items) <= 2 * SIZE else _cut(items)
        changed = Chunks(tuple(chunks))
        # many that have become small are put together
        return changed if len(chunks) <= 8 + 4 * len(changed) // SIZE else Chunks.of(changed)

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    def __iter__(self) -> Iterator[T]:
        return chain.from_iterable(self._chunks)

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> list[T]: ...
    def __getitem__(self, index: int | slice) -> T | list[T]:
        """One item, or a slice of neighbouring ones as a list.  O(log n + items)."""
        if isinstance(index, slice):
            first, last, step = index.indices(len(self))
            number = bisect_right(self._ends, first)
            skipped = first - (self._ends[number - 1] if number else 0)
            rest = chain.from_iterable(self._chunks[number:])
            return list(islice(rest, skipped, skipped + max(last - first, 0)))[::step]
        if not -len(self) <= index < len(self):
            raise IndexError(index)
        index %= len(self)
        number = bisect_right(self._ends, index)
        return self._chunks[number][index - (self._ends[number - 1] if number else 0)]


def _cut(items: list[T]) -> list[tuple[T, ...]]:
    return [tuple(items[at : at + SIZE]) for at in range(0, len(items), SIZE)]
