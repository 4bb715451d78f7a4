"""Whether two machines said the same about scenarios: the agreement rule of the exchange format, on its JSON.

Here lives the rule and what to hold a recording against: another recording, or the model.
"""

from __future__ import annotations

import json
import lzma
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from attrs import frozen

from tests.kernels.trouble import Trouble
from vmalab.differences.signed import report
from vmalab.errors import ProfileError
from vmalab.linux.profile import MEASURED, profile
from vmalab.machines.document import played_to_json
from vmalab.machines.model import Model
from vmalab.machines.traces import Traces
from vmalab.programs.scenario import Scenario

STEP_KEYS = ("errno", "return", "vmas", "elsewhere", "values", "pages")

Result = Mapping[str, Any]
"""One scenario's part of an outcome document."""


@frozen
class Agreement:
    """How many of `total` scenarios agree, and for each other one where it first differs."""

    total: int
    differences: Mapping[str, str]
    unknown: tuple[str, ...] = ()

    def __str__(self) -> str:
        text = f"{self.total - len(self.differences)} of {self.total} scenarios agree"
        return text + (f" ({len(self.unknown)} more have nothing to be held against)" if self.unknown else "")


def difference(one: Result, other: Result) -> str | None:
    """Where two answers to a scenario first differ, in words; None if they agree."""
    if "error" in one or "error" in other:
        errors = [result.get("error", "no error") for result in (one, other)]
        return None if errors[0] == errors[1] else f"{errors[0]} / {errors[1]}"
    if len(one["steps"]) != len(other["steps"]):
        return f"{len(one['steps'])} steps / {len(other['steps'])} steps"
    for number, (a, b) in enumerate(zip(one["steps"], other["steps"], strict=True), 1):
        for key in STEP_KEYS:
            # A key that one of them need not have (elsewhere, values, pages) counts where it is present.
            if a.get(key) != b.get(key):
                return f"step {number}, {key}: {brief(a.get(key))} / {brief(b.get(key))}"
    if one["final"] != other["final"]:
        return f"final: {brief(one['final'], other['final'])} / {brief(other['final'], one['final'])}"
    return None


def brief(value: Any, against: Any = ()) -> str:
    """A value for people: of rows only those that are not in `against`, a short word for each."""
    if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
        return json.dumps(value)
    rows = [row for row in value if row not in (against or ())]
    return " ".join(
        f"[{row['start']}-{row['end']} {row['perms']}"
        + (f" {row['backing']}" if row["backing"] else "")
        + (f"@{row['pgoff']}" if row["pgoff"] is not None else "")
        + (f" {row['pages']}" if row.get("pages") else "")
        + (f" {','.join(row['flags'])}" if row.get("flags") else "")
        + "]"
        for row in rows
    ) or ("nothing" if not against else "nothing more")


def agreement(results: Iterable[Result], others: Mapping[str, Result]) -> Agreement:
    """Hold `results` against `others`, by the scenarios' names."""
    total, differences, unknown = 0, {}, []
    for result in results:
        name = result["name"]
        if name not in others:
            unknown.append(name)
            continue
        total += 1
        words = difference(result, others[name])
        if words:
            differences[name] = words
    return Agreement(total, differences, tuple(unknown))


def read_recording(path: Path) -> dict[str, Any]:
    """An outcome document that a file holds, packed or not."""
    try:
        if path.suffix == ".xz":
            with lzma.open(path, "rt", encoding="utf-8") as packed:
                document = json.load(packed)
        else:
            document = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(document.get("results"), list):
            raise ValueError("no results")
    except OSError as error:
        raise Trouble(f"{path}: {error.strerror}") from None
    except (ValueError, AttributeError, lzma.LZMAError, EOFError):
        raise Trouble(f"{path}: not a recording (an object with the keys release and results)") from None
    return dict(document)


def recorded(folder: Path, number: str) -> dict[str, Result]:
    """The results of release `number` (`"6.17.13"`) in a folder of recordings, by name."""
    for name in (f"{number}.json.xz", f"{number}.json"):
        if (folder / name).exists():
            return {result["name"]: result for result in read_recording(folder / name)["results"]}
    raise Trouble(f"{folder} has no recording {number}.json.xz to compare with")


def known_to_the_model(number: str) -> str:
    """`number` itself where the model has a profile for it, else the newest release that it was measured against."""
    try:
        return profile(number).release
    except ProfileError:
        return next(reversed(MEASURED.values()))


def modelled(number: str, scenarios: Iterable[Scenario]) -> dict[str, Result]:
    """What the model of release `number` says, by name."""
    model = Model(number)
    return {scenario.name: played_to_json(model.run(scenario)) for scenario in scenarios}


def signed_by(traces: Traces, show: int) -> tuple[str, bool]:
    """How the model's steps fit a recording with traces, in words, and whether all of them do."""
    found = report(traces)
    shown = [f"    {where}: {words[:600]}" for where, words in list(found.problems.items())[:show]]
    return "\n".join([str(found), *shown]), not found.problems
