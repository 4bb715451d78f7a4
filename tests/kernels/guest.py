"""What runs in a guest: has the live driver play one scenario after the other and sends the answers out.

    python -I -S guest.py FOLDER PORT

Only the standard library and the driver are here.  FOLDER holds `driver/` and `request.json`, PORT is a serial port.
Lines go out:

    ready {"release": ..., ...}         who answers: uname, sysctls, settings
    part DONE TOTAL BASE64              some results, as compressed JSON
    end COUNT                           everything was said
    trouble SENTENCE                    it cannot go on
"""

from __future__ import annotations

import base64
import json
import os
import sys
import termios
import zlib
from collections.abc import Callable
from typing import Any

AT_ONCE = 50
"""Results in one line."""
SECONDS = 60
"""Processor time for one scenario: emulation is slow.  (One that sleeps for ever is noticed by the host.)"""

MAP_COUNT = "/proc/sys/vm/max_map_count"
SYSCTLS = (
    "vm.legacy_va_layout",
    "vm.max_map_count",
    "vm.mmap_min_addr",
    "vm.overcommit_memory",
    "vm.overcommit_ratio",
    "vm.unprivileged_userfaultfd",
)
THP = ("enabled", "shmem_enabled")


def _read(path: str) -> str:
    """What a small file holds, or nothing where this kernel does not have it."""
    try:
        with open(path) as file:
            return file.read().strip()
    except OSError:
        return ""


def provenance() -> dict[str, Any]:
    """Who answers here, in the form that `vmalab record` writes it."""
    system = os.uname()
    flags = next((line for line in _read("/proc/cpuinfo").splitlines() if line.startswith("flags")), "")
    shown = {
        "sysctls": {name: _read("/proc/sys/" + name.replace(".", "/")) for name in SYSCTLS},
        "transparent_hugepage": {name: _read(f"/sys/kernel/mm/transparent_hugepage/{name}") for name in THP},
    }
    return {
        "release": system.release,
        "machine": {
            "system": system.sysname,
            "version": system.version,
            "architecture": system.machine,
            "page_size": os.sysconf("SC_PAGESIZE"),
            "processor_flags": sorted({"la57", "pku", "hypervisor"} & set(flags.split())),
            "python": sys.version.split()[0],
            "command_line": _read("/proc/cmdline"),
        },
        **{key: {name: value for name, value in values.items() if value} for key, values in shown.items()},
    }


def scaled(scenario: dict[str, Any], base: int, factor: int) -> dict[str, Any]:
    """A scenario in bytes of pages `factor` times as large: the same pages, so that it asks the same."""
    steps = []
    for step in scenario["steps"]:
        step = dict(step)
        for key in step.keys() & {"addr", "new_addr"}:
            if step[key] is not None:
                step[key] = (base + (step[key] - base) * factor) % (1 << 64)
        for key in step.keys() & {"pages", "old_pages", "new_pages"}:
            step[key] = step[key] * factor % (1 << 64)
        steps.append(step)
    return scenario | {"steps": steps}


def open_port(path: str) -> int:
    """A serial port that passes bytes on as they are."""
    port = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)
    attributes = termios.tcgetattr(port)
    attributes[0] = attributes[1] = attributes[3] = 0
    termios.tcsetattr(port, termios.TCSANOW, attributes)
    return port


def play(server: Any, record: Any, made: Any, scenario: dict[str, Any], tracer: Any = None) -> dict[str, Any]:
    """One scenario's part of a recording.

    The driver's own recorder has a process more for each scenario, to watch the clock; here forks are dear.
    """
    answers = os.memfd_create("answers")
    try:
        request = json.dumps(scenario | {"cpu": SECONDS}).encode()
        server.play(request, server.Lines(0), answers, made=made, set_map_count=True, tracer=tracer)
        os.lseek(answers, 0, os.SEEK_SET)
        with open(answers, "rb", closefd=False) as file:
            messages = [json.loads(line) for line in file]
    finally:
        os.close(answers)
    return dict(record.answered(scenario["name"], messages))


def run(folder: str, say: Callable[[str], None]) -> None:
    """Play all scenarios of the request."""
    sys.path.insert(0, folder)
    from driver import ftrace, kernel, program, record, server  # type: ignore[import-not-found]

    reason = server.why_not()
    if reason:
        say(f"trouble the driver cannot run here: {reason}")
        return
    with open(f"{folder}/request.json") as file:
        request = json.load(file)
    factor = kernel.PAGE // 4096
    scenarios = [scaled(one, program.BASE, factor) if factor > 1 else one for one in request["scenarios"]]
    with open(MAP_COUNT) as file:
        usual = file.read()
    about, tracer = provenance(), None
    if request.get("trace"):
        tracer = ftrace.Ftrace()
        about["trace"] = tracer.about()
    say("ready " + json.dumps(about))
    made = server.settle()
    part: list[dict[str, Any]] = []
    for done, scenario in enumerate(scenarios, 1):
        # This machine is thrown away afterwards, so vm.max_map_count may be set; a scenario that was killed leaves it.
        part.append(play(server, record, made, scenario, tracer))
        with open(MAP_COUNT, "w") as file:
            file.write(usual)
        if len(part) == AT_ONCE or done == len(scenarios):
            packed = zlib.compress(json.dumps(part, separators=(",", ":")).encode(), 6)
            say(f"part {done} {len(scenarios)} {base64.b64encode(packed).decode()}")
            part = []
    say(f"end {len(scenarios)}")


def main(folder: str, path: str) -> None:
    """Run the request and say how that went."""
    port = open_port(path)

    def say(text: str) -> None:
        data = text.encode() + b"\n"
        while data:
            data = data[os.write(port, data) :]

    try:
        run(folder, say)
    except Exception as error:  # whatever it is, the host has to hear of it
        say(f"trouble in the guest: {type(error).__name__} {error}".replace("\n", " "))
    termios.tcdrain(port)


if __name__ == "__main__":
    main(*sys.argv[1:])
