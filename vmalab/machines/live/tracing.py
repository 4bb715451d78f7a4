"""Recording with the kernel's own trace of each call, on this machine: for root only, and nothing else may use ftrace.

The tracer belongs to the whole system, so this is no ability of `Live`: one process records, and puts it back.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from vmalab.errors import LiveUnavailable
from vmalab.machines.live.availability import why_unavailable
from vmalab.machines.live.process import BOOT
from vmalab.machines.live.wire import asked
from vmalab.programs.scenario import Scenario


def record_traced(scenarios: Iterable[Scenario]) -> dict[str, Any]:
    """The outcome document of `scenarios` on this kernel; each step has the key `trace` where the kernel traced it.

    The document's key `trace` lists the functions that this kernel can trace (`traceable`) and those whose errno it
    tells (`returning`).  Raises LiveUnavailable, in one sentence, where that can't be done.
    """
    if reason := why_unavailable():
        raise LiveUnavailable(reason)
    command = [sys.executable, "-I", "-S", "-c", BOOT, str(Path(__file__).parent), "record", "-", "--trace"]
    request = json.dumps(list(map(asked, scenarios)))
    done = subprocess.run(command, input=request, capture_output=True, text=True, check=False)
    if done.returncode:
        said = done.stderr.strip().splitlines()
        raise LiveUnavailable(f"nothing was traced: {said[-1] if said else 'no reason given'}")
    return dict(json.loads(done.stdout))
