"""What each lesson takes, measured, as a table; and its header, which says so.

python -m tests.tools.minutes           # the table
python -m tests.tools.minutes --write   # and the lines about time in the lessons' headers
"""

from __future__ import annotations

import re
import sys

import nbformat

from vmalab.cli.handout import DIGESTS, digests
from vmalab.editions import minutes
from vmalab.editions.source import lesson_paths, read

TIME = re.compile(r"^\| \*\*Time\*\* \|.*\|$", re.MULTILINE)
WHAT = ("words", "cells", "predictions", "exercises", "functions")


def main(arguments: list[str]) -> int:
    """Print the table; with --write also write the headers."""
    print(f"{minutes.WORDS_A_MINUTE} words a minute, {minutes.CELL_SECONDS} s a cell; in minutes: a prediction "
          f"{minutes.PREDICTION_MINUTES:g}, an exercise {minutes.EXERCISE_MINUTES:g}, a function "
          f"{minutes.FUNCTION_MINUTES:g}")  # fmt: skip
    print("lesson  core  all  " + "  ".join(WHAT))
    for path in lesson_paths():
        nb = read(path)
        load = minutes.load(nb)
        counts = "  ".join(f"{load.count(what):{len(what)}}" for what in WHAT)
        print(f"{path.stem[:2]:6}  {load.core:4}  {load.all:3}  {counts}")
        if "--write" in arguments:
            nb.cells[0].source = TIME.sub(load.header, nb.cells[0].source)
            path.write_text(nbformat.writes(nb).rstrip("\n") + "\n", encoding="utf-8")
    if "--write" in arguments:
        DIGESTS.write_text(digests(lesson_paths()), encoding="ascii")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
