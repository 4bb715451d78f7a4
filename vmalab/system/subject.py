"""A small process to look at: `Subject`, a Python of its own that maps and unmaps memory when it is told to.

It does nothing else, touches only what it has mapped itself, and ends when the one who started it does.
"""

from __future__ import annotations

import json
import select
import subprocess
import sys
import weakref
from collections.abc import Mapping

from vmalab.errors import MachineError

PATIENCE = 10.0
"""Seconds that it is waited for an answer."""

CALLS: Mapping[str, str] = {
    "mmap": "mmap 16 pages",
    "write": "Write to its first 4 pages",
    "mprotect": "mprotect pages 4 to 7: r",
    "mremap": "mremap to twice the pages",
    "munmap": "munmap the last one",
}
"""What it can be told to do → the button."""

_CODE = r"""
import ctypes, errno, json, sys
PAGE = 4096
libc = ctypes.CDLL(None, use_errno=True)
for name in ("mmap", "mremap"):
    getattr(libc, name).restype = ctypes.c_void_p
size, word = ctypes.c_size_t, ctypes.c_void_p
libc.mmap.argtypes = word, size, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long
libc.mremap.argtypes = word, size, size, ctypes.c_int
libc.mprotect.argtypes = word, size, ctypes.c_int
libc.munmap.argtypes = word, size
FAILED = ctypes.c_void_p(-1).value
held = []
print("ready", flush=True)

def told(words, value):
    if value in (FAILED, -1):
        return f"{words} = {errno.errorcode[ctypes.get_errno()]}", False
    return f"{words} = {value:#x}" if value else f"{words} = 0", True

def do(what):
    if what == "mmap":
        at = libc.mmap(None, 16 * PAGE, 3, 0x22, -1, 0)
        if at != FAILED:
            held.append([at, 16])
        return told("mmap(NULL, 16 pages, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0)", at)
    if not held:
        return "nothing is left that it has mapped: mmap first", False
    at, pages = held[-1]
    if what == "write":
        for page in range(4):
            ctypes.c_char.from_address(at + page * PAGE).value = b"x"
        return f"wrote to the first byte of 4 pages from {at:#x}", True
    if what == "mprotect":
        return told(f"mprotect({at + 4 * PAGE:#x}, 4 pages, PROT_READ)", libc.mprotect(at + 4 * PAGE, 4 * PAGE, 1))
    if what == "mremap":
        now = libc.mremap(at, pages * PAGE, 2 * pages * PAGE, 1)
        if now != FAILED:
            held[-1] = [now, 2 * pages]
        return told(f"mremap({at:#x}, {pages} pages, {2 * pages} pages, MREMAP_MAYMOVE)", now)
    held.pop()
    return told(f"munmap({at:#x}, {pages} pages)", libc.munmap(at, pages * PAGE))

for line in sys.stdin:
    print(json.dumps(do(line.strip())), flush=True)
"""


class Subject:
    """One such process.  Raises MachineError where it can't be started."""

    def __init__(self) -> None:
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", "-c", _CODE], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL, start_new_session=True,
            )  # fmt: skip
        except OSError as error:
            raise MachineError(f"no process can be started here: {error.strerror or error}") from None
        self._finalizer = weakref.finalize(self, _end, self._process)
        if not self._line():
            self.end()
            raise MachineError("no process can be started here: Python does not start")

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether it is still there."""
        return self._process.poll() is None

    def do(self, what: str) -> tuple[str, bool]:
        """Let it do one of `CALLS`; the call with its answer in words, and whether it succeeded.

        Raises MachineError when it has ended, or does not answer within `PATIENCE` seconds.
        """
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(f"{what}\n".encode())
            self._process.stdin.flush()
        except (OSError, ValueError):  # its end of the pipe, or ours, is closed
            raise MachineError(f"process {self.pid} has ended") from None
        line = self._line()
        if not line:
            raise MachineError(f"process {self.pid} {'does not answer' if self.alive else 'has ended'}")
        words, ok = json.loads(line)
        return str(words), bool(ok)

    def _line(self) -> bytes:
        """What it says next; nothing when it has ended or takes too long."""
        assert self._process.stdout is not None
        ready, _, _ = select.select([self._process.stdout], [], [], PATIENCE)
        return self._process.stdout.readline() if ready else b""

    def end(self) -> None:
        """End it.  Once more does nothing."""
        self._finalizer()


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            try:
                pipe.close()
            except OSError:  # what it was last told did not reach it
                continue
    process.wait()
