"""A class on a real hub: `python -m tests.hub --students 25 --every 2`, as root for users of their own.

Numbers for the guide; not part of `make test`.
"""

from __future__ import annotations

import argparse
import asyncio
import os

from tests.hub.hub import hub
from tests.hub.students import LESSON, attend, left_behind, summary

asked = argparse.ArgumentParser(prog="python -m tests.hub", description=__doc__)
asked.add_argument("--students", type=int, default=10)
asked.add_argument("--every", type=float, default=0, help="seconds between one student and the next")
asked.add_argument("--lesson", default=LESSON)
given = asked.parse_args()

with hub([f"student{number:03}" for number in range(given.students)]) as running:
    sessions = asyncio.run(attend(running, given.every, given.lesson))
    left = left_behind(running)
print(f"load of this machine: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores; lesson {given.lesson}")
print("| students | server ready, median / max | first cell | cell p95 | memory each (server + kernel) | errors |")
print("|---|---|---|---|---|---|")
print(summary(sessions))
for one in sessions:
    for error in one.errors:
        print(f"{one.name}: {error}")
print(f"left behind: {left or 'nothing'}")
