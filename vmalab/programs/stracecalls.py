"""One system call of strace's text as a record of `vmalab.linux.call`: `decoded(name, arguments)`.

Numbers, names of flags and both together (`-X raw`, `abbrev`, `verbose`) are read.  What has a flag or a shape that is
not known raises `NotUnderstood`, with what it is; nothing is assumed in its place.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from attrs import frozen

from vmalab.linux.call import (
    Call,
    Madvise,
    Mlock,
    Mlock2,
    Mlockall,
    Mmap,
    Mprotect,
    Mremap,
    Mseal,
    Munlock,
    Munlockall,
    Munmap,
)
from vmalab.linux.flags import MCL_FLAGS, MREMAP_FLAGS


class NotUnderstood(Exception):
    """Text that is no such call as far as is known here; says what is wrong with it."""


PROT: Mapping[str, int] = {
    "PROT_NONE": 0, "PROT_READ": 1, "PROT_WRITE": 2, "PROT_EXEC": 4, "PROT_SEM": 8, "PROT_GROWSDOWN": 1 << 24,
    "PROT_GROWSUP": 1 << 25,
}  # fmt: skip
MAP: Mapping[str, int] = {
    "MAP_FILE": 0, "MAP_SHARED": 1, "MAP_PRIVATE": 2, "MAP_SHARED_VALIDATE": 3, "MAP_DROPPABLE": 8, "MAP_FIXED": 0x10,
    "MAP_ANONYMOUS": 0x20, "MAP_ANON": 0x20, "MAP_32BIT": 0x40, "MAP_ABOVE4G": 0x80, "MAP_GROWSDOWN": 0x100,
    "MAP_DENYWRITE": 0x800, "MAP_EXECUTABLE": 0x1000, "MAP_LOCKED": 0x2000, "MAP_NORESERVE": 0x4000,
    "MAP_POPULATE": 0x8000, "MAP_NONBLOCK": 0x10000, "MAP_STACK": 0x20000, "MAP_HUGETLB": 0x40000, "MAP_SYNC": 0x80000,
    "MAP_FIXED_NOREPLACE": 0x100000, "MAP_UNINITIALIZED": 0x4000000,
}  # fmt: skip
MADV: Mapping[int, str] = {
    0: "normal", 1: "random", 2: "sequential", 3: "willneed", 4: "dontneed", 8: "free", 9: "remove", 10: "dontfork",
    11: "dofork", 12: "mergeable", 13: "unmergeable", 14: "hugepage", 15: "nohugepage", 16: "dontdump", 17: "dodump",
    18: "wipeonfork", 19: "keeponfork", 20: "cold", 21: "pageout", 22: "populate_read", 23: "populate_write",
    24: "dontneed_locked", 25: "collapse", 100: "hwpoison", 101: "soft_offline", 102: "guard_install",
    103: "guard_remove",
}  # fmt: skip
CLONE: Mapping[str, int] = {"CLONE_VM": 0x100, "CLONE_VFORK": 0x4000, "CLONE_THREAD": 0x10000}
"""The flags of clone(2) that decide about the address space; others are let pass."""


@frozen
class Decoded:
    """A call, and what only the text has: `fd` and `path` of the mapped file, all MAP_* bits.

    `call` is None for what has no record of its own: `name` then says which call it is, `numbers` its arguments.
    """

    name: str
    call: Call | None = None
    fd: int | None = None
    path: str | None = None
    flags: int = 0
    numbers: tuple[int, ...] = ()
    words: tuple[str, ...] = ()


_COMMENT = re.compile(r"\s*/\*.*?\*/")
_SHIFTED = re.compile(r"(\d+)<<(\w+)")
_FD = re.compile(r"(-?\d+|0x[0-9a-f]+|AT_FDCWD)(?:<(.*)>(\(deleted\))?)?", re.S)
_NUMBER = re.compile(r"NULL|0x[0-9a-f]+|-?\d+")


def number(text: str) -> int:
    """An address or a length."""
    if _NUMBER.fullmatch(text) is None:
        raise NotUnderstood(f"{text[:40]!r} is no number")
    return 0 if text == "NULL" else int(text, 0) if not re.fullmatch(r"0\d+", text) else int(text, 8)


def bits(text: str, names: Mapping[str, int], what: str) -> int:
    """A word of flags: names, numbers, or both, joined by `|`."""
    found = 0
    for part in text.split("|"):
        part = part.strip()
        if part in names:
            found |= names[part]
        elif _NUMBER.fullmatch(part):
            found |= number(part)
        elif shifted := _SHIFTED.fullmatch(part):
            found |= int(shifted[1]) << 26  # MAP_HUGE_SHIFT
        else:
            raise NotUnderstood(f"{part[:40]!r} is no {what}")
    return found


def _fd(text: str) -> tuple[int, str | None]:
    match = _FD.fullmatch(text)
    if match is None:
        raise NotUnderstood(f"{text[:40]!r} is no file descriptor")
    given = match[1]
    fd = -100 if given == "AT_FDCWD" else int(given, 0)
    return (fd - (1 << 32) if fd >= 1 << 31 else fd), match[2]


def _parts(text: str, most: int, least: int | None = None) -> list[str]:
    parts = text.split(", ", most - 1) if text else []
    if not (least or most) <= len(parts) <= most:
        raise NotUnderstood(f"{len(parts)} of {most} arguments")
    return parts


def _mmap(text: str) -> Decoded:
    address, length, prot, word, rest = _parts(text, 5)
    fd_text, comma, offset = rest.rpartition(", ")
    if not comma:
        raise NotUnderstood("5 of 6 arguments")
    flags, (fd, path) = bits(word, MAP, "flag of mmap"), _fd(fd_text)
    rights = bits(prot, PROT, "right of mmap") & 7
    kind, shared = "file", flags & 3 in (1, 3)
    if flags & MAP["MAP_ANONYMOUS"]:
        kind, fd, path = ("shared" if shared else "anon"), -1, None
    elif path == "/dev/zero" and not shared:
        kind = "zero"
    elif shared:
        kind = "sharedfile"
    if path is not None and path.startswith("/dev/zero") and shared:
        kind = "shared"
    start = number(address)
    fixed = bool(flags & (MAP["MAP_FIXED"] | MAP["MAP_FIXED_NOREPLACE"]))
    begin = number(offset)
    if begin % 4096:
        raise NotUnderstood(f"the offset {offset} is no multiple of the page size")
    call = Mmap(
        start if start or fixed else None, number(length), rights, kind, path or "", begin >> 12,
        bool(flags & MAP["MAP_NORESERVE"]),
        bool(flags & MAP["MAP_FIXED_NOREPLACE"]) and not flags & MAP["MAP_FIXED"],
        bool(flags & MAP["MAP_GROWSDOWN"]), fixed, bool(flags & MAP["MAP_POPULATE"]), bool(flags & MAP["MAP_LOCKED"]),
    )  # fmt: skip
    return Decoded("mmap", call, fd if fd >= 0 else None, path, flags)


def _mremap(text: str) -> Decoded:
    parts = _parts(text, 5, 3)
    address, old, new = map(number, parts[:3])
    flags = bits(parts[3], MREMAP_FLAGS, "flag of mremap") if len(parts) > 3 else 0
    target = number(parts[4]) if len(parts) > 4 else 0
    return Decoded("mremap", Mremap(address, old, new, flags, target))


def _madvise(text: str) -> Decoded:
    address, length, advice = _parts(text, 3)
    word = advice.removeprefix("MADV_").lower()
    if _NUMBER.fullmatch(advice):
        word = MADV.get(number(advice), "")
        if not word:  # no kernel knows it: programs ask so whether an advice is new
            return Decoded("madvise", numbers=(number(address), number(length), number(advice)))
    if word not in MADV.values():
        raise NotUnderstood(f"{advice[:40]!r} is no advice of madvise")
    return Decoded("madvise", Madvise(number(address), number(length), word))


def _mprotect(text: str) -> Decoded:
    address, length, prot = _parts(text, 3)
    return Decoded("mprotect", Mprotect(number(address), number(length), bits(prot, PROT, "right of mprotect")))


def _pkey_mprotect(text: str) -> Decoded:
    address, length, prot, key = _parts(text, 4)
    return Decoded(
        "pkey_mprotect", Mprotect(number(address), number(length), bits(prot, PROT, "right")), numbers=(number(key),)
    )


def _two(record: Callable[[int, int], Call], name: str) -> Callable[[str], Decoded]:
    def decode(text: str) -> Decoded:
        address, length = _parts(text, 2)
        return Decoded(name, record(number(address), number(length)))

    return decode


def _mlock2(text: str) -> Decoded:
    address, length, flags = _parts(text, 3)
    onfault = bits(flags, {"MLOCK_ONFAULT": 1}, "flag of mlock2")
    return Decoded("mlock2", Mlock2(number(address), number(length), bool(onfault)))


def _mlockall(text: str) -> Decoded:
    return Decoded("mlockall", Mlockall(bits(text, MCL_FLAGS, "flag of mlockall")))


def _mseal(text: str) -> Decoded:
    address, length, flags = _parts(text, 3)
    if number(flags):
        raise NotUnderstood("mseal takes no flags")
    return Decoded("mseal", Mseal(number(address), number(length)))


def _numbers(name: str, most: int, names: Mapping[str, int] | None = None) -> Callable[[str], Decoded]:
    def decode(text: str) -> Decoded:
        return Decoded(
            name, numbers=tuple(bits(part, names or {}, f"argument of {name}") for part in _parts(text, most))
        )

    return decode


def _clone(name: str) -> Callable[[str], Decoded]:
    def decode(text: str) -> Decoded:
        given = re.search(r"\bflags=([\w|]+)", text)
        if given is None:
            raise NotUnderstood("no flags=… in it")
        words = [part for part in given[1].split("|") if part in CLONE or _NUMBER.fullmatch(part)]
        return Decoded(name, flags=bits("|".join(words) or "0", CLONE, "flag"))

    return decode


def _named(name: str, flags: int = 0) -> Callable[[str], Decoded]:
    def decode(text: str) -> Decoded:
        return Decoded(name, flags=flags, words=(text,))

    return decode


def _shmget(text: str) -> Decoded:
    key, length, _ = _parts(text, 3)
    return Decoded("shmget", numbers=(number(length),), words=(key,))


def _shmat(text: str) -> Decoded:
    segment, address, flags = _parts(text, 3)
    word = bits(flags, {"SHM_RDONLY": 0o10000, "SHM_RND": 0o20000, "SHM_REMAP": 0o40000, "SHM_EXEC": 0o100000}, "flag")
    return Decoded("shmat", numbers=(number(segment), number(address)), flags=word)


def _prctl(text: str) -> Decoded:
    if not text.startswith(("PR_SET_VMA", "0x53564d41")):
        return Decoded("other")
    parts = _parts(text, 5, 4)
    return Decoded("name", numbers=(number(parts[2]), number(parts[3])), words=(parts[4] if len(parts) > 4 else "",))


_OPENED = re.compile(r'(?:(?:-?\d+|AT_FDCWD)(?:<.*?>)?(?: /\*.*?\*/)?, )?"((?:[^"\\]|\\.)*)"(?:\.\.\.)?, (.*)', re.S)


def _open(text: str) -> Decoded:
    match = _OPENED.fullmatch(text)
    if match is None:
        raise NotUnderstood("no path in it")
    writable = bool(re.search(r"O_RDWR|O_WRONLY", match[2]))
    return Decoded("open", path=match[1], flags=int(writable))


MEMORY: Mapping[str, Callable[[str], Decoded]] = {
    "mmap": _mmap,
    "munmap": _two(Munmap, "munmap"),
    "mprotect": _mprotect,
    "pkey_mprotect": _pkey_mprotect,
    "mremap": _mremap,
    "madvise": _madvise,
    "mlock": _two(Mlock, "mlock"),
    "mlock2": _mlock2,
    "munlock": _two(Munlock, "munlock"),
    "mseal": _mseal,
    "brk": _numbers("brk", 1),
    "mlockall": _mlockall,
    "munlockall": lambda _text: Decoded("munlockall", Munlockall()),
    "shmget": _shmget,
    "shmat": _shmat,
    "shmdt": _numbers("shmdt", 1),
    "remap_file_pages": _named("remap_file_pages"),
    "prctl": _prctl,
    "execve": _named("execve"),
    "execveat": _named("execve"),
    "fork": _named("fork"),
    "vfork": _named("fork", CLONE["CLONE_VM"] | CLONE["CLONE_VFORK"]),
    "clone": _clone("fork"),
    "clone3": _clone("fork"),
    "open": _open,
    "openat": _open,
    "openat2": _open,
    "creat": lambda _text: Decoded("open", flags=1),
    "memfd_create": lambda _text: Decoded("open", flags=1),
}
"""The calls that say something about an address space, with who reads their arguments."""

WITHOUT_EFFECT = frozenset("mincore msync mbind get_mempolicy set_mempolicy migrate_pages move_pages membarrier "
                           "set_mempolicy_home_node pkey_alloc pkey_free shmctl".split())  # fmt: skip
"""Calls of strace's %memory that leave the VMAs as they are, or do so in what is looked at here."""


def decoded(name: str, text: str) -> Decoded | None:
    """The call `name(text)`; None for one that says nothing about VMAs.  Raises NotUnderstood.  O(length)."""
    read = MEMORY.get(name)
    if read is None:
        return None
    if "/*" in text and name not in ("execve", "execveat", "open", "openat", "openat2"):
        text = _COMMENT.sub("", text)
    try:
        return read(text.strip())
    except ValueError as error:
        raise NotUnderstood(str(error)) from None
