"""Problems that never run out: from a level, a seed and a topic to a question with its answer, the same everywhere.

    problem(level, seed, topic=None)    the problem (shows itself in a notebook)
    problem(..., kind=, effort=)        of one kind of question and one band of effort
    .check(answer)                      words on an answer
    .solution()                         the answer, explained from the steps of the kernel
    TOPICS, LEVELS, KINDS               the lessons that have problems; the levels' bounds; kinds of question

make.py         from a seed to a problem
problem.py      the problem: asking, checking, telling; solution.py explains the answer, view.py shows it
topics.py       which shapes, questions and kernels belong to which lesson
shapes.py shapes_many.py draft.py   how the programs are made
choices.py releases.py shortest.py  the kinds of question, their right and wrong answers
asked.py difficulty.py dice.py      a program played; how hard it is; chance that is the same everywhere

A problem depends on its level, seed and topic alone (and on the kind and effort that were asked for), so a checker that
must not hold answers can work them out again: `problem(3, 42).check(answer)`.
"""

from __future__ import annotations

from vmalab.teach.problems.choices import Choice
from vmalab.teach.problems.difficulty import LEVELS, Difficulty
from vmalab.teach.problems.make import problem
from vmalab.teach.problems.problem import Problem
from vmalab.teach.problems.solution import Solution
from vmalab.teach.problems.topics import KINDS, TOPICS

__all__ = ["KINDS", "LEVELS", "TOPICS", "Choice", "Difficulty", "Problem", "Solution", "problem"]
