"""A test before and one after: the normalised gain, and what is said where it says little."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest

from vmalab.errors import UsageError
from vmalab.teach.gain import Marks, compare_tests, gain, gains_table, read_marks

ROOT = Path(__file__).parents[2]


def shown(marks: list[Marks]) -> dict[str, str]:
    return dict(compare_tests(marks).rows)


def test_the_gain_of_a_class_is_that_of_its_means() -> None:
    marks = [Marks(f"s{n}", 4, 7) for n in range(30)]
    table = compare_tests(marks)
    told = dict(table.rows)
    assert ("30", "0.50") == (told["students who took both"], told["normalised gain of the class"])
    assert "0.50 to 0.50" == told["95 % of classes drawn from this one"]
    assert "" == table.verdict


def test_the_interval_holds_the_gain_and_is_the_same_each_time() -> None:
    marks = [Marks(f"s{n}", n % 6, min(10, n % 6 + n % 5)) for n in range(40)]
    told = shown(marks)
    low, high = map(float, told["95 % of classes drawn from this one"].split(" to "))
    assert low < float(told["normalised gain of the class"]) < high
    assert told == shown(marks)


def test_what_says_little_says_so() -> None:
    assert "2 students are few" in compare_tests([Marks("a", 3, 4), Marks("b", 4, 3)]).verdict
    assert "no gain that chance could not have made" in compare_tests([Marks("a", 3, 4), Marks("b", 4, 3)]).verdict
    assert "too easy for 1" in compare_tests([Marks("a", 10, 10), Marks("b", 4, 8)]).verdict
    assert ["–", "+0.67"] == gains_table([Marks("a", 10, 10), Marks("b", 4, 8)])["normalised gain"]
    with pytest.raises(UsageError, match="can gain nothing"):
        gain(10, 10)
    with pytest.raises(UsageError, match="nobody took both tests"):
        compare_tests([])


def test_marks_are_read_and_mistakes_named(tmp_path: Path) -> None:
    path = tmp_path / "marks.csv"
    path.write_text('student,before,after\nada,3,7.5\nbob,,4\nchi,"2,5",5\n')
    assert [Marks("ada", 3, 7.5), Marks("chi", 2.5, 5)] == read_marks(path)
    for text, said in (
        ("name,x\n", "has no columns student, before, after"),
        ("student,before,after\nada,3,eleven\n", "line 2: points are numbers, not '3' and 'eleven'"),
        ("student,before,after\nada,3,11\n", "line 2: points are from 0 to 10, not 3 and 11"),
    ):
        path.write_text(text)
        with pytest.raises(UsageError, match=said):
            read_marks(path)


@pytest.mark.notebook
def test_the_notebook_for_lecturers_runs_and_its_outputs_are_these(monkeypatch: pytest.MonkeyPatch) -> None:
    notebook = nbformat.read(ROOT / "docs" / "before-and-after.ipynb", as_version=4)
    monkeypatch.chdir(ROOT / "docs")
    names: dict[str, object] = {}
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        *head, last = cell.source.splitlines()
        exec("\n".join(head), names)
        try:
            value = eval(last, names)
        except SyntaxError:
            exec(last, names)
            continue
        (output,) = cell.outputs
        assert repr(value) == output.data["text/plain"]
