"""strace's text as events: `read_log(path)`, `parse(lines)`.

Reads what strace(1) writes with any of its common options (-f, -ff, -t -tt -ttt -r -T, -i, -n, -y, -Y, -k, -X,
-e trace=…), and what `vmalab trace` adds as lines that begin with `#`.  Every line is accounted for: it is part of an
event, or of a kind that says nothing about VMAs, or it is left out by its number and the reason.  What a call's
arguments mean is known to `stracecalls.py`.
"""

from __future__ import annotations

import gzip
import lzma
import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import IO

from attrs import define, evolve, field, frozen

from vmalab.errors import ScenarioError
from vmalab.linux.syscalls import SYSCALLS
from vmalab.programs.procmaps import Entry, entry, field_of, with_field
from vmalab.programs.stracecalls import MEMORY, WITHOUT_EFFECT, Decoded, NotUnderstood, decoded

FIRST_LINE = "# vmalab trace 1"
"""How a file that `vmalab trace` wrote begins."""

MOST_STACK = 64
"""So many stack lines of a call are kept."""


@frozen
class Traced:
    """One system call.  `line` is where it ended in the file, `began` where it began (the same, unless interrupted).

    `answer`: what it returned, None where it failed or never returned; `errno`: the symbol; `time`: seconds as strace
    printed them, for -r since the line before; `path`: the file of the descriptor that it returned (-y); `stack`: the
    places in the program, innermost first (-k).
    """

    line: int
    began: int
    pid: int
    what: Decoded
    answer: int | None = None
    errno: str | None = None
    time: float | None = None
    path: str | None = None
    stack: tuple[str, ...] = ()


@frozen
class Ended:
    """A process or thread that is no more: `how` as strace has it, such as `exited with 0` or `killed by SIGSEGV`."""

    line: int
    pid: int
    how: str


@frozen
class Signalled:
    """A signal that a process got."""

    line: int
    pid: int
    signal: str


@frozen
class MapsSeen:
    """The VMAs of a process as `vmalab trace` saw them: `when` is `after execve` or `at the end`."""

    line: int
    pid: int
    when: str
    entries: tuple[Entry, ...]


Event = Traced | Ended | Signalled | MapsSeen


@frozen
class LeftOut:
    """A line that was not understood: its number from 1, what it says (at most 200 characters), and why."""

    line: int
    text: str
    why: str


@define(repr=False)
class StraceLog:
    """What a log holds.  `counts`: how many lines are of each kind; they add up to `lines`."""

    name: str = ""
    events: list[Event] = field(factory=list)
    left_out: list[LeftOut] = field(factory=list)
    counts: Counter[str] = field(factory=Counter)
    about: dict[str, str] = field(factory=dict)
    lines: int = 0

    def __repr__(self) -> str:
        return f"<StraceLog {self.name}: {self.lines} lines, {len(self.calls)} calls>"

    @property
    def calls(self) -> list[Traced]:
        """The calls that say something about an address space, in order."""
        return [event for event in self.events if isinstance(event, Traced)]


_PREFIX = re.compile(
    r"(?:\[pid +(\d+)(?:<[^>]*>)?\] |(\d+)(?:<[^>]*>)? +)?"
    r" *(?:(\d\d:\d\d:\d\d(?:\.\d+)?|\d+\.\d+) +)?(?:\(\+ *[\d.]+\) )?"
    r"((?:\[ *[0-9a-f?]+\] )*)(?=[a-z_]\w*\(|[-+]{3} |<\.\.\. |strace: )"
)
_WHOLE = re.compile(r"(\w+)\((.*)\)\s+= (.*)", re.S)
_RESUMED = re.compile(r"<\.\.\. (\w+) resumed>(.*)", re.S)
_REST = re.compile(r"(.*)\)\s+= (.*)", re.S)
_CUT = re.compile(r"(\w+)\((.*?),? *<(?:unfinished|detached) \.\.\.>", re.S)
_RESULT = re.compile(
    r"(\?|-?\d+|0x[0-9a-f]+)(?:<(.*?)>(?:\(deleted\))?)?(?: ([A-Z][A-Z0-9_]+))?(?: \(.*?\))*(?: <\d+\.\d+>)?"
    r"(?: \(INJECTED\)| \(DELAYED\))*",
    re.S,
)
_ENDED = re.compile(
    r"\+\+\+ (exited with \d+|killed by \w+(?: \(core dumped\))?|superseded by execve in pid \d+) \+\+\+"
)
_SIGNAL = re.compile(r"--- (?:(SIG\w+) \{.*\}|(SIG\w+) \(.*\)(?: @ .*)?|stopped by (\w+)|(SIG\w+)) ---", re.S)
_STACK = re.compile(r" > (.+)", re.S)
_MAPS = re.compile(r"# maps (\d+) (after execve|at the end)")
_ABOUT = re.compile(r"# (\w[\w ]*): (.*)", re.S)
_OWN_WORDS = re.compile(
    r"(?:strace: )?Process \d+ (?:attached|detached)|strace: .*|\[ Process PID=\d+ runs in .* mode\. \]"
)


def read_log(path: str | Path) -> StraceLog:
    """Read a file of strace's text, packed (.xz, .gz) or not; where there is none, all FILE.PID of `strace -ff`.

    The files of -ff are put together by their times; without times (-t, -ttt) one follows the other, which is said in
    `about`.  Raises ScenarioError where nothing can be read, or nothing in it is strace's.  O(lines).
    """
    there = Path(path)
    if not there.exists():
        parts = sorted(
            (int(one.suffix[1:]), one) for one in there.parent.glob(f"{there.name}.*") if one.suffix[1:].isdecimal()
        )
        if parts:
            return _put_together(there.name, [(pid, _parse_file(one, pid)) for pid, one in parts])
    log = _parse_file(there)
    if not log.events:
        why = f": line {log.left_out[0].line} is {log.left_out[0].why}" if log.left_out else ""
        raise ScenarioError(f"{there}: no system call in it that strace has written{why}")
    return log


def is_strace(path: str | Path) -> bool:
    """Whether a file is what strace wrote (or there is only its parts, FILE.PID), by its first lines."""
    there = Path(path)
    if not there.exists():
        return any(one.suffix[1:].isdecimal() for one in there.parent.glob(f"{there.name}.*"))
    try:
        with _opened(there) as file:
            lines = [file.readline(1000).decode("utf-8", "backslashreplace") for _ in range(20)]
    except (OSError, lzma.LZMAError, EOFError):
        return False
    return any(line.startswith(FIRST_LINE) or _PREFIX.match(line) for line in lines)


def _parse_file(path: Path, pid: int = 0) -> StraceLog:
    try:
        with _opened(path) as file:
            log = parse((line.decode("utf-8", "backslashreplace") for line in file), pid=pid)
    except (OSError, lzma.LZMAError, EOFError) as error:
        raise ScenarioError(f"{path}: {getattr(error, 'strerror', None) or error}") from None
    log.name = path.name
    return log


def _opened(path: Path) -> IO[bytes]:
    if path.suffix == ".xz":
        return lzma.open(path)
    return gzip.open(path) if path.suffix == ".gz" else open(path, "rb")  # type: ignore[return-value]


def _put_together(name: str, parts: list[tuple[int, StraceLog]]) -> StraceLog:
    whole = StraceLog(name)
    events: list[tuple[float, int, int, Event]] = []
    timed = True
    for order, (_, log) in enumerate(parts):
        whole.left_out += log.left_out
        whole.counts += log.counts
        whole.about |= log.about
        whole.lines += log.lines
        last = 0.0
        for number, event in enumerate(log.events):
            time = event.time if isinstance(event, Traced) else None
            timed = timed and (time is not None or not isinstance(event, Traced))
            last = last if time is None else time
            events.append((last, order, number, event))
    if timed:
        events.sort(key=lambda one: one[:3])
    else:
        whole.about["order"] = "unknown: strace -ff without -ttt does not tell what happened first in two processes"
    whole.events = [event for *_, event in events]
    return whole


def parse(lines: Iterable[str], *, pid: int = 0) -> StraceLog:
    """The events in strace's lines; `pid`: whose lines without a process id are.  O(length)."""
    reader = _Reader(pid)
    for number, line in enumerate(lines, 1):
        reader.log.lines = number
        reader.read(number, line.rstrip("\n").removesuffix("\r"))
    reader.close()
    return reader.log


class _Reader:
    """What has been read so far, and what waits for its other half."""

    def __init__(self, pid: int) -> None:
        self.log = StraceLog()
        self.default = pid
        self.halves: dict[int, tuple[int, str, str, float | None]] = {}
        """Process id → line, name and arguments of its call that has not returned yet, and when it began."""
        self.maps: tuple[int, int, str, list[Entry]] | None = None
        self.has_pids: bool | None = None
        self.stack: list[str] = []
        self.last: Traced | None = None

    def read(self, number: int, line: str) -> None:
        if self.maps is not None and line.startswith("# "):
            return self._in_maps(number, line)
        if line.startswith("#"):
            return self._comment(number, line)
        if not line.strip():
            return self._count("blank")
        if line.startswith(" > "):
            return self._stack_line(line)
        self._end_stack()
        prefix = _PREFIX.match(line)
        if prefix is None:
            if _OWN_WORDS.fullmatch(line):
                return self._count("strace's own words")
            return self._leave(number, line, "not a line that strace writes")
        named = prefix[1] or prefix[2]
        if self.has_pids is None:
            self.has_pids = named is not None
        elif self.has_pids and named is None and prefix[1] is None:
            return self._leave(number, line, "without a process id, which the lines before it have")
        pid = int(named) if named is not None else self.default
        return self._body(number, line, pid, _seconds(prefix[3]), line[prefix.end() :])

    def _body(self, number: int, line: str, pid: int, time: float | None, body: str) -> None:
        if body.startswith("+++"):
            return self._ended(number, line, pid, body)
        if body.startswith("---"):
            signal = _SIGNAL.fullmatch(body)
            if signal is None:
                return self._leave(number, line, "a signal whose line is broken")
            self.log.events.append(Signalled(number, pid, next(part for part in signal.groups() if part)))
            return self._count("signals")
        if body.startswith("strace: "):
            return self._count("strace's own words")
        if body.startswith("<..."):
            return self._resumed(number, line, pid, body)
        whole = _WHOLE.fullmatch(body)
        if whole is not None:
            return self._call(number, number, line, pid, time, whole[1], whole[2], whole[3])
        cut = _CUT.fullmatch(body)
        if cut is not None and _known(cut[1]):
            self.halves[pid] = (number, cut[1], cut[2], time)
            return self._count("beginnings of calls")
        return self._leave(number, line, "a call whose line is broken")

    def _resumed(self, number: int, line: str, pid: int, body: str) -> None:
        resumed = _RESUMED.fullmatch(body)
        rest = _REST.fullmatch(resumed[2]) if resumed is not None else None
        if resumed is None or rest is None:
            return self._leave(number, line, "the second half of a call, and broken")
        half = self.halves.get(pid)
        if half is None or half[1] != resumed[1]:
            if not _known(resumed[1]) or resumed[1] in MEMORY:
                return self._leave(number, line, "the second half of a call whose first half is not there")
            return self._count("other calls")
        del self.halves[pid]
        tail = rest[1].strip().removeprefix(",").strip()
        arguments = f"{half[2].rstrip(', ')}, {tail}" if half[2] and tail else half[2] or tail
        return self._call(number, half[0], line, pid, half[3], half[1], arguments, rest[2])

    def _call(
        self, number: int, began: int, line: str, pid: int, time: float | None, name: str, text: str, result: str
    ) -> None:  # fmt: skip
        if name not in MEMORY:
            known = _known(name)
            if known:
                return self._count("calls without effect on VMAs" if name in WITHOUT_EFFECT else "other calls")
            return self._leave(number, line, f"{name[:30]!r}, which is no system call of Linux")
        given = _RESULT.fullmatch(result.strip())
        if given is None:
            return self._leave(number, line, "a call whose result is broken")
        try:
            what = decoded(name, text)
        except NotUnderstood as problem:
            return self._leave(number, line, f"{name}: {problem}")
        if what is None or what.name == "other":
            return self._count("other calls")
        errno = given[3]
        answer = None if errno or given[1] == "?" else int(given[1], 0)
        if errno is None and answer is None and what.name != "execve":
            errno = "?"
        self.last = Traced(number, began, pid, what, answer, errno, time, given[2])
        self.log.events.append(self.last)
        return self._count("calls")

    def _ended(self, number: int, line: str, pid: int, body: str) -> None:
        ended = _ENDED.fullmatch(body)
        if ended is None:
            return self._leave(number, line, "the end of a process, and broken")
        self.halves.pop(pid, None)
        self.log.events.append(Ended(number, pid, ended[1]))
        return self._count("ends")

    # --- the lines of -k

    def _stack_line(self, line: str) -> None:
        match = _STACK.fullmatch(line)
        if match is not None and len(self.stack) < MOST_STACK:
            self.stack.append(match[1])
        self._count("stack lines")

    def _end_stack(self) -> None:
        if self.stack and self.last is not None and self.log.events and self.log.events[-1] is self.last:
            self.log.events[-1] = evolve(self.last, stack=tuple(self.stack))
        self.stack = []
        self.last = None

    # --- the lines that `vmalab trace` adds

    def _comment(self, number: int, line: str) -> None:
        self._count("comments")
        if match := _MAPS.fullmatch(line):
            self.maps = (number, int(match[1]), match[2], [])
        elif about := _ABOUT.fullmatch(line):
            self.log.about.setdefault(about[1], about[2])

    def _in_maps(self, number: int, line: str) -> None:
        assert self.maps is not None
        began, pid, when, entries = self.maps
        text = line[2:]
        if text == "end":
            self.maps = None
            self.log.events.append(MapsSeen(began, pid, when, tuple(entries)))
            return self._count("maps")
        one, below = entry(text), field_of(text)
        if one is not None:
            entries.append(one)
        elif below is not None and entries:
            entries[-1] = with_field(entries[-1], *below)
        else:
            return self._leave(number, line, "no line of maps")
        return self._count("maps")

    # --- accounting

    def _count(self, kind: str) -> None:
        self.log.counts[kind] += 1

    def _leave(self, number: int, line: str, why: str) -> None:
        self.log.left_out.append(LeftOut(number, line[:200], why))
        self._count("left out")

    def close(self) -> None:
        """The log has ended: what still waits for its other half is left out."""
        self._end_stack()
        if self.maps is not None:
            began, pid, when, _ = self.maps
            self.log.left_out.append(LeftOut(began, f"# maps {pid} {when}", "maps that break off"))
        for _, (number, name, arguments, _) in sorted(self.halves.items()):
            if name in MEMORY and MEMORY[name] is not MEMORY["execve"]:
                text = f"{name}({arguments} <unfinished ...>"
                self.log.left_out.append(LeftOut(number, text[:200], "a call that had not returned when the log ended"))
                self.log.counts["beginnings of calls"] -= 1
                self.log.counts["left out"] += 1
        self.log.counts += Counter()


def _known(name: str) -> bool:
    return name in SYSCALLS or name.startswith("syscall_0x")


def _seconds(text: str | None) -> float | None:
    """When, in seconds: since the epoch, since midnight, or as -r counts."""
    if text is None:
        return None
    if ":" not in text:
        return float(text)
    hours, minutes, seconds = text.split(":")
    return int(hours) * 3600 + int(minutes) * 60 + float(seconds)
