"""Moodle XML: multiple choice with pictures, what is said to each choice, and the explanation as general feedback.

What is drawn or written goes into a second file, for Moodles that have the question type CodeRunner.
Import: question bank → Import → Moodle XML format.
"""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

from vmalab.editions.bank.coderunner import coderunner, prototype
from vmalab.editions.bank.draw import Wanted, problems
from vmalab.editions.bank.moodlexml import attribute, category, html, started, write
from vmalab.editions.bank.question import said_to
from vmalab.teach.problems import Problem

FILE, CODERUNNER = "questions.xml", "coderunner.xml"


def make(wanted: Wanted, folder: Path) -> None:
    """Write `questions.xml`, and `coderunner.xml` where there is what it is for, into `folder`."""
    found = list(problems(wanted))
    chosen, free = [one for one in found if one.choices], [one for one in found if not one.choices]
    if chosen:
        write(folder / FILE, category(wanted), [multichoice(one, number) for number, one in enumerate(chosen, 1)])
    if free:
        questions = [coderunner(one, number, wanted.kind) for number, one in enumerate(free, 1)]
        write(folder / CODERUNNER, category(wanted), [prototype(), *questions])


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
        ET.SubElement(answer, "text").text = f"<code>{attribute(choice.text)}</code>"
        html(answer, "feedback", "".join(f"<p>{attribute(line)}</p>" for line in said_to(one, index)))
    return question
