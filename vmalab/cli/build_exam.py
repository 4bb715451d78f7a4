"""`vmalab build exam`: sheets of problems in several versions, with keys."""

from __future__ import annotations

from pathlib import Path

import click

from vmalab.cli.building import missing, output_option, secret_of, secret_option
from vmalab.cli.common import echo


@click.command(short_help="sheets of problems in several versions, with keys")
@click.option("--topic", "topics", metavar="T", multiple=True, help="The number of a lesson; may be repeated (04).")
@click.option("--level", type=click.IntRange(1, 5), metavar="L", default=2, show_default=True, help="How hard: 1 to 5.")
@click.option(
    "--count", type=click.IntRange(1, 30), metavar="N", default=6, show_default=True, help="So many problems a sheet."
)
@click.option(
    "--versions", type=click.IntRange(1, 26), metavar="N", default=4, show_default=True, help="Sheets A, B, C …"
)
@click.option("--title", metavar="TEXT", default="Virtual memory: what mremap does", help="What stands on top.")
@click.option("--no-pdf", is_flag=True, help="HTML only: no PDF, for which WeasyPrint is needed.")
@secret_option
@output_option
def command(
    topics: tuple[str, ...], level: int, count: int, versions: int, title: str, no_pdf: bool, secret: str | None,
    output: str,
) -> None:  # fmt: skip
    """Make sheets of N problems for a test at the desk, as HTML and PDF, in DIR/exam.

    The versions have problems of the same kinds in the same order, and equally hard: their efforts differ by 2 at most.
    sheets/ is for students: no seed and no level stands there.  key/ is yours: the answers with their reasons, what is
    behind each wrong choice, and the seed.  The same seed gives the same files.
    """
    from vmalab.editions.exam import build_exam
    from vmalab.editions.exam.plan import Plan

    plan = Plan(tuple(one.zfill(2) for one in topics) or ("04",), level, count, versions, secret_of(secret), title)
    try:
        built = build_exam(plan, Path(output), pdf=not no_pdf)
    except ModuleNotFoundError as error:
        raise missing(error, "a sheet as PDF") from None
    echo(f"exam: {built.files} files, {built.size / 1e6:.1f} MB, in {built.folder}; its folder key is yours alone")
