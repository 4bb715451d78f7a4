"""What machines answer to one program: `Answer` and `Answers`, as data, text and table.

Models and recordings are asked here; this machine's own kernel in `vmalab.differences.live_answers`; why two answers
differ is found out in `vmalab.differences.causes`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from html import escape
from pathlib import Path

from attrs import evolve, frozen

from vmalab.differences.compare import compare
from vmalab.differences.say import say_difference
from vmalab.errors import RecordingError
from vmalab.linux.addr import ARENA_BASE, PAGE
from vmalab.linux.call import Call
from vmalab.linux.profile import profile
from vmalab.machines.machine import Played
from vmalab.machines.model import Model
from vmalab.machines.outcome import Outcome, Row, Snapshot
from vmalab.machines.recorded import SUFFIX, Recorded, releases
from vmalab.pictures.card import card
from vmalab.pictures.display import outcome_html
from vmalab.programs import data
from vmalab.programs.calltext import call_text, result_text, size, vma_text
from vmalab.programs.scenario import Scenario

LESSONS = "recordings/lessons"
"""Folder of the data with what real kernels answered to the lessons' own programs: a folder for each lesson."""


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

    def told(self, *, flags: bool = False) -> tuple[str, str]:
        """What came back, and the VMAs of the arena afterwards, in a few words each; `flags`: with their VmFlags.

        Where the kernel chose an address outside the arena, which is another one each time, that is `"elsewhere"`.
        """
        last, played = self.last, self.played
        if last is None or played is None:
            return "no answer", self.why or (played.error if played else None) or ""
        after = played.final if flags and played.final is not None else last.after  # only at the end are VmFlags told
        end = ARENA_BASE + played.scenario.arena_pages * PAGE
        vmas = layout(Snapshot(tuple(row for row in after if ARENA_BASE <= row.start < end)), flags=flags)
        if last.elsewhere is None:
            return result_text(last.call, last.value, last.errno), vmas
        there = ", ".join(f"{size(row.end - row.start)} {row.perms}" for row in last.elsewhere)
        return "elsewhere", f"{vmas} and elsewhere {there}"


def layout(snapshot: Snapshot, *, flags: bool = False) -> str:
    """All VMAs in one line: page numbers, permissions, and what is behind them if it is no private anonymous memory.

    `flags`: also the VmFlags that the outcomes of all machines tell.

    >>> from vmalab.linux.addr import PAGE, page
    >>> vm = Model("6.17"); _ = vm.mmap(page(0), 2 * PAGE); _ = vm.mmap(page(3), PAGE, "r", "zero")
    >>> layout(vm.snapshot())
    '[0 to 1 rw-p] [3 r--p /dev/zero]'
    """
    return " ".join(_one(row, flags) for row in snapshot) or "(nothing mapped)"


def _one(row: Row, flags: bool) -> str:
    told = f", {' '.join(row.flags) or 'no flags'}" if flags else ""
    return vma_text(row.start, row.end, row.perms, row.backing or "")[:-1] + f"{told}]"


class Answers:
    """The answers of several machines to one program; shows itself as a table, with a verdict below it.

    `shown`: index of the answer whose picture stands below the table, or None.  `flags`: VMAs with their VmFlags.
    """

    def __init__(
        self, call: Call, answers: Sequence[Answer], verdict: str, shown: int | None = None, *, flags: bool = False
    ) -> None:
        self.call, self.answers, self.verdict, self.shown = call, tuple(answers), verdict, shown
        self.lines = [(answer.who, *answer.told(flags=flags)) for answer in self.answers]

    def __repr__(self) -> str:
        wide = [max(len(line[column]) for line in self.lines) for column in (0, 1)]
        rows = [f"  {who:<{wide[0]}}  {came:<{wide[1]}}  {vmas}".rstrip() for who, came, vmas in self.lines]
        return "\n".join([call_text(self.call), *rows, self.verdict])

    def _repr_html_(self) -> str:
        rows = "".join(
            f'<tr><th scope=row>{escape(who)}</th><td style="white-space:nowrap"><b>{escape(came)}</b></td>'
            f"<td>{_unbroken(vmas)}</td></tr>"
            for who, came, vmas in self.lines
        )
        heads = "".join(f"<th scope=col>{name}</th>" for name in ("who", "result", "VMAs after the call"))
        table = card(
            f'<header class="vml-head"><code class="vml-call">{escape(call_text(self.call))}</code></header>'
            f'<table class="vml-table"><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>'
            f"<p>{escape(self.verdict)}</p>",
            what="a table",
        )
        last = self.answers[self.shown].last if self.shown is not None else None
        return table + (outcome_html(last, style=False) if last is not None else "")


def _unbroken(vmas: str) -> str:
    """A layout as HTML that no line break cuts inside a VMA."""
    return re.sub(r"(\[[^]]*\])", r'<code style="white-space:nowrap">\1</code>', escape(vmas))


def by_model(release: Model | str, scenario: Scenario) -> Answer:
    """What the model of a release answers."""
    followed = release.profile if isinstance(release, Model) else profile(release)
    settings = release.settings if isinstance(release, Model) else None
    played = Model(followed, trace=False, settings=settings).run(scenario)
    return Answer(f"model of {followed}", evolve(played, machine=f"model of {followed}"))


def number(release: str) -> str:
    """The number in a release as a kernel calls itself, without what its builder added: `"6.18.44"`."""
    found = re.match(r"\d+(\.\d+)*", release)
    return found[0] if found else release


def lesson_recordings() -> list[Path]:
    """The recordings of the lessons' own programs, oldest kernel first, and of each the lessons in their order."""
    paths = sorted(data.folder(LESSONS).glob(f"*/[0-9]*{SUFFIX}"))
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


def difference(a: Answer, b: Answer) -> str:
    """What two machines told differently first, in words; `""` if they agree or one did not answer."""
    if a.played is None or b.played is None:
        return ""
    found = compare(a.played, b.played).first
    return say_difference(found) if found else ""
