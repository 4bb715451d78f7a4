"""Do the tests notice?  Makes each fault of `mutants.toml` in a copy of the tree and runs the fast tests on it.

usage: mutate.py [WORDS ...]    only the faults whose description holds one of the words

Prints a table: which test caught the fault, and after how long.  Exit status 0 when each was caught, 1 when one
survived, 2 when a fault no longer fits the model's text.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]


class Mutant(NamedTuple):
    """A fault: the file in vmalab/mm, what stands there, what the fault puts there, in words."""

    file: str
    old: str
    new: str
    what: str


MUTANTS = [Mutant(**entry) for entry in tomllib.loads(Path(__file__).with_name("mutants.toml").read_text())["mutant"]]
COPIED = ("vmalab", "tests", "data", "pyproject.toml")
RELEASES = ("6.16.12", "6.18.44")
"""The recordings that the faults are held against, beside tests/mm."""

PYTEST = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "--no-header", "--tb=no"]
SLOWEST = 300
"""Seconds for the tests on one fault: a fault may make an endless loop, and that is caught too."""


def misfits() -> list[str]:
    """The faults whose text does not stand in its file exactly once."""
    found = []
    for mutant in MUTANTS:
        text = (ROOT / "vmalab" / "linux" / "mm" / f"{mutant.file}.py").read_text(encoding="utf-8")
        if text.count(mutant.old) != 1 or mutant.old == mutant.new:
            found.append(f"{mutant.file}.py: {mutant.what}: the text stands there {text.count(mutant.old)} times")
    return found


def copy_tree(to: Path) -> None:
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, to / name, ignore=shutil.ignore_patterns("__pycache__", "static"))
        else:
            shutil.copy(source, to / name)


def caught(tree: Path, file: str = "") -> str | None:
    """The first test that fails in `tree`, or None; those of the changed `file` come first."""
    environment = os.environ | {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": str(tree), "HYPOTHESIS_PROFILE": "ci"}
    recordings = [
        f"tests/differential/test_recordings.py::test_the_model_agrees_with_the_kernel[{one}]" for one in RELEASES
    ]
    nearest = [str(path.relative_to(tree)) for path in sorted((tree / "tests" / "mm").glob(f"test_{file}*.py")) if file]
    try:
        done = subprocess.run(
            [*PYTEST, *nearest, *recordings, "tests/mm", "tests/test_releases.py"],
            cwd=tree,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=SLOWEST,
        )
    except subprocess.TimeoutExpired:
        return "the time limit"
    if done.returncode == 0:
        return None
    failed = re.search(r"^(?:FAILED|ERROR) (?:tests/)?(\S+)", done.stdout, re.MULTILINE)
    if failed is None:
        raise SystemExit(f"the tests did not run:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return failed[1]


def attempt(mutant: Mutant | None) -> tuple[str | None, float]:
    """Run the tests on one fault, or with None on the model as it is."""
    with tempfile.TemporaryDirectory(prefix="vmalab-mutant-") as folder:
        tree = Path(folder)
        copy_tree(tree)
        if mutant is not None:
            file = tree / "vmalab" / "linux" / "mm" / f"{mutant.file}.py"
            file.write_text(file.read_text(encoding="utf-8").replace(mutant.old, mutant.new), encoding="utf-8")
        start = time.monotonic()
        return caught(tree, mutant.file if mutant else ""), time.monotonic() - start


def main(words: list[str]) -> int:
    wrong = misfits()
    if wrong:
        print(*wrong, sep="\n", file=sys.stderr)
        return 2
    failing, seconds = attempt(None)
    if failing is not None:
        print(f"the tests fail without any fault, at {failing}", file=sys.stderr)
        return 2
    print(f"without a fault: all pass, {seconds:.0f} s")
    chosen = [mutant for mutant in MUTANTS if not words or any(word in mutant.what for word in words)]
    survivors = 0
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for number, (mutant, (test, seconds)) in enumerate(zip(chosen, pool.map(attempt, chosen), strict=True), 1):
            survivors += test is None
            where = f"{mutant.file}.py"
            print(f"{number:>3}  {where:<17} {mutant.what:<66} {test or 'SURVIVED'}  ({seconds:.0f} s)", flush=True)
    print(f"{len(chosen) - survivors} of {len(chosen)} caught")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
