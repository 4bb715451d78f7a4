"""What makes a page alive: the core is whole without Jupyter, the parts are deterministic."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
import zipfile
import zlib
from base64 import urlsafe_b64encode
from pathlib import Path

import pytest

from vmalab import widgets
from vmalab.editions import live
from vmalab.editions.source import lesson_paths, read
from vmalab.errors import ScenarioError
from vmalab.linux.addr import PAGE, page
from vmalab.linux.call import Mmap
from vmalab.programs.scenario import Scenario
from vmalab.widgets import livepage
from vmalab.widgets.link import MOST_BYTES, fragment, opened
from vmalab.widgets.session import Session

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


def test_scripts_that_share_one_scope_define_no_name_twice() -> None:
    text = livepage.live_script()
    names = re.findall(r"^(?:const|let|class|function|async function) (\w+)", text, re.MULTILINE)
    assert len(set(names)) == len(names) > 100
    views = set(re.findall(r"\w+", livepage.VIEWS)) - {"const", "VIEWS"}
    assert {getattr(widgets, name).render for name in widgets.__all__} == views


def test_a_program_fits_into_a_link_and_a_link_takes_no_memory() -> None:
    scenario = Scenario("one", (Mmap(page(0), PAGE),))
    assert (scenario, "6.17") == opened("#" + fragment(scenario, "6.17"))
    for text, message in (
        ("#p=%%%", "the link is not whole"),
        ("#p=" + "A" * 7, "can't be read"),
        ("#p=" + _link(b'{"on": "6.17", "scenario": ' + b" " * MOST_BYTES + b"1}"), "is too long"),
        ("#p=" + _link(b"[]"), "does not say on which release"),
    ):
        with pytest.raises(ScenarioError, match=message):
            opened(text)


def _link(data: bytes) -> str:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return urlsafe_b64encode(packer.compress(data) + packer.flush()).decode()


def test_a_builder_opens_a_link_and_says_what_is_wrong_with_one() -> None:
    session = Session("6.18")
    session.handle(
        {"do": "open", "link": fragment(Scenario("one", (Mmap(page(0), PAGE), Mmap(page(9), PAGE))), "6.16")}
    )
    assert ("6.16", 2, "mmap returns page 9.") == (session.model.release[:4], len(session.outcomes), session.status)
    session.handle({"do": "undo"})
    assert 1 == len(session.model.snapshot())
    session.handle({"do": "open", "link": "#p=x"})
    assert session.status.startswith("Not understood: the program in the link") and not session.status_ok


def test_the_same_package_gives_the_same_core() -> None:
    assert live.core() == live.core()
    names = zipfile.ZipFile(io.BytesIO(live.core())).namelist()
    assert "vmalab/widgets/page.py" in names and "attr/__init__.py" in names
    assert not any(name.startswith(("vmalab/cli", "vmalab/editions")) or "_data" in name for name in names)
