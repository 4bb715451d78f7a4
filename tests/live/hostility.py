"""Hostile calls for the live machine: anything a program can ask for, mostly at places where it must not.

Used by the tests (a few) and by `tests/tools/hostile.py` (a million).
"""

from __future__ import annotations

import os
from pathlib import Path
from random import Random

from vmalab.linux.addr import ARENA_BASE, HEAP, PAGE, TASK_SIZE, WORD
from vmalab.linux.call import (
    ADVICES,
    KINDS,
    UFFD_MODES,
    AddSeals,
    Brk,
    Call,
    Ftruncate,
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
    PrctlSetVma,
    Read,
    Touch,
    Uffd,
    UffdCopy,
    UffdUnregister,
    UffdWriteprotect,
    UffdZeropage,
)
from vmalab.machines.live import Live
from vmalab.programs.scenario import Scenario

Areas = list[tuple[int, int]]

PARTS = ("text", "libc", "loader", "stack", "heap", "vdso", "libraries", "anonymous")
"""What a process is made of, each as likely to be aimed at."""


def areas_of(pid: int) -> Areas:
    """The VMAs of a process: what a hostile call aims at."""
    return [area for areas in parts_of(pid).values() for area in areas]


def parts_of(pid: int) -> dict[str, Areas]:
    """The VMAs of a process by what they are; every part of `PARTS` that it has."""
    found: dict[str, Areas] = {}
    for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
        fields = line.split(None, 5)
        start, end = fields[0].split("-")
        found.setdefault(_part(fields[5] if len(fields) > 5 else ""), []).append((int(start, 16), int(end, 16)))
    return found


def _part(name: str) -> str:
    known = {"[stack]": "stack", "[heap]": "heap", "[vdso]": "vdso", "[vvar]": "vdso", "[vvar_vclock]": "vdso"}
    file = name.rpartition("/")[2]
    if name in known:
        return known[name]
    if "python" in file:
        return "text"
    for beginning, part in (("libc.", "libc"), ("libc-", "libc"), ("ld-", "loader"), ("ld.", "loader")):
        if file.startswith(beginning):
            return part
    return "libraries" if ".so" in file else "anonymous"


def driver_pids(live: Live) -> list[int]:
    """The processes behind a live machine."""
    return [driver.pid for driver in live._drivers.values()]


def address(random: Random, areas: Areas) -> int:
    """A bad place: in the driver's own memory, at the end of user space, or just anywhere."""
    kind = random.randrange(10)
    if kind < 6 and areas:
        start, end = random.choice(areas)
        place = start + random.randrange((end - start) // PAGE) * PAGE
    elif kind == 6:
        place = ARENA_BASE + random.randrange(-64, 4200) * PAGE
    elif kind == 7:
        place = TASK_SIZE - random.randrange(8) * PAGE
    elif kind == 8:
        place = random.choice((0, PAGE, WORD, WORD - PAGE + 1, 1 << 63))
    else:
        place = random.getrandbits(64)
    return (place + random.choice((0, 0, 0, 0, 1, 2048))) & WORD


def length(random: Random) -> int:
    """A bad length in bytes."""
    return random.choice(
        (
            0,
            1,
            PAGE,
            PAGE,
            2 * PAGE,
            random.randrange(1, 64) * PAGE,
            random.getrandbits(32),
            random.getrandbits(64),
            WORD,
        )
    )


def hostile_call(random: Random, areas: Areas) -> Call:
    """One call that may well end the process that makes it."""
    where, size = address(random, areas), length(random)
    near = (where & -PAGE) + random.randrange(-8, 9) * PAGE & WORD
    calls: tuple[Call, ...] = (
        Munmap(where, size),
        Munmap(where & -PAGE, PAGE * random.randrange(1, 512)),
        Mprotect(where, size, random.randrange(8)),
        Mprotect(where & -PAGE, PAGE * random.randrange(1, 64), random.choice((0, 1))),
        Madvise(where & -PAGE, size, random.choice(ADVICES)),
        Mlock(where, size),
        Munlock(where, size),
        Mlock2(where, size, bool(random.randrange(2))),
        Mlockall(random.choice((2, 4, 6, 7, random.getrandbits(64)))),
        Munlockall(),
        Brk(where),
        Brk(HEAP + size),
        Mmap(where & -PAGE, size, 3, random.choice(KINDS), populate=True, locked=bool(random.randrange(2))),
        Mseal(where & -PAGE, size),
        Mmap(where, size, random.randrange(8), random.choice(KINDS), "f0", random.getrandbits(random.choice((2, 52)))),
        Mmap(where & -PAGE, PAGE * random.randrange(1, 64), 0),
        Mmap(None, size, 3, random.choice(KINDS), fixed=False),
        Mremap(where, size, length(random), random.getrandbits(random.choice((3, 64))), address(random, areas)),
        Mremap(where & -PAGE, PAGE, PAGE, 3, address(random, areas) & -PAGE),
        Mremap(where & -PAGE, PAGE, PAGE, 7, ARENA_BASE),
        Mremap(where & -PAGE, 8 * PAGE, 8 * PAGE, 3, near),
        Mremap(ARENA_BASE, 4 * PAGE, 4 * PAGE, 3, where & -PAGE),
        Touch(where, min(size, 1 << 20)),
        Touch(where & -PAGE, PAGE),
        Read(where, min(size, 1 << 20)),
        UffdCopy(where, size),
        UffdCopy(where & -PAGE, PAGE * random.randrange(1, 8)),
        UffdZeropage(where & -PAGE, size),
        UffdUnregister(where & -PAGE, size),
        Ftruncate("f0", random.choice((0, PAGE, 100 * PAGE, 4096 * PAGE, random.getrandbits(40) * PAGE))),
        Uffd(where & -PAGE, PAGE * random.randrange(1, 8), random.choice(UFFD_MODES)),
        UffdWriteprotect(where & -PAGE, size, bool(random.randrange(2))),
        AddSeals("f0", random.choice((1, 8, 16, random.getrandbits(32)))),
        PrctlSetVma(where, size, random.choice(("name", "", None))),
        Mmap(where & -PAGE, size, random.randrange(8), random.choice(KINDS[2:4]), readonly=True),
    )
    return random.choice(calls)


def hostile_scenario(random: Random, number: int, areas: Areas, most: int = 3) -> Scenario:
    """A mapping, one to `most` hostile calls, and a look at the mapping."""
    calls = [hostile_call(random, areas) for _ in range(random.randrange(1, most + 1))]
    steps = (Mmap(ARENA_BASE, 4 * PAGE), Touch(ARENA_BASE, 2 * PAGE), *calls, Read(ARENA_BASE, PAGE))
    return Scenario(f"hostile-{number}", steps, unprivileged=bool(random.randrange(4)))


def descendants(pid: int) -> set[int]:
    """All living processes that descend from `pid`."""
    parents: dict[int, int] = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                text = Path(f"/proc/{entry}/stat").read_text()
            except OSError:
                continue
            fields = text.rpartition(")")[2].split()
            if fields[0] != "Z":
                parents[int(entry)] = int(fields[1])
    found: set[int] = set()
    todo = [pid]
    while todo:
        parent = todo.pop()
        for child, its in parents.items():
            if its == parent and child not in found:
                found.add(child)
                todo.append(child)
    return found


def in_session(leader: int) -> set[int]:
    """All living processes of the session that `leader` started, wherever they hang in the tree."""
    found = set()
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                fields = Path(f"/proc/{entry}/stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if fields[0] != "Z" and int(fields[3]) == leader:
                found.add(int(entry))
    return found


def open_files() -> int:
    """How many files this process has open."""
    return len(os.listdir("/proc/self/fd"))
