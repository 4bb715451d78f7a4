"""The system calls that are left to a process that runs somebody's submission: a seccomp filter, an allow-list.

What is not here answers EPERM: new processes and programs, sockets, signals to others, ptrace, mounts and namespaces,
and whatever changes a file other than by writing into it (chmod, chown, utime, extended attributes, links), which
Landlock does not cover.  A thread is allowed.  The instructions are made by the live machine's sandbox; it stands
below.
"""

from __future__ import annotations

import os
import platform
import sys

KNOWN = sys.platform.startswith("linux") and platform.machine() in ("x86_64", "AMD64")
"""Whether the numbers here are those of this system."""

_NOT_HERE = ("memfd_create",)  # memory that no limit counts

ALSO = {
    "open": 2, "openat": 257, "stat": 4, "lstat": 6, "newfstatat": 262, "statx": 332, "access": 21, "faccessat": 269,
    "faccessat2": 439, "readlink": 89, "readlinkat": 267, "getdents64": 217, "getcwd": 79, "chdir": 80, "fchdir": 81,
    "mkdir": 83, "mkdirat": 258, "rmdir": 84, "unlink": 87, "unlinkat": 263, "rename": 82, "renameat": 264,
    "renameat2": 316, "statfs": 137, "fstatfs": 138, "fsync": 74, "fdatasync": 75, "readv": 19, "writev": 20,
    "preadv": 295, "pwritev": 296, "sendfile": 40, "copy_file_range": 326, "umask": 95, "fadvise64": 221,
    "dup": 32, "dup2": 33, "dup3": 292, "pipe": 22, "eventfd2": 290, "epoll_create1": 291, "epoll_ctl": 233,
    "epoll_wait": 232, "epoll_pwait": 281, "sendto": 44, "recvfrom": 45, "shutdown": 48, "getsockopt": 55,
    "getpgrp": 111, "getpgid": 121, "getsid": 124, "getgroups": 115, "getpriority": 140, "alarm": 37, "getitimer": 36,
    "rt_sigpending": 127, "rt_sigtimedwait": 128, "set_tid_address": 218, "membarrier": 324, "mincore": 27,
    "arch_prctl": 158, "close_range": 436,
}  # fmt: skip
"""What is allowed with any arguments besides what a live worker may.  (`sendto` and `recvfrom` work on what
`socketpair` gives; no other socket can be had.)"""

_TERMINAL_AND_FLAGS = (0x5401, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451)  # is it a terminal, its size, FIONREAD, FIO*
_FCNTLS = (0, 1, 2, 3, 4, 1030)  # F_DUPFD, F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_DUPFD_CLOEXEC: no locks, no leases
_PRCTLS = (3, 15, 16, 21)  # whether it dumps, its name, seccomp: it ends with its keeper, whatever it would like
_UNIX = 1
_THREAD = 0x0001_0000
_SOCKETPAIR, _FCNTL, _KILL = 53, 72, 62


def _filter(own: int) -> bytes:
    """The filter for the process with this id."""
    from vmalab.machines.live.driver import kernel, sandbox

    decide = sandbox.rules()
    for number in (kernel.SYS_USERFAULTFD, sandbox.FORK, sandbox.VFORK, sandbox.SECCOMP):
        del decide[number]
    decide |= {
        kernel.SYS_IOCTL: sandbox.one_of(1, _TERMINAL_AND_FLAGS),
        sandbox.CLONE: sandbox.bits(0, _THREAD, sandbox.ALLOW, sandbox.REFUSED),
        sandbox.TGKILL: sandbox.one_of(0, (own,)),
        _KILL: sandbox.one_of(0, (own,)),
        _FCNTL: sandbox.one_of(1, _FCNTLS),
        _SOCKETPAIR: sandbox.one_of(0, (_UNIX,)),
        kernel.SYS_PRCTL: sandbox.one_of(0, _PRCTLS),
    }
    allowed = {name: number for name, number in sandbox.ALLOWED.items() if name not in _NOT_HERE} | ALSO
    return sandbox.program(allowed.values(), decide)


def give_up() -> str:
    """Leave this process the calls above.  `""`, or why that can't be."""
    if not KNOWN:
        here = f"{platform.system()} {platform.machine()}"
        return f"the filter of system calls is for Linux on 64-bit x86, and this is {here}"
    from vmalab.machines.live.driver import kernel, sandbox  # which not every system can load

    try:
        sandbox.install(_filter(os.getpid()))
    except OSError as error:
        return f"this system lets no process give up system calls by seccomp ({error.strerror})"
    if kernel.call(sandbox.SOCKET, 2, 1)[1] != "EPERM":
        return "this system takes a seccomp filter and does not heed it"
    return ""
