"""Add what `python -m tests.kernels --trace` has recorded to `data/traces/`.

    python -m tests.tools.merge_traces FOLDER

FOLDER holds RELEASE.json.xz and scenarios.json.xz, as that command writes them.  A program that is there already gets
its new trace; others are added behind.
"""

from __future__ import annotations

import json
import lzma
import sys
from pathlib import Path
from typing import Any

from vmalab.linux.call import Mlockall, Munlockall
from vmalab.linux.flags import MCL_CURRENT
from vmalab.machines.recorded import SCENARIOS, SUFFIX
from vmalab.programs.scenario import Scenario, dumps, load_scenarios

TRACES = Path(__file__).parents[2] / "data" / "traces"


def read(path: Path) -> Any:
    return json.loads(lzma.decompress(path.read_bytes()))


def speaks_of_others(scenario: Scenario) -> bool:
    """Whether a call works on all that the tracing process has mapped, or (munlockall) has no entry that is traced."""
    return any(
        isinstance(call, Munlockall) or (isinstance(call, Mlockall) and call.flags & MCL_CURRENT)
        for call in scenario.steps
    )


def main(folder: Path) -> int:
    new = {one.name: one for one in load_scenarios(folder / SCENARIOS) if not speaks_of_others(one)}
    programs = {one.name: one for one in load_scenarios(TRACES / SCENARIOS)} | new
    for path in sorted(folder.glob(f"[0-9]*{SUFFIX}")):
        there, found = read(TRACES / path.name), read(path)
        results = {one["name"]: one for one in there["results"]}
        results |= {one["name"]: one for one in found["results"] if one["name"] in new}
        there["trace"] = found["trace"]
        there["results"] = [{"name": one["name"], "steps": [{"trace": step.get("trace")} for step in one["steps"]]}
                            for one in (results[name] for name in programs)]  # fmt: skip
        text = json.dumps(there, separators=(",", ":"), ensure_ascii=True)
        (TRACES / path.name).write_bytes(lzma.compress(text.encode("ascii"), preset=9 | lzma.PRESET_EXTREME))
    packed = lzma.compress(dumps(programs.values()).encode(), preset=9 | lzma.PRESET_EXTREME)
    (TRACES / SCENARIOS).write_bytes(packed)
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
