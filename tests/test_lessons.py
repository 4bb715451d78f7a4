"""The lessons themselves: one template, no logic, claims that machines back, exercises whose solutions pass.

Here the code cells run in this process, without Jupyter; that the stored outputs are those of a real run is nbval's to
check (`make lessons`).
"""

from __future__ import annotations

import ast
import itertools
import json
import re
import statistics
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from IPython.lib.pretty import pretty
from nbformat import NotebookNode

from tests.tools import lesson_recordings as splitting
from tests.tools.lesson_programs import texts
from vmalab.differences.answers import Answers, by_model, by_recording, difference, lesson_recordings
from vmalab.editions import execute, minutes
from vmalab.editions import source as template
from vmalab.editions.source import lesson_paths, tags
from vmalab.linux.call import Limit
from vmalab.pictures.table import Table
from vmalab.programs.files import write_whole
from vmalab.programs.scenario import Scenario, load_scenarios
from vmalab.teach.exercises.checking import Feedback

ROOT = Path(__file__).parents[1]
LESSONS = lesson_paths()
pytestmark = pytest.mark.notebook
lessons = pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)


@cache
def lesson(path: Path) -> NotebookNode:
    return template.read(path)


def cells_of(path: Path) -> list[NotebookNode]:
    return list(lesson(path).cells)


def code_of(path: Path) -> list[NotebookNode]:
    return template.code_cells(lesson(path))


def prose(path: Path) -> str:
    """All text of a lesson, without code."""
    text = "\n\n".join(cell.source for cell in cells_of(path) if cell.cell_type == "markdown")
    return re.sub(r"```.*?```|`[^`\n]*`", "", text, flags=re.DOTALL)


# --- one template ---


@lessons
def test_a_lesson_imports_from_the_public_interface_only(path: Path) -> None:
    imports = [
        node.module
        for cell in code_of(path)
        for node in ast.walk(ast.parse(cell.source))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("vmalab")
    ]
    assert imports and set(imports) <= {"vmalab", "vmalab.teach", "vmalab.widgets"}


@lessons
def test_a_lesson_opens_with_its_title_a_summary_what_it_needs_and_how_long_it_takes(path: Path) -> None:
    first = cells_of(path)[0].source
    title, summary = first.split("\n\n")[:2]
    assert title.startswith(f"# {path.stem[:2]} · ") and "\n" not in title
    assert summary.startswith("*") and summary.endswith("*")
    assert "| **You need** |" in first and minutes.load(lesson(path)).header in first


@lessons
def test_headings_are_never_skipped_and_there_is_one_title(path: Path) -> None:
    found = re.findall(r"^(#+) (.+)$", prose(path), flags=re.MULTILINE)
    levels = [len(marks) for marks, _ in found]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))
    names = [name for marks, name in found if len(marks) == 2]
    assert names[0] == "Goals"
    order = [names.index(name) for name in ("Exercises", "Summary", "Further reading")]
    assert order == sorted(order) and names[-1] == "Further reading"


@lessons
def test_texts_are_plain(path: Path) -> None:
    assert "!" not in prose(path).replace("!=", "")
    source = "\n".join(cell.source for cell in cells_of(path) if cell.cell_type == "markdown")
    assert source.count("<details>") == source.count("</details>") == source.count("<summary>") > 0


@lessons
def test_cells_are_short_and_hold_no_logic(path: Path) -> None:
    lengths = [len(cell.source.splitlines()) for cell in code_of(path)]
    assert statistics.median(lengths) <= 4 and max(lengths) <= 8
    for cell in code_of(path):
        banned = (ast.For, ast.While, ast.If, ast.Lambda, ast.ClassDef)
        if "exercise" not in tags(cell):
            banned += (ast.FunctionDef,)
        assert not [node for node in ast.walk(ast.parse(cell.source)) if isinstance(node, banned)], cell.source


@lessons
def test_what_answers_a_prediction_is_folded(path: Path) -> None:
    cells = cells_of(path)
    asked = [index for index, cell in enumerate(cells) if cell.source.startswith(("Question(", "Predict("))]
    assert asked
    for index, after in itertools.pairwise([*asked, len(cells)]):
        shown = [cell for cell in cells[index + 1 : after] if cell.cell_type == "code"]
        assert any(cell.metadata.get("jupyter", {}).get("outputs_hidden") for cell in shown), cells[index].source


@lessons
def test_predictions_by_drawing_have_a_reveal_in_words(path: Path) -> None:
    drawn = [cell for cell in code_of(path) if cell.source.splitlines()[-1].startswith("Predict(")]
    told = [cell for cell in cells_of(path) if "<summary><b>Reveal</b></summary>" in cell.source]
    # lesson 00 only shows how one draws
    assert len(told) == (0 if path.stem.startswith("00") else len(drawn))
    assert not [cell for cell in cells_of(path) if "**Predict.**" in cell.source and not drawn]


@lessons
def test_live_cells_are_tagged_and_no_others(path: Path) -> None:
    for cell in code_of(path):
        last = cell.source.splitlines()[-1]
        live = last.startswith(
            ("on_this_machine(", "examine(", "this_process(", "demo(", "hunt_here(", "measure_here(")
        )
        assert live == ("nbval-ignore-output" in tags(cell)) == ("live" in tags(cell))


@lessons
def test_links_between_lessons_lead_somewhere(path: Path) -> None:
    source = "\n".join(cell.source for cell in cells_of(path) if cell.cell_type == "markdown")
    for target in re.findall(r"\]\(([^)h][^)]*\.ipynb)\)", source):
        assert (path.parent / target).is_file()


# --- what the cells do ---


def played(path: Path, replaced: dict[str, str] | None = None) -> list[tuple[NotebookNode, Any, str]]:
    """Run a lesson's code in this process: each code cell with the value of its last line, and that value's text.

    `replaced`: sources to run instead of others.
    """
    return [(cell, value, pretty(value, max_width=79)) for cell, value in execute.played(lesson(path), replaced)]


def stored(cell: NotebookNode) -> str | None:
    """The plain text that is stored as a cell's result."""
    return next((output.data["text/plain"] for output in cell.outputs if output.output_type == "execute_result"), None)


@lessons
@pytest.mark.parametrize("live", ["on", "off"])
def test_the_outputs_are_the_same_with_the_live_machine_on_and_off(
    path: Path, live: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VMALAB_LIVE", live)
    for cell, value, text in played(path):
        if "live" in tags(cell):
            assert live == "on" or "switched off (VMALAB_LIVE=off)" in text
            assert "was not recorded" not in text and "no recording" not in text
        elif value is not None:
            assert text == stored(cell), cell.source


@lessons
def test_models_and_kernels_agree_wherever_a_lesson_asks_both(path: Path) -> None:
    shown = [value for cell, value, _ in played(path) if "live" not in tags(cell)]
    # a Lockstep holds two releases together, which may well differ
    for verdict in (value.verdict for value in shown if isinstance(value, Answers | Table)):
        assert "Not every kernel" not in verdict and "differ" not in verdict


# --- exercises ---


def solutions(path: Path) -> list[str]:
    """The code of all solutions, in order."""
    return template.solutions(lesson(path))


def answers(path: Path) -> list[str]:
    """The sources of the cells that a learner fills in."""
    return [cell.source for cell in template.answers(lesson(path))]


@lessons
def test_every_exercise_has_hints_before_its_one_solution(path: Path) -> None:
    source = "\n".join(cell.source for cell in cells_of(path) if cell.cell_type == "markdown")
    parts = re.split(r"^### Exercise \d+\.\d+: ", source, flags=re.MULTILINE)[1:]
    assert len(parts) == len(solutions(path)) == len(answers(path)) > 0
    for part in parts:
        hints = [match.start() for match in re.finditer("<summary>Hint", part)]
        assert hints and part.count("<summary>Solution</summary>") == 1
        assert max(hints) < part.index("<summary>Solution</summary>")


@lessons
def test_before_anybody_answers_every_check_says_so(path: Path) -> None:
    told = [value for _, value, _ in played(path) if isinstance(value, Feedback)]
    assert len(told) == len(solutions(path))
    assert [] == [one for one in told if one.started or one.solved]


@lessons
def test_every_solution_passes_its_check(path: Path) -> None:
    replaced = dict(zip(answers(path), solutions(path), strict=True))
    told = [value for _, value, _ in played(path, replaced) if isinstance(value, Feedback)]
    assert [] == [one for one in told if not one.solved]


# --- recordings ---


def test_the_scenario_files_hold_what_the_lessons_ask() -> None:
    wanted = texts()
    assert {path: path.read_text(encoding="utf-8") for path in wanted} == wanted, (
        "run `python -m tests.tools.lesson_programs`, then record as data/recordings/lessons/README.md says"
    )


def test_who_changes_one_lesson_changes_one_lessons_recordings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, source = tmp_path / "lessons", tmp_path / "together"
    source.mkdir()
    monkeypatch.setattr(splitting, "FOLDER", tmp_path)
    monkeypatch.setattr(splitting, "ROOT", tmp_path)
    together: dict[str, Any] = {"release": "6.17.13", "scenarios": [], "results": []}
    for path in sorted((ROOT / "data" / "recordings" / "lessons").glob("*/6.17.13.json.xz")):
        one = splitting.read(path)
        together |= {key: together[key] + one[key] for key in ("scenarios", "results")}

    def written(date: str) -> dict[str, str]:
        write_whole(source / "6.17.13.json.xz", json.dumps({**together, "date": date}))
        assert 0 == splitting.main([str(source)])
        return {path.parent.name: splitting.read(path)["date"] for path in folder.glob("*/*")}

    assert {"first"} == set(written("first").values())
    changed = next(one for one in together["results"] if one["name"].startswith("lesson-04/"))
    changed["steps"][0] = {"ret": "EINVAL"}
    assert ["04-mremap-many-vmas"] == [lesson for lesson, date in written("second").items() if date == "second"]


BY_VMALAB_RECORD = "6.18.44"
"""The recording that was made without a virtual machine, where nobody may set vm.max_map_count."""


def needs_a_guest(scenario: Scenario) -> bool:
    return any(isinstance(call, Limit) and call.resource == "map_count" for call in scenario.steps)


@pytest.mark.parametrize("release", sorted({path.name.removesuffix(".json.xz") for path in lesson_recordings()}))
def test_every_recorded_kernel_answered_every_program_as_its_model_does(release: str) -> None:
    for file in sorted((ROOT / "data" / "scenarios" / "lessons").glob("*.json")):
        for scenario in load_scenarios(file):
            theirs = by_recording(release, scenario)
            if release == BY_VMALAB_RECORD and needs_a_guest(scenario):
                assert theirs.last is None
                continue
            assert theirs.last is not None, (scenario.name, theirs.why)
            assert difference(by_model(release, scenario), theirs) == "", scenario.name
