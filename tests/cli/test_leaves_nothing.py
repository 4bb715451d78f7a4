"""Our commands write what they were asked for, and nothing anywhere else: not in the home, not in the folder for
temporary files, not beside their output; not when they are interrupted either."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.browser.servers import ROOT, free_port, serving, vmalab_lab
from tests.patience import PATIENCE

PROGRAM = '{"name": "one", "steps": [{"call": "mmap", "addr": 0, "pages": 1}]}'


class Place:
    """A home, a folder for temporary files and one to work in, all of them empty."""

    def __init__(self, folder: Path) -> None:
        self.home, self.temporary, self.work = (folder / name for name in ("home", "temporary", "work"))
        for path in (self.home, self.temporary, self.work):
            path.mkdir()
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("JUPYTER", "IPYTHON", "XDG"))}
        self.env = {**kept, "HOME": str(self.home), "TMPDIR": str(self.temporary), "PYTHONPATH": str(ROOT)}

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-m", "vmalab", *arguments], cwd=self.work, env=self.env,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def holds(self) -> dict[str, list[str]]:
        places = (self.home, self.temporary, self.work)
        return {path.name: sorted(one.name for one in path.iterdir()) for path in places}


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


@pytest.mark.parametrize(
    ("command", "written"),
    [
        ("run one.json", []),
        ("run one.json --json", []),
        ("compare one.json --on model:6.16 --on model:6.18", []),
        ("export one.json -o page.html", ["page.html"]),
        ("quiz --seed 3 --solve", []),
        ("doctor", []),
        ("build student", ["build"]),
        pytest.param("build nbgrader --only 04", ["build"], marks=pytest.mark.slow),
        pytest.param("build slides --only 00", ["build"], marks=pytest.mark.slow),
        pytest.param("record one.json -o out.json", ["out.json"], marks=pytest.mark.live),
        pytest.param("fuzz --programs 40 --jobs 1", [], marks=pytest.mark.live),
        pytest.param("demo realloc --output page.html", ["page.html"], marks=pytest.mark.live),
    ],
)
def test_a_command_writes_what_it_was_asked_for(place: Place, command: str, written: list[str]) -> None:
    (place.work / "one.json").write_text(PROGRAM)
    assert 0 == place.start(*command.split()).wait(timeout=PATIENCE)
    assert {"home": [], "temporary": [], "work": sorted(["one.json", *written])} == place.holds()


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_build_that_is_interrupted_leaves_nothing(place: Place, number: int) -> None:
    build = place.start("build", "solution", "-o", "made")
    begun = place.work / "made"
    while build.poll() is None and not (begun.exists() and any(begun.glob(".vmalab-half-made-*"))):
        threading.Event().wait(0.02)
    build.send_signal(number)
    assert 0 != build.wait(timeout=PATIENCE)
    assert [[], []] == [place.holds()["temporary"], sorted(place.work.glob("made/*"))]
    assert [] == sorted(place.work.glob("made/.*"))


@pytest.mark.slow
def test_a_lab_leaves_the_lessons_and_what_is_jupyters_own(place: Place) -> None:
    port = free_port()
    with serving(vmalab_lab(place.work / "mine", port), port, place.env):
        pass
    found = place.holds()
    assert [[], ["mine"]] == [found["temporary"], found["work"]]
    assert {".jupyter", ".local", ".ipython", ".cache", ".npm"} >= {*found["home"]}
