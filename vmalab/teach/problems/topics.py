"""Which problems belong to which lesson: `TOPICS`.

Lesson 00 has none: it is about the pictures and the machine.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from attrs import frozen

from vmalab.errors import UsageError
from vmalab.teach.problems import shapes, shapes_many
from vmalab.teach.problems.draft import Draft
from vmalab.words.wording import word

Shape = Callable[[Draft], None]


@frozen
class Topic:
    """What the problems of one lesson are made of: shapes, kinds of question and kernels, each with its weight.

    `beliefs`: misconceptions that the lesson is about: their wrong choices come first.  `beside`: kernels whose answers
    are offered as wrong choices.  `together`: kernels that a question of the kind
    `releases` sets side by side.  `differs`: only what one of the kernels beside answers otherwise is asked.
    """

    shapes: Mapping[Shape, int]
    kinds: Mapping[str, int]
    kernels: Mapping[str, int]
    beliefs: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()
    differs: bool = False
    together: tuple[str, ...] = ("6.12", "6.16", "6.17", "6.18", "7.3")
    about: str = ""
    """What they are about, in words; of the course's the catalogue says it."""


SMALL = {"6.12": 1, "6.16": 1, "6.17": 1, "6.18": 3, "7.3": 1}
MERGES = ("neighbours-always-merge", "neighbours-never-merge")
HALF_WAY = ("failure-changes-nothing", "ineligible-is-skipped")
MANY = {"6.17": 3, "6.18": 4, "7.3": 1, "6.16": 1}

TOPICS: Mapping[str, Topic] = {
    "01": Topic(
        {shapes.carved: 5, shapes.undone: 3, shapes.filled: 3},
        {"vmas": 5, "errno": 3, "draw": 4, "value": 1, "shortest": 5},
        SMALL,
        ("whole-vma", *MERGES, "holes-are-skipped", "failure-changes-nothing"),
    ),
    "02": Topic(
        {shapes.resized: 4, shapes.moved: 5, shapes.refused: 4},
        {"errno": 5, "value": 3, "vmas": 4, "contents": 3, "draw": 3, "releases": 2, "shortest": 3},
        SMALL,
        ("grows-over-neighbours", "moves-anyway", "overlap-is-fine", "order-is-free", "contents-are-copied"),
    ),
    "03": Topic(
        {shapes.away_and_back: 4, shapes.beside: 4, shapes.bridged: 3, shapes.mapped_beside: 4},
        {"vmas": 6, "draw": 4, "contents": 2},
        {"6.12": 2, "6.16": 1, "6.18": 4, "7.3": 1},
        MERGES,
        beside=("6.12", "6.18"),
    ),
    "04": Topic(
        {shapes_many.many: 7, shapes_many.grown: 4},
        {"vmas": 5, "errno": 3, "contents": 3, "draw": 4, "value": 2, "releases": 2, "shortest": 3},
        MANY,
        ("gap-unmaps", "gaps-close-up", "stops-at-a-gap", "growth-spans-too", "one-vma-per-call"),
    ),
    "05": Topic(
        {shapes_many.stopped: 5, shapes_many.limited: 3, shapes_many.destroyed: 3},
        {"vmas": 5, "errno": 5, "contents": 2, "draw": 3, "value": 2, "releases": 1},
        {"6.16": 2, "6.17": 2, "6.18": 4, "7.3": 1},
        (*HALF_WAY, "moves-know-no-limits", "seals-bind-rights-only", "gap-unmaps"),
        beside=("6.16", "6.18"),
    ),
    "06": Topic(
        {shapes.left_behind: 6, shapes.left_refused: 3},
        {"vmas": 4, "contents": 5, "errno": 3, "draw": 3, "value": 1, "releases": 1},
        SMALL,
        ("source-is-kept", "contents-are-lost", "dontunmap-resizes", "fixed-is-enough"),
        beside=("6.18", "7.3"),
    ),
    "07": Topic(
        {shapes_many.priced: 1},
        {"entries": 1},
        {"6.1": 1, "6.12": 1, "6.16": 1, "6.18": 4, "7.3": 1},
    ),
    "08": Topic(
        {shapes_many.many: 3, shapes_many.grown: 2, shapes_many.stopped: 4, shapes_many.destroyed: 3},
        {"releases": 6, "vmas": 4, "errno": 3, "draw": 2},
        {"v3": 4, "6.16": 2, "6.17": 3, "7.3": 1},
        (*HALF_WAY, "growth-spans-too", "gap-unmaps", "one-vma-per-call"),
        beside=("v3", "6.16", "6.17"),
        differs=True,
        together=("6.16", "v3", "6.17", "7.3"),
    ),
    "09": Topic(
        {shapes_many.sealed_late: 3, shapes_many.husk_beside: 4, shapes_many.forgotten: 3, shapes_many.leaked: 3},
        {"vmas": 5, "draw": 3, "errno": 3, "releases": 3},
        {"6.16": 2, "6.17.5": 3, "6.18.7": 3, "6.18.44": 2, "7.3": 1},
        (*MERGES, "moves-know-no-limits"),
        beside=("6.12", "6.17.5", "6.18.7", "6.18.44", "7.3"),
        differs=True,
        together=("6.12", "6.17.5", "6.18.44", "7.3"),
    ),
}
"""The lesson's number → its problems."""

KINDS = tuple(dict.fromkeys(kind for topic in TOPICS.values() for kind in topic.kinds))
"""All kinds of question."""

added: dict[str, Topic] = {}
"""Topics of other people's lessons, by name."""


def add_topic(name: str, topic: Topic) -> None:
    """Make a topic known, whose problems are then asked for by its name: `problem(2, seed=1, topic=name)`.

    Problems of *any* topic are the course's alone, so that they stay what they are.
    """
    if not name.isidentifier():
        raise UsageError(f"a topic's name is a word, such as 'madvise', not {name!r}")
    added[name] = topic


def topic_of(name: str) -> Topic:
    """The topic called `name`, of the course or added."""
    return TOPICS[name] if name in TOPICS else added[name]


def about(name: str) -> str:
    """What the problems of the topic `name` are about, in words."""
    return added[name].about or name if name in added else word("topic", name)
