"""Random programs that reach interesting places: `random_scenario`.

The generator steers by a model of its own, so that half of the addresses it picks are edges of VMAs, places that
pages came from, or holes between them.  Programs come in themes; each has its own mix of calls.  The same seed gives
the same program on every machine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from random import Random

from attrs import evolve

from vmalab.linux.addr import ARENA_BASE, HEAP, PAGE, TASK_SIZE, page_align, pages
from vmalab.linux.call import (
    ADVICES,
    KINDS,
    UFFD_MODES,
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
from vmalab.linux.flags import (
    F_SEAL_FUTURE_WRITE,
    F_SEAL_GROW,
    F_SEAL_SEAL,
    F_SEAL_SHRINK,
    F_SEAL_WRITE,
    MREMAP_DONTUNMAP,
    MREMAP_FIXED,
    MREMAP_MAYMOVE,
    PROT_EXEC,
    PROT_NONE,
    PROT_READ,
    PROT_WRITE,
)
from vmalab.linux.mm.space import AddressSpace
from vmalab.linux.mm.syscall import perform
from vmalab.linux.mm.vma import VMA
from vmalab.linux.profile import profile
from vmalab.programs.scenario import Scenario

ARENA_PAGES = 4096
STEERING = "6.18"
"""The release whose model steers: one and the same for all programs, so that a seed means one program."""

MOVE = MREMAP_MAYMOVE | MREMAP_FIXED

MOVING: Mapping[str, Mapping[str, int]] = {
    "move": {"mmap": 5, "touch": 4, "move": 9, "mprotect": 1, "munmap": 1, "read": 1, "dontunmap": 2},
    "merge": {"mmap": 5, "touch": 5, "move": 4, "back": 5, "mprotect": 3, "munmap": 1, "fork": 1, "mlock": 1},
    "resize": {"mmap": 6, "touch": 3, "resize": 9, "move": 2, "munmap": 2, "read": 1},
    "args": {"mmap": 4, "touch": 1, "wild": 8, "resize": 2, "move": 2},
    "lock": {"mmap": 5, "mlock": 5, "munlock": 3, "touch": 2, "move": 4, "resize": 3, "dontunmap": 3, "mprotect": 3,
             "memlock": 2},
    "advice": {"mmap": 5, "madvise": 8, "touch": 4, "move": 5, "mprotect": 2, "fork_child": 1, "read": 2},
    "guard": {"mmap": 5, "guard": 7, "touch": 4, "read": 4, "move": 6, "dontunmap": 2, "fork_child": 1, "mlock": 1,
              "mprotect": 1},
    "fork": {"mmap": 5, "touch": 6, "fork_child": 3, "fork": 1, "move": 5, "back": 3, "mprotect": 2, "madvise": 2,
             "munmap": 1, "dontunmap": 1},
    "seal": {"mmap": 5, "mseal": 3, "touch": 2, "move": 4, "mprotect": 2, "munmap": 2, "madvise": 2, "resize": 2},
    "uffd": {"mmap": 5, "uffd": 4, "touch": 2, "read": 2, "move": 6, "dontunmap": 2, "munmap": 1, "mlock": 1},
    "limit": {"mmap": 6, "as": 2, "touch": 2, "move": 4, "resize": 4, "dontunmap": 3, "mprotect": 2, "munmap": 1},
    "read": {"mmap": 6, "read": 6, "touch": 5, "move": 4, "madvise": 1, "munmap": 1, "mprotect": 1, "fork_child": 1},
    "stack": {"mmap": 2, "stack": 3, "below": 9, "touch": 2, "move": 3, "back": 1, "mprotect": 2, "munmap": 1,
              "mlock": 1, "memlock": 1, "as": 1, "uffd": 1, "fork_child": 1, "resize": 1, "madvise": 1, "dontunmap": 1,
              "mseal": 1},
}  # fmt: skip
"""Theme → the kinds of step it is made of, with weights: programs about mremap, such as lessons show."""

EVERYDAY: Mapping[str, Mapping[str, int]] = {
    "heap": {"mmap": 1, "brk": 9, "in_heap": 2, "touch": 3, "move": 2, "munmap": 1, "mprotect": 1, "as": 1,
             "mlockall": 1, "munlockall": 1, "mseal": 1, "fork_child": 1, "uffd": 1, "madvise": 1, "read": 1},
    "populate": {"mmap": 3, "filled": 5, "populate": 6, "touch": 2, "read": 2, "madvise": 2, "uffd": 1, "guard": 1,
                 "move": 3, "mprotect": 3, "memlock": 1, "fork_child": 1, "mseal": 1},
    "lockall": {"mmap": 5, "mlockall": 3, "munlockall": 2, "mlock2": 4, "mlock": 1, "munlock": 1, "touch": 2, "move": 4,
                "resize": 2, "dontunmap": 2, "mprotect": 2, "fork_child": 1, "munmap": 1},
    "placed": {"mmap": 3, "anywhere": 6, "hint": 5, "touch": 1, "move": 2, "resize": 2, "munmap": 2, "stack": 1},
    "data": {"mmap": 6, "data": 2, "touch": 2, "move": 3, "resize": 4, "dontunmap": 3, "mprotect": 4, "munmap": 1,
             "below": 1, "stack": 1},
    "hints": MOVING["advice"],
    "handler": {"mmap": 5, "uffd": 4, "unregister": 2, "fill": 8, "touch": 2, "read": 2, "move": 3, "guard": 1,
                "munmap": 1, "madvise": 1, "mprotect": 1, "dontunmap": 1, "cut": 1},
    "protected": {"mmap": 3, "private": 4, "uffd_wp": 5, "unregister": 1, "wp": 9, "touch": 8, "read": 3, "fill": 1,
                  "move": 5, "back": 1, "dontunmap": 1, "resize": 1, "munmap": 1, "mprotect": 3, "madvise": 1,
                  "guard": 1, "mlock": 1, "populate": 1, "fork": 1, "fork_child": 1, "uffd": 1},
    "sealed": {"file": 8, "reader": 4, "seals": 5, "cut": 3, "touch": 4, "read": 3, "mprotect": 4, "move": 4,
               "resize": 2, "munmap": 3, "fork": 1, "fork_child": 1, "madvise": 1, "uffd": 1, "mlock": 1,
               "dontunmap": 1, "guard": 1},
    "named": {"mmap": 5, "name": 3, "touch": 2, "mprotect": 2, "munmap": 1, "move": 3, "fork_child": 1},
    "files": {"file": 6, "cut": 6, "touch": 5, "read": 4, "move": 3, "resize": 1, "munmap": 1, "guard": 1, "mlock": 1,
              "populate": 1, "fork_child": 1, "mprotect": 1, "uffd": 1},
}  # fmt: skip
"""Likewise: programs about the calls that programs make besides."""

THEMES: Mapping[str, Mapping[str, int]] = {**MOVING, **EVERYDAY}

_MOVING_ADVICES = ADVICES[:14]
"""The advice of programs about mremap."""


class Generator:
    """Writes one program, step by step.  `rng` decides everything."""

    def __init__(self, rng: Random, theme: str) -> None:
        self.rng = rng
        self.weights = THEMES[theme]
        # the model knows write-protect faults of anonymous memory only
        self.kinds = (10, 0, 0, 0, 1) if theme == "protected" else (10, 2, 3, 3, 2)
        self.advices = _MOVING_ADVICES if theme in MOVING else ADVICES
        self.mm = AddressSpace(profile(STEERING), trace=False)
        self.steps: list[Call] = []
        self.moved: list[tuple[int, int, int]] = []
        self.forks = 0

    def add(self) -> None:
        """Append one step."""
        names = list(self.weights)
        name = "mmap" if len(self.steps) < 3 else self.rng.choices(names, list(self.weights.values()))[0]
        maker: Callable[[], Call] = getattr(self, f"_{name}")
        call = maker()
        self.steps.append(call)
        self.mm = perform(self.mm, call, len(self.steps)).mm
        if isinstance(call, Mremap) and call.flags & MREMAP_FIXED:
            self.moved.append((call.addr, call.old_len, call.new_addr))

    # --- picking ---

    def _vma(self) -> VMA | None:
        vmas = [vma for vma in self.mm.vmas() if ARENA_BASE <= vma.start < ARENA_BASE + ARENA_PAGES * PAGE]
        return self.rng.choice(vmas) if vmas else None

    def _place(self) -> int:
        """A page address: an edge of a VMA, a page beside it, or any."""
        vma = self._vma() if self.rng.random() < 0.6 else None
        if vma is None:
            return ARENA_BASE + PAGE * (self.rng.choice((0, 0, 128, 256)) + self.rng.randrange(28))
        edge = self.rng.choice((vma.start, vma.start, vma.end, vma.start + PAGE, vma.end - PAGE))
        return edge + PAGE * self.rng.choice((0, 0, 0, 0, 1, 2))

    def _range(self) -> tuple[int, int]:
        """A range that starts in a VMA, and often ends at an edge of that or another one."""
        vma = self._vma()
        if vma is None or self.rng.random() < 0.1:
            return self._place(), self.rng.randrange(1, 8) * PAGE
        start = vma.start + (self.rng.randrange(vma.pages) * PAGE if self.rng.random() < 0.4 else 0)
        choice = self.rng.random()
        if choice < 0.4:
            end = vma.end
        elif choice < 0.6:
            end = start + self.rng.randrange(1, 1 + pages(vma.end - start)) * PAGE
        else:
            end = start + self.rng.choice((1, 2, 3, 5, 8, 12, 20, 40)) * PAGE
        return start, max(end - start, PAGE)

    def _target(self, start: int, length: int) -> int:
        """Where to move [start, start + length): beside a VMA, over one, back, at a natural distance, or anywhere."""
        choice = self.rng.random()
        if choice < 0.35:
            return start + self.rng.choice((128, 128, 256, -128, 64)) * PAGE
        if choice < 0.6 and (vma := self._vma()):
            return self.rng.choice((vma.end, vma.start - length, vma.start, vma.end - PAGE))
        return self._place()

    # --- one kind of step each ---

    def _mmap(self) -> Call:
        rng = self.rng
        kind = rng.choices(KINDS, self.kinds)[0]
        start = self._place() if rng.random() < 0.5 else self._end_of_all() + PAGE * rng.choice((0, 0, 0, 1, 2))
        offset = rng.choice((0, 0, pages(start - ARENA_BASE) % 4096, 7)) if kind not in ("anon", "shared") else 0
        prot = rng.choices((PROT_READ | PROT_WRITE, PROT_READ, PROT_NONE, PROT_READ | PROT_EXEC), (6, 2, 1, 1))[0]
        length, file = rng.choice((1, 1, 2, 2, 3, 4, 5)) * PAGE, rng.choice(("f0", "f0", "f1"))
        return Mmap(
            start, length, prot, kind, file if "file" in kind else "f0", offset,
            noreserve=rng.random() < 0.04, noreplace=rng.random() < 0.04,
            growsdown=rng.random() < 0.03,
        )  # fmt: skip

    def _filled(self) -> Call:
        call = self._mmap()
        assert isinstance(call, Mmap)
        word = self.rng.choice(("populate", "populate", "locked"))
        length = self.rng.choice((1, 2, 5, 20)) * PAGE
        return evolve(call, length=length, populate=word == "populate", locked=word == "locked")

    def _anywhere(self) -> Call:
        """A mapping whose place the kernel chooses."""
        call = self._mmap()
        assert isinstance(call, Mmap)
        length = self.rng.choice((1, 2, 3, 512, 513, 1024)) * PAGE
        return evolve(call, addr=None, length=length, fixed=False, noreplace=False)

    def _hint(self) -> Call:
        """A mapping with an address that the kernel need not take."""
        call = self._mmap()
        assert isinstance(call, Mmap) and call.addr is not None
        return evolve(call, addr=call.addr + self.rng.choice((0, 0, 0, 100)), fixed=False)

    def _brk(self) -> Call:
        way = self.rng.choice((-3, -1, 0, 1, 1, 2, 2, 3, 5, 9))
        return Brk(max(page_align(self.mm.brk) + way * PAGE - self.rng.choice((0, 0, 0, 0, 1, 2000)), HEAP - PAGE))

    def _in_heap(self) -> Call:
        """A mapping over the heap, or in its way."""
        call = self._mmap()
        assert isinstance(call, Mmap)
        return evolve(call, addr=HEAP + self.rng.randrange(-2, 14) * PAGE, growsdown=False)

    def _end_of_all(self) -> int:
        last = self.mm.find_vma_prev(ARENA_BASE + 100 * PAGE)
        return last.end if last else ARENA_BASE

    def _stack(self) -> Call:
        prot = self.rng.choice((PROT_READ | PROT_WRITE,) * 3 + (PROT_READ, PROT_NONE))
        start = ARENA_BASE + PAGE * self.rng.choice((40, 300, 560, 600, 900, 2500))
        return Mmap(start, self.rng.choice((1, 2, 3)) * PAGE, prot, growsdown=True)

    def _below(self) -> Call:
        """An access below a VMA, near the places where the answer changes."""
        vma = self._vma()
        if vma is None:
            return self._touch()
        prev = self.mm.vma_prev(vma)
        guard = (prev.end if prev else ARENA_BASE) + 256 * PAGE
        near = self.rng.choice((vma.start - PAGE, vma.start - PAGE, vma.start - 20 * PAGE, guard, guard - PAGE,
                                vma.end - 2048 * PAGE, vma.end - 2049 * PAGE))  # fmt: skip
        start, length = max(near, ARENA_BASE), self.rng.choice((1, 1, 1, 2, 30)) * PAGE
        return Touch(start, length) if self.rng.random() < 0.6 else Read(start, length)

    def _munmap(self) -> Call:
        return Munmap(*self._range())

    def _mprotect(self) -> Call:
        prot = self.rng.choice((PROT_READ, PROT_READ | PROT_WRITE, PROT_READ | PROT_WRITE, PROT_NONE))
        return Mprotect(*self._range(), prot)

    def _touch(self) -> Call:
        return Touch(*self._within())

    def _read(self) -> Call:
        return Read(*(self._within() if self.rng.random() < 0.8 else self._range()))

    def _within(self) -> tuple[int, int]:
        vma = self._vma()
        if vma is None:
            return self._range()
        first = self.rng.randrange(min(vma.pages, 40))
        count = self.rng.randrange(1, 1 + min(vma.pages - first, 12))
        return vma.start + first * PAGE, count * PAGE

    def _move(self) -> Call:
        start, length = self._range()
        flags = MOVE | (MREMAP_DONTUNMAP if self.rng.random() < 0.08 else 0)
        return Mremap(start, length, length, flags, self._target(start, length))

    def _back(self) -> Call:
        if not self.moved:
            return self._move()
        start, length, target = self.rng.choice(self.moved[-4:])
        return Mremap(target, length, length, MOVE, start)

    def _dontunmap(self) -> Call:
        start, length = self._range()
        flags = MREMAP_MAYMOVE | MREMAP_DONTUNMAP | (MREMAP_FIXED if self.rng.random() < 0.7 else 0)
        return Mremap(start, length, length, flags, self._target(start, length))

    def _resize(self) -> Call:
        start, length = self._range()
        new = max(0, length + self.rng.choice((-3, -2, -1, 0, 1, 1, 2, 3, 7)) * PAGE)
        if self.rng.random() < 0.08:
            length = 0
        flags = self.rng.choice((0, MREMAP_MAYMOVE, MREMAP_MAYMOVE, MOVE, MOVE))
        return Mremap(start, length, new, flags, self._target(start, length) if flags & MREMAP_FIXED else 0)

    def _wild(self) -> Call:
        """Arguments at the edges of what is allowed."""
        rng = self.rng
        start, length = self._range()
        sizes = (0, length, length, length + PAGE, length + 100, PAGE - 100, TASK_SIZE, TASK_SIZE + PAGE, -PAGE, -1)
        old = rng.choice((*(length,) * 8, *sizes))
        new = rng.choice((*(length,) * 8, *sizes))
        target = rng.choice((self._target(start, length), start, start + PAGE, self._place() + 2048,
                             TASK_SIZE - length, TASK_SIZE, 1 << 45, 0))  # fmt: skip
        flags = rng.choice((0, 1, 2, 3, 3, 3, 4, 5, 6, 7, 7, 8))
        return Mremap(start + rng.choice((0, 0, 0, 0, 2048)), old, new, flags, target)

    def _mlock(self) -> Call:
        return Mlock(*self._range())

    def _mlock2(self) -> Call:
        return Mlock2(*self._range(), self.rng.random() < 0.8)

    def _mlockall(self) -> Call:
        """Without MCL_CURRENT, which only a process without this package around it may ask for."""
        return Mlockall(self.rng.choice((2, 2, 2, 6, 6, 4, 0, 10)))

    def _munlockall(self) -> Call:
        return Munlockall()

    def _populate(self) -> Call:
        advice = self.rng.choice(("populate_read", "populate_write", "populate_write", "dontneed_locked", "dontneed"))
        return Madvise(*self._range(), advice)

    def _munlock(self) -> Call:
        return Munlock(*self._range())

    def _mseal(self) -> Call:
        return Mseal(*self._range())

    def _madvise(self) -> Call:
        return Madvise(*self._range(), self.rng.choice(self.advices))

    def _guard(self) -> Call:
        return Madvise(*self._range(), self.rng.choice(("guard_install", "guard_install", "guard_remove", "dontneed")))

    def _uffd(self) -> Call:
        return Uffd(*self._range())

    def _unregister(self) -> Call:
        return UffdUnregister(*self._range())

    def _fill(self) -> Call:
        start, length = self._within() if self.rng.random() < 0.8 else self._range()
        return UffdCopy(start, length) if self.rng.random() < 0.7 else UffdZeropage(start, length)

    def _file(self) -> Call:
        """A mapping of a file, often of its end."""
        call = self._mmap()
        assert isinstance(call, Mmap)
        kind, name = self.rng.choice(("file", "sharedfile", "sharedfile")), self.rng.choice(("f0", "f0", "f1"))
        return evolve(call, kind=kind, file=name, pgoff=self.rng.choice((0, 0, 1, 3, 6)), growsdown=False)

    def _reader(self) -> Call:
        """A mapping by a descriptor for reading."""
        call = self._file()
        assert isinstance(call, Mmap)
        return evolve(call, readonly=True)

    def _seals(self) -> Call:
        seals = self.rng.choice((F_SEAL_WRITE, F_SEAL_WRITE, F_SEAL_FUTURE_WRITE, F_SEAL_FUTURE_WRITE, F_SEAL_SHRINK,
                                 F_SEAL_GROW, F_SEAL_SEAL, F_SEAL_SHRINK | F_SEAL_WRITE))  # fmt: skip
        return AddSeals(self.rng.choice(("f0", "f0", "f1")), seals)

    def _private(self) -> Call:
        """Anonymous memory, a little more of it than elsewhere."""
        call = self._mmap()
        assert isinstance(call, Mmap)
        return evolve(call, kind="anon", file="f0", pgoff=0, length=self.rng.choice((2, 4, 6, 10)) * PAGE)

    def _uffd_wp(self) -> Call:
        """A registration for write-protect faults."""
        start, length = self._range()
        return Uffd(start, length, self.rng.choice(UFFD_MODES[1:]))

    def _wp(self) -> Call:
        start, length = self._within() if self.rng.random() < 0.7 else self._range()
        return UffdWriteprotect(start, length, self.rng.random() < 0.75)

    def _name(self) -> Call:
        return PrctlSetVma(*self._range(), self.rng.choice(("heap", "a[b", None)))

    def _cut(self) -> Call:
        return Ftruncate(self.rng.choice(("f0", "f0", "f1")), self.rng.choice((0, 1, 2, 3, 5, 8, 12, 4096)) * PAGE)

    def _fork(self) -> Call:
        self.forks += 1
        return Fork() if self.forks <= 3 else self._touch()

    def _fork_child(self) -> Call:
        self.forks += 1
        return ForkChild() if self.forks <= 3 else self._touch()

    def _as(self) -> Call:
        return Limit("as", self.rng.randrange(1, 9))

    def _data(self) -> Call:
        return Limit("data", self.rng.randrange(0, 9))

    def _memlock(self) -> Call:
        return Limit("memlock", self.rng.randrange(0, 9))


def random_scenario(seed: str, *, steps: int = 14, themes: Iterable[str] = MOVING) -> Scenario:
    """The program that `seed` stands for, of one of `themes`: up to `steps` calls, without capabilities.

    >>> random_scenario("7/0") == random_scenario("7/0")
    True
    """
    rng = Random(seed)
    theme = rng.choice(list(themes))
    generator = Generator(rng, theme)
    for _ in range(rng.randrange(4, steps + 1)):
        generator.add()
    return Scenario(f"fuzz/{theme}-{seed}", tuple(generator.steps), ARENA_PAGES, unprivileged=True)
