"""Calls of a program with their steps, found in one replay: `stepped(line, moments)`; which to take: `telling(line)`.

For pages that play without Python.  Each call is made once with its steps, in the state that the program was in, and
taken back; then the replay makes it as it always does.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from vmalab.differences.timeline import Shape, Timeline
from vmalab.differences.why import outcome_of, pattern_of
from vmalab.linux.mm.space import AddressSpace
from vmalab.machines.model import Model
from vmalab.machines.outcome import Outcome
from vmalab.machines.replay.process import Process
from vmalab.machines.replay.program import replay
from vmalab.programs.strace import Traced


def telling(line: Timeline, most: int) -> list[int]:
    """The moments (numbers of calls, from 1) that people look at first, at most `most`, in order.

    All where there are no more.  Else the calls that failed, the first of each kind, those of mremap, and those that
    changed most VMAs; of equals those that are spread over the time.  O(calls · log calls).
    """
    count = len(line.calls)
    if count <= most:
        return list(range(1, count + 1))
    made = {event.line: event for event in line.log.calls}
    failed, first, moved, other = [], [], [], []
    kinds: set[str] = set()
    for moment, (number, _, ok) in enumerate(line.calls, 1):
        event = made[number]
        kind = pattern_of(event)
        if kind not in kinds:
            kinds.add(kind)
            first.append(moment)
        elif not ok:
            failed.append(moment)
        elif event.what.name == "mremap":
            moved.append(moment)
        else:
            other.append(moment)
    part = most // 3
    changed = sorted(_spread(other), key=lambda moment: -_size(line.changes[moment - 1]))
    return sorted([*_spread(failed)[:part], *_spread(first)[:part], *_spread(moved)[:part], *changed][:most])


def _size(change: tuple[list[int], list[Shape]]) -> int:
    return len(change[0]) + len(change[1])


def _spread(moments: list[int]) -> list[int]:
    """The same in an order of which every beginning lies all over them: the last one, the middle, the quarters ..."""
    found: dict[int, None] = {}
    parts, count = 1, len(moments)
    while len(found) < count:
        for part in range(1, parts + 1):
            found.setdefault(moments[part * count // parts - 1], None)
        parts *= 2
    return list(found)


def stepped(line: Timeline, moments: Iterable[int]) -> Iterator[tuple[int, Outcome]]:
    """The calls that led to `moments`, each with its steps and the VMAs near to it, in order; those that the model does
    not know, or that have nothing to do with VMAs, are left out.  O(calls · log VMAs + VMAs + steps)."""
    wanted = {line.calls[moment - 1][0]: moment for moment in moments}
    found: dict[int, Outcome] = {}
    models: dict[int, Model] = {}

    def before(event: Traced, process: Process) -> None:
        moment = wanted.get(event.line)
        if moment is None or process.pid != line.pid:
            return
        outcome = _apart(process, event, models)
        if outcome is not None:
            found[moment] = outcome

    if wanted:
        replay(line.log, line.followed, start=line.entries, before=before)
    yield from sorted(found.items())


def _apart(process: Process, event: Traced, models: dict[int, Model]) -> Outcome | None:
    """The call with its steps; the process is afterwards as it was."""
    mm = process.mm
    kept, numbers = _kept(mm), mm.own_numbers()
    pages = [(table, table.copy()) for table in (mm.pagetable, mm.empty_tables, mm.common)]
    model = models.get(process.pid)
    if model is None or model.mm is not mm:
        model = models[process.pid] = Model.on(mm)
    mm.trace, mm.journal = True, []
    try:
        outcome = outcome_of(process, event, model)
        return None if outcome is None else outcome.near()
    finally:
        mm.trace = False
        mm.take_back()
        for name, value in kept.items():
            setattr(mm, name, value)
        mm.count_with(*numbers)
        for table, runs in pages:
            table.restore(runs)


def _kept(mm: AddressSpace) -> dict[str, Any]:
    """What a call may change besides VMAs and pages: what the address space counts, and its limits."""
    numbers = {name: value for name, value in vars(mm).items() if isinstance(value, int)}
    return {**numbers, "trace": False, "journal": None, "given": None, "own_choice": None}
