"""`vmalab build`: the editions of the course, from the lessons."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

import click

from vmalab.cli.building import Building
from vmalab.cli.common import echo
from vmalab.errors import UsageError


@click.command(cls=Building, short_help="the editions of the course")
@click.argument("editions", metavar="[EDITION]...", nargs=-1)
@click.option("-o", "--output", metavar="DIR", default="build", show_default=True, help="The folder to build in.")
@click.option("--roster", metavar="FILE", help="The students of a course (CSV of nbgrader, Moodle or Canvas).")
@click.option("--static", is_flag=True, help="A site whose pages run no Python: smaller, and built without npm.")
@click.option(
    "--only",
    "numbers",
    metavar="NUMBER",
    multiple=True,
    help="Of this lesson of the course only, such as 04; may be given again.",
)
@click.option(
    "--lessons",
    "folders",
    metavar="FOLDER",
    multiple=True,
    help="Lessons of your own; may be given again, and `course` for ours.",
)
def command(
    editions: tuple[str, ...], output: str, roster: str | None, static: bool, numbers: tuple[str, ...],
    folders: tuple[str, ...],
) -> None:  # fmt: skip
    """Make editions of the course, each in a folder of its own in DIR: student, solution, nbgrader, hub, slides, site.

    Without EDITION, all of them.  student: the lessons without solutions, to hand out.  solution: every exercise
    solved and run.  nbgrader: a course folder; each student of FILE gets problems of his own.  slides: a page of
    slides for each lesson.  site: the whole course as pages that run Python in the browser.

    hub: what a JupyterHub for the class needs.

    vmalab build bank and vmalab build exam are commands of their own: questions for an LMS, sheets of problems.

    A folder that holds anything else, or an edition that somebody has changed, is left alone.
    """
    try:
        from vmalab.editions import build, chosen
        from vmalab.editions.source import lesson_paths, lessons_in
    except ModuleNotFoundError as error:
        raise missing(error) from None
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C: what is half made is removed
    wanted = chosen(editions)
    if numbers and (whole := [edition for edition in wanted if edition in WHOLE]):
        raise UsageError(f"{' and '.join(whole)} can't be made of some lessons only: leave out --only")
    of = [] if folders else lesson_paths(*numbers)
    for name in folders:
        of += lesson_paths(*numbers) if name == COURSE else lessons_in(Path(name))
    sys.path[:0] = [str(Path(name).resolve()) for name in folders if name != COURSE]  # where their modules lie
    for edition in wanted:
        try:
            students = None if roster is None else Path(roster)
            built = build(edition, Path(output), lessons=of, roster=students, static=static)
        except ModuleNotFoundError as error:
            raise missing(error, edition) from None
        files = f"{built.files} file{'' if built.files == 1 else 's'}"
        echo(f"{edition}: {files}, {built.size / 1e6:.1f} MB, in {built.folder}")


COURSE = "course"
"""Among folders with lessons: those of the course."""

EXTRAS = {"site": "site", "slides": "site"}
"""Editions that need more than the extra `lab`."""


WHOLE = ("hub", "site")
"""Editions whose parts refer to all lessons."""


def missing(error: ModuleNotFoundError, edition: str = "") -> Exception:
    """A package of an extra is missing: which to install; anything else that is missing is a fault of ours."""
    if (error.name or "vmalab").partition(".")[0] == "vmalab":
        return error
    what = f"the edition {edition}" if edition else "building editions"
    extra = EXTRAS.get(edition, "lab")
    return UsageError(f"{what} needs {error.name}: pip install 'vmalab[{extra}]'")
