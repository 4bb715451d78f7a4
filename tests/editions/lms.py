"""Readers of what a bank is written as, apart from what writes it; stand-ins for CodeRunner and PrairieLearn.

None of them knows how vmalab writes: they go by what Moodle, Canvas, CodeRunner and PrairieLearn read.
"""

from __future__ import annotations

import base64
import html
import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

from attrs import frozen

QTI = "{http://www.imsglobal.org/xsd/ims_qtiasiv1p2}"


@frozen
class Read:
    """A question as an LMS shows it: text without tags, choices (text → fraction), feedback (text → words)."""

    name: str
    asked: str
    choices: dict[str, float]
    feedback: dict[str, str]
    pictures: tuple[str, ...]


def plain(markup: str) -> str:
    """HTML without its tags."""
    return html.unescape(re.sub(r"<[^>]*>", "", markup)).strip()


def moodle(path: Path) -> list[Read]:
    """The multiple choice questions of a Moodle XML file."""
    found = []
    for question in ET.parse(path).getroot().findall("question[@type='multichoice']"):
        asked = question.find("questiontext")
        assert asked is not None and "html" == asked.get("format")
        markup = asked.findtext("text") or ""
        files = {file.get("name"): base64.b64decode(file.text or "", validate=True) for file in asked.findall("file")}
        shown = re.findall(r'src="@@PLUGINFILE@@/([^"]+)"', markup)
        assert set(shown) == set(files), "each picture is in the file, and shown"
        answers = question.findall("answer")
        found.append(
            Read(
                question.findtext("name/text") or "", plain(markup),
                {plain(one.findtext("text") or ""): float(one.get("fraction") or 0) / 100 for one in answers},
                {plain(one.findtext("text") or ""): plain(one.findtext("feedback/text") or "") for one in answers},
                tuple(files[name].decode() for name in shown),
            )
        )  # fmt: skip
    return found


def qti(path: Path) -> list[Read]:
    """The multiple choice questions of a QTI 1.2 package, by its manifest."""
    with zipfile.ZipFile(path) as package:
        assert package.testzip() is None
        manifest = ET.fromstring(package.read("imsmanifest.xml"))
        files = [file.get("href") for file in manifest.iter() if file.tag.endswith("}file")]
        assert files and set(files) <= set(package.namelist()), "the manifest names what is there"
        (name,) = (file for file in files if file and re.fullmatch(r"(\S+)/\1\.xml", file))
        root = ET.fromstring(package.read(name))
        assert f"{QTI}questestinterop" == root.tag
        return [_item(item, package) for item in root.iter(f"{QTI}item")]


def _item(item: ET.Element, package: zipfile.ZipFile) -> Read:
    markup = item.findtext(f"{QTI}presentation/{QTI}material/{QTI}mattext") or ""
    choices = {
        label.get("ident") or "": plain(label.findtext(f".//{QTI}mattext") or "")
        for label in item.iter(f"{QTI}response_label")
    }
    words = {
        one.get("ident") or "": plain(" ".join(text.text or "" for text in one.iter(f"{QTI}mattext")))
        for one in item.iter(f"{QTI}itemfeedback")
    }
    right, feedback = "", {}
    for condition in item.iter(f"{QTI}respcondition"):
        chosen = condition.findtext(f"{QTI}conditionvar/{QTI}varequal")
        for shown in condition.findall(f"{QTI}displayfeedback"):
            assert shown.get("linkrefid") in words, "feedback that is named is there"
            if chosen:
                feedback[choices[chosen]] = words[shown.get("linkrefid") or ""]
        for value in condition.findall(f"{QTI}setvar"):
            if value.text == "100" and chosen:
                right = choices[chosen]
    shown = [name.replace("%24", "$") for name in re.findall(r'src="([^"]+)"', markup)]
    pictures = tuple(package.read(name.removeprefix("$IMS-CC-FILEBASE$/")).decode() for name in shown)
    fractions = {text: float(text == right) for text in choices.values()}
    return Read(item.get("title") or "", plain(markup), fractions, feedback, pictures)


# --- CodeRunner ---


def coderunner(path: Path, answer: str | None, folder: Path) -> list[float]:
    """The fraction of each CodeRunner question of a file for an answer (None: its own), judged as Jobe does."""
    questions = ET.parse(path).getroot().findall("question[@type='coderunner']")
    prototypes = [one for one in questions if one.findtext("prototypetype") == "2"]
    (prototype,) = prototypes
    (file,) = prototype.findall("testcases/file")
    (folder / (file.get("name") or "")).write_bytes(base64.b64decode(file.text or ""))
    template = prototype.findtext("template") or ""
    fractions = []
    for question in questions:
        if question is prototype:
            continue
        assert prototype.findtext("coderunnertype") == question.findtext("coderunnertype")
        given = answer if answer is not None else question.findtext("answer") or ""
        extra = question.findtext("globalextra") or ""
        program = _twig(template, {"QUESTION.globalextra": extra, "STUDENT_ANSWER": given})
        done = subprocess.run(
            [sys.executable, "-I", "-S", "-"], input=program, cwd=folder, capture_output=True, text=True, check=False
        )
        assert 0 == done.returncode, done.stderr
        told = json.loads(done.stdout)
        assert {"fraction", "prologuehtml"} == set(told) and "could not be judged" not in told["prologuehtml"]
        fractions.append(told["fraction"])
    return fractions


def _twig(template: str, values: dict[str, str]) -> str:
    """The template with its variables, escaped for a Python string as CodeRunner's filter `py` does."""

    def filled(found: re.Match[str]) -> str:
        text = values[found[1]]
        for old, new in (("\\", "\\\\"), ('"', '\\"'), ("'", "\\'"), ("\n", "\\n"), ("\t", "\\t"), ("\r", "")):
            text = text.replace(old, new)
        return text

    return re.sub(r"\{\{ (\S+) \| e\('py'\) \}\}", filled, template)


# --- PrairieLearn ---


def prairielearn(course: Path, calls: list[tuple[str, dict[str, Any]]], question: str) -> list[dict[str, Any]]:
    """Call functions of a question's `server.py` as PrairieLearn does, where only the course's files are there."""
    program = (
        "import json, sys, runpy\n"
        f"sys.path.insert(0, {str(course / 'serverFilesCourse')!r})\n"
        f"server = runpy.run_path({str(course / 'questions' / question / 'server.py')!r})\n"
        "done = []\n"
        "for name, data in json.load(sys.stdin):\n"
        "    server[name](data)\n"
        "    done.append(data)\n"
        "print(json.dumps(done))\n"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", program],
        input=json.dumps(calls),
        capture_output=True,
        text=True,
        check=False,
    )
    assert 0 == done.returncode, done.stderr
    told: list[dict[str, Any]] = json.loads(done.stdout)
    return told


def blank(seed: str) -> dict[str, Any]:
    """What PrairieLearn hands to `generate`."""
    empty: dict[str, Any] = {key: {} for key in ("params", "correct_answers", "submitted_answers", "partial_scores")}
    return {**empty, "variant_seed": seed, "score": 0, "feedback": {}, "format_errors": {}, "options": {}}
