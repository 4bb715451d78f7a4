"""One process of a log on the model: `Process.make(call)` makes the next call and says how the answers agree.

What strace does not show is supplied the same way everywhere: private memory that may be written is taken as written at
once (page faults are not system calls), and a file that is only mapped for reading as opened for reading.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable
from itertools import chain
from typing import Any

from attrs import define, evolve, field, frozen

from vmalab.errors import VmalabError
from vmalab.linux.addr import PAGE, page_align
from vmalab.linux.call import ADVICES, Brk, Call, Madvise, Mmap, Mprotect, Mremap, Munmap
from vmalab.linux.flags import (
    MREMAP_FIXED,
    MREMAP_MAYMOVE,
    PROT_READ,
    PROT_WRITE,
    VM_MAYWRITE,
    VM_NOHUGEPAGE,
    VM_SHARED,
    VM_WRITE,
)
from vmalab.linux.mm.fault import anon_vma_prepare
from vmalab.linux.mm.fork import fork
from vmalab.linux.mm.runs import Run, RunMap
from vmalab.linux.mm.space import AddressSpace
from vmalab.linux.mm.syscall import Result, perform
from vmalab.linux.mm.trace import Step
from vmalab.linux.mm.vma import VMA, File
from vmalab.linux.profile import KernelProfile
from vmalab.machines.replay.start import ENDLESS, kind_of
from vmalab.programs.strace import Traced
from vmalab.programs.stracecalls import MAP

OUTSIDE = frozenset("EBADF EACCES ENODEV ETXTBSY ENFILE EMFILE EINTR ERESTARTSYS ERESTARTNOINTR ENOSYS ?".split())
"""Errors whose reason lies outside of the address space: the call is left out, as it changed nothing in it."""

HINTS = frozenset("pageout remove collapse hwpoison soft_offline".split())
"""Advice that the model does not have a call for, and that leaves VMAs as they are."""


@frozen
class Verdict:
    """How one call of the log went on the model.

    `kind`: `same`; `differs` (another answer); `outside` (failed for a reason outside of the address space), `left`
    (the model does not know it), `unknown` (memory that was there before the log begins), `aside` (nothing to do with
    VMAs).  `got`: the model's answer.  `steps`: what the model did.  `chosen`: where the rule for free space would have
    put it, if that was asked.
    """

    kind: str
    calls: tuple[Call, ...] = ()
    got: int | None = None
    errno: str | None = None
    why: str = ""
    steps: tuple[Step, ...] = ()
    chosen: int | None = None
    placed: bool = False


SAME = Verdict("same")
ASIDE = Verdict("aside")


class Ranges:
    """Ranges of addresses (bytes), asked whether one shares a byte with them.  O(log n) each."""

    def __init__(self, ranges: Iterable[tuple[int, int]]) -> None:
        self.ranges = sorted(ranges)

    def touch(self, start: int, end: int) -> bool:
        """Whether [start, end) shares a byte with one of them; they do not overlap."""
        at = bisect_right(self.ranges, (start, 1 << 64))
        near = self.ranges[max(at - 1, 0) : at + 1]
        return any(low < end and start < high for low, high in near)


@define
class Process:
    """An address space and what else its calls depend on.  `known_start`: whether its maps at the start are known."""

    mm: AddressSpace
    pid: int
    name: str = ""
    known_start: bool = False
    follows: KernelProfile | None = None
    """The release that the log's kernel was, where the model follows another one."""
    brk: int | None = None
    opened: dict[int, tuple[str, bool, int]] = field(factory=dict)
    segments: dict[int, int] = field(factory=dict)
    attached: dict[int, int] = field(factory=dict)
    serial: int = 0
    threads: int = 1
    unwritten: Ranges = field(factory=lambda: Ranges(()))
    """Memory that the maps at the end show not to have been written when it could have been."""
    emptied: RunMap = field(factory=RunMap)
    """Pages that VMAs were taken from: where there is none now, the log says so.  Kept without a known start only."""
    changes: list[tuple[tuple[VMA, ...], tuple[VMA, ...]]] = field(factory=list)
    """Which VMAs the last call took away and which it brought, step by step."""

    def fork(self, child_pid: int) -> Process:
        """The process of a child, in the state of this one.  O(VMAs)."""
        mm = fork(self.mm)
        mm.seeks_own_choice = self.mm.seeks_own_choice
        return Process(
            mm, child_pid, self.name, self.known_start, self.follows, self.brk, dict(self.opened), self.segments,
            dict(self.attached), self.serial, unwritten=self.unwritten, emptied=self.emptied.copy(),
        )  # fmt: skip

    # --- one call ---

    def make(self, event: Traced, number: int = 0) -> Verdict:
        """Make the call that `event` tells of, in the state that the program was in.  O(log n + what it changes)."""
        what = event.what
        self.changes = []
        special = _SPECIAL.get(what.name)
        if special is not None:
            return special(self, event)
        call = what.call
        if call is None:
            return ASIDE
        if event.errno in OUTSIDE:
            return Verdict("outside", (call,), why=f"failed with {event.errno}")
        if isinstance(call, Mmap):
            return self._mmap(event, call)
        if isinstance(call, Madvise) and call.advice not in ADVICES:
            known = call.advice in HINTS
            return SAME if known else Verdict("left", (call,), why=f"madvise(MADV_{call.advice.upper()})")
        if isinstance(call, Mprotect) and what.numbers and what.numbers[0] not in (-1, 0):
            return Verdict("left", (call,), why="a protection key")
        given = event.answer if isinstance(call, Mremap) and not call.flags & MREMAP_FIXED else None
        return self._held_against(event, (call,), given)

    def _mmap(self, event: Traced, call: Mmap) -> Verdict:
        what = event.what
        if what.flags & MAP["MAP_HUGETLB"]:
            return Verdict("left", (call,), why="MAP_HUGETLB")
        if what.flags & 0xF == MAP["MAP_DROPPABLE"]:
            return Verdict("left", (call,), why="MAP_DROPPABLE")
        if call.kind in ("file", "sharedfile"):
            call = evolve(call, file=self.file_key(what.fd, what.path))
        # since 6.7, the release that thp_aligned_mmap came with, MAP_STACK is VM_NOHUGEPAGE (c4608d1bf7c6)
        stack = what.flags & MAP["MAP_STACK"] and self.mm.profile.thp_aligned_mmap
        usual = self.mm.def_flags
        self.mm.def_flags |= VM_NOHUGEPAGE if stack else 0
        try:
            verdict = self._placed(event, call)
        finally:
            self.mm.def_flags = usual
        if event.answer is not None and call.kind == "sharedfile" and not self._writable(what.fd, what.path, call):
            self._without(event.answer, VM_SHARED | VM_MAYWRITE)
        return verdict

    def _placed(self, event: Traced, call: Mmap) -> Verdict:
        """The mapping, at the address that the kernel chose; what the model has there makes room."""
        given = None if call.fixed or event.answer is None else event.answer
        if given is not None and (there := self.mm.intersecting(given, given + page_align(call.length))):
            verdict = Verdict("differs", (call,), why=f"the kernel put it where {there[0]} should have been", got=None)
            self._clear(given, page_align(call.length))
            self._held_against(event, (call,), given)
            return verdict
        return self._held_against(event, (call,), given)

    def _clear(self, start: int, length: int) -> None:
        """Take away what lies where the kernel had nothing."""
        perform(self.mm, Munmap(start, length))

    def _without(self, start: int, flags: int) -> None:
        vma = self.mm.vma_lookup(start)
        if vma is not None and vma.flags & flags:
            self.mm.replace("do_mmap", "read_only_file", (vma,), (vma.with_flags(vma.flags & ~flags),))

    def _held_against(self, event: Traced, calls: tuple[Call, ...], given: int | None) -> Verdict:
        """Make `calls` on the model and hold the last answer against the kernel's; the state follows the kernel's."""
        mm = self.mm
        mm.journal = self.changes = []
        counters = mm.total_vm, mm.data_vm, mm.locked_vm, mm.locked_vm_leak
        result, problem = self._perform(calls, given)
        chosen, placed = mm.own_choice, given is not None and mm.given is None
        mm.own_choice, mm.given = None, None
        if result is None:
            mm.journal = None
            return Verdict("left", calls, why=problem)
        value, errno = result.value, result.errno
        wanted = event.answer if isinstance(calls[-1], (Mmap, Mremap)) else 0
        if errno == event.errno and (errno is not None or value == wanted):
            if errno is None:
                self._written(calls[-1], event.answer)
            self._changed()
            if not mm.seeks_own_choice and not mm.trace:
                return SAME
            return Verdict("same", calls, value, errno, "", tuple(result.steps), chosen, placed)
        mm.take_back()
        mm.total_vm, mm.data_vm, mm.locked_vm, mm.locked_vm_leak = counters
        mm.journal = self.changes = []
        kind, why = "differs", _refused(result.steps) if mm.trace else ""
        if event.errno is None:
            if not self.known_start and self._reaches_unknown(calls[-1]):
                kind = "unknown"
            self._follow_kernel(event, calls, given)
        self._changed()
        return Verdict(kind, calls, value, errno, why, tuple(result.steps), chosen, placed)

    def _perform(self, calls: Iterable[Call], given: int | None) -> tuple[Result | None, str]:
        result = None
        try:
            for call in calls:
                self.mm.given = given
                result = perform(self.mm, call)
        except VmalabError as error:
            return None, str(error)
        return result, ""

    def _follow_kernel(self, event: Traced, calls: tuple[Call, ...], given: int | None) -> None:
        """Bring the state to where the kernel's answer leads: by the rules of the log's own release if the model
        follows another one, else by the plainest call with that answer."""
        mm, call = self.mm, calls[-1]
        if self.follows is not None and self.follows is not mm.profile:
            own, mm.profile = mm.profile, self.follows
            result, _ = self._perform(calls, given)
            mm.profile, mm.own_choice, mm.given = own, None, None
            if result is not None and result.errno is None:
                self._written(call, event.answer)
                return
        if isinstance(call, Mremap) and event.answer is not None and event.answer != call.addr:
            moved = Mremap(call.addr, call.old_len, call.new_len, MREMAP_MAYMOVE | MREMAP_FIXED, event.answer)
            self._perform((moved,), None)
            self._written(call, event.answer)

    def _changed(self) -> None:
        """The call is over: what VMAs were taken from is known from now on."""
        self.mm.journal = None
        if not self.known_start:
            for vma in chain.from_iterable(taken for taken, _ in self.changes):
                self.emptied.put(Run(vma.start // PAGE, vma.end // PAGE, "emptied"))

    def _reaches_unknown(self, call: Any) -> bool:
        """Whether the call is about memory of which nothing is known: it was there before the log begins."""
        length = page_align(getattr(call, "length", getattr(call, "old_len", PAGE)))
        at, end = call.addr, call.addr + length
        for vma in self.mm.intersecting(at, end):
            if self._unknown(at, vma.start):
                return True
            at = vma.end
        return self._unknown(at, end)

    def _unknown(self, start: int, end: int) -> bool:
        """Whether nothing is known of a page of [start, end), which no VMA maps."""
        return start < end and bool(self.emptied.holes(start // PAGE, page_align(end) // PAGE))

    def _written(self, call: Call, answer: int | None) -> None:
        """The program writes to private memory that it may write to, soon after it has got it."""
        if isinstance(call, Mmap):
            start, length = answer, call.length
        elif isinstance(call, Mremap):
            start, length = answer, call.new_len
        elif isinstance(call, Mprotect):
            start, length = call.addr, call.length
        elif isinstance(call, Brk):
            start, length = self.mm.start_brk, max(call.addr - self.mm.start_brk, 0)
        else:
            return
        if start is None:
            return
        for vma in self.mm.intersecting(start, start + page_align(length)):
            writable = vma.flags & (VM_WRITE | VM_SHARED) == VM_WRITE
            if vma.anon_vma is None and writable and not self.unwritten.touch(vma.start, vma.end):
                anon_vma_prepare(self.mm, vma)

    # --- files ---

    def file_key(self, fd: int | None, path: str | None) -> str:
        """The key of the open file behind a descriptor; its record is made when it is first mapped."""
        opened = self.opened.get(fd) if fd is not None else None
        name = path or (opened[0] if opened is not None else f"file {fd}")
        serial = opened[2] if opened is not None else 0
        key = f"{name} fd {fd} {serial}"
        if key not in self.mm.files:
            self.mm.files[key] = File(name, kind_of(name), ENDLESS)
        return key

    def _writable(self, fd: int | None, path: str | None, call: Mmap) -> bool:
        opened = self.opened.get(fd) if fd is not None else None
        if opened is not None and (path is None or opened[0] == path):
            return opened[1]
        return bool(call.prot & PROT_WRITE)

    # --- calls that are not one record ---

    def _open(self, event: Traced) -> Verdict:
        if event.answer is not None and event.errno is None:
            self.serial += 1
            self.opened[event.answer] = (event.path or event.what.path or "", bool(event.what.flags), self.serial)
        return ASIDE

    def _brk(self, event: Traced) -> Verdict:
        """brk(2): the first one tells where the heap begins; one that fails returns the break that there is."""
        asked, answer = event.what.numbers[0], event.answer
        if answer is None or event.errno is not None:
            return Verdict("outside", why="brk did not return")
        if self.brk is None:
            self.brk = self.mm.start_brk = self.mm.brk = answer
        if asked != answer or answer == self.brk:
            return ASIDE
        self.brk = answer
        verdict = self._held_against(evolve(event, answer=0), (Brk(answer),), None)
        self.mm.brk = answer
        return verdict

    def _shmget(self, event: Traced) -> Verdict:
        if event.answer is not None:
            self.segments[event.answer] = event.what.numbers[0]
        return ASIDE

    def _shmat(self, event: Traced) -> Verdict:
        segment = event.what.numbers[0]
        if event.answer is None:
            return Verdict("outside", why=f"shmat failed with {event.errno}")
        if segment not in self.segments:
            return Verdict("left", why=f"shmat of segment {segment}, whose size the log does not tell")
        length = page_align(self.segments[segment])
        key = f"/SYSV {segment}"
        if key not in self.mm.files:
            self.mm.files[key] = File("/SYSV00000000 (deleted)", "memfd", ENDLESS)
        prot = PROT_READ if event.what.flags & 0o10000 else PROT_READ | PROT_WRITE
        self.attached[event.answer] = length
        call = Mmap(event.answer if event.what.numbers[1] else None, length, prot, "sharedfile", key, fixed=False)
        return self._held_against(event, (call,), event.answer)

    def _shmdt(self, event: Traced) -> Verdict:
        start = event.what.numbers[0]
        length = self.attached.pop(start, 0)
        if event.errno is not None or not length:
            return Verdict("outside", why="shmdt of memory that the log did not see attached")
        return self._held_against(event, (Munmap(start, length),), None)

    def _name(self, event: Traced) -> Verdict:
        return ASIDE if event.errno is not None else Verdict("left", why="prctl(PR_SET_VMA): names of anonymous memory")

    def _left(self, event: Traced) -> Verdict:
        return Verdict("left", why=event.what.name)


def _refused(steps: Iterable[Step]) -> str:
    step = next((step for step in reversed(list(steps)) if step.errno), None)
    return "" if step is None else f"{step.func}: {step.key}"


_SPECIAL: dict[str, Callable[[Process, Traced], Verdict]] = {
    "open": Process._open,
    "brk": Process._brk,
    "shmget": Process._shmget,
    "shmat": Process._shmat,
    "shmdt": Process._shmdt,
    "name": Process._name,
    "remap_file_pages": Process._left,
}
