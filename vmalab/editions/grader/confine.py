"""What a process that runs somebody's submission gives up before it does: files, the network, memory, time.

Landlock (landlock(7), since Linux 5.13) lets an unprivileged process give up files: only Python, this package and the
system's libraries can be read then, and only the working directory written.  It also hides other processes' memory
(ptrace(2)).  Where the kernel has none, `confine` says so and the limits hold all the same.
"""

from __future__ import annotations

import ctypes
import os
import struct
import sys
from pathlib import Path

MOST_MEMORY = 4 << 30
"""RLIMIT_AS in bytes."""
MOST_SECONDS = 120
"""RLIMIT_CPU."""
MOST_FILE = 16 << 20
"""RLIMIT_FSIZE in bytes."""

_CREATE, _ADD, _RESTRICT = 444, 445, 446  # the same on every architecture
_VERSION, _PATH_BENEATH = 1, 1
_NO_NEW_PRIVS, _CLOEXEC_PATH = 38, os.O_RDONLY | getattr(os, "O_PATH", 0) | getattr(os, "O_CLOEXEC", 0)
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1, 2, 4, 8
_READ = _EXECUTE | _READ_FILE | _READ_DIR
_SINCE = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1}  # rights over files that each version knows
_TCP = 3  # bind and connect, since version 4
_SYSTEM = ("/usr", "/lib", "/lib64", "/bin", "/etc", "/dev", "/proc/self", "/proc/sys/vm", "/nix/store")


def confine(folder: Path) -> str:
    """Give up all that a submission does not need; it may write in `folder`.  `""`, or what could not be given up."""
    limit()
    places = {sys.prefix, sys.base_prefix, str(Path(__file__).parents[2]), *_SYSTEM}
    places |= {str(Path(entry)) for entry in sys.path if entry and Path(entry).name in ("site-packages", "lib-dynload")}
    beside = Path(__file__).parents[3] / "data"  # of a checkout
    return _landlock([*places, str(beside)], [str(folder), "/dev/null"])


def limit(memory: int = MOST_MEMORY) -> None:
    """Let this process and those that it starts have so many bytes of memory, and the other limits above."""
    try:
        import resource
    except ModuleNotFoundError:  # not a Unix
        return
    limits = {
        resource.RLIMIT_AS: memory,
        resource.RLIMIT_CPU: MOST_SECONDS,
        resource.RLIMIT_FSIZE: MOST_FILE,
        resource.RLIMIT_CORE: 0,
    }
    for which, most in limits.items():
        hard = resource.getrlimit(which)[1]
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(which, (most, most))


def _landlock(readable: list[str], writable: list[str]) -> str:
    if not sys.platform.startswith("linux"):
        return "this system has no Landlock"
    libc = ctypes.CDLL(None, use_errno=True)
    version = libc.syscall(_CREATE, None, 0, _VERSION)
    if version < 1:
        return f"this kernel has no Landlock ({os.strerror(ctypes.get_errno())})"
    everything = _SINCE[min(version, 3)]
    rights = struct.pack("QQ", everything, _TCP if version >= 4 else 0)
    ruleset = libc.syscall(_CREATE, rights, 16 if version >= 4 else 8, 0)
    if ruleset < 0:
        return f"Landlock refused the rules ({os.strerror(ctypes.get_errno())})"
    try:
        for places, allowed in ((readable, _READ), (writable, everything)):
            for place in places:
                _allow(libc, ruleset, place, allowed)
        if libc.prctl(_NO_NEW_PRIVS, 1, 0, 0, 0) or libc.syscall(_RESTRICT, ruleset, 0):
            return f"Landlock can't be entered ({os.strerror(ctypes.get_errno())})"
    finally:
        os.close(ruleset)
    return ""


def _allow(libc: ctypes.CDLL, ruleset: int, place: str, allowed: int) -> None:
    try:
        fd = os.open(place, _CLOEXEC_PATH)
    except OSError:  # not on every system
        return
    try:
        if not os.path.isdir(place):
            allowed &= _EXECUTE | _WRITE_FILE | _READ_FILE
        libc.syscall(_ADD, ruleset, _PATH_BENEATH, struct.pack("=Qi", allowed, fd), 0)
    finally:
        os.close(fd)
