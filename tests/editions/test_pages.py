"""What the site is made of: lessons with players, the reference from docstrings, slides in order.  Built and opened:
tests/browser/test_site.py."""

from __future__ import annotations

import importlib
import json

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from tests.sample_outcomes import gap_move
from vmalab.differences.lockstep import Lockstep
from vmalab.editions.pages import page, play_of, shared_files
from vmalab.editions.reference import docstring, modules, reference_pages, summary
from vmalab.editions.slides import arrange, kind
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


def test_a_prediction_comes_before_its_answer_and_solutions_are_notes() -> None:
    cells = [
        new_markdown_cell("# 01 · Title"),
        new_markdown_cell("## Part"),
        new_markdown_cell("**Predict.** What?"),
        new_code_cell("x", metadata={"jupyter": {"outputs_hidden": True}}),
        new_markdown_cell("<details>\n<summary><b>Reveal</b></summary>\n\nThis.\n\n</details>"),
        new_markdown_cell("### Exercise 1.1: do\n\nDo."),
        new_code_cell('y = ...\ncheck("1.1", y)', metadata={"tags": ["exercise"]}),
        new_markdown_cell("<details>\n<summary>Hint</summary>\n\nH.\n\n</details>"),
        new_code_cell("z"),
    ]
    nb = new_notebook(cells=cells)
    arrange(nb)
    kinds = [cell.metadata.slideshow.slide_type for cell in nb.cells]
    assert ["slide", "slide", "subslide", "fragment", "fragment", "subslide", "skip", "notes", "-"] == kinds
    assert "<details open>" in nb.cells[4].source
    assert "subslide" == kind(new_markdown_cell("Words."))
