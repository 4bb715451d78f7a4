"""The pages in `docs/`: what follows from the package says the same as the package, and no link is broken."""

from __future__ import annotations

import json
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.tools import docs_tables
from vmalab.cli import COMMANDS
from vmalab.machines.live.driver import sandbox
from vmalab.words.catalogue.misconceptions import BELIEFS

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.glob("*.md"))
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def headings(text: str) -> set[str]:
    """The anchors that a page has."""
    found = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", one).strip().lower().replace(" ", "-") for one in found}


@pytest.mark.parametrize("name", ["costs", "model", "behaviours", "lines"])
def test_a_table_says_what_the_package_says(name: str):
    page, write = docs_tables.BLOCKS[name]
    _, found, _ = docs_tables.block(name, (DOCS / page).read_text(encoding="utf-8"))
    assert write().strip() == found.strip()


@pytest.mark.parametrize("name", ["faults", "doctor"])
def test_a_table_of_a_run_is_there(name: str):
    page, _ = docs_tables.BLOCKS[name]
    _, found, _ = docs_tables.block(name, (DOCS / page).read_text(encoding="utf-8"))
    assert found.count("\n| ") > 15


def test_a_picture_shows_what_was_measured():
    drawn = docs_tables.pictures()
    assert {path.name for path in (DOCS / "pictures").glob("*.svg")} == set(drawn)
    for name, svg in drawn.items():
        stored = ElementTree.parse(DOCS / "pictures" / name).getroot()
        assert ElementTree.fromstring(svg).get("aria-label") == stored.get("aria-label")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_no_link_is_broken(page: Path):
    for target in LINK.findall(page.read_text(encoding="utf-8")):
        if target.startswith(("https://", "http://")):
            continue
        file, _, anchor = target.partition("#")
        there = page.parent / file if file else page
        assert there.exists(), target
        assert not anchor or anchor in headings(there.read_text(encoding="utf-8")), target


def test_every_command_that_is_named_is_there():
    for page in (*PAGES, ROOT / "README.md"):
        named = set(re.findall(r"`vmalab ([a-z]+)", page.read_text(encoding="utf-8")))
        assert named <= {*COMMANDS}, page.name


@pytest.mark.parametrize("lesson", sorted((ROOT / "notebooks").glob("*.ipynb")), ids=lambda path: path.stem)
def test_the_instructors_guide_names_the_lesson_and_its_time(lesson: Path):
    head = "".join(json.loads(lesson.read_text(encoding="utf-8"))["cells"][0]["source"])
    title = re.search(r"^# (\d\d) · (.*)$", head, re.MULTILINE)
    time = re.search(r"\*\*Time\*\* \| about (\d+) minutes", head)
    assert title
    assert time
    guide = (DOCS / "instructors-guide.md").read_text(encoding="utf-8")
    assert f"| {title[1]} {title[2]} | {time[1]} min |" in guide


def test_the_instructors_guide_has_every_misconception():
    guide = (DOCS / "instructors-guide.md").read_text(encoding="utf-8")
    assert set(BELIEFS) == set(re.findall(r"`([a-z]+(?:-[a-z]+)+)`", guide)) & set(BELIEFS)


def test_the_threat_model_counts_the_system_calls():
    text = (DOCS / "threat-model.md").read_text(encoding="utf-8")
    found = re.search(r"allow-list of (\d+) system calls and (\d+) more", text)
    assert found
    assert (str(len(sandbox.ALLOWED)), str(len(sandbox.rules()))) == found.groups()
