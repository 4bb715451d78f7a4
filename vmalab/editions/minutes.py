"""How long a lesson takes, measured: its words, cells, predictions and exercises, section by section.

A lesson has a core and parts that go deeper; a section is deeper where it says so in a line that begins with `DEEPER`.
What an edition says about time comes from here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from attrs import frozen
from nbformat import NotebookNode

from vmalab.editions.source import tags
from vmalab.errors import UsageError
from vmalab.teach import questions
from vmalab.teach.questions.question import plain

WORDS_A_MINUTE = 120
"""Of technical prose in one's second language, read with thought."""
CELL_SECONDS = 20
"""To run a cell and look at what it shows."""
PREDICTION_MINUTES = 1.0
EXERCISE_MINUTES = 4.0
FUNCTION_MINUTES = 6.0
"""An exercise whose answer is a function."""

CORE_MINUTES = 45
"""What the core of a lesson may take at most."""

DEEPER = "*Deeper.*"

_PARTS = re.compile(r"^(?=## |### Exercise )", re.MULTILINE)
_UNREAD = re.compile(r"```.*?```|<details>.*?</details>|<[^>]+>|\[([^\]]*)\]\([^)]*\)", re.DOTALL)
_ASKED = re.compile(r'^Question\("([^"]+)"\)', re.MULTILINE)


@frozen
class Part:
    """A section of a lesson, or one of its exercises, and what there is to do in it."""

    title: str
    deeper: bool
    words: int = 0
    cells: int = 0
    predictions: int = 0
    exercises: int = 0
    functions: int = 0

    @property
    def minutes(self) -> float:
        """How long it takes."""
        return (
            self.words / WORDS_A_MINUTE + self.cells * CELL_SECONDS / 60 + self.predictions * PREDICTION_MINUTES
            + self.exercises * EXERCISE_MINUTES + self.functions * FUNCTION_MINUTES
        )  # fmt: skip


@frozen
class Load:
    """A lesson's parts, in order."""

    parts: tuple[Part, ...]

    @property
    def core(self) -> int:
        """Minutes of the core, to the next five above."""
        return _fives(sum(part.minutes for part in self.parts if not part.deeper))

    @property
    def all(self) -> int:
        """Minutes of all of it, to the next five above."""
        return _fives(sum(part.minutes for part in self.parts))

    def count(self, what: str) -> int:
        """How many `"words"`, `"cells"`, `"predictions"`, `"exercises"` or `"functions"` there are in all."""
        return sum(getattr(part, what) for part in self.parts)

    @property
    def header(self) -> str:
        """What a lesson's first cell says about its time."""
        more = f"; with what is marked *deeper*, about {self.all}" if self.all > self.core else ""
        return f"| **Time** | about {self.core} minutes{more} |"


def load(nb: NotebookNode) -> Load:
    """What there is to do in a lesson.  O(its text)."""
    parts: list[Part] = []
    for title, text, code in _sections(nb):
        asked = [question for source in code for question in _questions(source)]
        tried = [source for source in code if source.rstrip().rsplit("\n", 1)[-1].startswith("check(")]
        functions = sum(source.startswith("def ") for source in code if not source.startswith("check("))
        drawn = sum(source.rstrip().rsplit("\n", 1)[-1].startswith("Predict(") for source in code)
        parts.append(Part(
            title, any(line.startswith(DEEPER) for line in text.splitlines()),
            words=_words([text, *asked]), cells=len(code) - len(tried), predictions=len(asked) + drawn,
            exercises=max(len(tried) - functions, 0), functions=min(functions, len(tried)),
        ))  # fmt: skip
    return Load(tuple(parts))


def _sections(nb: NotebookNode) -> Iterable[tuple[str, str, list[str]]]:
    """Title, text and code cells of each section and exercise."""
    found: list[tuple[str, str, list[str]]] = [("", "", [])]
    for cell in nb.cells:
        if cell.cell_type == "code":
            if cell.source.strip() and "setup" not in tags(cell):
                found[-1][2].append(cell.source)
            continue
        for text in _PARTS.split(cell.source):
            if text.startswith(("## ", "### Exercise ")):
                found.append((text.splitlines()[0].lstrip("# "), text, []))
            else:
                title, before, code = found[-1]
                found[-1] = (title, f"{before}\n\n{text}", code)
    return found


def _questions(source: str) -> list[str]:
    """The words of the questions that a cell asks, with one of the explanations: that of the choice that was made."""
    said = []
    for name in _ASKED.findall(source):
        try:
            one = questions.find(name)
        except UsageError:  # of a lesson that was not imported here
            said.append("")
            continue
        longest = max((choice.means for choice in one.choices), key=len)
        said.append(plain(" ".join([one.text, *(choice.text for choice in one.choices), longest, one.because])))
    return said


def _words(texts: Iterable[str]) -> int:
    return sum(len(re.findall(r"[\w’'-]+", _UNREAD.sub(r" \1", text))) for text in texts)


def _fives(minutes: float) -> int:
    return 5 * int(-(-minutes // 5))
