"""A real process as `/proc/self/maps` and `/proc/self/smaps` show it: this one, or one that was recorded.

Here live reading and showing.  What the live machine reads of its own process is in `machines/live/driver/proc.py`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

from attrs import frozen

from vmalab.differences import live_answers
from vmalab.errors import UsageError
from vmalab.pictures.card import card
from vmalab.pictures.table import Table
from vmalab.programs import data

RECORDED = "cat-6.18.44.smaps"
SMAPS = Path("/proc/self/smaps")
MAX_MAP_COUNT = Path("/proc/sys/vm/max_map_count")

CODES: Mapping[str, str] = {
    "rd": "may be read now (VM_READ)",
    "wr": "may be written now (VM_WRITE)",
    "ex": "may be executed now (VM_EXEC)",
    "sh": "shared, and what is written reaches the others (VM_SHARED)",
    "mr": "mprotect may allow reading (VM_MAYREAD)",
    "mw": "mprotect may allow writing (VM_MAYWRITE)",
    "me": "mprotect may allow executing (VM_MAYEXEC)",
    "ms": "mapped with MAP_SHARED (VM_MAYSHARE)",
    "gd": "grows down to an access below it (VM_GROWSDOWN)",
    "ac": "counts as committed memory (VM_ACCOUNT)",
    "nr": "does not reserve memory (VM_NORESERVE)",
    "lo": "locked into memory (VM_LOCKED)",
    "lf": "locked as its pages come (VM_LOCKONFAULT)",
    "dc": "not copied by fork (VM_DONTCOPY)",
    "de": "can't grow by mremap (VM_DONTEXPAND)",
    "dd": "left out of core dumps (VM_DONTDUMP)",
    "io": "device memory (VM_IO)",
    "pf": "page frames without struct page (VM_PFNMAP)",
    "mm": "page frames of both kinds (VM_MIXEDMAP)",
    "hg": "huge pages wanted (VM_HUGEPAGE)",
    "nh": "huge pages not wanted (VM_NOHUGEPAGE)",
    "sr": "read in order (VM_SEQ_READ)",
    "rr": "read at random (VM_RAND_READ)",
    "wf": "emptied in children (VM_WIPEONFORK)",
    "sd": "a page was written since somebody asked (VM_SOFTDIRTY)",
    "um": "userfaultfd is told of missing pages (VM_UFFD_MISSING)",
    "uw": "userfaultfd is told of writes to protected pages (VM_UFFD_WP)",
    "sl": "sealed (VM_SEALED)",
    "gu": "may hold guard pages (VM_MAYBE_GUARD)",
}
"""The codes of the VmFlags line in words.  Source: fs/proc/task_mmu.c, man proc_pid_smaps."""

UNKNOWN = "not spoken of in this course"

SHOWN = ("Size", "Rss", "Anonymous", "Locked")
"""The lines of an smaps entry that the lessons speak of, all in kB."""


ENDS = 14
"""Of a longer list so many VMAs are shown from each end."""


@frozen
class Area:
    """One VMA of a process as smaps tells it: the line of maps, and the fields below it."""

    line: str
    fields: Mapping[str, str]

    @property
    def columns(self) -> list[str]:
        """Address range, permissions, offset, device, inode, name."""
        parts = self.line.split(None, 5)
        return [*parts, *[""] * (6 - len(parts))]

    @property
    def name(self) -> str:
        """What is behind it; `""` for anonymous memory."""
        return self.columns[5]

    def __repr__(self) -> str:
        numbers = [f"{name}: {self.fields[name]}" for name in SHOWN if name in self.fields]
        codes = [f"  {code}  {CODES.get(code, UNKNOWN)}" for code in self.codes]
        return "\n".join([" ".join(self.line.split()), *numbers, "VmFlags:", *codes])

    def _repr_html_(self) -> str:
        sizes = [(name, self.fields[name]) for name in SHOWN if name in self.fields]
        flags = [(code, CODES.get(code, UNKNOWN)) for code in self.codes]
        tables = (("in kB", sizes), ("VmFlags", flags))
        return card(
            f"<p><code>{escape(' '.join(self.line.split()))}</code></p>{''.join(_list(*one) for one in tables)}",
            what="a table",
        )

    @property
    def codes(self) -> list[str]:
        """The two-letter codes of its VmFlags line."""
        return self.fields.get("VmFlags", "").split()


def _list(caption: str, rows: Sequence[tuple[str, str]]) -> str:
    cells = "".join(f"<tr><th scope=row>{escape(a)}</th><td>{escape(b)}</td></tr>" for a, b in rows)
    return f'<table class="vml-table"><caption>{caption}</caption><tbody>{cells}</tbody></table>'


class Process:
    """The VMAs of a real process; shows itself as `/proc/self/maps` does, the middle of a long list left out.

    `note`: a line below it.
    """

    def __init__(self, who: str, areas: Sequence[Area], note: str = "") -> None:
        self.who, self.areas, self.note = who, tuple(areas), note

    @property
    def shown(self) -> list[Area]:
        """The areas that are shown, with one that says how many are not."""
        if len(self.areas) <= 2 * ENDS:
            return list(self.areas)
        return [*self.areas[:ENDS], Area(f"… {len(self.areas) - 2 * ENDS} more …", {}), *self.areas[-ENDS:]]

    def __repr__(self) -> str:
        return "\n".join(filter(None, [self.who, *(area.line for area in self.shown), self.note]))

    def _repr_html_(self) -> str:
        heads = ("address range", "perms", "offset", "dev", "inode", "name")
        rows = [area.columns if area.fields else [area.line, *[""] * 5] for area in self.shown]
        return Table(self.who, heads, rows, self.note)._repr_html_()

    def smaps(self, name: str) -> Area:
        """The entry of the first VMA called `name`, such as `"[heap]"`, or that starts at `name`, such as `"7f12a000"`.

        Raises UsageError that lists the names there are.
        """
        for area in self.areas:
            if name in (area.name, area.line.partition("-")[0]):
                return area
        names = ", ".join(sorted({area.name for area in self.areas if area.name}))
        raise UsageError(f"no VMA of this process is called {name!r}, or starts there: there are {names}")


def areas_of(smaps: str) -> list[Area]:
    """The VMAs in the text of an smaps file, in its order."""
    found: list[Area] = []
    for line in smaps.splitlines():
        field = re.match(r"(\w+):\s+(.*?)\s*$", line)
        if field is None:
            found.append(Area(line, {}))
        else:
            found[-1] = Area(found[-1].line, {**found[-1].fields, field[1]: field[2]})
    return found


def recorded_process() -> Process:
    """`cat`, as it saw itself on Linux 6.18.44 (`data/processes/`)."""
    text = (data.folder("processes") / RECORDED).read_text(encoding="utf-8")
    return Process("cat on Linux 6.18.44, recorded", areas_of(text))


def this_process() -> Process:
    """The process that runs this notebook, as its kernel shows it; `cat` as it was recorded where that can't be."""
    reason = live_answers.why_unavailable()
    if reason is not None:
        return _instead(reason)
    try:
        text = SMAPS.read_text(encoding="utf-8", errors="backslashreplace")
        limit = MAX_MAP_COUNT.read_text(encoding="ascii").strip()
    except OSError as error:  # systems that look like Linux need not have these files
        return _instead(f"{error.filename}: {error.strerror}")
    # where somebody keeps their files is nobody's business once a notebook is passed on
    areas = areas_of(re.sub(r"(?m)(^[0-9a-f]+-[0-9a-f]+ .* )/.*/", r"\1…/", text))
    note = f"{len(areas)} VMAs; this system allows a process {limit} of them (vm.max_map_count)."
    return Process("The process of this notebook", areas, note)


def _instead(reason: str) -> Process:
    recorded = recorded_process()
    return Process(recorded.who, recorded.areas, f"This process can't be shown: {reason}. Instead you see another.")
