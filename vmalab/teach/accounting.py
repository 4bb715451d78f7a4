"""What a process is charged for after a program: its VMAs, VmSize and VmLck, as the models count them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from vmalab.errors import UsageError
from vmalab.linux.addr import PAGE
from vmalab.linux.mm.space import AddressSpace
from vmalab.machines.model import Model
from vmalab.machines.program import Program, scenario_of
from vmalab.pictures.table import Table

COUNTED: Mapping[str, Callable[[AddressSpace], int]] = {
    "VMAs": lambda mm: mm.map_count,
    "VmSize, pages": lambda mm: mm.total_vm,
    "VmLck, pages": lambda mm: mm.locked_vm,
}
"""Counter → how the model's address space tells it."""


def counters(program: Program, *series: str) -> Table:
    """The counters after the program on the model of each release.  Raises UsageError without a release."""
    if not series:
        raise UsageError('counters needs the releases to ask, such as counters(vm, "6.17", "7.3")')
    scenario = scenario_of(program)
    spaces = []
    for release in series:
        vm = Model(release, privileged=not scenario.unprivileged, trace=False)
        for call in scenario.steps:
            vm.do(call)
        spaces.append(vm.mm)
    rows = [(name, *(str(count(mm)) for mm in spaces)) for name, count in COUNTED.items()]
    heads = ("counter", *(f"Linux {release}" for release in series))
    verdict = f"Counted by the models, pages of {PAGE} bytes. A process finds its own in /proc/self/status."
    return Table("What the process is charged for", heads, rows, verdict)
