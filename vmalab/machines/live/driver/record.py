"""The recorder: a scenario file in, an outcome document out, with nobody at the other end of a pipe.

For guests, where the driver is all there is: `python3 -I -S -c BOOT FOLDER record SCENARIOS -o OUT`.  Every scenario
gets a process of its own.  Here alone a scenario may set vm.max_map_count, and only with `--may-set-map-count`: it is a
number of the whole system, and put back after each scenario.  `--trace`: with the kernel's own trace of each call.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import sys
import time
from typing import Any

from . import server
from .ftrace import Ftrace, NoTrace
from .limits import SYSCTL
from .sandbox import Sandbox

USAGE = "usage: record SCENARIOS [-o OUT] [--time-limit SECONDS] [--may-set-map-count] [--trace]"


def load(path: str) -> list[dict[str, Any]]:
    """The scenarios of a file (`-`: standard input), which may be packed with xz."""
    if path == "-":
        text = sys.stdin.buffer.read()
    elif path.endswith(".xz"):
        import lzma

        with lzma.open(path) as packed:
            text = packed.read()
    else:
        with open(path, "rb") as file:
            text = file.read()
    value = json.loads(text)
    return value if isinstance(value, list) else [value]


def collect(fd: int, seconds: float) -> tuple[list[dict[str, Any]], bool]:
    """The messages on a pipe until it ends, and whether that was in time."""
    poll = select.poll()
    poll.register(fd, select.POLLIN)
    parts: list[bytes] = []
    end = time.monotonic() + seconds
    while left := max(0.0, end - time.monotonic()):
        if poll.poll(left * 1000):
            data = os.read(fd, 1 << 16)
            if not data:
                break
            parts.append(data)
            end = time.monotonic() + seconds
    return [json.loads(line) for line in b"".join(parts).splitlines()], bool(left)


def play(
    scenario: dict[str, Any], seconds: float, made: Sandbox, set_map_count: bool, tracer: Ftrace | None = None
) -> dict[str, Any]:
    """One scenario's part of the document."""
    out, into = os.pipe()
    child = os.fork()
    if child == 0:
        os.setpgid(0, 0)
        os.close(out)
        line = json.dumps(scenario | {"cpu": max(1, round(seconds))}).encode()
        server.play(line, server.Lines(0), into, made=made, set_map_count=set_map_count, tracer=tracer)
        os._exit(0)
    os.close(into)
    messages, in_time = collect(out, seconds)
    os.close(out)
    if not in_time:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return answered(scenario["name"], messages, None if in_time else f"no answer in {seconds:g} s")


def answered(name: str, messages: list[dict[str, Any]], reason: str | None = None) -> dict[str, Any]:
    """The part of the document that a worker's messages make; `reason`: why there may be no end to them."""
    steps = [message for message in messages if "errno" in message]
    said = {key: value for message in messages for key, value in message.items() if key in ("final", "error", "end")}
    if "final" in said and "error" not in said:
        rows: list[dict[str, Any]] = []
        for step in steps:
            step.pop("address", None)
            rows = step.setdefault("vmas", rows)
        return {"name": name, "steps": steps, "final": said["final"]}
    reason = said.get("error") or reason or f"the process ended ({said.get('end')})"
    return {"name": name, "error": f"step {len(steps) + 1}: {reason}"}


def main(arguments: list[str]) -> int:
    """Record; the exit status."""
    paths, out, seconds, set_map_count, trace = [], "-", 10.0, False, False
    rest = iter(arguments)
    for argument in rest:
        if argument == "-o":
            out = next(rest, "-")
        elif argument == "--time-limit":
            seconds = float(next(rest, "10"))
        elif argument == "--may-set-map-count":
            set_map_count = True
        elif argument == "--trace":
            trace = True
        else:
            paths.append(argument)
    if len(paths) != 1:
        print(USAGE, file=sys.stderr)  # noqa: T201
        return 2
    reason = server.why_not()
    if reason:
        print(reason, file=sys.stderr)  # noqa: T201
        return 2
    scenarios = load(paths[0])
    usual = None
    if set_map_count:
        with open(SYSCTL) as sysctl:
            usual = sysctl.read()
    try:
        tracer = Ftrace() if trace else None
    except NoTrace as reason:
        print(reason, file=sys.stderr)  # noqa: T201
        return 2
    document: dict[str, Any] = {"release": os.uname().release}
    if tracer is not None:
        document["trace"] = tracer.about()
    try:
        made = server.settle()
        results = document["results"] = []
        for scenario in scenarios:
            results.append(play(scenario, seconds, made, set_map_count, tracer))
            if usual is not None:
                with open(SYSCTL, "w") as sysctl:
                    sysctl.write(usual)
    finally:
        if tracer is not None:
            tracer.close()
    text = json.dumps(document)
    if out == "-":
        sys.stdout.write(text + "\n")
    else:
        with open(out, "w") as file:
            file.write(text)
    return 0
