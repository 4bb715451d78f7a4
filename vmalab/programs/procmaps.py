r"""`/proc/PID/maps`, `/proc/PID/smaps`, and what `readelf` prints of a core file's mappings, as records.

Pure text: nothing here looks at a process.  Lines end with `\n` only, as the kernel writes them; a name may hold any
other character.  Source: fs/proc/task_mmu.c; proc_pid_maps(5), proc_pid_smaps(5); readelf(1).
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from attrs import evolve, frozen

_LINE = re.compile(
    r"([0-9a-f]{1,16})-([0-9a-f]{1,16}) ([r-][w-][x-][sp]) ([0-9a-f]+) ([0-9a-f]+:[0-9a-f]+) (\d+) *(.*)", re.S
)
_FIELD = re.compile(r"([A-Z]\w+): *(.*)", re.S)
_NOTE = re.compile(r"\s+0x([0-9a-f]{16})\s+0x([0-9a-f]{16})\s+0x([0-9a-f]{16})$")
_LOAD = re.compile(r"\s+LOAD\s+0x[0-9a-f]+ 0x([0-9a-f]+) 0x[0-9a-f]+ 0x[0-9a-f]+ 0x([0-9a-f]+) ([R ])([W ])([E ])")
_PAGE_SIZE = re.compile(r"\s+Page size: (\d+)")


@frozen
class Entry:
    """One VMA as a process's maps have it.  Addresses and `offset` in bytes.

    `name`: the whole path, `[heap]` and its like, or `""`.  `codes`: the two-letter codes of VmFlags, None where only
    maps are known.  `anonymous`: bytes of private pages (smaps), None where that is not known.  `rights`: whether
    `perms` are known; a core file's notes alone do not tell them.
    """

    start: int
    end: int
    perms: str
    offset: int = 0
    device: str = "00:00"
    inode: int = 0
    name: str = ""
    codes: frozenset[str] | None = None
    anonymous: int | None = None
    rights: bool = True

    @property
    def is_file(self) -> bool:
        """Whether a file is mapped: a file's name never begins with a bracket, for it is a path."""
        return bool(self.name) and not self.is_special

    @property
    def is_special(self) -> bool:
        """Whether the name is one that the kernel gives, such as [stack]; a file may only end like that."""
        return self.name.startswith("[") and not self.inode

    @property
    def is_anonymous(self) -> bool:
        """Whether nothing is mapped but anonymous memory: [heap], [stack] and [anon:…] are names of such."""
        return not self.name or (self.is_special and self.name.startswith(("[heap]", "[stack", "[anon:")))

    @property
    def label(self) -> str:
        """What backs it, for people: the path, the kernel's name for it, or `anonymous`."""
        return self.name or "anonymous"

    def line(self) -> str:
        """As a line of maps."""
        where = f"{self.start:08x}-{self.end:08x} {self.perms} {self.offset:08x} {self.device} {self.inode}"
        return f"{where} {self.name}" if self.name else where


def entry(line: str) -> Entry | None:
    """One line of maps, or the first line of an entry of smaps; None for any other text."""
    match = _LINE.fullmatch(line)
    if match is None:
        return None
    start, end = int(match[1], 16), int(match[2], 16)
    if start >= end:
        return None
    return Entry(start, end, match[3], int(match[4], 16), match[5], int(match[6]), match[7].rstrip("\n"))


def field_of(line: str) -> tuple[str, str] | None:
    """A field of an smaps entry: its name and its value."""
    match = _FIELD.fullmatch(line)
    return None if match is None else (match[1], match[2].strip())


def with_field(last: Entry, name: str, value: str) -> Entry:
    """The entry with what a field below its line says; most fields say nothing about VMAs."""
    if name == "VmFlags":
        return evolve(last, codes=frozenset(value.split()))
    if name == "Anonymous" and value.removesuffix(" kB").isdecimal():
        return evolve(last, anonymous=int(value.removesuffix(" kB")) * 1024)
    return last


def read_maps(lines: Iterable[str]) -> tuple[list[Entry], list[tuple[int, str]]]:
    """The entries of maps or smaps, and the lines that are neither, with their numbers from 1.  O(lines)."""
    found: list[Entry] = []
    odd: list[tuple[int, str]] = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        one = entry(line)
        if one is not None and (not found or found[-1].end <= one.start):
            found.append(one)
            continue
        field = field_of(line) if found else None
        if field is not None:
            found[-1] = with_field(found[-1], *field)
        else:
            odd.append((number, line))
    return found, odd


def read_core(lines: Iterable[str]) -> tuple[list[Entry], list[tuple[int, str]]]:
    """The mappings of a core file, from what `readelf -n` prints of it, or `readelf -Wnl` with their rights.

    The notes name the files, the program headers have all mappings with their rights; the offset in the notes is in
    pages.  Returns the entries, and lines within the table that are not understood.  O(lines · log lines).
    """
    files: list[Entry] = []
    loads: list[Entry] = []
    odd: list[tuple[int, str]] = []
    pending: tuple[int, int, int] | None = None
    page_size = 4096
    in_table = False
    for number, line in enumerate(lines, 1):
        if size := _PAGE_SIZE.match(line):
            page_size, in_table = int(size[1]), True
        elif note := _NOTE.match(line):
            pending = (int(note[1], 16), int(note[2], 16), int(note[3], 16))
        elif pending is not None:
            start, end, offset = pending
            files.append(Entry(start, end, "r--p", offset * page_size, name=line.strip(), rights=False))
            pending = None
        elif load := _LOAD.match(line):
            start, length = int(load[1], 16), int(load[2], 16)
            perms = "".join(letter.lower().replace("e", "x").replace(" ", "-") for letter in load.groups()[2:]) + "p"
            if length:
                loads.append(Entry(start, start + length, perms))
        elif in_table and line.strip() and not re.match(r"\s+(Start|[A-Z]+ )", line):
            odd.append((number, line))
    named = {one.start: one for one in files}
    if not loads:
        return sorted(files, key=lambda one: one.start), odd
    joined = [
        evolve(one, name=named[one.start].name, offset=named[one.start].offset) if one.start in named else one
        for one in sorted(loads, key=lambda one: one.start)
    ]
    return joined, odd


def looks_like(text: str) -> str:
    """What a file's first lines look like: `"maps"`, `"core"` or `""`."""
    for line in text.split("\n", 20)[:20]:
        if entry(line) is not None:
            return "maps"
        if "NT_FILE" in line or "Displaying notes found" in line or "CORE" in line.split()[:1]:
            return "core"
    return "core" if re.search(r"^  CORE\s|NT_FILE|Elf file type is CORE", text, re.M) else ""
