"""Runs lessons from a fresh kernel and stores their outputs in them (`make notebooks`).

The stored outputs are the reference that `make test` holds every later run against, so the same lesson must give the
same file wherever it runs; `vmalab.editions.execute` sees to that.
"""

from __future__ import annotations

import sys
from pathlib import Path

import nbformat

from vmalab.cli.handout import DIGESTS, digests
from vmalab.editions.execute import run
from vmalab.editions.source import lesson_paths
from vmalab.errors import UsageError


def execute(path: Path) -> bool:
    """Run the lesson at `path` and store its outputs; tell whether the file changed.

    Raises UsageError with one clear line where a cell fails or an output could not be the same twice; the file is
    then left as it was.
    """
    before = path.read_text(encoding="utf-8")
    nb = nbformat.reads(before, as_version=4)
    run(nb, path.name, path.parent)
    after = nbformat.writes(nb).rstrip("\n") + "\n"
    if after == before:
        return False
    path.write_text(after, encoding="utf-8")
    return True


def main(names: list[str]) -> int:
    """Execute the lessons named, or all; return the exit status."""
    for path in [Path(name).resolve() for name in names] or lesson_paths():
        if not path.is_file():
            print(f"there is no lesson {path.name}", file=sys.stderr)
            return 1
        try:
            changed = execute(path)
        except UsageError as error:
            print(error, file=sys.stderr)
            return 1
        print(f"{path.name}: {'outputs stored' if changed else 'as it was'}")
    DIGESTS.write_text(digests(lesson_paths()), encoding="ascii")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
