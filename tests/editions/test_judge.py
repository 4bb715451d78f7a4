"""The judge: answers come as data, functions are asked where they are, and nothing else leaves the worker."""

from __future__ import annotations

import json
import os
import socket
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any

import pytest
from nbformat.v4 import new_code_cell

from tests.editions.hostile import ALL, SINGLE
from tests.editions.submissions import RIGHT_MOVE_ALL
from tests.patience import PATIENCE
from vmalab import MREMAP_FIXED, MREMAP_MAYMOVE, PAGE, Model, page
from vmalab.editions.autograde import NOT_JUDGED, graded, outputs_of, request, requests, restored
from vmalab.editions.drawn_problems import asked as problem_text
from vmalab.editions.drawn_problems import drawn as drawn_problem
from vmalab.editions.drawn_problems import names
from vmalab.editions.grade import SAMPLE, grade
from vmalab.editions.grader import client
from vmalab.editions.grader.answers import MOST_DEPTH, decode, encode
from vmalab.editions.grader.client import Client, NoVerdict, Protection, judged
from vmalab.editions.grader.judge import Elsewhere, Gone, Worker
from vmalab.errors import UsageError
from vmalab.teach import exercise
from vmalab.teach.exercises import exercises
from vmalab.teach.exercises.cases import drawn, moved_wrong
from vmalab.teach.exercises.checking import Watched, asked, ran
from vmalab.teach.feedback import NotSolved
from vmalab.teach.problems.make import EDITION
from vmalab.widgets import CallBuilder

MOVE = MREMAP_MAYMOVE | MREMAP_FIXED
SETUP = "from vmalab import MREMAP_FIXED, MREMAP_MAYMOVE, PAGE, page\nMOVE = MREMAP_MAYMOVE | MREMAP_FIXED\n"


# --- answers as data ---


@pytest.mark.parametrize("answer", [None, 5, 2.5, True, "a", (1, "b"), [(0, 1, "rw")], {1, 2}, {"a": (1,)}, []])
def test_plain_answers_come_over_as_they_are(answer: Any) -> None:
    assert answer == decode(encode(answer), len)


def solved_aim() -> Model:
    vm = exercise("4.2")
    vm.mremap(page(0), 10 * PAGE, 10 * PAGE, MOVE, page(65))
    return vm


def test_a_program_comes_over_as_its_calls_and_is_made_again() -> None:
    vm = solved_aim()
    other = decode(encode(vm), len, lambda: exercise("4.2"))
    assert (vm.history, vm.snapshot(), vm.release) == (other.history, other.snapshot(), other.release)
    builder = CallBuilder(vm)
    assert vm.history == decode(encode(builder), len).history


def test_a_model_that_lies_about_itself_is_just_its_calls() -> None:
    vm = solved_aim()
    vm.snapshot = lambda: exercise("4.1").snapshot()  # type: ignore[method-assign]
    assert solved_aim().snapshot() == decode(encode(vm), len).snapshot()


@pytest.mark.parametrize(
    "told",
    [None, 5, [], {}, {"a": 1, "b": 2}, {"plain": [1]}, {"model": {}}, {"model": {"release": "9", "privileged": 0,
     "calls": [{}]}}, {"list": 5}, {"dict": [[1]]}, {"set": [{"list": []}]}, {"other": "Thing"}],
)  # fmt: skip
def test_what_is_no_answer_is_none(told: Any) -> None:
    assert decode(told, len) is None


def test_a_deep_answer_has_an_end() -> None:
    deep: Any = []
    deep.append(deep)
    text = str(encode(deep))
    assert text.count("list") == MOST_DEPTH + 1


def test_a_function_stays_where_it_is() -> None:
    assert {"function": True} == encode(len)
    assert decode({"function": True}, len) is len


# --- the worker ---


@pytest.fixture(scope="module")
def here() -> Iterator[Client]:
    client = Client()
    yield client
    client.close()


@pytest.fixture(scope="module")
def worker(here: Client) -> Iterator[Worker]:
    worker = Worker(here.forkserver, PATIENCE)
    worker.ask({"run": SETUP})
    yield worker
    worker.end()


def test_cells_run_as_in_a_notebook(worker: Worker) -> None:
    told = worker.ask({"run": "print('a')\n%time\n6 * 7"})["outputs"]
    assert told[0]["text"].startswith("a\n") and {"text/plain": "42"} == told[-1]["data"]
    (error,) = worker.ask({"run": "1 / 0"})["outputs"]
    assert ("ZeroDivisionError", "division by zero") == (error["ename"], error["evalue"])
    (error,) = worker.ask({"run": "vm = Model('6.17'\n"})["outputs"]
    assert error["ename"] in ("SyntaxError", "_IncompleteInputError")
    assert "answer" not in worker.ask({"answer": "nowhere"})


def test_a_function_is_asked_with_an_address_space_and_its_calls_are_made_here(worker: Worker) -> None:
    worker.ask({"run": RIGHT_MOVE_ALL})
    move_all = Elsewhere(worker, "move_all")
    for case in drawn(Random(1), 5):
        vm = case.prepare("6.17")
        assert "" == ran(move_all, vm, *case.range)
        assert [] == moved_wrong(case, "6.17", vm, vm.outcomes)


def test_what_goes_wrong_in_a_function_is_told_with_its_line(worker: Worker) -> None:
    worker.ask({"run": "def wrong(vm):\n    vm.munmap(page(0), PAGE)\n    return 1 / 0"})
    vm = Watched("6.17")
    assert "it ended with ZeroDivisionError in its line 3: division by zero" == ran(Elsewhere(worker, "wrong"), vm)
    assert ["munmap"] == [call.name for call in vm.history]
    worker.ask({"run": "def endless(vm):\n    while True:\n        vm.munmap(page(0), PAGE)"})
    assert ran(Elsewhere(worker, "endless"), vm).startswith("it made more than 500 calls")
    worker.ask({"run": "def value(a, b):\n    return {'sum': a + b}"})
    assert ({"sum": 5}, "") == asked(Elsewhere(worker, "value"), 2, 3)


@pytest.mark.live
def test_the_worker_reads_python_and_vmalab_only_and_writes_nowhere(worker: Worker, tmp_path: Any) -> None:
    if worker.open:
        pytest.skip("; ".join(worker.open.values()))
    secret = tmp_path / "seed"
    secret.write_text("7")
    tries = f"""
import os, socket
got = []
def attempt(what):
    try:
        got.append(repr(what()))
    except OSError as error:
        got.append(type(error).__name__)
attempt(lambda: open({str(secret)!r}).read())
attempt(lambda: os.listdir({str(tmp_path)!r}))
attempt(lambda: open({str(secret)!r}, "w"))
attempt(lambda: open("/proc/{os.getpid()}/mem", "rb"))
attempt(lambda: open("/proc/{os.getpid()}/cmdline", "rb"))
attempt(lambda: open("mine", "w").write("a"))
import decimal
"""
    assert [] == worker.ask({"run": tries})["outputs"]
    told = decode(worker.ask({"answer": "got"})["answer"], len)
    assert ["PermissionError"] * 5 + ["1"] == told


def test_a_worker_that_ends_gives_no_more_answers(here: Client) -> None:
    worker = Worker(here.forkserver, PATIENCE)
    with pytest.raises(Gone):
        worker.ask({"run": "import os; os._exit(0)"})
    with pytest.raises(Gone):
        worker.ask({"answer": "1"})
    worker.end()


# --- grading ---


def test_the_hidden_tests_are_the_teachers() -> None:
    source = 'check("4.4", f).require()\nfrom vmalab.editions.grade import grade\n\ngrade("4.4", f)\n# words'
    assert {"judge": "4.4", "answer": "f"} == graded(source)
    assert None is graded('grade("4.4", f, seed=7)') is graded("grade(") is graded("%time\nx")


def test_problems_of_another_edition_are_not_judged_by_this_one() -> None:
    assert {"judge": "problem 04.1", "answer": "a"} == graded(f'grade("problem 04.1", a, "{EDITION}")')
    for ask in (lambda: graded('grade("problem 04.1", a, "0")'), lambda: grade("problem 04.1", 1, "0")):
        with pytest.raises(UsageError, match="drawn by edition 0 of vmalab's problems, and this version has edition"):
            ask()


def test_in_a_notebook_grade_is_an_ordinary_test(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    grade("4.2", solved_aim())
    assert capsys.readouterr().out.startswith("✓ Solved.")
    with pytest.raises(NotSolved, match="No answer yet"):
        grade("4.2", exercise("4.2"))
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    with pytest.raises(UsageError, match=r"its own nbgrader_config\.py"):
        grade("4.2", solved_aim())


def move_all(vm: Model, start: int, length: int, target: int) -> None:
    for row in vm.snapshot():
        low, high = max(row.start, start), min(row.end, start + length)
        if low < high:
            vm.mremap(low, high - low, high - low, MOVE, target + low - start)


def by_heart(vm: Model, start: int, length: int, target: int) -> None:
    """Right for the six address spaces that the lesson's check has, and for no others."""
    if len(vm.history) <= 7 and (start, length) != (0, 0) and target == page(64):
        move_all(vm, start, length, target)


def test_hidden_cases_can_be_solved_and_are_not_those_of_the_lesson() -> None:
    exercise = exercises()["4.4"]
    assert exercise.unseen is not None
    for seed in range(50):
        assert exercise.unseen(move_all, Random(seed)).solved
        assert not exercise.unseen(by_heart, Random(seed)).solved
    assert exercise.check(by_heart).solved
    assert drawn(Random(3)) == drawn(Random(3)) != drawn(Random(4))


def test_one_move_for_everything_fails_on_hidden_cases() -> None:
    def at_once(vm: Model, start: int, length: int, target: int) -> None:
        vm.mremap(start, length, length, MOVE, target)

    unseen = exercises()["4.4"].unseen
    assert unseen is not None
    assert not any(unseen(at_once, Random(seed)).solved for seed in range(50))


RIGHT = {"judge": "0.1", "answer": "answer", "key": SAMPLE}
SOLVES = {"run": "answer = (4, 4, 3)"}


def verdicts(*cells: dict[str, Any], seconds: float = PATIENCE) -> list[bool]:
    return [one["solved"] for one in judged(cells, seconds)[1] if "solved" in one]


def test_a_submission_is_judged_whatever_becomes_of_it() -> None:
    spoils = {"run": "answer = 5"}
    assert [True, False] == verdicts(SOLVES, RIGHT, spoils, RIGHT)
    # what ends the process is left out when the rest runs again
    assert [True, True] == verdicts(SOLVES, {"run": "import os; os._exit(1)"}, RIGHT, {"run": "1 / 0"}, RIGHT)
    assert [True] == verdicts(SOLVES, {"run": "vm = Model('6.17'"}, {"run": "import sys; sys.exit(3)"}, RIGHT)
    assert [True] == verdicts(SOLVES, {"run": "while True: pass"}, RIGHT, seconds=2)
    ends = {"run": "import os; os.kill(os.getpid(), 9); os._exit(0)"}
    assert [False, False] == verdicts(*[ends] * 6, RIGHT, SOLVES, RIGHT)


def test_what_stands_under_an_answers_name_from_before_is_no_answer() -> None:
    anew = {"forget": ["answer"]}
    assert [False] == verdicts(SOLVES, RIGHT | anew)
    assert [True, False, True] == verdicts(SOLVES, RIGHT, {"run": "1"} | anew, RIGHT, SOLVES, RIGHT)
    # nor does it come back when the cells before run again
    assert [False] == verdicts(SOLVES, {"run": "1"} | anew, {"run": "import os; os._exit(1)"}, RIGHT)


def graded_lesson(cells: Iterable[tuple[str, str]]) -> list[Any]:
    """Cells of an nbgrader notebook, each its kind (`lesson`, `answer`, `check`) and its source."""
    made = []
    for number, (kind, source) in enumerate(cells):
        mark = {"grade_id": f"cell-{number}", "grade": kind == "check", "solution": kind == "answer"}
        made.append(new_code_cell(source, metadata={} if kind == "lesson" else {"nbgrader": mark}))
    return made


def test_an_answers_name_is_forgotten_behind_the_graded_cell_before() -> None:
    cells = [
        ("lesson", "vm = 1"), ("answer", "vm = 2"), ("check", 'grade("0.2", vm)'),
        ("lesson", "own = 1"), ("answer", "vm = 3"), ("check", 'grade("1.4", vm)'), ("check", 'grade("0.1", answer)'),
    ]  # fmt: skip
    told = requests(graded_lesson(cells), {"cases": "a", "problems": "b"})
    assert [None, ["vm"], None, ["vm"], None, None, ["answer"]] == [one.get("forget") for one in told]


def test_outputs_are_text_and_have_an_end() -> None:
    cells = [
        {"run": "print('x' * 10_000_000)\nfrom IPython.display import HTML\nHTML('<script>')"},
        {"run": "'y' * 10**7"},
    ]
    _, (first, second) = judged(cells, PATIENCE)
    assert [50_000, 50_000] == [len(first["outputs"][0]["text"]), len(second["outputs"][0]["data"]["text/plain"])]
    told = [
        {"output_type": "display_data", "data": {"text/plain": "a", "text/html": "<script>"}, "metadata": {}},
        {"output_type": "execute_result", "data": {"text/plain": "100.0"}}, {"output_type": "stream", "name": 5}, 7,
    ]  # fmt: skip
    (only,) = outputs_of({"outputs": told})
    assert {"text/plain": "a"} == only["data"]


def test_an_error_tells_nobody_where_the_grader_has_its_files() -> None:
    _, (told, warned) = judged(
        [{"run": "def f():\n    check('4.1')\nf()"}, {"run": "import sys; sys.exit(1)"}], PATIENCE
    )
    assert str(Path(client.__file__).parents[2]) not in json.dumps([told, warned])


@pytest.mark.live
def test_attacks_get_nothing_and_what_is_right_afterwards_counts(here: Client, tmp_path: Path) -> None:
    assert 50 == len(ALL) + len(SINGLE)  # as docs/threat-model.md says
    (tmp_path / "vmalab.secret").write_text("a secret")
    (tmp_path / "gradebook.db").write_text("marks")
    for name, attack in SINGLE.items():
        tries = {"run": attack.replace("COURSE", repr(str(tmp_path)))}
        _, told = here.judge([{"run": SETUP}, tries, RIGHT, SOLVES, RIGHT], PATIENCE)
        assert (name, [False, True]) == (name, [one["solved"] for one in told if "solved" in one])
        if name not in ("a deep answer", "a long answer", "a lying class", "half a character"):
            assert "No answer yet" in told[2]["said"], name
    assert ["a secret", "marks"] == [(tmp_path / file).read_text() for file in ("vmalab.secret", "gradebook.db")]
    assert 2 == len(list(tmp_path.iterdir()))


# --- J4: a judge that is lost is no mark ---


def test_a_judge_that_is_lost_is_an_error_and_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    real, lost = socket.send_fds, []

    def lose(to: socket.socket, kind: list[bytes], pipes: list[int]) -> int:
        if len(lost) < losses:
            lost.append(1)
            return 0
        return real(to, kind, pipes)

    monkeypatch.setattr(socket, "send_fds", lose)
    losses = 2
    assert [True] == verdicts(SOLVES, RIGHT)
    losses = 99
    with pytest.raises(NoVerdict):
        verdicts(SOLVES, RIGHT)


# --- J7: without protection nothing is graded unasked ---


@contextmanager
def a_server_without(what: str) -> Iterator[Client]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(client, "_BOOT", client._BOOT.replace("from vmalab.editions.grader.forkserver", f"{what}\nfrom "
                                                          "vmalab.editions.grader.forkserver"))  # fmt: skip
        made = Client()
    try:
        yield made
    finally:
        made.close()


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ("from vmalab.editions.grader import confine; confine._landlock = lambda *a: 'this kernel has no Landlock'",
         "NOT kept from your files and processes: this kernel has no Landlock"),
        ("from vmalab.editions.grader import syscalls; syscalls.give_up = lambda: 'no seccomp'", ": no seccomp"),
    ],
)  # fmt: skip
def test_without_protection_nothing_is_graded_unasked(what: str, words: str) -> None:
    ran = {"run": "open('ran', 'w').write('x'); answer = (4, 4, 3)"}
    with a_server_without(what) as made:
        with pytest.raises(UsageError, match=words):
            made.judge([ran, RIGHT], PATIENCE)
        protection, told = made.judge([ran, RIGHT], PATIENCE, unprotected=True)
        assert words in str(protection) and told[1]["solved"]


def test_what_protects_is_told_in_a_line() -> None:
    assert "seccomp, Landlock, limits, namespaces" in str(Protection({}, ""))
    assert "no namespaces (refused)" in str(Protection({}, "refused"))
    with a_server_without("from vmalab.editions.grader import confine; confine.separate = lambda: 'refused'") as made:
        protection, told = made.judge([SOLVES, RIGHT], PATIENCE)
    assert "refused" in str(protection) and told[1]["solved"]


# --- the cells of a submission ---


class Teachers:
    def __init__(self, name: str, source: str, locked: bool) -> None:
        self.name, self.source, self.locked, self.cell_type, self.checksum = name, source, locked, "code", "c"


def known() -> dict[str, Any]:
    cells = [Teachers(f"{what}-{n}", f"{what} {n}", what == "check") for n in (1, 2) for what in ("answer", "check")]
    return {
        cell.name: (
            cell,
            {"grade": cell.locked, "grade_id": cell.name, "locked": cell.locked, "solution": not cell.locked},
        )
        for cell in cells
    }


def handed_in(*cells: tuple[str, str]) -> list[Any]:
    return [
        new_code_cell(source, metadata={"nbgrader": {"grade_id": name, "grade": True, "points": 99}} if name else {})
        for name, source in cells
    ]


ASKED = ("answer-1", "a"), ("check-1", "b"), ("answer-2", "c"), ("check-2", "d")


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (ASKED, ["a", "check 1", "c", "check 2"]),
        ((ASKED[0], ASKED[2]), ["a", "check 1", "c", "check 2"]),  # deleted
        ((), ["check 1", "check 2"]),
        ((ASKED[1], ASKED[0], *ASKED[2:]), ["a", "check 1", "c", "check 2"]),  # moved before its answer
        ((ASKED[0], ("", "mends a"), *ASKED[1:]), ["a", "mends a", "check 1", "c", "check 2"]),
        ((ASKED[0], ("answer-1", "a2"), *ASKED[1:]), ["a", "a2", "check 1", "c", "check 2"]),  # split
        ((*ASKED, ASKED[1], ASKED[1]), ["a", "check 1", "c", "check 2"]),  # copied below others' answers
        ((*ASKED[:2], ("made-up", "x"), *ASKED[2:]), ["a", "check 1", "x", "c", "check 2"]),
    ],
)
def test_graded_cells_are_the_teachers_each_once_behind_its_answer(cells: Any, expected: list[str]) -> None:
    made = restored(handed_in(*cells), known())
    assert expected == [cell.source for cell in made]
    told = [cell.metadata.get("nbgrader", {}) for cell in made]
    assert ["check-1", "check-2"] == [one["grade_id"] for one in told if one.get("grade")]
    assert not any("points" in one for one in told)


def test_a_graded_cell_is_judged_whatever_its_tags_say_and_never_by_itself() -> None:
    mark = {"grade_id": "check-1", "grade": True, "solution": False, "points": 2}
    check = new_code_cell('grade("0.1", answer)', metadata={"tags": ["live"], "nbgrader": mark})
    keys = {"cases": "a", "problems": "b"}
    assert {"judge": "0.1", "answer": "answer", "key": "a"} == request(check, keys)
    check.source = 'grade("problem 04.1", answer)'
    assert "b" == request(check, keys)["key"]
    check.source = "1.0"
    with pytest.raises(UsageError, match="the graded cell check-1 has no grade"):
        request(check, keys)
    (told,) = outputs_of({"solved": False, "said": NOT_JUDGED})
    assert "error" == told.output_type


# --- problems drawn for a student ---


def test_a_problem_is_the_keys_and_what_it_asks_does_not_tell_it() -> None:
    assert [] == names("00") and ["problem 04.1", "problem 04.2", "problem 04.3"] == names("04")
    one, again, other = (drawn_problem("problem 04.2", key) for key in ("a", "a", "b"))
    assert one and again and other and one.digest == again.digest != other.digest
    assert (one.kind, one.level, one.topic) == (other.kind, other.level, other.topic)
    assert str(one.seed) not in problem_text(one) and "Level" not in problem_text(one)
    assert drawn_problem("4.2", "a") is None
    sample = drawn_problem("problem 04.2", SAMPLE)
    assert sample
    grade("problem 04.2", sample.answer)
    for nothing in (None, "certainly", [], {"a": 1}, 99):
        with pytest.raises(NotSolved):
            grade("problem 04.2", nothing)


def test_nothing_stays_of_a_submission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    made = Client()
    cells = [
        {"run": "open('left', 'w').write('x'); import tempfile; tempfile.mkdtemp()"},
        {"run": "import os; os._exit(0)"},
        RIGHT,
    ]
    assert [False] == [told["solved"] for told in made.judge(cells, PATIENCE)[1] if "solved" in told]
    made.close()
    assert [] == list(tmp_path.iterdir())
