"""Give each lesson, or each kind of call, its own recordings, from recordings of all their programs together.

    python -m tests.tools.lesson_recordings FOLDER [lessons|calls]

FOLDER holds RELEASE.json.xz as `vmalab record` and `python -m tests.kernels` write them.  Each becomes
`data/recordings/lessons/LESSON/RELEASE.json.xz`, one for each file of `data/scenarios/lessons/`, with that file's
programs in it; likewise with `calls`.  A file whose programs and answers are as before stays as it is, date and all:
who changes one lesson changes one lesson's files.  A file of which FOLDER has no program is left alone.
"""

from __future__ import annotations

import json
import lzma
import sys
from pathlib import Path
from typing import Any

from vmalab.machines.recorded import SCENARIOS, SUFFIX
from vmalab.programs.files import write_whole
from vmalab.programs.scenario import load_scenarios

ROOT = Path(__file__).parents[2]
PROGRAMS = ROOT / "data" / "scenarios"
FOLDER = ROOT / "data" / "recordings"


def read(path: Path) -> Any:
    return json.loads(lzma.decompress(path.read_bytes()))


def names(path: Path) -> set[str]:
    """The names of the scenarios of a file."""
    return {scenario.name for scenario in load_scenarios(path)}


def parts(recording: dict[str, Any], programs: list[dict[str, Any]], of: str) -> dict[str, dict[str, Any]]:
    """The recording of each file of `of`, by the file's name."""
    answers = {result["name"]: result for result in recording["results"]}
    head = {key: value for key, value in recording.items() if key not in ("scenarios", "results")}
    found = {}
    for path in sorted((PROGRAMS / of).glob("*.json")):
        known = names(path)
        own = [program for program in programs if program["name"] in known]
        found[path.stem] = {**head, "scenarios": own, "results": [answers[program["name"]] for program in own]}
    return found


def same(path: Path, recording: dict[str, Any]) -> bool:
    """Whether the file at `path` holds these programs and these answers already."""
    there = read(path) if path.exists() else {}
    return all(there.get(key) == recording[key] for key in ("scenarios", "results"))


def main(arguments: list[str]) -> int:
    source, of = Path(arguments[0]), (arguments[1:] or ["lessons"])[0]
    wanted: set[Path] = set()
    asked: set[str] = set()
    for file in sorted(source.glob(f"[0-9]*{SUFFIX}")):
        whole = read(file)
        programs = whole.get("scenarios") or read(source / SCENARIOS)
        for part, recording in parts(whole, programs, of).items():
            if not recording["scenarios"]:
                continue
            path = FOLDER / of / part / file.name
            wanted.add(path)
            asked.add(part)
            if not same(path, recording):
                path.parent.mkdir(parents=True, exist_ok=True)
                write_whole(path, json.dumps(recording, ensure_ascii=False) + "\n")
                print(path.relative_to(ROOT))
    for path in {path for part in asked for path in (FOLDER / of / part).glob(f"*{SUFFIX}")} - wanted:
        path.unlink()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
