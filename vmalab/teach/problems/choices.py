"""Questions with choices: what is right by the model, and wrong choices from what people believe.

A wrong choice is what somebody would say who holds one of the named misconceptions, or what another kernel does; only
where these are too few it is a near miss.  Each remembers where it comes from, so that there is something to say to it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from attrs import evolve, frozen

from vmalab.linux.addr import PAGE, page_align
from vmalab.linux.call import Call, Mmap, Mremap, Read, Touch
from vmalab.machines.outcome import Row
from vmalab.programs.calltext import page_number, place
from vmalab.teach.misconceptions import misconceptions, truth_of
from vmalab.teach.misconceptions.case import Expectation
from vmalab.teach.misconceptions.layouts import Rows, shifted, without
from vmalab.teach.predictions import layout_text
from vmalab.teach.problems.asked_calls import ARENA, Asked, play
from vmalab.teach.problems.dice import Dice
from vmalab.teach.problems.error_carried_forward import errors_before
from vmalab.teach.problems.topics import Topic
from vmalab.words.failure import errno_name
from vmalab.words.wording import say, word

LETTERS = "abcdefgh"
"""What choices are called."""

WRONG = 3
"""So many wrong choices."""

ABOUT_VALUE = ("old-address-on-failure",)
"""Beliefs about what is returned: they say nothing about anything else."""

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
    near misses).
    """

    text: str
    right: bool = False
    beliefs: tuple[Held, ...] = ()
    kernel: str = ""
    near: str = ""


# --- how an answer is read: what somebody expects → the text of a choice -------------------------------------


def errno_said(expected: Expectation) -> str:
    """`It succeeds.`, or with which errno it fails."""
    return say("quiz", "fails", errno=errno_name(expected.errno)) if expected.errno else word("quiz", "succeeds")


def value_said(expected: Expectation) -> str | None:
    """What comes back; None for an address that nobody could name."""
    if expected.errno:
        return word("quiz", "failed_value")
    if expected.value == 0:
        return word("quiz", "zero")
    return place(expected.value) if expected.value is not None and expected.value in ARENA else None


def vmas_said(expected: Expectation) -> str | None:
    """The VMAs in one line; None where one lies at an address that nobody could name."""
    if not all(row.start in ARENA and row.end in ARENA for row in expected.rows):
        return None
    return layout_text(expected.rows) or word("quiz", "nothing")


def contents_said(expected: Expectation) -> str | None:
    """The pages that hold a value other than zero."""
    if not all(row.start in ARENA and row.end in ARENA for row in expected.rows):
        return None
    return _held(_words(expected.rows.rows))


def _words(rows: Rows) -> dict[int, int]:
    """Page address → its first 64 bits, where those are not zero."""
    return {row.start + index * PAGE: value for row in rows for index, value in row.contents().items() if value}


def _held(words: Mapping[int, int]) -> str:
    told = [f"{page_number(at)}: {words[at]}" for at in sorted(words)]
    return ", ".join(told) or word("quiz", "empty")


# --- near misses ---------------------------------------------------------------------------------------------

Near = Iterator[tuple[str, str]]
"""The text of a choice and the key of what is said to it."""

ERRNOS: Mapping[str, tuple[str | None, ...]] = {
    "mmap": (None, "EEXIST", "ENOMEM", "EINVAL"),
    "munmap": (None, "EINVAL", "ENOMEM", "EPERM"),
    "mprotect": (None, "ENOMEM", "EACCES", "EINVAL"),
    "mremap": (None, "EFAULT", "EINVAL", "ENOMEM"),
    "mseal": (None, "ENOMEM", "EPERM", "EINVAL"),
    "touch": (None, "SEGV", "EFAULT", "BUS"),
    "read": (None, "SEGV", "EFAULT", "BUS"),
}
"""Call → what one might think of."""
ANY_ERRNO = (None, "ENOMEM", "EINVAL", "EAGAIN")


def _near_errnos(asked: Asked, dice: Dice) -> Near:
    for errno in dice.shuffled(ERRNOS.get(asked.last.call.name, ANY_ERRNO)):
        yield errno_said(Expectation(errno, None, asked.last.after)), "errno" if errno else "works"


def _near_values(asked: Asked, dice: Dice) -> Near:
    call = asked.last.call
    places: list[int] = []
    if isinstance(call, Mremap):
        places = [call.addr, call.new_addr, call.addr + page_align(call.old_len), call.new_addr + call.new_len]
        places += [row.start for row in asked.last.before]
    elif isinstance(call, Mmap) and call.addr is not None:
        places = [call.addr + call.length, *(row.start for row in asked.last.before)]
    after = asked.last.after
    near = [(value_said(Expectation(None, at, after)), "value") for at in places if at in ARENA and not at % PAGE]
    near += [(value_said(Expectation(None, 0, after)), "zero"), (value_said(Expectation("E", None, after)), "failed")]
    if not places:
        near += [(say("quiz", "pages", n=getattr(call, "length", PAGE) // PAGE), "zero")]
        near += [(place(getattr(call, "addr", 0)), "zero")]
    yield from ((text, why) for text, why in dice.shuffled(near) if text is not None)


def _near_vmas(asked: Asked, dice: Dice) -> Near:
    rows = asked.last.after.rows
    yield layout_text(asked.setup) or word("quiz", "nothing"), "unchanged"
    for row in dice.shuffled(rows):
        rest = tuple(other for other in rows if other is not row)
        how = dice.pick(("edge", "perms", "missing"))
        if how == "missing" and rest:
            yield layout_text(rest), "missing"
        elif how == "perms":
            perms = "r--p" if row.perms.startswith("rw") else "rw-p"
            yield _with(rest, evolve(row, perms=perms)), "perms"
        if row.pages > 1:
            yield _with(without(rest, row.end, row.end), evolve(row, end=row.end - PAGE)), "edge"
        if all(other.start != row.end for other in rest):
            yield _with(rest, evolve(row, end=row.end + PAGE)), "edge"


def _with(rest: Rows, row: Row) -> str:
    return layout_text(sorted((*rest, row), key=lambda one: one.start))


def _near_contents(asked: Asked, dice: Dice) -> Near:
    rows = asked.last.after.rows
    words = _words(rows)
    yield _held(_words(asked.setup.rows)), "unchanged"
    for by in dice.shuffled((1, -1, 2)):
        if all(row.start > by * PAGE for row in rows):
            yield _held(_words(shifted(rows, by * PAGE))), "shifted"
    for at in dice.shuffled(sorted(words)):
        yield _held({other: value for other, value in words.items() if other != at}), "dropped"


# --- putting them together -----------------------------------------------------------------------------------


@frozen
class Reading:
    """How answers of one kind are said, and what nearly is one."""

    said: Callable[[Expectation], str | None]
    near: Callable[[Asked, Dice], Near]


READINGS: Mapping[str, Reading] = {
    "errno": Reading(errno_said, _near_errnos),
    "value": Reading(value_said, _near_values),
    "vmas": Reading(vmas_said, _near_vmas),
    "contents": Reading(contents_said, _near_contents),
}
"""Kind of question → how it is answered."""


def offered(kind: str, asked: Asked, topic: Topic, dice: Dice, calls: Sequence[Call]) -> tuple[Choice, ...] | None:
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
    return choose(right, believed, done, reading.near(asked, dice), dice, topic.beliefs)


def _expected(kind: str, asked: Asked, calls: Sequence[Call]) -> Iterator[tuple[Held, Expectation]]:
    """What believers expect in the end: those who err about the last call, then those who err about an earlier one."""
    number = len(calls) if asked.asked > 1 else 0
    names = [name for name in misconceptions() if kind == "value" or name not in ABOUT_VALUE]
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
    for text, why in near:
        if len(wrong) == WRONG:
            break
        if text not in known:
            known.add(text)
            wrong.append(Choice(text, near=why))
    return tuple(dice.shuffled((Choice(right, right=True), *wrong))) if len(wrong) > 1 else None
