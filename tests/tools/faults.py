"""Faults injected into the live machine, one after the other: what it reported, and whether it went on.

usage: python -m tests.tools.faults            the table, as Markdown

After each fault a scenario with nothing wrong in it has to be answered as ever, no process of the broken driver may be
left, and no file may stay open.  Exit status 1 if one of these is not so.  The same faults are tests in `tests/live/`;
here they are run once more to be read.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.live.confined import without
from tests.live.hostility import descendants, driver_pids, in_session, open_files, parts_of
from tests.live.test_endurance import AFTER, MAPPED, damages, well
from tests.live.test_hostile import EVERYTHING, gone, heap_of
from vmalab.errors import LiveUnavailable
from vmalab.linux.addr import PAGE, page
from vmalab.linux.call import Call, Fork, ForkChild, Limit, Madvise, Mmap, Touch, Uffd
from vmalab.machines.live import Live
from vmalab.programs.scenario import Scenario

NOTHING = "nothing: it went on, and every call was answered"
Fault = Callable[[Live], str]

LIMITED = """
import resource; resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
from vmalab.machines.live import Live; from vmalab.programs.scenario import Scenario
from vmalab.linux.call import *; from vmalab.linux.addr import *
with Live() as live:
    played = live.run(Scenario("x", (Mmap(page(0), 1 << 31), Mmap(page(0), PAGE)), 1 << 20))
print(*[outcome.errno or "success" for outcome in played.outcomes], sep=", then ")
"""
PARENT = """
import sys; from vmalab.machines.live import Live; from vmalab.linux.call import *
session = Live().session(); session.do(Fork()); session.do(ForkChild()); session.do(Fork())
print(session._driver.pid, flush=True); sys.stdin.read()
"""


def said(live: Live, *calls: Call, arena: int = 4096) -> str:
    """What the machine reports of a scenario."""
    return live.run(Scenario("fault", calls, arena)).error or NOTHING


def damaged(part: str, what: str) -> Fault:
    """A part of the process's own memory is damaged by a call."""

    def fault(live: Live) -> str:
        well(live)
        (pid,) = driver_pids(live)
        area = max(parts_of(pid)[part], key=lambda area: area[1] - area[0])
        return said(live, MAPPED, damages(area)[what])

    return fault


def overwritten(live: Live) -> str:
    """All of the interpreter's heap."""
    start, length = heap_of(live)
    return said(live, Touch(start, length))


def hanging(live: Live) -> str:
    """It waits for a page that nobody brings: its own heap, by way of userfaultfd."""
    start, length = heap_of(live)
    return said(live, MAPPED, Uffd(start, length), Madvise(start, length, "dontneed"), MAPPED)


def stopped(steps: int) -> Fault:
    """The driver and its workers stand still."""

    def fault(live: Live) -> str:
        well(live)
        (pid,) = driver_pids(live)
        for member in in_session(pid):
            os.kill(member, signal.SIGSTOP)
        with Live(time_limit=1, fresh=True) as alone:
            well(alone)
            (other,) = driver_pids(alone)
            for member in in_session(other):
                os.kill(member, signal.SIGSTOP)
            return said(alone, *(MAPPED,) * steps)

    return fault


def killed_worker(live: Live) -> str:
    """SIGKILL between two calls of a session."""
    with live.session() as session:
        session.do(MAPPED)
        assert session._driver
        (worker,) = descendants(session._driver.pid)
        os.kill(worker, signal.SIGKILL)
        assert gone([worker])
        outcome = session.do(MAPPED)
        return f"errno {outcome.errno}: {session.problem}"


def killed_driver(live: Live) -> str:
    """SIGKILL between two scenarios."""
    well(live)
    (pid,) = driver_pids(live)
    os.kill(pid, signal.SIGKILL)
    assert gone([pid])
    return said(live, MAPPED)


def lacking(what: str, *calls: Call, arena: int = 4096) -> Fault:
    """A system that lacks something (`tests/live/confined.py` has the list)."""

    def fault(_: Live) -> str:
        with pytest.MonkeyPatch.context() as patch:
            without(patch, what)
            try:
                with Live(time_limit=2) as there:
                    told = said(there, *(calls or AFTER.steps), arena=arena)
                    return "; ".join([told, *there.missing().values()])
            except LiveUnavailable as error:
                return f"LiveUnavailable: {error}"

    return fault


def no_room(_: Live) -> str:
    """The disk is full while a recording is written."""
    steps = [{"name": f"s{n}", "steps": [{"call": "mmap", "addr": n, "pages": 1}]} for n in range(300)]
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "in.json"), Path(folder, "out.json")
        source.write_text(json.dumps(steps))
        recorder = [sys.executable, "-m", "vmalab", "record", str(source), "-o", str(target)]
        done = subprocess.run(
            ["sh", "-c", 'ulimit -f 8; exec "$@"', "sh", *recorder], capture_output=True, text=True, check=False
        )
        left = "no file is left" if not target.exists() else "A FILE IS LEFT"
        return f"{done.stderr.strip().replace(folder + '/', '')}; {left}"


def small_address_space(_: Live) -> str:
    """As `ulimit -v` sets it around the whole program."""
    done = subprocess.run([sys.executable, "-c", LIMITED], capture_output=True, text=True, check=False)
    return f"the calls answered {done.stdout.strip()}{done.stderr.strip()}"


def parent_killed(_: Live) -> str:
    """SIGKILL of the program that uses the live machine."""
    with subprocess.Popen([sys.executable, "-c", PARENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
        assert parent.stdout
        members = in_session(int(parent.stdout.readline()))
        parent.kill()
        return f"all {len(members)} processes ended" if gone(members) else "A PROCESS IS LEFT"


def many_sessions(live: Live) -> str:
    """Each with a process of its own."""
    sessions = [live.session() for _ in range(200)]
    answered = sum(session.do(MAPPED).errno is None for session in sessions)
    pids = {session._driver.pid for session in sessions if session._driver}
    for session in sessions:
        session.close()
    return f"{answered} answers from {len(pids)} processes" + (
        ", all gone when closed" if gone(pids) else ", SOME LEFT"
    )


LARGE = (Mmap(page(0), 1 << 28), *[Touch(page(0), 1 << 28)] * 3)

FAULTS: dict[str, Fault] = {
    "its own program text is unmapped": damaged("text", "unmapped"),
    "its C library is unmapped": damaged("libc", "unmapped"),
    "its stack is unmapped": damaged("stack", "unmapped"),
    "its stack is moved away": damaged("stack", "moved away"),
    "its heap is made inaccessible": damaged("anonymous", "made inaccessible"),
    "its heap is replaced by the end of a file (SIGBUS)": damaged("anonymous", "replaced by the end of a file"),
    "its vdso is moved away": damaged("vdso", "moved away"),
    "all of its memory is unmapped": lambda live: said(live, MAPPED, EVERYTHING),
    "the same in a child of a child": lambda live: said(live, ForkChild(), ForkChild(), EVERYTHING),
    "its heap is overwritten": overwritten,
    "it waits for a page that never comes": hanging,
    "it stands still (SIGSTOP)": stopped(1),
    "it stands still, and the request fills the pipe": stopped(5000),
    "the worker is killed (SIGKILL) in a session": killed_worker,
    "the driver is killed (SIGKILL) between scenarios": killed_driver,
    "it takes more memory than it may (here 64 MiB)": lacking("more than 64 MiB", *LARGE, arena=1 << 16),
    "the address space of the program is limited to 1 GiB": small_address_space,
    "more forks than a scenario may have": lambda live: said(live, *(ForkChild(),) * 65),
    "a limit of the whole system is asked for": lambda live: said(live, Limit("map_count", 3)),
    "no room for a scenario's files": lacking("files as large as a memfd", MAPPED, Mmap(page(4), PAGE, 3, "file")),
    "no room on disk for a recording": no_room,
    "a system without pidfd": lacking("pidfd"),
    "a system without /proc": lacking("proc"),
    "a system that hides /proc/self/pagemap": lacking("pagemap"),
    "a system that refuses userfaultfd": lacking("userfaultfd", MAPPED, Uffd(page(0), PAGE)),
    "a system without seccomp filters": lacking("seccomp"),
    "a sandbox that takes a filter and ignores it": lacking("a seccomp that is heeded"),
    "pages of 64 KiB": lacking("pages of 4 KiB"),
    "what it forked does not want to end with it": lacking("sleepers that end", Fork(), ForkChild(), Fork()),
    "200 sessions at once": many_sessions,
    "the program that uses it is killed": parent_killed,
}
"""What goes wrong → how it is made to, and what the machine says of it."""


@contextmanager
def nothing_left(problems: list[str]) -> Iterator[Live]:
    """A live machine that has to answer as ever afterwards, and leave nothing."""
    before = open_files()
    live = Live(time_limit=1.0)
    yield live
    if not well(live):
        problems.append("it did not go on")
    live.close()
    if descendants(os.getpid()):
        problems.append("a process is left")
    if open_files() != before:
        problems.append("a file is left open")


def short(text: str) -> str:
    """For a table: no addresses of this run, no bars."""
    return re.sub(r"0x[0-9a-f]{9,}", "0x…", text).replace("|", r"\|").replace("\n", " ")


def main() -> int:
    bad = 0
    print("| what went wrong | what was reported | went on |\n|---|---|---|")
    for name, fault in FAULTS.items():
        problems: list[str] = []
        with nothing_left(problems) as live:
            told = fault(live)
        bad += bool(problems)
        print(f"| {name} | {short(told)} | {', '.join(problems) or 'yes'} |", flush=True)
    return min(bad, 1)


if __name__ == "__main__":
    sys.exit(main())
