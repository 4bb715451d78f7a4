"""Whether there can be a live machine here, and what this kernel can do: found out by trying, never by its name.

(A sandbox may call itself Linux 6.18 and answer as an older kernel.)
"""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Callable, Mapping

from attrs import field, frozen

from vmalab.linux.addr import PAGE, page
from vmalab.linux.call import Madvise, Mmap, Mremap, Mseal, Read, Touch, Uffd
from vmalab.linux.flags import MREMAP_FIXED, MREMAP_MAYMOVE, PROT_READ
from vmalab.machines.machine import Played
from vmalab.programs.scenario import Scenario

SWITCH = "VMALAB_LIVE"


def why_unavailable() -> str | None:
    """One sentence if this system can't have a live machine; None if it may."""
    if os.environ.get(SWITCH, "").strip().lower() in ("off", "0", "no", "false"):
        return f"the live machine is switched off ({SWITCH}={os.environ[SWITCH]})"
    if sys.platform != "linux":
        return f"the live machine needs Linux, and this is {platform.system() or sys.platform}"
    if platform.machine() not in ("x86_64", "AMD64") or sys.maxsize < 1 << 32:
        return f"the live machine knows the system calls of 64-bit x86, and this is {platform.machine()}"
    if os.sysconf("SC_PAGESIZE") != PAGE:
        return f"the live machine needs pages of {PAGE} bytes, and here they have {os.sysconf('SC_PAGESIZE')}"
    if not sys.executable:
        return "the live machine needs an interpreter that it can start, and this program has none"
    return None


@frozen
class Abilities:
    """What this machine's kernel can do for the program that asked.

    `multi_vma_move`: one mremap moves several VMAs (Linux 6.17).  `userfaultfd`: it may be opened.  `mseal`: Linux
    6.10.  `guard_regions`: MADV_GUARD_INSTALL, Linux 6.13.  `notes`: for what is missing, what the kernel said.
    """

    release: str
    multi_vma_move: bool
    userfaultfd: bool
    mseal: bool
    guard_regions: bool
    notes: Mapping[str, str] = field(factory=dict, hash=False)


_MAPPED = Mmap(page(0), 2 * PAGE)

PROBES: Mapping[str, Scenario] = {
    "multi_vma_move": Scenario(
        "multi_vma_move",
        (
            _MAPPED,
            Mmap(page(3), PAGE, PROT_READ),
            Mremap(page(0), 4 * PAGE, 4 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, page(8)),
        ),
    ),
    "userfaultfd": Scenario("userfaultfd", (_MAPPED, Uffd(page(0), PAGE), Read(page(0), PAGE))),
    "mseal": Scenario("mseal", (_MAPPED, Mseal(page(0), PAGE))),
    "guard_regions": Scenario(
        "guard_regions", (_MAPPED, Madvise(page(0), PAGE, "guard_install"), Touch(page(0), PAGE))
    ),
}
"""A small program for each ability; its last call, or the one before it, tells."""

_SHOULD_END_WITH = {"userfaultfd": "UFFD", "guard_regions": "SEGV"}


def abilities(release: str, run: Callable[[Scenario], Played]) -> Abilities:
    """Try every probe with `run`."""
    notes: dict[str, str] = {}
    for name, scenario in PROBES.items():
        played = run(scenario)
        errnos = [outcome.errno for outcome in played.outcomes]
        if played.error:
            notes[name] = played.error
        elif errnos != [None] * (len(errnos) - 1) + [_SHOULD_END_WITH.get(name)]:
            notes[name] = next((errno for errno in errnos if errno), "the kernel takes it and it has no effect")
    return Abilities(release, **{name: name not in notes for name in PROBES}, notes=notes)
