"""`vmalab grade`: the submissions of a class, graded side by side, with marks for an LMS."""

from __future__ import annotations

import time
from concurrent.futures import BrokenExecutor, CancelledError
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vmalab.cli.common import cluster_option, echo
from vmalab.errors import UsageError
from vmalab.machines.executors import executor

if TYPE_CHECKING:
    from vmalab.editions.class_grading import Class


@click.command(short_help="the submissions of a class")
@click.argument("lesson", metavar="LESSON")
@click.option("--course", default=".", metavar="DIR", show_default=True, help="The folder of the course.")
@click.option("--from", "source", metavar="FROM", help="An LMS's zip of downloads, or: exchange.")
@click.option("--roster", metavar="FILE", help="The students, as nbgrader, Moodle or Canvas exports them (CSV).")
@click.option("--marks", metavar="OUT", help="Write the roster with marks in it, for the LMS that it came from.")
@click.option("--jobs", type=click.IntRange(1), metavar="J", help="Processes; by default one for each core.")
@cluster_option
@click.option("--again", is_flag=True, help="Grade those that are graded already, too.")
@click.option("--unprotected", is_flag=True, help="Grade although nothing keeps submissions from your files.")
def command(
    lesson: str, course: str, source: str | None, roster: str | None, marks: str | None, jobs: int | None,
    cluster: str | None, again: bool, unprotected: bool,
) -> None:  # fmt: skip
    """Grade what a class has handed in for LESSON (an assignment, or its number, such as 04).

    What lies in submitted/ is graded; --from brings it there first. Each submission is judged by itself, in processes
    that can reach nothing. A run that was stopped goes on where it was, and only what is new is graded. Afterwards
    there are marks in gradebook.db, and notebooks in autograded/ for nbgrader generate_feedback and the formgrader.

    The exit status is 1 where a submission could not be graded.
    """
    try:
        from vmalab.editions import class_grading, collect
        from vmalab.editions.roster import load_roster, write_marks
    except ModuleNotFoundError as error:
        raise UsageError(f"grading needs {error.name}: pip install 'vmalab[class]'") from None
    if marks is not None and roster is None:
        raise UsageError("--marks needs --roster: the list of students that the marks go into")
    listed = None if roster is None else load_roster(Path(roster))
    found = class_grading.open_course(Path(course), lesson, unprotected)
    if source == collect.EXCHANGE:
        for line in collect.from_exchange(found.folder, found.lesson):
            echo(line, err=True)
    elif source is not None:
        students = [one for one in listed.students if one is not None] if listed else []
        came, aside = collect.from_zip(Path(source), found.folder / "submitted", found.lesson, students)
        echo(f"{source}: {len(came)} students" + "".join(f"\n  left aside: {name}" for name in aside))
    with class_grading.alone(found):
        _grade(found, jobs, cluster, again)
    for student, what in sorted(found.told.items()):
        echo(f"{student}: {what}", err=True)
    if listed is not None and marks is not None:
        given = write_marks(Path(marks), listed, found.lesson, class_grading.marks(found))
        echo(f"marks of {given} students: {marks}")
    if found.failed:
        for student, why in sorted(found.failed.items()):
            echo(f"not graded: {student}: {why}", err=True)
        click.get_current_context().exit(1)


def _grade(found: Class, jobs: int | None, cluster: str | None, again: bool) -> None:
    """Grade all that is left, with a progress bar; begun again where processes were lost."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    from vmalab.editions.class_grading import TRIES, grade_all, left_to_grade

    begun = time.monotonic()
    everybody = len(found.students())
    left = left_to_grade(found, again)
    todo = len(left)
    columns = (TextColumn("submissions"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("", total=everybody, completed=everybody - todo)
        for tries_left in range(TRIES - 1, -1, -1):
            if not left:
                break
            try:
                with executor(jobs, cluster) as (pool, at_once):
                    for student in grade_all(found, list(left), pool, at_once):
                        left.remove(student)
                        bar.advance(task)
            except (BrokenExecutor, CancelledError):  # a cluster that can't be reached any more cancels
                if not tries_left:
                    found.failed |= dict.fromkeys(left, "the process that graded it was lost, each time")
    seconds = time.monotonic() - begun
    if found.protection:
        echo(found.protection)
    graded = todo - len(found.failed)
    echo(
        f"{found.lesson}: {everybody} submissions, {graded} graded in {seconds:.0f} s, {everybody - todo} were already"
    )
