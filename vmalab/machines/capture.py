"""`Capture`: an address space as it was at one moment, from which the rows for people are made when somebody looks."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Sequence
from functools import cached_property
from operator import attrgetter
from typing import Any

from attrs import field, frozen

from vmalab.linux.addr import PAGE_SHIFT
from vmalab.linux.flags import smaps_codes
from vmalab.linux.mm.runs import Run, joined
from vmalab.linux.mm.space import AddressSpace
from vmalab.linux.mm.trace import Step
from vmalab.linux.mm.vma import VMA
from vmalab.machines.chunks import Chunks
from vmalab.machines.outcome import LeftOut, Row, Snapshot, shown_near
from vmalab.machines.validation import FLAGS


@frozen
class Capture:
    """An address space as it was: references to frozen records, turned into a `Snapshot` when somebody looks.

    `known`: rows made before, by start address, shared by the captures of one process and used again where nothing
    changed.  `table`: the page tables, where `runs` has the contents of files too; `files`: there may be some.
    """

    vmas: Sequence[VMA] = Chunks()
    runs: Sequence[Run] = Chunks()
    known: dict[int, tuple[VMA, list[Run], Row]] = field(factory=dict, eq=False, repr=False)
    table: Chunks[Run] | None = field(default=None, eq=False, repr=False)
    files: bool = field(default=True, eq=False, repr=False)

    @classmethod
    def of(cls, mm: AddressSpace, before: Capture | None = None) -> Capture:
        """O(VMAs + runs) references.  `before`: the capture of the same process after the call before, which this one
        shares with what has not changed: O(changes), unless a file is mapped.  Only one may keep such a row of them.
        """
        taken = None if before is None else mm.taken()
        if before is None or taken is None or before.table is None or not isinstance(before.vmas, Chunks):
            vmas, table = Chunks.of(mm.vmas()), Chunks.of(mm.pagetable)
            files = any(vma.file is not None for vma in vmas)
        else:
            vmas, table = before.vmas.updated(taken[0]), before.table.updated(taken[1])
            files = before.files or any(vma is not None and vma.file is not None for vma in taken[0].values())
        runs: Sequence[Run] = table
        if files and any(run.kind == "file" for run in table):
            runs = tuple(mm.resolved(0, 1 << 52))
        return cls(vmas, runs, {} if before is None else before.known, table, files)

    def after(self, step: Step) -> Capture:
        """This state with the changes of `step` made to it."""
        vmas, runs = list(self.vmas), list(self.runs)
        for vma in step.removed:
            at = bisect_left(vmas, vma.start, key=START)
            if at < len(vmas) and vmas[at].start == vma.start:
                del vmas[at]
        for vma in step.added:
            insort(vmas, vma, key=START)
        for start, end, now in step.ptes:
            low, high = _meeting(runs, start, end)
            outside = [run.clip(*part) for run in runs[low:high] for part in ((run.start, start), (end, run.end))
                       if max(run.start, part[0]) < min(run.end, part[1])]  # fmt: skip
            runs[low:high] = sorted([*outside, *now], key=START)
        return Capture(vmas, runs, self.known)

    def snapshot_after(self, before: Snapshot, step: Step) -> Snapshot:
        """The rows of this state, where `step` led to it from the one with the rows `before`.  O(changes · log n),
        and n references copied."""
        rows = list(before.rows)
        places = [(vma.start, vma.end) for vma in (*step.removed, *step.added)]
        places += [(start << PAGE_SHIFT, end << PAGE_SHIFT) for start, end, _ in step.ptes]
        for start, end in places:
            while True:  # whole VMAs, as they were and as they are
                old, new = slice(*_meeting(rows, start, end)), slice(*_meeting(self.vmas, start, end))
                edges: list[Any] = [*rows[old][:1], *rows[old][-1:], *self.vmas[new][:1], *self.vmas[new][-1:]]
                low = min([start, *(one.start for one in edges)])
                high = max([end, *(one.end for one in edges)])
                if (low, high) == (start, end):
                    break
                start, end = low, high
            rows[old] = [self._row(vma) for vma in self.vmas[new]]
        return Snapshot(tuple(rows))

    def _row(self, vma: VMA) -> Row:
        """The row of one VMA.  O(log runs + runs of it)."""
        first, last = vma.start >> PAGE_SHIFT, vma.end >> PAGE_SHIFT
        low, high = _meeting(self.runs, first, last)
        return self._made(vma, [run.clip(first, last) for run in self.runs[low:high]])

    def _made(self, vma: VMA, inside: list[Run]) -> Row:
        made = self.known.get(vma.start)
        if made is None or made[0] is not vma or made[1] != inside:
            made = self.known[vma.start] = (vma, inside, _row(vma, inside))
        return made[2]

    def near(self, areas: Sequence[tuple[int, int]]) -> tuple[Capture, tuple[LeftOut, ...]]:
        """This state with those VMAs only that are shown near `areas`, and which are not.  O(areas · log n + shown)."""
        vmas: list[VMA] = []
        runs: list[Run] = []
        shown, left_out = shown_near(self.vmas, areas)
        for part in shown:
            vmas += self.vmas[part.start : part.stop]
            first, last = self.vmas[part.start].start >> PAGE_SHIFT, self.vmas[part.stop - 1].end >> PAGE_SHIFT
            low, high = _meeting(self.runs, first, last)
            runs += [run for run in self.runs[low:high] if not runs or run.start >= runs[-1].end]
        return Capture(tuple(vmas), tuple(runs), self.known), left_out

    @cached_property
    def snapshot(self) -> Snapshot:
        """The rows for people."""
        rows, position, runs = [], 0, self.runs
        for vma in self.vmas:
            first, last = vma.start >> PAGE_SHIFT, vma.end >> PAGE_SHIFT
            while position < len(runs) and runs[position].end <= first:
                position += 1
            inside = []
            index = position
            while index < len(runs) and runs[index].start < last:
                inside.append(runs[index].clip(first, last))
                index += 1
            rows.append(self._made(vma, inside))
        return Snapshot(tuple(rows))


def space_html(mm: AddressSpace) -> str:
    """The picture of an address space, for a notebook."""
    return Capture.of(mm).snapshot._repr_html_()


START = attrgetter("start")


def _meeting(ordered: Sequence[Any], start: int, end: int) -> tuple[int, int]:
    """From where to where in `ordered` (VMAs, rows or runs) there is what meets [start, end).  O(log n)."""
    first = max(bisect_right(ordered, start, key=START) - 1, 0)
    if first < len(ordered) and ordered[first].end <= start:
        first += 1
    return first, max(first, bisect_left(ordered, end, key=START))


def _row(vma: VMA, inside: Sequence[Run]) -> Row:
    runs: tuple[Run, ...] = joined(inside)
    guards: tuple[tuple[int, int], ...] = ()
    if any(run.kind == "guard" for run in inside):  # no page is present there
        runs = joined(run for run in inside if run.kind != "guard")
        guards = tuple((run.start, run.end) for run in joined(inside) if run.kind == "guard")
    backing = vma.file.name if vma.file else None
    return Row(
        start=vma.start,
        end=vma.end,
        perms=vma.perms,
        backing=backing,
        pgoff=None if vma.file is None or vma.file.kind in ("zero", "special") else vma.pgoff,
        flags=tuple(code for code in smaps_codes(vma.flags) if code in FLAGS),
        runs=runs,
        vm_pgoff=vma.pgoff,
        anon_vma=vma.anon_vma,
        chain=vma.chain,
        id=vma.id,
        guards=guards,
        file=vma.file,
    )
