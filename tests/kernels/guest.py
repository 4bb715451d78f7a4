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
PATIENCE = 60
"""Seconds that a scenario may be silent: emulation is slow."""

SHOWN = (
    "/proc/sys/vm/max_map_count",
    "/proc/sys/vm/overcommit_memory",
    "/proc/sys/vm/mmap_min_addr",
    "/proc/sys/kernel/randomize_va_space",
    "/sys/kernel/mm/transparent_hugepage/enabled",
    "/sys/kernel/mm/transparent_hugepage/shmem_enabled",
)
MAP_COUNT = SHOWN[0]


def provenance() -> dict[str, Any]:
    """Who answers here, and how it is set."""
    system = os.uname()
    with open("/proc/cmdline") as file:
        cmdline = file.read().strip()
    settings = {}
    for path in SHOWN:
        try:
            with open(path) as file:
                settings[path] = file.read().strip()
        except OSError:
            pass  # an older kernel may not have it
    return {"release": system.release, "version": system.version, "cmdline": cmdline, "settings": settings}


def open_port(path: str) -> int:
    """A serial port that passes bytes on as they are."""
    port = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)
    attributes = termios.tcgetattr(port)
    attributes[0] = attributes[1] = attributes[3] = 0
    termios.tcsetattr(port, termios.TCSANOW, attributes)
    return port


def run(folder: str, say: Callable[[str], None]) -> None:
    """Play all scenarios of the request."""
    sys.path.insert(0, folder)
    from driver import record, server  # type: ignore[import-not-found]

    reason = server.why_not()
    if reason:
        say(f"trouble the driver cannot run here: {reason}")
        return
    with open(f"{folder}/request.json") as file:
        scenarios = json.load(file)["scenarios"]
    with open(MAP_COUNT) as file:
        usual = file.read()
    say("ready " + json.dumps(provenance()))
    server.settle()
    part: list[dict[str, Any]] = []
    for done, scenario in enumerate(scenarios, 1):
        # This machine is thrown away afterwards, so vm.max_map_count may be set; a scenario that was killed leaves it.
        part.append(record.play(scenario, PATIENCE, True))
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
