"""Make many problems of each level, and tell what they are like: `make problems`, or with numbers of your own.

    python tests/tools/survey_problems.py --count 10000 --level 3 --topic 04

For every problem it is checked, by playing its program again, that exactly one of its choices is what the model says
(or that the answer to a free question passes its own check), and that no problem comes again within 1,000 seeds.  Told
are the kinds of question, where the wrong choices come from, the measured effort, and the time per problem.  The exit
status is 1 where a check fails.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from attrs import evolve, frozen

from vmalab.linux.addr import PAGE
from vmalab.machines.executors import executor, in_order
from vmalab.teach.misconceptions import case_of, truth_of
from vmalab.teach.misconceptions.costs import really_moved
from vmalab.teach.problems import LEVELS, Problem, problem
from vmalab.teach.problems.asked_calls import play
from vmalab.teach.problems.choices import READINGS
from vmalab.teach.problems.entries import entries_said
from vmalab.teach.problems.releases import Table

CHUNK = 20
"""Problems that a worker makes before it reports."""
WINDOW = 1000
"""So many seeds in a row have no problem in common."""


def told_by_model(one: Problem) -> str:
    """The answer to a problem with choices, found by playing its program again."""
    if one.kind == "releases":
        cells = {
            (row, column): play((*one.setup_calls, call), 1, kernel)
            for row, call in enumerate(one.asked_calls)
            for column, kernel in enumerate(one.kernels)
        }
        return Table(one.asked_calls, one.kernels, cells).text(Table(one.asked_calls, one.kernels, cells).marks())
    vm = one.model()
    for call in one.asked_calls[:-1]:
        vm.do(call)
    case = case_of(vm, one.asked_calls[-1])
    if one.kind == "entries":
        return entries_said(really_moved(case.real))
    return READINGS[one.kind].said(truth_of(case))


def faults(one: Problem) -> Iterator[str]:
    """What is wrong with a problem."""
    if not one.difficulty.is_of(one.level):
        yield f"{one.difficulty} is not level {one.level}"
    if not one.check(one.answer).solved:
        yield "its own answer does not pass"
    if one.free:
        return
    texts = [choice.text for choice in one.choices]
    right = told_by_model(one)
    if len(set(texts)) < len(texts):
        yield "two choices are the same"
    if [text for text in texts if text == right] != [choice.text for choice in one.choices if choice.right]:
        yield f"the model says {right}, and right are {[choice.text for choice in one.choices if choice.right]}"
    for choice in one.choices:
        if choice.right == bool(choice.beliefs or choice.kernel or choice.near):
            yield f"it is not told where {choice.text} comes from"


def anywhere(one: Problem) -> tuple[object, ...]:
    """What is left of a problem if its pages are counted from its first mapping, far ones from the first far one."""
    first = min(call.addr for call in one.scenario.steps if getattr(call, "addr", None))
    places = [getattr(call, name, 0) for call in one.scenario.steps for name in ("addr", "new_addr")]
    far = min((place for place in places if place and place > first + 40 * PAGE), default=0)

    def moved(place: int) -> int:
        return place - far if far and place >= far - 20 * PAGE else place - first

    calls = tuple(
        evolve(call, **{name: moved(getattr(call, name)) for name in ("addr", "new_addr") if getattr(call, name, 0)})
        for call in one.scenario.steps
    )
    return (calls, *one.identity[1:4])


@frozen
class Seen:
    """What one problem is like."""

    seed: int
    identity: object
    anywhere: object
    kind: str
    topic: str
    effort: int
    seconds: float
    origins: tuple[str, ...]
    beliefs: tuple[str, ...]
    faults: tuple[str, ...]


def look(level: int, topic: str | None, seed: int) -> Seen:
    """Make one problem and look at it."""
    start = time.process_time()
    one = problem(level, seed, topic)
    seconds = time.process_time() - start
    wrong = [choice for choice in one.choices if not choice.right]
    return Seen(
        seed, hash_of(one.identity), hash_of(anywhere(one)), one.kind, one.topic, one.difficulty.effort, seconds,
        tuple("belief" if choice.beliefs else "kernel" if choice.kernel else "near miss" for choice in wrong),
        tuple(name for choice in wrong for name in sorted({held.name for held in choice.beliefs})),
        tuple(f"level {level}, seed {seed}: {fault}" for fault in faults(one)),
    )  # fmt: skip


def look_at(level: int, topic: str | None, seeds: range) -> list[Seen]:
    """Look at several."""
    return [look(level, topic, seed) for seed in seeds]


def hash_of(thing: object) -> bytes:
    """A short stand-in for something large."""
    return hashlib.sha256(repr(thing).encode()).digest()


class Survey:
    """What was seen of one level, seed by seed in order."""

    def __init__(self, level: int) -> None:
        self.level = level
        self.kinds: Counter[str] = Counter()
        self.topics: Counter[str] = Counter()
        self.origins: Counter[str] = Counter()
        self.beliefs: Counter[str] = Counter()
        self.shapes: set[object] = set()
        self.efforts: list[int] = []
        self.times: list[float] = []
        self.faults: list[str] = []
        self.repeated = 0
        self.seen: dict[object, int] = {}

    def take(self, one: Seen) -> None:
        """Count one problem."""
        self.times.append(one.seconds)
        self.kinds[one.kind] += 1
        self.topics[one.topic] += 1
        self.efforts.append(one.effort)
        self.faults += one.faults
        if one.seed - self.seen.get(one.identity, -WINDOW) < WINDOW:
            self.repeated += 1
        self.seen[one.identity] = one.seed
        self.shapes.add(one.anywhere)
        self.origins.update(one.origins)
        self.beliefs.update(one.beliefs)

    def told(self) -> dict[str, object]:
        """The numbers."""
        times = sorted(self.times)
        efforts = sorted(self.efforts)

        def at(values: list, part: float) -> float:
            return values[min(int(len(values) * part), len(values) - 1)]

        return {
            "level": self.level,
            "problems": len(times),
            "faults": len(self.faults),
            f"repeated within {WINDOW}": self.repeated,
            "different": len(self.seen),
            "different wherever they lie": len(self.shapes),
            "ms of processor time": {name: round(at(times, part) * 1000, 1) for name, part in
                   (("median", 0.5), ("p90", 0.9), ("p99", 0.99), ("most", 1.0))}
            | {"mean": round(sum(times) / len(times) * 1000, 1)},
            "effort": {"least": efforts[0], "median": at(efforts, 0.5), "most": efforts[-1]},
            "kinds": dict(self.kinds.most_common()),
            "topics": dict(sorted(self.topics.items())),
            "wrong choices": dict(self.origins.most_common()),
            "misconceptions": dict(self.beliefs.most_common()),
        }  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description="Make many problems and tell what they are like.")
    parser.add_argument("--count", type=int, default=10_000, help="problems of each level")
    parser.add_argument("--level", type=int, choices=tuple(LEVELS), action="append", help="only this level")
    parser.add_argument("--topic", help="only this topic")
    parser.add_argument("--start", type=int, default=0, help="the first seed")
    parser.add_argument("--jobs", type=int, default=1, help="so many processes")
    parser.add_argument("--cluster", help="a Dask scheduler, such as tcp://host:8786, whose workers do the work")
    asked = parser.parse_args()
    wrong = 0
    for level in asked.level or LEVELS:
        survey = Survey(level)
        seeds = range(asked.start, asked.start + asked.count)
        chunks = (seeds[first : first + CHUNK] for first in range(0, len(seeds), CHUNK))
        with executor(asked.jobs, asked.cluster) as (pool, at_once):
            try:
                for found in in_order(pool, partial(look_at, level, asked.topic), chunks, at_once):
                    for seen in found:
                        survey.take(seen)
            except KeyboardInterrupt:
                print("interrupted: this is what was seen so far", file=sys.stderr)
        print(json.dumps(survey.told(), indent=1), flush=True)
        for fault in survey.faults[:20]:
            print(fault)
        wrong += len(survey.faults) + survey.repeated
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
