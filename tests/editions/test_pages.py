"""What the site is made of: lessons with players, the reference from docstrings, slides in order.  Built and opened:
tests/browser/test_site.py."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from tests.sample_outcomes import gap_move
from vmalab.differences.lockstep import Lockstep
from vmalab.editions.pages import page, play_of, shared_files
from vmalab.editions.reference import docstring, modules, reference_pages, summary
from vmalab.editions.slides import MOST, arrange
from vmalab.editions.source import lesson_paths, read
from vmalab.pictures.display import outcome_html, snapshot_html
from vmalab.programs.scenario import named
from vmalab.widgets import Predict, SideBySide, Stepper

GAP = named("gap-keeps-what-was-there")


def shows(source: str, html: str, **more: object) -> nbformat.NotebookNode:
    output = new_output("execute_result", data={"text/plain": "x", "text/html": html}, execution_count=1)
    return new_code_cell(source, outputs=[output], execution_count=1, **more)


MOVE = "from tests.sample_outcomes import gap_move\ngap_move()"


def test_what_has_steps_plays_and_the_rest_is_a_picture() -> None:
    out = gap_move()
    nb = new_notebook(
        cells=[
            shows(MOVE, outcome_html(out)),
            shows("gap_move().before", snapshot_html(out.before), metadata={"jupyter": {"outputs_hidden": True}}),
            shows("raise ValueError('live')", "<table></table>", metadata={"tags": ["live"]}),
        ]
    )
    nb, script = page(nb)
    plays = json.loads(script.removeprefix("window.vmalabPlays = ").removesuffix(".all;\n"))["all"]
    assert [("call", False)] == [(play["kind"], play["at_once"]) for play in plays]
    first, second, third = (cell.outputs[0].data["text/html"] for cell in nb.cells)
    assert first.startswith('<div class="vml-play" data-play="0"><div class="vml vml-card">')
    assert "data-play" not in second and "<style>" not in first + second and "<svg" in second
    assert "<table></table>" == third
    assert ["hide-output"] == nb.cells[1].metadata["tags"]


def test_the_same_picture_twice_has_no_id_twice() -> None:
    html = outcome_html(gap_move())
    nb, _ = page(new_notebook(cells=[shows(MOVE, html), shows("gap_move()", html)]))
    ids = [part.partition('"')[0] for cell in nb.cells for part in cell.outputs[0].data["text/html"].split(' id="')[1:]]
    assert ids and len(ids) == len(set(ids))


def test_widgets_that_need_no_kernel_play_at_once() -> None:
    out = gap_move()
    assert {"kind": "call", "at_once": True, "data": play_of(out)["data"]} == play_of(Stepper(out))  # type: ignore[index]
    both = Lockstep(GAP, "6.16", "6.17")
    told = play_of(both)
    assert told is not None and ("sides", False, both.first) == (told["kind"], told["at_once"], told["call"])
    assert told | {"at_once": True} == play_of(SideBySide(GAP))
    assert None is play_of(None) is play_of(5) is play_of(out.before)


def test_an_answer_is_not_in_the_page_before_it_is_given() -> None:
    from vmalab.machines.model import Model

    assert play_of(Predict(Model("6.17"), gap_move().call)) is None


def test_scripts_of_a_page_from_disk_are_no_modules() -> None:
    files = shared_files()
    assert {"vmalab.js", "vmalab.css"} == set(files)
    assert "export " not in files["vmalab.js"] and "import " not in files["vmalab.js"]


# --- reference ---


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["A `thing`s *sign*|bar_."], ["A ``thing``\\ s \\*sign\\*\\|bar\\_."]),
        (["See:", "", "    a  b"], ["See:", "", "::", "", "    a  b"]),
        (["a     b", "├── c"], ["::", "", "    a     b", "    ├── c"]),
        ([">>> 1 * 2", "2"], [">>> 1 * 2", "2"]),
        (["vm_pgoff and anon_vma"], ["vm_pgoff and anon_vma"]),
    ],
)
def test_docstrings_are_read_as_they_are_written(lines: list[str], expected: list[str]) -> None:
    assert expected == docstring(lines)


def test_every_module_that_can_be_imported_is_in_the_reference() -> None:
    pages = reference_pages()
    text = "\n".join(pages.values())
    for name in modules():
        full = name if name == "vmalab" else f"vmalab.{name}"
        assert f".. automodule:: {full}\n" in text
        importlib.import_module(full)
    assert "vmalab.cli" not in text and "``__main__``" not in text
    assert "What Linux is" in summary("linux") and ":doc:`vmalab.linux <linux>`" in pages["index"]
    assert ".. automodule:: vmalab.linux.addr\n" in pages["linux"]


# --- slides ---


def shown(source: str, html: str = "<svg", **metadata: Any) -> NotebookNode:
    output = new_output("display_data", {"text/html": f'<div class="vml-card">{html}</div>'})
    return new_code_cell(source, outputs=[output], metadata=metadata)


def test_a_picture_has_a_slide_and_what_stands_around_it_is_said() -> None:
    cells = [
        new_markdown_cell("# 01 · Title\n\n*What.*\n\n| a |"),
        new_code_cell("import vmalab"),
        new_markdown_cell("## Part\n\nFirst.\n\nA state. And more."),
        shown("vm"),
        shown('Question("01-x")'),
        new_markdown_cell("- a list"),
        shown("a = 1\nb = 2\nc = 3\nout = f(\n    a)\nout", jupyter={"outputs_hidden": True}),
        shown("on_this_machine(vm)", tags=["live"]),
        new_markdown_cell("## Exercises\n\n### Exercise 1.1: do\n\nDo."),
        shown("vm"),
    ]
    nb = new_notebook(cells=cells)
    arrange(nb)
    kinds = [(cell.metadata.slideshow.slide_type, cell.source) for cell in nb.cells]
    assert [
        ("slide", "# 01 · Title\n\n*What.*\n"),
        ("slide", "## Part\n\nFirst."),
        ("-", "vm"),
        ("slide", "## Part\n\n"),
        ("-", 'Question("01-x")'),
        ("slide", "## Part\n\n"),
        ("-", "out = f(\n    a)"),
        ("slide", "## Exercises\n\n- Exercise 1.1: do"),
    ] == [one for one in kinds if one[0] != "notes"]
    notes = [text for kind, text in kinds if kind == "notes"]
    assert ["**Ask:** What", "**Ask:** Ever", "**Ask before "] == [text[:13] for text in notes[1:4]]
    assert "- a list" in notes[3] and "b = 2" in notes[3] and "Do." in notes[4]


@pytest.mark.parametrize("path", lesson_paths(), ids=lambda path: path.stem)
def test_a_lesson_has_so_many_slides_at_most(path: Path) -> None:
    nb = read(path)
    arrange(nb)
    kinds = [cell.metadata.slideshow.slide_type for cell in nb.cells]
    assert 10 < kinds.count("slide") <= MOST and kinds.count("slide") == kinds.count("notes")
    assert all(len(cell.source.split()) < 160 for cell in nb.cells if cell.metadata.slideshow.slide_type == "slide")
