"""Outcome documents: what calls did, in the exchange format of `vmalab run --json` and of recordings.

`document` writes one for any machine's answers; `played_from_json` reads one scenario's part of it back.  Addresses are
pages there and bytes in the records.  What the format has no place for (anon_vma, the steps of the model) is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Any

from vmalab.errors import RecordingError
from vmalab.linux.addr import ARENA_BASE, PAGE, PAGE_SHIFT
from vmalab.linux.call import Call, Mmap, Mremap
from vmalab.linux.mm.runs import Run, joined
from vmalab.machines.machine import Played
from vmalab.machines.outcome import Outcome, Row, Snapshot
from vmalab.machines.validation import ELSEWHERE, FLAGS, well_formed
from vmalab.programs.scenario import Scenario

MOST_PAGES = 1 << 18
"""Present pages that the document lists for one scenario; each is a line of its own there."""

Json = dict[str, Any]


# --- writing -------------------------------------------------------------------------------------------------


def document(release: str, played: Iterable[Played], **more: Any) -> Json:
    """The outcome document of several scenarios on one machine; `more` are further keys (where it comes from)."""
    return {"release": release, **more, "results": [played_to_json(one) for one in played]}


def played_to_json(played: Played) -> Json:
    """One scenario's outcomes, or the sentence that says why there are none."""
    name = played.scenario.name
    if played.error is not None:
        return {"name": name, "error": played.error}
    listed = listed_pages(played)
    if listed > MOST_PAGES:
        error = f"{listed:,} pages to list one by one; a document lists at most {MOST_PAGES:,} for a scenario"
        return {"name": name, "error": error}
    return {
        "name": name,
        "steps": [outcome_to_json(outcome, played.scenario) for outcome in played.outcomes],
        "final": [row_to_json(row, final=True) for row in inside(played.final, played.scenario)],
    }


def listed_pages(played: Played) -> int:
    """How many present pages a document lists for it.  O(runs), whatever they hold."""
    end = (ARENA_BASE >> PAGE_SHIFT) + played.scenario.arena_pages
    elsewhere = [row for outcome in played.outcomes for row in outcome.elsewhere or ()]
    rows = elsewhere + inside(played.final, played.scenario)
    count = sum(run.end - run.start for row in rows for run in row.runs)
    if played.scenario.contents:
        for outcome in played.outcomes:
            for row in inside(outcome.after, played.scenario):
                count += sum(max(0, min(run.end, end) - run.start) for run in row.runs)
    return count


def inside(snapshot: Snapshot, scenario: Scenario) -> list[Row]:
    """The rows that intersect the scenario's arena."""
    end = ARENA_BASE + scenario.arena_pages * PAGE
    return [row for row in snapshot if row.start < end and row.end > ARENA_BASE]


def outcome_to_json(outcome: Outcome, scenario: Scenario) -> Json:
    """One step.  O(VMAs), with the scenario's `contents` O(present pages)."""
    end = ARENA_BASE + scenario.arena_pages * PAGE
    rows = inside(outcome.after, scenario)
    step: Json = {
        "errno": outcome.errno,
        "return": returned(outcome, end),
        "vmas": [row_to_json(row) for row in rows],
    }
    if step["return"] == ELSEWHERE:
        step[ELSEWHERE] = [
            row_to_json(row, origin=0) | {"pages": pages_to_json(row)} for row in outcome.elsewhere or ()
        ]
    if outcome.values is not None:
        step["values"] = list(outcome.values)
    if scenario.contents:
        base = ARENA_BASE >> PAGE_SHIFT
        step["pages"] = {
            str(number - base): run.at(number)
            for row in rows
            for run in row.runs
            for number in range(max(run.start, base), min(run.end, end >> PAGE_SHIFT))
        }
        if not all(row.seen for row in rows):
            step["pages"] = None
    return step


def returned(outcome: Outcome, arena_end: int) -> int | str | None:
    """The `return` of a step: a page in the arena, `"elsewhere"`, or None."""
    if not outcome.ok or not isinstance(outcome.call, (Mmap, Mremap)):
        return None
    if outcome.value is None or not ARENA_BASE <= outcome.value < arena_end:
        return ELSEWHERE
    return (outcome.value - ARENA_BASE) >> PAGE_SHIFT


def row_to_json(row: Row, *, final: bool = False, origin: int = ARENA_BASE) -> Json:
    """One VMA, with addresses that count from byte `origin`; `final` adds contents and flags."""
    result: Json = {
        "start": (row.start - origin) >> PAGE_SHIFT,
        "end": (row.end - origin) >> PAGE_SHIFT,
        "perms": row.perms,
        "backing": row.backing,
        "pgoff": row.pgoff,
    }
    if final:
        result["pages"] = pages_to_json(row)
        result["flags"] = [code for code in row.flags if code in FLAGS]
    return result


def pages_to_json(row: Row) -> dict[str, int] | None:
    """Present pages: index within the VMA → first 64 bits; None where nobody could look."""
    return None if not row.seen else {str(index): value for index, value in row.contents().items()}


# --- reading -------------------------------------------------------------------------------------------------


def played_from_json(scenario: Scenario, result: object, machine: str) -> Played:
    """What `machine` answered to `scenario`, from that scenario's part of a document.

    Raises RecordingError where the part is not as the format says.
    """
    try:
        if not isinstance(result, dict) or not well_formed(result):
            raise TypeError
        if "error" in result:
            return Played(scenario, machine, error=str(result["error"]))
        steps = result["steps"]
        if len(steps) != len(scenario.steps):
            raise RecordingError(
                f"{machine}: there are {len(steps)} answers to the {len(scenario.steps)} steps of {scenario.name!r}"
            )
        outcomes = outcomes_from_json(scenario.steps, steps, machine)
        for outcome in outcomes:
            _ = outcome.after
        return Played(scenario, machine, outcomes, rows_from_json(result["final"]))
    except (KeyError, TypeError, ValueError, AttributeError, IndexError):
        raise RecordingError(f"{machine}: the answers to {scenario.name!r} are not in the exchange format") from None


def outcomes_from_json(calls: Sequence[Call], steps: Sequence[Json], machine: str) -> tuple[Outcome, ...]:
    """An outcome for each step; the first one starts from an empty arena."""
    outcomes: list[Outcome] = []
    previous, rows = None, None
    for call, step in zip(calls, steps, strict=False):
        previous = outcome_from_json(call, step, machine, previous, same=step["vmas"] is rows and "pages" not in step)
        rows = step["vmas"]
        outcomes.append(previous)
    return tuple(outcomes)


def outcome_from_json(call: Call, step: Json, machine: str, previous: Outcome | None, *, same: bool = False) -> Outcome:
    """One step's outcome; its rows are made when first looked at.

    `previous`: the outcome of the step before; `same`: the rows are those that it has.

    A key `address` (bytes), which the live machine adds, tells what the call returned where `return` does not.
    """
    place = step["return"]
    value = step.get("address")
    if value is None and step["errno"] is None and place != ELSEWHERE:
        value = 0 if place is None else ARENA_BASE + place * PAGE
    values = step.get("values")
    before = Snapshot if previous is None else partial(getattr, previous, "after")
    return Outcome(
        call,
        value,
        step["errno"],
        machine=machine,
        values=None if values is None else tuple(values),
        elsewhere=rows_from_json(step.get(ELSEWHERE, ()), 0) if place == ELSEWHERE else None,
        before=before,
        after=before if same else partial(rows_from_json, step["vmas"], ARENA_BASE, step.get("pages", {})),
    )


def rows_from_json(
    rows: Sequence[Json], origin: int = ARENA_BASE, pages: Mapping[str, int] | None = MappingProxyType({})
) -> Snapshot:
    """The rows of a step, at bytes that count from `origin`.

    Contents come from each row's own `pages`, or from `pages`, which counts from `origin`; None says that the machine
    could not look which pages are present.
    """
    base = origin >> PAGE_SHIFT
    present = None if pages is None else sorted((base + int(number), value) for number, value in pages.items())
    return Snapshot(tuple(_row(row, base, present) for row in rows))


def _row(row: Json, base: int, present: list[tuple[int, int]] | None) -> Row:
    start, end = base + row["start"], base + row["end"]
    seen = present is not None
    words: Sequence[tuple[int, int | None]] = ()
    if "pages" in row:
        own = row["pages"]
        seen = own is not None
        words = sorted((start + int(index), value) for index, value in own.items()) if seen else ()
    elif present is not None:
        words = [(number, value) for number, value in present if start <= number < end]
    return Row(
        start << PAGE_SHIFT,
        end << PAGE_SHIFT,
        row["perms"],
        row["backing"],
        row["pgoff"],
        tuple(row.get("flags", ())),
        _runs(words),
        seen=seen,
    )


def _runs(words: Sequence[tuple[int, int | None]]) -> tuple[Run, ...]:
    """Words in order of page, as runs; a touch writes consecutive numbers, so those make one run.

    A kernel does not tell what kind of page it is; pictures show it as any present page.
    """
    return joined(
        Run(number, number + 1, "anon", value, 1 if value else 0)
        for number, value in words
        if value is not None  # present, and the kernel did not let it be read
    )
