"""What a process that runs somebody's submission gives up before it does, and what this system has for that.

    namespaces   process ids, network, System V IPC and host name of its own (unshare(2), with a user namespace)
    Landlock     only Python, this package and the system's libraries can be read, only the working folder written, and
                 no other process be signalled or looked into (landlock(7): since Linux 5.13, signals since 6.12)
    seccomp      no new process or program, no socket, no change of a file's mode, owner, times or attributes
    (syscalls.py) limits       memory, processor time, size of files, no core dump, no terminal

Landlock and seccomp are needed: without either, what is graded is not protected from what is submitted, and nobody
grades unasked.  Namespaces are one more wall where they can be had.
"""

from __future__ import annotations

import ctypes
import os
import struct
import sys
import sysconfig
from pathlib import Path

from vmalab.editions.grader import syscalls

MOST_MEMORY = 2 << 30
"""RLIMIT_AS in bytes, on top of what the process begins with."""
MOST_SECONDS = 300
"""RLIMIT_CPU."""
MOST_FILE = 16 << 20
"""RLIMIT_FSIZE in bytes."""

_CREATE, _ADD, _RESTRICT = 444, 445, 446  # the same on every architecture
_VERSION, _PATH_BENEATH, _NO_NEW_PRIVS = 1, 1, 38
_CLOEXEC_PATH = os.O_RDONLY | getattr(os, "O_PATH", 0) | getattr(os, "O_CLOEXEC", 0)
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1, 2, 4, 8
_READ = _EXECUTE | _READ_FILE | _READ_DIR
_FILES = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 4: (1 << 15) - 1, 5: (1 << 16) - 1}
"""Rights over files that each version knows; the last is for ioctl on devices."""
_TCP = 3  # bind and connect, since version 4
_SCOPES = 3  # abstract sockets and signals, since version 6

_SYSTEM = (
    "/usr/lib", "/usr/lib64", "/lib", "/lib64", "/usr/local/lib", "/nix/store", "/usr/share/fonts",
    "/usr/share/zoneinfo", "/etc/fonts", "/etc/ld.so.cache", "/etc/localtime", "/etc/passwd", "/etc/group",
    "/etc/nsswitch.conf", "/dev/null", "/dev/zero", "/dev/random", "/dev/urandom", "/proc/self", "/proc/sys/vm",
    "/proc/meminfo", "/proc/cpuinfo",
)  # fmt: skip

_NAMESPACES = {"user": 0x1000_0000, "pid": 0x2000_0000, "net": 0x4000_0000, "ipc": 0x0800_0000, "uts": 0x0400_0000}


def separate() -> str:
    """Let what this process forks from now on have namespaces of its own.  `""`, or why they can't be had."""
    if not sys.platform.startswith("linux"):
        return "this system has no namespaces"
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(sum(_NAMESPACES.values())):
        return f"namespaces can't be had here ({os.strerror(ctypes.get_errno())})"
    return ""


def confine(folder: Path) -> dict[str, str]:
    """Give up all that a submission does not need; it may write in `folder`.  What could not be given up, and why."""
    limit()
    open_to = {}
    if syscalls.KNOWN:
        from vmalab.machines.live.driver import kernel

        kernel.prctl(kernel.PR_SET_NO_NEW_PRIVS, 1)
        kernel.drop_capabilities()
    if said := _landlock(readable(), [str(folder), "/dev/null"]):
        open_to["Landlock"] = said
    if said := syscalls.give_up():
        open_to["seccomp"] = said
    return open_to


def readable() -> list[str]:
    """What a submission may read: Python, this package, and the system's libraries."""
    here = Path(__file__).parents[2]
    places = {str(here), str(here.parent / "data"), *_SYSTEM}  # data: of a checkout
    places |= {str(Path(prefix) / "lib") for prefix in (sys.prefix, sys.base_prefix)}
    places |= {sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    places |= {str(Path(entry)) for entry in sys.path if entry and Path(entry).name in ("site-packages", "lib-dynload")}
    return sorted(places)


def limit(memory: int = MOST_MEMORY) -> None:
    """Let this process have so many bytes of memory more than it has, and the other limits above."""
    try:
        import resource
    except ModuleNotFoundError:  # not a Unix
        return
    limits = {
        resource.RLIMIT_AS: memory + _size(),
        resource.RLIMIT_CPU: MOST_SECONDS,
        resource.RLIMIT_FSIZE: MOST_FILE,
        resource.RLIMIT_CORE: 0,
    }
    for which, most in limits.items():
        hard = resource.getrlimit(which)[1]
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(which, (most, most))


def _size() -> int:
    """Bytes of address space that this process has now."""
    try:
        return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * os.sysconf("SC_PAGESIZE")
    except (OSError, ValueError):
        return 0


def _landlock(readable: list[str], writable: list[str]) -> str:
    if not sys.platform.startswith("linux"):
        return "this system has no Landlock"
    libc = ctypes.CDLL(None, use_errno=True)
    version = libc.syscall(_CREATE, None, 0, _VERSION)
    if version < 1:
        return f"this kernel has no Landlock ({os.strerror(ctypes.get_errno())})"
    everything = _FILES[min(version, 5)]
    rights = struct.pack("QQQ", everything, _TCP if version >= 4 else 0, _SCOPES if version >= 6 else 0)
    ruleset = libc.syscall(_CREATE, rights, 24 if version >= 6 else 16 if version >= 4 else 8, 0)
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
