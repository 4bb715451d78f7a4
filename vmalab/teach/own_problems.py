"""The problems of a course that are each student's own, as they stand in a lesson that was handed out: `OwnProblems`.

They come packed in the notebook, one entry for each student of the course: what is asked, and nothing from which an
answer or another problem could be worked out but by thinking.  Who solves them is judged elsewhere.
"""

from __future__ import annotations

import base64
import getpass
import json
import lzma
import os
from collections.abc import Mapping
from hashlib import sha256
from html import escape
from typing import Any

from attrs import frozen

from vmalab.errors import UsageError
from vmalab.teach.feedback import no_answer, solved

EVERYBODY = "everybody"
"""The entry for who has none of his own."""

_MOST = 64 << 20
"""Bytes that packed problems may have when they are unpacked."""


def entry_name(lesson: str, student: str) -> str:
    """Under what name a student's problems are packed: nobody's name stands in a notebook of the whole class."""
    return sha256(f"vmalab {lesson} {student.strip().casefold()}".encode()).hexdigest()[:16]


def packed(lesson: str, problems: Mapping[str, Mapping[str, str]]) -> str:
    """Text for `OwnProblems`: for each student (or `EVERYBODY`) the problems by name.  O(length)."""
    entries = {
        one if one == EVERYBODY else entry_name(lesson, one): dict(asked) for one, asked in sorted(problems.items())
    }
    told = json.dumps({"lesson": lesson, "problems": entries}, sort_keys=True, ensure_ascii=False)
    return base64.b85encode(lzma.compress(told.encode(), preset=9)).decode()


@frozen(repr=False)
class OwnProblem:
    """One problem, as it shows itself in a notebook."""

    name: str
    text: str

    def __repr__(self) -> str:
        return f"Problem {self.name}\n{self.text}"

    def _repr_html_(self) -> str:
        return f"<p><b>Problem {escape(self.name)}</b></p><pre>{escape(self.text)}</pre>"

    def require(self, answer: Any) -> None:
        """Raise NotSolved where nobody has answered yet.  Whether an answer is right is found out by the grader."""
        if answer is None or answer is ... or (isinstance(answer, str) and not answer.strip()):
            no_answer(f"Problem {self.name} has no answer yet.").require()
        solved("There is an answer. Whether it is right is told when this is graded.").require()


class OwnProblems:
    """The problems of one student, from what is packed in a notebook.

    `student`: the name that the course has for him; without it the name that JupyterHub or the system has.
    `own["04.1"]` is a problem.  Raises UsageError where there are none for him.
    """

    def __init__(self, text: str, student: str | None = None) -> None:
        try:
            unpacker = lzma.LZMADecompressor()
            told = json.loads(unpacker.decompress(base64.b85decode(text), _MOST))
            self._entries, self._lesson = told["problems"], str(told["lesson"])
        except (ValueError, KeyError, TypeError, lzma.LZMAError):
            raise UsageError("the packed problems of this notebook were changed: take them from a fresh copy") from None
        self.student = student or os.environ.get("JUPYTERHUB_USER") or _user()

    def __getitem__(self, name: str) -> OwnProblem:
        asked = self._entries.get(entry_name(self._lesson, self.student)) or self._entries.get(EVERYBODY)
        if asked is None:
            raise UsageError(
                f"there are no problems for {self.student!r}: write own.student = '…' with the name that your course "
                "has for you (ask your lecturer), and run this cell again"
            )
        if name not in asked:
            raise UsageError(f"there is no problem {name!r} here: there are {', '.join(asked)}")
        return OwnProblem(name, asked[name])

    def __repr__(self) -> str:
        return f"problems for {self.student}"


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # a user without a name
        return ""
