"""`vmalab grade` from a download to marks: begun again after a kill, on processes and on a Dask cluster; rosters."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from nbgrader.auth import Authenticator
from nbgrader.coursedir import CourseDirectory
from nbgrader.exchange.default import ExchangeFetchAssignment, ExchangeReleaseAssignment, ExchangeSubmit
from traitlets.config import LoggingConfigurable
from traitlets.config.loader import PyFileConfigLoader

from tests.patience import PATIENCE
from vmalab.__main__ import run
from vmalab.editions import build, class_grading
from vmalab.editions.collect import Collect, from_zip, owner
from vmalab.editions.grading import readable
from vmalab.editions.nbgrader import OWN
from vmalab.editions.roster import Student, folder_name, load_roster, read_roster, write_marks
from vmalab.errors import UsageError
from vmalab.programs.data import lessons

LESSON = "00-start-here"
RIGHT = "answer = (4, 4, 3)"
MOODLE = """\
Identifier,Full name,Email address,Status,Grade,Maximum Grade,Feedback comments
Participant 4711,Ada Lovelace,ada@x.org,Submitted,,20.00,
Participant 4712,"Hopper, Grace",grace@x.org,Submitted,,20.00,
Participant 4713,=cmd(),mal@x.org,No submission,,20.00,
"""
CANVAS = """\
Student,ID,SIS User ID,SIS Login ID,Section,00-start-here (991)
    Points Possible,,,,,10.00
"Lovelace, Ada",4711,u1,ada,A,
"Hopper, Grace",4712,u2,grace,A,
"Student, Test",99,,,A,
"""


def notebook(answer: str) -> str:
    """What a student hands in: only the answers."""
    mark = {"grade_id": "answer-0-1", "solution": True, "grade": False, "locked": False, "schema_version": 3}
    cells = [new_code_cell("from vmalab.teach import check"), new_code_cell(answer, metadata={"nbgrader": mark})]
    return nbformat.writes(new_notebook(cells=cells))


@pytest.fixture(scope="module")
def master(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A course with its one assignment handed out; others are copied from it."""
    output = tmp_path_factory.mktemp("course")
    folder = build("nbgrader", output, lessons=[lessons() / f"{LESSON}.ipynb"]).folder
    command = [sys.executable, "-m", "nbgrader", "generate_assignment", LESSON]
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(command, cwd=folder, env={**os.environ, "PATH": path}, capture_output=True, text=True)
    assert 0 == done.returncode, done.stderr
    return folder


@pytest.fixture
def course(master: Path, tmp_path: Path) -> Path:
    subprocess.run(["cp", "-a", str(master), str(tmp_path / "course")], check=True)
    return tmp_path / "course"


def hand_in(course: Path, student: str, answer: str = RIGHT) -> None:
    place = course / "submitted" / student / LESSON
    place.mkdir(parents=True, exist_ok=True)
    (place / f"{LESSON}.ipynb").write_text(notebook(answer), encoding="utf-8")


def scores(course: Path) -> dict[str, float]:
    found = class_grading.open_course(course, "00")
    return {student: score for student, (score, _) in class_grading.marks(found).items()}


def grade(course: Path, *arguments: str, status: int = 0) -> None:
    assert status == run(["grade", "00", "--course", str(course), "--jobs", "1", *arguments])


# --- whose a file is ---


@pytest.mark.parametrize(
    ("path", "student"),
    [
        ("Ada Lovelace_4711_assignsubmission_file_/00-start-here.ipynb", "ada@x.org"),
        ("Ada Lovelace_4711_assignsubmission_file_00-start-here.ipynb", "ada@x.org"),
        ("download/Ada Lovelace_4711_assignsubmission_file_/a/b.ipynb", "ada@x.org"),
        ("lovelaceada_4711_88_00-start-here.ipynb", "ada@x.org"),
        ("lovelaceada_LATE_4711_88_00-start-here-2.ipynb", "ada@x.org"),
        ("Nobody_5_assignsubmission_file_/x.ipynb", "5"),
        ("00-start-here.ipynb", None),
    ],
)
def test_whose_a_downloaded_file_is(path: str, student: str | None) -> None:
    assert student == owner(path, [Student("ada@x.org", "Ada Lovelace", "4711")])


def test_a_download_is_read_whatever_is_in_it(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "in.zip", "w") as packed:
        packed.writestr("a_4711_1_00-start-here.ipynb", "first")
        packed.writestr("a_4711_1_00-start-here-2.ipynb", "third")
        packed.writestr("a_4711_1_00-start-here-1.ipynb", "second")
        packed.writestr("a_4711_1_other.ipynb", "other")
        packed.writestr("b_.._1_00-start-here.ipynb", "no number")
        packed.writestr("../../c_4713_1_00-start-here.ipynb", "outside")
        packed.writestr("loose.ipynb", "nobody's")
        packed.writestr("readme.txt", "no notebook")
        link = zipfile.ZipInfo("d_4714_1_00-start-here.ipynb")
        link.external_attr = 0o120777 << 16
        packed.writestr(link, "/etc/passwd")
    came, aside = from_zip(tmp_path / "in.zip", tmp_path / "submitted", LESSON)
    assert (["4711", "4713"], 3) == (came, len(aside))
    assert "third" == (tmp_path / "submitted" / "4711" / LESSON / f"{LESSON}.ipynb").read_text()
    assert {"in.zip", "submitted"} == {path.name for path in tmp_path.iterdir()}
    with pytest.raises(UsageError, match="can't be read as a zip of downloads"):
        from_zip(Path(__file__), tmp_path / "submitted", LESSON)


# --- rosters and marks ---


def test_rosters_of_three_systems(tmp_path: Path) -> None:
    path = tmp_path / "roster.csv"
    path.write_text(MOODLE, encoding="utf-8-sig")
    assert Student("ada@x.org", "Ada Lovelace", "4711") == read_roster(path)[0]
    path.write_text(CANVAS)
    assert [Student("ada", "Lovelace, Ada", "4711"), Student("grace", "Hopper, Grace", "4712")] == read_roster(path)
    path.write_text("id;first_name;last_name;email\nada;Ada;Lovelace;\n")
    assert [Student("ada", "Ada Lovelace")] == read_roster(path)
    path.write_text("id\nada\nADA\n")
    with pytest.raises(UsageError, match="line 3: ADA is in line 2, too"):
        read_roster(path)
    path.write_text("name\nada\n")
    with pytest.raises(UsageError, match="names none of the columns"):
        read_roster(path)
    with pytest.raises(UsageError, match="no such file"):
        read_roster(tmp_path / "none.csv")
    assert ["x", "nobody", "a-b", "nobody"] == [folder_name(text) for text in ("../x", "..", "a/b", "\0")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (MOODLE, "Participant 4711,Ada Lovelace,ada@x.org,Submitted,15.00,20.00,"),
        (CANVAS, '"Lovelace, Ada",4711,u1,ada,A,7.50'),
        ("id,first_name\nada,\nada@x.org,\n", "ada,,3.00,4.00"),
    ],
)
def test_marks_go_into_the_systems_own_file(text: str, expected: str, tmp_path: Path) -> None:
    path, out = tmp_path / "roster.csv", tmp_path / "marks.csv"
    path.write_text(text)
    assert write_marks(out, load_roster(path), LESSON, {"ada@x.org": (3, 4), "ada": (3, 4)}) > 0
    lines = out.read_text().splitlines()
    assert expected in lines
    assert len(text.splitlines()) == len(lines)
    assert not any(",=" in line for line in lines)


# --- what students hand in ---


@pytest.mark.parametrize(
    "text", ["", "no notebook", "[]", "{}", '{"cells": 5}', '{"cells": [5, {"source": 5}]}', "\xff" * 9, "[" * 100_000]
)
def test_what_is_no_notebook_has_no_cells(text: str) -> None:
    assert [] == readable(text.encode("latin-1")).cells


def test_of_a_notebook_only_its_cells_count() -> None:
    nb = new_notebook(cells=[new_markdown_cell("a"), new_code_cell("b", metadata={"tags": ["live", "y"], "x": 1})])
    nb.cells[1].metadata["nbgrader"] = {"grade_id": "answer-0-1", "points": 99, "grade": True}
    nb.metadata["kernelspec"] = {"name": "evil"}
    made = readable(nbformat.writes(nb).encode())
    assert {} == made.metadata
    assert {"tags": ["live"], "nbgrader": {"grade_id": "answer-0-1"}} == made.cells[1].metadata


# --- from a download to marks ---


@pytest.mark.notebook
def test_from_a_download_to_marks_and_only_what_is_new(
    course: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # the gradebook is found from anywhere
    (tmp_path / "sheet.csv").write_text(MOODLE)
    with zipfile.ZipFile("in.zip", "w") as packed:
        packed.writestr(f"Ada Lovelace_4711_assignsubmission_file_/{LESSON}.ipynb", notebook(RIGHT))
        packed.writestr(f"Hopper, Grace_4712_assignsubmission_file_/{LESSON}.ipynb", "{")
    grade(course, "--from", "in.zip", "--roster", "sheet.csv", "--marks", "marks.csv")
    told = capsys.readouterr().out
    assert "2 submissions, 2 graded" in told and "is judged without network" in told
    assert {"ada@x.org": 2.0, "grace@x.org": 0.0} == {
        one: score for one, score in scores(course).items() if one[0] in "ag"
    }
    marks = (tmp_path / "marks.csv").read_text()
    assert "Ada Lovelace,ada@x.org,Submitted,10.00,20.00" in marks and "grace@x.org,Submitted,0.00" in marks
    grade(course)
    assert "2 submissions, 0 graded" in capsys.readouterr().out
    hand_in(course, "grace@x.org")
    grade(course)
    assert "2 submissions, 1 graded" in capsys.readouterr().out
    assert 2.0 == scores(course)["grace@x.org"]


@pytest.mark.notebook
def test_from_the_exchange_to_marks(course: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [f"c.Exchange.{name} = {str(tmp_path / name)!r}\n" for name in ("root", "cache")]
    (course / OWN).write_text("".join(["c = get_config()\n", *lines]))
    (tmp_path / "root").mkdir(mode=0o777)
    config = PyFileConfigLoader(class_grading.CONFIG, path=str(course)).load_config()

    def nbgrader(step: type[LoggingConfigurable], name: str = LESSON) -> None:
        config.CourseDirectory.assignment_id = name
        folder = CourseDirectory(config=config)
        step(coursedir=folder, authenticator=Authenticator(config=config), config=config).start()

    nbgrader(ExchangeReleaseAssignment)
    monkeypatch.chdir(tmp_path)  # a student's folder
    nbgrader(ExchangeFetchAssignment)
    (tmp_path / LESSON / f"{LESSON}.ipynb").write_text(notebook(RIGHT))
    nbgrader(ExchangeSubmit)
    grade(course, "--from", "exchange")
    (student,) = (path.name for path in (course / "submitted").iterdir())
    assert {student: 2.0} == {one: score for one, score in scores(course).items() if one == student}
    assert (course / "autograded" / student / LESSON / "submission_secret.txt").is_file()  # feedback can be released


def test_a_submission_is_whose_its_owner_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = Collect(coursedir=CourseDirectory(), authenticator=Authenticator())
    path = tmp_path / f"victim+{LESSON}+2026-01-01 00:00:00 UTC+x"
    path.mkdir()
    assert "victim" == one._path_to_record(str(path))["username"]  # that of the user who collects tells nothing
    monkeypatch.setattr("vmalab.editions.collect.owner_of", lambda path: "mallory")
    assert "mallory" == one._path_to_record(str(path))["username"]


def test_of_a_submission_only_plain_files_are_collected(tmp_path: Path) -> None:
    (tmp_path / "others").write_text("another student's work")
    (tmp_path / "in" / "deep").mkdir(parents=True)
    (tmp_path / "in" / "04.ipynb").symlink_to(tmp_path / "others")
    (tmp_path / "in" / "all").symlink_to(tmp_path)
    os.mkfifo(tmp_path / "in" / "pipe")
    (tmp_path / "in" / "deep" / "mine.txt").write_text("mine")
    Collect(coursedir=CourseDirectory(), authenticator=Authenticator()).do_copy(
        str(tmp_path / "in"), str(tmp_path / "out")
    )
    assert ["deep/mine.txt"] == [
        path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*") if not path.is_dir()
    ]


def test_a_time_that_can_not_be_read_is_none(course: Path) -> None:
    hand_in(course, "ada")
    found = class_grading.open_course(course, "00")
    stamp = course / "submitted" / "ada" / LESSON / "timestamp.txt"
    for data, told in (
        (b"2026-01-01 10:00:00 UTC\n", "2026-01-01 10:00:00 UTC"),
        (b"\xff", ""),
        (b"soon", ""),
        (b"9" * 99, ""),
    ):
        stamp.write_bytes(data)
        assert told == found.job("ada").handed_in


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["09"], "there is no assignment '09'"),
        (["00", "--marks", "x.csv"], "--marks needs --roster"),
        (["00", "--from", "nothing.zip"], "nothing.zip can't be read"),
        (["00", "--roster", "nothing.csv"], "nothing.csv can't be read: no such file"),
        (["00", "--cluster", "tcp://127.0.0.1:1"], "there is no Dask scheduler at tcp://127.0.0.1:1"),
    ],
)
def test_every_mistake_is_one_clear_line(
    arguments: list[str], words: str, course: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vmalab.machines.executors.PATIENCE", 1)
    hand_in(course, "ada")
    assert 2 == run(["grade", *arguments, "--course", str(course)])
    told = [line for line in capsys.readouterr().err.splitlines() if line.startswith("vmalab: ")]
    assert 1 == len(told) and words in told[0]


def test_without_its_secret_or_its_folder_grading_says_so(course: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"there is no course in .*: nbgrader_config\.py is not there"):
        class_grading.open_course(tmp_path, "00")
    secret = course / "vmalab.secret"
    secret.chmod(0o644)
    with pytest.raises(UsageError, match="can be read by others: chmod 600"):
        class_grading.open_course(course, "00")
    secret.unlink()
    with pytest.raises(UsageError, match="this course has no secret"):
        class_grading.open_course(course, "00")


@contextmanager
def grading(course: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """`vmalab grade` as a process group of its own."""
    command = [sys.executable, "-m", "vmalab", "grade", "00", "--course", str(course), *arguments]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as one:
        try:
            yield one
        finally:
            if one.poll() is None:
                os.killpg(one.pid, signal.SIGKILL)


def recorded(course: Path) -> dict[str, int]:
    """When each result was recorded, in nanoseconds."""
    return {path.stem: path.stat().st_mtime_ns for path in (course / "graded" / LESSON).glob("*.json")}


def wait_for(course: Path, count: int, process: subprocess.Popen[str]) -> dict[str, int]:
    """Wait until so many results are recorded."""
    while len(found := recorded(course)) < count:
        assert process.poll() is None, process.communicate()
        threading.Event().wait(0.05)
    return found


@pytest.mark.notebook
@pytest.mark.slow
def test_a_run_that_was_killed_goes_on_where_it_was(course: Path) -> None:
    students = [f"s{number}" for number in range(5)]
    for student in students:
        hand_in(course, student)
    with grading(course, "--jobs", "2") as first:
        before = wait_for(course, 2, first)
        os.killpg(first.pid, signal.SIGKILL)
    before |= recorded(course)
    with grading(course, "--jobs", "2") as second:
        said, _ = second.communicate(timeout=PATIENCE)
    assert f"5 submissions, {5 - len(before)} graded" in said
    after = recorded(course)
    assert before == {one: after[one] for one in before}
    assert dict.fromkeys(students, 2.0) == scores(course)


@pytest.mark.notebook
@pytest.mark.slow
def test_a_cluster_grades_though_one_of_its_workers_is_killed(course: Path, tmp_path: Path) -> None:
    students = [f"s{number}" for number in range(5)]
    for student in students:
        hand_in(course, student)
    file = tmp_path / "scheduler.json"
    dask = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--port", "0", "--no-dashboard", "--no-show",
            "--scheduler-file", str(file)]  # fmt: skip
    worker = [sys.executable, "-m", "distributed.cli.dask_worker", "--scheduler-file", str(file), "--nthreads", "1",
              "--no-nanny", "--no-dashboard", "--local-directory", str(tmp_path)]  # fmt: skip
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(dask, **quiet) as scheduler:  # type: ignore[call-overload]
        workers: list[subprocess.Popen[bytes]] = []
        try:
            while not (file.is_file() and file.read_text()):
                assert scheduler.poll() is None
                threading.Event().wait(0.05)
            workers = [subprocess.Popen(worker, **quiet) for _ in range(2)]  # type: ignore[call-overload]
            address = json.loads(file.read_text())["address"]
            wait_for_workers(address, 2)
            with grading(course, "--cluster", address) as one:
                wait_for(course, 2, one)
                workers[0].kill()
                said, errors = one.communicate(timeout=PATIENCE)
            assert "5 submissions, 5 graded" in said, errors
            assert dict.fromkeys(students, 2.0) == scores(course)
        finally:
            for process in (*workers, scheduler):
                process.kill()
                process.wait()


def wait_for_workers(address: str, count: int) -> None:
    from distributed import Client

    with Client(address, set_as_default=False) as client:
        client.wait_for_workers(count, timeout=PATIENCE)
