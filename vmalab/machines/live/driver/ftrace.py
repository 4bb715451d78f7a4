"""The kernel's own trace of single calls: ftrace's function graph, for `vmalab record --trace`.

Needs root, and a kernel with the function graph tracer (Debian's have it).  The tracer belongs to the whole system, so
it runs only while a call is made, traces no function but those that matter (`functions.py`), and is put back as it was
(`close`).

A trace is a text: a call is its function, `=ERRNO` where it returned one, and the calls that it made in parentheses:
`__x64_sys_munmap(__vm_munmap(do_vmi_munmap=EINVAL))`; `3*f` stands for three calls of `f` alike, one after the other.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
from collections.abc import Iterable
from typing import Any

from .functions import ENTRY, FAULTS, FUNCTIONS, RETURNING

FOLDERS = ("/sys/kernel/tracing", "/sys/kernel/debug/tracing")
BUFFER = 8192
"""KiB of the trace's buffer, for each processor."""

GROUP = "vmalab"
"""Of the probes that tell what functions return."""

OPTIONS = {
    "funcgraph-proc": "1", "funcgraph-cpu": "0", "funcgraph-duration": "0", "funcgraph-overhead": "0",
    "funcgraph-tail": "1", "funcgraph-irqs": "0", "funcgraph-abstime": "0",
}  # fmt: skip
"""How the graph is written; a kernel has those that it knows."""

_LINE = re.compile(r".*-(\d+)\s+\|\s+(.*?)\s*$")
_CALL = re.compile(r"([\w.]+)\(.*?\)\s*(\{|;)$")
_END = re.compile(r"\}(\s*/\* [\w.]+ \*/)?$")
_RETURN = re.compile(r"/\* (\w+): \(.*<-.*\) value=(-?\d+) \*/$")
_AT = re.compile(r"/\* at_(\w+): \(.*\) address=(\d+) \*/$")
_SUFFIX = re.compile(r"\.(?:isra|constprop|part|cold|llvm).*$")

Call = list[Any]
"""A function's name, the errno that it returned or None, the calls that it made, and the address of a fault or None."""

Wanted = str | tuple[int, int]
"""What a trace is of: a system call by its name, or accesses to the bytes [start, end)."""


class NoTrace(Exception):
    """This system traces nothing for us; the text is one sentence that says why."""


class Ftrace:
    """The tracer of this system, set up; `begin` and `end` stand around one call.

    Made by the driver before its sandbox; the processes that it forks have it too.  Raises NoTrace.
    """

    def __init__(self) -> None:
        if os.geteuid() != 0:
            raise NoTrace("a trace needs root: ftrace belongs to the whole system")
        found = [folder for folder in FOLDERS if os.path.exists(f"{folder}/available_tracers")]
        if not found:
            raise NoTrace("there is no tracefs at /sys/kernel/tracing: mount -t tracefs tracefs /sys/kernel/tracing")
        self.folder = found[0]
        if "function_graph" not in self._read("available_tracers").split():
            raise NoTrace("this kernel has no function graph tracer (CONFIG_FUNCTION_GRAPH_TRACER)")
        if self._read("current_tracer") != "nop":
            raise NoTrace(f"ftrace is in use here (current_tracer is {self._read('current_tracer')})")
        known: dict[str, tuple[int, str]] = {}
        for number, line in enumerate(self._read("available_filter_functions").split("\n"), 1):
            symbol = line.partition(" ")[0]
            name = _SUFFIX.sub("", symbol)
            if name in FUNCTIONS:
                known[name] = number, symbol
        self.traceable = sorted(known)
        self._usual: list[tuple[str, str]] = []
        self._set("tracing_on", "0")
        self._set("buffer_size_kb", str(BUFFER))
        self._write("set_ftrace_filter", " ".join(str(number) for number, _ in known.values()))
        self._write("current_tracer", "function_graph")
        for name, value in OPTIONS.items():
            with contextlib.suppress(FileNotFoundError):
                self._set(f"options/{name}", value)
        self.returning = self._probe({name: symbol for name, (_, symbol) in known.items()})
        self._on = os.open(f"{self.folder}/tracing_on", os.O_WRONLY | os.O_CLOEXEC)
        self._pipe = os.open(f"{self.folder}/trace_pipe", os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)

    def about(self) -> dict[str, list[str]]:
        """The functions that this kernel can trace, and those whose return value it tells."""
        return {"traceable": self.traceable, "returning": self.returning}

    def _read(self, name: str) -> str:
        with open(f"{self.folder}/{name}") as file:
            return file.read().strip()

    def _write(self, name: str, text: str) -> None:
        with open(f"{self.folder}/{name}", "w") as file:
            file.write(text)

    def _set(self, name: str, value: str) -> None:
        self._usual.append((name, self._read(name).split(" ")[0]))
        self._write(name, value)

    def _probe(self, symbols: dict[str, str]) -> list[str]:
        """Have the graph tell what functions return, and at which address a fault is; the functions that return.

        By probes of the tracer: few kernels are built with funcgraph-retval, and none tells arguments of old.
        """
        if not os.path.exists(f"{self.folder}/kprobe_events"):
            raise NoTrace("this kernel has no probes for its tracer (CONFIG_KPROBE_EVENTS)")
        probes = {name: f"r:{GROUP}/{name} {symbol} value=$retval:s32"
                  for name, symbol in symbols.items() if name in RETURNING}  # fmt: skip
        returning = sorted(probes)
        probes |= {f"at_{name}": f"p:{GROUP}/at_{name} {symbols[name]} address={argument}:u64"
                   for name, argument in FAULTS.items() if name in symbols}  # fmt: skip
        self._probes = sorted(probes)
        self._append("kprobe_events", "\n".join(probes.values()))
        self._write(f"events/{GROUP}/enable", "1")
        return returning

    def _append(self, name: str, text: str) -> None:
        file = os.open(f"{self.folder}/{name}", os.O_WRONLY | os.O_APPEND)
        try:
            for line in text.splitlines():
                os.write(file, line.encode() + b"\n")
        finally:
            os.close(file)

    def close(self) -> None:
        """Put the system's tracer back as it was."""
        os.close(self._pipe)
        os.close(self._on)
        self._write("current_tracer", "nop")
        self._write("set_ftrace_filter", "")
        self._write(f"events/{GROUP}/enable", "0")
        self._append("kprobe_events", "\n".join(f"-:{GROUP}/{name}" for name in self._probes))
        for name, value in reversed(self._usual):
            self._write(name, value)

    def begin(self) -> None:
        """What the kernel does from now on is traced."""
        os.write(self._on, b"1")

    def end(self, wanted: Wanted, process: int = 0) -> str:
        """No more of it; the trace of what is `wanted` of this process, or another one, since `begin`."""
        os.write(self._on, b"0")
        parts = []
        with contextlib.suppress(BlockingIOError):
            while data := os.read(self._pipe, 1 << 16):
                parts.append(data)
        roots = tree(b"".join(parts).decode(errors="replace").splitlines(), process or os.getpid())
        if isinstance(wanted, str):
            return text([root for root in roots if root[0] == ENTRY + wanted][-1:])
        start, end = wanted
        return text([root for root in roots if root[3] is not None and start <= root[3] < end])


def tree(lines: Iterable[str], process: int) -> list[Call]:
    """The calls of one process in ftrace's lines."""
    roots: list[Call] = []
    open_calls: list[Call] = []
    latest: dict[str, Call] = {}
    addresses: dict[str, int] = {}
    for line in lines:
        match = _LINE.match(line)
        if match is None or int(match[1]) != process:
            continue
        if call := _CALL.match(match[2]):
            name = _SUFFIX.sub("", call[1])
            made = latest[name] = [name, None, [], addresses.pop(name, None)]
            (open_calls[-1][2] if open_calls else roots).append(made)
            if call[2] == "{":
                open_calls.append(made)
        elif _END.match(match[2]):
            if open_calls:
                open_calls.pop()
        elif (value := _RETURN.match(match[2])) and value[1] in latest:
            latest[value[1]][1] = errno.errorcode.get(-int(value[2]))
        elif at := _AT.match(match[2]):  # it stands before the call that it speaks of, or right behind its name
            name, address = at[1], int(at[2])
            if name in latest and latest[name][3] is None:
                latest[name][3] = address
            else:
                addresses[name] = address
    return roots


def text(calls: list[Call]) -> str:
    """Calls as a text; see above."""
    said: list[list[Any]] = []
    for name, refused, inner, _ in calls:
        one = name + (f"={refused}" if refused else "") + (f"({text(inner)})" if inner else "")
        if said and said[-1][1] == one:
            said[-1][0] += 1
        else:
            said.append([1, one])
    return " ".join(one if count == 1 else f"{count}*{one}" for count, one in said)
