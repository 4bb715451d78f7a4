"""An address space as a process's maps show it: `begin(entries, profile)`.

What maps and smaps do not show is taken as it most often is: private memory that may be written has been written,
unless smaps counts no private page in it.
"""

from __future__ import annotations

from collections.abc import Iterable

from vmalab.linux.addr import PAGE_SHIFT, TASK_SIZE
from vmalab.linux.flags import (
    SMAPS_CODES,
    VM_ACCOUNT,
    VM_EXEC,
    VM_GROWSDOWN,
    VM_MAYEXEC,
    VM_MAYREAD,
    VM_MAYSHARE,
    VM_MAYWRITE,
    VM_READ,
    VM_SHARED,
    VM_WRITE,
)
from vmalab.linux.mm.space import MMAP_BASE, AddressSpace
from vmalab.linux.mm.vma import VMA, File
from vmalab.linux.profile import KernelProfile
from vmalab.programs.procmaps import Entry

ENDLESS = 1 << 51
"""Pages of a file whose size nobody knows."""

_BITS = {code: bit for bit, code in SMAPS_CODES.items()}


def begin(entries: Iterable[Entry], followed: KernelProfile, *, trace: bool = False) -> AddressSpace:
    """The address space with the VMAs `entries`; those above user space ([vsyscall]) are no VMAs.  O(n log n)."""
    mm = AddressSpace(followed, privileged=True, trace=trace)
    vmas = []
    for entry in entries:
        if entry.start >= TASK_SIZE:
            continue
        file = file_of(mm, entry)
        flags = flags_of(entry)
        written = entry.anonymous if entry.anonymous is not None else (entry.codes is None and bool(flags & VM_WRITE))
        if flags & VM_SHARED or (entry.is_special and not entry.is_anonymous):
            written = False
        anon_vma = mm.new_anon_vma() if written else None
        pgoff = entry.offset >> PAGE_SHIFT if file is not None else entry.start >> PAGE_SHIFT
        chain = () if anon_vma is None else (anon_vma,)
        vma = VMA(entry.start, entry.end, pgoff, flags, file, anon_vma, chain, mm.new_id())
        vmas.append(vma)
        mm.vm_stat_account(flags, vma.pages)
        if "lo" in (entry.codes or ()):
            mm.locked_vm += vma.pages
    mm.replace("exec", "begun", (), vmas)
    mm.mmap_base = mmap_base_of(vmas)
    return mm


def flags_of(entry: Entry) -> int:
    """The VM_* bits: by the VmFlags of smaps, or by the permissions alone."""
    if entry.codes is not None:
        return sum(_BITS[code] for code in entry.codes if code in _BITS)
    flags = VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC
    for letter, bit in (("r", VM_READ), ("w", VM_WRITE), ("x", VM_EXEC)):
        flags |= bit if letter in entry.perms else 0
    if entry.perms.endswith("s"):
        flags |= VM_MAYSHARE | VM_SHARED
        if not flags & VM_WRITE:  # most often opened for reading only
            flags &= ~(VM_SHARED | VM_MAYWRITE)
    elif flags & VM_WRITE:
        flags |= VM_ACCOUNT
    return flags | (VM_GROWSDOWN if entry.name == "[stack]" else 0)


def kind_of(name: str) -> str:
    """What kind of `File` a name in maps stands for."""
    if name.startswith(("[", "anon_inode:")):
        return "special"
    if name.startswith("/dev/zero"):
        return "zero" if name == "/dev/zero" else "shmem"
    return "memfd" if name.startswith(("/memfd:", "/dev/shm/", "/SYSV", "/run/", "/tmp/.")) else "disk"


def file_of(mm: AddressSpace, entry: Entry) -> File | None:
    """The file of an entry, one for each name and inode; None for anonymous memory."""
    if entry.is_anonymous:
        return None
    key = f"{entry.name} {entry.device} {entry.inode}"
    if key not in mm.files:
        mm.files[key] = File(entry.name, kind_of(entry.name), ENDLESS)
    return mm.files[key]


def mmap_base_of(vmas: list[VMA]) -> int:
    """Where the search for free space began, as far as the first mappings tell: the end of the highest one below the
    stack.  What exec maps first, the loader, lies right below it."""
    stack = next((vma.start for vma in vmas if vma.flags & VM_GROWSDOWN), TASK_SIZE)
    below = [vma.end for vma in vmas if vma.end <= stack and vma.start >= 1 << 46]
    return max(below) if below else MMAP_BASE
