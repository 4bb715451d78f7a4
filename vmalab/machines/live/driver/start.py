"""Where a driver process starts: it serves a notebook, or records for a guest."""

from __future__ import annotations

import sys

from . import server


def main(arguments: list[str]) -> None:
    """`serve PARENT [unprivileged]` (PARENT: a process id, or 0), or `record FILE ...` (see record.py)."""
    if arguments[:1] == ["record"]:
        from . import record  # a notebook never needs it

        sys.exit(record.main(arguments[1:]))
    server.serve(int(arguments[1]), "unprivileged" in arguments)
