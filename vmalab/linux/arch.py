"""`Arch`: what the processor's architecture decides: how many bytes a page has, and where addresses end.

Everywhere in this package a page counts as `PAGE` bytes and lies at `page(n)`.  On a machine with other pages a page is
one of its pages all the same, so that a program means the same everywhere; what such a machine counts in bytes (huge
pages, limits, the end of addresses) is other numbers of pages there, and those stand here.
"""

from __future__ import annotations

from attrs import frozen

from vmalab.errors import UsageError
from vmalab.linux.addr import ARENA_BASE, PAGE, PAGE_SHIFT, PMD_SIZE, PUD_SIZE, TASK_SIZE, WORD

_EIGHT_MIB = 8 << 20
_FAULT_AROUND = 64 << 10


@frozen
class Arch:
    """An architecture with one size of pages.

    `page_size`: bytes of one of its pages.  `task_size`, `pmd_size`, `pud_size`: where the addresses of a process end,
    and what a page of PTEs and one of PMD entries map, in bytes of this package (a page has `PAGE`).  `untags`: the
    first byte of an address is let out of account.
    """

    name: str = "x86_64"
    page_size: int = PAGE
    task_size: int = TASK_SIZE
    pmd_size: int = PMD_SIZE
    pud_size: int = PUD_SIZE
    untags: bool = False

    @property
    def huge(self) -> int:
        """Pages in a huge page."""
        return self.pmd_size >> PAGE_SHIFT

    @property
    def mmap_base(self) -> int:
        """Where the search for free space starts, downwards (mm->mmap_base; a fixed choice: no randomisation)."""
        return self.task_size - (128 << 20)

    @property
    def usual_limit(self) -> int:
        """Pages in 8 MiB: RLIMIT_MEMLOCK and RLIMIT_STACK as Linux sets them."""
        return _EIGHT_MIB // self.page_size

    @property
    def fault_around(self) -> int:
        """Pages of the page cache that one read fault may map (fault_around_bytes is 64 KiB)."""
        return _FAULT_AROUND // self.page_size

    def untagged(self, address: int) -> int:
        """An address as calls take it that let a tag pass: bit 55 goes on upwards (untagged_addr(), arch/arm64)."""
        if not self.untags:
            return address
        larger, low = self.page_size // PAGE, (1 << 56) - 1
        there = (ARENA_BASE + (address - ARENA_BASE) * larger) & WORD
        there = there | WORD ^ low if there >> 55 & 1 else there & low
        return ARENA_BASE + (there - ARENA_BASE) // larger

    def __str__(self) -> str:
        return self.name if self.page_size == PAGE else f"{self.name} with pages of {self.page_size >> 10} KiB"


X86_64 = Arch()
ARCHES = (
    X86_64,
    Arch("arm64", 4096, 1 << 48, untags=True),
    # 2048 entries in each table; addresses of 47 bits
    Arch("arm64", 16384, ARENA_BASE + ((1 << 47) - ARENA_BASE) // 4, 2048 * PAGE, 2048 * 2048 * PAGE, untags=True),
)
"""What was measured."""


def arch(name: str = "x86_64", page_size: int = PAGE) -> Arch:
    """The architecture of that name (`"x86_64"`, `"arm64"`) with pages of `page_size` bytes.  Raises UsageError for
    others than were measured.

    >>> arch("arm64", 16384).huge, arch("arm64", 16384).usual_limit
    (2048, 512)
    """
    for one in ARCHES:
        if (one.name, one.page_size) == (name, page_size):
            return one
    known = ", ".join(f"{one.name} {one.page_size}" for one in ARCHES)
    raise UsageError(f"arch and page_size (bytes) are one of {known}; not {name!r} {page_size!r}")
