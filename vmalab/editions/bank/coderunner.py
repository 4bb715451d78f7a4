"""CodeRunner questions for Moodle: VMAs that are drawn and programs that are written, judged by `Problem.check`.

A file has one prototype (the question type `vmalab`), which carries what judges as a support file, and the questions.
What a student writes is never run: it is read as text.  The answer is worked out where it is judged, from what stands
in the question's `globalextra`, which students are not shown.
"""

from __future__ import annotations

import base64
import json
from xml.etree import ElementTree as ET

from vmalab.editions.bank.core import core
from vmalab.editions.bank.moodlexml import html, started, text
from vmalab.teach.problems import Problem

TYPE = "vmalab"
ZIP = "vmalab-core.zip"

TEMPLATE = f"""\
import json, sys
sys.path.insert(0, {ZIP!r})
from html import escape
try:
    from vmalab.errors import VmalabError
    from vmalab.teach.problems import problem
    made = json.loads(\"\"\"{{{{ QUESTION.globalextra | e('py') }}}}\"\"\")
    one = problem(made["level"], made["seed"], made["topic"], kind=made["kind"])
    try:
        feedback = one.check(\"\"\"{{{{ STUDENT_ANSWER | e('py') }}}}\"\"\".strip())
        right, said = bool(feedback), repr(feedback)
    except VmalabError as error:
        right, said = False, str(error)
    told = {{"fraction": float(right), "prologuehtml": "<pre>" + escape(said) + "</pre>"}}
except Exception as error:
    told = {{"fraction": 0.0, "prologuehtml": "<p>This answer could not be judged: tell your lecturer.</p>"}}
    told["prologuehtml"] += "<!-- " + escape(type(error).__name__) + " -->"
print(json.dumps(told))
"""


def made_from(one: Problem, kind: str | None) -> str:
    """What a problem is made from again, as JSON; `kind`: the one that it was asked for by, if by any."""
    return json.dumps({"level": one.level, "seed": one.seed, "topic": one.topic, "kind": kind})


def prototype() -> ET.Element:
    """The question type: template and support file."""
    question = ET.Element("question", type="coderunner")
    text(question, "name", "PROTOTYPE_vmalab")
    html(question, "questiontext", "<p>The question type of vmalab: its questions need it. It is no question.</p>")
    html(question, "generalfeedback", "")
    _settings(question, prototype=True, extra="", answer="")
    return question


def coderunner(one: Problem, number: int, kind: str | None) -> ET.Element:
    """A question whose answer is text; `kind`: the one that was asked for, if any."""
    question = started("coderunner", one, number)
    _settings(question, prototype=False, extra=made_from(one, kind), answer=one.answer)
    return question


def _settings(question: ET.Element, *, prototype: bool, extra: str, answer: str) -> None:
    settings = {
        "defaultgrade": "1", "penalty": "0", "hidden": "0", "coderunnertype": TYPE,
        "prototypetype": "2" if prototype else "0", "allornothing": "1", "penaltyregime": "0, 10, 20, ...",
        "precheck": "0", "hidecheck": "0", "showsource": "0", "answerboxlines": "4", "answerboxcolumns": "100",
        "answerpreload": "", "globalextra": extra, "useace": "0", "answer": answer, "validateonsave": "1",
        "displayfeedback": "1",
    }  # fmt: skip
    if prototype:
        settings |= {
            "template": TEMPLATE, "iscombinatortemplate": "1", "allowmultiplestdins": "0", "grader": "TemplateGrader",
            "language": "python3", "acelang": "", "cputimelimitsecs": "30", "memlimitmb": "500",
        }  # fmt: skip
    for key, value in settings.items():
        ET.SubElement(question, key).text = value
    cases = ET.SubElement(question, "testcases")
    case = ET.SubElement(
        cases, "testcase", testtype="0", useasexample="0", hiderestiffail="0", mark="1.0000000"
    )  # fmt: skip
    for tag in ("testcode", "stdin", "expected", "extra"):
        text(case, tag, "")
    text(case, "display", "SHOW")
    if prototype:
        file = ET.SubElement(cases, "file", name=ZIP, path="/", encoding="base64")
        file.text = base64.b64encode(core()).decode()
