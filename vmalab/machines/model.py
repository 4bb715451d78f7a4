"""`Model`: the machine that computes.  It keeps one process, runs calls on it and turns what `mm` did into outcomes."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import evolve

from vmalab.errors import UsageError, VmalabError
from vmalab.linux.addr import ARENA_BASE, PAGE, PAGE_SHIFT
from vmalab.linux.arch import X86_64
from vmalab.linux.arch import arch as arch_named
from vmalab.linux.call import (
    AddSeals,
    Brk,
    Call,
    Fork,
    ForkChild,
    Ftruncate,
    Limit,
    Madvise,
    Mlock,
    Mlock2,
    Mlockall,
    Mmap,
    Mprotect,
    Mremap,
    Mseal,
    Munlock,
    Munlockall,
    Munmap,
    PrctlSetVma,
    Read,
    Touch,
    Uffd,
    UffdCopy,
    UffdUnregister,
    UffdWriteprotect,
    UffdZeropage,
)
from vmalab.linux.flags import PROT_READ, PROT_WRITE, prot_from_letters
from vmalab.linux.mm.space import ALLOCATIONS, ANYWHERE, AddressSpace
from vmalab.linux.mm.syscall import Result, perform
from vmalab.linux.mm.trace import Step
from vmalab.linux.profile import KernelProfile, profile
from vmalab.linux.scope import refuse
from vmalab.linux.settings import Settings
from vmalab.machines.capture import Capture
from vmalab.machines.letters import Letters
from vmalab.machines.machine import Played, a_scenario
from vmalab.machines.outcome import FEW, Frame, Move, Outcome, Row, Snapshot, areas_of
from vmalab.machines.traces import first_key, next_key, trace_of
from vmalab.programs.scenario import Scenario


class Model:
    """A process under one kernel release, driven call by call or by a whole scenario.

    `release`: what `vmalab.linux.profile.profile` takes, such as `"6.17"`, `"6.18.44"` or `"v3"`.  `settings`: of the
    machine that it runs on; Linux's own without any.  `arch` and `page_size` (bytes): `"x86_64"`, or `"arm64"` with
    pages of 4096 or 16384; with the latter a page still counts as `PAGE` bytes, and lies at `page(n)`.  Addresses and
    lengths in bytes.  Every method that makes a call
    returns an `Outcome`; a call that fails is an outcome with an errno.

    >>> from vmalab.linux.addr import PAGE, page
    >>> vm = Model("6.16")
    >>> vm.mmap(page(0), 2 * PAGE).ok, vm.mmap(page(2), PAGE, "r").ok
    (True, True)
    >>> vm.mremap(page(0), 3 * PAGE, 3 * PAGE, 3, page(64)).errno
    'EFAULT'
    """

    def __init__(
        self, release: str | KernelProfile = "6.18", *, privileged: bool = False, trace: bool = True,
        settings: Settings | None = None, arch: str = "x86_64", page_size: int = PAGE,
    ) -> None:  # fmt: skip
        self.arch = arch_named(arch, page_size)
        self.profile = release if isinstance(release, KernelProfile) else profile(release)
        self.settings = settings or Settings()
        self.privileged = privileged
        self.trace = trace
        self.mm = AddressSpace(self.profile, privileged=privileged, trace=trace, settings=self.settings,
                               arch=self.arch)  # fmt: skip
        self.history: list[Call] = []
        self.injected: list[tuple[int, str, int, bool]] = []
        """What `inject` was asked for: after how many calls, and its arguments."""
        self._now = Capture()
        self._key: int | None = first_key(privileged) if self.arch is X86_64 else None
        self._letters = Letters()

    @classmethod
    def on(cls, mm: AddressSpace) -> Model:
        """A model whose process has the address space `mm`, as a replay has brought it about.  It has no history, so
        that nothing before can be taken back."""
        model = cls(mm.profile, privileged=mm.privileged)
        model.mm, mm.trace, model._now = mm, True, Capture.of(mm)
        model._key = None  # no program that somebody could have traced
        return model

    def look_again(self) -> None:
        """Take the address space as it is now, after somebody else has changed it.  O(changes · log n)."""
        self._now = Capture.of(self.mm, self._now)

    @property
    def name(self) -> str:
        """What `--on` takes."""
        return f"model:{self.profile.release}"

    @property
    def release(self) -> str:
        """The kernel release that this model follows."""
        return self.profile.release

    def __repr__(self) -> str:
        on = "" if self.arch is X86_64 else f" on {self.arch}"
        return f"<Model of {self.profile}{on}: {len(self.mm)} VMAs after {len(self.history)} calls>"

    def _repr_html_(self) -> str:
        return self.snapshot()._repr_html_()

    def snapshot(self) -> Snapshot:
        """The address space as it is now."""
        return Snapshot(self._now.snapshot.rows, self._letters)

    def do(self, call: Call) -> Outcome:
        """Make one call."""
        before = self._now
        result = perform(self.mm, call, len(self.history) + 1)
        self.mm = result.mm
        self.history.append(call)
        self._key = key = None if self.injected else next_key(self._key, call)
        release = self.profile.release
        self._now = after = Capture.of(self.mm, before)
        steps = result.steps
        outcome = Outcome(
            call, result.value, result.errno, steps, self.name, result.values, None, _moves(steps),
            lambda: before.snapshot, lambda: after.snapshot, lambda: _frames(before, steps),
            lambda: _near(outcome, before, after) if steps else None, lambda: trace_of(release, key),
            letters=self._letters,
        )  # fmt: skip
        self._letters = Letters(self._letters, outcome)
        return outcome

    def run(self, scenario: Scenario) -> Played:
        """Run a scenario from an empty address space of its own."""
        scenario = a_scenario(scenario)
        if scenario.refused:
            return Played(scenario, self.name, error=scenario.refused)
        process = self._empty(privileged=not scenario.unprivileged)
        outcomes: list[Outcome] = []
        for call in scenario.steps:
            try:
                outcome = process.do(call)
            except VmalabError as error:
                return Played(scenario, self.name, tuple(outcomes), error=str(error))
            outcome.elsewhere = _elsewhere(outcome, scenario.arena_pages)
            outcomes.append(outcome)
        return Played(scenario, self.name, tuple(outcomes), process.snapshot())

    def reset(self) -> None:
        """Start again with an empty address space."""
        self.__dict__ = self._empty().__dict__

    def _empty(self, *, privileged: bool | None = None, settings: Settings | None = None) -> Model:
        return Model(
            self.profile, privileged=self.privileged if privileged is None else privileged, trace=self.trace,
            settings=settings or self.settings, arch=self.arch.name, page_size=self.arch.page_size,
        )  # fmt: skip

    def under(self, settings: Settings) -> Model:
        """An empty process of the same kind on a machine with other settings."""
        return self._empty(settings=settings)

    def undo(self) -> None:
        """Take the last call back (by running those before it again, with the same failures).  O(history)."""
        calls, injected = self.history[:-1], self.injected
        self.reset()
        self.replay(calls, injected)

    def copy(self) -> Model:
        """A process of its own in the same state (by making the same calls, with the same failures).  O(history)."""
        other = self._empty()
        other.replay(self.history, self.injected)
        return other

    def replay(
        self, calls: Sequence[Call], injected: Sequence[tuple[int, str, int, bool]] = (), given: int = 0
    ) -> None:  # fmt: skip
        """Make `calls` here from the one numbered `given` (from 0) on, with the same failures `injected`.  O(calls)."""
        for number in range(given, len(calls) + 1):
            for made, where, nth, lasting in injected:
                if made == number:
                    self.inject(where, nth, lasting=lasting)
            if number < len(calls):
                self.do(calls[number])

    def inject(self, where: str, nth: int = 1, *, lasting: bool = False) -> None:
        """Let the `nth` allocation from now on fail, as if memory were short: its call ends with ENOMEM
        (an access below a stack with SIGSEGV).

        `where`: the kernel function that allocates, a key of `vmalab.linux.mm.space.ALLOCATIONS`, or `"anywhere"` to
        count
        all of them.  `lasting`: every later one fails too.  Raises UsageError for another place or an `nth` below 1.

        >>> from vmalab.linux.addr import PAGE, page
        >>> vm = Model("6.18")
        >>> vm.mmap(page(0), PAGE).ok, vm.mmap(page(1), PAGE, "r").ok
        (True, True)
        >>> vm.inject("move_page_tables", 2)
        >>> vm.mremap(page(0), 2 * PAGE, 2 * PAGE, 3, page(64)).errno
        'ENOMEM'
        >>> print(vm.snapshot().maps())
        001000001000-001000002000 r--p 00000000
        001000040000-001000041000 rw-p 00000000
        """
        if where != ANYWHERE and where not in ALLOCATIONS:
            raise refuse("where", where, (*ALLOCATIONS, ANYWHERE))
        if nth < 1:
            raise UsageError(f"nth counts from 1, and is {nth!r}")
        self.injected.append((len(self.history), where, nth, lasting))
        self.mm.faults_to_inject[where] = nth
        (self.mm.faults_that_last.add if lasting else self.mm.faults_that_last.discard)(where)

    # --- the calls, by their man-page names ---

    def mmap(
        self, addr: int | None, length: int, prot: str | int = PROT_READ | PROT_WRITE, kind: str = "anon",
        *, file: str = "f0", pgoff: int = 0, fixed: bool = True, noreplace: bool = False, noreserve: bool = False,
        growsdown: bool = False, populate: bool = False, locked: bool = False, readonly: bool = False,
    ) -> Outcome:  # fmt: skip
        """mmap(2): see `vmalab.linux.call.Mmap`.  `addr` None lets the kernel choose."""
        return self.do(
            Mmap(addr, length, _prot(prot), kind, file, pgoff, noreserve, noreplace, growsdown,
                 fixed and addr is not None, populate, locked, readonly)
        )  # fmt: skip

    def brk(self, addr: int) -> Outcome:
        """brk(2): the heap, which starts at `vmalab.linux.addr.HEAP`, is to end at byte `addr`."""
        return self.do(Brk(addr))

    def munmap(self, addr: int, length: int) -> Outcome:
        """munmap(2)."""
        return self.do(Munmap(addr, length))

    def mprotect(self, addr: int, length: int, prot: str | int) -> Outcome:
        """mprotect(2)."""
        return self.do(Mprotect(addr, length, _prot(prot)))

    def madvise(self, addr: int, length: int, advice: str) -> Outcome:
        """madvise(2); `advice` is one of `vmalab.linux.call.ADVICES`."""
        return self.do(Madvise(addr, length, advice))

    def mlock(self, addr: int, length: int) -> Outcome:
        """mlock(2)."""
        return self.do(Mlock(addr, length))

    def mlock2(self, addr: int, length: int, *, onfault: bool = False) -> Outcome:
        """mlock2(2); `onfault` is MLOCK_ONFAULT."""
        return self.do(Mlock2(addr, length, onfault))

    def mlockall(self, flags: int) -> Outcome:
        """mlockall(2); `flags` are MCL_* bits."""
        return self.do(Mlockall(flags))

    def munlockall(self) -> Outcome:
        """munlockall(2)."""
        return self.do(Munlockall())

    def munlock(self, addr: int, length: int) -> Outcome:
        """munlock(2)."""
        return self.do(Munlock(addr, length))

    def mseal(self, addr: int, length: int) -> Outcome:
        """mseal(2)."""
        return self.do(Mseal(addr, length))

    def mremap(self, addr: int, old_len: int, new_len: int, flags: int = 0, new_addr: int = 0) -> Outcome:
        """mremap(2)."""
        return self.do(Mremap(addr, old_len, new_len, flags, new_addr))

    def touch(self, addr: int, length: int = PAGE, value: int | None = None) -> Outcome:
        """Write to every page of the range."""
        return self.do(Touch(addr, length, value))

    def read(self, addr: int, length: int = PAGE) -> Outcome:
        """Read every page of the range; the outcome's `values` holds what was seen."""
        return self.do(Read(addr, length))

    def uffd(self, addr: int, length: int, *, mode: str = "missing") -> Outcome:
        """Register the range with userfaultfd; `mode` is one of `vmalab.linux.call.UFFD_MODES`."""
        return self.do(Uffd(addr, length, mode))

    def uffd_writeprotect(self, addr: int, length: int, *, protect: bool = True) -> Outcome:
        """UFFDIO_WRITEPROTECT: writes there are to wait for the userfaultfd, or no longer."""
        return self.do(UffdWriteprotect(addr, length, protect))

    def uffd_unregister(self, addr: int, length: int) -> Outcome:
        """UFFDIO_UNREGISTER."""
        return self.do(UffdUnregister(addr, length))

    def uffd_copy(self, addr: int, length: int, value: int | None = None) -> Outcome:
        """UFFDIO_COPY: fill missing pages, as the handler of a userfaultfd does."""
        return self.do(UffdCopy(addr, length, value))

    def uffd_zeropage(self, addr: int, length: int) -> Outcome:
        """UFFDIO_ZEROPAGE."""
        return self.do(UffdZeropage(addr, length))

    def ftruncate(self, file: str, length: int) -> Outcome:
        """ftruncate(2) of the memfd `file`, to `length` bytes."""
        return self.do(Ftruncate(file, length))

    def add_seals(self, file: str, seals: int) -> Outcome:
        """fcntl(2), F_ADD_SEALS, of the memfd `file`; `seals` are F_SEAL_* bits."""
        return self.do(AddSeals(file, seals))

    def prctl_set_vma(self, addr: int, length: int, label: str | None) -> Outcome:
        """prctl(2), PR_SET_VMA_ANON_NAME."""
        return self.do(PrctlSetVma(addr, length, label))

    def fork(self) -> Outcome:
        """fork(2); this process goes on as the parent."""
        return self.do(Fork())

    def fork_child(self) -> Outcome:
        """fork(2); this process goes on as the child."""
        return self.do(ForkChild())

    def limit(self, resource: str, headroom: int) -> Outcome:
        """Set a limit to what is in use now plus `headroom`."""
        return self.do(Limit(resource, headroom))


def _prot(prot: str | int) -> int:
    return prot_from_letters(prot) if isinstance(prot, str) else prot


def _moves(steps: Sequence[Step]) -> tuple[Move, ...]:
    """Where VMAs went, read off the steps."""
    found: list[Move] = []
    for step in steps:
        if step.key in ("pages_moved", "nothing_to_move") and step.values["length"]:
            start, length = step.values["start"], step.values["length"]
            found.append(Move(start, start + length, step.values["target"]))
        elif step.key == "left_behind" and found:
            found[-1] = Move(found[-1].start, found[-1].end, found[-1].target, kept=True)
        elif step.key == "undo_copy" and found and found[-1].target == step.values["start"]:
            found.pop()
    return tuple(found)


def _frames(before: Capture, steps: Sequence[Step]) -> tuple[Frame, ...]:
    frames = [Frame(0, None, before.snapshot)]
    state = before
    for index, step in enumerate(steps, 1):
        snapshot = frames[-1].snapshot
        if step.changes:
            state = state.after(step)
            snapshot = state.snapshot_after(snapshot, step)
        frames.append(Frame(index, step, snapshot))
    return tuple(frames)


def _near(outcome: Outcome, before: Capture, after: Capture) -> Outcome | None:
    """`Outcome.near` from what the steps say; None where all VMAs are shown."""
    if max(len(before.vmas), len(after.vmas)) <= FEW:
        return None
    part, left_out = before.near(areas_of(outcome))
    if not left_out:
        return None
    end = part
    for step in outcome.steps:
        end = end.after(step) if step.changes else end
    return evolve(
        outcome, before=lambda: part.snapshot, after=lambda: end.snapshot, near=lambda: None, left_out=left_out,
        frames=lambda: _frames(part, outcome.steps),
    )  # fmt: skip


def _elsewhere(outcome: Outcome, arena_pages: int) -> Snapshot | None:
    """The rows of a range that the kernel placed outside the arena, relative to its start."""
    base, call = outcome.value, outcome.call
    if base is None or not isinstance(call, (Mmap, Mremap)) or ARENA_BASE <= base < ARENA_BASE + arena_pages * PAGE:
        return None
    length = call.new_len if isinstance(call, Mremap) else call.length
    end = base + (length + PAGE - 1) // PAGE * PAGE
    rows = []
    for row in outcome.after:
        low, high = max(row.start, base), min(row.end, end)
        if low < high:
            rows.append(_clipped(row, low, high, base))
    return Snapshot(tuple(rows))


def _clipped(row: Row, low: int, high: int, base: int) -> Row:
    skipped = (low - row.start) >> PAGE_SHIFT
    first, last = low >> PAGE_SHIFT, high >> PAGE_SHIFT
    return Row(
        low - base, high - base, row.perms, row.backing, None if row.pgoff is None else row.pgoff + skipped, row.flags,
        tuple(run.clip(first, last).shift(-(base >> PAGE_SHIFT)) for run in row.runs
              if run.start < last and run.end > first),
        row.vm_pgoff, row.anon_vma, row.chain, row.id,
    )  # fmt: skip


__all__ = ["Model", "Result"]
