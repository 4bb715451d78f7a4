"""A memory without VMAs: one entry for each page.  What the model does to contents and access is held against it.

It knows what a program sees (which pages are mapped, with what access, and what a read of each gives), and nothing of
VMAs, merges or page tables.  A call that fails half-way it does not follow: then it starts again from the model.
"""

from __future__ import annotations

from attrs import define, evolve

from vmalab.linux.addr import PAGE_SHIFT, page_align
from vmalab.linux.call import (
    Brk,
    Call,
    ForkChild,
    Ftruncate,
    Madvise,
    Mmap,
    Mprotect,
    Mremap,
    Munmap,
    Read,
    Touch,
    UffdCopy,
)
from vmalab.linux.flags import (
    MREMAP_DONTUNMAP,
    MREMAP_FIXED,
    VM_ACCESS,
    VM_DONTCOPY,
    VM_GROWSDOWN,
    VM_SHARED,
    VM_WIPEONFORK,
)
from vmalab.linux.mm import AddressSpace
from vmalab.machines.outcome import Outcome

Where = tuple[str, int] | None
"""The page of a file that is mapped; None for anonymous memory."""


@define
class Page:
    """`own`: what was written to this page of a private mapping, None where nothing was."""

    access: int
    where: Where = None
    shared: bool = False
    own: int | None = None
    guard: bool = False
    dontfork: bool = False
    wipe: bool = False
    growsdown: bool = False


class Memory:
    def __init__(self) -> None:
        self.pages: dict[int, Page] = {}
        self.files: dict[tuple[str, int], int] = {}
        """What was written to which page of which file."""

    def value(self, number: int) -> int:
        page = self.pages[number]
        if page.own is not None:
            return page.own
        return 0 if page.where is None else self.files.get(page.where, 0)

    @classmethod
    def of(cls, mm: AddressSpace) -> Memory:
        """What the model holds."""
        memory = cls()
        for vma in mm.vmas():
            first, last = vma.start >> PAGE_SHIFT, vma.end >> PAGE_SHIFT
            for number in range(first, last):
                where = None if vma.is_anonymous or vma.file is None else (_name(vma.file), vma.pgoff + number - first)
                memory.pages[number] = Page(vma.flags & VM_ACCESS, where, bool(vma.flags & VM_SHARED),
                                            dontfork=bool(vma.flags & VM_DONTCOPY),
                                            wipe=bool(vma.flags & VM_WIPEONFORK),
                                            growsdown=bool(vma.flags & VM_GROWSDOWN))  # fmt: skip
            if vma.file is not None:
                for run in vma.file.cache:
                    memory.files |= {(_name(vma.file), n): run.at(n) for n in range(run.start, run.end)}
            for run in mm.pagetable.within(first, last):
                for number in range(run.start, run.end):
                    memory.pages[number].guard = run.kind == "guard"
                    if run.kind == "anon":
                        memory.pages[number].own = run.at(number)
        return memory

    # --- what calls do ---

    def follow(self, call: Call, outcome: Outcome, step: int, mm: AddressSpace) -> bool:
        """Do what a successful call does; False where it failed or its effect is not known here."""
        if outcome.errno is not None:
            return False
        if isinstance(call, Mmap):
            self._mmap(call, outcome, mm)
        elif isinstance(call, Munmap):
            self._drop(*_span(call.addr, call.length))
        elif isinstance(call, Mprotect):
            for number in range(*_span(call.addr, call.length)):
                self.pages[number].access = call.prot
        elif isinstance(call, Touch):
            self._grow_down_to(call)
            self._touch(call, step)
        elif isinstance(call, Read):
            self._grow_down_to(call)
        elif isinstance(call, Mremap):
            self._mremap(call, outcome)
        elif isinstance(call, Madvise):
            self._madvise(call)
        elif isinstance(call, Brk | ForkChild | Ftruncate | UffdCopy):
            return False
        return True

    def _held(self, first: int, last: int) -> list[int]:
        """The pages that there are of a range, which may be longer than any memory: a place that the kernel chooses is
        far from the others."""
        return [number for number in self.pages if first <= number < last]

    def _drop(self, first: int, last: int) -> None:
        for number in self._held(first, last):
            del self.pages[number]

    def _mmap(self, call: Mmap, outcome: Outcome, mm: AddressSpace) -> None:
        assert outcome.value is not None
        first, last = _span(outcome.value, call.length)
        vma = mm.vma_lookup(outcome.value)
        assert vma is not None
        offset = 0 if call.kind == "shared" else call.pgoff
        for number in range(first, last):
            where = None
            if call.kind not in ("anon", "zero"):
                assert vma.file is not None
                where = (_name(vma.file), offset + number - first)
            self.pages[number] = Page(call.prot, where, call.kind in ("shared", "sharedfile"), growsdown=call.growsdown)

    def _touch(self, call: Touch, step: int) -> None:
        first, last = _span(call.addr, call.length)
        for number in range(first, last):
            value = (step if call.value is None else call.value) * 1000 + number - first
            page = self.pages[number]
            if page.shared:
                assert page.where is not None
                self.files[page.where] = value
            else:
                page.own = value

    def _grow_down_to(self, call: Touch | Read) -> None:
        """An access below a stack: the stack reaches down to it."""
        for number in range(*_span(call.addr, call.length)):
            if number not in self.pages:
                above = min(other for other in self.pages if other > number)
                stack = self.pages[above]
                assert stack.growsdown
                for other in range(number, above):
                    self.pages[other] = evolve(stack, own=None, guard=False)

    def _madvise(self, call: Madvise) -> None:
        for number in range(*_span(call.addr, call.length)):
            page = self.pages[number]
            if call.advice in ("dontneed", "dontneed_locked", "guard_install"):
                page.own = None
                page.guard = page.guard or call.advice == "guard_install"
            elif call.advice == "guard_remove":
                page.guard = False

    def _mremap(self, call: Mremap, outcome: Outcome) -> None:
        assert outcome.value is not None
        old, new = page_align(call.old_len) >> PAGE_SHIFT, page_align(call.new_len) >> PAGE_SHIFT
        source, target = call.addr >> PAGE_SHIFT, outcome.value >> PAGE_SHIFT
        keep = bool(call.flags & MREMAP_DONTUNMAP)
        if target == source:
            self._drop(source + new, source + old)
            self._continue(source + old, new - old, self.pages.get(source + old - 1))
            return
        if not old:
            first = evolve(self.pages[source], own=None, guard=False)
            self._drop(target, target + new)
            self.pages[target] = first
            self._continue(target + 1, new - 1, first)
            return
        if call.flags & MREMAP_FIXED and old != new:
            self._drop(target, target + new)
        for number in self._held(source, source + min(old, new)):  # what lies under a gap stays
            page = self.pages[number]
            self.pages[number - source + target] = page
            if keep:
                self.pages[number] = evolve(page, own=None, guard=False)
            else:
                del self.pages[number]
        self._drop(source + new, source + old)
        self._continue(target + old, new - old, self.pages.get(target + old - 1))

    def _continue(self, first: int, count: int, last: Page | None) -> None:
        """Pages that a growth adds: like the last one, and further in its file."""
        for index in range(count):
            assert last is not None
            where = None if last.where is None else (last.where[0], last.where[1] + index + 1)
            self.pages[first + index] = evolve(last, where=where, own=None, guard=False)


def _name(file: object) -> str:
    return f"file {id(file)}"


def _span(address: int, length: int) -> tuple[int, int]:
    """A range of bytes as page numbers."""
    return address >> PAGE_SHIFT, (address + page_align(length)) >> PAGE_SHIFT
