"""The records `VMA` and `File`."""

from __future__ import annotations

import attrs
import pytest

from vmalab.linux.addr import PAGE
from vmalab.linux.flags import VM_MAYSHARE, VM_READ, VM_SHARED, VM_WRITE
from vmalab.linux.mm import VMA, File

RW = VM_READ | VM_WRITE
ZERO = File("/dev/zero", "zero", 4096)
MEMFD = File("f0", "memfd", 4096)
SHMEM = File("shmem", "shmem", 4)


def test_length() -> None:
    vma = VMA(0x10000, 0x14000, 5, RW)
    assert (4 * PAGE, 4) == (len(vma), vma.pages)


def test_permissions() -> None:
    assert "rw-p" == VMA(0, PAGE, 0, RW).perms
    assert "r--s" == VMA(0, PAGE, 0, VM_READ | VM_SHARED | VM_MAYSHARE).perms
    assert "10000-14000 rw-p" == str(VMA(0x10000, 0x14000, 5, RW))


@pytest.mark.parametrize(
    ("file", "flags", "expected"),
    [
        (None, RW, True),
        (ZERO, RW, True),
        (ZERO, RW | VM_SHARED, False),
        (MEMFD, RW, False),
        (SHMEM, RW | VM_SHARED, False),
    ],
)
def test_anonymous_means_without_vm_ops(file: File | None, flags: int, expected: bool) -> None:
    assert expected == VMA(0, PAGE, 0, flags, file).is_anonymous


@pytest.mark.parametrize(("anon_vma", "chain", "expected"), [(None, (), False), (1, (1,), False), (2, (1, 2), True)])
def test_a_fork_child_has_a_longer_chain(anon_vma: int | None, chain: tuple[int, ...], expected: bool) -> None:
    assert expected == VMA(0, PAGE, 0, RW, None, anon_vma, chain).is_fork_child


def test_the_offset_counts_pages_also_outside() -> None:
    vma = VMA(0x10000, 0x14000, 5, RW)
    assert [5, 5, 6, 9, 4] == [vma.pgoff_at(address) for address in (0x10000, 0x10FFF, 0x11000, 0x14000, 0xF000)]
    assert (1 << 64) - 1 == VMA(0x10000, 0x14000, 0, RW).pgoff_at(0xF000)


def test_parts_and_variants() -> None:
    vma = VMA(0x10000, 0x14000, 5, RW, MEMFD, 3, (1, 3), 7)
    assert VMA(0x11000, 0x12000, 6, RW, MEMFD, 3, (1, 3), 7) == vma.part(0x11000, 0x12000)
    assert VMA(0x12000, 0x14000, 7, RW, MEMFD, 3, (1, 3), 9) == vma.part(0x12000, 0x14000, 9)
    assert 0 == vma.part(0x11000, 0x12000, 0).id
    assert attrs.evolve(vma, flags=VM_READ) == vma.with_flags(VM_READ)
    assert attrs.evolve(vma, anon_vma=None, chain=()) == vma.with_anon(None, ())


def test_files_are_the_same_only_if_they_are_one_object() -> None:
    assert File("f0", "memfd", 4096) != MEMFD
    assert (True, True, False) == (MEMFD.is_shmem, SHMEM.is_shmem, ZERO.is_shmem)
    assert (True, True, True) == (
        MEMFD.has_get_unmapped_area, SHMEM.has_get_unmapped_area, ZERO.has_get_unmapped_area)  # fmt: skip


def test_records_are_frozen() -> None:
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        VMA(0, PAGE, 0, RW).start = PAGE  # type: ignore[misc]
