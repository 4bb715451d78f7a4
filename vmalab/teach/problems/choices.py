"""Questions with choices: what is right by the model, and wrong choices from what people believe.

A wrong choice is what somebody would say who holds one of the named misconceptions, or what another kernel does; only
where these are too few it is a near miss.  Each remembers where it comes from, so that there is something to say to it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from attrs import frozen

from vmalab.linux.call import Call, Read, Touch
from vmalab.teach.misconceptions import misconceptions, truth_of
from vmalab.teach.misconceptions.case import Expectation
from vmalab.teach.problems.asked_calls import Asked, play
from vmalab.teach.problems.dice import Dice
from vmalab.teach.problems.error_carried_forward import errors_before
from vmalab.teach.problems.near import Near, near_contents, near_errnos, near_values, near_vmas
from vmalab.teach.problems.said import contents_said, errno_said, value_said, vmas_said
from vmalab.teach.problems.topics import Topic

LETTERS = "abcdefgh"
"""What choices are called."""

WRONG, LEAST_WRONG = 3, 2
"""So many wrong choices at most; near misses come in only where there are less than the least."""

FILLED = 2
"""Up to this level: above it, every wrong choice is what somebody believes or what another kernel does."""

SPEAKS_OF = {"old-address-on-failure": "value", "contents-are-lost": "contents", "source-is-kept": "contents"}
"""Belief → the only kind of question that it has a say in: elsewhere it would be far-fetched."""

SAYS_NOTHING = (Touch, Read)
"""Accesses: nobody asks what they return."""


@frozen
class Held:
    """A misconception (its name) about one of the asked calls (its number in the program; 0 where there is but one)."""

    name: str
    call: int = 0


@frozen
class Choice:
    """One answer that is offered.

    A wrong one comes from `beliefs`, from another `kernel` (a release), or is a `near` miss (a key of the catalogue's
    near misses), and `why` says what is wrong with that.
    """

    text: str
    right: bool = False
    beliefs: tuple[Held, ...] = ()
    kernel: str = ""
    near: str = ""
    why: str = ""


# --- putting them together -----------------------------------------------------------------------------------


@frozen
class Reading:
    """How answers of one kind are said, and what nearly is one."""

    said: Callable[[Expectation], str | None]
    near: Callable[[Asked, Dice], Near]


READINGS: Mapping[str, Reading] = {
    "errno": Reading(errno_said, near_errnos),
    "value": Reading(value_said, near_values),
    "vmas": Reading(vmas_said, near_vmas),
    "contents": Reading(contents_said, near_contents),
}
"""Kind of question → how it is answered."""


def offered(
    kind: str, asked: Asked, topic: Topic, dice: Dice, calls: Sequence[Call], level: int
) -> tuple[Choice, ...] | None:
    """The choices of a question about the last call; None where it is no good question.

    It is none if its answer can't be named, or if no belief and no other kernel answers otherwise.
    O(asked calls · misconceptions · history).
    """
    reading = READINGS[kind]
    right = reading.said(truth_of(asked.case))
    if right is None or (kind == "value" and isinstance(asked.last.call, SAYS_NOTHING)):
        return None
    done = elsewhere(reading, asked, topic.beside, calls)
    if topic.differs and set(done) <= {right}:
        return None
    believed: dict[str, list[Held]] = {}
    for held, expected in _expected(kind, asked, calls):
        said = reading.said(expected)
        if said is not None:
            believed.setdefault(said, []).append(held)
    near = reading.near(asked, dice) if level <= FILLED else iter(())
    return choose(right, believed, done, near, dice, topic.beliefs)


def speaking(kind: str) -> list[str]:
    """The misconceptions that have a say in a question of a kind."""
    return [name for name in misconceptions() if SPEAKS_OF.get(name, kind) == kind]


def _expected(kind: str, asked: Asked, calls: Sequence[Call]) -> Iterator[tuple[Held, Expectation]]:
    """What believers expect in the end: those who err about the last call, then those who err about an earlier one."""
    number = len(calls) if asked.asked > 1 else 0
    names = speaking(kind)
    for name in names:
        expected = misconceptions()[name].expects_in(asked.case)
        if expected is not None:
            yield Held(name, number), expected
    if kind != "contents":
        for at, name, expected in errors_before(asked, calls):
            if name in names:
                yield Held(name, at), expected


def elsewhere(reading: Reading, asked: Asked, kernels: Sequence[str], calls: Sequence[Call]) -> dict[str, str]:
    """What other kernels answer → the first of them that does."""
    done: dict[str, str] = {}
    for release in kernels:
        other = play(calls, asked.asked, release) if release != asked.kernel.release else None
        said = None if other is None else reading.said(truth_of(other.case))
        if said is not None:
            done.setdefault(said, release)
    return done


def choose(
    right: str,
    believed: Mapping[str, Sequence[Held]],
    done: Mapping[str, str],
    near: Near,
    dice: Dice,
    first: Sequence[str] = (),
) -> tuple[Choice, ...] | None:
    """The right choice among wrong ones, in any order.

    `believed`: text → misconceptions that lead to it; `done`: text → a kernel that does so; `near`: near misses;
    `first`: misconceptions whose choices are likelier taken, where there are more than fit.  None
    where no belief and no kernel has a wrong one, or all together have too few.
    """
    wrong = [Choice(text, beliefs=tuple(held), kernel=done.get(text, "")) for text, held in believed.items()]
    weights = {choice: 5 if any(held.name in first for held in choice.beliefs) else 1 for choice in wrong}
    wrong = dice.ordered({choice: weight for choice, weight in weights.items() if choice.text != right})[:WRONG]
    others = [Choice(text, kernel=release) for text, release in done.items() if text != right and text not in believed]
    if others:  # one place is for another kernel
        wrong = [*wrong[: WRONG - 1], *dice.shuffled(others)][:WRONG]
    if not wrong:
        return None
    known = {right, *(choice.text for choice in wrong), *believed}
    for miss in near:
        if len(wrong) >= LEAST_WRONG:
            break
        if miss.text not in known:
            known.add(miss.text)
            wrong.append(Choice(miss.text, near=miss.key, why=miss.why))
    return tuple(dice.shuffled((Choice(right, right=True), *wrong))) if len(wrong) >= LEAST_WRONG else None
