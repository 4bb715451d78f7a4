"""Loads and stores of this process, made in user mode, that survive what they run into (machine code of x86-64).

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

MOST = 1 << 16
"""Pages of one access at most."""

ENDS = {signal.SIGSEGV.value: "SEGV", signal.SIGBUS.value: "BUS", signal.SIGALRM.value: "UFFD"}
"""The signal that ended an access → how the scenario format calls that."""

ALARM = 0.01
"""Seconds from one alarm to the next.  The third one at the same instruction ends the access: a page that only comes
slowly meets one, however long it takes, since a signal is delivered when the fault is over."""

_CODE = bytes.fromhex(
    "31c04885f67415"  # 00 stores(address, count, value): xor eax, eax; test rsi, rsi; jz stored
    "4531c0"  # 07 again: xor r8d, r8d (the alarms that the next instruction has met)
    "488917"  # 0a STORE: mov [rdi], rdx
    "4881c700100000"  # 0d add rdi, 4096
    "48ffc248ffce75eb"  # 14 inc rdx; dec rsi; jnz again
    "48c1e6084809f0c366662e0f1f84000000000090"  # 1c stored: shl rsi, 8; or rax, rsi; ret (pages left << 8 | signal)
    "4885f67423"  # 30 loads(address, count, values, signals): test rsi, rsi; jz 58
    "4531c031c04531c9"  # 35 again: xor r8d, r8d; xor eax, eax; xor r9d, r9d
    "4c8b0f"  # 3d LOAD: mov r9, [rdi]
    "4c890a8801"  # 40 loaded: mov [rdx], r9; mov [rcx], al
    "4881c700100000"  # 45 add rdi, 4096
    "4883c20848ffc1"  # 4c add rdx, 8; inc rcx
    "48ffce75ddc30f1f8000000000"  # 53 dec rsi; jnz again; ret
    "488b82a8000000"  # 60 handler(signal, siginfo, ucontext): mov rax, [rdx+168] (rip)
    "4c8d0d9cffffff"  # 67 lea r9, STORE
    "4c8d15a7ffffff"  # 6e lea r10, stored
    "4c39c8742f"  # 75 cmp rax, r9; je ours
    "4c8d0dbcffffff"  # 7a lea r9, LOAD
    "4c8d15b8ffffff"  # 81 lea r10, loaded
    "4c39c8741c"  # 88 cmp rax, r9; je ours
    "83ff0e7416"  # 8d cmp edi, SIGALRM; je a8
    "488d3547000000"  # 92 lea rsi, default
    "31d241ba08000000"  # 99 xor edx, edx; mov r10d, 8
    "b80d0000000f05c3"  # a1 rt_sigaction(signal, default, NULL, 8); a8: ret
    "83ff0e7509"  # a9 ours: cmp edi, SIGALRM; jne b7
    "ff4228837a28037cf1"  # ae inc [rdx+40]; cmp [rdx+40], 3; jl a8 (r8)
    "89f848898290000000"  # b7 mov eax, edi; mov [rdx+144], rax (rax)
    "4c8992a8000000c30f1f840000000000"  # c0 mov [rdx+168], r10; ret
    "b80f0000000f05660f1f840000000000"  # d0 restorer: rt_sigreturn()
    "0000000000000000000000000000000000000000000000000000000000000000"  # e0 default: a sigaction of zeros, SIG_DFL
)
"""Machine code, with the offset of each line (hexadecimal) and what it says."""

_STORES, _LOADS, _HANDLER, _RESTORER = 0x00, 0x30, 0x60, 0xD0

_SYS_RT_SIGACTION, _SYS_SIGALTSTACK = 13, 131
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
            ctypes.memmove(code, _CODE, len(_CODE))
            refused = kernel.call(kernel.SYS_MPROTECT, code, PAGE, PROT["r"] | PROT["x"])[1]
        if refused:
            raise OSError(f"this system lets no process write machine code ({refused})")
        word, pointer = ctypes.c_uint64, ctypes.c_void_p
        self._store = ctypes.PYFUNCTYPE(word, word, word, word)(code + _STORES)
        self._load = ctypes.PYFUNCTYPE(word, word, word, pointer, pointer)(code + _LOADS)
        self._values = (word * MOST)()
        self._signals = (ctypes.c_uint8 * MOST)()
        self._stack = ctypes.create_string_buffer(_HANDLER_STACK)  # the handler must not need a stack that may be gone
        stack = ctypes.create_string_buffer(struct.pack("<QixxxxQ", ctypes.addressof(self._stack), 0, _HANDLER_STACK))
        kernel.raw(_SYS_SIGALTSTACK, ctypes.addressof(stack))
        action = ctypes.create_string_buffer(struct.pack("<QQQQ", code + _HANDLER, _SA_FLAGS, code + _RESTORER, 0))
        for number in ENDS:
            kernel.raw(_SYS_RT_SIGACTION, number, ctypes.addressof(action), 0, 8)

    def store(self, address: int, pages: int, value: int, waits: bool) -> tuple[int, str | None]:
        """Write `value`, `value` + 1, … to the first word of each of `pages` pages from `address`, as far as it goes.

        How many were written, and what ended it: `"SEGV"`, `"BUS"`, `"UFFD"` or None.  `waits`: a page may wait for a
        userfaultfd.  At most `MOST` pages.
        """
        with _alarms(waits):
            answer = self._store(address, pages, value)
        return pages - (answer >> 8), ENDS.get(answer & 0xFF)

    def load(self, address: int, pages: int, waits: bool) -> None:
        """Read the first word of each page, also behind those that can't be read; `loaded` has it then."""
        with _alarms(waits):
            self._load(address, pages, self._values, self._signals)

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
