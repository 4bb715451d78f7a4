"""`Recorded`: answers of a real kernel, read from a file.  It runs nothing, and knows only what was recorded.

A scenario is looked up by what it does, not by its name: the same calls in an arena of the same size.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any

from attrs import evolve

from vmalab.errors import RecordingError, ScenarioError, UsageError, described
from vmalab.machines.document import played_from_json
from vmalab.machines.machine import Played, a_scenario
from vmalab.programs import data
from vmalab.programs.scenario import Scenario, load_scenarios, parse_json, read_bytes, same_program, scenario_from_json

SUFFIX = ".json.xz"
SCENARIOS = "scenarios" + SUFFIX
"""Beside recordings that do not hold their scenarios themselves: the scenarios that all of them answer."""


def releases() -> list[str]:
    """The releases that recordings came with this package for, oldest first."""
    found = [path.name.removesuffix(SUFFIX) for path in data.folder("recordings").glob(f"[0-9]*{SUFFIX}")]
    return sorted(found, key=_version)


def _version(release: str) -> tuple[int, ...]:
    return tuple(int(part) if part.isdigit() else 0 for part in release.split("."))


def find(release: str) -> Path:
    """The file for `release`: a recorded one, a series (`"6.18"`: its latest), or the path of a recording.

    Raises RecordingError that lists what there is.
    """
    if not isinstance(release, str):
        raise UsageError(f"a recording is named by a release ('6.16') or its file, not by {described(release)}")
    said = release if release.isprintable() else ascii(release)
    if "/" in release or release.endswith((".json", ".xz")):
        path = Path(release)
        if not path.is_file():
            raise RecordingError(f"there is no recording {said}")
        return path
    known = releases()
    match = [one for one in known if one == release or one.startswith(release + ".")]
    if not match:
        raise RecordingError(
            f"there is no recording of Linux {said}: there are {', '.join(known)}"
            if known
            else f"there are no recordings in {data.folder('recordings')}"
        )
    return data.folder("recordings") / (match[-1] + SUFFIX)


class Recorded:
    """The answers of one kernel release, from a recording; those to the calls of `data/recordings/calls` too.

    `release`: `"6.16.12"`, a series such as `"6.16"`, or the path of a file that `vmalab record` has written.

    >>> Recorded("6.16").name
    'recorded:6.16.12'
    """

    def __init__(self, release: str) -> None:
        self.path = find(release)
        given = self.path.name.removesuffix(SUFFIX) if self.path.parent == data.folder("recordings") else release
        self.name = f"recorded:{given}"

    def __repr__(self) -> str:
        return f"<Recorded: Linux {self.release}, {len(self.scenarios)} scenarios>"

    @property
    def release(self) -> str:
        """The release as the recorded kernel called itself."""
        return str(self._document["release"])

    @property
    def provenance(self) -> dict[str, Any]:
        """What the file says about where it comes from."""
        return {key: value for key, value in self._document.items() if key not in ("results", "scenarios")}

    @cached_property
    def scenarios(self) -> tuple[Scenario, ...]:
        """The recorded scenarios."""
        try:
            own = self._document.get("scenarios")
            if own is not None:
                return tuple(scenario_from_json(item, str(self.path)) for item in own)
            folders = (self.path.parent, self.path.parent.parent)  # another machine's recordings lie one further down
            beside = next((one / SCENARIOS for one in folders if (one / SCENARIOS).exists()), None)
            if beside is None:
                raise RecordingError(
                    f"{self.path}: it does not hold its scenarios, and there is no {SCENARIOS} beside it"
                )
            return tuple(load_scenarios(beside))
        except (ScenarioError, TypeError) as error:
            raise RecordingError(f"{self.path}: its scenarios can't be read: {error}") from None

    def run(self, scenario: Scenario) -> Played:
        """What the recorded kernel answered; an `error` where nobody asked it."""
        scenario = a_scenario(scenario)
        if scenario.refused:
            return Played(scenario, self.name, error=scenario.refused)
        entry = self._index.get(same_program(scenario))
        if entry is None:
            sentence = f"the recording of Linux {self.release} does not hold this scenario"
            return Played(scenario, self.name, error=sentence)
        recorded, result = entry
        # Contents after every step can be shown only if somebody looked at them then.
        asked = evolve(scenario, contents=scenario.contents and recorded.contents)
        return played_from_json(asked, result, self.name)

    @cached_property
    def _document(self) -> dict[str, Any]:
        try:
            document = parse_json(read_bytes(self.path, str(self.path)), str(self.path))
        except ScenarioError as error:
            raise RecordingError(str(error)) from None
        if not isinstance(document, dict) or not isinstance(document.get("results"), list) or "release" not in document:
            raise RecordingError(f"{self.path}: not a recording: expected an object with the keys release and results")
        return document

    @cached_property
    def _index(self) -> dict[tuple[object, ...], tuple[Scenario, Any]]:
        results = {result["name"]: result for result in self._document["results"] if isinstance(result, dict)}
        index: dict[tuple[object, ...], tuple[Scenario, Any]] = {}
        for scenario in self.scenarios:
            if scenario.name in results:
                index.setdefault(same_program(scenario), (scenario, results[scenario.name]))
        if self.path.parent == data.folder("recordings"):
            for more in sorted(self.path.parent.glob(f"calls/*/{self.path.name}")):
                index = Recorded(str(more))._index | index
        return index
