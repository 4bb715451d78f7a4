"""Autograding with nbgrader: its pipeline with the judge in the place of the step that runs the notebook.

A course's nbgrader_config.py calls `configure(c, folder)`.  Two steps are ours: `Restore`, the first one, makes of
whatever was handed in a notebook with exactly the graded cells that the teacher gave out; `JudgeApart`, in the place of
`Execute`, has the submission judged and writes the verdicts into these cells.
"""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

from nbconvert.preprocessors import CSSHTMLHeaderPreprocessor
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_output
from nbgrader.api import Gradebook
from nbgrader.converters.autograde import Autograde
from nbgrader.preprocessors import ClearHiddenTests, Execute, GetGrades, NbGraderPreprocessor
from nbgrader.utils import is_grade, is_solution
from traitlets import Bool, Dict, Float, Unicode

from vmalab.editions.collect import Collect
from vmalab.editions.grade import same_edition
from vmalab.editions.grader.answers import Json
from vmalab.editions.grader.client import SECONDS, judged
from vmalab.editions.secret import course_secret, key_of
from vmalab.editions.source import tags
from vmalab.errors import UsageError
from vmalab.teach.own_problems import EVERYBODY
from vmalab.teach.problems.make import EDITION

PROBLEM = "check-problem-"
"""How the names of graded cells begin that belong to problems that were drawn."""
NOT_JUDGED = "Not judged: this cell asks for no verdict."


def configure(c: Any, folder: Path, *, personal: bool = False) -> None:
    """Set up a course in `folder`: judged apart, feedback without hidden tests, one gradebook wherever one stands.

    `personal`: whether each student has problems of his own.
    """
    c.CourseDirectory.course_id = "vmalab"
    c.CourseDirectory.root = str(folder)
    c.CourseDirectory.db_url = f"sqlite:///{folder / 'gradebook.db'}"
    c.ClearSolutions.code_stub = {"python": "# your answer goes here"}
    c.Autograde.sanitize_preprocessors = [Restore, *Autograde.sanitize_preprocessors.default_args[0]]
    c.Autograde.autograde_preprocessors = [
        JudgeApart if step is Execute else step for step in Autograde.autograde_preprocessors.default_args[0]
    ]
    c.ExchangeFactory.collect = Collect
    c.GenerateFeedback.preprocessors = [GetGrades, ClearHiddenTests, CSSHTMLHeaderPreprocessor]
    c.JudgeApart.course = str(folder)
    c.JudgeApart.personal = personal


class Restore(NbGraderPreprocessor):  # type: ignore[misc]
    """Puts the teacher's graded cells back, each once and behind its answer, and takes all other marks away."""

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        """What a student wrote stays, in its order; what nbgrader goes by comes from the gradebook alone."""
        told = resources["nbgrader"]
        with Gradebook(told["db_url"]) as book:
            notebook = book.find_notebook(told["notebook"], told["assignment"])
            points = {cell.name: float(cell.max_score) for cell in notebook.grade_cells}
            solutions = {cell.name for cell in notebook.solution_cells}
            known = {cell.name: (cell, marks(cell, points, cell.name in solutions)) for cell in notebook.source_cells}
            nb.cells = restored(nb.cells, known)
        return nb, resources


def marks(cell: Any, points: dict[str, float], solution: bool) -> dict[str, Any]:
    """The metadata of a cell as the gradebook knows it."""
    told = {
        "grade": cell.name in points, "grade_id": cell.name, "locked": cell.locked, "solution": solution, "task": False,
        "schema_version": 3, "cell_type": cell.cell_type, "checksum": cell.checksum,
    }  # fmt: skip
    return told | ({"points": points[cell.name]} if cell.name in points else {})


def restored(cells: list[NotebookNode], known: dict[str, tuple[Any, dict[str, Any]]]) -> list[NotebookNode]:
    """The cells of a submission with the graded cells of the teacher, each once: behind the last part of its answer.

    `known`: by grade_id the teacher's cell and its metadata.
    """
    kept: list[NotebookNode] = []
    answered: dict[str, int] = {}
    stood: dict[str, list[int]] = {}
    for cell in cells:
        told = cell.metadata.pop("nbgrader", None)
        name = told.get("grade_id") if isinstance(told, dict) else None
        if isinstance(name, str) and name in known:
            if _locked(known[name]):
                stood.setdefault(name, []).append(len(kept))
                continue
            if name not in answered:
                cell.metadata["nbgrader"] = dict(known[name][1])
            answered[name] = len(kept) + 1  # behind the last part of one that was split or copied
        kept.append(cell)
    places: list[tuple[int, int, NotebookNode]] = []
    place = 0
    for order, (name, (teachers, told)) in enumerate(known.items()):
        if not _locked(known[name]):
            place = answered.get(name, place)
            continue
        least = answered.get(name.replace("check-", "answer-"), 0 if name in stood else place)
        place = next((at for at in stood.get(name, ()) if at >= least), least)
        places.append((place, order, new_code_cell(teachers.source, metadata={"nbgrader": dict(told)})))
    for place, _, cell in sorted(places, key=lambda one: one[:2], reverse=True):
        kept.insert(place, cell)
    return kept


def _locked(known: tuple[Any, dict[str, Any]]) -> bool:
    return bool(known[1]["locked"]) and not known[1]["solution"] and known[0].cell_type == "code"


class JudgeApart(NbGraderPreprocessor):  # type: ignore[misc]
    """Runs a submission in a worker, and writes what the judge said into its graded cells."""

    seconds = Float(SECONDS, help="How long a cell of a submission may take.").tag(config=True)
    unprotected = Bool(False, help="Grade where nothing keeps submissions from your files.").tag(config=True)
    course = Unicode("", help="The folder that has the secret of the course.").tag(config=True)
    personal = Bool(False, help="Whether each student has problems of his own.").tag(config=True)
    keys = Dict({}, help="The keys for cases and problems, where the secret is not here.").tag(config=True)

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        """Fill the outputs of all code cells; live cells are left out, since they say nothing of the answers.

        What is graded is decided by nbgrader's metadata, which are the teacher's by now, and by the cell's source,
        which is too.  A graded cell without a verdict is an error, never credit.
        """
        told = resources["nbgrader"]
        keys = self.keys or keys_of(Path(self.course), told["assignment"], told["student"], self.personal)
        other = other_edition(nb)
        cells = [
            cell for cell in nb.cells
            if cell.cell_type == "code" and cell.source.strip() and (tested(cell) or "live" not in tags(cell))
            and not (other and is_problem(cell))
        ]  # fmt: skip
        protection, said = judged(requests(cells, keys), self.seconds, self.unprotected)
        self.log.info("%s", protection)
        for cell, one in zip(cells, said, strict=True):
            cell.outputs = outputs_of(one)
            cell.execution_count = None
        for cell in nb.cells:
            if tested(cell) and not any(output.get("output_type") for output in cell.outputs):
                cell.outputs = outputs_of(
                    {"solved": False, "said": other if is_problem(cell) and other else NOT_JUDGED}
                )
        return nb, resources


def other_edition(nb: NotebookNode) -> str:
    """What there is to say where a submission's problems were drawn by another edition of them; `""` where not."""
    told = nb.metadata.get("vmalab")
    edition = told.get("edition") if isinstance(told, dict) else None
    if not isinstance(edition, str) or edition == EDITION:
        return ""
    return (
        f"The notebook has problems of edition {edition[:9]}, this course's are of edition {EDITION}: its exercises "
        "are judged, its problems are for the lecturer to look at."
    )


def is_problem(cell: NotebookNode) -> bool:
    """Whether this is the graded cell of a problem that was drawn."""
    return str(cell.metadata.get("nbgrader", {}).get("grade_id", "")).startswith(PROBLEM)


def tested(cell: NotebookNode) -> bool:
    """Whether nbgrader takes marks from the outputs of this cell."""
    return bool(cell.cell_type == "code" and is_grade(cell) and not is_solution(cell))


def keys_of(course: Path, assignment: str, student: str, personal: bool) -> dict[str, str]:
    """The keys from which a student's hidden cases and problems of an assignment are drawn."""
    secret, lesson = course_secret(course), assignment[:2]
    own = key_of(secret, lesson, student)
    return {"cases": own, "problems": own if personal else key_of(secret, lesson, EVERYBODY)}


def requests(cells: list[NotebookNode], keys: dict[str, str]) -> list[Json]:
    """The cells of a submission as the judge is told of them, in order.

    An answer's name is forgotten behind the graded cell before it, and before the first place for an answer: what the
    lesson or another exercise left under that name is nobody's answer.
    """
    made = [request(cell, keys) for cell in cells]
    begin = next((number for number, cell in enumerate(cells) if is_solution(cell)), None)
    for number, one in enumerate(made):
        if "judge" in one:
            if begin is not None and begin <= number:
                names = [node.id for node in ast.walk(ast.parse(one["answer"])) if isinstance(node, ast.Name)]
                made[begin] = made[begin] | {"forget": names}
            begin = number + 1
    return made


def request(cell: NotebookNode, keys: dict[str, str]) -> Json:
    """A cell as the judge is told of it: code to run, or an answer to judge."""
    if not tested(cell):
        return {"run": cell.source}
    asked = graded(cell.source)
    if asked is None:
        name = cell.metadata["nbgrader"]["grade_id"]
        raise UsageError(f"the graded cell {name} has no grade(…) in it: what a submission says of itself is no mark")
    return asked | {"key": keys["problems" if asked["judge"].startswith("problem ") else "cases"]}


def graded(source: str) -> Json | None:
    """What a cell's `grade("4.2", vm)` asks; None where there is no such call.

    Raises UsageError where it is a problem that this version would draw otherwise.
    """
    try:
        nodes = list(ast.walk(ast.parse(source)))
    except SyntaxError:
        return None
    for node in nodes:
        match node:
            case ast.Call(ast.Name("grade"), [ast.Constant(str(name)), answer, *edition], []):
                for one in edition:
                    same_edition(ast.literal_eval(one))
                return {"judge": name, "answer": ast.unparse(answer)}
    return None


def outputs_of(told: Json) -> list[NotebookNode]:
    """A cell's outputs: those of the submission, as text alone, or a verdict that nbgrader counts."""
    if "solved" not in told:
        return [made for output in told["outputs"] if (made := _text_of(output)) is not None]
    said = _written(told["said"])
    if told["solved"]:
        return [new_output("stream", name="stdout", text=said + "\n")]
    return [new_output("error", ename="NotSolved", evalue=said, traceback=said.splitlines())]


def _written(text: Any) -> str:
    """Text that can be written into a file: half a character (a lone surrogate) can't."""
    return str(text).encode("utf-8", "replace").decode()


def _text_of(output: Any) -> NotebookNode | None:
    """An output of a submission, which may be anything, as an output of a notebook that is text and no more."""
    made: NotebookNode | None = None
    match output:
        case {"output_type": "stream", "name": "stdout" | "stderr" as name, "text": str(text)}:
            made = new_output("stream", name=name, text=_written(text))
        case {"output_type": "display_data", "data": {"text/plain": str(text)}}:
            made = new_output("display_data", data={"text/plain": _written(text)})
        case {"output_type": "error", "ename": str(name), "evalue": str(said), "traceback": [*lines]}:
            made = new_output("error", ename=_written(name), evalue=_written(said), traceback=[*map(_written, lines)])
    return made
