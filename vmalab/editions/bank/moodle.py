"""Moodle XML: multiple choice with pictures, what is said to each choice, and the explanation as general feedback.

What is drawn or written goes into a second file, for Moodles that have the question type CodeRunner.
Import: question bank → Import → Moodle XML format.
"""

from __future__ import annotations

import base64
from pathlib import Path
from xml.etree import ElementTree as ET

from vmalab.editions.bank.draw import FREE, Wanted, problems
from vmalab.editions.bank.paper import paper_svg
from vmalab.editions.bank.question import PICTURE, alternative, explanation_html, name, question_html, said_to
from vmalab.teach.problems import Problem
from vmalab.words.wording import word

FILE, CODERUNNER = "questions.xml", "coderunner.xml"


def make(wanted: Wanted, folder: Path) -> None:
    """Write `questions.xml`, and `coderunner.xml` where there is what it is for, into `folder`."""
    found = list(problems(wanted))
    chosen, free = [one for one in found if one.choices], [one for one in found if not one.choices]
    if chosen:
        write(folder / FILE, category(wanted), [multichoice(one, number) for number, one in enumerate(chosen, 1)])
    if free:
        assert all(one.kind in FREE for one in free)
        from vmalab.editions.bank.coderunner import coderunner, prototype

        questions = [coderunner(one, number, wanted.kind) for number, one in enumerate(free, 1)]
        write(folder / CODERUNNER, category(wanted), [prototype(), *questions])


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
    shown = f'<p><img src="@@PLUGINFILE@@/{file}" alt="{_attribute(alternative(one))}" class="img-fluid"/></p>'
    asked = html(question, "questiontext", question_html(one, shown))
    picture = ET.SubElement(asked, "file", name=file, path="/", encoding="base64")
    picture.text = base64.b64encode(paper_svg(one.before, PICTURE).encode()).decode()
    html(question, "generalfeedback", explanation_html(one))
    return question


def _attribute(content: str) -> str:
    return content.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")


def multichoice(one: Problem, number: int) -> ET.Element:
    """A question with choices."""
    question = started("multichoice", one, number)
    settings = {
        "defaultgrade": "1", "penalty": "0.3333333", "hidden": "0", "single": "true", "shuffleanswers": "true",
        "answernumbering": "abc",
    }  # fmt: skip
    for key, value in settings.items():
        ET.SubElement(question, key).text = value
    for index, choice in enumerate(one.choices):
        answer = ET.SubElement(question, "answer", fraction="100" if choice.right else "0", format="html")
        ET.SubElement(answer, "text").text = f"<code>{_attribute(choice.text)}</code>"
        html(answer, "feedback", "".join(f"<p>{_attribute(line)}</p>" for line in said_to(one, index)))
    return question
