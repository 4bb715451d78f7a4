"""vmalab: what Linux's mremap(2) really does to a process's virtual memory areas (VMAs).

    from vmalab import Model, page, PAGE, MREMAP_MAYMOVE, MREMAP_FIXED
    vm = Model("6.18")
    vm.mmap(page(0), 2 * PAGE); vm.mmap(page(3), 2 * PAGE, "r")
    vm.mremap(page(0), 5 * PAGE, 5 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, page(64))

Everything is loaded when it is first used, so that importing the package costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vmalab.linux.addr import PAGE, page
    from vmalab.linux.flags import MREMAP_DONTUNMAP, MREMAP_FIXED, MREMAP_MAYMOVE
    from vmalab.linux.profile import KernelProfile, behaviours, profile
    from vmalab.machines.live import Live
    from vmalab.machines.model import Model
    from vmalab.machines.outcome import Outcome, Snapshot
    from vmalab.machines.recorded import Recorded
    from vmalab.programs.scenario import load_scenarios

__version__ = "0.1.0"

_HOMES = {
    "KernelProfile": "vmalab.linux.profile",
    "Live": "vmalab.machines.live",
    "MREMAP_DONTUNMAP": "vmalab.linux.flags",
    "MREMAP_FIXED": "vmalab.linux.flags",
    "MREMAP_MAYMOVE": "vmalab.linux.flags",
    "Model": "vmalab.machines.model",
    "Outcome": "vmalab.machines.outcome",
    "PAGE": "vmalab.linux.addr",
    "Recorded": "vmalab.machines.recorded",
    "Snapshot": "vmalab.machines.outcome",
    "behaviours": "vmalab.linux.profile",
    "load_scenarios": "vmalab.programs.scenario",
    "page": "vmalab.linux.addr",
    "profile": "vmalab.linux.profile",
}

__all__ = [
    "MREMAP_DONTUNMAP",
    "MREMAP_FIXED",
    "MREMAP_MAYMOVE",
    "PAGE",
    "KernelProfile",
    "Live",
    "Model",
    "Outcome",
    "Recorded",
    "Snapshot",
    "behaviours",
    "load_scenarios",
    "page",
    "profile",
]


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
