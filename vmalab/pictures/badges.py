"""What a VMA is beside its rights and its pages: badges, by the kernel's two letters and by name.

From the VmFlags of smaps, which every machine tells at the end, and from what only the model knows (guards).
"""

from __future__ import annotations

from vmalab.linux.addr import PAGE
from vmalab.machines.outcome import Row
from vmalab.programs.calltext import size

BADGES = {
    "sl": "sealed",
    "lo": "locked",
    "um": "userfaultfd",
    "uw": "userfaultfd, writes",
    "dc": "dontfork",
    "wf": "wipeonfork",
    "gd": "grows down",
    "hg": "huge",
    "nh": "never huge",
}
"""Two letters of VmFlags (man proc_pid_smaps) → what a badge says."""

GUARD = "gu"
"""How a guard is marked where there is no room for its name."""


def badges_of(row: Row) -> tuple[tuple[str, str], ...]:
    """(two letters, name) of each badge of a VMA."""
    found = [(code, name) for code, name in BADGES.items() if code in row.flags]
    if row.guards:
        found.append((GUARD, "guard"))
    return tuple(found)


def badge_words(row: Row) -> str:
    """The badges in words: `sealed, locked, guards in 2 pages`; nothing where there are none."""
    said = [name for code, name in badges_of(row) if code != GUARD]
    if row.guards:
        said.append(f"guards in {size(sum(end - start for start, end in row.guards) * PAGE)}")
    return ", ".join(said)
