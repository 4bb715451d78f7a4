"""From a seed to a problem: programs and questions are tried until one fits the level and has one right answer."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from attrs import evolve

from vmalab.errors import UsageError, VmalabError
from vmalab.linux.call import Call, Mmap, Mprotect, Mremap, Munmap
from vmalab.programs.scenario import Scenario
from vmalab.teach.misconceptions import truth_of
from vmalab.teach.misconceptions.layouts import outline
from vmalab.teach.predictions import layout_text
from vmalab.teach.problems.asked_calls import Asked, play
from vmalab.teach.problems.choices import READINGS, Choice, elsewhere, offered
from vmalab.teach.problems.dice import Dice, Slot
from vmalab.teach.problems.difficulty import LEVELS, Band, measure
from vmalab.teach.problems.draft import MOVE, Draft
from vmalab.teach.problems.entries import entries_offered
from vmalab.teach.problems.problem import Problem
from vmalab.teach.problems.releases import offered_for, table
from vmalab.teach.problems.shortest import Goal, shortest
from vmalab.teach.problems.topics import KINDS, TOPICS, Topic, added, topic_of
from vmalab.words.wording import say, word

EDITION = "2"
"""Part of every seed: another edition would have other problems."""

TRIES, ROUNDS = 40, 20
"""So many programs are tried for one kind of question before the next kind has its turn, and so often for each kind;
the survey (`make problems`) tells how many it really takes."""

MOST_SEED = 1 << 53

MOST_ASKED = {1: 2, 2: 3, 3: 4, 4: 6, 5: 7}
"""Level → so many calls are asked about at most: what is long is not hard."""

ARENA_PAGES = 1 << 16
"""Room for moves of some MiB."""


def problem(
    level: int | None = None,
    seed: int = 1,
    topic: str | None = None,
    *,
    kind: str | None = None,
    effort: tuple[int, int] | None = None,
) -> Problem:
    """The problem that `seed` stands for, the same on every machine.

    `level`: 1 to 5, see `vmalab.teach.problems.difficulty`; without it 1, or that of `effort`.  `topic`: a lesson's
    number such as `"04"` (or `"4"`), of those in `TOPICS`; None for any.  `kind`: the kind of question, of `KINDS`;
    None for any of the topic's.  `effort`: the least and the most effort (steps, rules and VMAs together) within one
    level; None for all that the level has.  With the same level, topic, kind and effort, problems of different seeds
    are of equal kind and equally hard.

    Of 1,000 seeds in a row no two give the same problem.  Raises UsageError for what does not exist, and where no such
    problem is found.  Takes some 10 ms; where kind and effort are seldom, up to some seconds.

    >>> problem(2, 7).digest == problem(2, 7).digest
    True
    >>> [problem(seed=seed, topic="04", kind="errno", effort=(23, 26)).kind for seed in (1, 2)]
    ['errno', 'errno']
    """
    level, band = _level_and_band(level, effort)
    whole: object = seed  # a learner may give anything
    if isinstance(whole, bool) or not isinstance(whole, int) or not 0 <= whole < MOST_SEED:
        raise UsageError(f"seed is a whole number from 0 on, not {seed!r}")
    topic = topic if topic is None else str(topic).zfill(2)
    if topic is not None and topic not in (*TOPICS, *added):
        raise UsageError(f"there are no problems for topic {topic!r}: there are for {', '.join((*TOPICS, *added))}")
    topics = (topic,) if topic in added else tuple(name for name in TOPICS if topic in (None, name))
    held = "" if kind is None and effort is None else f"/{kind or 'any'}/{band[0]}-{band[1]}"
    if kind is not None:
        topics = tuple(name for name in topics if kind in topic_of(name).kinds)
        if not topics:
            known, where = (topic_of(topic).kinds, f" for topic {topic}") if topic and kind in KINDS else (KINDS, "")
            raise UsageError(f"there are no problems of the kind {kind!r}{where}: there are {', '.join(known)}")
    dice = Dice(f"vmalab problem {EDITION}/{level}/{topic or 'any'}/{seed}{held}")
    about = topic or dice.pick(topics)
    for one in (dice.ordered(topic_of(about).kinds) if kind is None else [kind]) * ROUNDS:
        for _ in range(TRIES):
            made = _tried(dice, level, band, seed, about, one)
            if made is not None:
                made.chosen_topic = topic
                return made
    if held:
        asked = f"topic {about}, kind {kind or 'any'} and effort {band[0]} to {band[1]}"
        raise UsageError(f"no problem of {asked} was found for seed {seed}: ask for another kind, or a wider effort")
    raise VmalabError(f"no problem of level {level}, topic {about} was found for seed {seed}: this is a bug of vmalab")


def _level_and_band(level: int | None, effort: tuple[int, int] | None) -> tuple[int, Band]:
    """The level that was meant, and the band of effort within it."""
    whole: object = level
    if whole is not None and (isinstance(whole, bool) or whole not in LEVELS):
        raise UsageError(f"level is a number from 1 to {max(LEVELS)}, not {level!r}")
    if effort is None:
        level = level or 1
        return level, LEVELS[level]
    try:
        least, most = effort
        found = [one for one, band in LEVELS.items() if band[0] <= least <= most <= band[1]]
    except (TypeError, ValueError):
        found = []
    if not found:
        bands = ", ".join(f"{low} to {high}" for low, high in LEVELS.values())
        raise UsageError(f"effort is the least and the most within one of the levels ({bands}), not {effort!r}")
    if level not in (None, found[0]):
        raise UsageError(f"an effort of {least} to {most} is level {found[0]}, not {level}")
    return found[0], (least, most)


def _tried(dice: Dice, level: int, band: Band, seed: int, name: str, kind: str) -> Problem | None:
    """One try: a program, a kernel, a question of a kind; None where it is no good problem of this level."""
    topic = topic_of(name)
    draft = Draft(dice, Slot.of(seed), level)
    dice.weighted(topic.shapes)(draft)
    kernel = dice.weighted(topic.kernels)
    calls, asked = tuple(draft.calls), draft.asked
    if not asked or any(a == b for a, b in pairwise(calls[-asked:])):
        return None
    scenario = Scenario(f"problem/{level}-{name}-{seed}", calls, ARENA_PAGES, unprivileged=True, contents=True)
    if kind == "releases":
        return _of_releases(dice, level, band, seed, name, scenario, asked)
    if kind == "shortest":
        return _of_program(level, band, seed, name, scenario, asked, kernel)
    run = play(calls, asked, kernel)
    if run is None:
        return None
    most = min(asked, MOST_ASKED[level])
    fitting = [count for count in range(1, most + 1) if measure(run.runs[:count]).is_within(band)]
    if not fitting:
        return None
    if fitting[-1] < asked:  # a program that goes on for too long ends earlier
        calls = calls[: len(calls) - asked + fitting[-1]]
        run = play(calls, fitting[-1], kernel)
        assert run is not None
    scenario = evolve(scenario, steps=calls)
    return _of_last_call(dice, level, seed, name, kind, scenario, run, topic)


def _of_last_call(
    dice: Dice, level: int, seed: int, name: str, kind: str, scenario: Scenario, run: Asked, topic: Topic
) -> Problem | None:
    choices: tuple[Choice, ...] = ()
    if kind == "draw":
        if not _worth_drawing(run, topic, scenario.steps):
            return None
    else:
        priced = kind == "entries"
        found = entries_offered(run, dice, level) if priced else offered(kind, run, topic, dice, scenario.steps, level)
        if found is None:
            return None
        choices = found
    which = word("quiz", "this_call" if run.asked == 1 else "last_call")
    question = say("question", kind, call=which)
    kernels = (run.kernel.release,)
    return Problem(level, seed, name, kind, kernels, scenario, run.asked, question, choices, measure(run.runs), (run,))


def _worth_drawing(run: Asked, topic: Topic, calls: Sequence[Call]) -> bool:
    """Whether everything can be drawn, something changes, and another kernel does otherwise if that is the topic."""
    if not run.in_arena or outline(run.setup) == outline(run.last.after):
        return False
    reading = READINGS["vmas"]
    others = set(elsewhere(reading, run, topic.beside, calls))
    return not topic.differs or not others <= {reading.said(truth_of(run.case))}


def _of_releases(
    dice: Dice, level: int, band: Band, seed: int, name: str, scenario: Scenario, asked: int
) -> Problem | None:
    setup, call = scenario.steps[:-asked], scenario.steps[-asked]
    found = table(setup, call, level, topic_of(name).together, dice)
    if found is None:
        return None
    runs = tuple(found.cells[cell] for cell in sorted(found.cells))
    difficulty = measure(outcome for run in runs for outcome in run.runs)
    if not difficulty.is_within(band):
        return None
    choices = offered_for(found, topic_of(name), dice, level)
    if choices is None:
        return None
    scenario = Scenario(scenario.name, (*setup, *found.calls), ARENA_PAGES, unprivileged=True, contents=True)
    question = word("question", "releases" if len(found.calls) > 1 else "release")
    return Problem(
        level, seed, name, "releases", found.kernels, scenario, len(found.calls), question, choices, difficulty, runs
    )


def _of_program(
    level: int, band: Band, seed: int, name: str, scenario: Scenario, asked: int, kernel: str
) -> Problem | None:
    setup, program = scenario.steps[:-asked], scenario.steps[-asked:]
    if asked > (2 if any(isinstance(call, Mremap) for call in program) else 3) or not _plain(program):
        return None
    run = play(scenario.steps, asked, kernel)
    if run is None or not run.in_arena or not len(run.last.after):
        return None
    least = shortest(kernel, setup, program)
    if not least:
        return None
    run = play((*setup, *least), len(least), kernel)
    if run is None or not measure(run.runs).is_within(band):
        return None
    target = layout_text(run.last.after)
    goal = Goal(kernel, setup, target, least)
    scenario = Scenario(scenario.name, setup, ARENA_PAGES, unprivileged=True, contents=True)
    question = say("question", "shortest", target=target)
    return Problem(level, seed, name, "shortest", (kernel,), scenario, 0, question, (), measure(run.runs), (run,), goal)


def _plain(program: Sequence[Call]) -> bool:
    """Whether a program is made of calls that the search for a shortest one knows."""
    for call in program:
        if isinstance(call, Mremap):
            if call.flags != MOVE or call.old_len != call.new_len:
                return False
        elif not isinstance(call, Munmap | Mprotect) and not (isinstance(call, Mmap) and call.kind == "anon"):
            return False
    return True
