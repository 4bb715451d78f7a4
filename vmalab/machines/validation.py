"""Whether answers are of the form that the exchange format gives them: `genuine` and `well_formed`.

A driver process may have been overwritten by the scenario that it ran, and a recording is a file that anybody can have
written, so each answer is looked at, key by key, before anything is made of it.  What the answers mean is known to
document.py, live/machine.py and live/session.py.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from vmalab.linux.addr import PAGE_SHIFT, WORD

ELSEWHERE = "elsewhere"
FLAGS = frozenset("lo ac dd dc hg nh um uw sl sr rr wf sh de pf ht gd nr".split())
"""The smaps codes that the format carries."""

MOST_TEXT = 4096
_PAGES = 1 << 64 - PAGE_SHIFT
_PERMS = tuple(zip("rwxs", "---p", strict=True))


def _whole(value: object, low: int = 0, high: int = WORD) -> bool:
    return type(value) is int and low <= value <= high


def _text(value: object, most: int = MOST_TEXT) -> bool:
    return isinstance(value, str) and len(value) <= most and value.isprintable()


def _errno(value: object) -> bool:
    return value is None or (_text(value, 20) and str(value).isascii() and str(value).isalnum())


def _words(value: object) -> bool:
    """Page number, as text → its first 64 bits, or None where they are not shown."""
    return isinstance(value, dict) and all(
        key.lstrip("-").isdecimal() and len(key) <= 20 and (word is None or _whole(word)) for key, word in value.items()
    )


def _known(value: object) -> bool:
    """Words, or None where the system does not show which pages are present."""
    return value is None or _words(value)


def _row(value: object) -> bool:
    if not isinstance(value, dict):
        return False
    perms, backing, pgoff = value.get("perms"), value.get("backing"), value.get("pgoff")
    return (
        _whole(value.get("start"), -_PAGES, _PAGES)
        and _whole(value.get("end"), value["start"] + 1, _PAGES)
        and isinstance(perms, str)
        and len(perms) == len(_PERMS)
        and all(letter in known for letter, known in zip(perms, _PERMS, strict=True))
        and (backing is None or _text(backing))
        and (pgoff is None or _whole(pgoff))
        and _known(value.get("pages"))
        and (not value.get("flags") or (isinstance(value["flags"], list) and all(f in FLAGS for f in value["flags"])))
    )


def _rows(value: object) -> bool:
    return isinstance(value, list) and all(map(_row, value))


def _return(value: object) -> bool:
    return value is None or value == ELSEWHERE or _whole(value, 0, _PAGES)


def _values(value: object) -> bool:
    return isinstance(value, list) and all(one is None or _whole(one) for one in value)


_STEP: dict[str, Callable[[Any], bool]] = {
    "errno": _errno,
    "return": _return,
    "vmas": _rows,
    "pages": _known,
    "values": _values,
    "address": _whole,
    ELSEWHERE: _rows,
}

_ALONE: dict[str, Callable[[Any], bool]] = {
    "final": _rows,
    "error": _text,
    "why": _text,
    "end": lambda value: _text(value, 20) or _whole(value, 0, 255),
    "ready": _whole,
}


def genuine(message: dict[str, Any]) -> bool:
    """Whether `message` is of a form that the driver answers in.  O(its length)."""
    try:
        if "errno" in message:
            return "return" in message and all(key in _STEP and _STEP[key](value) for key, value in message.items())
        return bool(message) and all(key in _ALONE and _ALONE[key](value) for key, value in message.items())
    except (TypeError, ValueError, OverflowError, KeyError):  # what can't be hashed or compared
        return False


def well_formed(result: dict[str, Any]) -> bool:
    """Whether one scenario's part of a recording is of the form of the format; keys that it does not know may be there.

    O(its length).
    """
    try:
        if "error" in result:
            return _text(result["error"])
        steps = result["steps"]
        return _rows(result["final"]) and all(
            "errno" in step and all(key not in _STEP or _STEP[key](value) for key, value in step.items())
            for step in steps
        )
    except (TypeError, ValueError, OverflowError, KeyError, AttributeError):
        return False
