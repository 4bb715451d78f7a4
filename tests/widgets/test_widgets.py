"""The widgets themselves, without a browser: traits, repr, the still picture, and what they cost to import."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from tests.sample_outcomes import gap_model, gap_move, outcome, row
from tests.unpacked import unpacked
from tests.widget_states import SHOWN
from vmalab import widgets
from vmalab.editions.execute import OUTPUT_SCRIPT
from vmalab.errors import UsageError
from vmalab.linux.addr import PAGE, page
from vmalab.linux.call import Mremap, Munmap
from vmalab.machines.model import Model
from vmalab.pictures.export import SCRIPTS
from vmalab.pictures.frames import player_data
from vmalab.programs.scenario import load_scenarios
from vmalab.widgets import CallBuilder, Stepper, livepage
from vmalab.widgets.base import STATIC, module_text
from vmalab.words.explain import narrate

ROOT = Path(__file__).parents[2]
CALL = "mremap(page 0, 5 pages, 5 pages, MREMAP_MAYMOVE | MREMAP_FIXED, page 64)"
VIEW = "application/vnd.jupyter.widget-view+json"


def moving(release: str = "6.18") -> CallBuilder:
    return CallBuilder(gap_model(release)).set(addr="0", old_len="5", flags="maymove fixed", new_addr="64")


# --- stepper ---


def test_the_stepper_holds_all_frames_and_the_step_that_is_shown():
    told = gap_move()
    stepper = Stepper(told)
    assert player_data(told) == json.loads(stepper.data)
    assert (0, 15, "Before the call.") == (stepper.index, stepper.last, stepper.narration)
    stepper.index = 2
    assert narrate(told.steps[1]) == stepper.narration.replace("VMA A ", "VMA ")
    assert f"Stepper({CALL} returns page 64 on model:6.18; step 2 of 15)" == repr(stepper)


def test_the_stepper_stays_within_its_steps():
    stepper = Stepper(gap_move(), index=99)
    assert 15 == stepper.index
    stepper.index = -3
    assert 0 == stepper.index


def test_a_stepper_without_steps():
    stepper = Stepper(outcome(Munmap(page(0), PAGE), 0, None, [row(0, 1)], [], machine="live"))
    assert "Stepper(munmap(page 0, 1 page) returns 0 on live; step 0 of 1)" == repr(stepper)


# --- builder ---


def test_fields_are_attributes():
    builder = CallBuilder(gap_model())
    builder.addr = "3"
    builder.old_len = "1"
    builder.flags = 3
    builder.new_addr = "0x1000040000"
    assert ("3", "1", "1", "1", ("maymove", "fixed"), "mremap", "6.18") == (
        builder.addr, builder.old_len, builder.length, builder.new_len, builder.flags, builder.call, builder.release,
    )  # fmt: skip
    assert Mremap(page(3), PAGE, PAGE, 3, page(64)) == builder.built
    assert {} == builder.errors


def test_running_from_python():
    builder = moving()
    told = builder.run()
    assert told is builder.outcome
    assert told is not None
    assert page(64) == told.value
    assert ((told.call,), (told,), "mremap returns page 64.") == (builder.calls, builder.outcomes, builder.status)
    assert "" == builder.played
    steps = unpacked(builder.look)["play"]["steps"]
    assert player_data(told)["steps"] == steps
    assert json.loads(builder.state)["can"] == {"undo": True, "redo": False, "reset": True}
    builder.undo()
    assert (None, "") == (builder.outcome, builder.played)
    builder.redo()
    assert told.call == builder.calls[0]
    builder.reset()
    assert () == builder.calls


def test_the_same_calls_under_another_kernel():
    builder = moving("6.16")
    assert "EFAULT" == builder.run().errno
    builder.release = "6.17"
    assert builder.outcome.ok
    assert player_data(builder.outcome)["steps"] == unpacked(builder.look)["play"]["steps"]


def test_malformed_text_is_kept_and_said_but_an_unknown_word_is_an_error():
    builder = CallBuilder(gap_model())
    builder.addr = "foo"
    assert ("foo", ["addr"], None) == (builder.addr, list(builder.errors), builder.built)
    assert builder.run() is None
    for fields in ({"kind": "gold"}, {"call": "sbrk"}, {"colour": "red"}):
        with pytest.raises(UsageError):
            builder.set(**fields)
    with pytest.raises(AttributeError):
        builder.colour


def test_the_picture_comes_first_and_the_frames_after_it():
    builder = moving()
    sent = []
    builder.comm.send = lambda data=None, **_: sent.append(data)
    builder._handle_custom_msg({"do": "run", "n": 4}, [])
    assert ["update", "update"] == [message["method"] for message in sent]
    assert [{"state", "look"}, {"texts"}] == [message["state"].keys() for message in sent]
    assert 4 == json.loads(builder.state)["n"]
    builder._handle_custom_msg({"do": "set", "name": "addr", "value": "1", "n": 5}, [])
    assert {"state"} == sent[2]["state"].keys()
    assert len(json.dumps(sent[2])) < 5_000
    builder._handle_custom_msg("nonsense", [])
    assert 3 == len(sent)


def test_the_session_is_saved_as_a_scenario(tmp_path: Path):
    builder = moving("6.17")
    builder.run()
    builder.save(tmp_path / "mine.json")
    (scenario,) = load_scenarios(tmp_path / "mine.json")
    assert builder.scenario == scenario
    assert builder.outcome.after == Model("6.18").run(scenario).outcomes[-1].after
    with pytest.raises(UsageError, match=r"nowhere/mine\.json can't be written: No such file"):
        builder.save(tmp_path / "nowhere" / "mine.json")
    with pytest.raises(UsageError, match="a model that has made calls"):
        CallBuilder("6.18").save(tmp_path / "empty.json")


def test_the_repr_of_the_builder_is_stable():
    assert f"CallBuilder(Linux 6.18, 3 VMAs, 0 calls made; next: {CALL})" == repr(moving()) == repr(moving())


# --- both ---


@pytest.mark.parametrize("make", SHOWN.values(), ids=SHOWN)
def test_where_no_kernel_runs_a_still_picture_stands_in(make):
    widget = make()
    data, _metadata = widget._repr_mimebundle_()
    assert {"text/plain", "text/html"} == data.keys()  # no view: on another day it would be an error message
    assert repr(widget) == data["text/plain"]
    stored, again = (OUTPUT_SCRIPT.sub("", one._repr_mimebundle_()[0]["text/html"]) for one in (widget, make()))
    assert ("<svg" in stored) == widget.pictured
    assert "<script" not in stored
    assert stored == again
    assert widget.needs_python == ("none is running behind it" in stored)


def test_where_a_page_makes_no_model_without_a_view_of_it_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "google.colab", None)
    data, _ = CallBuilder(gap_model())._repr_mimebundle_()
    assert {"text/plain", "text/html", VIEW} == data.keys()


def test_what_plays_without_python_is_in_the_output() -> None:
    stepper = Stepper(gap_move(), index=3)
    found = re.search(r'data-code="([^"]+)" data-traits="([^"]+)"', stepper.output_html())
    assert found is not None
    code, traits = (unpacked(text) for text in found.groups())
    assert code["module"].rstrip().endswith("export default widget(renderStepper, false);")
    assert ".vml-stepper" in code["css"]
    assert (3, stepper.data) == (traits["index"], traits["data"])


def test_the_notebook_keeps_what_is_shown_now() -> None:
    builder = moving()
    builder.run()
    sent = []
    builder.comm.send = lambda data=None, **_: sent.append(data)
    builder._handle_custom_msg({"do": "keep"}, [])
    assert [builder.output_html()] == [message["content"]["kept"] for message in sent]
    assert "returns page 64" in sent[0]["content"]["kept"]


def test_the_still_builder_shows_range_target_and_the_last_outcome():
    builder = moving()
    html = builder.still_html()
    assert "range: pages 0 to 4 (5 pages)" in html
    assert "target: pages 64 to 68 (5 pages)" in html
    assert CALL in html
    builder.run()
    assert f"{CALL} returns page 64" in builder.still_html()


def test_the_tests_for_all_widgets_know_them_all():
    assert set(widgets.__all__) == {name.partition(",")[0] for name in SHOWN}


@pytest.mark.parametrize("name", widgets.__all__)
def test_a_widgets_module_needs_no_other(name: str):
    widget = getattr(widgets, name)
    text = module_text(widget.scripts, widget.render, pictured=widget.pictured)
    assert ("player.js" in widget.scripts[:2]) == widget.pictured
    assert 1 == text.count("export default")
    assert 1 == text.count(f"function {widget.render}(")
    assert "import " not in text
    assert "http" not in text.replace("http://www.w3.org/2000/svg", "")


def test_every_script_belongs_to_a_widget_or_to_a_page():
    used = (
        {"kernel.js", "output.js", "worker.js"}
        | set(SCRIPTS)
        | set(livepage.SCRIPTS)
        | set(livepage.PAGE_SCRIPTS)
        | {script for name in widgets.__all__ for script in getattr(widgets, name).scripts}
    )
    assert {path.name for path in STATIC.glob("*.js")} == used


def run_python(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, env=dict(os.environ))
    assert 0 == done.returncode, done.stderr
    return done.stdout


def test_pictures_do_not_load_the_widgets():
    loaded = run_python(
        "import sys\nfrom tests.sample_outcomes import gap_move\ngap_move()._repr_html_()\n"
        "import vmalab.widgets, vmalab.widgets.session\n"
        "print([name for name in ('anywidget', 'ipywidgets', 'pandas') if name in sys.modules])"
    )
    assert "[]" == loaded.strip()


@pytest.mark.notebook
@pytest.mark.slow
def test_strict_nbval_passes_and_nbconvert_shows_the_still_picture(tmp_path: Path):
    from nbconvert import HTMLExporter

    cells = [
        "from tests.sample_outcomes import gap_model, gap_move\nfrom vmalab.widgets import CallBuilder, Stepper",
        "Stepper(gap_move())",
        "builder = CallBuilder(gap_model())\nbuilder",
        'builder.set(addr="0", old_len="5", flags="maymove fixed", new_addr="64").run()',
        "builder",
        "builder.model",
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    path = tmp_path / "widgets.ipynb"
    nbformat.write(notebook, path)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    execute = (
        "import nbformat, sys; from nbclient import NotebookClient; path = sys.argv[1]; "
        "notebook = nbformat.read(path, 4); NotebookClient(notebook, store_widget_state=False).execute(); "
        "nbformat.write(notebook, path)"
    )
    subprocess.run([sys.executable, "-c", execute, str(path)], check=True, env=environment)
    checked = subprocess.run(
        [sys.executable, "-m", "pytest", "--nbval", "--nbval-current-env", "-q", "-p", "no:cacheprovider",
         f"--nbval-sanitize-with={ROOT / 'tests' / 'nbval.cfg'}", str(path)],
        cwd=tmp_path, env=environment, capture_output=True, text=True,
    )  # fmt: skip
    assert "6 passed" in checked.stdout, checked.stdout
    html, _ = HTMLExporter().from_filename(str(path))
    assert html.count('class="vml vml-card"') >= 4
    assert '<script type="application/vnd.jupyter.widget-view+json">' not in html
