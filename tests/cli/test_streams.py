"""Standard streams that are closed, or full: no traceback, and what can be done is done."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

COMMANDS = ("run {file}", "run {file} --json", "compare {file} --on model:6.16 --on model:6.18", "quiz --seed 3",
            "doctor", "export {file} -o {page}", "--help", "--version", "run --help", "nonsense")  # fmt: skip


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "one.json"
    path.write_text('{"name": "one", "steps": [{"call": "mmap", "addr": 0, "pages": 1}]}')
    return path


def shell(command: str, file: Path, streams: str) -> tuple[int, str]:
    words = command.format(file=file, page=file.with_name("page.html"))
    ran = subprocess.run(
        ["/bin/sh", "-c", f'"$0" -m vmalab {words} {streams}', sys.executable], capture_output=True, text=True
    )
    return ran.returncode, ran.stderr


@pytest.mark.parametrize("command", COMMANDS)
def test_a_stream_that_is_closed_is_as_good_as_dev_null(file: Path, command: str) -> None:
    usual, said = shell(command, file, "</dev/null >/dev/null")
    assert "Traceback" not in said
    for streams in ("<&-", ">&-", "<&- >&- 2>&-"):
        status, said = shell(command, file, streams)
        assert usual == status, streams
        assert "Traceback" not in said


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no device that is always full")
@pytest.mark.parametrize("command", ["run {file}", "run {file} --json", "doctor --json", "--help"])
def test_a_disk_that_is_full_is_one_sentence(file: Path, command: str) -> None:
    assert (2, "vmalab: no space left on device\n") == shell(command, file, ">/dev/full")
