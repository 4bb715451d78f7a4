"""Sheets for a test at the desk: equal kinds and effort, the same bytes again, nothing on them that gives an answer."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from contextlib import suppress
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.editions.lms import plain
from vmalab.__main__ import run
from vmalab.editions.exam import KEY, SHEETS, build_exam
from vmalab.editions.exam.plan import APART, Plan, versions

SECRET = "only the lecturer of this test knows"
PLAN = Plan(("01", "02"), 1, 4, 3, SECRET)


@pytest.fixture(scope="module")
def exam(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_exam(PLAN, tmp_path_factory.mktemp("exam")).folder


def test_versions_are_of_equal_kind_and_effort_and_no_problem_comes_twice() -> None:
    found = versions(PLAN)
    assert ["A", "B", "C"] == list(found)
    for row in zip(*found.values(), strict=True):
        assert 1 == len({(one.topic, one.kind, one.level) for one in row})
        efforts = [one.difficulty.effort for one in row]
        assert max(efforts) - min(efforts) <= 2 * APART
    everything = [one.identity for problems in found.values() for one in problems]
    assert 12 == len(set(everything))


def test_the_same_seed_gives_the_same_bytes(exam: Path, tmp_path: Path) -> None:
    again = build_exam(PLAN, tmp_path).folder
    files = sorted(path.relative_to(exam) for path in exam.rglob("*") if path.is_file())
    assert {"A.html", "A.pdf", "B.html", "B.pdf", "C.html", "C.pdf", "seed.txt"} <= {path.name for path in files}
    assert [] == [path for path in files if (exam / path).read_bytes() != (again / path).read_bytes()]


class Words(HTMLParser):
    """The page as it is read: every tag closed, every heading there."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.headings: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag not in ("meta", "br", "img"):
            self.open.append(tag)
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert tag == self.open.pop()


def test_a_sheet_says_what_is_asked_and_gives_nothing_away(exam: Path) -> None:
    for letter, problems in versions(PLAN).items():
        text = (exam / SHEETS / f"{letter}.html").read_text(encoding="utf-8")
        page = Words(text)
        assert [] == page.open and ["h1", *["h2"] * 4] == page.headings
        for one in problems:
            assert one.question in plain(text)
            assert str(one.seed) not in text and not (one.goal and one.answer in plain(text))
        assert SECRET not in text and not re.search(r"\b(seed|level|effort)\b", plain(text), re.IGNORECASE)
        assert "var(" not in text and "http" not in text.replace("http://www.w3.org/2000/svg", "")


def test_a_key_has_the_answers_and_the_reasons(exam: Path) -> None:
    for letter, problems in versions(PLAN).items():
        text = plain((exam / KEY / f"{letter}.html").read_text(encoding="utf-8"))
        for one in problems:
            assert one.answer in text and one.check(one.answer)
            assert [] == [line for _, lines in one.solution().parts for line in lines if line not in text]
    assert SECRET == (exam / KEY / "seed.txt").read_text().strip()
    assert 0o600 == (exam / KEY / "seed.txt").stat().st_mode & 0o777
    assert 0o700 == (exam / KEY).stat().st_mode & 0o777


def test_a_pdf_is_one_and_holds_no_date(exam: Path) -> None:
    for path in exam.rglob("*.pdf"):
        content = path.read_bytes()
        assert content.startswith(b"%PDF-") and content.rstrip().endswith(b"%%EOF")
        objects = content + b"".join(_plain(content))
        assert b"/CreationDate" not in objects and b"/Count" in objects


def _plain(content: bytes) -> Iterator[bytes]:
    """The compressed streams of a PDF, in which most of its objects are."""
    for stream in re.findall(rb"stream\r?\n(.*?)endstream", content, flags=re.DOTALL):
        with suppress(zlib.error):
            yield zlib.decompressobj().decompress(stream)


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["build", "exam", "--topic", "1", "--level", "1", "--count", "1", "--versions", "2", "--no-pdf"]
    assert 0 == run([*arguments, "-o", str(tmp_path)])
    assert "exam: 5 files" in capsys.readouterr().out
    assert 2 == run([*arguments, "--topic", "00", "-o", str(tmp_path)])
    assert "there are no problems for topic '00'" in capsys.readouterr().err
