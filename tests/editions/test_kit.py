"""Lessons of others: made, held against the template, checked; what is wrong is named."""

from __future__ import annotations

import sys
from pathlib import Path

import nbformat
import pytest
from click.testing import CliRunner
from nbformat.v4 import new_code_cell, new_markdown_cell

from vmalab.cli import cli
from vmalab.editions import build, checked
from vmalab.editions.kit import new_lesson
from vmalab.editions.source import lesson_paths, read
from vmalab.editions.template import complaints
from vmalab.errors import UsageError
from vmalab.teach import Topic, add_topic, checks, exercise, solved
from vmalab.teach import exercises as exercises_module
from vmalab.teach.problems import problem
from vmalab.widgets import Quiz


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    new_lesson("spare", tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path
    sys.modules.pop("spare_lesson", None)


@pytest.mark.parametrize("path", lesson_paths(), ids=lambda path: path.stem)
def test_the_courses_lessons_are_by_the_template(path: Path):
    assert [] == complaints(read(path), path)


def test_a_new_lesson_is_by_the_template_and_its_answers_are_so(made: Path):
    assert [] == checked.check_lesson(made / "spare.ipynb", runs=False)
    assert (made / ".github" / "workflows" / "lessons.yml").read_text().count("vmalab check .") == 1
    with pytest.raises(UsageError, match="is there already"):
        new_lesson("spare", made)
    with pytest.raises(UsageError, match="a word of small letters"):
        new_lesson("Spare Part", made)


def test_what_is_wrong_is_named(made: Path):
    path = made / "spare.ipynb"
    nb = read(path)
    nb.cells[0].source = nb.cells[0].source.replace("about", "some")
    nb.cells.insert(5, new_markdown_cell("#### Deep!\n\n![](none.png) and [there](nowhere.ipynb)"))
    nb.cells.insert(6, new_code_cell("from vmalab.linux import flags\nfor one in range(9):\n    one"))
    nb.cells[-1].source = nb.cells[-1].source.replace("## Summary", "## What we saw")
    said = "\n".join(complaints(nb, path))
    for words in (
        "the time that was measured", "leaves a level out", "no exclamation mark", "has no words for who can't see it",
        "nowhere.ipynb leads nowhere", "logic: that goes into spare_lesson.py", "vmalab.linux, which is private",
        "end with Exercises, Summary, Further reading",
    ):  # fmt: skip
        assert words in said


def test_an_answer_that_is_not_so_is_named(made: Path):
    module = made / "spare_lesson.py"
    module.write_text(module.read_text().replace('"b",', '"a",'))
    told = checked.check_lesson(made / "spare.ipynb", runs=False)
    assert ["question spare-cut: right is 'a', and what it shows makes 'b' right"] == told
    module.write_text("1 / 0")
    assert ["spare_lesson.py: ZeroDivisionError: division by zero"] == checked.check_lesson(
        made / "spare.ipynb", runs=False
    )


def test_students_get_the_module_beside_the_notebook(made: Path, tmp_path: Path):
    built = build("student", tmp_path / "out", lessons=[made / "spare.ipynb"])
    assert {"spare.ipynb", "spare_lesson.py"} <= {path.name for path in built.folder.iterdir()}
    assert "Solution" not in nbformat.writes(read(built.folder / "spare.ipynb"))
    with pytest.raises(UsageError, match="nbgrader is of the course's lessons alone"):
        build("nbgrader", tmp_path / "out", lessons=[made / "spare.ipynb"])


def test_the_command_says_what_there_is_to_say(made: Path):
    run = CliRunner().invoke(cli, ["check", "--quick", str(made)])
    assert (run.exit_code, run.output) == (0, "spare.ipynb: nothing to say\n")
    (made / "spare.ipynb").unlink()
    run = CliRunner().invoke(cli, ["check", str(made)])
    assert run.exit_code and "there is no notebook in" in str(run.exception)


def test_exercises_of_others_are_known_by_name_and_ours_stay_ours(monkeypatch: pytest.MonkeyPatch):
    ours = set(exercises_module.exercises())
    monkeypatch.setattr(exercises_module, "_registered", dict(exercises_module.exercises()))
    checks("x.1")(lambda answer: solved("Yes."))
    assert len(exercise("x.1").snapshot()) == 0 and set(exercises_module.exercises()) == ours | {"x.1"}
    with pytest.raises(UsageError, match="begin with a number are the course's"):
        checks("4.2")(lambda answer: solved("No."))
    with pytest.raises(UsageError, match=r"such as 'madvise.1'"):
        checks("x")(lambda answer: solved("No."))


def test_problems_of_others_are_drawn_by_the_same_hand(monkeypatch: pytest.MonkeyPatch):
    from vmalab.teach.problems import topics

    def given_back(d):
        span = d.map(d.home, "rw")
        d.touch(span)
        d.ask()
        d.unmap(d.part(span))

    before = problem(1, 7).digest
    monkeypatch.setattr(topics, "added", topics.added)
    add_topic("spare", Topic({given_back: 1}, {"vmas": 2, "errno": 1}, {"6.18": 1}, about="giving back"))
    try:
        assert "spare (giving back)" in problem(1, 0, "spare").title
        assert Quiz(topic="spare").problem.topic == "spare"
        made = [problem(1, seed, "spare") for seed in range(3)]
        assert all(one.check(one.answer).solved for one in made)
        assert problem(1, 7).digest == before
    finally:
        del topics.added["spare"]
