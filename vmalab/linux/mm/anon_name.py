"""prctl(2) with PR_SET_VMA_ANON_NAME: names of anonymous memory (kernel/sys.c, mm/madvise.c).

Every kernel that was measured is built without CONFIG_ANON_VMA_NAME, as Debian builds it: there is no such prctl then.
"""

from __future__ import annotations

from vmalab.linux.mm.space import AddressSpace
from vmalab.linux.mm.trace import Refusal


def prctl_set_vma(mm: AddressSpace, address: int, length: int, label: str | None) -> int:
    """Call the anonymous memory of `length` bytes from `address` `label`.

    Errors: EINVAL, always: the kernel is built without names (prctl_set_vma(), kernel/sys.c).
    """
    raise Refusal("EINVAL", "prctl", "no_anon_names", start=address, length=length)
