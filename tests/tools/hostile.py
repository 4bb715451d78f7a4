"""A million hostile live calls: does the parent live, is each outcome reported, is anything left behind?

usage: python tests/tools/hostile.py [CALLS] [SEED]

Counts the hostile calls alone, and of those only the ones that were made: what follows a crash is not.  Prints a line
for every 50,000 with the rate, the memory and the files and processes that are there; then what came back.  Exit
status 1 if an outcome was missing or anything was left.
"""

from __future__ import annotations

import os
import re
import sys
import time
from collections import Counter
from pathlib import Path
from random import Random

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.live.hostility import (
    PARTS,
    Areas,
    descendants,
    driver_pids,
    hostile_scenario,
    in_session,
    open_files,
    parts_of,
)
from vmalab.linux.addr import PAGE, page
from vmalab.linux.call import Mmap, Mremap, Read, Touch
from vmalab.machines.live import Live
from vmalab.machines.outcome import Outcome
from vmalab.programs.scenario import Scenario

EVERY = 50_000
MOST = 16
"""Hostile calls in one scenario: a new process for each scenario is most of the cost."""
AROUND = 3
"""Calls of a scenario that are not hostile: a mapping and a touch before, a read after."""

FINE = Scenario(
    "fine",
    (
        Mmap(page(0), 2 * PAGE),
        Touch(page(1), PAGE, 7),
        Mremap(page(0), 2 * PAGE, 2 * PAGE, 3, page(9)),
        Read(page(9), 2 * PAGE),
    ),
)


def megabytes(pid: int) -> float:
    """Memory that a process holds."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE / 2**20
    except (OSError, IndexError):
        return 0.0


class Run:
    """The hostile calls, and what is known of them so far."""

    def __init__(self, live: Live, seed: int) -> None:
        self.live = live
        self.random = Random(seed)
        self.made = 0
        self.scenarios = 0
        self.ends: Counter[str] = Counter()
        self.answers: Counter[str] = Counter()
        self.missing: list[str] = []
        self.leaders: set[int] = set()
        self._parts: dict[int, dict[str, Areas]] = {}

    def targets(self) -> Areas:
        """Where one of the drivers has one of its parts; its workers have it there too."""
        pids = driver_pids(self.live)
        self.leaders.update(pids)
        self._parts = {pid: self._parts.get(pid) or parts_of(pid) for pid in pids}
        if not pids:
            return []
        parts = self._parts[self.random.choice(pids)]
        return parts.get(self.random.choice(PARTS)) or parts["anonymous"]

    def one(self) -> None:
        """Run one scenario and see that each of its calls has an outcome."""
        scenario = hostile_scenario(self.random, self.scenarios, self.targets(), MOST)
        self.scenarios += 1
        played = self.live.run(scenario)
        done, all_ = len(played.outcomes), len(scenario.steps)
        if played.error is None:
            self.ends["every call answered"] += 1
            complete = done == all_
        else:
            where, _, what = played.error.partition("): ")
            self.ends[re.sub(r"0x[0-9a-f]+|\d{4,}", "N", what or where)[:70]] += 1
            expected = "after the last step" if done == all_ else f"step {done + 1}"
            complete = played.error.startswith(expected) or played.error.startswith("the process answered nonsense")
        if not complete:
            self.missing.append(f"{scenario.name}: {done} of {all_} outcomes, {played.error}")
        hostile = all_ - AROUND
        reported = min(hostile, max(0, done - AROUND + 1))
        # The call that ended the process was made too.
        self.made += min(hostile, reported + (played.error is not None and done >= AROUND - 1))
        self.answers.update(name_of(outcome) for outcome in played.outcomes[AROUND - 1 :])

    def fine(self) -> bool:
        """Whether a scenario with nothing hostile in it is answered as ever."""
        played = self.live.run(FINE)
        return played.error is None and played.outcomes[-1].values == (0, 7000)


def name_of(outcome: Outcome) -> str:
    """What a call answered."""
    return outcome.errno or "success"


def main(count: int, seed: int) -> int:
    files = open_files()
    start = lap = time.monotonic()
    with Live(time_limit=1.0) as live:
        run = Run(live, seed)
        live.run(FINE)
        before, following = 0, EVERY
        well = True
        print("   calls    seconds  calls/s  this one MiB  drivers MiB  files  processes  drivers so far", flush=True)
        while run.made < count:
            run.one()
            if run.made >= following or run.made >= count:
                now = time.monotonic()
                well = run.fine() and well
                memory = sum(map(megabytes, driver_pids(live)))
                print(
                    f"{run.made:>8}  {now - start:>9.1f}  {(run.made - before) / (now - lap):>7.0f}"
                    f"  {megabytes(os.getpid()):>12.1f}  {memory:>11.1f}  {open_files() - files:>5}"
                    f"  {len(descendants(os.getpid())):>9}  {len(run.leaders):>14}",
                    flush=True,
                )
                before, lap, following = run.made, now, run.made + EVERY
        run.targets()
    seconds = time.monotonic() - start
    print(f"\n{run.scenarios} scenarios, {run.made} hostile calls in {seconds:.0f} s: {run.made / seconds:.0f} calls/s")
    for title, counter in (("scenarios ended so", run.ends), ("calls answered", run.answers)):
        print(f"\n{title}:")
        for what, times in counter.most_common():
            print(f"{times:>8}  {what}")
    alive = {pid for leader in run.leaders for pid in in_session(leader)}
    leaked = open_files() - files
    print(f"\noutcomes missing: {len(run.missing)}; a fine scenario was answered as ever: {'yes' if well else 'NO'}")
    print(f"{len(run.leaders)} drivers; still alive: {len(alive)}; files left open: {leaked}")
    for one in run.missing[:20]:
        print(one)
    return 1 if alive or leaked or run.missing or not well else 0


if __name__ == "__main__":
    arguments = [int(argument) for argument in sys.argv[1:]]
    sys.exit(main(arguments[0] if arguments else 1_000_000, arguments[1] if len(arguments) > 1 else 1))
