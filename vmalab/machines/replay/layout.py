"""The model's VMAs beside a process's real ones: `compare(mm, entries)`, VMA by VMA.

A VMA is the same where range, permissions, offset, file and the flags that the model knows are.  What differs is told
with the likely reason, as far as the two layouts show one.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

from attrs import frozen

from vmalab.linux.addr import PAGE_SHIFT, TASK_SIZE
from vmalab.linux.flags import SMAPS_CODES, VM_GROWSDOWN, smaps_codes
from vmalab.linux.mm.expand import expand_downwards
from vmalab.linux.mm.space import AddressSpace
from vmalab.linux.mm.trace import Refusal
from vmalab.linux.mm.vma import VMA
from vmalab.programs.procmaps import Entry

KNOWN_CODES = frozenset(SMAPS_CODES.values())
"""The VmFlags that can be held against the model."""


@frozen
class Pair:
    """A place in both layouts: `real` or `model` is None where only the other has a VMA that begins there.

    `reason`: the key of why they differ, `""` where they are the same; `detail`: what exactly.
    """

    real: Entry | None
    model: VMA | None
    reason: str = ""
    detail: str = ""

    @property
    def same(self) -> bool:
        return not self.reason

    @property
    def start(self) -> int:
        return self.real.start if self.real is not None else self.model.start  # type: ignore[union-attr]


@frozen
class Layout:
    """All places, in order of address.  `from_calls`: how many real VMAs are exact by the calls alone, before what
    accesses do (the growth of the stack) was taken from the maps at the end."""

    pairs: tuple[Pair, ...]
    from_calls: int

    @property
    def real(self) -> int:
        """How many VMAs the process really had."""
        return sum(pair.real is not None for pair in self.pairs)

    @property
    def exact(self) -> int:
        """How many of them the model has exactly."""
        return sum(pair.real is not None and pair.same for pair in self.pairs)

    @property
    def model(self) -> int:
        """How many VMAs the model has."""
        return sum(pair.model is not None for pair in self.pairs)


def compare(mm: AddressSpace, entries: Sequence[Entry]) -> Layout:
    """Hold the model's VMAs against those of `entries`; stacks grow in the model first, as far as they really did.

    O(n log n).
    """
    real = [entry for entry in entries if entry.start < TASK_SIZE]
    before = sum(not _differs(entry, mm.vma_lookup(entry.start)) for entry in real)
    _grow_stacks(mm, real)
    model = mm.vmas()
    starts = {entry.start for entry in real}
    pairs = [_pair(entry, mm, real) for entry in real]
    for vma in model:
        if vma.start not in starts:
            pairs.append(Pair(None, vma, *_only_model(vma, real)))
    return Layout(tuple(sorted(pairs, key=lambda pair: pair.start)), before)


def _grow_stacks(mm: AddressSpace, real: Sequence[Entry]) -> None:
    """Accesses below a stack are no system calls; how far they went, the maps at the end tell."""
    by_end = {entry.end: entry for entry in real}
    for vma in mm.vmas():
        entry = by_end.get(vma.end)
        if entry is not None and vma.flags & VM_GROWSDOWN and entry.start < vma.start:
            try:
                expand_downwards(mm, vma, entry.start)
            except Refusal:
                continue


def _pair(entry: Entry, mm: AddressSpace, real: Sequence[Entry]) -> Pair:
    vma = mm.vma_lookup(entry.start)
    if vma is None:
        return Pair(entry, None, "only_real")
    if vma.start != entry.start:
        return Pair(entry, None, *_cut_in(entry, vma, real))
    found = _differs(entry, vma)
    if not found:
        return Pair(entry, vma)
    if "range" in found:
        return Pair(entry, vma, *_range_reason(entry, vma, mm, real))
    return Pair(entry, vma, found[0], _detail(entry, vma, found[0]))


def _differs(entry: Entry, vma: VMA | None) -> list[str]:
    """In what the two differ."""
    if vma is None or (vma.start, vma.end) != (entry.start, entry.end):
        return ["range"]
    found = []
    if entry.rights and vma.perms != entry.perms:
        found.append("perms")
    anonymous = vma.file is None or (vma.file.kind == "special" and not entry.offset)
    if (0 if anonymous else vma.pgoff << PAGE_SHIFT) != entry.offset:
        found.append("offset")
    if _plain(_name(vma)) != _plain("" if entry.is_anonymous else entry.name):
        found.append("file")
    if entry.codes is not None and entry.codes & KNOWN_CODES != set(smaps_codes(vma.flags)):
        found.append("flags")
    return found


def _plain(name: str) -> str:
    """A file's name; that it has been deleted meanwhile is no property of the VMA."""
    return name.removesuffix(" (deleted)")


def _name(vma: VMA) -> str:
    if vma.file is None:
        return ""
    return "/dev/zero (deleted)" if vma.file.kind == "shmem" and vma.file.name == "shmem" else vma.file.name


def _detail(entry: Entry, vma: VMA, what: str) -> str:
    if what == "flags":
        ours, theirs = set(smaps_codes(vma.flags)), (entry.codes or frozenset()) & KNOWN_CODES
        signs = [f"+{code}" for code in sorted(theirs - ours)] + [f"-{code}" for code in sorted(ours - theirs)]
        return " ".join(signs)
    if what == "perms":
        return f"{entry.perms}, not {vma.perms}"
    if what == "offset":
        return f"{entry.offset:#x}, not {vma.pgoff << PAGE_SHIFT:#x}"
    return f"{entry.name or 'anonymous'}, not {_name(vma) or 'anonymous'}"


def _alike(a: Entry, b: Entry) -> bool:
    """Whether two real neighbours differ in nothing that maps and smaps show."""
    follows = a.end == b.start
    offset = not a.is_file or a.offset + a.end - a.start == b.offset
    return follows and offset and (a.perms, a.name, a.codes, a.inode) == (b.perms, b.name, b.codes, b.inode)


def _cut_in(entry: Entry, vma: VMA, real: Sequence[Entry]) -> tuple[str, str]:
    """The model has no border where a real VMA begins."""
    at = bisect_right(real, entry.start, key=lambda one: one.start) - 1
    before = real[at - 1] if at else None
    if before is not None and _alike(before, entry):
        return "split_unseen", f"in the model one VMA, {vma}"
    return "inside_model", f"in the model part of {vma}"


def _range_reason(entry: Entry, vma: VMA, mm: AddressSpace, real: Sequence[Entry]) -> tuple[str, str]:
    """Both begin at one place and end at different ones."""
    if entry.name == "[stack]":
        return "stack", ""
    if vma.end < entry.end:
        after = mm.vma_lookup(vma.end)
        if after is not None and after.start == vma.end and after.perms == vma.perms and after.file is vma.file:
            return "merged_unseen", f"in the model {vma} and {after}"
        return "larger", f"in the model it ends at {vma.end:x}"
    at = bisect_right(real, entry.start, key=lambda one: one.start)
    after_real = real[at] if at < len(real) else None
    if after_real is not None and _alike(entry, after_real):
        return "split_unseen", f"in the model one VMA, {vma}"
    return "smaller", f"in the model it ends at {vma.end:x}"


def _only_model(vma: VMA, real: Sequence[Entry]) -> tuple[str, str]:
    at = bisect_right(real, vma.start, key=lambda one: one.start) - 1
    if at >= 0 and real[at].end > vma.start:
        return "inside_real", f"really part of {real[at].start:x}-{real[at].end:x}"
    return "only_model", ""
