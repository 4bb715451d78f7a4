"""A worker's sandbox from the inside, and drivers to which something of the system is refused.

`confined` runs code where a scenario's calls run; `without` starts drivers in a system that lacks something, by
replacing what the driver gets from it, never what it does with that.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

import vmalab
from vmalab.machines.live import process

LIVE = Path(vmalab.__file__).parent / "machines" / "live"

_CONFINED = """\
import ctypes, json, os, signal, socket, sys
sys.path.insert(0, {live!r})
from driver import kernel, proc, sandbox, server
{before}
made = sandbox.Sandbox()
here = os.getpid()
child = os.fork()
if child == 0:
    made.enter({arguments})
{code}
    os.write(1, json.dumps(answer).encode())
    os._exit(0)
print(json.dumps({{"status": server.Watch(child, None, made).wait()}}))
"""


def confined(code: str, arguments: str = "", before: str = "", under: Sequence[str] = ()) -> tuple[Any, int]:
    """What `code` leaves in `answer`, run in a worker's sandbox, and the wait status of that worker.

    `before` runs in the driver, before it enters its own part of the sandbox.  `under`: a command that starts it.
    """
    text = _CONFINED.format(
        live=str(LIVE), before=before, arguments=arguments, code="\n".join("    " + line for line in code.splitlines())
    )
    done = subprocess.run([*under, sys.executable, "-I", "-S", "-c", text], capture_output=True, text=True, check=True)
    answer, brace, status = done.stdout.rpartition('{"status"')
    return json.loads(answer) if answer else None, json.loads(brace + status)["status"]


REFUSALS = {
    "pagemap": """
real = os.open
def refuse(path, *more):
    if str(path).endswith("/pagemap"):
        raise PermissionError(1, "Operation not permitted")
    return real(path, *more)
os.open = refuse
""",
    "proc": """
real = os.open
def refuse(path, *more):
    if str(path).startswith("/proc/"):
        raise FileNotFoundError(2, "No such file or directory")
    return real(path, *more)
os.open = refuse
""",
    "pidfd": """
def refuse(pid):
    raise PermissionError(1, "Operation not permitted")
os.pidfd_open = refuse
""",
    "seccomp": """
from driver import sandbox
def refuse(code):
    raise OSError(22, "Invalid argument")
sandbox.install = refuse
""",
    "a seccomp that is heeded": """
from driver import sandbox
sandbox.install = lambda code: None
""",
    "userfaultfd": """
from driver import kernel
real = kernel.call
kernel.call = lambda number, *more: (-1, "EPERM") if number == kernel.SYS_USERFAULTFD else real(number, *more)
kernel.Userfaultfd.find_device = classmethod(lambda cls: None)
""",
    "more than 64 MiB": "from driver import sandbox; sandbox.MOST_RESIDENT = 64 << 20",
    "files as large as a memfd": "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))",
    "sleepers that end": """
import signal
from driver import program
def stay(parent):
    while True:
        signal.pause()
program.sleep_until_killed = stay
""",
    "pages of 4 KiB": "os.sysconf = lambda name: 65536",
}
"""What a system may lack, and how a driver is made to meet that."""


def without(monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    """Let the drivers that this test starts meet a system without something of `REFUSALS`."""
    monkeypatch.setattr(process, "BOOT", _boot(REFUSALS[what]))


def _boot(prelude: str) -> str:
    before, _, after = process.BOOT.partition("from driver.start")
    return f"{before}exec({'import os' + chr(10) + prelude!r}); from driver.start{after}"
