"""The editions of the course: one source, the lessons in `notebooks/`, and what is made from it for a class.

    student     the lessons without solutions and without what gives an answer away
    solution    the lessons with every exercise solved, run from top to bottom
    nbgrader    a course for nbgrader: solution regions, hidden tests, points, and a grader that no submission can reach
    slides      a page of slides for each lesson, complete in itself
    site        the whole course as pages that can be read from disk: with players, search, guide and reference

source.py    what a lesson is made of: cells, exercises, solutions
folder.py    where an edition is written: never over what is not ours
execute.py   lessons run in a kernel, or here, cell by cell

Each edition's file has a function that gives its files; `build` writes them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from importlib import import_module
from pathlib import Path

from attrs import frozen

from vmalab.editions.folder import module_of, write_edition
from vmalab.editions.source import lesson_paths
from vmalab.errors import UsageError


@frozen
class Order:
    """What is to be built: the lessons, in order; the folder that it is for; the `roster` of a course, a file.

    `static`: pages without Python.
    """

    lessons: tuple[Path, ...]
    folder: Path
    roster: Path | None = None
    static: bool = False


@frozen
class Built:
    """An edition that was written: its folder and how many files and bytes it has."""

    edition: str
    folder: Path
    files: int
    size: int


EDITIONS = {
    "student": "the lessons without solutions, to hand out",
    "solution": "the lessons with every exercise solved and run",
    "nbgrader": "a course folder for nbgrader",
    "hub": "a JupyterHub for a class: image, configuration, values for Kubernetes",
    "slides": "a page of slides for each lesson",
    "site": "the course as pages, to read from disk or put on a server",
}
"""Every edition and what it is, in a few words; each has a file here with a function `files(order, folder)`."""


ALONE = ("nbgrader", "hub")
"""Editions that take the course's lessons alone."""


def chosen(names: Sequence[str]) -> tuple[str, ...]:
    """The editions called `names`, each once and in the order of `EDITIONS`; all where none is named."""
    unknown = [name for name in names if name not in EDITIONS]
    if unknown:
        raise UsageError(f"there is no edition {unknown[0]!r}: there are {', '.join(EDITIONS)}")
    return tuple(name for name in EDITIONS if not names or name in names)


def build(
    edition: str,
    output: Path,
    *,
    lessons: Iterable[Path] | None = None,
    roster: Path | None = None,
    static: bool = False,
) -> Built:
    """Write one edition into the folder `output`/`edition`.

    `lessons`: notebooks to make it from; all of the course if not given.  `roster`: a file with the students of a
    course, who get problems of their own.  `static`: a site whose pages run no Python.
    Raises UsageError where a package is missing, a lesson does not run, or the folder holds what is not ours.
    """
    folder = output / edition
    own = None if lessons is None else tuple(lessons)
    theirs = [path.name for path in own or () if module_of(path).is_file()]
    if theirs and edition in ALONE:
        raise UsageError(
            f"the edition {edition} is of the course's lessons alone, for those are graded apart from the notebook: "
            f"{theirs[0]} can be had as student, solution, slides and site"
        )
    order = Order(own or tuple(lesson_paths()), folder, roster, static)
    make: Callable[[Order, Path], None] = import_module(f"vmalab.editions.{edition}").make
    files, size = write_edition(folder, edition, lambda place: make(order, place))
    return Built(edition, folder, files, size)
