"""QTI 1.2 for Canvas and others: multiple choice with pictures and what is said to each choice, made by text2qti.

text2qti reads quizzes in a text format of its own, with Markdown; what is written here is such a text, so that its
package (manifest, assessment, pictures) is as Canvas reads it.  Import: course settings → Import → QTI .zip file.
"""

from __future__ import annotations

import io
import re
import tempfile
import zipfile
from collections.abc import Iterable
from pathlib import Path

from vmalab.editions.bank.core import FIRST
from vmalab.editions.bank.draw import FREE, Wanted, problems
from vmalab.editions.bank.paper import paper_svg
from vmalab.editions.bank.question import PICTURE, alternative, explanation_html, name, question_html, said_to
from vmalab.errors import UsageError
from vmalab.teach.problems import Problem

FILE = "questions-qti.zip"


def make(wanted: Wanted, folder: Path) -> None:
    """Write `questions-qti.zip` into `folder`.  Raises UsageError for kinds without choices."""
    if wanted.kind in FREE:
        raise UsageError(
            f"QTI has no question whose answer is judged by a program, as those of the kind {wanted.kind!r} are: "
            "take --format moodle or prairielearn, or another kind"
        )
    kinds = tuple(kind for kind in wanted.kinds if kind not in FREE)
    found = list(problems(wanted, kinds))
    with tempfile.TemporaryDirectory(prefix="vmalab-qti-") as place:
        pictures = Path(place)
        for number, one in enumerate(found, 1):
            (pictures / picture(number)).write_text(paper_svg(one.before, PICTURE), encoding="utf-8")
        title = f"vmalab, lesson {wanted.topic}"
        (folder / FILE).write_bytes(package(quiz_text(title, found, pictures)))


def picture(number: int) -> str:
    """The file of a question's picture."""
    return f"vmas-{number:03}.svg"


def quiz_text(title: str, found: Iterable[Problem], pictures: Path) -> str:
    """The quiz as text2qti reads it: each question, what is said in general, the choices and what is said to them."""
    lines = [f"Quiz title: {title}", "Shuffle answers: true", ""]
    for number, one in enumerate(found, 1):
        shown = f"\n\n![{_plain(alternative(one))}]({pictures / picture(number)})\n\n"
        lines += [f"Title: {name(one, number)}", "Points: 1"]
        lines += _item(f"{number}.", _split(question_html(one, shown)))
        lines += _item("...", [explanation_html(one)])
        for index, choice in enumerate(one.choices):
            mark = f"{'*' if choice.right else ''}{'abcdefgh'[index]})"
            lines += _item(mark, [f"<code>{_escaped(choice.text)}</code>"])
            lines += _item("...", [" ".join(f"<p>{_escaped(line)}</p>" for line in said_to(one, index))])
        lines.append("")
    return "\n".join(lines)


def _item(mark: str, paragraphs: list[str]) -> list[str]:
    """A piece of the quiz: its mark, the first paragraph, and the rest indented as deep as the first one.

    >>> _item("100.", ["What is mapped?", "This:"])
    ['100. What is mapped?', '', '     This:']
    """
    first, *rest = paragraphs
    lines = [f"{mark} {first}"]
    for one in rest:
        lines += ["", f"{' ' * len(mark)} {one}"]
    return lines


def _split(text: str) -> list[str]:
    return [part for part in re.split(r"\n\n", text) if part]


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _plain(text: str) -> str:
    """Words for a picture in Markdown, whose brackets must not end too early."""
    return re.sub(r"([\[\]])", r"\\\1", text)


def package(text: str) -> bytes:
    """The zip file of a quiz, with the pictures that its text names."""
    from text2qti.config import Config
    from text2qti.err import Text2qtiError
    from text2qti.qti import QTI
    from text2qti.quiz import Quiz

    config = Config()
    config.update({"latex_render_url": "", "pandoc_mathml": False, "run_code_blocks": False})  # nobody's own settings
    try:
        made = QTI(Quiz(text, config=config, source_name="vmalab")).zip_bytes()
    except Text2qtiError as error:
        raise UsageError(f"the bank can't be written as QTI: {error}") from None
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(made)) as source, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        for entry in source.namelist():
            target.writestr(zipfile.ZipInfo(entry, FIRST), source.read(entry), zipfile.ZIP_DEFLATED)
    return out.getvalue()
