"""A program on several releases: `compare_releases(log, releases)`; and why its VMAs differ, in words.

Each call is judged in the state that the program was really in (see `machines/replay/`), so that one difference does
not make a hundred.
"""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen

from vmalab.machines.replay.layout import Pair
from vmalab.machines.replay.process import Verdict
from vmalab.machines.replay.program import Replayed, replay
from vmalab.programs.calltext import call_text
from vmalab.programs.procmaps import Entry
from vmalab.programs.strace import StraceLog, Traced

REASONS = {
    "only_real": "the model has nothing there: the call that mapped it is not in the log, or was left out",
    "only_model": "really nothing is there: the call that unmapped it is not in the log, or was left out",
    "split_unseen": "really two VMAs that look alike did not become one: which memory was written to first, or "
    "whose pages came over fork, a log of calls does not show",
    "merged_unseen": "really one VMA: memory that the replay takes as written had not been written yet when they met",
    "inside_model": "really a VMA of its own",
    "inside_real": "really part of another VMA",
    "larger": "really it reaches further",
    "smaller": "really it ends earlier",
    "perms": "other permissions",
    "offset": "another offset",
    "file": "another file",
    "flags": "other flags",
    "stack": "the stack grew by accesses, which no log of calls shows",
}
"""Key of a difference between two layouts → its likely reason."""


def pair_line(pair: Pair) -> str:
    """One place of two layouts that differ, and the likely reason."""
    if pair.real is not None:
        where = f"{pair.real.start:x}-{pair.real.end:x} {pair.real.perms} {pair.real.label}"
    else:
        assert pair.model is not None
        where = f"{pair.model} {pair.model.file.name if pair.model.file else 'anonymous'}"
    detail = f" ({pair.detail})" if pair.detail else ""
    return f"{where}: {REASONS[pair.reason]}{detail}"


def answer_text(event: Traced) -> str:
    """What the kernel answered."""
    return event.errno or (hex(event.answer) if event.answer else "0")


def verdict_text(verdict: Verdict) -> str:
    """What the model answers."""
    return verdict.errno or verdict.why or (hex(verdict.got) if verdict.got else "0")


def event_text(event: Traced) -> str:
    """A call of the log for people."""
    what = event.what
    if what.call is not None:
        return call_text(what.call)
    return f"{what.name}({', '.join([*map(hex, what.numbers), *what.words])[:80]})"


@frozen
class Otherwise:
    """A call that some of the releases answer otherwise than the log's kernel did: release → its answer."""

    event: Traced
    answers: dict[str, str]


def compare_releases(
    log: StraceLog, releases: Sequence[str], *, map_count: int | None = None, start: Sequence[Entry] | None = None
) -> tuple[list[Replayed], list[Otherwise]]:  # fmt: skip
    """Replay `log` on each release, and where they answer otherwise than its kernel.  O(releases · calls)."""
    runs = [replay(log, release, map_count=map_count, start=start) for release in releases]
    by_line: dict[int, tuple[Traced, dict[str, str]]] = {}
    for run in runs:
        for one in run.differences:
            if one.verdict.kind == "differs":
                _, answers = by_line.setdefault(one.event.line, (one.event, {}))
                answers[run.followed.release] = verdict_text(one.verdict)
    return runs, [Otherwise(event, answers) for _, (event, answers) in sorted(by_line.items())]
