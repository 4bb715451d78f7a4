"""The process that forks a worker for each scenario, and so outlives every crash.

Requests come as lines of JSON on standard input, answers leave on standard output: the worker's lines, then this
process's `{"end": ...}` with how the worker ended.  It is single-threaded and makes none of a scenario's calls itself,
so each worker starts from the same clean address space.
"""

from __future__ import annotations

import gc
import os
import select
import signal
from itertools import pairwise
from typing import Any

from . import kernel, sandbox, worker
from .access import access
from .ftrace import Ftrace
from .kernel import PAGE
from .proc import Proc
from .program import BASE

IDLE = 3
"""Exit status of a worker that had nothing left to do."""
MOST_PAUSE = 250
"""Milliseconds after which a worker is looked at again."""
MOST_ROUNDS = 100
"""How often what a worker has left is ended before everything is."""


class Lines:
    """Lines from a file descriptor, read no further than the pipe has them."""

    def __init__(self, fd: int) -> None:
        self.fd = fd
        self._rest = b""

    def next(self) -> bytes | None:
        """The next line without its end, or None at the end of the input."""
        parts = [self._rest]
        while b"\n" not in parts[-1]:
            data = os.read(self.fd, 1 << 16)
            if not data:
                return None
            parts.append(data)
        line, _, self._rest = b"".join(parts).partition(b"\n")
        return line


def settle() -> sandbox.Sandbox:
    """Make this process a quiet parent: limited, first to go when memory is short, and no orphans.

    The sandbox is the one that its workers will be in.
    """
    sandbox.limit()
    kernel.prctl(kernel.PR_SET_NO_NEW_PRIVS, 1)
    kernel.prctl(kernel.PR_SET_CHILD_SUBREAPER, 1)
    kernel.Userfaultfd.find_device()
    made = sandbox.Sandbox()
    try:
        with open("/proc/self/oom_score_adj", "w") as score:
            score.write("1000")
    except OSError:
        pass  # a sandbox may not have it: then only the other limits hold
    fence()
    gc.collect()
    gc.freeze()
    gc.disable()
    return made


def fence() -> None:
    """Fill the small holes of this address space with mappings that merge with nothing.

    Where the kernel chooses an address for a scenario's mapping, it then starts below everything that is here, and
    does not grow together with the driver's own memory.
    """
    everything = Proc().areas(0, kernel.USER_END)
    # From the first shared library on: below lies the large hole that is left as it is.
    libraries = [area for area in everything if area.start > 0x7000_0000_0000 and area.perms != "---s"]
    flags = kernel.MAP_SHARED | kernel.MAP_ANONYMOUS | kernel.MAP_NORESERVE | kernel.MAP_FIXED_NOREPLACE
    if libraries:
        kernel.raw(kernel.SYS_MMAP, libraries[0].start - PAGE, PAGE, 0, flags, kernel.WORD, 0)
    for area, following in pairwise(libraries):
        hole = following.start - area.end
        if 0 < hole < 1 << 30:
            kernel.raw(kernel.SYS_MMAP, area.end, hole, 0, flags, kernel.WORD, 0)


class Watch:
    """Waits for a worker to end, and meanwhile for what it may need or do.

    `hung_up`: a pipe; the worker is killed when its other end goes away.  It is killed too when it, or a process that
    it forked, holds more memory than it may, and when there are more of them than there may be (`too_many`): no rlimit
    of Linux bounds that for one tree of processes.  And its processes may ask for files.
    """

    def __init__(self, child: int, hung_up: int | None, made: sandbox.Sandbox) -> None:
        self.child = child
        self.sandbox = made
        self.members = [child]
        self.reason: str | None = None
        self.too_many = False
        self._poll = select.poll()
        self._poll.register(made.broker, select.POLLIN)
        try:
            self._ended = os.pidfd_open(child)
        except OSError:  # before Linux 5.3, or forbidden: then it is asked again and again
            self._ended = -1
        else:
            self._poll.register(self._ended, select.POLLIN)
        self._hung_up = hung_up
        if hung_up is not None:
            self._poll.register(hung_up, 0)  # POLLHUP is always reported

    def wait(self) -> int:
        """The wait status of the worker; `reason` is set if it was killed for one."""
        pause = 100
        largest = 0
        try:
            while True:
                happened = {fd for fd, _ in self._poll.poll(pause if self._ended >= 0 else 10)}
                if self._ended in happened or self._ended < 0:
                    pid, status = os.waitpid(self.child, 0 if self._ended in happened else os.WNOHANG)
                    if pid:
                        return status
                if self._hung_up in happened:
                    return self._kill()
                if self.sandbox.broker.fileno() in happened:
                    asked = self.sandbox.broker.serve(self.child)
                    if asked is not None:
                        self.members.append(asked)
                resident = max(map(sandbox.resident, self.members))
                if resident > self.sandbox.most_resident:
                    self.reason = f"brought more than {self.sandbox.most_resident >> 20} MiB into memory"
                    return self._kill()
                if sandbox.tasks(os.getpid()) > sandbox.MOST_TASKS:
                    self.too_many, self.reason = True, f"made more than {sandbox.MOST_TASKS} processes"
                    return self._kill()
                # Look often while it grows, and seldom at one that waits for somebody to type.
                pause = 50 if resident > largest else min(2 * pause, MOST_PAUSE)
                largest = max(largest, resident)
        finally:
            if self._ended >= 0:
                os.close(self._ended)

    def _kill(self) -> int:
        os.kill(self.child, signal.SIGKILL)
        return os.waitpid(self.child, 0)[1]


def end_children() -> None:
    """End all that a worker has forked and left behind, which comes to this process as its last ancestor.

    Sleepers die with the process that forked them.  One that was taken over by its scenario may not want to, and may
    fork while others are ended: if that goes on, everything ends, this process too, and the parent starts another one.
    """
    for _ in range(MOST_ROUNDS):
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return
        left = children()
        if not left:
            break
        for child in left:
            os.kill(child, signal.SIGKILL)
        os.waitpid(-1, 0)
    end_everything()


def children() -> list[int]:
    """The children of this process, dead ones included."""
    here, found = str(os.getpid()), []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                with open(f"/proc/{entry}/stat", "rb") as stat:
                    if stat.read().rpartition(b")")[2].split()[1].decode() == here:
                        found.append(int(entry))
            except OSError:
                pass  # it has just ended
    return found


def end_everything(*_: object) -> None:
    """End this process and all that comes from it: a worker can't leave its process group."""
    os.killpg(0, signal.SIGKILL)


def ending(status: int, reason: str | None = None) -> dict[str, Any]:
    """The last line of a scenario: how its worker ended, and why if this process ended it."""
    if os.WIFSIGNALED(status):
        end: dict[str, Any] = {"end": signal.Signals(os.WTERMSIG(status)).name}
    else:
        code = os.waitstatus_to_exitcode(status)
        # One that slept while its child went on can't end by the same signal: its sandbox lets nobody send any.
        end = {"end": signal.Signals(code - 128).name if 128 < code < 128 + signal.NSIG else code}
    return end if reason is None else end | {"why": reason}


def play(
    line: bytes,
    lines: Lines,
    out: int,
    *,
    made: sandbox.Sandbox,
    watch: int | None = None,
    set_map_count: bool = False,
    tracer: Ftrace | None = None,
) -> None:
    """Run one scenario in a worker and see it end."""
    here = os.getpid()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            kernel.die_with_parent(here)
            signal.signal(signal.SIGCONT, signal.SIG_DFL)
            code = work(line, lines, out, made, set_map_count, tracer)
        finally:
            os._exit(code)
    watching = Watch(child, watch, made)
    status = watching.wait()
    if watching.too_many:  # whoever forks faster than others are ended ends with all; the parent starts another driver
        worker.Answers(out).send(ending(status, watching.reason))
        end_everything()
    end_children()
    if status != IDLE << 8:
        worker.Answers(out).send(ending(status, watching.reason))


def work(
    line: bytes | None, lines: Lines, out: int, made: sandbox.Sandbox, set_map_count: bool, tracer: Ftrace | None
) -> int:
    """What the forked process does, and its exit status: `IDLE` if no scenario waits for an end."""
    this = worker.Worker(lines.next, out, made, set_map_count, tracer)
    while line is not None:
        if not this.run(line):
            return 0
        this.end()
        line = lines.next()
    return IDLE


def why_not() -> str | None:
    """One sentence if this system cannot run scenarios at all."""
    if os.sysconf("SC_PAGESIZE") != PAGE:
        return f"its pages have {os.sysconf('SC_PAGESIZE')} bytes, and scenarios are made of pages of {PAGE}"
    try:
        access()
    except OSError as error:
        return str(error)
    try:
        proc = Proc()
        areas = proc.areas(BASE, BASE + 4096 * PAGE)
        proc.present(id(proc) & -PAGE, (id(proc) & -PAGE) + PAGE)
        proc.size()
    except OSError as error:
        return f"/proc/self does not show what is needed ({error})"
    if areas:
        return f"the arena at {BASE:#x} is not free in a fresh interpreter ({areas[0].start:#x} is mapped)"
    return None


def serve(parent: int, unprivileged: bool) -> None:
    """Answer requests until the input ends.  `parent`: the process to die with, or 0."""
    answers = worker.Answers(1)
    if unprivileged and kernel.capabilities():
        kernel.drop_capabilities()
    if parent:
        # A signal that can be handled, to end more than this process; this one wakes it too, should it be stopped.
        signal.signal(signal.SIGCONT, end_everything)
        kernel.die_with_parent(parent, signal.SIGCONT)
    reason = why_not()
    if reason:
        answers.send({"unavailable": reason})
        return
    made = settle()
    hello = {"ready": os.getpid(), "root": bool(kernel.capabilities()), "pages": Proc().pages_known}
    answers.send(hello | {"sandbox": made.why_open})
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 2)
    lines = Lines(0)
    while (line := lines.next()) is not None:
        play(line, lines, 1, made=made, watch=0)
