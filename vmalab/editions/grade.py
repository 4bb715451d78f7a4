"""What a graded cell calls: the check of an exercise, and the hidden tests behind it, as right or wrong.

In the teacher's notebook `grade` is an ordinary call.  In an autograded submission it must not run at all: there the
answer is judged apart (`vmalab.editions.grader`), and this cell's verdict comes from there.
"""

from __future__ import annotations

import os
from random import Random
from typing import Any

from vmalab.editions.drawn_problems import drawn
from vmalab.editions.secret import derived
from vmalab.errors import UsageError
from vmalab.teach.exercises import find
from vmalab.teach.feedback import Feedback, not_yet
from vmalab.teach.problems.make import EDITION

SAMPLE = "a sample"
"""The key of what is drawn where nobody is graded: everybody may know it."""


def grade(name: str, answer: Any, edition: str = EDITION) -> None:
    """Judge the answer to the exercise or problem `name`, hidden tests included, as a sample: of no student.

    `edition`: by which a problem was drawn when the course was built (`same_edition`).

    Shows what there is to say; raises NotSolved where the answer is not right, and UsageError where nbgrader runs this
    in the submission's own process, in which anything may have been changed.
    """
    if os.environ.get("NBGRADER_EXECUTION") == "autograde":
        raise UsageError("this course is graded with its own nbgrader_config.py: put it into the course's folder")
    same_edition(edition)
    judged(name, answer, SAMPLE).require()


def same_edition(edition: str) -> None:
    """Raise UsageError where a course was built by a vmalab that draws other problems than this one."""
    if edition != EDITION:
        raise UsageError(
            f"the problems of this course were drawn by edition {edition} of vmalab's problems, and this version has "
            f"edition {EDITION}: grade with the version that built the course"
        )


def judged(name: str, answer: Any, key: str) -> Feedback:
    """What there is to say to an answer: by the check and then by hidden tests, or by a problem that was drawn.

    `key`: from which both are drawn, see `vmalab.editions.secret`.
    """
    one = drawn(name, key)
    if one is not None:
        try:
            return one.check(answer)
        except UsageError as error:  # nothing that could be an answer
            return not_yet(str(error))
    exercise = find(name)
    told = exercise.check(answer)
    if told.solved and exercise.unseen is not None:
        again = exercise.unseen(answer, Random(derived(key.encode(), f"cases {name}")))
        return told if again.solved else again
    return told
