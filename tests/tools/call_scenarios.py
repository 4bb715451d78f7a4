"""The scenarios of `data/scenarios/calls/`: for each kind of call small programs written by hand, and random ones.

    python -m tests.tools.call_scenarios

The programs stand in `call_programs.txt`; the random ones are those that a theme of
`vmalab.differences.generate` gives for a seed.  Kernels are asked with `python -m tests.kernels`, and
`python -m tests.tools.lesson_recordings FOLDER calls` files their answers.
"""

from __future__ import annotations

from pathlib import Path
from random import Random

from tests.tiny_language import parse
from vmalab.differences.generate import ARENA_PAGES, THEMES, Generator
from vmalab.programs.files import write_whole
from vmalab.programs.scenario import Scenario, dumps

FOLDER = Path(__file__).parents[2] / "data" / "scenarios" / "calls"
PROGRAMS = Path(__file__).with_name("call_programs.txt")

RANDOM = 30
"""Random programs of each kind."""

BY_ROOT = "root: "
"""A program that begins so is run with all capabilities."""


def programs() -> dict[str, tuple[str, list[str]]]:
    """Kind → the theme of its random programs, and the programs by hand."""
    found: dict[str, tuple[str, list[str]]] = {}
    lines: list[str] = []
    for line in PROGRAMS.read_text(encoding="ascii").splitlines():
        if line.startswith("["):
            kind, *theme = line.strip("[]").split()
            lines = []
            found[kind] = (theme or [kind])[0], lines
        elif line and not line.startswith("#"):
            lines.append(line)
    return found


def by_hand(kind: str, number: int, program: str) -> Scenario:
    """A program as a scenario."""
    calls = [parse(step.strip())[0] for step in program.removeprefix(BY_ROOT).split(";")]
    return Scenario(
        f"calls/{kind}-{number:02}", tuple(calls), ARENA_PAGES, unprivileged=not program.startswith(BY_ROOT)
    )


def by_chance(kind: str, theme: str, number: int) -> Scenario:
    """A random program."""
    rng = Random(f"calls/{kind}/{number}")
    generator = Generator(rng, theme)
    for _ in range(rng.randrange(6, 15)):
        generator.add()
    return Scenario(f"calls/{kind}-r{number:02}", tuple(generator.steps), ARENA_PAGES, unprivileged=True)


def scenarios(kind: str) -> list[Scenario]:
    """All programs of a kind."""
    theme, written = programs()[kind]
    found = [by_hand(kind, number, program) for number, program in enumerate(written, 1)]
    return found + ([by_chance(kind, theme, number) for number in range(RANDOM)] if theme in THEMES else [])


def main(kinds: list[str]) -> int:
    """Write the files of `kinds`, of all without any."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for kind in kinds or programs():
        write_whole(FOLDER / f"{kind}.json", dumps(scenarios(kind)))
    return 0


if __name__ == "__main__":
    import sys

    sys.exit(main(sys.argv[1:]))
