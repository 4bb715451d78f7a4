"""`Driver`: the parent's end of the pipes to one driver process.

Starts it, sends requests, reads answers with a time limit, and makes sure that nothing of it is left.  What requests
and answers mean is known to `live.py` and to the driver; what comes over the pipe is not trusted, since the process
at the other end may have overwritten its own memory.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vmalab.errors import LiveUnavailable

NONSENSE = "made the process answer nonsense: it has overwritten its own memory"
BOOT = "import sys; sys.path.insert(0, sys.argv[1]); from driver.start import main; main(sys.argv[2:])"
PASSED_ON = ("LD_LIBRARY_PATH", "LANG", "LC_ALL", "LC_CTYPE", "PATH", "TZ")
"""What the process gets of the environment, which may hold passwords and tokens: what an interpreter needs to start."""
MOST_LINE = 256 << 20
"""Bytes that a driver may answer in one go: for one scenario, or one call of a session."""
PAGES_UNKNOWN = (
    "this system does not show which pages are present (/proc/self/pagemap): no contents of pages are shown, though"
    " they may be there"
)
START_LIMIT = 30.0
"""Seconds until a fresh interpreter has to answer: a busy machine may need some."""


class DriverGone(Exception):
    """The driver does not answer any more; the text says how it went."""


class Driver:
    """One driver process and everything that it forks.

    `unprivileged`: it gives up every capability before it says that it is ready.  Raises LiveUnavailable with its
    reason if it can't work here.
    """

    missing: Mapping[str, str]
    """What this system does not give the driver: `"sandbox"`, `"pages"` → a sentence that says so."""

    def __init__(self, unprivileged: bool) -> None:
        self.owner = os.getpid()
        # A process that is to die with its parent dies with the thread that made it; only the main thread lasts.
        lasting = threading.current_thread() is threading.main_thread()
        arguments = ["serve", str(self.owner if lasting else 0), *(["unprivileged"] if unprivileged else [])]
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", "-c", BOOT, str(Path(__file__).parent), *arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
                cwd="/",
                env={name: os.environ[name] for name in PASSED_ON if name in os.environ},
            )
        except (OSError, TypeError, ValueError) as error:
            raise LiveUnavailable(f"the live machine can't start an interpreter of its own: {error}") from None
        self._rest = b""
        self._heard = 0
        assert self._process.stdin and self._process.stdout and self._process.stderr
        self._in, self._out = self._process.stdin.fileno(), self._process.stdout.fileno()
        self._poll, self._room = select.poll(), select.poll()
        self._poll.register(self._out, select.POLLIN)
        self._room.register(self._in, select.POLLOUT)
        os.set_blocking(self._in, False)
        try:
            hello = self.answer(START_LIMIT)
        except DriverGone as gone:
            self.kill()
            said = self._process.stderr.read().decode(errors="replace").strip().splitlines()
            raise LiveUnavailable(f"the live machine does not start: {said[-1] if said else gone}") from None
        except BaseException:  # the keyboard
            self.kill()
            raise
        finally:
            self._process.stderr.close()
        if "ready" not in hello:
            self.kill()
            raise LiveUnavailable(f"the live machine can't work here: {hello.get('unavailable', 'no reason given')}")
        self.missing = {} if hello.get("pages") else {"pages": PAGES_UNKNOWN}
        if hello.get("sandbox") is not None:
            self.missing |= {"sandbox": str(hello["sandbox"])}

    @property
    def pid(self) -> int:
        """The process id of the driver, which is also the id of its process group."""
        return self._process.pid

    @property
    def idle(self) -> bool:
        """Whether it waits for a request: alive, and with nothing to say that nobody asked for."""
        return self._process.poll() is None and not self._rest and not self._poll.poll(0)

    def ask(self, request: object, seconds: float = START_LIMIT) -> None:
        """Send one line (None: an empty one); DriverGone if nobody takes it in time."""
        data = b"\n" if request is None else json.dumps(request, separators=(",", ":")).encode() + b"\n"
        self._heard = 0
        end = time.monotonic() + seconds
        while data:
            left = end - time.monotonic()
            if left <= 0 or not self._room.poll(left * 1000):
                raise DriverGone(f"did not come back within {seconds:g} s")
            try:
                data = data[os.write(self._in, data[: 1 << 16]) :]
            except BlockingIOError:
                pass  # not as much room as that: poll again
            except OSError:
                raise DriverGone(self._how()) from None

    def answer(self, seconds: float) -> dict[str, Any]:
        """The next line of the driver; DriverGone if none comes in time, or none that makes sense."""
        end = time.monotonic() + seconds
        parts: list[bytes] = []
        line, found, rest = self._rest.partition(b"\n")
        while not found:
            parts.append(line)
            left = end - time.monotonic()
            if left <= 0 or not self._poll.poll(left * 1000):
                raise DriverGone(f"did not come back within {seconds:g} s")
            data = os.read(self._out, 1 << 16)
            if not data:
                raise DriverGone(self._how())
            self._heard += len(data)
            if self._heard > MOST_LINE:
                raise DriverGone("answered without end")
            line, found, rest = data.partition(b"\n")
        self._rest = rest
        try:
            message = json.loads(b"".join(parts) + line)
        except (ValueError, RecursionError):
            message = None
        if not isinstance(message, dict):
            raise DriverGone(NONSENSE)
        return message

    def _how(self) -> str:
        """How the driver ended, after its pipe was shut."""
        try:
            code = self._process.wait(1)
        except subprocess.TimeoutExpired:
            return "shut the pipe of the process"
        return (
            f"ended the process by {signal.Signals(-code).name}" if code < 0 else f"ended the process (status {code})"
        )

    def close(self) -> None:
        """Let the driver end, and see to it that it does."""
        if self.owner != os.getpid():  # a fork of the process that made it: only let go of the pipes
            self._shut()
            return
        self._shut()  # both pipes: it may be waiting for somebody to read
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(2)
        self.kill()

    def kill(self) -> None:
        """End the driver and everything that it forked, now."""
        if self.owner == os.getpid():
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        self._shut()

    def _shut(self) -> None:
        for pipe in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError):
                assert pipe
                pipe.close()
