"""`Client`: the grader's own end.  It starts a forkserver, hands it submissions, and reads what the judge says.

A judge that does not answer to the end is an error that can be repeated (`NoVerdict`), never a mark.
"""

from __future__ import annotations

import json
import os
import select
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress

from attrs import frozen

from vmalab.editions.grader import judge
from vmalab.editions.grader.answers import JUDGE, Json
from vmalab.errors import UsageError, VmalabError

SECONDS = 10.0
"""How long a cell of a submission, or a question to one of its functions, may take; a course can say otherwise."""
START = 60
"""Seconds until a forkserver has to be there: a busy machine may need some."""
TRIES = 3
"""So often a judgement is tried where the judge does not come to an end."""
_BOOT = """\
import json, sys
sys.path[:] = json.loads(sys.argv[1])
from vmalab.editions.grader.forkserver import main
main(int(sys.argv[2]), sys.argv[3])
"""
_PASSED_ON = ("LD_LIBRARY_PATH", "TZ")


PROTECTED_BY = "seccomp, Landlock, limits, namespaces"


class NoVerdict(VmalabError):
    """The judge did not come to an end: nothing is known of the submission."""


@frozen
class Protection:
    """What keeps a submission from what it must not reach: `open`: what is missing, and why; `shared`: namespaces."""

    open: Mapping[str, str]
    shared: str

    def __str__(self) -> str:
        if self.open:
            lacking = "; ".join(self.open.values())
            return f"submissions are NOT kept from your files and processes: {lacking}"
        by = f"seccomp, Landlock, limits, no namespaces ({self.shared})" if self.shared else PROTECTED_BY
        return f"each submission is judged without network, terminal, other processes or files ({by})"


class Client:
    """A forkserver with all that comes from it; used by one thread at a time.  `forkserver`: the socket to it."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="vmalab-grader-", ignore_cleanup_errors=True)
        here, there = socket.socketpair()
        places = json.dumps([place for place in sys.path if place])
        environment = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        environment |= {"LANG": "C.UTF-8", "PATH": os.defpath, "OPENBLAS_NUM_THREADS": "1", "PYTHONHASHSEED": "0"}
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-c", _BOOT, places, str(there.fileno()), self._folder.name],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            pass_fds=(there.fileno(),), env=environment, start_new_session=True,
        )  # fmt: skip
        there.close()
        self.forkserver = here
        here.settimeout(START)
        try:
            ready = here.recv(1)
        except OSError:
            ready = b""
        if not ready:
            self._process.kill()
            assert self._process.stderr
            said = self._process.stderr.read().decode(errors="replace").strip().splitlines()
            self.close()
            raise VmalabError(
                f"the grader can't start a process to judge in: {said[-1] if said else 'no reason given'}"
            )

    def judge(self, cells: Sequence[Json], seconds: float, unprotected: bool = False) -> tuple[Protection, list[Json]]:
        """What protects from a submission, and a verdict or outputs for each cell, whatever becomes of it.

        Raises UsageError without protection unless `unprotected`, and NoVerdict where the judge does not come to an
        end.
        """
        requests, into = os.pipe()
        out, answers = os.pipe()
        try:
            try:
                socket.send_fds(self.forkserver, [JUDGE], [requests, answers])
            except OSError:
                raise NoVerdict("the grader's own process has ended") from None
            finally:
                os.close(requests)
                os.close(answers)
            asked = {"seconds": seconds, "unprotected": unprotected, "cells": list(cells)}
            with suppress(BrokenPipeError), os.fdopen(os.dup(into), "w") as file:
                file.write(json.dumps(asked) + "\n")
            told = self._lines(out, (judge.IN_ALL + 6) * seconds + START)
        finally:
            os.close(into)
            os.close(out)
        if not told:
            raise NoVerdict("the judge gave no verdict")
        protection = Protection(told[0]["open"], told[0]["shared"])
        if protection.open and not unprotected:
            raise UsageError(f"{protection} (grade in a virtual machine, or say --unprotected)")
        if len(told) != len(cells) + 1:
            raise NoVerdict(f"the judge gave {len(told) - 1} of {len(cells)} verdicts")
        return protection, told[1:]

    def _lines(self, out: int, seconds: float) -> list[Json]:
        until, parts = time.monotonic() + seconds, []
        while True:
            if not select.select([out], [], [], max(0, until - time.monotonic()))[0]:
                self.close()
                raise NoVerdict("the judge did not come to an end")
            data = os.read(out, 1 << 16)
            if not data:
                break
            parts.append(data)
        return [json.loads(line) for line in b"".join(parts).splitlines(keepends=True) if line.endswith(b"\n")]

    @property
    def alive(self) -> bool:
        """Whether it can still be asked."""
        return self._process.poll() is None

    def close(self) -> None:
        """End the forkserver and all that it forked, and remove what it left."""
        self.forkserver.close()
        self._process.kill()
        self._process.wait()
        if self._process.stderr:
            self._process.stderr.close()
        with suppress(RecursionError):
            self._folder.cleanup()
        if os.path.exists(self._folder.name):  # folders within folders, deeper than Python can go
            subprocess.run(["rm", "-rf", "--", self._folder.name], check=False)


_clients = threading.local()


def last_protection() -> str:
    """What protected from the submission that this thread had judged last, in a line."""
    return str(getattr(_clients, "protection", ""))


def judged(cells: Sequence[Json], seconds: float = SECONDS, unprotected: bool = False) -> tuple[Protection, list[Json]]:
    """`Client.judge` by this thread's client, which stays for the next one; repeated where the judge was lost."""
    for left in range(TRIES, 0, -1):
        client: Client | None = getattr(_clients, "client", None)
        if client is None or not client.alive:
            client = _clients.client = Client()
        try:
            told = client.judge(cells, seconds, unprotected)
            _clients.protection = str(told[0])
            return told
        except NoVerdict:
            client.close()
            if left == 1:
                raise
    raise AssertionError("a try is the last one")
