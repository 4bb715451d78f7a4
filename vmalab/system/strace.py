"""Run a program under strace(1) and keep the calls that change its address space: `trace(command, path)`.

The file is strace's own text, with lines that begin with `#` for what strace can't tell: the machine, and the VMAs of
each process right after exec and right before its end.  For those two moments strace holds the process still (it is
told to delay the two calls), long enough for its maps to be read.  Source: strace(1), --inject=…:delay_enter.
"""

from __future__ import annotations

import contextlib
import os
import platform
import re
import select
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO

from attrs import define, field

from vmalab.errors import MachineError, UsageError
from vmalab.linux.settings import chosen
from vmalab.programs.procmaps import read_maps
from vmalab.programs.strace import FIRST_LINE

CALLS = (
    "mmap,munmap,mprotect,?pkey_mprotect,mremap,madvise,mlock,?mlock2,munlock,mlockall,munlockall,?mseal,brk,shmget,"
    "shmat,shmdt,remap_file_pages,execve,?execveat,fork,vfork,clone,?clone3,exit_group,prctl,open,openat,?openat2,creat,"
    "memfd_create"
)
"""What strace is asked for: what changes address spaces, whose they are, and which file a descriptor stands for."""

HOLD = 0.05
"""Seconds that a process stands still after exec and before its end, for its maps to be read."""

SETTINGS = {
    "max_map_count": "/proc/sys/vm/max_map_count",
    "overcommit_memory": "/proc/sys/vm/overcommit_memory",
    "mmap_min_addr": "/proc/sys/vm/mmap_min_addr",
    "randomize_va_space": "/proc/sys/kernel/randomize_va_space",
    "transparent_hugepage": "/sys/kernel/mm/transparent_hugepage/enabled",
}
"""What the kernel's answers depend on, and where it says so."""

_EXEC_DONE = re.compile(rb"^(\d+) .*?execve(?:at)?(?:\(.*\)| resumed>.*\)) += 0(?: |$)")
_EXITING = re.compile(rb"^(\d+) +(?:[\d.]+ +)?exit_group\(")


@define
class Run:
    """What a run under strace gave: the exit status of the command, and what is to be told of its processes."""

    path: Path
    status: int = 0
    lines: int = 0
    seen_at_end: set[int] = field(factory=set)
    missed: set[int] = field(factory=set)
    executed: bool = False
    interrupted: bool = False


def trace(
    command: Sequence[str], path: Path, *, stack: bool = False, hold: float = HOLD,
    tell: Callable[[str], None] = lambda _text: None,
) -> Run:  # fmt: skip
    """Run `command` under strace and write its trace to `path`; returns when all its processes have ended.

    `stack`: with the places in the program that made each call (strace -k; slow).  `hold`: see `HOLD`.  `tell` is
    called with a sentence for what happens meanwhile.  Raises MachineError where strace is missing or may not trace,
    UsageError where there is no such command.
    """
    strace = shutil.which("strace")
    if strace is None:
        raise MachineError("strace is not installed: on Debian and Ubuntu, apt install strace")
    program = shutil.which(command[0])
    if program is None:
        raise UsageError(f"there is no command {command[0]!r}")
    delay = f"{max(int(hold * 1_000_000), 1)}us"
    with tempfile.TemporaryDirectory(prefix="vmalab-") as folder:
        fifo = os.path.join(folder, "strace")
        os.mkfifo(fifo)
        arguments = [
            strace, "-f", "-y", "-ttt", *(["-k"] if stack else []), "-o", fifo, "-e", f"trace={CALLS}",
            "-e", f"inject=execve,?execveat:delay_exit={delay}", "-e", f"inject=exit_group:delay_enter={delay}",
            "--", "/bin/sh", "-c", 'exec "$@"', "sh", os.path.abspath(program), *command[1:],
        ]  # fmt: skip
        reading = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
        try:
            with open(path, "wb") as file, _running(arguments) as running:
                file.write(_head(command))
                found = _Follower(reading, file, Run(path), tell).follow(running)
                found.status = running.wait()
        finally:
            os.close(reading)
    if not found.executed:
        path.unlink(missing_ok=True)
        raise MachineError(_why_not(_complaint(), command[0]))
    return found


def _why_not(words: str, command: str) -> str:
    said = words.strip().split("\n")[-1].removeprefix("strace: ")
    if "not permitted" in words:
        return (
            f"strace may not trace here ({said}): a container needs --cap-add SYS_PTRACE, and a system with Yama "
            "kernel.yama.ptrace_scope below 3"
        )
    return f"strace did not get as far as {command}: {said or 'is it a program that can be executed?'}"


@contextlib.contextmanager
def _running(arguments: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    running = subprocess.Popen(arguments)
    try:
        yield running
    finally:
        if running.poll() is None:
            running.kill()
        running.wait()


def _complaint() -> str:
    """What strace says when it can't even trace `true`."""
    tried = subprocess.run(["strace", "-o", "/dev/null", "true"], capture_output=True, text=True, check=False)
    return tried.stderr


def _head(command: Sequence[str]) -> bytes:
    """The lines that say what was run where."""
    lines = [FIRST_LINE, f"# command: {' '.join(command)}".replace("\n", " ")]
    lines.append(f"# kernel: {platform.release()}")
    for name, file in SETTINGS.items():
        with contextlib.suppress(OSError):
            lines.append(f"# {name}: {chosen(Path(file).read_text(encoding='ascii'))}")
    import resource  # there is none on Windows, where help and refusals work all the same

    soft, _ = resource.getrlimit(resource.RLIMIT_STACK)
    lines.append(f"# stack_limit: {soft if soft >= 0 else 'unlimited'}")
    return ("\n".join(lines) + "\n").encode("utf-8", "surrogateescape")


def maps_block(pid: int, when: str) -> bytes:
    """The VMAs of a process now, as lines for a trace; empty where it has none any more."""
    try:
        data = Path(f"/proc/{pid}/smaps").read_bytes()
    except OSError:
        return b""
    entries, _ = read_maps(data.decode("utf-8", "backslashreplace").split("\n"))
    if not entries:
        return b""
    lines = [f"# maps {pid} {when}"]
    for one in entries:
        lines.append(f"# {one.line()}")
        if one.anonymous:
            lines.append(f"# Anonymous: {one.anonymous // 1024} kB")
        if one.codes is not None:
            lines.append(f"# VmFlags: {' '.join(sorted(one.codes))}")
    return ("\n".join([*lines, "# end"]) + "\n").encode("utf-8", "backslashreplace")


class _Follower:
    """Copies strace's lines to the file as they come, and reads maps at the moments when they can be had."""

    def __init__(self, reading: int, file: IO[bytes], found: Run, tell: Callable[[str], None]) -> None:
        self.reading, self.file, self.found, self.tell = reading, file, found, tell
        self.rest = b""
        self.first: int | None = None
        self.alive: set[int] = set()
        self.told = False
        self.started = False
        """Whether the command itself runs: the shell that executes it is no part of it.  strace holds the program of
        every execve but its own first one; so the command's is held."""

    def follow(self, running: subprocess.Popen[bytes]) -> Run:
        poll = select.poll()
        poll.register(self.reading, select.POLLIN)
        ended = False
        while True:
            try:
                events = poll.poll(100)
                data = b""
                if events and events[0][1] & select.POLLIN:
                    data = os.read(self.reading, 1 << 20)
                if data:
                    self._take(data)
                elif ended:
                    break
                elif running.poll() is not None:
                    ended = True  # one more look: what it wrote last
            except KeyboardInterrupt:
                self._interrupted()
        if self.rest and self.started:
            self._write(self.rest + b"\n")
        return self.found

    def _interrupted(self) -> None:
        """The keyboard's signal goes to the command too; what is left of it at the second one is ended."""
        left = sorted(self.alive)
        if self.found.interrupted or self.first not in self.alive:
            self.tell(f"ending {_processes(left)}")
            for pid in left:
                with contextlib.suppress(OSError):
                    os.kill(pid, signal.SIGTERM)
        else:
            self.tell("interrupted: waiting for the program to end (Ctrl-C once more ends it)")
        self.found.interrupted = True

    def _take(self, data: bytes) -> None:
        *lines, rest = (self.rest + data).split(b"\n")
        for line in lines:
            self._line(line + b"\n")
        self.rest = rest
        exiting = _EXITING.match(rest)
        if exiting is not None and self.started:
            self._look(int(exiting[1]), "at the end")

    def _line(self, line: bytes) -> None:
        executed = _EXEC_DONE.match(line)
        if not self.started:
            if executed is None or b"(DELAYED)" not in line:
                return
            self.started = True
        exiting = _EXITING.match(line)
        if exiting is not None:
            self._look(int(exiting[1]), "at the end")
        self._write(line)
        pid = int(line.split(b" ", 1)[0]) if line[:1].isdigit() else None
        if pid is None:
            return
        self.first = pid if self.first is None else self.first
        if b" +++ " in line:
            self.alive.discard(pid)
            if pid == self.first and self.alive and not self.told:
                self.told = True
                run = "runs on, and is" if len(self.alive) == 1 else "run on, and are"
                self.tell(f"the program has ended; {_processes(sorted(self.alive))} {run} followed until the end "
                          "(Ctrl-C ends what is left)")  # fmt: skip
        else:
            self.alive.add(pid)
        if executed is not None:
            self.found.executed = True
            self.found.seen_at_end.discard(pid)
            self._look(pid, "after execve")

    def _look(self, pid: int, when: str) -> None:
        if when == "at the end" and pid in self.found.seen_at_end:
            return
        block = maps_block(pid, when)
        if when == "at the end":
            self.found.seen_at_end.add(pid)
        if not block:
            self.found.missed.add(pid)
            block = f"# note: the maps of {pid} {when} could not be read in time\n".encode()
        self.file.write(block)

    def _write(self, line: bytes) -> None:
        self.found.lines += 1
        self.file.write(line)


def _processes(pids: Sequence[int]) -> str:
    shown = ", ".join(map(str, pids[:5])) + (" …" if len(pids) > 5 else "")
    return f"process {shown}" if len(pids) == 1 else f"processes {shown}"
