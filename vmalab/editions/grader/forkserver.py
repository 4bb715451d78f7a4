"""The process from which a judge and a worker are forked for each submission: it has imported what both need.

It is started with an environment made from nothing (client.py), knows no secret and reads no submission: what it is
told is one byte, with pipes for the process that it is to fork.

    J   a judge: requests, verdicts                            (from client.py)
    W   a worker: requests, answers, and a pipe to hang up     (from a judge)

A worker has a keeper between itself and this process, outside of the namespaces that the worker is in: it makes the
folder that the worker may write, ends the worker when the judge hangs up or the folder grows too large, and removes
the folder.
"""

from __future__ import annotations

import ctypes
import os
import select
import shutil
import signal
import socket
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

from vmalab.editions.grader.answers import JUDGE

MOST_FOLDER = 64 << 20
"""Bytes that a submission may have in its folder."""
MOST_THREADS = 256
"""Threads that a submission may have at a time: the machine has only so many for all."""
_LOOK = 100
"""Milliseconds after which a keeper looks again at the folder and at the threads."""
_PDEATHSIG, _DUMPABLE = 1, 4


def main(client: int, home: str) -> None:
    """Fork until nobody asks any more.  `client`: a socket; `home`: a folder for what Python's libraries write."""
    os.chdir(home)
    os.environ |= {"HOME": home, "IPYTHONDIR": home, "MPLBACKEND": "agg", "MPLCONFIGDIR": home}
    _import()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody here waits for anybody
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the client, which hangs up
    here, there = socket.socketpair()
    asking = socket.socket(fileno=client)
    asking.sendall(b"+")
    while True:
        for ready in select.select([asking, here], [], [])[0]:
            kind, pipes, _, _ = socket.recv_fds(ready, 1, 3)
            if not kind:
                return
            if os.fork() == 0:
                _forked(kind, pipes, there, home)
            for pipe in pipes:
                os.close(pipe)


def _import() -> None:
    """All that most submissions will import, and the judge: after that a fork has it at once."""
    import vmalab.teach
    import vmalab.widgets
    from vmalab.editions.grader import judge, worker

    with suppress(ImportError):  # what lessons draw charts with
        import matplotlib.pyplot  # noqa: F401
    for module in (vmalab, vmalab.teach, vmalab.widgets):  # each loads what it has when it is asked for it
        for name in module.__all__:
            getattr(module, name)
    worker.make_shell()
    judge.prepare()


def _forked(kind: bytes, pipes: list[int], forkserver: socket.socket, home: str) -> None:
    """In a process that was just forked: be a judge or the keeper of a worker, and end."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    libc = ctypes.CDLL(None)
    if sys.platform.startswith("linux"):
        libc.prctl(_PDEATHSIG, signal.SIGKILL)
        libc.prctl(_DUMPABLE, 0)  # no other process of the same user looks into this one
    status = 1
    try:
        if kind == JUDGE:
            from vmalab.editions.grader import judge

            for_judges = forkserver.fileno()
            _close_all_but(for_judges, *pipes)
            judge.main(pipes[0], pipes[1], socket.socket(fileno=os.dup(for_judges)))
        else:
            _close_all_but(*pipes)
            keep(pipes[0], pipes[1], pipes[2], Path(home))
        status = 0
    finally:
        os._exit(status)


def _close_all_but(*kept: int) -> None:
    before = 2
    for number in sorted(kept):
        os.closerange(before + 1, number)
        before = number
    os.closerange(before + 1, os.sysconf("SC_OPEN_MAX") if before < 1 << 16 else before + 1)


def keep(requests: int, answers: int, hang_up: int, home: Path) -> None:
    """Be the keeper of a worker: see the header of this file."""
    from vmalab.editions.grader import confine, worker

    folder = Path(tempfile.mkdtemp(prefix="submission-", dir=home))
    try:
        shared = confine.separate()
        child = os.fork()
        if child == 0:
            status = 1
            try:
                if sys.platform.startswith("linux"):
                    ctypes.CDLL(None).prctl(_PDEATHSIG, signal.SIGKILL)
                os.setsid()
                os.close(hang_up)
                worker.main(requests, answers, folder, shared)
                status = 0
            finally:
                os._exit(status)
        os.close(requests)
        os.close(answers)
        poll = select.poll()
        poll.register(hang_up, select.POLLIN)
        while not os.waitpid(child, os.WNOHANG)[0]:
            if poll.poll(_LOOK) or _size(folder) > MOST_FOLDER or _threads(child) > MOST_THREADS:
                os.kill(child, signal.SIGKILL)
                os.waitpid(child, 0)
                return
    finally:
        with suppress(RecursionError):  # of folders within folders without end; the client removes those
            shutil.rmtree(folder, ignore_errors=True)


def _size(folder: Path) -> int:
    """Bytes of the files in a folder, and a page for each of them and for each folder; O(files)."""
    total = 0
    try:
        for place, folders, files in os.walk(folder):
            for name in (*files, *folders):
                with suppress(OSError):  # it has just been removed
                    total += os.lstat(os.path.join(place, name)).st_size + 4096
    except RecursionError:
        return MOST_FOLDER + 1
    return total


def _threads(pid: int) -> int:
    """How many threads a process has; 0 where that can't be seen."""
    try:
        return int(Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[17])
    except (OSError, IndexError, ValueError):
        return 0
