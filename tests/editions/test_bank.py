"""Banks for an LMS: each file read back by another reader, each right answer judged right, nothing given away."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from tests.editions import lms
from vmalab.__main__ import run
from vmalab.editions.bank import FORMATS, build_bank
from vmalab.editions.bank.draw import Wanted, problems, seed_of
from vmalab.errors import UsageError
from vmalab.teach.problems import Problem

SECRET = "only the lecturer of this test knows"


def wanted(topic: str = "04", level: int = 2, count: int = 4, kind: str | None = "vmas") -> Wanted:
    return Wanted(topic, level, count, kind, SECRET)


def test_the_same_text_draws_the_same_problems_and_another_one_others() -> None:
    ours, again = ([one.identity for one in problems(wanted())] for _ in range(2))
    assert ours == again and len(set(ours)) == 4
    assert not set(ours) & {one.identity for one in problems(Wanted("04", 2, 4, "vmas", SECRET + "!"))}


def held_against(found: list[lms.Read], expected: list[Problem]) -> None:
    """Questions that were read back: the same choices, right by `check`, and what is said to each."""
    assert len(expected) == len(found)
    for read, one in zip(found, expected, strict=True):
        assert {choice.text for choice in one.choices} == set(read.choices)
        for text, fraction in read.choices.items():
            assert bool(one.check(text)) == (fraction == 1)
            assert all(said in read.feedback[text] for said in one.about(one.choices[one.index_of(text)]))
        assert one.question in read.asked
        (picture,) = read.pictures
        assert "svg" in ET.fromstring(picture).tag and "var(" not in picture


def test_moodle_xml_is_read_back(tmp_path: Path) -> None:
    folder = build_bank("moodle", wanted(), tmp_path).built.folder
    held_against(lms.moodle(folder / "questions.xml"), list(problems(wanted())))
    (category,) = ET.parse(folder / "questions.xml").getroot().findall("question[@type='category']/category/text")
    assert (category.text or "").startswith("$course$/top/vmalab/04 ")


def test_qti_is_read_back_and_the_same_when_made_again(tmp_path: Path) -> None:
    folders = [build_bank("qti", wanted(), tmp_path / name).built.folder for name in "ab"]
    held_against(lms.qti(folders[0] / "questions-qti.zip"), list(problems(wanted())))
    assert 1 == len({(folder / "questions-qti.zip").read_bytes() for folder in folders})


@pytest.mark.parametrize(("kind", "topic"), [("draw", "04"), ("shortest", "01")])
def test_coderunner_judges_what_is_drawn_and_written(tmp_path: Path, kind: str, topic: str) -> None:
    asked = wanted(topic, 1, 2, kind)
    path = build_bank("moodle", asked, tmp_path).built.folder / "coderunner.xml"
    assert [1.0, 1.0] == lms.coderunner(path, None, tmp_path)
    assert [0.0, 0.0] == lms.coderunner(path, "[0 rw]" if kind == "draw" else "munmap(0, 1)", tmp_path)
    assert [0.0, 0.0] == lms.coderunner(path, '""" + open("/etc/passwd").read() + """', tmp_path)
    shown = [text.text or "" for text in ET.parse(path).getroot().findall("question/questiontext/text")]
    for one in problems(asked):
        assert not [text for text in shown if str(one.seed) in text]
        assert not [text for text in shown if one.goal and one.answer in lms.plain(text)]


@pytest.mark.parametrize("kind", ["errno", "draw"])
def test_prairielearn_makes_and_judges_variants(tmp_path: Path, kind: str) -> None:
    course = build_bank("prairielearn", wanted(count=50, kind=kind), tmp_path).built.folder
    (question,) = (path.parent.relative_to(course / "questions").as_posix() for path in course.rglob("info.json"))
    info = json.loads((course / "questions" / question / "info.json").read_text())
    assert "v3" == info["type"] and re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", info["uuid"])
    topics = {topic["name"] for topic in json.loads((course / "infoCourse.json").read_text())["topics"]}
    assert {"uuid", "title", "topic", "type", "tags"} == set(info) and info["topic"] in topics
    seeds = ["1", "2", "1", "zzz"]
    made = lms.prairielearn(course, [("generate", lms.blank(seed)) for seed in seeds], question)
    assert made[0]["params"] == made[2]["params"] != made[1]["params"]
    page = (course / "questions" / question / "question.html").read_text()
    names = set(re.findall(r"\{\{\{?#?params\.(\w+)\}", page))
    assert names <= set(made[0]["params"])
    if kind == "errno":
        for data in made:
            assert ["true"] == [one["right"] for one in data["params"]["choices"] if one["right"] == "true"]
        return
    assert 'answers-name="answer"' in page
    calls: list[tuple[str, dict[str, Any]]] = []
    for data in made:
        for answer in (data["correct_answers"]["answer"], "[0 rw]", "not an answer"):
            calls.append(("grade", {**data, "submitted_answers": {"answer": answer}, "partial_scores": {}}))
    judged = lms.prairielearn(course, calls, question)
    assert [1.0, 0.0, 0.0] * len(made) == [data["partial_scores"]["answer"]["score"] for data in judged]
    assert [1.0, 0.0, 0.0] * len(made) == [data["score"] for data in judged]


def test_what_students_see_holds_neither_secret_nor_seed_nor_answer(tmp_path: Path) -> None:
    folder = build_bank("moodle", wanted(), tmp_path).built.folder
    found = lms.moodle(folder / "questions.xml")
    for read, one in zip(found, problems(wanted()), strict=True):
        seen = read.asked + "".join(read.pictures) + read.name
        assert SECRET not in seen and str(one.seed) not in seen and "evel" not in seen
        assert seed_of(SECRET, "x") != one.seed
    assert SECRET not in (folder / "questions.xml").read_text()


def test_what_can_not_be_had_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(UsageError, match="QTI has no question whose answer is judged by a program"):
        build_bank("qti", wanted(kind="draw"), tmp_path)
    with pytest.raises(UsageError, match="topic 07 has no problems of the kind 'draw': there are entries"):
        wanted("07", kind="draw")
    with pytest.raises(UsageError, match=f"there is no format 'gift': there are {', '.join(FORMATS)}"):
        build_bank("gift", wanted(), tmp_path)
    assert 2 == run(["build", "site", "bank", "-o", str(tmp_path)])
    assert "bank is made by itself" in capsys.readouterr().err
    assert [] == list(tmp_path.iterdir())


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["build", "bank", "--format", "moodle", "--topic", "1", "--count", "2", "--kind", "errno"]
    assert 0 == run([*arguments, "-o", str(tmp_path)])
    said = capsys.readouterr().out
    secret = re.search("drawn from --seed ([0-9a-f]{32}):", said)
    assert secret
    before = (tmp_path / "bank-moodle" / "questions.xml").read_bytes()
    assert 0 == run([*arguments, "-o", str(tmp_path), "--seed", secret[1]])
    assert before == (tmp_path / "bank-moodle" / "questions.xml").read_bytes()
    assert 0 == run([*arguments, "-o", str(tmp_path), "--seed", "2026"])
    assert "a seed of 4 characters can be found by trying" in capsys.readouterr().err
