"""`AddressSpace`: the one mutable thing of the model (struct mm_struct): VMAs in order, page tables, counters, limits.

Lookup, replacement and recounting live here; what a system call does with them is in the file named after the call.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from copy import copy
from itertools import count
from typing import Any

from attrs import define
from sortedcontainers import SortedList

from vmalab.linux.addr import HEAP, PAGE, PAGE_SHIFT
from vmalab.linux.arch import X86_64, Arch
from vmalab.linux.flags import VM_GROWSDOWN, VM_LOCKED, VM_SHARED, VM_WRITE
from vmalab.linux.mm.runs import Run, RunMap
from vmalab.linux.mm.trace import Refusal, Step
from vmalab.linux.mm.vma import VMA, File
from vmalab.linux.profile import KernelProfile
from vmalab.linux.repr_html import repr_html
from vmalab.linux.settings import Settings

MMAP_BASE = X86_64.mmap_base
"""Where the search for free space starts on x86-64, downwards."""

STACK_GUARD_GAP = 256 * PAGE
"""Bytes kept free below a VM_GROWSDOWN mapping: where the kernel chooses an address, and where the mapping grows."""

UNLIMITED = 1 << 62

ALLOCATIONS: Mapping[str, str] = {
    "vm_area_dup": "the record of the VMA that a split makes",
    "copy_vma": "the record of the VMA at the destination of a move",
    "move_page_tables": "page tables at the destination of a move",
    "anon_vma_prepare": "the anon_vma that a first write needs",
    "mmap_region": "the commit charge of a new mapping",
    "do_brk_flags": "the commit charge of a heap that grows",
    "mprotect_fixup": "the commit charge of memory that becomes writable",
    "acct_stack_growth": "the commit charge of a stack that grows",
    "vrm_calc_charge": "the commit charge of what mremap adds",
}
"""Kernel function → what it asks memory for: the places where a failure can be injected."""

ANYWHERE = "anywhere"
"""In `AddressSpace.faults_to_inject`: all places, counted together."""


def is_data_mapping(flags: int) -> bool:
    """Whether pages with these VM_* bits count against RLIMIT_DATA: private, writable, no stack (mm/internal.h)."""
    return flags & (VM_WRITE | VM_SHARED | VM_GROWSDOWN) == VM_WRITE


@define
class Limits:
    """What a process may have.  Pages, except `map_count` (VMAs) and `mmap_min_addr` (bytes).

    The defaults are Linux's own; RLIMIT_MEMLOCK is 8 MiB since 5.16, and so is RLIMIT_STACK.
    `transparent_hugepage` is /sys/kernel/mm/transparent_hugepage/enabled: `"always"`, `"madvise"` or `"never"`;
    `overcommits_all`: vm.overcommit_memory is 1.
    """

    address_space: int = UNLIMITED
    data: int = UNLIMITED
    memlock: int = 2048
    stack: int = 2048
    map_count: int = 65530
    mmap_min_addr: int = 65536
    total_ram: int = UNLIMITED
    transparent_hugepage: str = "madvise"
    overcommits_all: bool = False

    @classmethod
    def under(cls, settings: Settings, arch: Arch) -> Limits:
        """The limits of a process on a machine of this architecture with these settings."""
        return cls(
            memlock=arch.usual_limit, stack=arch.usual_limit,
            map_count=settings.max_map_count, mmap_min_addr=settings.mmap_min_addr, total_ram=settings.memory,
            transparent_hugepage=settings.transparent_hugepage, overcommits_all=settings.overcommit_memory == 1,
        )  # fmt: skip


class AddressSpace:
    """The memory of one process under one kernel.

    `privileged`: with CAP_IPC_LOCK and CAP_SYS_RAWIO, so that RLIMIT_MEMLOCK and mmap_min_addr do not bind.
    `trace`: note steps; without, calls are about twice as fast.  `settings`: of the machine; Linux's own without any.
    """

    def __init__(
        self, profile: KernelProfile, *, privileged: bool = False, trace: bool = True, settings: Settings | None = None,
        arch: Arch = X86_64,
    ) -> None:  # fmt: skip
        self.profile = profile
        self.arch = arch
        self.privileged = privileged
        self.limits = Limits.under(settings or Settings(), arch)
        self.pagetable = RunMap()
        self.has_huge = False
        """Whether a huge page has ever come; without, nobody has to look for one."""
        self.empty_tables = RunMap()
        """Pages below a page of PTEs that stays although nothing need be present in it (`huge.py`)."""
        self.common = RunMap()
        """Private pages with PTEs of their own that a fork has write-protected, until they are written."""
        self.write_protected = RunMap()
        """Pages whose entry carries the write-protect bit of userfaultfd (`writeprotect.py`)."""
        self.files: dict[str, File] = {}
        self.total_vm = self.data_vm = self.locked_vm = 0
        self.locked_vm_leak = 0
        """Pages in `locked_vm` that belong to no locked VMA: what the kernel miscounts."""
        self.start_brk = HEAP
        """Where the heap begins (bytes)."""
        self.brk = HEAP
        """The program break: the byte where the heap ends."""
        self.steps: list[Step] = []
        self.faults_to_inject: dict[str, int] = {}
        """A key of ALLOCATIONS, or ANYWHERE → which of the allocations from now on fails: 1 is the next one."""
        self.faults_that_last: set[str] = set()
        """Those of them after which every further one fails too."""
        self.mmap_base = arch.mmap_base
        """Where the search for free space starts, downwards (bytes)."""
        self.def_flags = 0
        """VM_* bits that every new mapping gets (mm->def_flags): those of mlockall(MCL_FUTURE), or a replay's."""
        self.given: int | None = None
        """The address (bytes) that the kernel is known to have chosen for what comes next: a replay says so."""
        self.own_choice: int | None = None
        """What the rule would have chosen where an address was given; sought only if `seeks_own_choice`."""
        self.seeks_own_choice = False
        self.journal: list[tuple[tuple[VMA, ...], tuple[VMA, ...]]] | None = None
        """Once somebody keeps one: which VMAs went and which came, in order (see `take_back`)."""
        self._starts: SortedList[int] = SortedList()
        self._by_start: dict[int, VMA] = {}
        self.changed: set[int] | None = None
        """Once somebody keeps one: the starts at which VMAs came, went or were replaced (see `taken`)."""
        self._ids = count(1)
        self._anon_ids = count(1)
        self.trace = trace

    def __repr__(self) -> str:
        return f"<AddressSpace under {self.profile}: {len(self)} VMAs>"

    def _repr_html_(self) -> str:
        return repr_html("space", self)

    # --- telling ---

    def note(self, func: str, key: str, **values: Any) -> None:
        """Note a step that changes nothing."""
        if self.trace:
            self.steps.append(Step(func, key, values))

    # --- looking up (mm/mmap.c, find_vma and its kin); each O(log n) ---

    def __len__(self) -> int:
        return len(self._starts)

    @property
    def map_count(self) -> int:
        """Number of VMAs."""
        return len(self._starts)

    def vmas(self) -> list[VMA]:
        """All VMAs in order of address.  O(n)."""
        by_start = self._by_start
        return [by_start[start] for start in self._starts]

    def downwards(self) -> Iterator[VMA]:
        """All VMAs from the highest down, as they are asked for."""
        by_start = self._by_start
        return (by_start[start] for start in reversed(self._starts))

    def find_vma(self, address: int) -> VMA | None:
        """The first VMA that ends after byte `address`."""
        starts = self._starts
        position = starts.bisect_right(address)
        if position:
            vma = self._by_start[starts[position - 1]]
            if address < vma.end:
                return vma
        return self._by_start[starts[position]] if position < len(starts) else None

    def vma_lookup(self, address: int) -> VMA | None:
        """The VMA that contains byte `address`."""
        vma = self.find_vma(address)
        return vma if vma is not None and vma.start <= address else None

    def find_vma_prev(self, address: int) -> VMA | None:
        """The last VMA that starts before byte `address`."""
        position = self._starts.bisect_left(address)
        return self._by_start[self._starts[position - 1]] if position else None

    def vma_next(self, vma: VMA) -> VMA | None:
        """The VMA after `vma`, touching it or not."""
        position = self._starts.bisect_right(vma.start)
        return self._by_start[self._starts[position]] if position < len(self._starts) else None

    def vma_prev(self, vma: VMA) -> VMA | None:
        """The VMA before `vma`, touching it or not."""
        return self.find_vma_prev(vma.start)

    def intersecting(self, start: int, end: int) -> list[VMA]:
        """The VMAs that share a byte with [start, end), in order: none where that is empty.  O(log n + k)."""
        if start >= end:
            return []
        vma = self.find_vma(start)
        if vma is None or vma.start >= end:
            return []
        found = [vma]
        if vma.end < end:  # most often there is one VMA, and no iterator is made for that
            found += [self._by_start[s] for s in self._starts.irange(vma.start, end, inclusive=(False, False))]
        return found

    def current(self, vma: VMA) -> VMA:
        """The VMA that starts where `vma` does now (records are replaced, not changed)."""
        return self._by_start[vma.start]

    # --- changing ---

    def new_id(self) -> int:
        """A number for a new VMA."""
        return next(self._ids)

    def share_numbers(self, parent: AddressSpace) -> None:
        """Number VMAs and anon_vmas on where `parent`, from which this space was forked, does."""
        self._ids, self._anon_ids = parent._ids, parent._anon_ids

    def own_numbers(self) -> tuple[count[int], count[int]]:
        """Go on with numbers of its own, which nobody shares; those so far, for `count_with`."""
        before = self._ids, self._anon_ids
        self._ids, self._anon_ids = copy(self._ids), copy(self._anon_ids)
        return before

    def count_with(self, ids: count[int], anon_ids: count[int]) -> None:
        """Number VMAs and anon_vmas on with these."""
        self._ids, self._anon_ids = ids, anon_ids

    def new_anon_vma(self) -> int:
        """A number for a new anon_vma, unique across all processes that forked from one another."""
        return next(self._anon_ids)

    def replace(self, func: str, key: str, removed: Iterable[VMA], added: Iterable[VMA], **values: Any) -> None:
        """Take the VMAs `removed` out and put `added` in, as one step.  O(k log n)."""
        removed, added = tuple(removed), tuple(added)
        by_start, starts = self._by_start, self._starts
        going = {vma.start for vma in removed}
        coming = {vma.start for vma in added}
        for start in going - coming:
            del by_start[start]
            starts.remove(start)
        if self.changed is not None:
            self.changed |= going
            self.changed |= coming
        for vma in added:
            by_start[vma.start] = vma
        for start in coming - going:
            starts.add(start)
        if self.journal is not None:
            self.journal.append((removed, added))
        if self.trace:
            self.steps.append(Step(func, key, values, None, removed, added))

    def take_back(self) -> None:
        """Undo the changes of VMAs that the journal holds, and empty it; pages stay.  O(changes · log n)."""
        changes, self.journal = self.journal or [], None
        for removed, added in reversed(changes):
            self.replace("take_back", "taken_back", added, removed)
        self.journal = []

    def taken(self) -> tuple[dict[int, VMA | None], dict[int, Run | None]] | None:
        """What has changed since this was last asked: start → the VMA there now, and the same of the page tables.

        None the first time.  O(changes · log n).
        """
        vmas, pages = self.changed, self.pagetable.changed
        self.changed, self.pagetable.changed = set(), set()
        if vmas is None or pages is None:
            return None
        return {start: self._by_start.get(start) for start in vmas}, self.pagetable.those_at(pages)

    def put_pages(self, func: str, key: str, runs: list[Run], **values: Any) -> None:
        """Store page-table entries as one step."""
        for run in runs:
            self.pagetable.put(run)
        if self.trace and runs:
            start, end = runs[0].start, runs[-1].end
            self.note_pages(func, key, ((start, end),), **values)

    def clear_pages(self, func: str, key: str, start: int, end: int) -> list[Run]:
        """Remove the page-table entries of bytes [start, end) as one step, and return them."""
        gone = self.pagetable.clear(start >> PAGE_SHIFT, end >> PAGE_SHIFT)
        for marks in (self.common, self.write_protected):
            if marks:
                marks.clear(start >> PAGE_SHIFT, end >> PAGE_SHIFT)
        if self.trace and gone:
            self.note_pages(func, key, ((start >> PAGE_SHIFT, end >> PAGE_SHIFT),), start=start, end=end)
        return gone

    def note_pages(self, func: str, key: str, ranges: tuple[tuple[int, int], ...], **values: Any) -> None:
        """Note a step that changed the page-table entries of `ranges` (page numbers)."""
        if self.trace:
            changed = tuple((start, end, tuple(self.resolved(start, end))) for start, end in ranges)
            self.steps.append(Step(func, key, values, None, (), (), changed))

    # --- counting (mm/mmap.c) ---

    def vm_stat_account(self, flags: int, pages: int) -> None:
        """Add `pages` (may be negative) of a mapping with `flags` to the counters of /proc/PID/status."""
        self.total_vm += pages
        if is_data_mapping(flags):
            self.data_vm += pages

    def may_expand_vm(self, flags: int, pages: int) -> bool:
        """Whether RLIMIT_AS and RLIMIT_DATA leave room for `pages` more (mm/mmap.c, may_expand_vm)."""
        if self.total_vm + pages > self.limits.address_space:
            return False
        return not (is_data_mapping(flags) and self.data_vm + pages > self.limits.data)

    def charge(self, func: str, pages: int) -> None:
        """security_vm_enough_memory_mm(): with overcommit_memory 0 refuse only more than all memory at once, with 1
        nothing."""
        self.alloc(func)
        if pages > self.limits.total_ram and not self.limits.overcommits_all:
            raise Refusal("ENOMEM", func, "commit_charge", pages=pages, total=self.limits.total_ram)

    def alloc(self, func: str) -> None:
        """A point where kernel `func` allocates memory; fails where a failure was injected for it."""
        if not self.faults_to_inject:
            return
        for place in (func, ANYWHERE):
            left = self.faults_to_inject.get(place)
            if left is None:
                continue
            if left > 1:
                self.faults_to_inject[place] = left - 1
                continue
            if place not in self.faults_that_last:
                del self.faults_to_inject[place]
            raise Refusal("ENOMEM", func, "injected_failure", where=func)

    # --- looking at everything ---

    def resolved(self, start: int, end: int) -> list[Run]:
        """The page-table entries of pages [start, end) (page numbers) with the contents that a user would read."""
        found: list[Run] = []
        for vma in self.intersecting(start << PAGE_SHIFT, end << PAGE_SHIFT):
            first, last = max(start, vma.start >> PAGE_SHIFT), min(end, vma.end >> PAGE_SHIFT)
            for run in self.pagetable.within(first, last):
                if run.kind != "file" or vma.file is None:
                    found.append(run)
                    continue
                back = run.start - run.value
                pages = vma.file.cache.within(run.value, run.value + run.end - run.start)
                found += [Run(page.start + back, page.end + back, "file", page.value, page.stride) for page in pages]
        return found

    def validate(self) -> None:
        """Recompute every invariant and raise AssertionError, naming the first that does not hold.  O(n)."""
        vmas = self.vmas()
        end = 0
        for vma in vmas:
            assert vma.start == self._starts[self._starts.index(vma.start)], f"{vma} is filed under its start"
            assert vma.start % PAGE == 0 and vma.end % PAGE == 0, f"{vma} is page aligned"
            assert end <= vma.start < vma.end <= self.arch.task_size, (
                f"{vma} follows the VMA before it, within TASK_SIZE"
            )
            assert (vma.anon_vma is None) == (not vma.chain), f"{vma} has a chain exactly if it has an anon_vma"
            assert vma.anon_vma is None or vma.anon_vma in vma.chain, f"{vma}: its anon_vma is in its chain"
            shared_without = not vma.flags & VM_SHARED or vma.anon_vma is None
            assert shared_without or self.profile.guard_gives_files_anon_vma, f"{vma} is shared and has no anon_vma"
            end = vma.end
        assert len({vma.id for vma in vmas}) == len(vmas), "every VMA has an id of its own"
        assert self.total_vm == sum(vma.pages for vma in vmas), "total_vm counts the pages of all VMAs"
        locked = sum(vma.pages for vma in vmas if vma.flags & VM_LOCKED)
        assert self.locked_vm == locked + self.locked_vm_leak, "locked_vm counts the pages of locked VMAs"
        private = sum(vma.pages for vma in vmas if is_data_mapping(vma.flags))
        assert self.data_vm == private, "data_vm counts private writable pages"
        self._validate_huge(vmas)
        position = 0
        for run in self.pagetable:
            assert position <= run.start < run.end, f"page-table run {run} follows the one before it"
            position = run.end
            for vma in self.intersecting(run.start << PAGE_SHIFT, run.end << PAGE_SHIFT):
                assert run.kind != "anon" or vma.anon_vma is not None or self.profile.copy_forgets_anon_vma, (
                    f"{vma} has private pages and so an anon_vma"
                )
                assert run.kind != "file" or vma.file is not None, f"{vma} maps file pages and so a file"
            covered = sum(
                min(vma.end, run.end << PAGE_SHIFT) - max(vma.start, run.start << PAGE_SHIFT)
                for vma in self.intersecting(run.start << PAGE_SHIFT, run.end << PAGE_SHIFT)
            )
            assert covered == (run.end - run.start) << PAGE_SHIFT, f"page-table run {run} lies inside VMAs"

    def _validate_huge(self, vmas: list[VMA]) -> None:
        """Huge pages are whole, private and anonymous, and no VMA begins or ends inside one."""
        huge = RunMap()
        for run in self.pagetable:
            if run.huge:
                assert run.kind in ("anon", "zero"), f"{run} is anonymous"
                huge.put(Run(run.start, run.end, "huge"))
        mask = self.arch.huge - 1
        assert not huge or self.has_huge, "has_huge tells of huge pages"
        for run in huge:
            assert not run.start & mask and not run.end & mask, f"the huge pages of {run} are whole"
        for vma in vmas if huge else ():
            for edge in (vma.start, vma.end):
                number = edge >> PAGE_SHIFT
                assert not number & mask or huge.at(number) is None, f"{vma} has no edge inside a huge page"
        for run in self.empty_tables:
            assert not run.start & mask and not run.end & mask, f"the page tables of {run} are whole"
            assert not huge.any(run.start, run.end), f"{run} has page tables and no huge page"
