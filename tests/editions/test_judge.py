"""The judge: answers come as data, functions are asked where they are, and nothing else leaves the worker."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
from nbformat.v4 import new_code_cell, new_notebook

from tests.editions.submissions import RIGHT_MOVE_ALL
from vmalab import MREMAP_FIXED, MREMAP_MAYMOVE, PAGE, Model, page
from vmalab.editions.autograde import JudgeApart, graded, judge
from vmalab.editions.drawn_problems import asked as problem_text
from vmalab.editions.drawn_problems import drawn as drawn_problem
from vmalab.editions.drawn_problems import names
from vmalab.editions.grade import NotSolved, grade
from vmalab.editions.grader.answers import MOST_DEPTH, decode, encode
from vmalab.editions.grader.judge import Elsewhere, Gone, Worker
from vmalab.errors import UsageError
from vmalab.teach import exercise
from vmalab.teach.exercises import exercises
from vmalab.teach.exercises.cases import drawn, moved_wrong
from vmalab.teach.exercises.checking import Watched, asked, ran
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
def worker() -> Iterator[Worker]:
    worker = Worker()
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
        pytest.skip(worker.open)
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
attempt(lambda: open("/proc/%d/mem" % os.getppid(), "rb"))
attempt(lambda: open("/proc/%d/cmdline" % os.getppid(), "rb"))
attempt(lambda: open("mine", "w").write("a"))
import decimal
"""
    assert [] == worker.ask({"run": tries})["outputs"]
    told = decode(worker.ask({"answer": "got"})["answer"], len)
    assert ["PermissionError"] * 5 + ["1"] == told


def test_a_worker_that_ends_gives_no_more_answers() -> None:
    worker = Worker()
    with pytest.raises(Gone):
        worker.ask({"run": "import os; os._exit(0)"})
    with pytest.raises(Gone):
        worker.ask({"answer": "1"})
    worker.end()


# --- grading ---


def test_the_hidden_tests_are_the_teachers() -> None:
    source = 'check("4.4", f)\nfrom vmalab.editions.grade import grade\n\ngrade("4.4", f, seed=7)\n# words'
    assert {"judge": "4.4", "answer": "f", "seed": 7} == graded(source)
    assert None is graded('grade("4.4", f)') is graded("grade(") is graded("%time\nx")


def test_in_a_notebook_grade_is_an_ordinary_test(monkeypatch: pytest.MonkeyPatch) -> None:
    assert grade("4.2", solved_aim(), seed=1).solved
    with pytest.raises(NotSolved, match="No answer yet"):
        grade("4.2", exercise("4.2"), seed=1)
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    with pytest.raises(UsageError, match=r"its own nbgrader_config\.py"):
        grade("4.2", solved_aim(), seed=1)


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


def test_a_whole_submission_is_judged_whatever_becomes_of_it() -> None:
    right = {"judge": "0.1", "answer": "answer", "seed": 1}
    told = judge(
        [{"run": "answer = (4, 4, 3)"}, right, {"run": "answer = 5"}, right, {"run": "import os; os._exit(1)"}, right]
    )
    assert [True, False, False] == [one["solved"] for one in told if "solved" in one]
    assert "process has ended" in told[-1]["said"]


# --- problems drawn for a class ---


def test_a_problem_is_the_seeds_and_what_it_asks_does_not_tell_it() -> None:
    assert [] == names("00") and ["problem 04.1", "problem 04.2", "problem 04.3"] == names("04")
    one, again, other = (drawn_problem("problem 04.2", seed) for seed in (7, 7, 8))
    assert one and again and other and one.digest == again.digest != other.digest
    assert str(one.seed) not in problem_text(one) and "Level" not in problem_text(one)
    assert drawn_problem("4.2", 7) is None
    assert grade("problem 04.2", one.answer, seed=7).solved
    for nothing in (None, "certainly", [], {"a": 1}, 99):
        with pytest.raises(NotSolved):
            grade("problem 04.2", nothing, seed=7)


def test_a_graded_cell_is_judged_whatever_its_tags_say() -> None:
    check = new_code_cell('grade("0.1", answer, seed=1)', metadata={"tags": ["live"]})
    nb = new_notebook(cells=[new_code_cell("answer = None"), check])
    JudgeApart().preprocess(nb, {})
    assert "error" == check.outputs[0].output_type


def test_nothing_stays_of_a_submission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    cells = [
        {"run": "open('left', 'w').write('x'); import tempfile; tempfile.mkdtemp()"},
        {"run": "import os; os.kill(os.getpid(), 9)"},
        {"judge": "0.1", "answer": "answer", "seed": 1},
    ]
    assert [False] == [told["solved"] for told in judge(cells) if "solved" in told]
    assert [] == list(tmp_path.iterdir())
