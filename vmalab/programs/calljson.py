"""Single calls as steps of a scenario file: `call_from_json`, `call_to_json`, and the table of every argument.

In the file addresses and lengths are pages, counted from the arena's base; in the records they are bytes.  Whole
scenarios and files are read in `vmalab.programs.scenario`, calls become words for people in `vmalab.programs.calltext`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from difflib import get_close_matches
from fractions import Fraction
from typing import Any, NoReturn

from attrs import frozen

from vmalab.errors import NotModelled, ScenarioError
from vmalab.linux.addr import ARENA_BASE, PAGE, PAGE_SHIFT, WORD
from vmalab.linux.call import ADVICES, CALLS, KINDS, RESOURCES, UFFD_MODES, AddSeals, Call, Mlockall, Mmap, Mremap
from vmalab.linux.flags import (
    MCL_CURRENT,
    MCL_FUTURE,
    MCL_ONFAULT,
    MREMAP_DONTUNMAP,
    MREMAP_FIXED,
    MREMAP_MAYMOVE,
    PROT_READ,
    PROT_WRITE,
    SEALS,
    prot_from_letters,
    prot_letters,
)
from vmalab.linux.scope import not_modelled

MOST_VALUE = 1 << 53
"""Of a touch: a thousand times this is still one 64-bit word."""

MOST_FILE = 4096
"""Pages of a memfd: those that it has at first."""

MISSING: Any = object()
_WORDS = {"maymove": MREMAP_MAYMOVE, "fixed": MREMAP_FIXED, "dontunmap": MREMAP_DONTUNMAP}
_MCL_WORDS = {"current": MCL_CURRENT, "future": MCL_FUTURE, "onfault": MCL_ONFAULT}
SEAL_WORDS = {name.removeprefix("F_SEAL_").lower(): bit for name, bit in SEALS.items()}


class Unreadable(Exception):
    """What was expected, from inside a reader of a value; `fail` adds where."""


# --- single values: JSON → record, and back ------------------------------------------------------------------


def shown(value: object) -> str:
    if isinstance(value, Decimal):
        value = float(value)
    text = json.dumps(value, default=str)
    return text if len(text) <= 60 else text[:57] + "..."


def _bytes(value: object) -> int:
    """A number of pages, perhaps with a fraction, in bytes."""
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)):
        raise Unreadable("a number of pages")
    if isinstance(value, int):
        return value << PAGE_SHIFT
    if not -300 < Decimal(value).adjusted() < 300:  # NaN and the infinities have 0 or raise below
        raise Unreadable("a number of pages")
    try:
        exact = Fraction(value) * PAGE
        if exact.denominator != 1:  # most programs write the shortest decimal that stands for the same double
            exact = Fraction(float(value)) * PAGE
    except (ValueError, OverflowError):
        raise Unreadable("a number of pages") from None
    if exact.denominator != 1:
        raise Unreadable(f"a whole number of bytes (a page has {PAGE})")
    return int(exact)


def _pages(count: int) -> int | float:
    """`count` bytes as a number of pages, the inverse of `_bytes`."""
    if not count % PAGE:
        return count // PAGE
    number = count / PAGE
    if Fraction(number) * PAGE != count:
        raise ScenarioError(f"{count:#x} bytes are no number of pages that a scenario file can hold")
    return number


def _address(value: object) -> int:
    return (ARENA_BASE + _bytes(value)) & WORD


def _address_back(address: int) -> int | float:
    return _pages(address - ARENA_BASE)


def _length(value: object) -> int:
    return _bytes(value) & WORD


def integer(low: int, high: int, what: str) -> Callable[[object], int]:
    def read(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value < high:
            raise Unreadable(what)
        return value

    return read


def _word(bits: int, what: str) -> Callable[[object], int]:
    """Any whole number, wrapped to `bits` bits."""

    def read(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise Unreadable(what)
        return value & ((1 << bits) - 1)

    return read


def truth(value: object) -> bool:
    if not isinstance(value, bool):
        raise Unreadable("true or false")
    return value


def _one_of(words: Sequence[str]) -> Callable[[object], str]:
    def read(value: object) -> str:
        if not isinstance(value, str) or value not in words:
            raise _refused(value) or Unreadable(f"one of {', '.join(words)}")
        return value

    return read


def _refused(value: object) -> NotModelled | None:
    return not_modelled(value) if isinstance(value, str) else None


def _prot(value: object) -> int:
    if not isinstance(value, str):
        raise Unreadable('a string of the letters r, w, x, such as "rw" or ""')
    try:
        return prot_from_letters(value)
    except ValueError:
        raise Unreadable("the letters r, w, x, each at most once") from None


def _file(value: object) -> str:
    # The name becomes the memfd's and comes back in /proc/self/maps, where these would be taken for something else.
    if not isinstance(value, str) or not 0 < len(value) <= 100 or not value.isascii() or not value.isprintable():
        raise Unreadable("a name of 1 to 100 printable ASCII characters")
    if value in ("shmem", "/dev/zero") or value != value.strip() or value.endswith("(deleted)") or "\\" in value:
        raise Unreadable('another name for a memfd (not "shmem" or "/dev/zero", no spaces around it, no backslash)')
    return value


def _label(value: object) -> str | None:
    if value is not None and (not isinstance(value, str) or len(value) > 200 or not value.isprintable()):
        raise Unreadable("null, or a name of at most 200 printable characters")
    return value


def _file_size(value: object) -> int:
    return integer(0, MOST_FILE + 1, f"a whole number of pages from 0 to {MOST_FILE}")(value) * PAGE


def _flags(words: Mapping[str, int]) -> Callable[[object], int]:
    def read(value: object) -> int:
        if not isinstance(value, list) or not all(isinstance(word, str) and word in words for word in value):
            raise Unreadable(f"a list of the words {', '.join(words)}")
        flags = 0
        for word in value:
            flags |= words[word]
        return flags

    return read


def _flags_back(words: Mapping[str, int]) -> Callable[[int], list[str]]:
    return lambda flags: [word for word, bit in words.items() if flags & bit]


def _same(value: Any) -> Any:
    return value


# --- the arguments of each call ------------------------------------------------------------------------------


@frozen
class Key:
    """One argument: its key in the file, the record's attribute, and how to read and write it.

    `default` is what stands in the record where the key is missing; without one the key must be there.
    """

    name: str
    attribute: str
    read: Callable[[object], Any]
    write: Callable[[Any], Any] = _same
    default: Any = MISSING


_ADDR = Key("addr", "addr", _address, _address_back)
_PAGES = Key("pages", "length", _length, _pages)
_FLAG_KEYS = tuple(
    Key(name, name, truth, default=False)
    for name in ("noreserve", "noreplace", "growsdown", "populate", "locked", "readonly")
)
_RANGE = (_ADDR, _PAGES)
_VALUE = Key("value", "value", integer(0, MOST_VALUE, "a whole number from 0 on"), default=None)

ARGUMENTS: Mapping[str, tuple[Key, ...]] = {
    "mmap": (
        Key("addr", "addr", _address, _address_back, None),
        _PAGES,
        Key("prot", "prot", _prot, prot_letters, PROT_READ | PROT_WRITE),
        Key("kind", "kind", _one_of(KINDS), default="anon"),
        Key("file", "file", _file, default="f0"),
        Key("pgoff", "pgoff", _word(64 - PAGE_SHIFT, "a whole number of pages"), default=0),
        *_FLAG_KEYS,
        Key("fixed", "fixed", truth, default=True),
    ),
    "brk": (_ADDR,),
    "munmap": _RANGE,
    "mlock": _RANGE,
    "mlock2": (*_RANGE, Key("onfault", "onfault", truth, default=False)),
    "munlock": _RANGE,
    "mlockall": (Key("flags", "flags", _flags(_MCL_WORDS), _flags_back(_MCL_WORDS)),),
    "munlockall": (),
    "mseal": _RANGE,
    "mprotect": (*_RANGE, Key("prot", "prot", _prot, prot_letters)),
    "madvise": (*_RANGE, Key("advice", "advice", _one_of(ADVICES))),
    "mremap": (
        _ADDR,
        Key("old_pages", "old_len", _length, _pages),
        Key("new_pages", "new_len", _length, _pages),
        Key("flags", "flags", _flags(_WORDS), _flags_back(_WORDS)),
        Key("new_addr", "new_addr", _address, _address_back, 0),
    ),
    "touch": (*_RANGE, _VALUE),
    "read": _RANGE,
    "uffd": (*_RANGE, Key("mode", "mode", _one_of(UFFD_MODES), default="missing")),
    "uffd_unregister": _RANGE,
    "uffd_copy": (*_RANGE, _VALUE),
    "uffd_zeropage": _RANGE,
    "uffd_writeprotect": (*_RANGE, Key("protect", "protect", truth, default=True)),
    "ftruncate": (
        Key("file", "file", _file),
        Key("pages", "length", _file_size, _pages),
    ),
    "add_seals": (
        Key("file", "file", _file),
        Key("seals", "seals", _flags(SEAL_WORDS), _flags_back(SEAL_WORDS)),
    ),
    "prctl_set_vma": (*_RANGE, Key("name", "label", _label)),
    "fork": (),
    "fork_child": (),
    "limit": (
        Key("resource", "resource", _one_of(RESOURCES)),
        Key("headroom", "headroom", integer(0, 1 << 40, "a whole number from 0 on")),
    ),
}
"""Every argument of every call, in the order of the format's table."""


# --- one call ------------------------------------------------------------------------------------------------


def fail(where: str, key: str, expected: str, value: object = MISSING) -> NoReturn:
    found = "it is missing" if value is MISSING else f"found {shown(value)}"
    raise ScenarioError(f'{where}, key "{key}": expected {expected}, {found}')


class Object(dict[str, Any]):
    """A JSON object in which the key `twice` stood more than once."""

    twice = ""


def parsed_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """What a JSON object becomes: a dict, or an `Object` where a key is repeated."""
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    names = [name for name, _ in pairs]
    repeated = Object(found)
    repeated.twice = next(name for name in names if names.count(name) > 1)
    return repeated


def only_once(value: dict[str, Any], where: str) -> None:
    """Raise ScenarioError if a key of a parsed JSON object stood there more than once."""
    if isinstance(value, Object):
        raise ScenarioError(f'{where}, key "{value.twice}": it stands there more than once')


def call_from_json(step: object, where: str = "step") -> Call:
    """The call that a step of a scenario file describes.

    `where` is put before what is wrong with it, in the ScenarioError.  The key `note` is free, any other unknown one is
    an error.  Raises NotModelled for a call, kind or advice that Linux knows and the model does not.

    >>> call_from_json({"call": "munmap", "addr": 0, "pages": 1.5})
    Munmap(addr=68719476736, length=6144)
    """
    return read_call(step, where)[0]


def read_call(step: object, where: str) -> tuple[Call, dict[str, Any]]:
    """The call, and the `note` of the step, if there is one."""
    if not isinstance(step, dict):
        raise ScenarioError(f'{where}: expected an object with a key "call", found {shown(step)}')
    name = step.get("call", MISSING)
    record = CALLS.get(name) if isinstance(name, str) else None
    if record is None:
        if refused := _refused(name):
            raise refused
        fail(where, "call", f"one of {', '.join(CALLS)}", name)
    where = f"{where} ({name})"
    only_once(step, where)
    arguments: dict[str, Any] = {}
    keys = ARGUMENTS[record.name]
    for key in keys:
        value = step.get(key.name, MISSING)
        if value is MISSING and key.default is not MISSING:
            arguments[key.attribute] = key.default
            continue
        try:
            arguments[key.attribute] = key.read(None if value is MISSING else value)
        except Unreadable as bad:
            fail(where, key.name, str(bad), value)
    known = {"call", *(key.name for key in keys)}
    word = next((name for name in ("flags", "seals") if name in arguments), None)
    if word is not None:
        known.add("badflags")
        try:
            arguments[word] |= _word(64, "a whole number")(step.get("badflags", 0))
        except Unreadable as bad:
            fail(where, "badflags", str(bad), step["badflags"])
        if record is Mremap and "new_addr" not in step and "fixed" in step["flags"]:
            fail(where, "new_addr", "a number of pages, since there is the flag fixed")
    rest = {key: value for key, value in step.items() if key not in known}
    for key in rest.keys() - {"note"}:
        near = get_close_matches(key, known, 1)
        meant = f'perhaps "{near[0]}" is meant' if near else f"there are {', '.join(sorted(known))}, and note"
        raise ScenarioError(f'{where}, key "{key}": there is no such key; {meant}')
    if record is Mmap:
        if arguments["kind"] not in ("file", "sharedfile"):
            arguments["file"] = "f0"  # it says nothing there, and equal calls are to be equal records
            if arguments["readonly"]:
                fail(where, "readonly", "kind file or sharedfile, since only a memfd has a descriptor", True)
        if arguments["addr"] is None:
            if step.get("fixed") or arguments["noreplace"]:
                fail(where, "addr", "a number of pages, since the mapping is to lie just there")
            arguments["fixed"] = False
    return record(**arguments), rest


def call_to_json(call: Call) -> dict[str, Any]:
    """The step of a scenario file that describes `call`: the inverse of `call_from_json`.

    Raises ScenarioError for a number of bytes that no number of pages in JSON can stand for.
    """
    step: dict[str, Any] = {"call": call.name}
    for key in ARGUMENTS[call.name]:
        value = getattr(call, key.attribute)
        if value != key.default or (key.name in ("prot", "kind")):
            step[key.name] = key.write(value)
    if isinstance(call, Mmap) and call.addr is None:
        step.pop("fixed", None)
    if isinstance(call, Mremap):
        if call.flags & MREMAP_FIXED:
            step["new_addr"] = _address_back(call.new_addr)
        words = _WORDS
    elif isinstance(call, Mlockall):
        words = _MCL_WORDS
    elif isinstance(call, AddSeals):
        words = SEAL_WORDS
    else:
        return step
    given = call.seals if isinstance(call, AddSeals) else call.flags
    if rest := given & ~sum(words.values()):
        step["badflags"] = rest
    return step
