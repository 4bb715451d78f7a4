"""Which VMA after a call was which before it: the letters that a picture gives them.

The VMAs before the call are A, B, C … in order of address, or what they were called before (`vmalab.machines.letters`).
A VMA keeps its letter when it is cut, resized or moved; of several that one was cut into, or left behind by, one is A
and the others are A₂, A₃ …; two that merge are "A+B"; what the call maps anew gets the next letter.  Works from ids
where the model gives them, and from the moves and addresses alone for the live machine and recordings.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache

from vmalab.linux.addr import page_align
from vmalab.linux.call import Mmap, Mremap
from vmalab.linux.flags import MREMAP_DONTUNMAP, MREMAP_FIXED
from vmalab.linux.mm.trace import Step
from vmalab.machines.outcome import LeftOut, Move, Outcome, Row, Snapshot


@lru_cache(maxsize=4096)
def letter(index: int) -> str:
    """0 → A, 25 → Z, 26 → AA.

    >>> letter(0), letter(25), letter(26), letter(701), letter(702)
    ('A', 'Z', 'AA', 'ZZ', 'AAA')
    """
    text = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        text = chr(65 + rest) + text
    return text


def letters(count: int) -> list[str]:
    """The first `count` letters."""
    return [letter(index) for index in range(count)]


def names_of(snapshot: Snapshot) -> list[str]:
    """What the VMAs of `snapshot` are called, in order: by the model that it is of, else by their order."""
    return letters(len(snapshot)) if snapshot.letters is None else snapshot.letters.of(snapshot.rows)


SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
PLAIN = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")


def numbered(name: str, number: int) -> str:
    """The `number`th part of what was called `name`: A, A₂, A₃ …

    >>> numbered("A", 1), numbered("A", 2), numbered("A₂", 13)
    ('A', 'A₂', 'A₁₃')
    """
    bare = name.rstrip("₀₁₂₃₄₅₆₇₈₉")
    return bare if number == 1 else bare + str(number).translate(SUBSCRIPTS)


class Lineage:
    """Follows the VMAs of `before` through one call.

    `left_out`: VMAs that `before` does not show.
    `moves`: those of the whole call; `fresh`: the bytes that the call maps anew, where nothing keeps its letter.
    `given`: what the rows of `before` are called, by id, and how many letters were ever given; in order without it.
    `follow` each step in order (or `finish` at once), then ask `of` about rows of the frame after it.
    """

    def __init__(
        self, before: Snapshot, moves: tuple[Move, ...] = (), fresh: tuple[int, int] | None = None,
        left_out: tuple[LeftOut, ...] = (), given: tuple[Mapping[int | None, str], int] | None = None,
    ) -> None:  # fmt: skip
        self.rows = before.rows
        self.count = len(before.rows) + sum(out.count for out in left_out)
        """How many letters are given before the call, those of VMAs that are not shown among them."""
        if given is None:
            hidden = {out.first + number for out in left_out for number in range(out.count)}
            self.names = [letter(number) for number in range(self.count) if number not in hidden]
            self.taken = set(self.names)
        else:
            names, self.count = given
            self.names = [names[row.id] for row in before.rows]
            self.taken = set(names.values())
        self.final: dict[object, tuple[str, str]] = {}
        """By `identity`, for the rows at the end of the call: what they are made of, and what they are called."""
        self.done: list[Move] = []
        self._waiting = list(moves)
        self._fresh = fresh
        self._starts = [row.start for row in self.rows]
        self._ids = {row.id: index for index, row in enumerate(self.rows) if row.id is not None}
        self._new: dict[object, str] = {}
        self._targets: list[tuple[int, int, Move]] = []

    def follow(self, step: Step) -> None:
        """Note the moves that `step` makes: a VMA appears at the target that was not cut from one lying there."""
        for move in [*self._waiting] if step.added else ():
            end = move.target + move.end - move.start
            if any(vma.start <= move.target and end <= vma.end for vma in step.added) and not any(
                vma.start < end and move.target < vma.end for vma in step.removed
            ):
                self._waiting.remove(move)
                self._make(move)

    def finish(self) -> None:
        """Note all moves that are left."""
        for move in self._waiting:
            self._make(move)
        self._waiting = []

    def _make(self, move: Move) -> None:
        self.done.append(move)
        insort(self._targets, (move.target, move.target + move.end - move.start, move), key=lambda entry: entry[0])

    def _arrived(self, start: int, end: int) -> list[tuple[int, int, Move]]:
        """(start, end, move) of the done moves that went to bytes of [start, end).  O(log n + k): targets are apart."""
        first = max(bisect_right(self._targets, start, key=lambda entry: entry[0]) - 1, 0)
        found = []
        for entry in self._targets[first:]:
            if entry[0] >= end:
                break
            if start < entry[1]:
                found.append(entry)
        return found

    def overlapping(self, start: int, end: int) -> range:
        """Indices of the VMAs before the call that share a byte with [start, end).  O(log n)."""
        first = max(bisect_right(self._starts, start) - 1, 0)
        if first < len(self.rows) and self.rows[first].end <= start:
            first += 1
        return range(first, max(bisect_left(self._starts, end), first))

    def in_target(self, start: int, end: int) -> bool:
        """Whether a move that is done went to some of these bytes."""
        return bool(self._targets and self._arrived(start, end))

    def of(self, row: Row) -> tuple[tuple[int, ...], Move | None]:
        """The indices of the VMAs before the call that `row` was made of, and the move that brought it here."""
        own = self._ids.get(row.id) if row.id is not None else None
        if own is not None and self.rows[own].start == row.start and self.rows[own].end == row.end:
            return (own,), None
        found: set[int] = set() if own is None else {own}
        moved = None
        for start, end, move in self._arrived(row.start, row.end) if self._targets else ():
            start, end = max(row.start, start), min(row.end, end)
            was = self.rows[own] if own is not None else None
            if was is not None and was.start <= start and end <= was.end:
                continue  # what still lies at the target, not what came there
            back = move.start - move.target
            found.update(self.overlapping(start + back, end + back))
            moved = moved or (move if row.start >= move.target else None)
        for index in self.overlapping(row.start, row.end):
            if index in found:
                continue
            old = self.rows[index]
            start, end = max(row.start, old.start), min(row.end, old.end)
            if self._is_fresh(start, end) or self._covered(start, end):
                continue
            found.add(index)
        return tuple(sorted(found)), moved

    def _is_fresh(self, start: int, end: int) -> bool:
        return self._fresh is not None and self._fresh[0] <= start and end <= self._fresh[1]

    def _covered(self, start: int, end: int) -> bool:
        """Whether done moves went to all of [start, end)."""
        left = end - start
        for first, last, _ in self._arrived(start, end) if self._targets else ():
            left -= min(end, last) - max(start, first)
        return left <= 0

    def name_at(self, address: int) -> str:
        """The letter of what lay at byte `address` before the call."""
        index = bisect_right(self._starts, address) - 1
        return self.names[index] if index >= 0 and address < self.rows[index].end else "?"

    def settle(self, after: Sequence[Row]) -> None:
        """Say what the rows `after` the call are called; all moves must be noted.  O(n log n).

        Of several with one name the VMA that had it before keeps it, else the first; the others get numbers that nobody
        had.
        """
        alike: dict[str, list[Row]] = {}
        for row in after:
            alike.setdefault(self.name(row, self.of(row)[0]), []).append(row)
        self.taken |= alike.keys()
        for name, rows in alike.items():
            had = [row for row in rows if row.id in self._ids and self.names[self._ids[row.id]] == name]
            keeps = (had or rows)[0]
            number = 1
            for row in rows:
                fresh = name
                while row is not keeps and fresh in self.taken:
                    number += 1
                    fresh = numbered(name, number)
                self.taken.add(fresh)
                self.final[identity(row)] = name, fresh

    @property
    def letters_given(self) -> int:
        """How many letters were given by the end of the call."""
        return self.count + len(self._new)

    def name(self, row: Row, origins: tuple[int, ...]) -> str:
        """What `row`, made of `origins`, is called: at the end of the call, if that is what it is then."""
        made_of, name = self._made_of(row, origins), self.final.get(identity(row))
        return name[1] if name is not None and name[0] == made_of else made_of

    def _made_of(self, row: Row, origins: tuple[int, ...]) -> str:
        """The letters of `origins`, or the next free one for a new VMA."""
        if not origins:
            key = identity(row)
            if key not in self._new:
                self._new[key] = letter(self.count + len(self._new))
            return self._new[key]
        if len(origins) == 1:
            return self.names[origins[0]]
        if len(origins) > 3:
            return f"{self.names[origins[0]]}…{self.names[origins[-1]]}"
        return "+".join(dict.fromkeys(numbered(self.names[index], 1) for index in origins))


def identity(row: Row) -> object:
    """By what a row is known from frame to frame: its id, or its place."""
    return row.id if row.id is not None else (row.start, row.end)


def lineage_of(
    outcome: Outcome, value: int | None = None, given: tuple[Mapping[int | None, str], int] | None = None
) -> Lineage:  # fmt: skip
    """A lineage for `outcome`, the names at its end settled; `value`: what came back, where the outcome has none."""
    before, after = outcome.before, outcome.after
    value = outcome.value if outcome.value is not None else value
    moves = moves_of(outcome, value)
    fresh = None
    if isinstance(outcome.call, Mmap) and outcome.ok and value is not None:
        fresh = value, value + page_align(outcome.call.length)
    ended = Lineage(before, moves, fresh, outcome.left_out, given)
    ended.finish()
    ended.settle(after.rows)
    found = Lineage(before, moves, fresh, outcome.left_out, given)
    found.final, found.taken, found._new = ended.final, ended.taken, ended._new
    return found


# --- moves that nobody told ---


def moves_of(outcome: Outcome, value: int | None) -> tuple[Move, ...]:
    """The moves of an outcome; where the machine cannot tell them, those that an mremap must have made."""
    call = outcome.call
    if outcome.moves or not isinstance(call, Mremap):
        return outcome.moves
    if outcome.errno:
        return _moved_all_the_same(call, outcome)
    if value is None or value == call.addr:
        return ()
    end = call.addr + min(call.old_len, call.new_len)
    return tuple(_parts(outcome.before, call, end, value, bool(call.flags & MREMAP_DONTUNMAP)))


def _moved_all_the_same(call: Mremap, outcome: Outcome) -> tuple[Move, ...]:
    """What a refused move of several VMAs had moved by then: nothing lies where it was, and its like at the target."""
    if call.old_len != call.new_len or call.flags & (MREMAP_FIXED | MREMAP_DONTUNMAP) != MREMAP_FIXED:
        return ()
    before, after = outcome.before, outcome.after

    def moved(move: Move) -> bool:
        was, now = before.at(move.start), after.at(move.target)
        gone = not any(row.start < move.end and move.start < row.end for row in after)
        return gone and was is not None and now is not None and (was.perms, was.backing) == (now.perms, now.backing)

    return tuple(filter(moved, _parts(before, call, call.addr + call.old_len, call.new_addr, False)))


def _parts(before: Snapshot, call: Mremap, end: int, target: int, kept: bool) -> Iterator[Move]:
    for row in before:
        start, stop = max(row.start, call.addr), min(row.end, end)
        if start < stop:
            yield Move(start, stop, start - call.addr + target, kept)
