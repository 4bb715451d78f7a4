"""What /proc/self shows of this process: its VMAs, their flags, the pages that are present and what is in them.

Here live no calls that change anything.  The files are opened once and read with pread: they speak of the process
that opened them, so a forked child makes a new `Proc`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from . import broker
from .kernel import PAGE

MOST_PAGES = 1 << 28
"""How many pages one look at the contents may cover (1 TiB): the kernel answers eight bytes for each."""

CODES = frozenset("lo ac dd dc hg nh um uw sl sr rr wf sh de pf ht gd nr".split())
"""The smaps codes that a recording holds."""

_PRESENT, _SWAPPED, _GUARD = 1 << 63, 1 << 62, 1 << 58  # a guard has the swap bit too
_CHUNK = 1 << 16  # pages of pagemap in one read


OPEN: Callable[[], Sequence[int]] = broker.open_files
"""How this process gets at its files: by itself, or where its sandbox forbids that, from the driver."""


REOPEN: Callable[[int], int] = broker.reopen
"""How it gets a descriptor for reading of a file that it has made, likewise."""


class TooMuch(Exception):
    """More than this machine is ready to do; the text is one clear sentence."""


class Area(NamedTuple):
    """One VMA: byte addresses, `perms` as in maps, `backing` and `pgoff` as the scenario format has them."""

    start: int
    end: int
    perms: str
    backing: str | None
    pgoff: int | None


def _area(line: bytes) -> Area:
    """One line of /proc/self/maps, or the first line of an entry of smaps."""
    fields = line.split(None, 5)
    start, end = fields[0].split(b"-")
    perms = fields[1].decode()
    if len(fields) == 5:
        return Area(int(start, 16), int(end, 16), perms, None, None)
    name = fields[5].rstrip().decode("utf-8", "backslashreplace")
    offset = int(fields[2], 16) // PAGE
    if name.startswith("/memfd:"):
        backing, shown = name[7:].removesuffix(" (deleted)"), True
    elif name == "/dev/zero (deleted)":
        backing, shown = "shmem", True
    elif name.startswith(("[heap", "[stack", "[anon")):
        return Area(int(start, 16), int(end, 16), perms, None, None)
    else:
        backing, shown = name, False
    return Area(int(start, 16), int(end, 16), perms, backing, offset if shown else None)


class Proc:
    """This process as /proc/self shows it.

    `pages_known`: whether the system shows which pages are present; where it does not, none is ever listed.
    """

    def __init__(self, opened: Callable[[], Sequence[int]] | None = None) -> None:
        self._files = list((opened or OPEN)())
        self._maps, self._smaps, self._mem, self._statm, self._status = self._files[: broker.NEEDED]
        self._pagemap = self._files[broker.NEEDED] if len(self._files) > broker.NEEDED else -1
        self.pages_known = self._pagemap >= 0
        self._known: dict[bytes, Area] = {}
        self._used = [512, 4096]

    def close(self) -> None:
        """Let go of the files; for a child that has its own now."""
        for fd in self._files:
            os.close(fd)

    # --- VMAs

    def areas(self, low: int, high: int) -> list[Area]:
        """The VMAs that intersect bytes [low, high), in order.  Reads no further than needed."""
        found: list[Area] = []
        known = self._known
        for line in self._lines(self._maps, 0):
            area = known.get(line)
            if area is None:
                if len(known) > 1000:
                    known.clear()
                area = known[line] = _area(line)
            if area.end > low:
                if area.start >= high:
                    break
                found.append(area)
        return found

    def offsets(self, low: int, high: int) -> list[tuple[int, int]]:
        """vm_start (bytes) and the offset (pages) that maps prints, of each VMA that intersects bytes [low, high)."""
        found = []
        for line in self._lines(self._maps, 0):
            area, offset = _area(line), int(line.split(None, 3)[2], 16) // PAGE
            if area.start < high and low < area.end:
                found.append((area.start, offset))
        return found

    def _lines(self, file: int, which: int) -> Iterator[bytes]:
        """The lines of a /proc file.

        The kernel makes up the text as it is asked for it, one entry after the other, and that is most of the cost
        of a look.  So the first read asks for about as much as was used the last time.
        """
        position, rest, ask = 0, b"", self._used[which]
        used = 0
        try:
            while text := os.pread(file, ask, position):
                position += len(text)
                lines = (rest + text).split(b"\n")
                rest = lines.pop()
                for line in lines:
                    used += len(line) + 1
                    yield line
                ask = 4096
        finally:
            self._used[which] = used + 64

    def count(self) -> int:
        """map_count: the VMAs of this process, [vsyscall] not counted."""
        position, lines, last = 0, 0, b""
        while text := os.pread(self._maps, 1 << 16, position):
            position += len(text)
            lines += text.count(b"\n")
            last = text
        return lines - last.rstrip().endswith(b"[vsyscall]")

    def flags(self, low: int, high: int) -> dict[int, list[str]]:
        """For each VMA that intersects [low, high), by vm_start: its smaps codes among `CODES`, sorted."""
        found: dict[int, list[str]] = {}
        start, wanted = 0, False
        for line in self._lines(self._smaps, 1):
            if line.startswith(b"VmFlags:"):
                if wanted:
                    found[start] = sorted(CODES.intersection(line[8:].decode().split()))
            elif not line[:1].isupper():  # every other line of an entry begins with the capital of a field's name
                area = _area(line)
                start, wanted = area.start, area.end > low
                if start >= high:
                    break
        return found

    # --- pages

    def present(self, start: int, end: int) -> list[int]:
        """Byte addresses in [start, end) whose page is present, or swapped out, in order."""
        found: list[int] = []
        for first, entries in self._entries(start, end):
            found += [
                first + i * PAGE
                for i, entry in enumerate(entries)
                if entry & (_PRESENT | _SWAPPED) and not entry & _GUARD
            ]
        return found

    def _entries(self, start: int, end: int) -> list[tuple[int, memoryview]]:
        """The pagemap entries of [start, end) that are not all zero, in chunks with their first address."""
        if not self.pages_known:
            return []
        if end - start > MOST_PAGES * PAGE:
            raise TooMuch(f"a VMA of {(end - start) // PAGE} pages is more than the live machine looks into")
        found = []
        for first in range(start, end, _CHUNK * PAGE):
            size = min(_CHUNK, (end - first) // PAGE) * 8
            data = os.pread(self._pagemap, size, first // PAGE * 8)
            if data.count(0) != len(data):
                found.append((first, memoryview(data).cast("Q")))
        return found

    def word(self, address: int) -> int | None:
        """The first 64 bits of the present page at `address`, whatever its protection; None where /proc refuses."""
        try:
            data = os.pread(self._mem, 8, address)
        except OSError:
            return None
        return int.from_bytes(data, "little") if len(data) == 8 else None

    def contents(self, start: int, end: int) -> dict[int, int | None]:
        """Byte address → first 64 bits, for the present pages of [start, end)."""
        return {address: self.word(address) for address in self.present(start, end)}

    # --- counters

    def size(self) -> int:
        """VmSize in pages: what RLIMIT_AS is held against."""
        return int(os.pread(self._statm, 64, 0).split()[0])

    def resident(self) -> int:
        """VmRSS in bytes, as `sandbox.resident` counts it."""
        return int(os.pread(self._statm, 64, 0).split()[1]) * PAGE

    def locked(self) -> int:
        """VmLck in pages: what RLIMIT_MEMLOCK is held against."""
        return self._status_pages(b"VmLck:")

    def data(self) -> int:
        """VmData in pages: what RLIMIT_DATA is held against."""
        return self._status_pages(b"VmData:")

    def _status_pages(self, name: bytes) -> int:
        for line in os.pread(self._status, 1 << 16, 0).splitlines():
            if line.startswith(name):
                return int(line.split()[1]) * 1024 // PAGE
        raise OSError(f"/proc/self/status has no {name.decode()}")
