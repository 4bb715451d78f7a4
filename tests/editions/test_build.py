"""`vmalab build`: what it says, and that it never writes over what is not its own."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from vmalab.__main__ import run
from vmalab.cli.build import missing
from vmalab.editions import EDITIONS, build, chosen
from vmalab.editions.folder import RECORD, write_edition
from vmalab.editions.nbgrader import with_region
from vmalab.editions.secret import course_secret, key_of, make_secret
from vmalab.editions.source import check_call, exercises, told, untold, without_check
from vmalab.errors import UsageError

CODE = 'answer = 1 &lt; 2\ncheck("1.1", answer)'
SOLUTION = f"<details>\n<summary>Solution</summary>\n\n```python\n{CODE}\n```\n\nWhy.\n\n</details>"
HINT = "<details>\n<summary>Hint</summary>\n\nThink.\n\n</details>\n"


@pytest.fixture
def lesson(tmp_path: Path) -> Path:
    """A small lesson with one exercise."""
    nb = new_notebook(
        cells=[
            new_markdown_cell("# 01 · Small"),
            new_markdown_cell("### Exercise 1.1: is it?\n\nIs it?"),
            new_code_cell('answer = ...\ncheck("1.1", answer)', metadata={"tags": ["exercise"]}, id="one"),
            new_markdown_cell(HINT + SOLUTION),
        ]
    )
    path = tmp_path / "01-small.ipynb"
    nbformat.write(nb, path)
    return path


# --- a lesson's parts ---


def test_an_exercise_is_its_cells_and_its_solution(lesson: Path) -> None:
    (one,) = exercises(nbformat.read(lesson, as_version=4))
    assert ("1.1", "is it?", "answer") == (one.name, one.title, one.checked)
    assert 'answer = 1 < 2\ncheck("1.1", answer)' == one.solution
    assert one.answer is one.check


def test_a_lesson_without_a_solution_is_told_from_one_with(lesson: Path) -> None:
    nb = nbformat.read(lesson, as_version=4)
    nb.cells[-1].source = HINT
    with pytest.raises(UsageError, match="01 · Small: 1 exercises, 1 cells to answer in, 1 checks and 0 solutions"):
        exercises(nb)


def test_solutions_go_or_open_and_hints_stay() -> None:
    assert HINT.rstrip() == untold(HINT + SOLUTION)
    assert "<details open>\n<summary>Solution</summary>\n\nWhy.\n\n</details>" in told(SOLUTION)


def test_the_check_of_a_cell() -> None:
    assert ("4.1", "answer") == check_call('answer = 1\ncheck("4.1", answer)')
    assert None is check_call("checked(1)") is check_call("x = 1") is check_call("")
    assert "def f():\n    ..." == without_check('def f():\n    ...\n\n\ncheck("4.4", f)')


@pytest.mark.parametrize(
    ("stub", "solution", "expected"),
    [
        ("answer = ...", "answer = 5", "answer = ...\n### BEGIN SOLUTION\nanswer = 5\n### END SOLUTION"),
        ("vm = f()\n# call\nvm", "vm = f()\nvm.g()\nvm",
         "vm = f()\n# call\n### BEGIN SOLUTION\nvm.g()\n### END SOLUTION\nvm"),
        ("def f():\n    ...", "def f():\n    return 1",
         "def f():\n    ...\n    ### BEGIN SOLUTION\n    return 1\n    ### END SOLUTION"),
    ],
)  # fmt: skip
def test_solution_regions(stub: str, solution: str, expected: str) -> None:
    assert expected == with_region(stub, solution)


# --- where it is written ---


def make(text: str = "a", name: str = "file"):  # type: ignore[no-untyped-def]
    def write(folder: Path) -> None:
        (folder / name).write_text(text)

    return write


def test_an_edition_is_built_again_and_what_others_put_there_stays(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "site"
    assert (1, 1) == write_edition(folder, "site", make())
    (folder / "gradebook.db").write_text("theirs")
    assert (1, 2) == write_edition(folder, "site", make("bb", "other"))
    assert {"other", "gradebook.db", RECORD} == {path.name for path in folder.iterdir()}
    assert [] == [path for path in folder.parent.iterdir() if path != folder]


def test_what_is_not_ours_is_left_alone(tmp_path: Path) -> None:
    folder = tmp_path / "site"
    folder.mkdir()
    (folder / "thesis.txt").write_text("mine")
    with pytest.raises(UsageError, match="is not empty and no edition of vmalab"):
        write_edition(folder, "site", make())
    (folder / "thesis.txt").unlink()
    write_edition(folder, "site", make())
    with pytest.raises(UsageError, match="holds the edition site"):
        write_edition(folder, "student", make())
    (folder / "new").write_text("mine")
    with pytest.raises(UsageError, match="new is in the way and not ours"):
        write_edition(folder, "site", make(name="new"))
    (folder / "file").write_text("changed")
    with pytest.raises(UsageError, match="file was changed since it was built"):
        write_edition(folder, "site", make())
    assert "changed" == (folder / "file").read_text()
    with pytest.raises(UsageError, match="is a file"):
        write_edition(folder / "file", "site", make())
    (folder / RECORD).write_text("{")
    with pytest.raises(UsageError, match="can't be read"):
        write_edition(folder, "site", make())


def test_a_failure_leaves_everything_as_it_was(tmp_path: Path) -> None:
    folder = tmp_path / "site"
    write_edition(folder, "site", make())

    def fail(place: Path) -> None:
        make("other")(place)
        raise UsageError("no")

    with pytest.raises(UsageError, match=r"^no$"):
        write_edition(folder, "site", fail)
    assert "a" == (folder / "file").read_text()
    assert [folder] == list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["../other", "{outside}", "link/file", "a\0b"])
def test_a_record_that_names_a_file_outside_deletes_nothing(tmp_path: Path, name: str) -> None:
    folder, outside = tmp_path / "site", tmp_path / "other"
    write_edition(folder, "site", make("a"))
    outside.write_text("mine")
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "file").write_text("mine")
    (folder / "link").symlink_to(tmp_path / "there")
    record = json.loads((folder / RECORD).read_text())
    record["files"][name.format(outside=outside)] = sha256(b"mine").hexdigest()
    (folder / RECORD).write_text(json.dumps(record))
    with pytest.raises(UsageError, match="outside"):
        write_edition(folder, "site", make("b"))
    assert "mine" == outside.read_text() == (tmp_path / "there" / "file").read_text()


def test_a_build_that_was_killed_half_way_is_taken_up_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "site"
    write_edition(folder, "site", make("old"))

    def two(text: str) -> Callable[[Path], None]:
        def write(place: Path) -> None:
            for name in ("file", "second", "third"):
                (place / name).write_text(text)

        return write

    replace = Path.replace

    def dies(self: Path, target: Path) -> Path:
        if target.name == "second":
            raise KeyboardInterrupt
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", dies)
    with pytest.raises(KeyboardInterrupt):
        write_edition(folder, "site", two("new"))
    monkeypatch.undo()
    assert {"file", "second", RECORD} >= {path.name for path in folder.iterdir()}  # nothing half made lies in it
    left = tmp_path / ".vmalab-half-made-999999999-x"
    left.mkdir()
    write_edition(folder, "site", two("newer"))
    assert ["newer"] * 3 == [(folder / name).read_text() for name in ("file", "second", "third")]
    assert [folder] == list(tmp_path.iterdir())


# --- the command ---


def test_editions_are_named_in_order() -> None:
    assert tuple(EDITIONS) == chosen(()) == chosen(tuple(EDITIONS)[::-1])
    with pytest.raises(UsageError, match="there is no edition 'books': there are student, solution, "):
        chosen(["student", "books"])


def test_the_command_builds_what_it_is_asked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert 0 == run(["build", "student", "--output", str(tmp_path)])
    said = capsys.readouterr().out
    assert said.startswith("student: ") and said.endswith(f" MB, in {tmp_path / 'student'}\n")
    assert {"student"} == {path.name for path in tmp_path.iterdir()}
    record = json.loads((tmp_path / "student" / RECORD).read_text())
    assert "student" == record["edition"] and "00-start-here.ipynb" in record["files"]
    assert 0 == run(["build", "student", "--output", str(tmp_path)])
    assert 0 == run(["build", "student", "--output", str(tmp_path), "--only", "04", "--only", "00"])
    assert ["00-start-here", "04-mremap-many-vmas"] == sorted(path.stem for path in tmp_path.glob("student/*.ipynb"))


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["books"], "there is no edition 'books'"),
        (["--seed", "1"], "--seed"),
        (["-o", "/proc/nowhere"], "/proc"),
        (["--only", "99"], "there is no lesson '99': there are 00-start-here, 01-"),
        (["site", "--only", "04"], "site can't be made of some lessons only: leave out --only"),
    ],
)
def test_what_cannot_be_done_is_one_line(
    arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert 2 == run(["build", "student", *arguments])
    said = capsys.readouterr()
    assert "" == said.out and 1 == said.err.count("\n") and sentence in said.err


def test_a_missing_package_is_named_with_its_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "nbclient", None)
    assert 2 == run(["build", "solution", "--output", str(tmp_path)])
    assert "the edition solution needs nbclient: pip install 'vmalab[lab]'" in capsys.readouterr().err
    fault = ModuleNotFoundError("No module named 'vmalab.oops'", name="vmalab.oops")
    assert missing(fault) is fault


def test_a_course_has_a_secret_of_its_own_and_keeps_it(tmp_path: Path, lesson: Path) -> None:
    nb = nbformat.read(lesson, as_version=4)
    for cell in nb.cells:
        cell.source = cell.source.replace("1.1", "0.1")
    nbformat.write(nb, lesson)
    a, b = (build("nbgrader", tmp_path / name, lessons=[lesson]).folder for name in "ab")
    secret, text = (a / "vmalab.secret").read_text(), (a / "source" / "01-small" / "01-small.ipynb").read_text()
    assert 0o600 == (a / "vmalab.secret").stat().st_mode & 0o777
    assert secret != (b / "vmalab.secret").read_text()
    assert secret.strip() not in text + (a / RECORD).read_text() and "vmalab.secret" not in (a / RECORD).read_text()
    build("nbgrader", tmp_path / "a", lessons=[lesson])
    assert secret == (a / "vmalab.secret").read_text()
    assert text == (a / "source" / "01-small" / "01-small.ipynb").read_text()


def test_a_secret_in_the_environment_is_in_no_file(
    tmp_path: Path, lesson: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VMALAB_SECRET", "5" * 64)
    assert bytes.fromhex("5" * 64) == make_secret(tmp_path) == course_secret(tmp_path)
    assert [] == [path for path in tmp_path.iterdir() if path.name == "vmalab.secret"]
    monkeypatch.setenv("VMALAB_SECRET", "short")
    with pytest.raises(UsageError, match="VMALAB_SECRET is not one: 32 hexadecimal digits or more"):
        course_secret(tmp_path)


def test_keys_differ_by_lesson_and_student_and_not_by_spelling() -> None:
    keys = {key_of(b"s" * 32, lesson, student) for lesson in ("01", "02") for student in ("ada", "bob")}
    assert 4 == len(keys)
    assert key_of(b"s" * 32, "01", " Ada") in keys
