"""`vmalab quiz`: printed, as data, asked on a terminal; every way to go wrong in one clear line."""

from __future__ import annotations

import json
import os
import pty
import sys

import pytest

from vmalab.__main__ import run
from vmalab.teach.problems import problem


def out(arguments: list[str], capsys: pytest.CaptureFixture[str], status: int = 0) -> str:
    assert status == run(["quiz", *arguments])
    captured = capsys.readouterr()
    assert (captured.err == "") == (status == 0)
    return captured.err if status else captured.out


def test_elsewhere_than_on_a_terminal_the_problem_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert problem(2, 7, "04").text() + "\n" == out(["--level", "2", "--seed", "7", "--topic", "04"], capsys)


def test_the_answer_is_printed_on_request(capsys: pytest.CaptureFixture[str]) -> None:
    told = out(["--level", "2", "--seed", "7", "--solve"], capsys)
    assert problem(2, 7).text() in told
    assert "\n".join(problem(2, 7).solution().lines()) in told


def test_as_data_one_problem_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    lines = out(["--level", "3", "--seed", "7", "--count", "3", "--json"], capsys).splitlines()
    assert [problem(3, seed).to_json() for seed in (7, 8, 9)] == [json.loads(line) for line in lines]
    solved = json.loads(out(["--level", "3", "--seed", "7", "--json", "--solve"], capsys))
    assert problem(3, 7).answer == solved["answer"]


def test_without_a_seed_it_takes_one(capsys: pytest.CaptureFixture[str]) -> None:
    told = json.loads(out(["--json"], capsys))
    assert problem(1, told["seed"]).digest == told["digest"]


def test_a_kind_an_effort_and_a_hidden_seed(capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["--topic", "04", "--kind", "errno", "--effort", "23-26", "--seed", "77", "--hide-seed"]
    one = problem(3, 77, "04", kind="errno", effort=(23, 26))
    one.hide_seed = True
    assert one.text() + "\n" == out(asked, capsys)
    assert "77" not in one.title
    assert one.to_json() == json.loads(out([*asked, "--json"], capsys))
    assert "seed" not in json.loads(out(["--hide-seed", "--json"], capsys))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--level", "6"], "level is a number from 1 to 5, not 6"),
        (["--level", "x"], "Invalid value for '--level'"),
        (["--seed", "-3"], "seed is a whole number from 0 on, not -3"),
        (["--topic", "10"], "there are no problems for topic '10'"),
        (["--kind", "essay"], "there are no problems of the kind 'essay'"),
        (["--effort", "hard"], "--effort is the least and the most, such as 23-26, not 'hard'"),
        (["--count", "0"], "--count is a number of problems, 1 or more, not 0"),
        (["--sed", "1"], "No such option"),
    ],
)
def test_every_mistake_is_one_clear_line(arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    told = out(arguments, capsys, 2)
    assert words in told
    assert 1 == told.count("\n")


def typed(lines: list[str], *arguments: str) -> str:
    """What a terminal shows while somebody types these lines."""
    child, terminal = pty.fork()
    if not child:
        os.execv(sys.executable, [sys.executable, "-m", "vmalab", "quiz", *arguments])
    os.write(terminal, "".join(f"{line}\n" for line in lines).encode())
    shown = b""
    while True:
        try:
            part = os.read(terminal, 65536)
        except OSError:  # the other end is closed
            break
        if not part:
            break
        shown += part
    _, status = os.waitpid(child, 0)
    assert 0 == os.waitstatus_to_exitcode(status)
    return shown.decode().replace("\r\n", "\n")


@pytest.mark.skipif(sys.platform != "linux", reason="needs a pseudo-terminal")
def test_on_a_terminal_it_asks_until_the_answer_is_right_and_goes_on() -> None:
    seed = next(seed for seed in range(50) if problem(1, seed).choices)
    one = problem(1, seed)
    wrong = "abcd"[(one.right + 1) % len(one.choices)]
    shown = typed(["z", wrong, "abcd"[one.right], "?", "q"], "--level", "1", "--seed", str(seed))
    assert "“z” is none of the choices" in shown
    at = [shown.index(text) for text in ("is none of the choices", "Not there yet", "Solved.", "The answer: ")]
    assert at == sorted(at)
    assert problem(1, seed + 1).title in shown and problem(1, seed + 2).title in shown
    assert problem(1, seed + 3).title not in shown


@pytest.mark.skipif(sys.platform != "linux", reason="needs a pseudo-terminal")
def test_on_a_terminal_it_ends_after_count() -> None:
    shown = typed([""], "--level", "1", "--seed", "3", "--count", "1")
    assert problem(1, 3).title in shown
    assert problem(1, 4).title not in shown
