"""What all questions in a Moodle XML file have: category, name, what is asked with its picture, the explanation."""

from __future__ import annotations

import base64
from pathlib import Path
from xml.etree import ElementTree as ET

from vmalab.editions.bank.draw import Wanted
from vmalab.editions.bank.paper import paper_svg
from vmalab.editions.bank.question import PICTURE, alternative, explanation_html, name, question_html
from vmalab.teach.problems import Problem
from vmalab.words.wording import word


def category(wanted: Wanted) -> str:
    """Where the questions are put in the bank of a course; only lecturers see it."""
    topic = word("topic", wanted.topic).replace("/", "//")
    return f"$course$/top/vmalab/{wanted.topic} {topic}/level {wanted.level}"


def write(path: Path, place: str, questions: list[ET.Element]) -> None:
    """Write a quiz file: the category, then the questions."""
    quiz = ET.Element("quiz")
    first = ET.SubElement(quiz, "question", type="category")
    text(first, "category", place)
    quiz.extend(questions)
    ET.indent(quiz, " ")
    ET.ElementTree(quiz).write(path, encoding="utf-8", xml_declaration=True)


def text(parent: ET.Element, tag: str, content: str, **attributes: str) -> ET.Element:
    """An element with a `text` in it, as Moodle has them everywhere."""
    element = ET.SubElement(parent, tag, attributes)
    ET.SubElement(element, "text").text = content
    return element


def html(parent: ET.Element, tag: str, content: str, **attributes: str) -> ET.Element:
    """The same, for HTML."""
    return text(parent, tag, content, format="html", **attributes)


def started(kind: str, one: Problem, number: int) -> ET.Element:
    """A question with its name, what is asked with the picture, and the explanation."""
    question = ET.Element("question", type=kind)
    text(question, "name", name(one, number))
    file = f"vmas-{number:03}.svg"
    shown = f'<p><img src="@@PLUGINFILE@@/{file}" alt="{attribute(alternative(one))}" class="img-fluid"/></p>'
    asked = html(question, "questiontext", question_html(one, shown))
    picture = ET.SubElement(asked, "file", name=file, path="/", encoding="base64")
    picture.text = base64.b64encode(paper_svg(one.before, PICTURE).encode()).decode()
    html(question, "generalfeedback", explanation_html(one))
    return question


def attribute(content: str) -> str:
    """Text for HTML, within quotation marks too."""
    return content.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")
