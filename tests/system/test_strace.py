"""A program under strace: its calls, its maps at the start and the end, and what can go wrong."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from vmalab.__main__ import run
from vmalab.errors import MachineError, UsageError
from vmalab.machines.replay.program import replay
from vmalab.programs.strace import Ended, MapsSeen, read_log
from vmalab.system import strace as room
from vmalab.system.strace import trace

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed"),
]

FORKS = "import os, mmap; m = mmap.mmap(-1, 8192); pid = os.fork(); os.waitpid(pid, 0) if pid else os._exit(3)"


def test_a_program_that_forks_is_followed_and_its_maps_are_as_the_model_has_them(tmp_path: Path):
    found = trace([sys.executable, "-c", FORKS], tmp_path / "x.strace", hold=2.0)
    assert (0, set()) == (found.status, found.missed)
    log = read_log(tmp_path / "x.strace")
    assert [] == log.left_out
    parent, child = {event.pid for event in log.events if isinstance(event, Ended)}
    seen = [(event.pid, event.when) for event in log.events if isinstance(event, MapsSeen)]
    assert 3 == len(seen) and {parent, child} == {pid for pid, when in seen if when == "at the end"}
    for end in replay(log).ends:
        assert end.layout is not None
        assert 0.9 * end.layout.real <= end.layout.exact


def test_a_program_that_crashes_is_told(tmp_path: Path):
    found = trace([sys.executable, "-c", "import os; os.kill(os.getpid(), 11)"], tmp_path / "x.strace", hold=0)
    assert -11 == found.status
    (end,) = [event for event in read_log(tmp_path / "x.strace").events if isinstance(event, Ended)]
    assert end.how.startswith("killed by SIGSEGV")


def test_there_is_no_such_command(tmp_path: Path):
    with pytest.raises(UsageError, match="there is no command 'no-such-thing'"):
        trace(["no-such-thing"], tmp_path / "x")
    assert [] == list(tmp_path.iterdir())


def test_strace_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(room.shutil, "which", lambda _name: None)
    with pytest.raises(MachineError, match="apt install strace"):
        trace(["true"], tmp_path / "x")


def test_strace_may_not_trace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    forbidden = tmp_path / "strace"
    forbidden.write_text("#!/bin/sh\necho 'strace: ptrace(PTRACE_TRACEME, ...): Operation not permitted' >&2\nexit 1\n")
    forbidden.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with pytest.raises(MachineError, match=r"strace may not trace here .*SYS_PTRACE"):
        trace(["true"], tmp_path / "x")
    assert not (tmp_path / "x").exists()


def test_from_the_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    monkeypatch.chdir(tmp_path)
    assert 0 == run(["trace", "--hold", "0", "--", "true", "--version"])
    assert "true.strace: " in capsys.readouterr().out
    assert 0 == run(["why", "true.strace", "--top"])
    assert "most VMAs" in capsys.readouterr().out
