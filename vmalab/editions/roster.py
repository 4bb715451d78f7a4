"""The students of a course, from the file that nbgrader, Moodle or Canvas gives; and marks back into such a file.

nbgrader   id,first_name,last_name,email
Moodle     the grading worksheet (Identifier, Full name, Email address, Status, Grade, …) or a list of participants
Canvas     the exported gradebook (Student, ID, SIS User ID, SIS Login ID, Section, …)
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping
from pathlib import Path

from attrs import frozen

from vmalab.errors import UsageError
from vmalab.programs.files import write_whole

_IDS = ("id", "Username", "ID number", "SIS Login ID", "SIS User ID", "Email address", "ID", "Full name")
"""Columns that may say what a student is called; the first that is there and not empty does."""
_NUMBERS = ("Identifier", "ID")
"""Columns with the number that the system puts into the names of downloaded files."""
_MOST = 16 << 20


@frozen
class Student:
    """`id`: as nbgrader calls him, fit for the name of a folder; `name`: for people; `number`: that of an LMS, or
    `""`."""

    id: str
    name: str
    number: str = ""


@frozen
class Roster:
    """A file of students: its columns and rows as they are, and who is in which row (None: nobody)."""

    columns: tuple[str, ...]
    rows: tuple[dict[str, str], ...]
    students: tuple[Student | None, ...]
    delimiter: str = ","

    @property
    def system(self) -> str:
        """`"moodle"`, `"canvas"` or `"nbgrader"`."""
        if "Identifier" in self.columns or "Email address" in self.columns:
            return "moodle"
        return "canvas" if "Student" in self.columns and "ID" in self.columns else "nbgrader"


def read_roster(path: Path) -> list[Student]:
    """The students in a file, in its order.  Raises UsageError where it is none, or names somebody twice."""
    return [one for one in load_roster(path).students if one is not None]


def load_roster(path: Path) -> Roster:
    """The file of students at `path`.  Raises UsageError that names the line where something is wrong."""
    try:
        if path.stat().st_size > _MOST:
            raise UsageError(f"{path} is larger than a list of students can be")
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise UsageError(f"{path} can't be read: {(error.strerror or str(error)).lower()}") from None
    except UnicodeDecodeError:
        raise UsageError(f"{path} is no text in UTF-8") from None
    head = text.partition("\n")[0]
    delimiter = max(",;\t", key=head.count)
    reader = csv.DictReader(io.StringIO(text), delimiter=delimiter)
    columns = tuple(name.strip() for name in reader.fieldnames or ())
    if not set(columns) & set(_IDS):
        raise UsageError(f"{path} is no list of students: its first line names none of the columns {', '.join(_IDS)}")
    reader.fieldnames = list(columns)
    rows, students, seen = [], [], dict[str, int]()
    for row in reader:
        told = {name: (row.get(name) or "").strip() for name in columns}
        one = _student(told)
        if one is not None and seen.setdefault(one.id.casefold(), reader.line_num) != reader.line_num:
            raise UsageError(f"{path}, line {reader.line_num}: {one.id} is in line {seen[one.id.casefold()]}, too")
        rows.append({name: row.get(name) or "" for name in columns})
        students.append(one)
    return Roster(columns, tuple(rows), tuple(students), delimiter)


def _student(row: Mapping[str, str]) -> Student | None:
    """The student of a row; None where it is of nobody: an empty one, or Canvas's line of points."""
    parts = (row.get("first_name") or row.get("First name"), row.get("last_name") or row.get("Last name"))
    name = row.get("Student") or row.get("Full name") or " ".join(part for part in parts if part)
    if name.startswith("Points Possible") or (name == "Student, Test" and "ID" in row):
        return None
    called = next((row[column] for column in _IDS if row.get(column)), "")
    if not called:
        return None
    number = next((row[column] for column in _NUMBERS if row.get(column)), "")
    return Student(folder_name(called), name or called, number.rpartition(" ")[2])


def folder_name(text: str) -> str:
    """A name of a student as the name of a folder: no separators, no dot in front, no hidden characters.

    >>> folder_name("Ada Lovelace"), folder_name("../x"), folder_name("a@b.org")
    ('Ada-Lovelace', 'x', 'a@b.org')
    """
    return re.sub(r"[^\w.@-]+", "-", text.strip()).strip(".-") or "nobody"


def write_marks(path: Path, roster: Roster, column: str, marks: Mapping[str, tuple[float, float]]) -> int:
    """Write the roster's file with marks in it, for the system that it came from; how many students have one.

    `marks`: by id, score and the most that there is to have.  `column`: what the assignment is called.  Moodle's column
    `Grade` is filled, of Canvas the column of that name (or one is added), scaled to the points that the system has
    for it.
    """
    system = roster.system
    mine = {"moodle": "Grade", "nbgrader": "score"}.get(system) or next(
        (name for name in roster.columns if re.fullmatch(rf"{re.escape(column)}( \(\d+\))?", name)), column
    )
    columns = [*roster.columns, *([mine] if mine not in roster.columns else [])]
    most = {"nbgrader": "max_score"}.get(system, "")
    if most and most not in columns:
        columns.append(most)
    possible = next(
        (row.get(mine, "") for row in roster.rows if row.get("Student", "").strip() == "Points Possible"), ""
    )
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, delimiter=roster.delimiter, lineterminator="\n")
    writer.writeheader()
    given = 0
    for row, student in zip(roster.rows, roster.students, strict=True):
        told = dict(row)
        found = marks.get(student.id) if student is not None else None
        if found is not None:
            score, best = found
            there = _number(row.get("Maximum Grade", "") if system == "moodle" else possible)
            told[mine] = f"{score * there / best if there and best else score:.2f}"
            told |= {most: f"{best:.2f}"} if most else {}
            given += 1
        writer.writerow({name: _no_formula(value) for name, value in told.items()})
    write_whole(path, out.getvalue())
    return given


def _number(text: str) -> float:
    try:
        return float(text.strip().replace(",", "."))
    except ValueError:
        return 0.0


def _no_formula(value: str) -> str:
    """A cell that a spreadsheet does not take for a formula: names are chosen by students."""
    return f"'{value}" if value[:1] in ("=", "+", "@", "\t", "\r") or re.match(r"-[^\d.]", value) else value
