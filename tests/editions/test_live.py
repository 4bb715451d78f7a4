"""What makes a page alive: the core is whole without Jupyter, the parts are deterministic."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path

from vmalab.editions import live
from vmalab.editions.source import lesson_paths, read

WIDGETS = ("CallBuilder", "Predict", "Quiz", "MoveCost", "ModelAndMachine", "Program")

CODE = r"""
import json, sys
sys.path[:] = [sys.argv[1], *[one for one in sys.path if "site-packages" not in one]]
from vmalab.widgets.page import Page

said = []
page = Page(said.append)
for message in json.loads(sys.stdin.read()):
    page.hear(json.dumps(message))
print("[" + ",".join(said) + "]")
"""


def in_page(tmp_path: Path, *messages: object) -> list[dict[str, object]]:
    """What the core alone, as a page has it, answers to messages."""
    for folder, packed in ((tmp_path, live.core()), (tmp_path / "vmalab" / "_data", live.evidence())):
        zipfile.ZipFile(io.BytesIO(packed)).extractall(folder)
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", CODE, str(tmp_path)],
        input=json.dumps(messages), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "" == done.stderr
    answers: list[dict[str, object]] = json.loads(done.stdout)
    return answers


def test_the_core_alone_brings_every_widget_of_the_lessons_to_life(tmp_path: Path) -> None:
    messages: list[dict[str, object]] = []
    for path in lesson_paths():
        cells = [(cell.id, cell.source) for cell in read(path).cells if cell.cell_type == "code"]
        messages.append({"do": "lesson", "cells": cells})
        for cell, code in cells:
            if code.splitlines()[-1].partition("(")[0] in WIDGETS:
                messages.append({"do": "run", "cell": cell, "code": None, "n": len(messages)})
    answers = in_page(tmp_path, *messages)
    assert len(answers) == len(messages) - len(lesson_paths()) > 20
    assert [] == [one for one in answers if not one["ok"] or "render" not in one["outputs"][-1]]  # type: ignore[index]


def test_the_same_package_gives_the_same_core() -> None:
    assert live.core() == live.core()
    names = zipfile.ZipFile(io.BytesIO(live.core())).namelist()
    assert "vmalab/widgets/page.py" in names and "attr/__init__.py" in names
    assert not any(name.startswith(("vmalab/cli", "vmalab/editions")) or "_data" in name for name in names)
