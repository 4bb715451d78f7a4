"""`vmalab build bank`: questions for an LMS."""

from __future__ import annotations

from pathlib import Path

import click

from vmalab.cli.building import missing, output_option, secret_of, secret_option
from vmalab.cli.common import echo


@click.command(short_help="questions for an LMS")
@click.option("--format", "form", metavar="F", required=True, help="moodle, qti or prairielearn.")
@click.option("--topic", metavar="T", required=True, help="The number of a lesson, such as 04.")
@click.option("--level", type=click.IntRange(1, 5), metavar="L", default=1, show_default=True, help="How hard: 1 to 5.")
@click.option(
    "--count", type=click.IntRange(1, 2000), metavar="N", default=20, show_default=True, help="So many problems."
)
@click.option("--kind", metavar="K", help="One kind of question, such as vmas, errno, draw, shortest; all without it.")
@secret_option
@output_option
def command(
    form: str, topic: str, level: int, count: int, kind: str | None, secret: str | None, output: str
) -> None:  # fmt: skip
    """Make a bank of N problems for an LMS, in a folder of its own in DIR.

    moodle: Moodle XML, multiple choice with pictures; what is drawn or written becomes CodeRunner questions in a file
    of its own.  qti: QTI 1.2 for Canvas and others, multiple choice.  prairielearn: questions that draw one of N
    problems for each student.  What is said to a wrong choice names the belief behind it.

    A bank holds the answers: it is the lecturer's.  Without --seed the text that chance has made is printed.
    """
    from vmalab.editions.bank import build_bank
    from vmalab.editions.bank.draw import Wanted

    text = secret_of(secret)
    wanted = Wanted(topic.zfill(2), level, count, kind, text)
    try:
        bank = build_bank(form, wanted, Path(output))
    except ModuleNotFoundError as error:
        raise missing(error, f"a bank in the format {form}") from None
    built = bank.built
    echo(f"bank: {built.files} file{'' if built.files == 1 else 's'}, {built.size / 1e6:.1f} MB, in {built.folder}")
    if secret is None:
        echo(f"drawn from --seed {text}: keep it to yourself, it makes the same bank again")
