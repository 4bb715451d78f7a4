"""The command: `python -m tests.kernels`."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from tests.kernels import agree, debian, matrix
from tests.kernels.arch import ARCHES, X86_64
from tests.kernels.debian import Images, release_key
from tests.kernels.trouble import Trouble
from vmalab.programs.scenario import Scenario

REPOSITORY = Path(__file__).resolve().parents[2]
SCENARIOS = REPOSITORY / "data" / "scenarios"
OUTPUT = REPOSITORY / "build" / "recordings"


def parser() -> argparse.ArgumentParser:
    """What the command understands."""
    result = argparse.ArgumentParser(
        prog="python -m tests.kernels",
        description="Boot Debian kernels in QEMU (software emulation) and record scenarios on each.",
        epilog="Exit status: 0 recorded (and everything agrees), 1 something differs, 2 something could not be done.",
    )
    add = result.add_argument
    add("--release", action="append", metavar="R", help="6.18 (the newest of that series) or 6.18.15; may be repeated"
        f" (default: {' '.join(matrix.RELEASES)}, and newer ones that Debian has)")  # fmt: skip
    add("--arch", choices=sorted(ARCHES), default=X86_64.name,
        help="the machine (default: %(default)s); arm64-16k has pages of 16 KiB")  # fmt: skip
    add("--scenarios", action="append", type=Path, metavar="FILE",
        help="scenario file, .json or .json.xz; may be repeated (default: all of data/scenarios/)")  # fmt: skip
    add("--output", type=Path, default=OUTPUT, metavar="DIR",
        help="where RELEASE.json.xz are written (default: build/recordings)")  # fmt: skip
    add("--against", action="append", default=[], metavar="DIR|model",
        help="also compare with the recordings in DIR, or with the model; may be repeated")  # fmt: skip
    add("--trace", action="store_true",
        help="record the kernel's own trace of each call instead of its answers (data/traces/)")  # fmt: skip
    add("--show", type=int, default=5, metavar="N", help="how many differences to print (default: 5)")
    add("--jobs", type=int, default=os.cpu_count() or 1, metavar="N", help="guests at a time (default: cores)")
    add("--boot-limit", type=float, default=180, metavar="S", help="seconds for a boot (default: 180)")
    add("--silence-limit", type=float, default=600, metavar="S",
        help="seconds a running guest may be silent (default: 600)")  # fmt: skip
    add("--mirror", metavar="URL", help="base of a Debian mirror (default: the one this system's apt uses)")
    add("--offline", action="store_true", help="only kernel images that are in the cache")
    add("--cache", type=Path, default=matrix.cache_folder(), metavar="DIR", help="default: %(default)s")
    add("--list", action="store_true", help="print the releases that can be had, and stop")
    return result


def say(release: str, words: str) -> None:
    """One line of progress."""
    print(f"{release:22} {words}", file=sys.stderr, flush=True)


def print_list(images: Images) -> None:
    """The releases there are; those with a star are in the cache."""
    kept = images.kept()
    for release in sorted({*kept, *({} if images.offline else images.available())}, key=release_key):
        print(release + (" *" if release in kept else ""))


def compare(recording: matrix.Recording, against: list[str], scenarios: list[Scenario], show: int) -> bool:
    """Print how a recording agrees with each of `against`; whether it does everywhere."""
    good = True
    for other in against:
        name, unknown = other, False
        if other == "model":
            known = agree.known_to_the_model(recording.number)
            unknown = known != recording.number
            others = agree.modelled(known, scenarios)
            if unknown:
                name = f"the model of Linux {known}, since it knows no {debian.series_of(recording.number)} yet"
        else:
            others = agree.recorded(Path(other), recording.number)
        found = agree.agreement(recording.results, others)
        print(f"{recording.number:10} against {name}: {found}")
        if unknown and found.differences:
            print(f"    What follows is what the model does not know of Linux {recording.number}:")
        for name, words in list(found.differences.items())[:show]:
            print(f"    {name}: {words[:600]}")
        good = good and not found.differences
    return good


def newer(images: Images) -> list[str]:
    """The series that Debian has, or the cache, and the model does not know yet."""
    try:
        releases = [*images.kept(), *({} if images.offline else images.available())]
    except Trouble as trouble:
        say("newer releases", f"nobody could be asked: {trouble}")
        releases = list(images.kept())
    return debian.newer_series(releases, matrix.RELEASES)


def run(options: argparse.Namespace) -> int:
    """What the options ask for; the exit status."""
    arch = ARCHES[options.arch]
    images = Images(options.cache, options.mirror, options.offline, arch)
    if options.list:
        print_list(images)
        return 0
    if options.jobs < 1:
        raise Trouble(f"--jobs {options.jobs}: at least one guest has to run")
    if options.trace and arch is not X86_64:
        raise Trouble(f"--trace knows the functions of {X86_64.name} only, and this is {arch.name}")
    for other in options.against:
        if other != "model" and not Path(other).is_dir():
            raise Trouble(f"--against {other}: there is no such folder")
    scenarios, written = matrix.read_scenarios(options.scenarios or sorted(SCENARIOS.glob("*.json*")))
    paths = matrix.fetch(images, options.release or [*matrix.RELEASES, *newer(images)], say)
    runs = matrix.Matrix(
        scenarios, options.cache, say, options.jobs, options.boot_limit, options.silence_limit, options.trace, arch
    ).record(paths, images.userland)  # fmt: skip
    status = 0
    matrix.write_packed(written, options.output / matrix.SCENARIOS)
    for path, outcome in zip(paths, runs, strict=True):
        if isinstance(outcome, Trouble):
            print(f"kernels: {path.name.removeprefix('vmlinuz-')}: {outcome}", file=sys.stderr)
            status = 2
            continue
        errors = [result for result in outcome.results if "error" in result]
        say(outcome.release, f"recorded in {outcome.write(options.output)}"
            + (f"; {len(errors)} scenarios could not be run, first {errors[0]['name']}: {errors[0]['error']}"
               if errors else ""))  # fmt: skip
        if options.trace:
            words, fits = agree.signed_by(outcome.traces(scenarios), options.show)
            print(words)
            status = status if fits else max(status, 1)
        elif not compare(outcome, options.against, scenarios, options.show):
            status = max(status, 1)
    return status


def main() -> int:
    """Run the command; trouble is one line."""
    options = parser().parse_args()
    try:
        return run(options)
    except Trouble as trouble:
        print(f"kernels: {trouble}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("kernels: stopped", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
