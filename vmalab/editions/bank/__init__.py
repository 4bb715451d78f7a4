"""Question banks for an LMS: drawn problems in the LMS's own format, with pictures and with words on each wrong choice.

    draw.py           which problems: from a secret text, so that nobody who has not got it can draw them too
    question.py       a problem as HTML for a page that is not ours
    paper.py          pictures in light colours, without custom properties: for an LMS, for print
    moodle.py         Moodle XML: multiple choice; moodlexml.py has what all its questions share
    coderunner.py     Moodle XML: drawn and written answers, judged by `Problem.check` in CodeRunner
    qti.py            QTI 1.2 for Canvas and others, by text2qti
    prairielearn.py   PrairieLearn: questions that draw a problem for each student
    core.py           what of vmalab judges, as one zip file that Python imports from

A bank holds the answers: it belongs to the lecturer.  In what a student is shown there is no seed and no answer.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from attrs import frozen

from vmalab.editions import Built
from vmalab.editions.bank.draw import Wanted
from vmalab.editions.folder import write_edition
from vmalab.errors import UsageError

FORMATS = {
    "moodle": "Moodle XML, and CodeRunner questions for what is drawn or written",
    "qti": "QTI 1.2 for Canvas and others: what has choices",
    "prairielearn": "PrairieLearn questions that draw a problem for each student",
}
"""Every format and what it is."""


@frozen
class Bank:
    """A bank that was written: its folder, files and bytes, and the text that its problems were drawn from."""

    built: Built
    secret: str


def build_bank(form: str, wanted: Wanted, output: Path) -> Bank:
    """Write the bank in the format `form` into `output`/bank-`form`.

    Raises UsageError where no such problems exist, a package is missing, or the folder holds what is not ours.
    """
    if form not in FORMATS:
        raise UsageError(f"there is no format {form!r}: there are {', '.join(FORMATS)}")
    make: Callable[[Wanted, Path], None] = import_module(f"vmalab.editions.bank.{form}").make
    folder = output / f"bank-{form}"
    files, size = write_edition(folder, f"bank-{form}", lambda place: make(wanted, place))
    return Bank(Built(f"bank-{form}", folder, files, size), wanted.secret)
