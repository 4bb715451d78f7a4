"""The commands run and compare: documents, reports, and every way to go wrong in one clear line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from rich.text import Text

from vmalab.__main__ import run
from vmalab.cli import COMMANDS
from vmalab.cli.common import console
from vmalab.machines.model import Model
from vmalab.programs.data import folder
from vmalab.programs.files import write_whole

GAP = str(folder("scenarios") / "gap-keeps-what-was-there.json")
ALL = str(folder("recordings") / "scenarios.json.xz")
CLI = [sys.executable, "-m", "vmalab"]


@pytest.fixture
def two(tmp_path: Path) -> str:
    """A file with two scenarios; the second one is in no recording."""
    path = tmp_path / "two.json"
    path.write_text(
        json.dumps(
            [
                {
                    "name": "one",
                    "steps": [{"call": "mmap", "addr": 0, "pages": 2}, {"call": "munmap", "addr": 0.5, "pages": 1}],
                },
                {
                    "name": "two",
                    "steps": [{"call": "mmap", "addr": 9, "pages": 1}, {"call": "read", "addr": 9, "pages": 2}],
                },
            ]
        )
    )
    return str(path)


def document(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    assert run(["run", *arguments, "--json"]) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    loaded: dict[str, object] = json.loads(captured.out)
    return loaded


# --- documents ---


def test_one_document_for_all_scenarios(two: str, capsys: pytest.CaptureFixture[str]) -> None:
    found = document([two, "--on", "model:6.18.44"], capsys)
    assert found["release"] == "6.18.44"
    row = {"start": 0, "end": 2, "perms": "rw-p", "backing": None, "pgoff": None}
    last = {"start": 9, "end": 10, "perms": "rw-p", "backing": None, "pgoff": None}
    assert found["results"] == [
        {
            "name": "one",
            "steps": [
                {"errno": None, "return": 0, "vmas": [row]},
                {"errno": "EINVAL", "return": None, "vmas": [row]},
            ],
            "final": [{**row, "pages": {}, "flags": ["ac"]}],
        },
        {
            "name": "two",
            "steps": [
                {"errno": None, "return": 9, "vmas": [last]},
                {"errno": "SEGV", "return": None, "vmas": [last], "values": [0, None]},
            ],
            "final": [{**last, "pages": {"0": 0}, "flags": ["ac"]}],
        },
    ]


def test_a_recording_gives_back_what_was_recorded(capsys: pytest.CaptureFixture[str]) -> None:
    found = document([ALL, "--on", "recorded:6.16.12"], capsys)
    assert isinstance(found["results"], list)
    assert len(found["results"]) == 531
    assert found["release"] == "6.16.12+deb13-cloud-amd64"
    assert not any("error" in result for result in found["results"])


def test_what_a_machine_cannot_run_is_an_error_there_and_the_run_goes_on(
    two: str, capsys: pytest.CaptureFixture[str]
) -> None:
    found = document([two, "--on", "recorded:6.18"], capsys)
    assert isinstance(found["results"], list)
    assert [sorted(result) for result in found["results"]] == [["error", "name"]] * 2


def test_no_scenarios_is_a_document_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "none.json").write_text("[]")
    assert document([str(tmp_path / "none.json"), "--on", "model:6.18"], capsys)["results"] == []


# --- reports ---


def test_a_report_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["run", GAP, "--on", "model:6.16"]) == 0
    out = capsys.readouterr().out
    assert "gap-keeps-what-was-there  on model:6.16" in out
    assert 'mmap(page 0, 2 pages, "rw")  →  page 0' in out
    assert "→  EFAULT" in out
    assert "at the end:" in out
    assert "present 0=3000 1=3001" in out
    assert "\x1b" not in out


def test_a_report_says_how_many_could_not_be_run(two: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["run", two, "--on", "recorded:6.18"]) == 0
    out = capsys.readouterr().out
    assert out.count("could not be run: the recording of Linux 6.18.44") == 2
    assert out.rstrip().endswith("0 of 2 scenarios ran on recorded:6.18.44")


def test_words_of_a_file_are_not_taken_for_markup(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.json").write_text('{"name": "[bold]:smile:[/bold]", "steps": []}')
    assert run(["run", str(tmp_path / "a.json")]) == 0
    assert "[bold]:smile:[/bold]  on model:6.18" in capsys.readouterr().out


# --- compare ---


def test_two_machines_that_agree(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["compare", GAP, "--on", "model:6.17", "--on", "model:6.18"]) == 0
    assert capsys.readouterr().out == "model:6.17 and model:6.18 agree on 1 of 1 scenario\n"


def test_two_machines_that_differ(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["compare", GAP, "--on", "model:6.16", "--on", "model:6.18"]) == 1
    out = capsys.readouterr().out
    assert "   5  mremap(page 0, 5 pages, 5 pages, MREMAP_MAYMOVE | MREMAP_FIXED, page 64)" in out
    assert "model:6.16  errno EFAULT" in out
    assert "model:6.18  errno none" in out
    assert "agree on 0 of 1 scenario" in out


def test_differences_as_data(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["compare", GAP, "--on", "model:6.16", "--on", "recorded:6.18", "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert (found["a"], found["b"]) == ("model:6.16", "recorded:6.18.44")
    (one,) = found["scenarios"]
    assert one["name"] == "gap-keeps-what-was-there"
    assert not one["agree"]
    assert one["differences"][0]["key"] == "error"


# --- everything that can go wrong ---

BROKEN = '{"name": "x", "steps": [{"call": "mmap", "addr": "0", "pages": 1}]}'


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "missing.json", "--on", "live"], "missing.json: no such file or directory"),
        (["run", ".", "--on", "model:6.18"], ".: is a directory"),
        (
            ["run", "broken.json", "--on", "model:6.18"],
            'scenario "x", step 1 (mmap), key "addr": expected a number of pages',
        ),
        (["run", "broken.json", "--on", "nonsense"], 'scenario "x", step 1 (mmap), key "addr"'),
        (["run", GAP, "--on", "nonsense"], "there is no machine 'nonsense'"),
        (["run", GAP, "--on", "model:2.4"], "2.4"),
        (["run", GAP, "--on", "recorded:2.4"], "there is no recording of Linux 2.4: there are 6.1.0"),
        (["run"], "Missing argument 'FILE'"),
        (["run", GAP, "--loud"], "--loud"),
        (["sprint"], "No such command 'sprint'"),
        (["compare", GAP, "--on", "live"], "two machines"),
        (["record", GAP], "Missing option '-o'"),
    ],
    ids=str,
)
def test_one_clear_line_on_standard_error_and_exit_status_2(
    arguments: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("broken.json").write_text(BROKEN)
    assert run(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("vmalab: ")
    assert captured.err.count("\n") == 1
    assert message in captured.err


def test_the_live_machine_switched_off(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("VMALAB_LIVE", "off")
    assert run(["run", GAP, "--on", "live"]) == 2
    assert capsys.readouterr().err == "vmalab: the live machine is switched off (VMALAB_LIVE=off)\n"


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in ([], ["--help"]):
        assert run(arguments) == 0
        out = capsys.readouterr().out
        assert all(name in out for name in COMMANDS)
    for name in COMMANDS:
        assert run([name, "--help"]) == 0
        assert capsys.readouterr().out.startswith(f"Usage: vmalab {name} ")


# --- as a process of its own ---


def test_standard_input_and_exit_status() -> None:
    done = subprocess.run([*CLI, "run", "-", "--json"], input=Path(GAP).read_bytes(), capture_output=True, check=True)
    assert json.loads(done.stdout)["results"][0]["name"] == "gap-keeps-what-was-there"
    assert done.stderr == b""


def test_nobody_reads_to_the_end() -> None:
    with subprocess.Popen(
        [*CLI, "run", ALL, "--on", "recorded:6.18", "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.read(100)
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait() == 141


def test_the_keyboard_interrupts(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def pressed(_file: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("vmalab.cli.run.load_scenarios", pressed)
    assert run(["run", GAP]) == 130
    assert capsys.readouterr().err.strip() == "vmalab: interrupted"


def test_the_command_line_without_its_libraries_says_what_to_install() -> None:
    code = "import sys; sys.modules['click'] = None; from vmalab.__main__ import run; sys.exit(run([]))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (
        2,
        "vmalab: the command line needs click and rich: pip install 'vmalab[cli]'\n",
    )


def test_a_file_is_written_whole_and_what_is_no_file_stays_what_it_is(tmp_path: Path):
    file, link, pipe = tmp_path / "file", tmp_path / "link", tmp_path / "pipe"
    link.symlink_to(file)
    write_whole(link, "text")
    assert ("text", True) == (file.read_text(), link.is_symlink())
    if hasattr(os, "mkfifo"):
        os.mkfifo(pipe)
        reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
        write_whole(pipe, b"bytes")
        assert (b"bytes", True) == (os.read(reader, 99), pipe.is_fifo())
        os.close(reader)
    assert {"file", "link", "pipe"} >= {path.name for path in tmp_path.iterdir()}


def test_nothing_that_was_read_somewhere_steers_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    console().print("a\x1b[2Jb\x07")
    console().print(Text("c\x1b]0;title\x1bd", style="bold"))
    assert "a?[2Jb?\nc?]0;title?d\n" == capsys.readouterr().out


@pytest.mark.parametrize("release", ["6.8", "6.14.0-45-generic", "6.2"])
def test_a_release_that_was_never_measured_is_called_so(release: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["run", GAP, "--on", f"model:{release}"]) == 0
    told = capsys.readouterr()
    assert f"note: Linux {release.partition('-')[0]} (never measured)" in told.err
    assert "(never measured)" in repr(Model(release))
    for known in ("6.18", "v3", "6.18.44-fc"):
        assert run(["run", GAP, "--on", f"model:{known}"]) == 0
        assert capsys.readouterr().err == ""


def test_a_call_that_only_sets_flags_shows_which(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    calls = [("mlock", "+lo"), ("mseal", "+sl"), ("uffd", "+um")]
    steps: list[dict[str, object]] = [{"call": "mmap", "addr": 0, "pages": 2}]
    steps += [{"call": name, "addr": 0, "pages": 2} for name, _ in calls]
    steps += [{"call": "madvise", "addr": 0, "pages": 2, "advice": "dontfork"}, {"call": "mmap", "addr": 2, "pages": 1}]
    file = tmp_path / "flags.json"
    file.write_text(json.dumps([{"name": "flags", "steps": steps}]))
    assert run(["run", str(file)]) == 0
    said = capsys.readouterr().out
    for _, sign in calls:
        assert f"({sign})" in said
    assert "No merge with [0 to 1 rw-p] on the left: their flags differ" in said
