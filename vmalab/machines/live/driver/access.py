"""Loads and stores of this process, made in user mode, that survive what they run into (code: `machinecode.py`).

A system call that copies from or to user memory would not do: for the kernel that is no access of the program, so a
userfaultfd and a signal would be met in another way.  A few lines of machine code access page after page instead, and a
signal handler, machine code too, ends the access: at SIGSEGV and SIGBUS at once; at SIGALRM when the same instruction
has met several alarms, as it does on a page that waits for a userfaultfd.  A signal anywhere else has its default
effect, so whatever a scenario breaks ends the process as it always did.
"""

from __future__ import annotations

import ctypes
import signal
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from . import kernel
from .kernel import PAGE, PROT, WORD
from .machinecode import HERE

MOST = 1 << 16
"""Pages of one access at most."""

ENDS = {signal.SIGSEGV.value: "SEGV", signal.SIGBUS.value: "BUS", signal.SIGALRM.value: "UFFD"}
"""The signal that ended an access → how the scenario format calls that."""

ALARM = 0.01
"""Seconds from one alarm to the next.  The third one at the same instruction ends the access: a page that only comes
slowly meets one, however long it takes, since a signal is delivered when the fault is over."""

_SYS_RT_SIGACTION, _SYS_SIGALTSTACK = (134, 132) if kernel.ARM else (13, 131)
_SA_FLAGS = 0x4 | 0x0400_0000 | 0x0800_0000 | 0x1000_0000  # SIGINFO, RESTORER, ONSTACK, RESTART
_HANDLER_STACK = 1 << 16


class Access:
    """The machine code, its signal handlers and the room for what it loads; `access()` makes the one of a process.

    A forked process has all of it too.  Made before the scenarios come, so that it lies where their mappings do not.
    """

    def __init__(self) -> None:
        flags = kernel.MAP_PRIVATE | kernel.MAP_ANONYMOUS
        code, refused = kernel.call(kernel.SYS_MMAP, 0, PAGE, PROT["r"] | PROT["w"], flags, WORD)
        if refused is None:
            ctypes.memmove(code, HERE.code, len(HERE.code))
            refused = kernel.call(kernel.SYS_MPROTECT, code, PAGE, PROT["r"] | PROT["x"])[1]
        if refused:
            raise OSError(f"this system lets no process write machine code ({refused})")
        word, pointer = ctypes.c_uint64, ctypes.c_void_p
        self._store = ctypes.PYFUNCTYPE(word, word, word, word, word)(code + HERE.stores)
        self._load = ctypes.PYFUNCTYPE(word, word, word, pointer, pointer, word)(code + HERE.loads)
        self._values = (word * MOST)()
        self._signals = (ctypes.c_uint8 * MOST)()
        self._stack = ctypes.create_string_buffer(_HANDLER_STACK)  # the handler must not need a stack that may be gone
        stack = ctypes.create_string_buffer(struct.pack("<QixxxxQ", ctypes.addressof(self._stack), 0, _HANDLER_STACK))
        kernel.raw(_SYS_SIGALTSTACK, ctypes.addressof(stack))
        action = ctypes.create_string_buffer(
            struct.pack("<QQQQ", code + HERE.handler, _SA_FLAGS, code + HERE.restorer, 0)
        )
        for number in ENDS:
            kernel.raw(_SYS_RT_SIGACTION, number, ctypes.addressof(action), 0, 8)

    def store(self, address: int, pages: int, value: int, waits: bool) -> tuple[int, str | None]:
        """Write `value`, `value` + 1, … to the first word of each of `pages` pages from `address`, as far as it goes.

        How many were written, and what ended it: `"SEGV"`, `"BUS"`, `"UFFD"` or None.  `waits`: a page may wait for a
        userfaultfd.  At most `MOST` pages.
        """
        with _alarms(waits):
            answer = self._store(address, pages, value, PAGE)
        return pages - (answer >> 8), ENDS.get(answer & 0xFF)

    def load(self, address: int, pages: int, waits: bool) -> None:
        """Read the first word of each page, also behind those that can't be read; `loaded` has it then."""
        with _alarms(waits):
            self._load(address, pages, self._values, self._signals, PAGE)

    def loaded(self, pages: int) -> tuple[list[int | None], str | None]:
        """The words that `load` saw, None where a page can't be read, and what ended the first such access."""
        ends = self._signals[:pages]
        values = [None if end else value for value, end in zip(self._values[:pages], ends, strict=True)]
        return values, next((ENDS[end] for end in ends if end), None)


@contextmanager
def _alarms(wanted: bool) -> Iterator[None]:
    """Alarms go off meanwhile, again and again, if `wanted`."""
    if wanted:
        signal.setitimer(signal.ITIMER_REAL, ALARM, ALARM)
    try:
        yield
    finally:
        if wanted:
            signal.setitimer(signal.ITIMER_REAL, 0)


@cache
def access() -> Access:
    """The one of this process and of those that it forks."""
    return Access()
