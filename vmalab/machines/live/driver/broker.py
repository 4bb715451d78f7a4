"""The files of /proc/self for a worker whose sandbox lets it open none.

They speak of the process that opened them, so a forked child needs its own.  It asks the driver, which may open files,
over a pair of sockets; the kernel tells the driver who asks, and it serves nobody but the processes of the worker that
it waits for.
"""

from __future__ import annotations

import contextlib
import os
import socket
import stat
import struct
from collections.abc import Sequence

FILES = ("maps", "smaps", "mem", "statm", "status", "pagemap")
"""What is opened of a process; all but the last one must be there."""

NEEDED = len(FILES) - 1
_MOST_DEEP = 100


def open_files(process: str = "self") -> list[int]:
    """Open `FILES` of a process, without pagemap where the system refuses that."""
    found: list[int] = []
    try:
        for name in FILES:
            try:
                found.append(os.open(f"/proc/{process}/{name}", os.O_RDONLY | os.O_CLOEXEC))
            except OSError:
                if name != FILES[-1]:
                    raise
    except OSError:
        for fd in found:
            os.close(fd)
        raise
    return found


def reopen(fd: int, process: str = "self") -> int:
    """A new descriptor, for reading, of the file that is open as `fd` in a process; PermissionError for no file."""
    found = os.open(f"/proc/{process}/fd/{fd}", os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    if not stat.S_ISREG(os.fstat(found).st_mode):
        os.close(found)
        raise PermissionError(1, "no ordinary file")
    return found


def descends(pid: int, ancestor: int) -> bool:
    """Whether process `pid` is `ancestor` or comes from it."""
    for _ in range(_MOST_DEEP):
        if pid == ancestor:
            return True
        try:
            with open(f"/proc/{pid}/stat", "rb") as line:
                pid = int(line.read().rpartition(b")")[2].split()[1])
        except (OSError, ValueError, IndexError):
            return False
    return False


class Broker:
    """Both ends: the driver makes one and serves, the processes that it forks ask."""

    def __init__(self) -> None:
        self._here, self._there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._here.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        self._here.setblocking(False)

    def fileno(self) -> int:
        """The driver's end, to wait for."""
        return self._here.fileno()

    def leave(self) -> None:
        """In a worker: keep the asking end only."""
        self._here.close()

    def ask(self) -> Sequence[int]:
        """In a worker: `open_files` of the process that asks."""
        return self._asked(b"?")

    def ask_again(self, fd: int) -> int:
        """In a worker: `reopen`."""
        return self._asked(b"%d" % fd)[0]

    def _asked(self, question: bytes) -> Sequence[int]:
        os.write(self._there.fileno(), question)
        said, fds, _, _ = socket.recv_fds(self._there, 1, len(FILES))
        if said != b"+":
            raise PermissionError(1, "the driver does not open the files of this process")
        return fds

    def serve(self, worker: int) -> int | None:
        """In the driver: answer one question; who asked, if that was a process of `worker`."""
        try:
            question, ancillary, _, _ = self._here.recvmsg(16, socket.CMSG_SPACE(12))
        except OSError:
            return None
        pid = 0
        for level, kind, data in ancillary:
            if (level, kind) == (socket.SOL_SOCKET, socket.SCM_CREDENTIALS):
                pid = struct.unpack("3i", data[:12])[0]
        fds: list[int] = []
        served = None
        try:
            if descends(pid, worker):
                if question.isdigit():
                    with contextlib.suppress(OSError):
                        fds = [reopen(int(question), str(pid))]
                else:
                    fds = open_files(str(pid))
                    served = pid
            socket.send_fds(self._here, [b"+" if fds else b"-"], fds)
        except OSError:
            pass  # whoever asked has ended, or asks without listening
        finally:
            for fd in fds:
                os.close(fd)
        return served
