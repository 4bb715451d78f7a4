"""Scenarios as JSON files: `load_scenarios`, `loads`, `dumps`.

A file holds one scenario or a list of them, in pages and fractions of pages; in the program they are records, in
bytes.  Whatever can't be understood is a `ScenarioError` that names the scenario, the step (counted from 1), the key
and what was expected there.  Single calls are read in `vmalab.programs.calljson`; nothing here runs anything, and
what calls did stands in `vmalab.machines.document`.
"""

from __future__ import annotations

import json
import lzma
import sys
from collections.abc import Callable, Iterable
from decimal import Decimal
from pathlib import Path
from typing import Any, NoReturn

from attrs import evolve, frozen

from vmalab.errors import NotModelled, ScenarioError, UsageError, described
from vmalab.linux.call import Call
from vmalab.programs.calljson import (
    MISSING,
    Unreadable,
    call_to_json,
    fail,
    integer,
    only_once,
    parsed_object,
    read_call,
    shown,
    truth,
)
from vmalab.programs.data import folder

MOST_BYTES = 64 << 20
"""Size of a scenario file, unpacked."""

MOST_STEPS = 10_000
MOST_SCENARIOS = 100_000
MOST_DIGITS = 400
"""Of a number with a fraction or an exponent: exact arithmetic with millions of them would take minutes."""
MOST_DEEP = 100
"""Levels of a value that is only carried along."""
MOST_ARENA = 1 << 34
"""Pages of an arena: 64 TiB, which is as far as the space before a program's own mappings reaches."""

_TOP = {"name", "steps", "arena_pages", "unprivileged", "contents"}
STEP_NOTES = "steps"
"""Under this key `Scenario.extra` carries the unknown keys of single steps: {step number: {key: value}}."""


@frozen
class Scenario:
    """A program: the calls it makes, in order, in an arena of `arena_pages` pages from `vmalab.linux.addr.ARENA_BASE`.

    `unprivileged`: the calls are made without any capability.  `contents`: page contents after every step.
    `extra`: unknown keys of the file, carried along.  `refused`: one clear sentence if a step of the file asks for what
    Linux knows and the model does not; then there are no steps, and every machine answers with that sentence.
    """

    name: str
    steps: tuple[Call, ...]
    arena_pages: int = 4096
    unprivileged: bool = False
    contents: bool = False
    extra: tuple[tuple[str, object], ...] = ()
    refused: str | None = None


def quoted(name: str) -> str:
    """A scenario's name in double quotes, as in its file."""
    return json.dumps(name, ensure_ascii=False)


def scenario_from_json(value: object, where: str = "the scenario") -> Scenario:
    """The scenario that an object of a scenario file describes."""
    if not isinstance(value, dict):
        raise ScenarioError(f"{where}: expected an object with the keys name and steps, found {shown(value)}")
    name = value.get("name", MISSING)
    if not isinstance(name, str) or not 0 < len(name) <= 300 or not name.isprintable():
        fail(where, "name", "a string of 1 to 300 printable characters", name)
    where = f"scenario {quoted(name)}"
    only_once(value, where)

    def top(key: str, read: Callable[[object], Any], default: Any) -> Any:
        if key not in value:
            return default
        try:
            return read(value[key])
        except Unreadable as bad:
            fail(where, key, str(bad), value[key])

    steps = value.get("steps", MISSING)
    if not isinstance(steps, list):
        fail(where, "steps", "a list of steps", steps)
    if len(steps) > MOST_STEPS:
        raise ScenarioError(f"{where}: it has {len(steps)} steps; {MOST_STEPS} are the most: cut it up")
    read, refused = _read_calls(steps, where)
    extra = {key: _plain(item, where) for key, item in value.items() if key not in _TOP}
    notes = {number: _plain(rest, f"{where}, step {number}") for number, (_, rest) in enumerate(read, 1) if rest}
    if notes:
        extra[STEP_NOTES] = notes
    return Scenario(
        name,
        tuple(call for call, _ in read),
        top("arena_pages", integer(1, MOST_ARENA + 1, f"a whole number from 1 to {MOST_ARENA}"), 4096),
        top("unprivileged", truth, False),
        top("contents", truth, False),
        tuple(extra.items()),
        refused,
    )


def _read_calls(steps: list[Any], where: str) -> tuple[list[tuple[Call, dict[str, Any]]], str | None]:
    """The calls with their notes; or none, and what the model does not know of them."""
    read, refused = [], None
    for number, step in enumerate(steps, 1):
        try:
            read.append(read_call(step, f"{where}, step {number}"))
        except NotModelled as error:
            refused = refused or f"step {number} ({step['call']}): {error}"
    return ([], refused) if refused else (read, None)


def scenario_to_json(scenario: Scenario) -> dict[str, Any]:
    """The inverse of `scenario_from_json`; what it carried along comes back at its place."""
    if scenario.refused:
        raise ScenarioError(f"scenario {quoted(scenario.name)}, {scenario.refused}")
    extra = dict(scenario.extra)
    notes = extra.pop(STEP_NOTES, {})
    steps = [call_to_json(call) for call in scenario.steps]
    for number, rest in notes.items() if isinstance(notes, dict) else ():
        if number <= len(steps):
            steps[number - 1] |= rest
    result: dict[str, Any] = {"name": scenario.name, "arena_pages": scenario.arena_pages}
    if scenario.unprivileged:
        result["unprivileged"] = True
    if scenario.contents:
        result["contents"] = True
    return result | {"steps": steps} | extra


def _plain(value: Any, where: str, deep: int = 0) -> Any:
    """`value` with the decimals of the parser as floats again."""
    if deep > MOST_DEEP:
        raise ScenarioError(f"{where}: it carries something that is nested more than {MOST_DEEP} levels deep")
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, dict):
        only_once(value, where)
        return {key: _plain(item, where, deep + 1) for key, item in value.items()}
    return [_plain(item, where, deep + 1) for item in value] if isinstance(value, list) else value


def same_program(scenario: Scenario) -> tuple[object, ...]:
    """What two scenarios have in common that do the same: everything but name, notes and how closely to look."""
    return scenario.arena_pages, scenario.unprivileged, scenario.steps


# --- files ---------------------------------------------------------------------------------------------------


def _not_a_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no number in JSON")


def _exact(text: str) -> Decimal:
    if len(text) > MOST_DIGITS:
        raise ValueError(f"a number of {len(text)} characters; {MOST_DIGITS} are the most")
    return Decimal(text)


def parse_json(data: bytes, where: str) -> Any:
    """JSON with exact decimals; ScenarioError with line and column where it is none."""
    try:
        return json.loads(data.decode("utf-8-sig"), parse_float=_exact, parse_constant=_not_a_number,
                          object_pairs_hook=parsed_object)  # fmt: skip
    except json.JSONDecodeError as error:
        raise ScenarioError(f"{where}: not JSON: {error.msg} in line {error.lineno}, column {error.colno}") from None
    except UnicodeDecodeError:
        raise ScenarioError(f"{where}: not JSON: the text is not UTF-8") from None
    except RecursionError:
        raise ScenarioError(f"{where}: not a scenario file: it is nested too deeply") from None
    except ValueError as error:
        raise ScenarioError(f"{where}: not JSON: {error}") from None


def read_bytes(path: str | Path, where: str) -> bytes:
    """What a file holds (`-` is standard input), unpacked if its name ends in `.xz`; at most `MOST_BYTES`."""
    try:
        if str(path) == "-":
            data = sys.stdin.buffer.read(MOST_BYTES + 1)
        elif str(path).endswith(".xz"):
            with lzma.open(path) as packed:
                data = packed.read(MOST_BYTES + 1)
        else:
            with open(path, "rb") as file:
                data = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise ScenarioError(f"{where}: {(error.strerror or str(error)).lower()}") from None
    except ValueError:  # a name with a byte of zero
        raise ScenarioError(f"{where}: there can be no file of that name") from None
    except (lzma.LZMAError, EOFError):
        raise ScenarioError(f"{where}: its name ends in .xz and it is not packed with xz") from None
    if len(data) > MOST_BYTES:
        raise ScenarioError(f"{where}: larger than {MOST_BYTES >> 20} MiB, which is the most for a scenario file")
    return data


def loads(text: str | bytes, where: str = "the text") -> list[Scenario]:
    """The scenarios in `text`: one, or a list of them, with different names."""
    value = parse_json(text.encode() if isinstance(text, str) else text, where)
    if not isinstance(value, list):
        return [scenario_from_json(value, where)]
    if len(value) > MOST_SCENARIOS:
        raise ScenarioError(f"{where}: it holds {len(value)} scenarios; {MOST_SCENARIOS} are the most: cut it up")
    scenarios = [scenario_from_json(item, f"{where}, scenario {number}") for number, item in enumerate(value, 1)]
    seen: dict[str, int] = {}
    for number, scenario in enumerate(scenarios, 1):
        first = seen.setdefault(scenario.name, number)
        if first != number:
            raise ScenarioError(f"{where}: scenarios {first} and {number} have the same name, {quoted(scenario.name)}")
    return scenarios


def load_scenarios(path: str | Path) -> list[Scenario]:
    """The scenarios of a file (`-`: standard input), which may be packed (`.xz`).

    Raises ScenarioError, whose text names the file, for one that can't be read or understood.
    """
    given: object = path
    if not isinstance(given, str | Path):
        raise UsageError(f"a scenario file is given by its name, not by {described(path)}")
    name = str(path)
    where = "standard input" if name == "-" else name if name.isprintable() else ascii(name)
    return loads(read_bytes(path, where), where)


def named(name: str) -> Scenario:
    """One of the scenarios that come with the lessons (`data/scenarios`), such as `"never-heals"`.

    >>> [call.name for call in named("never-heals").steps]
    ['mmap', 'mremap', 'touch', 'mremap']
    """
    path = folder("scenarios") / f"{name}.json"
    if not path.is_file():
        known = ", ".join(sorted(path.stem for path in folder("scenarios").glob("*.json")))
        raise ScenarioError(f"there is no scenario {quoted(name)}: there are {known}")
    return load_scenarios(path)[0]


def dumps(scenarios: Scenario | Iterable[Scenario]) -> str:
    """One scenario, or a list of them, as the text of a scenario file: a step a line."""
    if isinstance(scenarios, Scenario):
        return _text(scenarios) + "\n"
    return "[\n" + ",\n".join(_text(scenario) for scenario in scenarios) + "\n]\n"


def _text(scenario: Scenario) -> str:
    value = scenario_to_json(scenario)
    steps = value.pop("steps")
    head = json.dumps(value)[:-1]
    lines = ",\n".join("   " + json.dumps(step) for step in steps)
    return f'{head},\n "steps": [\n{lines}]}}' if steps else f'{head}, "steps": []}}'


def renamed(scenario: Scenario, name: str) -> Scenario:
    """The same program under another name."""
    return evolve(scenario, name=name)
