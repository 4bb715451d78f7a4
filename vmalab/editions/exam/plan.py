"""Which problems the versions of a sheet have: at each place one topic, kind and effort, and never the same problem."""

from __future__ import annotations

from collections.abc import Iterator
from string import ascii_uppercase

from attrs import frozen

from vmalab.editions.bank.draw import TRIES, drawn
from vmalab.errors import UsageError
from vmalab.teach.problems import LEVELS, TOPICS, Problem

APART = 1
"""So much may the effort of two versions differ from that of the first, at one place."""


@frozen
class Plan:
    """What is asked for: `count` problems from `topics`, of one level, in so many `versions`; drawn from `secret`."""

    topics: tuple[str, ...]
    level: int
    count: int
    versions: int
    secret: str
    title: str = "Virtual memory: what mremap does"

    def __attrs_post_init__(self) -> None:
        for topic in self.topics:
            if topic not in TOPICS:
                raise UsageError(f"there are no problems for topic {topic!r}: there are for {', '.join(TOPICS)}")

    def places(self) -> Iterator[tuple[str, str]]:
        """Topic and kind of each problem: the topics in turn, and of each its kinds in turn, the commonest first."""
        used = dict.fromkeys(self.topics, 0)
        for number in range(self.count):
            topic = self.topics[number % len(self.topics)]
            weights = TOPICS[topic].kinds
            kinds = sorted(weights, key=lambda kind: weights[kind], reverse=True)
            yield topic, kinds[used[topic] % len(kinds)]
            used[topic] += 1


def versions(plan: Plan) -> dict[str, list[Problem]]:
    """The problems of each version: its letter → problems.  UsageError where a place can't be filled.

    Some 0.3 s for each place and version.
    """
    letters = ascii_uppercase[: plan.versions]
    found: dict[str, list[Problem]] = {letter: [] for letter in letters}
    seen: set[object] = set()
    for number, (topic, kind) in enumerate(plan.places()):
        row = _row(plan, number, topic, kind, seen)
        if row is None:
            raise UsageError(
                f"topic {topic}, level {plan.level} has too few problems of the kind {kind} that are equally hard for "
                f"{plan.versions} versions: ask for fewer versions or problems, or for another level"
            )
        for letter, one in zip(letters, row, strict=True):
            found[letter].append(one)
            seen.add(one.identity)
    return found


def _row(plan: Plan, number: int, topic: str, kind: str, seen: set[object]) -> list[Problem] | None:
    """A problem for each version at one place; None where there are too few."""
    for attempt in range(TRIES):
        first = drawn(plan.secret, f"exam {number} {attempt}", topic, plan.level, kind)
        if first is None or first.identity in seen:
            continue
        row = [first]
        for place in range(TRIES):
            if len(row) == plan.versions:
                return row
            at = f"exam {number} {attempt} {place}"
            one = drawn(plan.secret, at, topic, plan.level, kind, near(first.difficulty.effort, plan.level))
            if one is not None and one.identity not in seen | {other.identity for other in row}:
                row.append(one)
        if len(row) == plan.versions:
            return row
    return None


def near(effort: int, level: int) -> tuple[int, int]:
    """The band of effort around one, within its level.

    >>> near(16, 1), near(30, 3)
    ((15, 16), (29, 31))
    """
    least, most = LEVELS[level]
    return max(least, effort - APART), min(most, effort + APART)
