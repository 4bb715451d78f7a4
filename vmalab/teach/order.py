"""In which order mremap checks: from the model's tables, and tried out on calls in which several things are wrong."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from attrs import evolve

from vmalab.linux.addr import PAGE, TASK_SIZE, page
from vmalab.linux.call import Call, Limit, Mmap, Mremap, Mseal
from vmalab.linux.flags import MREMAP_FIXED, MREMAP_MAYMOVE
from vmalab.linux.mm.mremap_checks import AFTER_LOOKUP, BEFORE_LOOKUP
from vmalab.linux.profile import profile
from vmalab.machines.outcome import Outcome
from vmalab.machines.program import scenario_of
from vmalab.pictures.table import Table
from vmalab.teach.answers import same_calls
from vmalab.teach.trials import Case, Tried, tried

_MOVE = MREMAP_MAYMOVE | MREMAP_FIXED

# --- from the tables -----------------------------------------------------------------------------------------

CHECKS: Mapping[str, str] = {
    "unknown_flags": "EINVAL: a flag that there is not",
    "addr_aligned": "EINVAL: addr is no page boundary",
    "new_len_not_zero": "EINVAL: new_len is 0",
    "new_len_fits": "EINVAL: new_len is longer than the address space",
    "target_fits": "EINVAL: the target ends beyond the address space",
    "new_addr_aligned": "EINVAL: new_addr is no page boundary",
    "maymove_given": "EINVAL: FIXED or DONTUNMAP without MAYMOVE",
    "fixed_has_maymove": "EINVAL: FIXED without MAYMOVE",
    "dontunmap_has_maymove": "EINVAL: DONTUNMAP without MAYMOVE",
    "dontunmap_raw_lengths": "EINVAL: DONTUNMAP with unequal lengths",
    "dontunmap_lengths": "EINVAL: DONTUNMAP with unequal lengths (in pages)",
    "no_overlap": "EINVAL: old and new range overlap",
    "map_count_early": "ENOMEM: too many VMAs already (up to 7.0 only where a target is named, since 7.1 always)",
    "vma_found": "EFAULT: nothing is mapped at addr",
    "not_sealed": "EPERM: the VMA is sealed (seals: since 6.10)",
}
"""The checks of `vmalab.linux.mm.mremap_checks` in words, by name."""

AFTERWARDS = (
    "then the destination is unmapped, and a tail that is cut off, and only now:",
    "EINVAL: old_len 0 on private memory",
    "EFAULT: the range leaves the VMA",
    "EAGAIN: locked memory beyond RLIMIT_MEMLOCK",
    "ENOMEM: beyond RLIMIT_AS",
)


def order_of_checks() -> Table:
    """What mremap checks, in which order, a column for each group of releases, from the model's own tables."""
    columns = {
        releases: [
            CHECKS[name]
            for check in (*BEFORE_LOOKUP[releases], *AFTER_LOOKUP[releases])
            if (name := check.__name__.strip("_")) in CHECKS
        ]
        for releases in BEFORE_LOOKUP
    }
    for releases, column in columns.items():
        first, *rest = AFTERWARDS
        if AFTER_LOOKUP[releases]:
            column += [first, *rest]
        else:  # since 6.17 nothing is unmapped before all is checked
            column += [CHECKS["vma_found"], CHECKS["not_sealed"], *rest, "then the destination is unmapped"]
    rows = [
        (str(number), *(column[number - 1] if number <= len(column) else "" for column in columns.values()))
        for number in range(1, max(map(len, columns.values())) + 1)
    ]
    return Table("The first check that fails decides", ("", *(f"Linux {one}" for one in columns)), rows)


# --- two things are wrong ------------------------------------------------------------------------------------

_HERE = (Mmap(page(0), 2 * PAGE),)
_SEALED = (*_HERE, Mseal(page(0), 2 * PAGE))
FAULTY: tuple[Case, ...] = (
    ("flags unknown, and nothing mapped", (*_HERE, Mremap(page(32), PAGE, PAGE, 1 << 10))),
    ("addr unaligned, and nothing mapped", (*_HERE, Mremap(page(32) + 1, PAGE, PAGE, _MOVE, page(64)))),
    ("new_len zero, and nothing mapped", (*_HERE, Mremap(page(32), PAGE, 0, _MOVE, page(64)))),
    ("target unaligned, and nothing mapped", (*_HERE, Mremap(page(32), PAGE, PAGE, _MOVE, page(64) + 1))),
    ("target too high, and nothing mapped", (*_HERE, Mremap(page(32), PAGE, PAGE, _MOVE, TASK_SIZE))),
    ("ranges overlap, and nothing mapped", (*_HERE, Mremap(page(32), 2 * PAGE, 2 * PAGE, _MOVE, page(33)))),
    ("new_len too long, and nothing mapped", (*_HERE, Mremap(page(32), PAGE, TASK_SIZE + PAGE, MREMAP_MAYMOVE))),
    ("ranges overlap, and the VMA is sealed", (*_SEALED, Mremap(page(0), 2 * PAGE, 2 * PAGE, _MOVE, page(1)))),
    ("range leaves the VMA, and the VMA is sealed", (*_SEALED, Mremap(page(0), 3 * PAGE, 4 * PAGE, MREMAP_MAYMOVE))),
    ("range leaves the VMA, and no MAYMOVE", (*_HERE, Mremap(page(0), 3 * PAGE, 4 * PAGE))),
)
"""Calls with two things wrong at once."""


def errno_rules(*series: str) -> Table:
    """Which errno a call gets that is wrong in two ways, release by release; held against kernels."""
    return tried("Two things are wrong: which errno wins?", "what is wrong", FAULTY, series)


# --- everything is wrong -------------------------------------------------------------------------------------

RIGHT = Mremap(page(1), 3 * PAGE, 3 * PAGE, _MOVE, page(64))
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
    trying, rows = Tried(), []
    for mended in range(len(FAULTS) + 1):
        scenario = scenario_of(program(mended))
        for release in series:
            trying.on(release, scenario)
        name = list(FAULTS)[mended - 1] if mended else "nothing"
        rows.append((name, *(_told(same_calls(scenario, release)) for release in series)))
    heads = ("mended", *(str(profile(release)) for release in series))
    return Table("A call with nine faults: each row mends one more", heads, rows, trying.verdict)


def _told(outcome: Outcome) -> str:
    rule = outcome.rule  # only a model that tells its steps has one
    if rule is None:
        return "✓ works"
    return f"{rule.errno}: {rule.values.get('what', '')} {rule.key}".replace("_", " ").replace(":  ", ": ")
