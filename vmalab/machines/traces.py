"""The kernel's own traces: what ftrace saw of each call of a program, recorded on real kernels (`data/traces/`).

A trace comes as a text (`vmalab/machines/live/driver/ftrace.py` says in which form) and is read here into calls in the
order in which they were made.  `trace_of` finds the trace for a program: one is known for every beginning of a recorded
one.  What a trace says about the steps of the model is judged in `vmalab/differences/signed.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from attrs import define, frozen

from vmalab.errors import RecordingError, ScenarioError
from vmalab.linux.call import Call
from vmalab.linux.functions import places
from vmalab.linux.mm.trace import Step
from vmalab.programs import data
from vmalab.programs.scenario import Scenario, load_scenarios, parse_json, read_bytes, scenario_from_json

SUFFIX = ".json.xz"
SCENARIOS = "scenarios" + SUFFIX
_TOKEN = re.compile(r"[()]|[^\s()]+")
_CALL = re.compile(r"(?:(\d+)\*)?([\w.]+)(?:=(\w+))?$")


@frozen
class Traced:
    """A call of a function in the kernel.

    `depth`: how deep it lies in what a trace shows, from 0.  `errno`: the symbol that it returned, None for any other
    value and for a function that was not asked.  `times`: as often as that, one after the other, alike.
    """

    name: str
    depth: int
    errno: str | None = None
    times: int = 1

    def __str__(self) -> str:
        returned = f" = {self.errno}" if self.errno else ""
        return "  " * self.depth + (f"{self.times} × " if self.times > 1 else "") + f"{self.name}(){returned}"


def traced_calls(text: str) -> tuple[Traced, ...]:
    """The calls of a trace, each before those that it made.  O(length).

    Raises RecordingError for a text that is no trace.

    >>> [str(call) for call in traced_calls("__x64_sys_munmap=EINVAL(__vm_munmap=EINVAL(do_vmi_munmap=EINVAL))")]
    ['__x64_sys_munmap() = EINVAL', '  __vm_munmap() = EINVAL', '    do_vmi_munmap() = EINVAL']
    """
    found: list[Traced] = []
    depth = 0
    for token in _TOKEN.findall(text):
        if token in "()":
            depth += 1 if token == "(" else -1
            continue
        match = _CALL.fullmatch(token)
        if match is None or depth < 0:
            raise RecordingError(f"not a trace: {token!r}")
        found.append(Traced(match[2], depth, match[3], int(match[1] or 1)))
    return tuple(found)


@frozen
class Trace:
    """What the kernel did in one call: its `release`, the `calls`, and what it could have traced."""

    release: str
    text: str
    traceable: frozenset[str]
    returning: frozenset[str]

    @property
    def calls(self) -> tuple[Traced, ...]:
        """The calls, in the order in which they were made."""
        return traced_calls(self.text)

    def __str__(self) -> str:
        return "\n".join(map(str, self.calls))


@define(slots=False)
class Traces:
    """The traces of one kernel, from an outcome document with the key `trace`; `scenarios`: what was recorded."""

    document: dict[str, Any]
    scenarios: Sequence[Scenario]

    @property
    def release(self) -> str:
        """The release as the kernel called itself, without what its distribution appended."""
        match = re.match(r"\d+(\.\d+)*", str(self.document["release"]))
        return match[0] if match else str(self.document["release"])

    @cached_property
    def traceable(self) -> frozenset[str]:
        """The functions that matter which this kernel can trace."""
        return frozenset(self.document["trace"]["traceable"])

    @cached_property
    def returning(self) -> frozenset[str]:
        """Those of them whose errno it tells."""
        return frozenset(self.document["trace"]["returning"])

    @cached_property
    def programs(self) -> tuple[tuple[Scenario, tuple[str | None, ...]], ...]:
        """The recorded scenarios, each with the trace of every step; None where a step has none."""
        traces = {result["name"]: result.get("steps") for result in self.document["results"]}
        return tuple(
            (scenario, tuple(step.get("trace") for step in traces[scenario.name]))
            for scenario in self.scenarios
            if traces.get(scenario.name) is not None
        )

    def trace(self, text: str) -> Trace:
        """A trace of this kernel."""
        return Trace(self.release, text, self.traceable, self.returning)

    @cached_property
    def _known(self) -> dict[int | None, str]:
        known: dict[int | None, str] = {}
        for scenario, traces in self.programs:
            key = first_key(not scenario.unprivileged)
            for call, text in zip(scenario.steps, traces, strict=True):
                key = next_key(key, call)
                if text is not None:
                    known.setdefault(key, text)
        return known

    def find(self, key: int | None) -> Trace | None:
        """The trace of the last call of the program that `key` stands for."""
        text = self._known.get(key)
        return None if text is None else self.trace(text)


def first_key(privileged: bool) -> int | None:
    """What stands for a program without a call yet."""
    return hash(("program", privileged))


def next_key(key: int | None, call: Call) -> int | None:
    """What stands for the program `key` with one call more; None for None.  O(1): a process keeps it call by call."""
    return None if key is None else hash((key, call))


def releases() -> list[str]:
    """The releases that traces came with this package for, oldest first."""
    found = [path.name.removesuffix(SUFFIX) for path in data.folder("traces").glob(f"[0-9]*{SUFFIX}")]
    return sorted(found, key=lambda release: [int(number) for number in release.split(".")])


def read_traces(path: Path) -> Traces:
    """The traces in a file of `vmalab record --trace`, or of `data/traces/`, whose scenarios lie beside it.

    Raises RecordingError for a file that has none.
    """
    try:
        document = parse_json(read_bytes(path, str(path)), str(path))
        if not isinstance(document, dict) or not {"release", "trace", "results"} <= document.keys():
            raise RecordingError(f"{path}: no recording with traces: vmalab record --trace makes one")
        own = document.get("scenarios")
        if own is None:
            return Traces(document, load_scenarios(path.parent / SCENARIOS))
        return Traces(document, [scenario_from_json(item, str(path)) for item in own])
    except ScenarioError as error:
        raise RecordingError(str(error)) from None


@cache
def load(release: str) -> Traces:
    """The traces of a recorded release (one of `releases`)."""
    return read_traces(data.folder("traces") / (release + SUFFIX))


def recorded_for(release: str, known: Sequence[str] | None = None) -> str | None:
    """The recorded release that speaks for `release`: the same, or one of the same series; None where there is none."""
    known = releases() if known is None else known
    if release in known:
        return release
    series = ".".join(release.split(".")[:2])
    same = [one for one in known if one.split(".")[:2] == series.split(".")]
    return same[-1] if same else None


def trace_of(release: str, key: int | None) -> Trace | None:
    """The kernel's own trace of the last call of program `key` on `release`, or another of its series; else None."""
    recorded = recorded_for(release)
    return None if recorded is None or key is None else load(recorded).find(key)


# --- where a step is in a trace ---


def positions(steps: Sequence[Step], trace: Trace) -> tuple[int | None, ...]:
    """For each step the index of the traced call in which it happens: running at that point, or entered later.

    -1 where no call fits, None for a step that no trace can have.  O(steps · (depth + length of the trace)).
    """
    calls = trace.calls
    found: list[int | None] = []
    position, running = -1, dict[str, int]()
    for step in steps:
        names = places(step.func, step.key, trace.traceable)
        if not names:
            found.append(None)
            continue
        place = next((running[name] for name in names if name in running), -1)
        if place < 0:
            place = _entered(names, calls, position)
            if place >= 0:
                position, running = place, running_at(calls, place)
        found.append(place)
    return tuple(found)


def _entered(names: Iterable[str], calls: Sequence[Traced], position: int) -> int:
    """The next call behind index `position` of the first of `names` that is called at all, or -1.

    Calls that were made several times alike stand there once: the next one may be the same one again.
    """
    starts = [position + 1]
    starts += [at for at in running_at(calls, position).values() if calls[at].times > 1] if position >= 0 else []
    for start in starts:
        for name in names:
            for index in range(start, len(calls)):
                if calls[index].name == name:
                    return index
    return -1


def running_at(calls: Sequence[Traced], index: int) -> dict[str, int]:
    """The functions that run where call `index` is entered → their innermost call."""
    found: dict[str, int] = {}
    depth = calls[index].depth + 1
    for at in range(index, -1, -1):
        if calls[at].depth < depth:
            depth = calls[at].depth
            found.setdefault(calls[at].name, at)
            if not depth:
                break
    return found
