"""In which order mremap complains, tried out on a call with everything wrong, one fault after the other mended."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from attrs import evolve

from vmalab.addr import PAGE, page
from vmalab.call import Call, Limit, Mmap, Mremap, Mseal
from vmalab.flags import MREMAP_FIXED, MREMAP_MAYMOVE
from vmalab.outcome import Outcome
from vmalab.profile import profile
from vmalab.program import scenario_of
from vmalab.teach.answers import same_calls
from vmalab.teach.table import Table
from vmalab.teach.tried import Tried

RIGHT = Mremap(page(1), 3 * PAGE, 3 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, page(64))
"""The call with nothing wrong; what it moves lies on pages 1 to 3."""

FAULTS: Mapping[str, Callable[[Mremap], Mremap]] = {
    "the unknown flag": lambda call: evolve(call, flags=call.flags | 0x100),
    "old_address off a page": lambda call: evolve(call, addr=call.addr + 8),
    "new_size of 0": lambda call: evolve(call, new_len=0),
    "new_address off a page": lambda call: evolve(call, new_addr=call.new_addr + 8),
    "no MREMAP_MAYMOVE": lambda call: evolve(call, flags=call.flags & ~MREMAP_MAYMOVE),
    "the overlap": lambda call: evolve(call, new_addr=page(2) + call.new_addr % PAGE),
    "too many VMAs": lambda call: call,
    "the gap at the start": lambda call: evolve(call, addr=page(0) + call.addr % PAGE, old_len=call.old_len + PAGE),
    "the seal": lambda call: call,
}
"""What is wrong, in the order in which Linux 6.17 comes upon it, and what it makes of the call."""


def program(mended: int) -> tuple[Call, ...]:
    """A VMA, and a call with all faults but the first `mended`."""
    left = list(FAULTS)[mended:]
    call = RIGHT
    for name in reversed(left):  # what is aligned wrongly stays so when the address changes
        call = FAULTS[name](call)
    if call.new_len:
        call = evolve(call, new_len=call.old_len)
    calls: list[Call] = [Mmap(page(1), 3 * PAGE)]
    calls += [Mseal(page(1), 3 * PAGE)] if "the seal" in left else []
    calls += [Limit("map_count", 0)] if "too many VMAs" in left else []
    return (*calls, call)


def complaints(*series: str) -> Table:
    """What a call with nine faults is refused for, then with the first one mended, and so on; by release."""
    tried, rows = Tried(), []
    for mended in range(len(FAULTS) + 1):
        scenario = scenario_of(program(mended))
        for release in series:
            tried.on(release, scenario)
        name = list(FAULTS)[mended - 1] if mended else "nothing"
        rows.append((name, *(_told(same_calls(scenario, release)) for release in series)))
    heads = ("mended", *(str(profile(release)) for release in series))
    return Table("A call with nine faults: each row mends one more", heads, rows, tried.verdict)


def _told(outcome: Outcome) -> str:
    rule = outcome.rule  # only a model that tells its steps has one
    return "✓ works" if rule is None else f"{rule.errno}: {rule.key.replace('_', ' ')}"
