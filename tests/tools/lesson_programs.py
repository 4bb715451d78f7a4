"""Write `data/scenarios/lessons/`: every program that a lesson asks kernels about, taken from the lesson itself.

    python tests/tools/lesson_programs.py [--check]

The lessons' code cells run here one after the other, and what they give to `on_this_machine` and `real_kernels` is
collected; so the recordings, which are made from these files, always answer what the lessons ask.  `--check` writes
nothing and ends with status 1 where a file is not as it would be written.
"""

from __future__ import annotations

import sys
from pathlib import Path

import nbformat

from vmalab.differences import agreement, live_answers, lockstep
from vmalab.machines.program import scenario_of
from vmalab.programs.scenario import Scenario, dumps, renamed, same_program
from vmalab.teach import answers, obstacles, order, trials

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "data" / "scenarios" / "lessons"


def code_cells(path: Path) -> list[str]:
    """The code of a lesson, cell by cell."""
    cells = nbformat.read(path, as_version=4).cells
    return [cell.source for cell in cells if cell.cell_type == "code"]


def asked_by(path: Path) -> list[Scenario]:
    """The programs that the lesson at `path` asks kernels about, each once, named by lesson and number."""
    found: dict[tuple[object, ...], Scenario] = {}

    def listening(program: object) -> Scenario:
        scenario = scenario_of(program)  # type: ignore[arg-type]
        found.setdefault(same_program(scenario), scenario)
        return scenario

    rooms = (agreement, answers, live_answers, lockstep, obstacles, order, trials)
    were = [room.scenario_of for room in rooms]
    names: dict[str, object] = {"__name__": "lesson", "display": lambda *_: None, "print": lambda *_: None}
    try:
        for room in rooms:
            room.scenario_of = listening  # type: ignore[assignment]
        for source in code_cells(path):
            exec(compile(source, path.name, "exec"), names)  # the lessons are ours
    finally:
        for room, was in zip(rooms, were, strict=True):
            room.scenario_of = was  # type: ignore[assignment]
    lesson = path.stem.split("-")[0]
    return [renamed(scenario, f"lesson-{lesson}/{number:02}") for number, scenario in enumerate(found.values(), 1)]


def texts() -> dict[Path, str]:
    """Each file and what belongs into it; lessons that ask nothing have none."""
    wanted = {}
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        if scenarios := asked_by(path):
            wanted[FOLDER / f"{path.stem}.json"] = dumps(scenarios)
    return wanted


def main(arguments: list[str]) -> int:
    wanted = texts()
    there = {path: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.json")}
    if "--check" in arguments:
        return int(there != wanted)
    FOLDER.mkdir(parents=True, exist_ok=True)
    for path in there.keys() - wanted.keys():
        path.unlink()
    for path, text in wanted.items():
        path.write_text(text, encoding="utf-8")
        print(f"{path.relative_to(ROOT)}: {text.count(chr(34) + 'name' + chr(34))} programs")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
