"""The records of the model: `VMA` (struct vm_area_struct) and `File` (struct file with its page cache).

VMAs are frozen: the address space replaces them.  What the kernel asks of one VMA alone is answered here; what takes
two VMAs is in `merge.py`.
"""

from __future__ import annotations

from attrs import define, evolve, field, frozen

from vmalab.linux.addr import PAGE_SHIFT, WORD
from vmalab.linux.flags import VM_SHARED, perms
from vmalab.linux.mm.runs import RunMap


@define(eq=False)
class Inode:
    """What all descriptors of a file have in common.

    `size`: pages up to the end of the file.  `cache`: the page cache, with the first 8 bytes of each page that has been
    brought in.  `seals`: F_SEAL_* bits.  `written_elsewhere`: another process has a mapping that may write to it.
    """

    size: int
    cache: RunMap = field(factory=RunMap, repr=False)
    seals: int = 0
    written_elsewhere: bool = False


class File:
    """An open file: two mappings have the same file only if this is the same object.

    `kind`: `"memfd"`, `"shmem"` (the hidden file behind one shared anonymous mmap), `"zero"` (/dev/zero), `"disk"` (a
    file of an ordinary file system) or `"special"` (what the kernel maps itself, such as [vdso]).
    `size`: pages up to the end of the file, which ftruncate moves; an access beyond it is SIGBUS.  `reopened`: the file
    that this is another descriptor of, open for reading only.
    """

    __slots__ = ("inode", "kind", "name", "writable")

    def __init__(self, name: str, kind: str, size: int = 0, *, reopened: File | None = None) -> None:
        self.name, self.kind = name, kind
        self.inode: Inode = Inode(size) if reopened is None else reopened.inode
        self.writable = reopened is None

    def __repr__(self) -> str:
        return f"File({self.name!r}, {self.kind!r}, {self.size})"

    @property
    def size(self) -> int:
        """Pages up to the end of the file."""
        return self.inode.size

    @property
    def cache(self) -> RunMap:
        """The page cache."""
        return self.inode.cache

    @property
    def is_shmem(self) -> bool:
        """Whether vma_is_shmem() holds for a mapping of it (mm/shmem.c)."""
        return self.kind in ("memfd", "shmem")

    @property
    def has_get_unmapped_area(self) -> bool:
        """Whether its file_operations have a get_unmapped_area of their own that may not obey MREMAP_FIXED.

        Ordinary file systems have none, or thp_get_unmapped_area(), which does.
        """
        return self.kind != "disk"


@frozen
class VMA:
    """One virtual memory area: the bytes [start, end), all with the same properties.

    `pgoff` is vm_pgoff in pages: the page of `file` at `start`, or for anonymous memory the page number where the
    area was when it was first written.  `flags` are VM_* bits.  `anon_vma` is the number of the anon_vma assigned by
    the first write fault, None before; `chain` the numbers of all anon_vmas it is linked to (struct
    anon_vma_chain), oldest first.  `id` tells the areas of one address space apart.  `anon_pgoff`: since 7.3, for a
    private file mapping, the page offset of its private pages; else None.
    """

    start: int
    end: int
    pgoff: int
    flags: int
    file: File | None = None
    anon_vma: int | None = None
    chain: tuple[int, ...] = ()
    id: int = 0
    anon_pgoff: int | None = None

    def __len__(self) -> int:
        return self.end - self.start

    @property
    def pages(self) -> int:
        """Length in pages."""
        return (self.end - self.start) >> PAGE_SHIFT

    @property
    def perms(self) -> str:
        """As in /proc/PID/maps."""
        return perms(self.flags)

    @property
    def is_anonymous(self) -> bool:
        """vma_is_anonymous(): no vm_ops.  True of a private /dev/zero mapping too, which keeps its file."""
        return self.file is None or (self.file.kind == "zero" and not self.flags & VM_SHARED)

    @property
    def is_fork_child(self) -> bool:
        """vma_is_fork_child(): inherited its pages from a parent (the chain is longer than one)."""
        return self.anon_vma is not None and len(self.chain) > 1

    def pgoff_at(self, address: int) -> int:
        """linear_page_index(): the page offset of byte `address` (which may lie outside the area)."""
        return (self.pgoff + ((address - self.start) >> PAGE_SHIFT)) & WORD

    def anon_pgoff_at(self, address: int) -> int | None:
        """`pgoff_at` for the second page offset."""
        return None if self.anon_pgoff is None else self.anon_pgoff + ((address - self.start) >> PAGE_SHIFT)

    def part(self, start: int, end: int, id: int | None = None) -> VMA:
        """The sub-area [start, end), keeping `id` unless another is given."""
        return VMA(
            start, end, self.pgoff_at(start), self.flags, self.file, self.anon_vma, self.chain,
            self.id if id is None else id, self.anon_pgoff_at(start),
        )  # fmt: skip

    def with_flags(self, flags: int) -> VMA:
        """The same area with other VM_* bits."""
        return evolve(self, flags=flags)

    def with_anon(self, anon_vma: int | None, chain: tuple[int, ...]) -> VMA:
        """The same area with another anon_vma."""
        return evolve(self, anon_vma=anon_vma, chain=chain)

    def __str__(self) -> str:
        return f"{self.start:x}-{self.end:x} {self.perms}"
