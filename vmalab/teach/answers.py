"""One program on several machines: what each answered to its last call, and whether they agree on all of it.

`Answers` is the data with its text and its table; what this machine can or can't answer is decided in `machine.py`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from html import escape
from pathlib import Path

from attrs import evolve, frozen

from vmalab import data
from vmalab.call import Call
from vmalab.calltext import call_text, page_number, result_text
from vmalab.compare import Comparison, compare
from vmalab.display import comparison_html, outcome_html
from vmalab.errors import RecordingError, UsageError
from vmalab.machine import Played, Scenario
from vmalab.machines.model import Model
from vmalab.machines.recorded import SUFFIX, Recorded, releases
from vmalab.outcome import Outcome, Row, Snapshot
from vmalab.profile import profile
from vmalab.scenario import renamed
from vmalab.tables import say_difference
from vmalab.teach.program import Program, scenario_of
from vmalab.theme import picture_css

LESSONS = "recordings/lessons"
"""Folder of the data with what real kernels answered to the lessons' own programs."""


# --- what a machine answered ---------------------------------------------------------------------------------


@frozen
class Answer:
    """What one machine answered.  `who` names it for a person; `played` None where it could not, and `why` says so."""

    who: str
    played: Played | None = None
    why: str = ""

    @property
    def last(self) -> Outcome | None:
        """The outcome of the program's last call, if the machine came so far."""
        played = self.played
        if played is None or played.error is not None or not played.outcomes:
            return None
        return played.outcomes[-1]

    def told(self) -> tuple[str, str]:
        """What came back, and the VMAs afterwards, in a few words each."""
        last = self.last
        if last is None:
            return "no answer", self.why or (self.played.error if self.played else None) or ""
        return result_text(last.call, last.value, last.errno), layout(last.after)


def layout(snapshot: Snapshot) -> str:
    """All VMAs in one line: page numbers, permissions, and what is behind them if it is no private anonymous memory.

    >>> from vmalab.addr import PAGE, page
    >>> vm = Model("6.17"); _ = vm.mmap(page(0), 2 * PAGE); _ = vm.mmap(page(3), PAGE, "r", "zero")
    >>> layout(vm.snapshot())
    '[0-2 rw-p] [3-4 r--p /dev/zero]'
    """
    return " ".join(map(_one, snapshot)) or "(nothing mapped)"


def _one(row: Row) -> str:
    start, end = (page_number(edge) or f"{edge:#x}" for edge in (row.start, row.end))
    backing = f" {row.backing}" if row.backing else ""
    return f"[{start}-{end} {row.perms}{backing}]"


class Answers:
    """The answers of several machines to one program; shows itself as a table, with a verdict below it.

    `shown`: index of the answer whose picture stands below the table, or None.
    """

    def __init__(self, call: Call, answers: Sequence[Answer], verdict: str, shown: int | None = None) -> None:
        self.call, self.answers, self.verdict, self.shown = call, tuple(answers), verdict, shown

    def __repr__(self) -> str:
        lines = [(answer.who, *answer.told()) for answer in self.answers]
        wide = [max(len(line[column]) for line in lines) for column in (0, 1)]
        rows = [f"  {who:<{wide[0]}}  {came:<{wide[1]}}  {vmas}".rstrip() for who, came, vmas in lines]
        return "\n".join([call_text(self.call), *rows, self.verdict])

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><th scope=row>{escape(answer.who)}</th>"
            f"<td><b>{escape(answer.told()[0])}</b></td><td><code>{escape(answer.told()[1])}</code></td></tr>"
            for answer in self.answers
        )
        heads = "".join(f"<th scope=col>{name}</th>" for name in ("who", "result", "VMAs after the call"))
        table = (
            f'<div class="vml vml-card"><style>{picture_css()}</style>'
            f'<header class="vml-head"><code class="vml-call">{escape(call_text(self.call))}</code></header>'
            f'<table class="vml-table"><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>'
            f"<p>{escape(self.verdict)}</p></div>"
        )
        last = self.answers[self.shown].last if self.shown is not None else None
        return table + (outcome_html(last, style=False) if last is not None else "")


def by_model(release: Model | str, scenario: Scenario) -> Answer:
    """What the model of a release answers."""
    followed = release.profile if isinstance(release, Model) else profile(release)
    played = Model(followed, trace=False).run(scenario)
    return Answer(f"model of {followed}", evolve(played, machine=f"model of {followed}"))


def number(release: str) -> str:
    """The number in a release as a kernel calls itself, without what its builder added: `"6.18.44"`."""
    found = re.match(r"\d+(\.\d+)*", release)
    return found[0] if found else release


def lesson_recordings() -> list[Path]:
    """The recordings of the lessons' own programs, oldest kernel first."""
    paths = data.folder(LESSONS).glob(f"[0-9]*{SUFFIX}")
    return sorted(paths, key=lambda path: [int(part) for part in path.name.removesuffix(SUFFIX).split(".")])


def by_recording(release: str, scenario: Scenario) -> Answer:
    """What a real kernel of that release or series answered when it was recorded; without `played` if nobody asked."""
    series = [path for path in lesson_recordings() if _is(path.name.removesuffix(SUFFIX), release)]
    others = [one for one in releases() if _is(one, release)]
    for name in (*map(str, reversed(series)), *reversed(others)):
        try:
            recorded = _recording(name)
            played = recorded.run(scenario)
        except RecordingError as error:
            return Answer(f"Linux {release}, recorded", None, str(error))
        if played.error is None:
            who = f"Linux {number(recorded.release)}, recorded"
            return Answer(who, evolve(played, machine=who))
    why = "this program was not recorded on it" if series or others else "there is no recording of it"
    return Answer(f"Linux {release}, recorded", None, why)


@cache
def _recording(name: str) -> Recorded:
    # to unpack one takes a tenth of a second
    return Recorded(name)


def _is(found: str, release: str) -> bool:
    return found == release or found.startswith(release + ".")


# --- what the lessons call -----------------------------------------------------------------------------------


class SideBySide:
    """A program under two kernels; shows itself as the pictures of both where they differ."""

    def __init__(self, comparison: Comparison) -> None:
        self.comparison = comparison

    def __repr__(self) -> str:
        lines = []
        for step in self.comparison.steps:
            told = [_told(outcome) for outcome in (step.a, step.b)]
            same = "same" if step.agrees else "differs"
            lines.append(f"{call_text(step.call)}: {told[0]} | {told[1]}: {same}")
        return "\n".join([f"{self.comparison.a.machine} | {self.comparison.b.machine}", *lines])

    def _repr_html_(self) -> str:
        return comparison_html(self.comparison)


def _told(outcome: Outcome | None) -> str:
    return "did not come so far" if outcome is None else result_text(outcome.call, outcome.value, outcome.errno)


def side_by_side(program: Program, a: str = "6.16", b: str = "6.17") -> SideBySide:
    """The same calls under two kernels (releases of the model, `"v3"` included)."""
    scenario = renamed(scenario_of(program), "The same calls")
    return SideBySide(compare(_named(Model(a), scenario), _named(Model(b), scenario)))


def _named(model: Model, scenario: Scenario) -> Played:
    """The model's answer, under a name for people."""
    played = model.run(scenario)
    name = str(model.profile)
    for outcome in played.outcomes:
        outcome.machine = name
    return evolve(played, machine=name)


def same_calls(program: Program, release: str) -> Outcome:
    """The same calls under another kernel, from an empty address space; the outcome of the last one."""
    vm = Model(release)
    outcome = None
    for call in scenario_of(program).steps:
        outcome = vm.do(call)
    assert outcome is not None  # a program has calls
    return outcome


def real_kernels(program: Program, *series: str) -> Answers:
    """For each release the model, and what a real kernel of that series answered when it was recorded."""
    if not series:
        raise UsageError('real_kernels needs the releases to ask, such as real_kernels(vm, "6.16", "6.17")')
    scenario = scenario_of(program)
    answers, differ, missing = [], [], []
    for release in series:
        ours, theirs = by_model(release, scenario), by_recording(release, scenario)
        answers += [ours, theirs]
        found = difference(ours, theirs)
        if theirs.last is None:
            missing.append(theirs)
        elif found:
            differ.append(f"{theirs.who}: {found}")
    if differ:
        verdict = "Here model and kernel differ. " + " ".join(differ)
    elif missing:
        verdict = "Not every kernel was asked this (a program that you change was not recorded); the rest agrees."
    else:
        verdict = "Every model agrees with the kernel it follows, on every step of the program."
    return Answers(scenario.steps[-1], answers, verdict)


def difference(a: Answer, b: Answer) -> str:
    """What two machines told differently first, in words; `""` if they agree or one did not answer."""
    if a.played is None or b.played is None:
        return ""
    found = compare(a.played, b.played).first
    return say_difference(found) if found else ""
