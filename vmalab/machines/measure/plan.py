"""What is measured: the cases, what the child is told to do for each, and what the model counts for them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any

from attrs import define, frozen

from vmalab.linux.addr import ARENA_BASE, PAGE, PMD_SIZE, PUD_SIZE
from vmalab.linux.call import Call, Mmap, Mprotect, Mremap, Touch
from vmalab.linux.flags import MREMAP_FIXED, MREMAP_MAYMOVE, PROT_READ, PROT_WRITE
from vmalab.linux.mm.pagetable import table_pages
from vmalab.machines.model import Model

FIXED = MREMAP_MAYMOVE | MREMAP_FIXED
SOURCE = ARENA_BASE
TARGET = ARENA_BASE + 64 * PUD_SIZE
"""Both lie at 1 GiB boundaries, far from each other."""

VMAS = (1, 3, 10, 30, 100, 300, 1000)
SIZES = (1, 4, 16, 64, 256, 512, 2048, 8192, 32768)
"""Pages: 4 KiB to 128 MiB."""
GROWTH = (64 << 10, 256 << 10, 1 << 20, 4 << 20, 16 << 20, 64 << 20)
"""Bytes of a block before it doubles."""
MEMORY = (1 << 20, 4 << 20, 16 << 20, 64 << 20)
"""Bytes for fork and for page faults."""


@frozen
class Entries:
    """What a case costs by the model's count: calls, VMAs, page-table entries moved at each level.

    `tables`: page tables (of PTEs) that the destination needs because single PTEs arrive there.
    """

    calls: int
    vmas: int
    pte: int = 0
    pmd: int = 0
    pud: int = 0
    tables: int = 0


@define(slots=False, eq=False)
class Case:
    """One thing to measure.  `group`: what it is compared within; `x`: its size there (`unit` says of what).

    A move has `setup` (calls) and `there` (calls that are timed); every other case has `op` for the child.
    """

    name: str
    group: str
    variant: str
    x: int
    unit: str
    setup: Sequence[Call] = ()
    there: Sequence[Mremap] = ()
    stride: int = PAGE
    op: dict[str, Any] | None = None

    @property
    def back(self) -> list[Mremap]:
        """The calls that undo `there`."""
        return [Mremap(call.new_addr, call.new_len, call.old_len, FIXED, call.addr) for call in reversed(self.there)]

    def wire(self) -> dict[str, Any]:
        """The case as `driver/measure.py` takes it."""
        if self.op is not None:
            return self.op
        return {
            "setup": [self._instruction(call) for call in self.setup],
            "there": [_arguments(call) for call in self.there],
            "back": [_arguments(call) for call in self.back],
            "clear": [[start, 2 * PUD_SIZE] for start in (SOURCE - PUD_SIZE // 2, TARGET - PUD_SIZE // 2)],
        }

    def _instruction(self, call: Call) -> list[Any]:
        if isinstance(call, Mmap):
            assert call.addr is not None
            return ["map", call.addr, call.length, call.prot]
        if isinstance(call, Mprotect):
            return ["protect", call.addr, call.length, call.prot]
        assert isinstance(call, Touch)
        return ["touch", call.addr, call.length, self.stride]

    @cached_property
    def entries(self) -> Entries | None:
        """What the model of Linux 6.18 counts for one way of the move; None for what is no move."""
        if self.op is not None:
            return None
        vm = Model("6.18")
        for call in self.setup:
            if isinstance(call, Touch):
                for address in range(call.addr, call.addr + call.length, self.stride):
                    vm.touch(address, PAGE if self.stride > PAGE else call.length)
                    if self.stride == PAGE:
                        break
            else:
                vm.do(call)
        vmas = len(vm.snapshot())
        steps = [step for call in self.there for step in vm.do(call).steps]
        moved = [step.values for step in steps if step.key == "pages_moved"]
        pte, pmd, pud = (sum(values[level] for values in moved) for level in ("pte", "pmd", "pud"))
        tables = table_pages(vm.mm)["pte"] - pmd if pte else 0
        return Entries(len(self.there), vmas, pte, pmd, pud, max(tables, 0))


def _arguments(call: Mremap) -> list[int]:
    return [call.addr, call.old_len, call.new_len, call.flags, call.new_addr]


# --- the cases -----------------------------------------------------------------------------------------------


def cases(*, quick: bool = False, multi: bool = True) -> list[Case]:
    """Everything that is measured.  `quick`: the small sizes only; `multi`: the kernel moves many VMAs."""
    found = [
        *(case for count in VMAS for case in many(count) if multi or case.variant != "one call"),
        *(case for size in SIZES for case in moves(size)),
        *sparse_moves(),
        *(growth(size, how) for size in GROWTH for how in ("mremap", "copy")),
        *(other(op, size) for op in ("fork", "fault") for size in MEMORY),
        *(null(calls) for calls in (1, 1000)),
    ]
    return [case for case in found if not quick or case.group == "sparse" or case.x <= QUICK[case.unit]]


QUICK = {"VMAs": 100, "pages": 2048, "bytes": 4 << 20, "calls": 1000}
"""The largest size of each unit in a quick run."""


def many(count: int) -> list[Case]:
    """`count` VMAs of a page each, written: moved by one call, and by a call for each."""
    setup: list[Call] = [Mmap(SOURCE, count * PAGE, PROT_READ | PROT_WRITE), Touch(SOURCE, count * PAGE)]
    setup += [Mprotect(SOURCE + n * PAGE, PAGE, PROT_READ) for n in range(1, count, 2)]
    together = [Mremap(SOURCE, count * PAGE, count * PAGE, FIXED, TARGET)]
    apart = [Mremap(SOURCE + n * PAGE, PAGE, PAGE, FIXED, TARGET + n * PAGE) for n in range(count)]
    return [
        Case(f"many/{count}/one call", "many", "one call", count, "VMAs", setup, together),
        Case(f"many/{count}/call each", "many", "a call for each VMA", count, "VMAs", setup, apart),
    ]


def moves(size: int) -> list[Case]:
    """One VMA of `size` pages: written and not, to a place that is aligned like the source, and a page off."""
    length = size * PAGE
    mapped: list[Call] = [Mmap(SOURCE, length, PROT_READ | PROT_WRITE)]
    written = [*mapped, Touch(SOURCE, length)]
    found = []
    for variant, setup, target in (
        ("aligned", written, TARGET),
        ("a page off", written, TARGET + PAGE),
        ("nothing present", mapped, TARGET),
    ):
        there = [Mremap(SOURCE, length, length, FIXED, target)]
        found.append(Case(f"move/{size}/{variant}", "move", variant, size, "pages", setup, there))
    return found


def sparse_moves() -> list[Case]:
    """1 GiB with a page present in every 2 MiB: the highest level that can be moved whole, and the one below."""
    setup: list[Call] = [Mmap(SOURCE, PUD_SIZE, PROT_READ | PROT_WRITE), Touch(SOURCE, PUD_SIZE)]
    found = []
    for variant, target in (
        ("aligned to 1 GiB", TARGET),
        ("aligned to 2 MiB", TARGET + PMD_SIZE),
        ("a page off", TARGET + PAGE),
    ):
        there = [Mremap(SOURCE, PUD_SIZE, PUD_SIZE, FIXED, target)]
        found.append(
            Case(f"sparse/{variant}", "sparse", variant, PUD_SIZE // PAGE, "pages", setup, there, stride=PMD_SIZE)
        )
    return found


def growth(size: int, how: str) -> Case:
    """A block of `size` bytes doubles: with mremap, or by copying."""
    op = {"op": "grow_remap" if how == "mremap" else "grow_copy", "bytes": size}
    return Case(f"grow/{size}/{how}", "grow", how, size, "bytes", op=op)


def other(op: str, size: int) -> Case:
    """fork, or first writes, with `size` bytes."""
    return Case(f"{op}/{size}", op, op, size, "bytes", op={"op": op, "bytes": size})


def null(calls: int) -> Case:
    """`calls` system calls that do nothing, made in the same loop: to take off, and to see how noisy the machine is."""
    return Case(f"null/{calls}", "null", "nothing", calls, "calls", op={"op": "null", "calls": calls})


def plan(chosen: Iterable[Case], rounds: int) -> dict[str, Any]:
    """The plan for the child."""
    return {"rounds": rounds, "cases": {case.name: case.wire() for case in chosen}}
