"""Page arithmetic for x86-64 with 4 KiB pages: sizes, rounding, and the half-open `Range`.

What lives here: numbers only.  Nothing here knows a VMA, a flag or a kernel release.
"""

from __future__ import annotations

from collections.abc import Iterator
from operator import index

from attrs import field, frozen

from vmalab.errors import UsageError, described

PAGE_SHIFT = 12
PAGE = 1 << PAGE_SHIFT
"""Bytes in a page (4096)."""

PMD_SIZE = 1 << 21
"""Bytes that one page of PTEs maps (2 MiB), and the size of a huge page."""

PUD_SIZE = 1 << 30
"""Bytes that one page of PMD entries maps (1 GiB)."""

TASK_SIZE = 0x7FFF_FFFF_F000
"""First byte address that user space cannot have, with 4-level paging (arch/x86, TASK_SIZE_MAX)."""

ARENA_BASE = 0x10_0000_0000
"""Byte address of page 0 of every scenario: a region that Linux leaves empty in a fresh process."""

HEAP = ARENA_BASE + 2048 * PAGE
"""Byte address where the heap of every scenario starts, and where the program break is at first."""

WORD = (1 << 64) - 1
"""Largest unsigned long: addresses and lengths wrap here, as in C."""


def page(number: float) -> int:
    """Byte address of page `number` of the arena; UsageError for what is no number.

    >>> hex(page(64))
    '0x1000040000'
    """
    try:
        given = number if isinstance(number, float) else index(number)  # type: ignore[redundant-expr]
        return ARENA_BASE + int(given * PAGE)
    except (TypeError, ValueError, OverflowError):
        raise UsageError(f"a page of the arena is a number, not {described(number)}") from None


def page_align(length: int) -> int:
    """Round `length` (bytes) up to whole pages, wrapping at 2**64 as the kernel's PAGE_ALIGN does.

    >>> page_align(1), page_align(4096), page_align(2**64 - 1)
    (4096, 4096, 0)
    """
    return (length + PAGE - 1) & ~(PAGE - 1) & WORD


def is_aligned(address: int) -> bool:
    """Whether `address` (bytes) lies on a page boundary."""
    return not address & (PAGE - 1)


def pages(length: int) -> int:
    """Whole pages in `length` bytes, rounded down."""
    return length >> PAGE_SHIFT


@frozen(order=True)
class Range:
    """The half-open byte range [start, end)."""

    start: int = field()
    end: int = field()

    @end.validator
    def _ordered(self, _attribute: object, value: int) -> None:
        if value < self.start:
            raise ValueError(f"a Range ends at or after its start: {self.start:#x} to {value:#x}")

    @classmethod
    def sized(cls, start: int, length: int) -> Range:
        """The range of `length` bytes from `start`."""
        return cls(start, start + length)

    def __len__(self) -> int:
        return self.end - self.start

    def __contains__(self, address: object) -> bool:
        return isinstance(address, int) and self.start <= address < self.end

    def __iter__(self) -> Iterator[int]:
        """The byte addresses of the pages that the range starts."""
        return iter(range(self.start, self.end, PAGE))

    def overlaps(self, other: Range) -> bool:
        """Whether the two ranges share a byte."""
        return self.start < other.end and other.start < self.end

    def clip(self, other: Range) -> Range:
        """The part of this range inside `other`; empty (at `other.start`) where they share nothing."""
        start, end = max(self.start, other.start), min(self.end, other.end)
        return Range(start, end) if start < end else Range(other.start, other.start)

    def __str__(self) -> str:
        return f"{self.start:x}-{self.end:x}"
