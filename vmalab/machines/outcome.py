"""What comes back from a call: `Outcome`, with `Snapshot`s of the address space before and after it.

Rows are the common ground of all machines: the model, the live kernel and a recording fill them alike, so pictures,
tables and comparisons need to know nothing else.  What only the model can tell (anon_vma, the steps) is None or empty
elsewhere.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

from attrs import Factory, define, evolve, field, fields, frozen

from vmalab.linux.addr import PAGE, PAGE_SHIFT, PMD_SIZE
from vmalab.linux.call import Call
from vmalab.linux.mm.runs import Run
from vmalab.linux.mm.trace import Step
from vmalab.linux.repr_html import repr_html
from vmalab.machines.traces import Trace
from vmalab.programs.calltext import call_text, result_text
from vmalab.programs.files import write_whole


@frozen
class Row:
    """One VMA as a person sees it.  Addresses in bytes.

    `perms` as in /proc/PID/maps; `backing` None (private anonymous), `"shmem"`, a memfd's name or `"/dev/zero"`;
    `pgoff` in pages where user space can see it, else None; `flags` the smaps codes of the contract; `runs` the
    present pages (page numbers), and `seen` is False where nobody could look which those are.  Of the model only:
    `vm_pgoff` (pages, always), `anon_vma`, `chain`, `id`.
    """

    start: int
    end: int
    perms: str
    backing: str | None = None
    pgoff: int | None = None
    flags: tuple[str, ...] = ()
    runs: tuple[Run, ...] = ()
    vm_pgoff: int | None = None
    anon_vma: int | None = None
    chain: tuple[int, ...] = ()
    id: int | None = None
    seen: bool = True
    guards: tuple[tuple[int, int], ...] = ()
    """Of the model only: where MADV_GUARD_INSTALL has put guards (page numbers, half-open)."""
    file: object = field(default=None, eq=False, repr=False)
    """Of the model only: the open file behind it, that of shared anonymous memory too."""

    @property
    def pages(self) -> int:
        """Length in pages."""
        return (self.end - self.start) // PAGE

    @property
    def anon_huge_pages(self) -> int:
        """AnonHugePages of smaps, but in pages: those that PMD entries map, without the huge page of zeros.

        Of the model only; 0 elsewhere.
        """
        return sum(run.end - run.start for run in self.runs if run.huge and run.kind == "anon")

    def thp_eligible(self, setting: str = "madvise") -> bool:
        """THPeligible of smaps: whether a fault in this VMA could bring a huge page.

        `setting`: /sys/kernel/mm/transparent_hugepage/enabled, as `Limits.transparent_hugepage`.
        """
        anonymous = self.backing in (None, "/dev/zero") and self.perms.endswith("p")
        allowed = setting == "always" or (setting == "madvise" and "hg" in self.flags)
        whole = (self.start + PMD_SIZE - 1) & -PMD_SIZE
        return anonymous and allowed and "nh" not in self.flags and whole + PMD_SIZE <= self.end

    def contents(self) -> dict[int, int]:
        """Present pages: index within the VMA → first 64 bits.  O(present pages)."""
        first = self.start >> PAGE_SHIFT
        return {number - first: run.at(number) for run in self.runs for number in range(run.start, run.end)}


class Names(Protocol):
    """What the VMAs of a process are called at one moment (`vmalab.machines.letters`)."""

    def given(self) -> tuple[Mapping[int | None, str], int]:
        """Name by the id of each VMA, and how many letters were ever given."""

    def of(self, rows: tuple[Row, ...]) -> list[str]:
        """What `rows` are called, in order."""


@frozen
class Snapshot:
    """All VMAs of an address space at one moment, in order of address."""

    rows: tuple[Row, ...] = ()
    letters: Names | None = field(default=None, eq=False, repr=False)
    """What a model calls its VMAs."""

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def at(self, address: int) -> Row | None:
        """The row that contains byte `address`.  O(n)."""
        return next((row for row in self.rows if row.start <= address < row.end), None)

    def maps(self) -> str:
        """Text in the shape of /proc/PID/maps (addresses in hex, no device or inode)."""
        return "\n".join(
            f"{row.start:012x}-{row.end:012x} {row.perms} {(row.pgoff or 0) * PAGE:08x} {row.backing or ''}".rstrip()
            for row in self.rows
        )

    def _repr_pretty_(self, printer: Any, _cycle: bool) -> None:
        """In IPython; `repr` stays complete, for the tests."""
        printer.text(self.maps() or "(no VMAs)")

    def _repr_html_(self) -> str:
        return repr_html("snapshot", self)


@frozen
class Move:
    """Pages that went from [start, end) to `target` (bytes) in one call; `kept` where the source stays as well."""

    start: int
    end: int
    target: int
    kept: bool = False


@frozen
class Frame:
    """The address space after the first `index` steps of a call; `index` 0 is before the call."""

    index: int
    step: Step | None
    snapshot: Snapshot


@frozen
class LeftOut:
    """Neighbouring VMAs that are not shown: `count` of them, in the bytes [start, end), of which `first` is the number
    (from 0) of the first one among all before the call."""

    start: int
    end: int
    first: int
    count: int


@define(eq=False, slots=False, repr=False)
class Outcome:
    """What one call did.

    `value`: the return value on success (a byte address for mmap and mremap, else 0); None on failure.  `errno`: the
    symbol (`"EFAULT"`) or None.  `steps`: what the kernel did, in order; empty for the live machine and recordings.
    `before` and `after` are made when first looked at.  `values` holds what a read saw.
    `elsewhere`: where the kernel chose an address outside the arena, the VMAs there, with addresses relative to the
    returned one; a recording does not tell that address, and `value` is None then.
    `left_out`: what `near` does not show, before and after alike.
    """

    call: Call
    value: int | None
    errno: str | None
    steps: Sequence[Step] = ()
    machine: str = ""
    values: tuple[int | None, ...] | None = None
    elsewhere: Snapshot | None = None
    moves: tuple[Move, ...] = ()
    _before: Callable[[], Snapshot] = field(default=Factory(lambda: Snapshot), repr=False)
    _after: Callable[[], Snapshot] = field(default=Factory(lambda: Snapshot), repr=False)
    _frames: Callable[[], tuple[Frame, ...]] = field(default=Factory(lambda: tuple), repr=False)
    _near: Callable[[], Outcome | None] = field(default=lambda: None, repr=False)
    _trace: Callable[[], Trace | None] = field(default=lambda: None, repr=False)
    left_out: tuple[LeftOut, ...] = ()
    letters: Names | None = None
    """What a model calls its VMAs before the call."""

    def __repr__(self) -> str:
        machine = f" on {self.machine}" if self.machine else ""
        return f"<Outcome: {call_text(self.call)} = {result_text(self.call, self.value, self.errno)}{machine}>"

    def _repr_html_(self) -> str:
        return repr_html("outcome", self)

    def to_html(self, path: str | Path, title: str = "") -> Path:
        """Write a page to `path` that plays this call step by step: one file, no network, no Python needed to read it.

        `title` stands for the call itself if not given.  Returns the path; raises OSError where it can't be written.
        """
        target = Path(path)
        write_whole(target, repr_html("outcome page", self, title))
        return target

    def near(self) -> Outcome:
        """This outcome in the neighbourhood of what the call names, looks at and changes; the VMAs further off are only
        counted (`left_out`).  Itself where there are few VMAs.

        O(VMAs shown + log VMAs) for a model's outcome that has steps, so that what is said and drawn of many calls one
        after the other grows as they do; O(VMAs) for others.
        """
        return self._near() or nearby(self, self.before, self.after) or self

    @property
    def beyond(self) -> int:
        """How many VMAs are not shown."""
        return sum(out.count for out in self.left_out)

    @property
    def ok(self) -> bool:
        """Whether the call succeeded."""
        return self.errno is None

    @cached_property
    def before(self) -> Snapshot:
        """The address space before the call."""
        return self._before()

    @cached_property
    def after(self) -> Snapshot:
        """The address space after the call, which a failed call may have changed too."""
        return self._after()

    @cached_property
    def trace(self) -> Trace | None:
        """The kernel's own trace of this call; None where none was recorded for this program on this release."""
        return self._trace()

    @cached_property
    def frames(self) -> tuple[Frame, ...]:
        """The address space before the call and after each step; the last one equals `after`."""
        return self._frames()

    @property
    def rule(self) -> Step | None:
        """The step that refused the call, or None if it succeeded."""
        return next((step for step in reversed(self.steps) if step.errno), None)


FEW = 48
"""So many VMAs are all shown; of more, those near to what a call does."""

BESIDE = 6
"""So many VMAs are shown on each side of it."""


def areas_of(outcome: Outcome) -> list[tuple[int, int]]:
    """The bytes that a call names, and those that its steps change or look at; as ranges in any order.  O(steps)."""
    call: Any = outcome.call
    found = []
    for address, length in (("addr", "length"), ("addr", "old_len"), ("new_addr", "new_len")):
        start, long = getattr(call, address, None), getattr(call, length, None)
        if start is not None and long is not None:
            found.append((start, start + long))
    if outcome.value:
        found.append((outcome.value, outcome.value + getattr(call, "new_len", getattr(call, "length", 0))))
    for step in outcome.steps:
        found += [(vma.start, vma.end) for vma in (*step.removed, *step.added)]
        found += [(start, end) for start, end, _ in step.ptes]
        found += [(one.start, one.end) for one in step.values.values() if hasattr(one, "perms")]
        start, end = step.values.get("start"), step.values.get("end")
        if isinstance(start, int) and isinstance(end, int):
            found.append((start, end))
    return found


def shown_near(items: Sequence[Any], areas: Iterable[tuple[int, int]]) -> tuple[list[range], tuple[LeftOut, ...]]:
    """Of VMAs in order of address: the indices of those that share a byte with an area, or touch it, with `BESIDE` on
    each side; and what is left out.  O(areas · log n)."""
    places = []
    for start, end in areas:
        first = bisect_right(items, start, key=lambda one: one.start) - 1
        last = bisect_right(items, max(end, start), key=lambda one: one.start)
        places.append((max(first - BESIDE, 0), min(last + BESIDE, len(items))))
    shown: list[range] = []
    for first, last in sorted(places):
        if shown and first <= shown[-1].stop:
            shown[-1] = range(shown[-1].start, max(shown[-1].stop, last))
        else:
            shown.append(range(first, last))
    edges = [0, *(edge for part in shown for edge in (part.start, part.stop)), len(items)]
    between = [(first, last) for first, last in zip(edges[::2], edges[1::2], strict=True) if first < last]
    return shown, tuple(LeftOut(items[a].start, items[b - 1].end, a, b - a) for a, b in between)


def nearby(outcome: Outcome, before: Snapshot, after: Snapshot) -> Outcome | None:
    """`Outcome.near` for any machine, from the rows; None where all of them are shown.  O(rows)."""
    if max(len(before), len(after)) <= FEW:
        return None
    areas = areas_of(outcome) + [(change.row.start, change.row.end) for change in diff(before, after)]
    _, left_out = shown_near(before.rows, areas)
    if not left_out:
        return None
    hidden = {row.start for out in left_out for row in before.rows[out.first : out.first + out.count]}

    def seen(snapshot: Snapshot) -> Snapshot:
        return Snapshot(tuple(row for row in snapshot.rows if row.start not in hidden))

    return evolve(
        outcome, before=lambda: seen(before), after=lambda: seen(after), near=lambda: None, left_out=left_out,
        frames=lambda: tuple(evolve(frame, snapshot=seen(frame.snapshot)) for frame in outcome.frames),
    )  # fmt: skip


@frozen
class Change:
    """One difference between two snapshots: a row that is only in `before`, only in `after`, or in both but changed."""

    kind: str
    before: Row | None
    after: Row | None

    @property
    def row(self) -> Row:
        """The row to show for it."""
        shown = self.after or self.before
        assert shown is not None
        return shown


def diff(before: Snapshot, after: Snapshot, *, ignore: Sequence[str] = ("id", "chain")) -> tuple[Change, ...]:
    """What changed from `before` to `after`, by start address: kinds `removed`, `added`, `changed`.  O(n)."""
    names = [attribute.name for attribute in fields(Row) if attribute.name not in ignore]

    def view(row: Row) -> dict[str, Any]:
        return {name: getattr(row, name) for name in names}

    old = {row.start: row for row in before}
    new = {row.start: row for row in after}
    changes = []
    for start in sorted(old.keys() | new.keys()):
        a, b = old.get(start), new.get(start)
        if a is None:
            changes.append(Change("added", None, b))
        elif b is None:
            changes.append(Change("removed", a, None))
        elif view(a) != view(b):
            changes.append(Change("changed", a, b))
    return tuple(changes)
