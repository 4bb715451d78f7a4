"""One scenario's calls on this process, and what each one did: `Program.do`.

The steps are those of the scenario format.  Here live the calls themselves and what decides about them; the process
they run in (its limits, its end) is made by `worker.py`.
"""

from __future__ import annotations

import ctypes
import os
import signal
from collections.abc import Callable, Iterable
from typing import Any, NoReturn, TypeVar

from . import kernel, proc
from .access import MOST, access
from .ftrace import Ftrace, Wanted
from .kernel import MCL, MREMAP, PAGE, PROT, USER_END, WORD, call
from .limits import Limits
from .proc import Area, Proc, TooMuch

BASE = 0x10_0000_0000
HEAP = BASE + 2048 * PAGE
FILE_PAGES = 4096
MOST_TOUCHED = MOST
"""Pages (256 MiB) that one call may bring into memory."""
MOST_IN_ALL = 1 << 18
"""Pages (1 GiB) that all calls of a scenario together may access."""
TOO_MANY_PAGES = (
    "it would access {} pages one by one;"
    f" the live machine stops at {MOST_TOUCHED} in one call and {MOST_IN_ALL} in all"
)
LOCKS_ALL = (
    "mlockall(MCL_CURRENT) holds all that its process has mapped against RLIMIT_MEMLOCK, and the process that makes the"
    " calls here has much more than the scenario: without CAP_IPC_LOCK it can't be tried on the live machine"
)
MOST_FORKS = 64
MOST_FILES = 128

HARMLESS = frozenset(
    "mmap munmap mprotect madvise mlock munlock touch read uffd uffd_unregister uffd_copy uffd_zeropage"
    " uffd_writeprotect prctl_set_vma".split()
)
"""The calls that leave nothing behind once their mappings are gone (mremap and limit are looked at more closely)."""

Step = dict[str, Any]
Made = TypeVar("Made")


def span(address: int, length: int) -> tuple[int, int]:
    """The bytes of the pages that a range stands for, as (start, end): as many as its length, rounded up."""
    return address & -PAGE, (address + (length + PAGE - 1 & -PAGE)) & -PAGE


def word(bits: dict[str, int], names: Iterable[str]) -> int:
    """The bits of `names`, or-ed."""
    result = 0
    for name in names:
        result |= bits[name]
    return result


def sleep_until_killed(parent: int) -> NoReturn:
    """What a forked process does that only has to be there."""
    kernel.die_with_parent(parent)
    while True:
        signal.pause()


class Program:
    """The process of a scenario.  `set_map_count`: it may set vm.max_map_count (see limits.py).

    `tracer`: traces each call; the outcome has the key `trace` then.
    """

    def __init__(self, set_map_count: bool = False, tracer: Ftrace | None = None) -> None:
        self.proc = Proc()
        self.tracer = tracer
        self.trace: str | None = None
        self.access = access()
        self.limits = Limits(self.proc, set_map_count)
        # A call that locks without limit could fill the memory of the machine.
        self.lock_freely = bool(kernel.capabilities() >> kernel.CAP_IPC_LOCK & 1)
        self.files: dict[str, int] = {}
        self.zero = os.open("/dev/zero", os.O_RDWR | os.O_CLOEXEC)  # while this process may still open files
        self.heap = kernel.Heap(HEAP)
        self.uffd: kernel.Userfaultfd | None = None
        self.strays: list[tuple[int, int]] = []
        self.locked = self.future = False
        self.forks = 0
        self.begin(0)

    def begin(self, arena_pages: int, contents: bool = False, full: bool = False) -> None:
        """Start a scenario.

        `arena_pages`: the size of the arena.  `contents`: page contents after every step.  `full`: also the flags.
        """
        self.low, self.high = BASE, BASE + arena_pages * PAGE
        self.contents, self.full = contents, full
        self.number = 0
        self.accessed = 0
        self.seen: list[Area] | None = None
        self.size = self.proc.size()

    def harmless(self, steps: list[Step]) -> bool:
        """Whether `steps` (in bytes) change nothing but the arena, and leave nothing that `clear` can't take away."""
        low, high = self.low, self.high

        def inside(start: int, *lengths: int) -> bool:
            # Nothing works on a range that ends above user space.
            return low <= start < high and all(n <= high - start or n >= USER_END for n in lengths)

        for step in steps:
            name = step["call"]
            if name == "mremap":
                old, new, target = step["old_pages"], step["new_pages"], step["new_addr"]
                if not inside(step["addr"], old, 0 if step["flags"] else new) or high - low < new < USER_END:
                    return False
                if "fixed" in step["flags"] and not (inside(target, new) or target >= USER_END):
                    return False
            elif name == "limit":
                if step["resource"] == "map_count":
                    return False
            elif name in ("ftruncate", "add_seals") or (name == "mmap" and step["addr"] is None):
                pass
            elif name not in HARMLESS or not step.get("fixed", True) or not inside(step["addr"], step["pages"]):
                return False
        return True

    def clear(self) -> bool:
        """After harmless steps: take everything away; whether this process is again as it was at `begin`."""
        if self.uffd is not None:
            self.uffd.close()
            self.uffd = None
        kernel.raw(kernel.SYS_MUNMAP, self.low, self.high - self.low)
        for start, length in self.strays:
            kernel.raw(kernel.SYS_MUNMAP, start, length)
        self.strays.clear()
        for fd in self.files.values():
            os.close(fd)
        self.files.clear()
        self.limits.reset()
        return self.proc.size() == self.size and not (self.locked and self.proc.locked())

    # --- one step

    def do(self, step: Step) -> dict[str, Any]:
        """Make the call of `step` (numbers in bytes); the outcome in the scenario format."""
        self.number += 1
        result: int | None = None
        values: list[int | None] | None = None
        name = step["call"]
        if name == "read":
            values, refused = self._read(step["addr"], step["pages"])
        elif name in ("mmap", "mremap"):
            result, refused = self._mmap(step) if name == "mmap" else self._mremap(step)
        else:
            refused = getattr(self, "_" + name)(step)
        areas = self.proc.areas(self.low, self.high)
        outcome: dict[str, Any] = {"errno": refused, "return": None}
        if self.trace is not None:
            outcome["trace"], self.trace = self.trace, None
        if areas != self.seen or self.full:  # what is left out is as it was after the step before
            outcome["vmas"] = self.rows(areas, self.full)
            self.seen = areas
        if self.contents:
            outcome["pages"] = self._contents(areas)
        if values is not None:
            outcome["values"] = values
        if result is not None and refused is None:
            outcome["address"] = result
            if self.low <= result < self.high:
                outcome["return"] = (result - self.low) // PAGE
            else:
                outcome["return"] = "elsewhere"
                length = step["pages" if name == "mmap" else "new_pages"]
                self.strays.append((result, length))
                outcome["elsewhere"] = self._elsewhere(result, length)
        return outcome

    def rows(self, areas: list[Area], full: bool) -> list[dict[str, Any]]:
        """The rows of an outcome; with `full` also what is in the pages, and the flags."""
        flags = self.proc.flags(self.low, self.high) if full and areas else {}
        return [self._row(area, self.low, flags.get(area.start, []) if full else None) for area in areas]

    def _row(self, area: Area, origin: int, flags: list[str] | None) -> dict[str, Any]:
        row: dict[str, Any] = {
            "start": (area.start - origin) // PAGE,
            "end": (area.end - origin) // PAGE,
            "perms": area.perms,
            "backing": area.backing,
            "pgoff": area.pgoff,
        }
        if flags is not None:
            row["pages"] = self._pages(area)
            row["flags"] = flags
        return row

    def _contents(self, areas: list[Area]) -> dict[str, int | None] | None:
        """What is in the pages of the arena; None where the system does not show which ones are present."""
        if not self.proc.pages_known:
            return None
        return {
            str((address - self.low) // PAGE): value
            for area in areas
            for address, value in self.proc.contents(area.start, area.end).items()
            if self.low <= address < self.high
        }

    def _pages(self, area: Area) -> dict[str, int | None] | None:
        if not self.proc.pages_known:
            return None
        contents = self.proc.contents(area.start, area.end)
        return {str((address - area.start) // PAGE): value for address, value in contents.items()}

    def _elsewhere(self, address: int, length: int) -> list[dict[str, Any]]:
        """The VMAs at a place that the kernel chose, cut to the range: what lies around it is not the scenario's."""
        start, end = span(address, length)
        rows = []
        for area in self.proc.areas(start, end):
            first = max(area.start, start)
            pgoff = area.pgoff if area.pgoff is None else area.pgoff + (first - area.start) // PAGE
            part = area._replace(start=first, end=min(area.end, end), pgoff=pgoff)
            row = self._row(part, start, None)
            row["pages"] = self._pages(part)
            rows.append(row)
        return rows

    # --- system calls

    def _call(self, number: int, *arguments: int) -> tuple[int, str | None]:
        """The system call under the limits that the scenario has set."""
        if not self.limits.active:
            return self._watched(kernel.NAMES[number], call, number, *arguments)
        self.limits.lower()
        try:
            return self._watched(kernel.NAMES[number], call, number, *arguments)
        finally:
            self.limits.lift()

    def _watched(self, wanted: Wanted, make: Callable[..., Made], *arguments: Any) -> Made:
        """`make(*arguments)`, with a trace of what is `wanted` of it where somebody asked for that."""
        if self.tracer is None:
            return make(*arguments)
        self.tracer.begin()
        try:
            return make(*arguments)
        finally:
            self.trace = self.tracer.end(wanted)

    def _mmap(self, step: Step) -> tuple[int, str | None]:
        kind, fd = step.get("kind", "anon"), WORD
        flags = kernel.MAP_SHARED if kind in ("shared", "sharedfile") else kernel.MAP_PRIVATE
        if kind in ("file", "sharedfile"):
            fd = self._file(step.get("file", "f0"))
            if step.get("readonly"):
                fd = self._reopened(step.get("file", "f0"), fd)
        elif kind == "zero":
            fd = self.zero
        else:
            flags |= kernel.MAP_ANONYMOUS
        if step.get("addr") is not None and (step.get("fixed", True) or step.get("noreplace")):
            flags |= kernel.MAP_FIXED_NOREPLACE if step.get("noreplace") else kernel.MAP_FIXED
        flags |= word(kernel.MMAP_FLAGS, (name for name in kernel.MMAP_FLAGS if step.get(name)))
        if step.get("populate") or step.get("locked") or self.future:
            self._refuse_many(step["pages"] // PAGE)
        prot = word(PROT, step.get("prot", "rw"))
        offset = step.get("pgoff", 0) * PAGE
        return self._call(kernel.SYS_MMAP, step.get("addr") or 0, step["pages"], prot, flags, fd, offset)

    def _file(self, name: str) -> int:
        """The descriptor of the memfd `name`; each is made once."""
        if name not in self.files:
            if len(self.files) >= MOST_FILES:
                raise TooMuch(f"a scenario may have {MOST_FILES} files on the live machine, and this is one more")
            self.files[name] = os.memfd_create(name, os.MFD_CLOEXEC | kernel.MFD_ALLOW_SEALING)
            os.ftruncate(self.files[name], FILE_PAGES * PAGE)
        return self.files[name]

    def _reopened(self, name: str, fd: int) -> int:
        """A descriptor for reading of the memfd `name`, whose other one is `fd`; made once too."""
        name += "\0"
        if name not in self.files:
            self.files[name] = proc.REOPEN(fd)
        return self.files[name]

    def _mremap(self, step: Step) -> tuple[int, str | None]:
        flags = word(MREMAP, step["flags"]) | step.get("badflags", 0)
        old, new = step["old_pages"], step["new_pages"]
        if new > old and new - old < WORD >> 1:
            self._refuse_to_fill(step["addr"], step["addr"] + 1, more=new - old)
        return self._call(kernel.SYS_MREMAP, step["addr"], old, new, flags, step.get("new_addr", 0))

    def _munmap(self, step: Step) -> str | None:
        return self._call(kernel.SYS_MUNMAP, step["addr"], step["pages"])[1]

    def _mprotect(self, step: Step) -> str | None:
        return self._call(kernel.SYS_MPROTECT, step["addr"], step["pages"], word(PROT, step["prot"]))[1]

    def _madvise(self, step: Step) -> str | None:
        if step["advice"].startswith("populate_"):
            start, end = span(step["addr"], step["pages"])
            self._refuse_many(sum(min(a.end, end) - max(a.start, start) for a in self.proc.areas(start, end)) // PAGE)
        return self._call(kernel.SYS_MADVISE, step["addr"], step["pages"], kernel.MADVICE[step["advice"]])[1]

    def _mlock(self, step: Step) -> str | None:
        self.locked = True
        self._refuse_to_fill(*span(step["addr"], step["pages"]))
        return self._call(kernel.SYS_MLOCK, step["addr"], step["pages"])[1]

    def _mlock2(self, step: Step) -> str | None:
        self.locked = True
        if not step.get("onfault"):
            self._refuse_to_fill(*span(step["addr"], step["pages"]))
        flags = kernel.MLOCK_ONFAULT if step.get("onfault") else 0
        return self._call(kernel.SYS_MLOCK2, step["addr"], step["pages"], flags)[1]

    def _mlockall(self, step: Step) -> str | None:
        if "current" in step["flags"]:
            if not self.lock_freely:
                raise TooMuch(LOCKS_ALL)
            self._refuse_to_fill(0, USER_END)
        self.future = self.future or "future" in step["flags"]
        return self._call(kernel.SYS_MLOCKALL, word(MCL, step["flags"]) | step.get("badflags", 0))[1]

    def _munlockall(self, _step: Step) -> str | None:
        self.future = False
        return self._call(kernel.SYS_MUNLOCKALL)[1]

    def _brk(self, step: Step) -> str | None:
        if self.future and step["addr"] < USER_END:
            self._refuse_many((step["addr"] - self.heap.end) // PAGE)
        with self.limits.bound():
            return self.heap.brk(step["addr"])

    def _munlock(self, step: Step) -> str | None:
        return self._call(kernel.SYS_MUNLOCK, step["addr"], step["pages"])[1]

    def _mseal(self, step: Step) -> str | None:
        return self._call(kernel.SYS_MSEAL, step["addr"], step["pages"], 0)[1]

    def _refuse_many(self, pages: int) -> None:
        """Stop before a call that would bring in so many pages, unless it is refused for its length anyway."""
        if 0 < pages < USER_END // PAGE:
            self.accessed += pages
            if pages > MOST_TOUCHED or self.accessed > MOST_IN_ALL:
                raise TooMuch(TOO_MANY_PAGES.format(pages))

    def _refuse_to_fill(self, start: int, end: int, more: int = 0) -> None:
        """Stop before a call that would lock, and so bring into memory, more than this machine is ready to hold."""
        if not self.lock_freely:
            return
        areas = self.proc.areas(start, end)
        pages = sum(min(area.end, end) - max(area.start, start) for area in areas) // PAGE
        if more:  # only a locked mapping is filled when it grows
            flags = self.proc.flags(start, end)
            pages = more // PAGE if any("lo" in codes for codes in flags.values()) else 0
        self.accessed += pages
        if pages > MOST_TOUCHED or self.accessed > MOST_IN_ALL:
            raise TooMuch(f"it would lock {pages} pages; the live machine stops at {MOST_TOUCHED}")

    # --- page accesses

    def _touch(self, step: Step) -> str | None:
        start, end = span(step["addr"], step["pages"])
        pages = max(0, end - start) // PAGE
        most = min(pages, MOST_TOUCHED, MOST_IN_ALL - self.accessed)
        with self.limits.bound():
            value, waits = (step.get("value") or self.number) * 1000, self.uffd is not None
            done, refused = self._watched((start, end), self.access.store, start, most, value, waits)
        self.accessed += done
        if refused is None and done < pages:
            raise TooMuch(TOO_MANY_PAGES.format(pages))
        return refused

    def _read(self, address: int, length: int) -> tuple[list[int | None], str | None]:
        start, end = span(address, length)
        pages = max(0, end - start) // PAGE
        self.accessed += pages
        if pages > MOST_TOUCHED or self.accessed > MOST_IN_ALL:
            raise TooMuch(TOO_MANY_PAGES.format(pages))
        with self.limits.bound():
            self._watched((start, end), self.access.load, start, pages, self.uffd is not None)
        return self.access.loaded(pages)

    # --- the rest

    def _userfaultfd(self) -> kernel.Userfaultfd:
        """The one of this process; it is made when it is first needed."""
        if self.uffd is None:
            try:
                self.uffd = kernel.Userfaultfd()
            except OSError as error:
                raise TooMuch(f"this system refuses userfaultfd ({error})") from None
        return self.uffd

    def _uffd(self, step: Step) -> str | None:
        mode = kernel.UFFD_MODES[step.get("mode", "missing")]
        return self._watched("ioctl", self._userfaultfd().register, step["addr"], step["pages"], mode)

    def _uffd_writeprotect(self, step: Step) -> str | None:
        protect = step.get("protect", True)
        return self._watched("ioctl", self._userfaultfd().writeprotect, step["addr"], step["pages"], protect)

    def _uffd_unregister(self, step: Step) -> str | None:
        return self._watched("ioctl", self._userfaultfd().unregister, step["addr"], step["pages"])

    def _uffd_copy(self, step: Step) -> str | None:
        self._refuse_many(step["pages"] // PAGE)
        pages = step["pages"] // PAGE if step["pages"] < USER_END else 0
        word = (self.number if step.get("value") is None else step["value"]) * 1000
        data = bytearray(max(pages, 1) * PAGE)
        for number in range(pages):
            data[number * PAGE : number * PAGE + 8] = (word + number & WORD).to_bytes(8, "little")
        source = (ctypes.c_char * len(data)).from_buffer(data)
        copy = self._userfaultfd().copy
        return self._watched("ioctl", copy, step["addr"], step["pages"], ctypes.addressof(source))

    def _uffd_zeropage(self, step: Step) -> str | None:
        self._refuse_many(step["pages"] // PAGE)
        return self._watched("ioctl", self._userfaultfd().zeropage, step["addr"], step["pages"])

    def _ftruncate(self, step: Step) -> str | None:
        if step["pages"] > FILE_PAGES * PAGE:
            raise TooMuch(f"a file of a scenario has at most {FILE_PAGES} pages on the live machine")
        return self._call(kernel.SYS_FTRUNCATE, self._file(step["file"]), step["pages"])[1]

    def _add_seals(self, step: Step) -> str | None:
        seals = word(kernel.SEALS, step["seals"]) | step.get("badflags", 0)
        return self._call(kernel.SYS_FCNTL, self._file(step["file"]), kernel.F_ADD_SEALS, seals)[1]

    def _prctl_set_vma(self, step: Step) -> str | None:
        label = None if step["name"] is None else ctypes.create_string_buffer(step["name"].encode("utf-8", "replace"))
        where = 0 if label is None else ctypes.addressof(label)
        return self._call(kernel.SYS_PRCTL, kernel.PR_SET_VMA, 0, step["addr"], step["pages"], where)[1]

    def _one_more_fork(self) -> int:
        self.forks += 1
        if self.forks > MOST_FORKS:
            raise TooMuch(f"the live machine forks at most {MOST_FORKS} times in one scenario")
        return os.getpid()

    def _fork(self, _step: Step) -> None:
        parent = self._one_more_fork()
        if self.tracer is not None:
            self.tracer.begin()
        if os.fork() == 0:
            sleep_until_killed(parent)
        if self.tracer is not None:
            self.trace = self.tracer.end("clone")

    def _fork_child(self, _step: Step) -> None:
        parent = self._one_more_fork()
        if self.tracer is not None:
            self.tracer.begin()
        child = os.fork()
        if child == 0 and self.tracer is not None:
            self.trace = self.tracer.end("clone", parent)
        if child:
            # This one sleeps, and ends as its child does.
            _, status = os.waitpid(child, 0)
            code = os.waitstatus_to_exitcode(status)
            os._exit(code & 0xFF if code >= 0 else 128 - code)
        kernel.die_with_parent(parent)
        self.proc.close()
        self.proc = Proc()
        self.limits.moved(self.proc)
        self.uffd = None  # it speaks of the parent's memory

    def _limit(self, step: Step) -> None:
        self.limits.set(step["resource"], step["headroom"])


def in_bytes(step: Step) -> Step:
    """A step of a scenario file, with its pages turned into bytes that count from address 0."""
    step = dict(step)
    for key in ("addr", "new_addr"):
        if step.get(key) is not None:
            step[key] = (BASE + int(step[key] * PAGE)) & WORD
    for key in ("pages", "old_pages", "new_pages"):
        if key in step:
            step[key] = int(step[key] * PAGE) & WORD
    return step
