"""Submissions into a course's folder `submitted/`: from nbgrader's exchange, or from what an LMS lets one download.

The exchange is nbgrader's own command, with `Collect` in the place of its step that tells whose a submission is.  Its
`zip_collect` stops at two files of one student and unpacks without a limit, so downloads are read here; what is to be
known is how an LMS names what one downloads:

    Moodle   Ada Lovelace_4711_assignsubmission_file_/04-….ipynb, or the same without the folder
    Canvas   lovelaceada_LATE_4711_8822_04-….ipynb, with -1, -2 … behind a name that was handed in again
"""

from __future__ import annotations

import os
import re
import stat
import subprocess
import sys
import zipfile
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import Any

from nbgrader.exchange.default import ExchangeCollect

from vmalab.editions.roster import Student, folder_name
from vmalab.errors import UsageError

EXCHANGE = "exchange"
"""What `--from` says for nbgrader's own exchange."""
MOST_NOTEBOOK = 50 << 20
"""Bytes of one notebook: none that a student has written comes near."""

_MOODLE = re.compile(r"(?P<name>[^/]+)_(?P<number>\d+)_assignsubmission_file(?:_(?P<file>[^/]*))?$")
_CANVAS = re.compile(r"(?P<name>[^/_]+)(?:_LATE)?_(?P<number>\d+)_\d+_(?P<file>[^/]+)$")


def owner(path: str, students: Iterable[Student] = ()) -> str | None:
    """The student of a file in a download, by the path that it has there; None where that can't be told.

    `students`: the roster; without it a student is called by the number that the LMS has for him.

    >>> owner("Ada Lovelace_4711_assignsubmission_file_/04-x.ipynb"), owner("lovelaceada_4711_8822_04-x-1.ipynb")
    ('4711', '4711')
    """
    for part in PurePosixPath(path).parts:
        found = _MOODLE.match(part) or _CANVAS.match(part)
        if found:
            number, name = found["number"], found["name"].strip()
            for one in students:
                if one.number == number or (not one.number and one.name.casefold() == name.casefold()):
                    return one.id
            return folder_name(number)
    return None


def from_zip(
    archive: Path, submitted: Path, lesson: str, students: Iterable[Student] = ()
) -> tuple[list[str], list[str]]:
    """Take the notebooks of an LMS's download into `submitted`/STUDENT/`lesson`: whose came, and the files left aside.

    A student's newest notebook counts; nothing is written outside of `submitted`.  Raises UsageError for what is no
    zip.
    """
    roster, newest, aside = tuple(students), dict[str, zipfile.ZipInfo](), list[str]()
    try:
        with zipfile.ZipFile(archive) as packed:
            for info in packed.infolist():
                if info.is_dir() or not info.filename.endswith(".ipynb"):
                    continue
                student = owner(info.filename, roster)
                if student is None or info.file_size > MOST_NOTEBOOK or stat.S_ISLNK(info.external_attr >> 16):
                    aside.append(info.filename)
                elif student not in newest or _rank(info, lesson) >= _rank(newest[student], lesson):
                    newest[student] = info
            for student, info in newest.items():
                with packed.open(info) as file:
                    _hand_in(submitted / student / lesson, lesson, file.read(MOST_NOTEBOOK + 1))
    except (OSError, zipfile.BadZipFile, RuntimeError, NotImplementedError) as error:
        raise UsageError(f"{archive} can't be read as a zip of downloads: {error}") from None
    return sorted(newest), aside


def _rank(info: zipfile.ZipInfo, lesson: str) -> tuple[bool, tuple[int, ...], int]:
    """Which of a student's files counts: one of this lesson before others, then the time, then Canvas's number."""
    name = PurePosixPath(info.filename).stem
    again = re.search(r"-(\d{1,3})$", name)
    return lesson in name, info.date_time, int(again[1]) if again and not name.endswith(lesson) else 0


def _hand_in(folder: Path, lesson: str, data: bytes) -> None:
    """Write a notebook as a student's submission, if it is another one than is there already."""
    path = folder / f"{lesson}.ipynb"
    if path.is_file() and path.read_bytes() == data:
        return
    folder.mkdir(parents=True, exist_ok=True)
    fresh = folder / f".{lesson}.part"
    fresh.write_bytes(data)
    os.replace(fresh, path)


class Collect(ExchangeCollect):  # type: ignore[misc]
    """nbgrader's collecting, but a submission is that of the user who owns it.

    nbgrader goes by the name of the submission's folder, which whoever hands in can choose, and takes a forged one with
    a warning in its log.  The owner is nobody's to choose.  One without a name here (containers), and the user who
    collects (hubs whose pods share one), tell nothing: then the folder's name counts.
    """

    def _path_to_record(self, path: str) -> dict[str, Any]:
        record: dict[str, Any] = super()._path_to_record(path)
        owner = owner_of(path)
        if owner is not None and owner != record["username"]:
            self.log.warning("%s%s in the name of %s: taken as %s's own", FORGED, owner, record["username"], owner)
            record["username"] = owner
        return record

    def do_copy(self, src: str, dest: str, log: Any = None) -> None:
        """Copy the files of a submission; what is no plain file, or too large, is left aside and told.

        A link could lead to another student's work, and nbgrader's own copy follows it, and ends where it can't.
        """
        for place, folders, files, here in os.fwalk(src):
            into = Path(dest) / os.path.relpath(place, src)
            into.mkdir(parents=True, exist_ok=True)
            for name in (*files, *(one for one in folders if stat.S_ISLNK(os.lstat(one, dir_fd=here).st_mode))):
                data = plain_file(name, here)
                if data is None:
                    self.log.warning("%s%s in %s: no file of a submission", ASIDE, name, os.path.basename(src))
                else:
                    (into / name).write_bytes(data)


FORGED, ASIDE = "handed in by ", "left aside: "


def plain_file(name: str, folder: int) -> bytes | None:
    """The content of a file of an open folder; None for links, devices and pipes, and what is too large or gone."""
    try:
        number = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    except OSError:
        return None
    with open(number, "rb") as file:
        if not stat.S_ISREG(os.fstat(number).st_mode):
            return None
        data = file.read(MOST_NOTEBOOK + 1)
    return data if len(data) <= MOST_NOTEBOOK else None


def owner_of(path: str) -> str | None:
    """The name of the user who owns what `path` is; None where that tells nothing, see `Collect`."""
    import pwd  # not on every system

    number = os.stat(path).st_uid
    if number == os.geteuid():
        return None
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return None


def from_exchange(course: Path, lesson: str) -> list[str]:
    """Collect what students have submitted through nbgrader's exchange, newer submissions in the place of older ones.

    Told is what was handed in under the name of somebody else, and what is no file of a submission.  Raises UsageError
    with what nbgrader says where nothing can be collected.
    """
    command = [sys.executable, "-m", "nbgrader", "collect", lesson, "--update"]
    done = subprocess.run(command, cwd=course, capture_output=True, text=True, check=False)
    lines = done.stderr.splitlines()
    if done.returncode:
        said = [line for line in lines if "ERROR" in line] or lines
        why = said[-1].rpartition("] ")[2] if said else "it does not say why"
        raise UsageError(f"nbgrader can't collect {lesson}: {why}")
    return [line[line.index(told) :] for line in lines for told in (FORGED, ASIDE) if told in line]
