"""docs/real-programs.md: what it says that a command prints is what the command prints."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from vmalab.__main__ import run

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docs" / "real-programs.md").read_text(encoding="utf-8")
RUNS = re.findall(r"```text\n\$ vmalab (why .*?)\n(.*?)\n```", TEXT, re.S)


@pytest.mark.parametrize(("command", "printed"), RUNS, ids=[command for command, _ in RUNS])
def test_an_answer_is_what_the_command_prints(
    command: str, printed: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(ROOT)
    assert 0 == run(command.split())
    assert printed == capsys.readouterr().out.rstrip("\n")


def test_there_are_five_questions():
    assert 5 == len(re.findall(r"^\*\*[^*]*\?\*\*", TEXT, re.M))
    assert 5 <= len(RUNS)
