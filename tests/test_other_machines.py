"""macOS, Windows, a Linux that is no x86, an old kernel: everything works with model and recordings, and says so."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.other_system import MACHINES
from tests.patience import PATIENCE

ROOT = Path(__file__).parents[1]
LESSONS = sorted((ROOT / "notebooks").glob("*.ipynb"))
GAP = "data/scenarios/gap-keeps-what-was-there.json"

EVERY_MODULE = """
import pkgutil, importlib, vmalab
for found in pkgutil.walk_packages(vmalab.__path__, "vmalab."):
    if ".live.driver" not in found.name and not found.name.endswith("__main__"):
        importlib.import_module(found.name)
"""

LESSON = """
import nbformat, pathlib
path = pathlib.Path({path!r})
names = {{"__name__": "lesson", "display": lambda *_: None}}
for number, cell in enumerate(nbformat.read(path, as_version=4).cells, 1):
    if cell.cell_type == "code":
        exec(compile(cell.source, f"cell {{number}}", "exec"), names)
"""


LIGHT = ("subprocess", "tempfile", "uuid", "multiprocessing.reduction", "click", "rich.console", "jupyter_core.paths")
HEAVY = (*LIGHT, "anywidget", "hypothesis", "nbformat", "matplotlib.pyplot", "rich.progress")


def there(machine: str, statements: str, loaded: tuple[str, ...] = HEAVY) -> subprocess.CompletedProcess[str]:
    """The statements on that machine, with some libraries loaded before."""
    return subprocess.run(
        [sys.executable, "-m", "tests.other_system", machine, statements, *loaded],
        cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE,
    )  # fmt: skip


def command(machine: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A command of vmalab on that machine."""
    return there(machine, f"import sys; from vmalab.__main__ import run; sys.exit(run({list(arguments)!r}))", LIGHT)


@pytest.mark.parametrize("machine", MACHINES)
def test_every_module_can_be_imported(machine: str):
    done = there(machine, EVERY_MODULE, (*HEAVY, "nbgrader.converters.autograde"))
    assert 0 == done.returncode, done.stderr


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize(
    "arguments",
    [
        ("run", GAP, "--on", "model:6.17"),
        ("run", GAP, "--on", "model:6.17", "--json"),
        ("compare", GAP, "--on", "model:6.16", "--on", "model:6.17"),
        ("demo", "collector"),
        ("measure", "--recorded"),
        ("doctor",),
    ],
    ids=" ".join,
)
def test_what_needs_no_kernel_works(machine: str, arguments: tuple[str, ...]):
    done = command(machine, *arguments)
    # compare ends with 1 where the machines differ
    assert (1 if arguments[0] == "compare" else 0) == done.returncode, done.stderr
    assert "" == done.stderr
    assert done.stdout


@pytest.mark.parametrize("machine", MACHINES)
def test_a_page_is_written(machine: str, tmp_path: Path):
    page = tmp_path / "page.html"
    done = command(machine, "export", GAP, "--on", "model:6.17", "--output", str(page))
    assert 0 == done.returncode, done.stderr
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize(
    "arguments",
    [
        ("run", GAP, "--on", "live"),
        ("fuzz", "--programs", "1"),
        ("record", GAP, "-o", "never-written.json"),
        ("measure",),
    ],
    ids=" ".join,
)
def test_what_needs_the_kernel_says_why_not_in_one_line(machine: str, arguments: tuple[str, ...]):
    done = command(machine, *arguments)
    assert 0 != done.returncode
    (line,) = done.stderr.splitlines()
    assert line.startswith("vmalab: the live machine ")
    assert not (ROOT / "never-written.json").exists()


@pytest.mark.parametrize("machine", ["Darwin", "Windows"])
def test_what_needs_proc_says_so(machine: str):
    done = command(machine, "watch", "1")
    assert "vmalab: this system has no /proc: processes can be watched on Linux only\n" == done.stderr


@pytest.mark.parametrize("machine", MACHINES)
def test_the_doctor_says_what_it_is(machine: str):
    found = json.loads(command(machine, "doctor", "--json").stdout)
    assert found["headline"].startswith("The lessons run here; this machine's kernel can't be asked")
    findings = {finding["what"]: finding for finding in found["findings"]}
    system = "Linux" if machine == "ARM" else machine
    assert findings["system"]["found"].startswith(f"{system} ")
    assert "no: " == findings["live machine"]["found"][:4]


OLD = {"one mremap moves several VMAs", "madvise installs guard regions"}


@pytest.mark.live
@pytest.mark.parametrize(
    ("machine", "missing"),
    [
        (
            "gVisor",
            {"gVisor", "one mremap moves several VMAs", "madvise installs guard regions", "model of this release"},
        ),
        ("Linux 6.12", {"one mremap moves several VMAs", "madvise installs guard regions"}),
        ("no userfaultfd", {"userfaultfd may be opened"}),
        ("no mseal", {"VMAs can be sealed with mseal"}),
    ],
)
def test_the_doctor_finds_what_a_kernel_can_not(machine: str, missing: set[str]):
    found = json.loads(command(machine, "doctor", "--json").stdout)
    odd = {one["what"] for one in found["findings"] if one["state"] != "fine" and one["section"] != "Behaviours"}
    assert missing == odd


CONCERNS = {"Windows": "", "gVisor": "", "no userfaultfd": ".uffd(", "no mseal": ".mseal("}
"""Machine → what a lesson has in it that goes another way there; `""`: every lesson."""


@pytest.mark.notebook
@pytest.mark.slow
@pytest.mark.parametrize(
    ("lesson", "machine"),
    [(path, name) for path in LESSONS for name, part in CONCERNS.items() if part in path.read_text(encoding="utf-8")],
    ids=lambda one: one.stem if isinstance(one, Path) else one,
)
def test_a_lesson_runs_there(lesson: Path, machine: str):
    done = there(machine, LESSON.format(path=str(lesson)))
    assert 0 == done.returncode, done.stderr
