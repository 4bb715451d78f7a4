"""`vmalab replay` and `vmalab why`: what they print, and one clear line for what can't be."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.machines.replay.test_replay import BIN, STACK, START, A, end, mapped
from vmalab.__main__ import run

MOVE = f"10 mremap({A:#x}, 8192, 8192, MREMAP_MAYMOVE|MREMAP_FIXED, {A + 0x100000:#x}) = {A + 0x100000:#x}\n"


@pytest.fixture
def log(tmp_path: Path) -> str:
    there = f"{A + 0x100000:x}-{A + 0x101000:x} rw-p 00000000 00:00 0"
    last = end(BIN, there, f"{A + 0x101000:x}-{A + 0x102000:x} r--p 00000000 00:00 0", STACK)
    text = "# kernel: 6.18.44\n" + START + mapped(A) + mapped(A + 0x1000, 1, "PROT_READ") + MOVE + "so\n" + last
    (tmp_path / "x.strace").write_text(text + "10 +++ exited with 0 +++\n")
    return str(tmp_path / "x.strace")


def test_replay(log: str, capsys: pytest.CaptureFixture[str]):
    assert 0 == run(["replay", log])
    said = capsys.readouterr().out
    assert "1 left out" in said and "line 13: not a line that strace writes: so" in said
    assert "process 10 (x), exited with 0: 4 VMAs, 4 of them exact" in said


def test_replay_on_others(log: str, capsys: pytest.CaptureFixture[str]):
    assert 1 == run(["replay", log, "--on", "model:6.16", "--on", "model:6.18"])
    said = capsys.readouterr().out
    assert "Linux 6.16: EFAULT" in said and "Linux 6.18: the same" in said
    assert 1 == run(["replay", log, "--limit", "map_count=2"])
    assert "ENOMEM" in capsys.readouterr().out
    assert 0 == run(["replay", log, "--predict"])


def test_why(log: str, capsys: pytest.CaptureFixture[str]):
    assert 0 == run(["why", f"{log}:12"])
    assert "VMAs: 4, as many as before." in capsys.readouterr().out
    assert 0 == run(["why", f"{log}:12", "--on", "model:6.16"])
    assert "EFAULT" in capsys.readouterr().out
    assert 0 == run(["why", log])
    assert "4 calls" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["replay", "nowhere"], "nowhere: No such file or directory"),
        (["replay", "LOG", "--on", "live"], "--on is model:RELEASE"),
        (["replay", "LOG", "--on", "model:5.4"], "no profile for Linux 5.4"),
        (["replay", "LOG", "--limit", "as=3"], "--limit is map_count=N"),
        (["replay", "LOG", "--maps", "LOG"], "neither maps nor smaps"),
        (["why", "LOG:99"], "is no call that changes an address space"),
        (["why", "LOG:13"], "was not understood"),
    ],
)
def test_what_can_not_be(log: str, arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]):
    assert 2 == run([one.replace("LOG", log) for one in arguments])
    error = capsys.readouterr().err
    assert said in error and 1 == error.count("\n")
