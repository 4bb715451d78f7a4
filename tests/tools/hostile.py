"""Ten thousand hostile live calls: does the parent live, is each outcome reported, is anything left behind?

usage: python tests/tools/hostile.py [SCENARIOS] [SEED]

Prints what came back, the rate, and what was found open or alive at the end; exit status 1 if that is anything.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from pathlib import Path
from random import Random

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.live.hostility import areas_of, driver_pids, hostile_scenario, in_session, open_files
from vmalab.machine import Scenario
from vmalab.machines.live import Live


def main(count: int, seed: int) -> int:
    random = Random(seed)
    ends: Counter[str] = Counter()
    leaders: set[int] = set()
    files = open_files()
    calls = 0
    start = time.monotonic()
    with Live(time_limit=1.0) as live:
        live.run(Scenario("hello", ()))
        for number in range(count):
            pids = driver_pids(live)
            leaders.update(pids)
            scenario = hostile_scenario(random, number, areas_of(random.choice(pids)) if pids else [])
            played = live.run(scenario)
            calls += len(scenario.steps)
            if played.error is None:
                assert len(played.outcomes) == len(scenario.steps)
                ends["every call answered"] += 1
            else:
                assert len(played.outcomes) <= len(scenario.steps)
                ends[(played.error.partition("): ")[2] or played.error).partition(" (")[0][:60]] += 1
        leaders.update(driver_pids(live))
        seconds = time.monotonic() - start
    for end, times in ends.most_common():
        print(f"{times:>7}  {end}")
    alive = {pid for leader in leaders for pid in in_session(leader)}
    leaked = open_files() - files
    print(f"{count} scenarios, {calls} calls in {seconds:.1f} s: {calls / seconds:.0f} calls/s")
    print(f"{len(leaders)} drivers; still alive: {len(alive)}; files left open: {leaked}")
    return 1 if alive or leaked else 0


if __name__ == "__main__":
    arguments = [int(argument) for argument in sys.argv[1:]]
    sys.exit(main(arguments[0] if arguments else 10_000, arguments[1] if len(arguments) > 1 else 1))
