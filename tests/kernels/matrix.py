"""The matrix: kernel images, one guest each, several at a time; a recording per release.

Here is the order of things and what a recording says about where it comes from.
"""

from __future__ import annotations

import json
import lzma
import os
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from attrs import field, frozen

import vmalab
from tests.kernels import initramfs, qemu
from tests.kernels.arch import X86_64, Arch
from tests.kernels.debian import Images
from tests.kernels.trouble import Trouble
from vmalab.errors import ScenarioError
from vmalab.machines.traces import Traces
from vmalab.programs.scenario import Scenario, load_scenarios, read_bytes

RELEASES = ("6.1", "6.12", "6.16", "6.17", "6.18", "6.19", "7.0", "7.1", "7.2", "7.3")
"""The series that the model knows."""


def cache_folder() -> Path:
    """Where images are kept: outside the repository."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "vmalab" / "kernels"


SCENARIOS = "scenarios.json.xz"
"""Beside recordings: the scenarios that all of them answer."""


def read_scenarios(paths: Iterable[Path]) -> tuple[list[Scenario], list[dict[str, Any]]]:
    """The scenarios of all files together, as records and as they stand there; their names must differ."""
    found: dict[str, Scenario] = {}
    written: list[dict[str, Any]] = []
    for path in paths:
        try:
            scenarios = load_scenarios(path)
            value = json.loads(read_bytes(path, str(path)).decode("utf-8-sig"))
            written += value if isinstance(value, list) else [value]
        except ScenarioError as error:
            raise Trouble(str(error)) from None
        for scenario in scenarios:
            if scenario.name in found:
                raise Trouble(f"{path}: another file has a scenario named {scenario.name!r} too")
            found[scenario.name] = scenario
    if not found:
        raise Trouble("there is no scenario to record: name a file with --scenarios")
    return list(found.values()), written


def write_packed(value: object, path: Path) -> Path:
    """Write JSON to a packed file, which is there whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.part")
    text = json.dumps(value, separators=(",", ":"))
    part.write_bytes(lzma.compress(text.encode(), preset=9 | lzma.PRESET_EXTREME))
    return part.replace(path)


@frozen
class Recording:
    """What one kernel answered.  `number` names its file: `"6.17.13"`."""

    release: str
    results: list[dict[str, Any]] = field(repr=False)
    about: dict[str, Any] = field(repr=False)

    @property
    def number(self) -> str:
        match = re.match(r"\d+(\.\d+)*", self.release)
        return match[0] if match else self.release

    def traces(self, scenarios: list[Scenario]) -> Traces:
        """The traces in it, of a recording that has them."""
        return Traces({"release": self.release, **self.about, "results": self.results}, scenarios)

    def write(self, folder: Path) -> Path:
        """Write it to `folder`, packed; of a recording with traces only those."""
        document = {"release": self.release, **self.about, "results": self.results}
        if "trace" in self.about:
            document["results"] = [
                {"name": one["name"], "steps": [{"trace": step.get("trace")} for step in one["steps"]]}
                for one in self.results
                if "error" not in one
            ]
        return write_packed(document, folder / f"{self.number}.json.xz")


@frozen
class Matrix:
    """What all boots of a run have in common.  `tell(release, words)` hears how it goes."""

    scenarios: list[Scenario]
    cache: Path
    tell: Callable[[str, str], None] = lambda _release, _words: None
    jobs: int = os.cpu_count() or 1
    boot_limit: float = 180
    silence_limit: float = 600
    trace: bool = False
    arch: Arch = X86_64

    def record(self, images: Iterable[Path], userland: Callable[[], Path] = Path) -> Iterator[Recording | Trouble]:
        """Boot each image; the recordings, or what went wrong, in the same order, each as soon as it is known."""
        qemu.qemu(self.arch)
        if self.arch is X86_64:
            kept = initramfs.base(self.cache)
        else:
            kept = initramfs.foreign(self.cache, userland(), self.arch)
        (self.cache / "logs").mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="vmalab-kernels-") as folder:
            whole = initramfs.whole(kept, self.scenarios, Path(folder, "initramfs"), self.trace)
            with ThreadPoolExecutor(self.jobs) as pool:
                yield from pool.map(lambda image: self._one(image, whole), images)

    def _one(self, image: Path, whole: Path) -> Recording | Trouble:
        name = image.name.removeprefix("vmlinuz-")
        self.tell(name, "boots")
        try:
            heard = self._boot(image, whole, name)
        except Trouble as trouble:
            # Software emulation has faults of its own: a kernel that crashes is believed when it does so twice.
            self.tell(name, f"boots again, because {trouble}")
            try:
                heard = self._boot(image, whole, name)
            except Trouble as again:
                return again
        about = dict(heard.hello or {})
        release = str(about.pop("release", name))
        about |= {
            "emulator": f"{self.arch.qemu} {' '.join(qemu.machine(self.arch))}",
            "date": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "tool": f"vmalab {vmalab.__version__}, tests/kernels",
        }
        return Recording(release, heard.results, about)

    def _boot(self, image: Path, whole: Path, name: str) -> qemu.Conversation:
        return qemu.boot(
            image,
            whole,
            self.cache / "logs" / f"{name}.log",
            arch=self.arch,
            boot_limit=self.boot_limit,
            silence_limit=self.silence_limit,
            tell=lambda heard: self.tell(name, f"{len(heard.results)} of {len(self.scenarios)} scenarios"),
        )


def fetch(images: Images, wanted: Iterable[str], tell: Callable[[str, str], None]) -> list[Path]:
    """The image of each release asked for, each once."""
    found: list[Path] = []
    for release in wanted:
        path = images.image(release)
        if path not in found:
            tell(path.name.removeprefix("vmlinuz-"), "image is ready")
            found.append(path)
    return found
