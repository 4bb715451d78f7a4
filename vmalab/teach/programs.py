"""Real programs for lesson 10: `traced("grow")`, what strace wrote of one, and what can be asked about it."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

from vmalab.differences.programs import answer_text, compare_releases, event_text, pair_line
from vmalab.differences.why import run_sentence, top, why
from vmalab.errors import UsageError
from vmalab.linux.profile import profile
from vmalab.machines.replay.program import replay_with_accesses
from vmalab.pictures.card import card
from vmalab.programs import data
from vmalab.programs.strace import read_log

RECORDED = {"grow": "grow.strace", "fragments": "fragments.strace.xz", "moves": "moves.strace"}
"""The programs of the lesson, recorded on Linux 6.18.44; each is in `data/programs/` with its source in C."""


class Told:
    """An answer in sentences; shows itself as text or as a list."""

    def __init__(self, sentences: Sequence[str]) -> None:
        self.sentences = tuple(sentences)

    def __repr__(self) -> str:
        return "\n".join(self.sentences)

    def _repr_html_(self) -> str:
        return card("".join(f"<p>{escape(one)}</p>" for one in self.sentences), what="an answer")


class TracedProgram:
    """A program as strace saw it.  Lines are those of the file."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.log = read_log(file)

    def __repr__(self) -> str:
        kernel = self.log.about.get("kernel", "a kernel that it does not tell").split("-")[0]
        return f"<{self.file.name}: {len(self.log.calls)} calls that have to do with VMAs, on Linux {kernel}>"

    def calls(self, name: str, most: int = 8) -> Told:
        """The calls of one name, with the lines on which they stand; the first `most` of them."""
        found = [event for event in self.log.calls if event.what.name == name]
        said = [f"line {one.line}: {event_text(one)} = {answer_text(one)}" for one in found[:most]]
        if len(found) > most:
            said.append(f"and {len(found) - most} more")
        return Told(said or [f"There is no {name} in it."])

    def why(self, line: int, on: str | None = None) -> Told:
        """Why the call on that line did what it did, on the kernel of the log or on the model of release `on`."""
        told = why(self.log, line, on)
        return Told([*told.sentences, *(f"What helps: {text}." for text in told.helps)])

    def top(self, most: int = 3) -> Told:
        """Which calls failed, which made most VMAs and moved most pages, and which could have been one."""
        found = top(self.log)
        said = [f"{count} × {key}, first on line {found.first_failure[key]}" for key, count in found.failures.items()]
        said += [f"{one.made} VMAs by {one.calls} × {one.name}" for one in found.most("made", most)]
        said += [f"{one.moved} pages moved by {one.calls} × {one.name}" for one in found.most("moved", most)]
        return Told([*said, *(run_sentence(self.log, run) for run in found.runs)])

    def replay(self) -> Told:
        """The model's VMAs at the end beside the real ones."""
        found = replay_with_accesses(self.log)
        said = [f"{found.counts['same']} calls answered as the kernel did, {found.counts['differs']} otherwise"]
        for end in found.ends:
            if end.layout is not None:
                said.append(f"{end.layout.real} VMAs at the end, {end.layout.exact} of them exact on the model")
                said += [pair_line(pair) for pair in end.layout.pairs if not pair.same]
        return Told(said)

    def on(self, *releases: str) -> Told:
        """The calls that these releases answer otherwise than the log's kernel did."""
        for release in releases:
            profile(release)
        _, otherwise = compare_releases(self.log, releases)
        said = [
            f"line {one.event.line}: {event_text(one.event)} = {answer_text(one.event)}; "
            + ", ".join(f"{one.answers.get(release, 'the same')} on {release}" for release in releases)
            for one in otherwise
        ]
        return Told(said or [f"Every call is answered the same on {', '.join(releases)}."])


def traced(name: str | Path) -> TracedProgram:
    """A program of lesson 10 (`"grow"`, `"fragments"`, `"moves"`), or a file of one's own that strace or `vmalab trace`
    wrote.  Raises UsageError for a name that is neither."""
    known: Any = RECORDED.get(str(name))
    file = data.folder("programs") / known if known else Path(name)
    if not known and not file.exists():
        raise UsageError(f"{str(name)!r} is neither a file nor one of {', '.join(RECORDED)}")
    return TracedProgram(file)
