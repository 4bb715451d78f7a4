"""Which problems a bank or a sheet has: drawn from a text that only the lecturer has.

From the text and a problem's place its seed is derived (HMAC-SHA256).  So whoever has vmalab, but not the text,
can't make the problems of a bank again; and the same text gives the same bank on every machine.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Iterator
from hashlib import sha256

from attrs import frozen

from vmalab.errors import UsageError
from vmalab.teach.problems import TOPICS, Problem, problem

SEEDS = 1 << 52
"""Seeds are below this."""

TRIES = 40
"""So many seeds are tried for one place; few have no problem of a seldom kind."""

LEAST_SECRET = 16
"""Characters that a text needs so that nobody finds it by trying; `secrets.token_hex` gives twice as many."""

FREE = ("draw", "shortest")
"""Kinds whose answers are drawn or written, and not chosen."""


@frozen
class Wanted:
    """What a bank is to hold: `count` problems of a topic and level, of a `kind` or of all; drawn from `secret`."""

    topic: str
    level: int
    count: int
    kind: str | None
    secret: str

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds that it may hold."""
        return (self.kind,) if self.kind else tuple(TOPICS[self.topic].kinds)

    def __attrs_post_init__(self) -> None:
        if self.topic not in TOPICS:
            raise UsageError(f"there are no problems for topic {self.topic!r}: there are for {', '.join(TOPICS)}")
        if self.kind is not None and self.kind not in TOPICS[self.topic].kinds:
            known = ", ".join(TOPICS[self.topic].kinds)
            raise UsageError(f"topic {self.topic} has no problems of the kind {self.kind!r}: there are {known}")


def seed_of(secret: str, place: str) -> int:
    """The seed of a problem at this place of a bank or a sheet.

    >>> seed_of("a secret", "04/2 1") == seed_of("a secret", "04/2 1") != seed_of("a secret", "04/2 2")
    True
    """
    return int.from_bytes(hmac.new(secret.encode(), place.encode(), sha256).digest()[:7], "big") % SEEDS


def drawn(
    secret: str, place: str, topic: str, level: int, kind: str | None, effort: tuple[int, int] | None = None
) -> Problem | None:
    """The problem at a place; None where there is none in `TRIES` seeds."""
    return first_of((seed_of(secret, f"{place} {number}") for number in range(TRIES)), level, topic, kind, effort)


def first_of(
    seeds: Iterable[int], level: int | None, topic: str, kind: str | None, effort: tuple[int, int] | None
) -> Problem | None:
    """The problem of the first seed that has one of this kind and effort, its seed hidden; None where none has."""
    for seed in seeds:
        try:
            one = problem(level, seed, topic, kind=kind, effort=effort)
        except UsageError:
            continue
        one.hide_seed = True
        return one
    return None


def problems(wanted: Wanted, kinds: tuple[str, ...] | None = None) -> Iterator[Problem]:
    """As many different problems as are wanted, of these `kinds` only if given.  UsageError where there are fewer.

    Some 30 ms each; more where a kind is seldom.
    """
    given, seen, place = 0, set(), 0
    while given < wanted.count:
        if place >= TRIES * (wanted.count + 1):
            what = f"kind {wanted.kind}" if wanted.kind else "any such kind"
            raise UsageError(
                f"topic {wanted.topic}, level {wanted.level} has only {given} problems of {what} that differ: "
                f"ask for fewer, for another kind or another level"
            )
        at = f"{wanted.topic}/{wanted.level}/{wanted.kind or 'any'} {place}"
        one = drawn(wanted.secret, at, wanted.topic, wanted.level, wanted.kind)
        place += 1
        if one is None:
            continue
        if (kinds is None or one.kind in kinds) and one.identity not in seen:
            seen.add(one.identity)
            given += 1
            yield one
