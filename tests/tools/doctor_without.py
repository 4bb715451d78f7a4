"""What `vmalab doctor` says here, and with each thing taken away.

usage: python -m tests.tools.doctor_without            the table, as Markdown

Taken away is what the doctor is told at the boundary (`Host`, the system's calls), never what it makes of it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.live.confined import without
from tests.other_system import KERNELS, MACHINES
from vmalab.system.doctor import Host, examine
from vmalab.system.doctor.findings import FINE

ROOT = Path(__file__).parents[2]

ELSEWHERE = {
    "Darwin": "Linux (macOS instead)",
    "Windows": "Linux (Windows instead)",
    "ARM": "x86-64 (ARM with pages of 16 KiB instead)",
    "gVisor": "the kernel (gVisor answers for it)",
    "Linux 6.12": "Linux 6.17 (Linux 6.12 instead)",
    "no userfaultfd": "userfaultfd",
    "no mseal": "mseal",
}
"""Name in `tests/other_system.py` → what is not there."""

REFUSED = {
    "proc": "/proc",
    "pagemap": "/proc/self/pagemap",
    "seccomp": "seccomp filters",
}
"""Name in `tests/live/confined.py` → what the process that makes the calls has not."""


class Lacking(Host):
    """This machine, but for the answers given."""

    def __init__(self, **answers: Any) -> None:
        self.answers = answers

    def package(self, name: str) -> str | None:
        return None if name in self.answers.get("packages", ()) else super().package(name)

    def read(self, path: str) -> str | None:
        return self.answers.get("files", {}).get(path) or super().read(path)

    def jupyter_data(self) -> list[str]:
        return self.answers.get("folders", super().jupyter_data())

    def browser(self) -> str | None:
        return self.answers.get("browser", super().browser())

    def memlock(self) -> int | None:
        return self.answers.get("memlock", super().memlock())


THP, MAPS = "/sys/kernel/mm/transparent_hugepage/enabled", "/proc/sys/vm/max_map_count"

HOSTS: dict[str, Callable[[], Host]] = {
    "nothing": Host,
    "matplotlib": lambda: Lacking(packages=("matplotlib",)),
    "JupyterLab's extensions and kernel": lambda: Lacking(folders=[]),
    "a browser": lambda: Lacking(browser=None),
    "memory that may be locked": lambda: Lacking(memlock=0),
    "overcommit": lambda: Lacking(files={"/proc/sys/vm/overcommit_memory": "2"}),
    "VMAs (vm.max_map_count 1000)": lambda: Lacking(files={MAPS: "1000"}),
}


def told(report: Mapping[str, Any]) -> tuple[str, list[str]]:
    """The headline, and a line for each finding that is not as it should be."""
    odd = [one for one in report["findings"] if one["state"] != FINE]
    lines = [
        ": ".join((one["what"], one["found"])) + (f" ({one['means']})" if one["means"] else "")
        + (f" → {one['mend']}" if one["mend"] else "")
        for one in odd
    ]  # fmt: skip
    return str(report["headline"]), lines


def elsewhere(name: str) -> dict[str, Any]:
    """The report on another machine."""
    code = "import json; from vmalab.system.doctor import examine; print(json.dumps(examine().to_json()))"
    loaded = ["jupyter_core.paths", "uuid", "tempfile", "subprocess"]
    done = subprocess.run(
        [sys.executable, "-m", "tests.other_system", name, code, *loaded],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def reports() -> dict[str, dict[str, Any]]:
    """What is not there → the report."""
    found = {what: examine(host()).to_json() for what, host in HOSTS.items()}
    os.environ["VMALAB_LIVE"] = "off"
    found["the live machine (VMALAB_LIVE=off)"] = examine().to_json()
    del os.environ["VMALAB_LIVE"]
    for name, what in REFUSED.items():
        with pytest.MonkeyPatch.context() as patch:
            without(patch, name)
            found[what] = examine().to_json()
    assert set(ELSEWHERE) == {*MACHINES, *KERNELS}
    return found | {what: elsewhere(name) for name, what in ELSEWHERE.items()}


def main() -> None:
    print("| taken away | the doctor's first line | what it points at |\n|---|---|---|")
    for what, report in reports().items():
        headline, lines = told(report)
        print(f"| {what} | {headline} | {'<br>'.join(lines) or 'nothing'} |".replace(sys.prefix, "…"), flush=True)


if __name__ == "__main__":
    main()
