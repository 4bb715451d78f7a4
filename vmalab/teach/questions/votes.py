"""A class's votes on a question, before and after they have talked: from files without names, or counted by hand."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

from vmalab.errors import UsageError
from vmalab.pictures.table import Table
from vmalab.teach import questions
from vmalab.teach.questions.question import MultipleChoice, plain
from vmalab.teach.questions.session import HEADS

Votes = str | Path | Mapping[str, int]

WIDTH = 20
"""So many blocks are all votes."""


def class_votes(name: str, first: Votes, second: Votes | None = None, *, reveal: bool = False) -> Table:
    """The votes of a class on the question `name` as bars, anonymous.

    `first`, `second`: a folder with files that `MyPredictions(...).save` wrote, or counts (`"a 12 b 7"`, or a mapping).
    `reveal`: say also which choice is right.  Raises UsageError for what is neither.

    >>> print(class_votes("08-gap", "a 6 b 2", "a 1 b 7")["after talking"])
    ['██ 1', '██████████████████ 7']
    """
    question = questions.find(name)
    rounds = [_counted(votes, question) for votes in (first, second) if votes is not None]
    rows = []
    for letter, choice in zip(question.letters, question.choices, strict=True):
        mark = ("right" if letter in question.right else "not so") if reveal else ""
        rows.append((letter, plain(choice.text), *(_bar(votes, letter) for votes in rounds), mark))
    heads = ("choice", "", *("first vote", "after talking")[: len(rounds)], "it is" if reveal else " ")
    said = ", then ".join(f"{votes.total()}" for votes in rounds)
    right = "; ".join(f"{votes[question.right]} of {votes.total()} were right" for votes in rounds) if reveal else ""
    return Table(plain(question.text), heads, rows, f"Votes: {said}. {right}".strip())


def _bar(votes: Counter[str], letter: str) -> str:
    count = sum(number for chosen, number in votes.items() if letter in chosen)
    return f"{'█' * round(WIDTH * count / max(votes.total(), 1))} {count}".strip()


def _counted(votes: Votes, question: MultipleChoice) -> Counter[str]:
    if isinstance(votes, Path) or (isinstance(votes, str) and Path(votes).is_dir()):
        return read_votes(sorted(Path(votes).glob("*.csv")), question.name)
    if isinstance(votes, str):
        found = re.findall(r"([a-h]+)\s*[:=]?\s*(\d+)", votes)
        if not found or re.sub(r"[a-h]+\s*[:=]?\s*\d+|[\s,;]", "", votes):
            raise UsageError(f"votes are a folder with files, or counts such as 'a 12 b 7', not {votes!r}")
        votes = {letter: int(number) for letter, number in found}
    wrong = [letters for letters in votes if not letters or not set(letters) <= set(question.letters)]
    if wrong:
        raise UsageError(f"{question.name} has the choices {', '.join(question.letters)}, not {wrong[0]!r}")
    return Counter(votes)


def read_votes(files: Iterable[str | Path], name: str) -> Counter[str]:
    """How often each choice of the question `name` was taken, in files that `written` wrote.

    Raises UsageError that names the file and the line for what is no such file.
    """
    question = questions.find(name)
    votes: Counter[str] = Counter()
    for file in files:
        rows = csv.reader(Path(file).read_text(encoding="utf-8").splitlines())
        if tuple(next(rows, ())) != HEADS:
            raise UsageError(f"{file}, line 1: the columns are {','.join(HEADS)}")
        for number, row in enumerate(rows, 2):
            if len(row) != len(HEADS) or (row[0] == name and not set(row[1]) <= set(question.letters)):
                raise UsageError(f"{file}, line {number}: {','.join(row)!r} is no prediction")
            if row[0] == name:
                votes[row[1]] += 1
    return votes
