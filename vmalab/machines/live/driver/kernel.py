"""System calls through ctypes, with the numbers of x86-64 and arm64 Linux.

Here live thin wrappers only: what to call, when, and what an answer means is known to the files that use them.
Failure is an OSError, or for `call` its errno as a symbol; nothing is retried.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import gc
import os
import struct

ARM = os.uname().machine == "aarch64"
PAGE = os.sysconf("SC_PAGESIZE") if ARM else 4096
WORD = (1 << 64) - 1
USER_END = 1 << (48 if ARM else 47)
"""No address of a program lies behind it."""

if ARM:
    SYS_READ, SYS_WRITE, SYS_MMAP, SYS_MPROTECT, SYS_MUNMAP, SYS_BRK, SYS_IOCTL = 63, 64, 222, 226, 215, 214, 29
    SYS_MREMAP, SYS_MADVISE, SYS_CAPGET, SYS_CAPSET, SYS_MLOCK, SYS_MUNLOCK = 216, 233, 90, 91, 228, 229
    SYS_MLOCKALL, SYS_MUNLOCKALL, SYS_PRCTL, SYS_USERFAULTFD, SYS_MLOCK2, SYS_MSEAL = 230, 231, 167, 282, 284, 462
    SYS_FTRUNCATE, SYS_FCNTL = 46, 25
else:
    SYS_READ, SYS_WRITE, SYS_MMAP, SYS_MPROTECT, SYS_MUNMAP, SYS_BRK, SYS_IOCTL = 0, 1, 9, 10, 11, 12, 16
    SYS_MREMAP, SYS_MADVISE, SYS_CAPGET, SYS_CAPSET, SYS_MLOCK, SYS_MUNLOCK = 25, 28, 125, 126, 149, 150
    SYS_MLOCKALL, SYS_MUNLOCKALL, SYS_PRCTL, SYS_USERFAULTFD, SYS_MLOCK2, SYS_MSEAL = 151, 152, 157, 323, 325, 462
    SYS_FTRUNCATE, SYS_FCNTL = 77, 72

NAMES = {
    SYS_MMAP: "mmap", SYS_MPROTECT: "mprotect", SYS_MUNMAP: "munmap", SYS_MREMAP: "mremap", SYS_MADVISE: "madvise",
    SYS_MLOCK: "mlock", SYS_MUNLOCK: "munlock", SYS_MSEAL: "mseal", SYS_BRK: "brk", SYS_MLOCK2: "mlock2",
    SYS_MLOCKALL: "mlockall", SYS_MUNLOCKALL: "munlockall", SYS_FTRUNCATE: "ftruncate",
    SYS_FCNTL: "fcntl", SYS_PRCTL: "prctl",
}  # fmt: skip
"""The calls of scenarios, as the kernel names them."""

PROT = {"r": 1, "w": 2, "x": 4}
MAP_SHARED, MAP_PRIVATE, MAP_FIXED, MAP_ANONYMOUS = 0x1, 0x2, 0x10, 0x20
MAP_NORESERVE, MAP_FIXED_NOREPLACE = 0x4000, 0x10_0000
MMAP_FLAGS = {"growsdown": 0x100, "locked": 0x2000, "noreserve": MAP_NORESERVE, "populate": 0x8000}
MLOCK_ONFAULT = 1
MCL = {"current": 1, "future": 2, "onfault": 4}
F_ADD_SEALS, MFD_ALLOW_SEALING = 1033, 2
SEALS = {"seal": 1, "shrink": 2, "grow": 4, "write": 8, "future_write": 16}
PR_SET_VMA = 0x5356_4D41
UFFD_MODES = {"missing": 1, "wp": 2, "missing wp": 3}
MREMAP = {"maymove": 1, "fixed": 2, "dontunmap": 4}
MADVICE = {
    "normal": 0,
    "random": 1,
    "sequential": 2,
    "willneed": 3,
    "dontneed": 4,
    "free": 8,
    "dontfork": 10,
    "dofork": 11,
    "hugepage": 14,
    "nohugepage": 15,
    "dontdump": 16,
    "dodump": 17,
    "wipeonfork": 18,
    "keeponfork": 19,
    "cold": 20,
    "populate_read": 22,
    "populate_write": 23,
    "dontneed_locked": 24,
    "guard_install": 102,
    "guard_remove": 103,
}

PR_SET_PDEATHSIG, PR_CAPBSET_READ, PR_CAPBSET_DROP = 1, 23, 24
PR_SET_CHILD_SUBREAPER, PR_SET_NO_NEW_PRIVS, PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL = 36, 38, 47, 4

CAP_IPC_LOCK = 14
_CAPABILITY_VERSION_3 = 0x2008_0522

_libc = ctypes.CDLL(None, use_errno=True)
_syscall = _libc.syscall
_syscall.restype = ctypes.c_long
_syscall.argtypes = [ctypes.c_long] + [ctypes.c_ulong] * 6


def raw(number: int, a: int = 0, b: int = 0, c: int = 0, d: int = 0, e: int = 0, f: int = 0) -> int:
    """The system call `number`; its result, or -1 with the errno left in ctypes.  Arguments wrap at 2**64."""
    result: int = _syscall(number, a, b, c, d, e, f)
    return result


def call(number: int, a: int = 0, b: int = 0, c: int = 0, d: int = 0, e: int = 0, f: int = 0) -> tuple[int, str | None]:
    """The system call `number`: (result, None), or (-1, errno as a symbol)."""
    result = _syscall(number, a, b, c, d, e, f)
    if result != -1:
        return result, None
    return result, symbol(ctypes.get_errno())


def symbol(number: int) -> str:
    """`"EFAULT"` for 14."""
    return errno.errorcode.get(number, str(number))


def prctl(option: int, a: int = 0, b: int = 0, c: int = 0, d: int = 0) -> int:
    """prctl(2); its result, or -1."""
    return raw(SYS_PRCTL, option, a, b, c, d)


def die_with_parent(parent: int, number: int = 9) -> None:
    """Be killed, or get the signal `number`, when process `parent`, which made this one, dies.

    The kernel forgets this over a fork and when a process gains capabilities, never when it drops them.
    """
    prctl(PR_SET_PDEATHSIG, number)
    if os.getppid() != parent:  # it was gone before the line above
        os._exit(0)


def capabilities() -> int:
    """The effective capabilities of this process as a bit mask."""
    header = ctypes.create_string_buffer(struct.pack("<II", _CAPABILITY_VERSION_3, 0), 8)
    data = ctypes.create_string_buffer(24)
    if raw(SYS_CAPGET, ctypes.addressof(header), ctypes.addressof(data)):
        return 0
    low, _, _, high, _, _ = struct.unpack("<6I", data.raw)
    return int(low | high << 32)


def drop_capabilities() -> None:
    """Give up every capability for good, in all five sets; the user id stays what it is."""
    prctl(PR_SET_NO_NEW_PRIVS, 1)
    number = 0
    while prctl(PR_CAPBSET_READ, number) >= 0:
        prctl(PR_CAPBSET_DROP, number)
        number += 1
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL)
    header = ctypes.create_string_buffer(struct.pack("<II", _CAPABILITY_VERSION_3, 0), 8)
    nothing = ctypes.create_string_buffer(24)
    if raw(SYS_CAPSET, ctypes.addressof(header), ctypes.addressof(nothing)):
        raise OSError(ctypes.get_errno(), "capset")


class Heap:
    """A heap of the scenario's own: where it starts, and the program break by now.

    The kernel knows one heap of a process, and the C library keeps its memory there.  So the kernel is told of this one
    just for the call, and of the other one again after it (prctl(2), PR_SET_MM_MAP, which takes no privilege).
    """

    _SET_MM, _SET_MM_MAP, _SIZE = 35, 14, 104

    def __init__(self, start: int) -> None:
        self.start = self.end = start
        with open("/proc/self/stat", "rb") as stat:
            fields = stat.read().rpartition(b") ")[2].split()
        # proc_pid_stat(5) numbers its fields from 1, and the third one comes first here
        code, code_end, data, data_end, stack = (int(fields[number - 3]) for number in (26, 27, 45, 46, 28))
        arguments = [int(fields[number - 3]) for number in (48, 49, 50, 51)]
        self._own_start = int(fields[47 - 3])
        self._around = (code, code_end, data, data_end), (stack, *arguments)

    def _map(self, start: int, end: int, data: bool) -> ctypes.Array[ctypes.c_char]:
        """A struct prctl_mm_map: the heap as given; without `data`, nothing else counts against RLIMIT_DATA."""
        (code, code_end, data_start, data_end), rest = self._around
        numbers = (code, code_end, data_start, data_end if data else data_start, start, end, *rest)
        return ctypes.create_string_buffer(struct.pack("<11QQIi", *numbers, 0, 0, -1), self._SIZE)

    def brk(self, address: int) -> str | None:
        """Move the break to `address`; ENOMEM where the kernel did not, or None."""
        theirs = self._map(self.start, self.end, False)
        ours = self._map(self._own_start, raw(SYS_BRK), True)
        there, back = ctypes.addressof(theirs), ctypes.addressof(ours)
        collecting = gc.isenabled()
        gc.disable()  # no memory of the C library's may come or go now
        try:
            if raw(SYS_PRCTL, self._SET_MM, self._SET_MM_MAP, there, self._SIZE):
                number = ctypes.get_errno()
                raise OSError(number, "this system lets no process say where its heap is (PR_SET_MM_MAP)")
            self.end = raw(SYS_BRK, address)
            raw(SYS_PRCTL, self._SET_MM, self._SET_MM_MAP, back, self._SIZE)
        finally:
            if collecting:
                gc.enable()
        return None if self.end == address else "ENOMEM"


class Userfaultfd:
    """One userfaultfd for this process: faults of user code only, no events, as any user may open it."""

    _API, _REGISTER, _NEW = 0xC018_AA3F, 0xC020_AA00, 0xAA00
    _UNREGISTER, _COPY, _ZEROPAGE = 0x8010_AA01, 0xC028_AA03, 0xC020_AA04
    _WRITEPROTECT = 0xC018_AA06
    _USER_MODE_ONLY = 1
    _device = -1

    @classmethod
    def find_device(cls) -> None:
        """Open the other way in, for systems whose seccomp filter refuses the system call; for whoever is forked."""
        fd, refused = call(SYS_USERFAULTFD, os.O_CLOEXEC | cls._USER_MODE_ONLY)
        if refused is None:
            os.close(fd)
        elif cls._device < 0:
            with contextlib.suppress(OSError):  # then there is none
                cls._device = os.open("/dev/userfaultfd", os.O_RDWR | os.O_CLOEXEC)

    def __init__(self) -> None:
        flags = os.O_CLOEXEC | os.O_NONBLOCK | self._USER_MODE_ONLY
        fd, refused = call(SYS_USERFAULTFD, flags)
        if refused and self._device >= 0:
            fd, refused = call(SYS_IOCTL, self._device, self._NEW, flags)
        if refused:
            raise OSError(refused)
        self.fd = fd
        api = ctypes.create_string_buffer(struct.pack("<QQQ", 0xAA, 0, 0), 24)
        if raw(SYS_IOCTL, fd, self._API, ctypes.addressof(api)):
            os.close(fd)
            raise OSError(symbol(ctypes.get_errno()))

    def register(self, start: int, length: int, mode: int) -> str | None:
        """UFFDIO_REGISTER of [start, start + length) in `mode`; the errno's symbol, or None."""
        request = ctypes.create_string_buffer(struct.pack("<QQQQ", start & WORD, length & WORD, mode, 0), 32)
        return call(SYS_IOCTL, self.fd, self._REGISTER, ctypes.addressof(request))[1]

    def unregister(self, start: int, length: int) -> str | None:
        """UFFDIO_UNREGISTER, likewise."""
        request = ctypes.create_string_buffer(struct.pack("<QQ", start & WORD, length & WORD), 16)
        return call(SYS_IOCTL, self.fd, self._UNREGISTER, ctypes.addressof(request))[1]

    def copy(self, start: int, length: int, source: int) -> str | None:
        """UFFDIO_COPY of `length` bytes at address `source`."""
        request = ctypes.create_string_buffer(struct.pack("<QQQQQ", start & WORD, source, length & WORD, 0, 0), 40)
        return call(SYS_IOCTL, self.fd, self._COPY, ctypes.addressof(request))[1]

    def zeropage(self, start: int, length: int) -> str | None:
        """UFFDIO_ZEROPAGE."""
        request = ctypes.create_string_buffer(struct.pack("<QQQQ", start & WORD, length & WORD, 0, 0), 32)
        return call(SYS_IOCTL, self.fd, self._ZEROPAGE, ctypes.addressof(request))[1]

    def writeprotect(self, start: int, length: int, protect: bool) -> str | None:
        """UFFDIO_WRITEPROTECT."""
        request = ctypes.create_string_buffer(struct.pack("<QQQ", start & WORD, length & WORD, protect), 24)
        return call(SYS_IOCTL, self.fd, self._WRITEPROTECT, ctypes.addressof(request))[1]

    def close(self) -> None:
        """Close it, which ends every registration."""
        os.close(self.fd)
