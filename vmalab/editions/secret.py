"""The secret of a course, and the keys that are made from it: what is drawn for a student, nobody else can draw.

The secret is 32 bytes that chance has made.  It lives in the file `vmalab.secret` of the course's folder (mode 600),
or in the environment variable `VMALAB_SECRET`, and nowhere else: no notebook, no feedback and no record of a build
holds it or anything from which it could be worked out.  From it a key is derived for each student and lesson
(HMAC-SHA256), and from a key all that is drawn.  Whoever gets to know a key knows one student's lesson, and nothing of
any other.
"""

from __future__ import annotations

import hmac
import os
import secrets
import stat
from hashlib import sha256
from pathlib import Path

from vmalab.errors import UsageError

FILE = "vmalab.secret"
VARIABLE = "VMALAB_SECRET"
_LEAST = 32
"""Hex digits that a secret must have at least: 128 bits."""


def course_secret(course: Path) -> bytes:
    """The secret of the course in this folder.  Raises UsageError where there is none, or where others can read it."""
    told = os.environ.get(VARIABLE)
    if told is not None:
        return _secret_in(told, f"the environment variable {VARIABLE}")
    path = course / FILE
    try:
        mode = path.stat().st_mode
        text = path.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError):
        raise UsageError(
            f"this course has no secret to draw its problems and hidden cases from: there is no {path}, and {VARIABLE} "
            "is not set (vmalab build nbgrader makes one; a course that was moved needs the one that it had)"
        ) from None
    if os.name == "posix" and stat.S_IMODE(mode) & 0o077:
        raise UsageError(f"{path} can be read by others: chmod 600 {path}")
    return _secret_in(text, str(path))


def _secret_in(text: str, where: str) -> bytes:
    try:
        secret = bytes.fromhex(text.strip())
    except ValueError:
        secret = b""
    if len(secret) < _LEAST // 2:
        raise UsageError(f"the secret in {where} is not one: {_LEAST} hexadecimal digits or more are expected")
    return secret


def make_secret(course: Path) -> bytes:
    """The secret of the course in this folder; a new one, in a file of mode 600, where it has none."""
    path = course / FILE
    if VARIABLE not in os.environ:
        course.mkdir(parents=True, exist_ok=True)
        try:
            with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
                file.write(secrets.token_hex(32) + "\n")
        except FileExistsError:
            pass
    return course_secret(course)


def key_of(secret: bytes, lesson: str, student: str) -> str:
    """The key of a student for one lesson, 64 hex digits.  `lesson`: its number, such as `"04"`.

    `student`: as nbgrader calls him, however it is written: capitals and spaces around do not count.
    """
    return derived(secret, f"lesson {lesson} student {student.strip().casefold()}")


def derived(secret: bytes, what: str) -> str:
    """HMAC-SHA256 of a text under a secret or a key, as 64 hex digits."""
    return hmac.new(secret, what.encode(), sha256).hexdigest()
