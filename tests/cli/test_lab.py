"""`vmalab lab`: the lessons are handed out without touching anybody's work; the server starts, and sends at once."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tornado.httpclient import HTTPRequest
from tornado.ioloop import IOLoop
from tornado.websocket import websocket_connect

from tests.browser.servers import environment, free_port, serving, vmalab_lab
from vmalab.__main__ import run
from vmalab.cli import handout, lab, nodelay
from vmalab.cli.handout import RECORD, HandedOut, hand_out
from vmalab.programs import data
from vmalab.programs.files import write_whole

# --- handing out ---

LESSONS = {"00-start.ipynb": "zero", "01-next.ipynb": "one", "pictures/shown.png": "picture"}


@pytest.fixture
def release(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Makes this the lessons that the installed package has."""
    source = tmp_path / "package" / "_notebooks"
    monkeypatch.setattr(data, "lessons", lambda: source)

    def write(**changed: str) -> None:
        (source / "pictures").mkdir(parents=True, exist_ok=True)
        (source / ".ipynb_checkpoints").mkdir(exist_ok=True)
        (source / ".ipynb_checkpoints" / "00-start-checkpoint.ipynb").write_text("not a lesson")
        for name, text in LESSONS.items():
            (source / name).write_text(changed.get(name.partition("-")[0], text))

    write()
    return write


def texts(folder: Path) -> dict[str, str]:
    """Every file of the folder but the record."""
    return {
        path.relative_to(folder).as_posix(): path.read_text()
        for path in folder.rglob("*")
        if path.is_file() and path.name != RECORD
    }


@pytest.mark.usefixtures("release")
def test_the_first_time_all_lessons_are_copied(tmp_path: Path) -> None:
    done = hand_out(tmp_path / "a" / "mine", "1.0")
    assert HandedOut(fresh=list(LESSONS)) == done
    assert "2 new" == str(done)
    assert LESSONS == texts(tmp_path / "a" / "mine")


def test_the_same_again_writes_nothing(tmp_path: Path, release: Callable[..., None]) -> None:
    hand_out(tmp_path / "mine", "1.0")
    (tmp_path / "mine" / "00-start.ipynb").write_text("zero, and my answers")
    assert HandedOut(same=list(LESSONS)) == hand_out(tmp_path / "mine", "1.0")
    assert {**LESSONS, "00-start.ipynb": "zero, and my answers"} == texts(tmp_path / "mine")


def test_an_update_replaces_what_nobody_changed(tmp_path: Path, release: Callable[..., None]) -> None:
    hand_out(tmp_path / "mine", "1.0")
    release(**{"00": "zero, better"})
    done = hand_out(tmp_path / "mine", "2.0")
    assert HandedOut(renewed=["00-start.ipynb"], same=["01-next.ipynb", "pictures/shown.png"]) == done
    assert {**LESSONS, "00-start.ipynb": "zero, better"} == texts(tmp_path / "mine")


def test_work_stays_and_the_new_lesson_stands_beside_it(tmp_path: Path, release: Callable[..., None]) -> None:
    mine = tmp_path / "mine"
    hand_out(mine, "1.0")
    (mine / "00-start.ipynb").write_text("my work")
    release(**{"00": "zero, better"})
    done = hand_out(mine, "2.0")
    beside = "00-start-from-vmalab-2.0.ipynb"
    assert {"00-start.ipynb": beside} == done.kept
    assert f"1 as before; 00-start.ipynb is yours and stays, the new one is {beside}" == str(done)
    expected = {**LESSONS, "00-start.ipynb": "my work", beside: "zero, better"}
    assert expected == texts(mine)
    # once is enough
    assert {} == hand_out(mine, "2.0").kept
    assert expected == texts(mine)


def test_work_in_the_one_beside_stays_too(tmp_path: Path, release: Callable[..., None]) -> None:
    mine = tmp_path / "mine"
    hand_out(mine, "1.0")
    (mine / "00-start.ipynb").write_text("my work")
    release(**{"00": "second"})
    hand_out(mine, "2.0")
    (mine / "00-start-from-vmalab-2.0.ipynb").write_text("more work")
    release(**{"00": "third"})  # the version was not counted up
    hand_out(mine, "2.0")
    release(**{"00": "fourth"})
    hand_out(mine, "2.0")
    found = texts(mine)
    assert "my work" == found["00-start.ipynb"]
    assert "more work" == found["00-start-from-vmalab-2.0.ipynb"]
    assert "fourth" == found["00-start-from-vmalab-2.0-2.ipynb"]  # nobody had changed the third


def notebook(source: str, **more: object) -> str:
    return json.dumps({"cells": [{"cell_type": "code", "source": [source], "outputs": [], "metadata": {}, **more}]})


def test_a_lesson_that_was_looked_at_or_run_is_nobodys_work(tmp_path: Path, release: Callable[..., None]) -> None:
    mine = tmp_path / "mine"
    release(**{"00": notebook("1 + 1"), "01": notebook("2 + 2")})
    hand_out(mine, "1.0")
    # what JupyterLab writes when a lesson is opened or run, and what a person writes
    (mine / "00-start.ipynb").write_text(notebook("1 + 1", metadata={"collapsed": True}, outputs=[{"a": "2"}]))
    (mine / "01-next.ipynb").write_text(notebook("2 + 3"))
    release(**{"00": notebook("1 + 1, better"), "01": notebook("2 + 2, better")})
    done = hand_out(mine, "2.0")
    assert (["00-start.ipynb"], {"01-next.ipynb": "01-next-from-vmalab-2.0.ipynb"}) == (done.renewed, done.kept)
    assert notebook("1 + 1, better") == (mine / "00-start.ipynb").read_text()
    assert notebook("2 + 3") == (mine / "01-next.ipynb").read_text()


@pytest.mark.usefixtures("release")
@pytest.mark.parametrize("record", [None, "", "[1]", '{"handed out": 3}', "\x00"])
def test_without_a_record_every_file_is_somebodys_work(tmp_path: Path, record: str | None) -> None:
    (tmp_path / "01-next.ipynb").write_text("mine, from elsewhere")
    if record is not None:
        (tmp_path / RECORD).write_text(record)
    done = hand_out(tmp_path, "1.0")
    assert {"01-next.ipynb": "01-next-from-vmalab-1.0.ipynb"} == done.kept
    assert "mine, from elsewhere" == (tmp_path / "01-next.ipynb").read_text()


@pytest.mark.usefixtures("release")
def test_a_deleted_lesson_is_given_again(tmp_path: Path) -> None:
    hand_out(tmp_path / "mine", "1.0")
    (tmp_path / "mine" / "01-next.ipynb").unlink()
    assert ["01-next.ipynb"] == hand_out(tmp_path / "mine", "1.0").fresh


@pytest.mark.usefixtures("release")
def test_the_lessons_own_folder_is_opened_as_it_is() -> None:
    assert HandedOut(same=list(LESSONS)) == hand_out(data.lessons(), "1.0")
    assert not (data.lessons() / RECORD).exists()


def test_in_a_checkout_the_lessons_lie_beside_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert Path(data.__file__).parents[2] / "notebooks" == data.lessons()
    (tmp_path / "_notebooks").mkdir()
    monkeypatch.setattr(data, "_HERE", tmp_path)
    assert tmp_path / "_notebooks" == data.lessons()


# --- what can't go on says why, in one line ---


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert 2 == run(["lab", *arguments])
    captured = capsys.readouterr()
    assert "" == captured.out
    (line,) = captured.err.splitlines()
    return line.removeprefix("vmalab: ")


@pytest.mark.usefixtures("release")
def test_copy_only_opens_nothing_and_brings_up_to_date(
    tmp_path: Path, release: Callable[..., None], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lab, "open_lab", lambda *_: pytest.fail("JupyterLab was opened"))
    assert 0 == run(["lab", str(tmp_path / "mine"), "--copy-only"])
    assert LESSONS == texts(tmp_path / "mine")
    release(**{"01": "one, better"})
    assert 0 == run(["lab", str(tmp_path / "mine"), "--copy-only"])
    assert {**LESSONS, "01-next.ipynb": "one, better"} == texts(tmp_path / "mine")
    assert "1 brought up to date, 1 as before" in capsys.readouterr().err


def test_copy_only_takes_nothing_that_is_about_opening(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert "with --copy-only nothing is opened" in said(capsys, str(tmp_path / "mine"), "--copy-only", "--no-browser")
    assert "with --copy-only nothing is opened" in said(capsys, str(tmp_path / "mine"), "--copy-only", "--", "--debug")
    assert not (tmp_path / "mine").exists()


def test_a_port_that_is_taken(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        line = said(capsys, str(tmp_path / "mine"), "--port", str(port))
    assert f"port {port} can't be had: choose another one, or leave --port out" == line
    assert not (tmp_path / "mine").exists()
    assert "70000 is not in the range" in said(capsys, "--port", "70000")


def test_no_jupyterlab(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lab, "find_spec", lambda name: None if name == "jupyterlab" else find_spec(name))
    assert "the lessons need jupyterlab: pip install 'vmalab[lab]'" == said(capsys)


def test_a_folder_that_can_not_be_written(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    folder = tmp_path / "file" / "mine"
    assert f"the lessons can't be put into {folder}: not a directory" == said(capsys, str(folder))


def test_a_folder_within_the_lessons(capsys: pytest.CaptureFixture[str]) -> None:
    folder = data.lessons() / "mine"
    assert f"{folder} lies within the lessons' own folder: choose one outside of it" == said(capsys, str(folder))


def test_an_installation_without_lessons(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(data, "lessons", lambda: tmp_path / "none")
    line = f"this installation of vmalab has no lessons: there is nothing in {tmp_path / 'none'}"
    assert line == said(capsys, str(tmp_path / "mine"))


# --- what JupyterLab is told ---


def told(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> tuple[int, list[str]]:
    """The exit status, and the arguments that JupyterLab gets."""
    from jupyterlab.labapp import LabApp

    seen: list[str] = []

    def launch(argv: list[str]) -> None:
        seen.extend(argv)
        raise SystemExit(3)

    monkeypatch.setattr(LabApp, "launch_instance", launch)
    monkeypatch.setattr(lab, "trust", lambda folder: None)
    monkeypatch.setenv("JUPYTER_CONFIG_PATH", "theirs")
    return run(["lab", *arguments]), seen


def test_what_stands_behind_two_dashes_is_passed_on(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    first = f"--LabApp.default_url=/lab/tree/{lab.FIRST}"
    assert (3, [str(tmp_path / "vmalab-lessons"), first]) == told(monkeypatch)
    port = free_port()
    _, seen = told(monkeypatch, "mine", "--port", str(port), "--no-browser", "--", "--collaborative", "--", "x")
    options = [first, f"--port={port}", "--ServerApp.port_retries=0", "--no-browser", "--collaborative", "--", "x"]
    assert [str(tmp_path / "mine"), *options] == seen


def test_root_must_not_ask(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 0)
    _, seen = told(monkeypatch, str(tmp_path / "mine"))
    assert [str(tmp_path / "mine"), f"--LabApp.default_url=/lab/tree/{lab.FIRST}", "--allow-root"] == seen


def test_the_users_own_configuration_still_holds(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import os

    told(monkeypatch, str(tmp_path / "mine"))
    assert [str(nodelay.CONFIG), "theirs"] == os.environ["JUPYTER_CONFIG_PATH"].split(os.pathsep)
    (config,) = (nodelay.CONFIG / "jupyter_server_config.d").glob("*.json")
    extensions = json.loads(config.read_text())["ServerApp"]["jpserver_extensions"]
    assert extensions.pop(nodelay.__name__)
    # a learner has nothing to grade
    assert {("nbgrader", False)} == {(name.partition(".")[0], wanted) for name, wanted in extensions.items()}


# --- no delay ---


class Carrier:
    """What jupyter_server has for it, as far as it matters here."""

    def __init__(self, websocket_handler: Any) -> None:
        self.websocket_handler = websocket_handler

    def connect(self) -> str:
        return f"connected, no delay {self.websocket_handler.no_delay}"


def loaded(**settings: Any) -> tuple[dict[str, Any], list[str]]:
    """The settings after the extension was loaded, and its warnings."""
    warnings: list[str] = []
    server = SimpleNamespace(web_app=SimpleNamespace(settings=settings), log=SimpleNamespace(warning=warnings.append))
    nodelay._load_jupyter_server_extension(server)
    return settings, warnings


def test_each_connection_sets_no_delay_before_it_connects() -> None:
    handler = SimpleNamespace(no_delay=False)
    handler.set_nodelay = lambda on: setattr(handler, "no_delay", on)
    settings, warnings = loaded(kernel_websocket_connection_class=Carrier)
    assert "connected, no delay True" == settings[nodelay.SETTING](websocket_handler=handler).connect()
    assert [] == warnings


@pytest.mark.parametrize("settings", [{}, {nodelay.SETTING: None}, {nodelay.SETTING: object}])
def test_a_server_that_offers_no_way_is_left_as_it_is_and_it_is_said(settings: dict[str, Any]) -> None:
    after, (warning,) = loaded(**settings)
    assert settings == after
    assert "offers no way to set TCP_NODELAY" in warning


PEEK = """
import socket

def _load_jupyter_server_extension(server):
    class Peek(server.web_app.settings["kernel_websocket_connection_class"]):
        def connect(self):
            stream = self.websocket_handler.ws_connection.stream
            server.log.warning("no delay: %s", stream.socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            return super().connect()
    server.web_app.settings["kernel_websocket_connection_class"] = Peek
"""


@pytest.mark.slow
def test_the_server_starts_answers_and_sends_at_once(tmp_path: Path) -> None:
    folder, port = tmp_path / "lessons", free_port()
    env = environment(tmp_path / "home")
    (tmp_path / "home" / "peek.py").write_text(PEEK)
    peek = {"ServerApp": {"jpserver_extensions": {"peek": True}}}
    (tmp_path / "home" / "jupyter_server_config.json").write_text(json.dumps(peek))
    env["PYTHONPATH"] += f":{tmp_path / 'home'}"
    with serving(vmalab_lab(folder, port, "--ServerApp.disable_check_xsrf=True"), port, env) as lines:
        address = f"127.0.0.1:{port}"
        lessons = sorted(path.name for path in data.lessons().glob("*.ipynb"))
        with urllib.request.urlopen(f"http://{address}/api/contents") as answer:
            shown = json.load(answer)["content"]
        assert lessons == sorted(one["name"] for one in shown if one["type"] == "notebook")
        with urllib.request.urlopen(urllib.request.Request(f"http://{address}/api/kernels", b"{}")) as answer:
            kernel = json.load(answer)["id"]

        async def connect() -> None:
            (await websocket_connect(HTTPRequest(f"ws://{address}/api/kernels/{kernel}/channels"))).close()

        IOLoop().run_sync(connect)
        urllib.request.urlopen(urllib.request.Request(f"http://{address}/api/kernels/{kernel}", method="DELETE"))
        assert any("no delay: 1" in line for line in lines), "".join(lines)
    assert f"lessons in {folder}: {len(lessons)} new\n" == lines[0]
    code = "import sys, nbformat; from nbformat.sign import NotebookNotary as N; "
    code += "print([N().check_signature(nbformat.read(path, 4)) for path in sys.argv[1:]])"
    trusted = subprocess.run(
        [sys.executable, "-c", code, *map(str, folder.glob("*.ipynb"))], env=env, capture_output=True, check=True
    )
    assert str([True] * len(lessons)) == trusted.stdout.decode().strip()


def trusted(paths: list[Path], home: Path) -> list[bool]:
    """Which notebooks Jupyter trusts, for the user whose home that is."""
    code = "import sys, json, nbformat; from nbformat.sign import NotebookNotary as N; "
    code += "print(json.dumps([N().check_signature(nbformat.read(path, 4)) for path in sys.argv[1:]]))"
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, paths)], env=environment(home), capture_output=True, check=True
    )
    found: list[bool] = json.loads(done.stdout)
    return found


def test_only_what_is_byte_for_byte_ours_is_trusted(tmp_path: Path) -> None:
    folder, home = tmp_path / "lessons", tmp_path / "home"
    hand_out(folder, "1.0")
    first, second = sorted(folder.glob("*.ipynb"))[:2]
    notebook = json.loads(first.read_text())
    cell = next(cell for cell in notebook["cells"] if cell.get("outputs"))
    cell["outputs"] = [
        {"output_type": "display_data", "metadata": {}, "data": {"text/html": "<img src=x onerror=alert(1)>"}}
    ]
    first.write_text(json.dumps(notebook))
    # as a record says that was handed out, too: whoever changes the lesson can change that
    record = folder / RECORD
    record.write_text(json.dumps({"handed out": {first.name: handout.sha256(first.read_bytes()).hexdigest()}}))
    (folder / "copy.ipynb").write_bytes(second.read_bytes())
    code = "import sys, pathlib; from vmalab.cli.lab import trust; trust(pathlib.Path(sys.argv[1]))"
    subprocess.run([sys.executable, "-c", code, str(folder)], env=environment(home), check=True)
    assert [False, True, True] == trusted([first, second, folder / "copy.ipynb"], home)


def test_a_file_is_written_under_a_fresh_name_until_it_is_whole(tmp_path: Path) -> None:
    target, own, linked = tmp_path / "out.json", tmp_path / "out.json.part", tmp_path / "elsewhere"
    own.write_text("mine")
    linked.write_text("not to be touched")
    (tmp_path / ".out.json").symlink_to(linked)
    target.write_text("old")
    target.chmod(0o640)
    write_whole(target, "new")
    assert ("new", "mine", "not to be touched") == (target.read_text(), own.read_text(), linked.read_text())
    assert 0o640 == target.stat().st_mode & 0o7777
    assert {target, own, linked, tmp_path / ".out.json"} == set(tmp_path.iterdir())


def test_many_at_once_hand_out_the_same_lessons(tmp_path: Path) -> None:
    code = "import sys, pathlib; from vmalab.cli.handout import hand_out; hand_out(pathlib.Path(sys.argv[1]), '1.0')"
    several = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "mine")]) for _ in range(8)]
    assert [0] * 8 == [one.wait(120) for one in several]
    names = {path.name for path in (tmp_path / "mine").iterdir()}
    assert {path.name for path in data.lessons().glob("*.ipynb")} | {"pictures", RECORD} == names
