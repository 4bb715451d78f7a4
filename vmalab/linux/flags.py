"""The flag words of the system calls and of a VMA, under their kernel names.

Plain integers, as in the kernel's headers: they are combined and tested on every step of the model, where an
enum would cost ten times the operation itself.  `names` turns a word back into text.
"""

from __future__ import annotations

from collections.abc import Mapping

from vmalab.errors import UsageError

# mmap(2), mprotect(2): include/uapi/asm-generic/mman-common.h
PROT_NONE, PROT_READ, PROT_WRITE, PROT_EXEC = 0, 1, 2, 4

# mremap(2): include/uapi/linux/mman.h
MREMAP_MAYMOVE, MREMAP_FIXED, MREMAP_DONTUNMAP = 1, 2, 4
MREMAP_FLAGS: Mapping[str, int] = {
    "MREMAP_MAYMOVE": MREMAP_MAYMOVE,
    "MREMAP_FIXED": MREMAP_FIXED,
    "MREMAP_DONTUNMAP": MREMAP_DONTUNMAP,
}

# mlockall(2): include/uapi/asm-generic/mman.h
MCL_CURRENT, MCL_FUTURE, MCL_ONFAULT = 1, 2, 4
MCL_FLAGS: Mapping[str, int] = {"MCL_CURRENT": MCL_CURRENT, "MCL_FUTURE": MCL_FUTURE, "MCL_ONFAULT": MCL_ONFAULT}

# fcntl(2), F_ADD_SEALS: include/uapi/linux/fcntl.h
F_SEAL_SEAL, F_SEAL_SHRINK, F_SEAL_GROW, F_SEAL_WRITE, F_SEAL_FUTURE_WRITE = 1, 2, 4, 8, 16
SEALED_AGAINST_WRITING = F_SEAL_WRITE | F_SEAL_FUTURE_WRITE
"""Either of them forbids new writable shared mappings."""
SEALS: Mapping[str, int] = {
    "F_SEAL_SEAL": F_SEAL_SEAL, "F_SEAL_SHRINK": F_SEAL_SHRINK, "F_SEAL_GROW": F_SEAL_GROW,
    "F_SEAL_WRITE": F_SEAL_WRITE, "F_SEAL_FUTURE_WRITE": F_SEAL_FUTURE_WRITE,
}  # fmt: skip

# struct vm_area_struct, vm_flags: include/linux/mm.h.  The values are those of 64-bit x86 up to Linux 6.18.
VM_READ, VM_WRITE, VM_EXEC, VM_SHARED = 0x1, 0x2, 0x4, 0x8
VM_MAYREAD, VM_MAYWRITE, VM_MAYEXEC, VM_MAYSHARE = 0x10, 0x20, 0x40, 0x80
VM_GROWSDOWN = 0x100
VM_UFFD_MISSING = 0x200
VM_UFFD_WP = 0x1000
VM_UFFD = VM_UFFD_MISSING | VM_UFFD_WP
VM_MAYBE_GUARD = 0x800
VM_LOCKED = 0x2000
VM_SEQ_READ, VM_RAND_READ = 0x8000, 0x1_0000
VM_DONTCOPY, VM_DONTEXPAND = 0x2_0000, 0x4_0000
VM_LOCKONFAULT, VM_ACCOUNT, VM_NORESERVE = 0x8_0000, 0x10_0000, 0x20_0000
VM_WIPEONFORK = 0x200_0000
VM_DONTDUMP = 0x400_0000
VM_HUGEPAGE, VM_NOHUGEPAGE = 0x2000_0000, 0x4000_0000
VM_SEALED = 1 << 63

VM_ACCESS = VM_READ | VM_WRITE | VM_EXEC

SMAPS_CODES: Mapping[int, str] = {
    VM_READ: "rd",
    VM_WRITE: "wr",
    VM_EXEC: "ex",
    VM_SHARED: "sh",
    VM_MAYREAD: "mr",
    VM_MAYWRITE: "mw",
    VM_MAYEXEC: "me",
    VM_MAYSHARE: "ms",
    VM_GROWSDOWN: "gd",
    VM_UFFD_MISSING: "um",
    VM_UFFD_WP: "uw",
    VM_MAYBE_GUARD: "gu",
    VM_LOCKED: "lo",
    VM_SEQ_READ: "sr",
    VM_RAND_READ: "rr",
    VM_DONTCOPY: "dc",
    VM_DONTEXPAND: "de",
    VM_LOCKONFAULT: "lf",
    VM_ACCOUNT: "ac",
    VM_NORESERVE: "nr",
    VM_WIPEONFORK: "wf",
    VM_DONTDUMP: "dd",
    VM_HUGEPAGE: "hg",
    VM_NOHUGEPAGE: "nh",
    VM_SEALED: "sl",
}
"""Each vm_flags bit that the model knows, with its two letters in the VmFlags line of smaps (man proc_pid_smaps)."""

PROT_LETTERS = {"r": PROT_READ, "w": PROT_WRITE, "x": PROT_EXEC}


def prot_from_letters(letters: str) -> int:
    """`"rw"` → PROT_READ | PROT_WRITE; raises UsageError for anything but r, w, x, each at most once.

    >>> prot_from_letters("rx")
    5
    """
    word = 0
    for letter in letters:
        bit = PROT_LETTERS.get(letter)
        if bit is None or word & bit:
            raise UsageError(f"prot is made of the letters r, w, x, each at most once, not {letters!r}")
        word |= bit
    return word


def prot_letters(prot: int) -> str:
    """The letters of a PROT_* word, the inverse of `prot_from_letters`."""
    return "".join(letter for letter, bit in PROT_LETTERS.items() if prot & bit)


def perms(vm_flags: int) -> str:
    """The four letters of /proc/PID/maps (`s` follows VM_MAYSHARE, as fs/proc/task_mmu.c has it).

    >>> perms(VM_READ | VM_WRITE)
    'rw-p'
    """
    return (
        ("r" if vm_flags & VM_READ else "-")
        + ("w" if vm_flags & VM_WRITE else "-")
        + ("x" if vm_flags & VM_EXEC else "-")
        + ("s" if vm_flags & VM_MAYSHARE else "p")
    )


def smaps_codes(vm_flags: int) -> tuple[str, ...]:
    """The two-letter codes of all set bits, sorted."""
    return tuple(sorted(code for bit, code in SMAPS_CODES.items() if vm_flags & bit))


def mremap_flags_text(flags: int) -> str:
    """`flags` of mremap(2) as C source: `MREMAP_MAYMOVE | MREMAP_FIXED`, `0`, or with the unknown bits in hex."""
    return _flags_text(flags, MREMAP_FLAGS)


def mcl_flags_text(flags: int) -> str:
    """`flags` of mlockall(2) as C source, likewise."""
    return _flags_text(flags, MCL_FLAGS)


def seals_text(seals: int) -> str:
    """`seals` of fcntl(2) as C source, likewise."""
    return _flags_text(seals, SEALS)


def _flags_text(flags: int, known: Mapping[str, int]) -> str:
    parts = [name for name, bit in known.items() if flags & bit]
    if rest := flags & ~sum(known.values()):
        parts.append(hex(rest))
    return " | ".join(parts) or "0"
