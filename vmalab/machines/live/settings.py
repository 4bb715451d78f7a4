"""This machine's settings, read from where the kernel shows them, for a model that is held against its kernel."""

from __future__ import annotations

import re
from typing import Any

from vmalab.errors import VmalabError
from vmalab.linux.addr import PAGE
from vmalab.linux.settings import Settings, chosen
from vmalab.machines.machine import Machine
from vmalab.machines.model import Model

SYSCTLS = ("mmap_min_addr", "max_map_count", "overcommit_memory")
ENABLED = "/sys/kernel/mm/transparent_hugepage/enabled"


def _read(path: str) -> str:
    """What a small file holds, or nothing where this system does not show it."""
    try:
        with open(path, encoding="ascii", errors="replace") as file:
            return file.read()
    except OSError:
        return ""


def settings_here() -> Settings:
    """The settings of this machine; what it does not show, or the model does not know, is as Linux has it by itself."""
    found: dict[str, Any] = {}
    for name in SYSCTLS:
        if (text := _read(f"/proc/sys/vm/{name}").strip()).isdecimal():
            found[name] = int(text)
    memory = re.findall(r"^(?:MemTotal|SwapTotal): +(\d+) kB$", _read("/proc/meminfo"), re.MULTILINE)
    if memory:
        found["memory"] = sum(map(int, memory)) * 1024 // PAGE
    if enabled := chosen(_read(ENABLED)):
        found["transparent_hugepage"] = enabled
    elif found:
        found["transparent_hugepage"] = "never"  # this kernel has none
    known = {}
    for name, value in found.items():
        try:
            Settings(**{name: value})
        except VmalabError:
            continue
        known[name] = value
    return Settings(**known)


def held_together(one: Machine, other: Machine) -> tuple[Machine, Machine]:
    """Two machines that are to be compared: a model beside this machine's kernel has this machine's settings."""
    if "live" not in (one.name, other.name):
        return one, other
    here = settings_here()
    a, b = (machine.under(here) if isinstance(machine, Model) else machine for machine in (one, other))
    return a, b
