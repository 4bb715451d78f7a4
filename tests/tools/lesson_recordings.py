"""Give each lesson its own recordings, from recordings of all lessons' programs together.

    python -m tests.tools.lesson_recordings FOLDER

FOLDER holds RELEASE.json.xz as `vmalab record` and `python -m tests.kernels` write them.  Each becomes
`data/recordings/lessons/LESSON/RELEASE.json.xz`, one for each lesson, with that lesson's programs in it.  A file whose
programs and answers are as before stays as it is, date and all: who changes one lesson changes one lesson's files.
"""

from __future__ import annotations

import json
import lzma
import sys
from pathlib import Path
from typing import Any

from vmalab.machines.recorded import SCENARIOS, SUFFIX
from vmalab.programs.files import write_whole

ROOT = Path(__file__).parents[2]
PROGRAMS = ROOT / "data" / "scenarios" / "lessons"
FOLDER = ROOT / "data" / "recordings" / "lessons"


def read(path: Path) -> Any:
    return json.loads(lzma.decompress(path.read_bytes()))


def parts(recording: dict[str, Any], programs: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The recording of each lesson, by the lesson's name."""
    answers = {result["name"]: result for result in recording["results"]}
    head = {key: value for key, value in recording.items() if key not in ("scenarios", "results")}
    found = {}
    for path in sorted(PROGRAMS.glob("*.json")):
        prefix = f"lesson-{path.stem.split('-')[0]}/"
        own = [program for program in programs if program["name"].startswith(prefix)]
        found[path.stem] = {**head, "scenarios": own, "results": [answers[program["name"]] for program in own]}
    return found


def same(path: Path, recording: dict[str, Any]) -> bool:
    """Whether the file at `path` holds these programs and these answers already."""
    there = read(path) if path.exists() else {}
    return all(there.get(key) == recording[key] for key in ("scenarios", "results"))


def main(arguments: list[str]) -> int:
    source = Path(arguments[0])
    wanted: set[Path] = set()
    for file in sorted(source.glob(f"[0-9]*{SUFFIX}")):
        whole = read(file)
        programs = whole.get("scenarios") or read(source / SCENARIOS)
        for lesson, recording in parts(whole, programs).items():
            path = FOLDER / lesson / file.name
            wanted.add(path)
            if not same(path, recording):
                path.parent.mkdir(parents=True, exist_ok=True)
                write_whole(path, json.dumps(recording, ensure_ascii=False) + "\n")
                print(path.relative_to(ROOT))
    for path in set(FOLDER.glob(f"*/*{SUFFIX}")) - wanted:
        path.unlink()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
