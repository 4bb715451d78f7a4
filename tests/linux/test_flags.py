"""Flag words and their texts."""

from __future__ import annotations

import itertools

import pytest

from vmalab.linux import flags
from vmalab.linux.flags import (
    MREMAP_DONTUNMAP,
    MREMAP_FIXED,
    MREMAP_MAYMOVE,
    SMAPS_CODES,
    VM_MAYREAD,
    VM_MAYSHARE,
    VM_READ,
    VM_SEALED,
    VM_SHARED,
    VM_WRITE,
    mremap_flags_text,
    perms,
    prot_from_letters,
    prot_letters,
    smaps_codes,
)


def test_every_vm_flag_is_one_bit_of_its_own_with_a_code_of_its_own() -> None:
    groups = {"VM_ACCESS", "VM_UFFD"}
    bits = {name: value for name, value in vars(flags).items() if name.startswith("VM_") and name not in groups}
    assert all(value.bit_count() == 1 for value in bits.values())
    assert len(bits) == len(set(bits.values()))
    assert set(bits.values()) == set(SMAPS_CODES)
    assert len(SMAPS_CODES) == len(set(SMAPS_CODES.values()))
    assert all(len(code) == 2 for code in SMAPS_CODES.values())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("READ", 0x1), ("WRITE", 0x2), ("EXEC", 0x4), ("SHARED", 0x8), ("GROWSDOWN", 0x100), ("LOCKED", 0x2000),
        ("DONTEXPAND", 0x4_0000), ("LOCKONFAULT", 0x8_0000), ("ACCOUNT", 0x10_0000), ("NORESERVE", 0x20_0000),
        ("WIPEONFORK", 0x200_0000), ("DONTDUMP", 0x400_0000),
    ],
)  # fmt: skip
def test_the_values_are_the_kernels(name: str, value: int) -> None:
    assert value == getattr(flags, f"VM_{name}")


def test_a_right_has_its_may_bit_four_to_the_left() -> None:
    for right in ("READ", "WRITE", "EXEC", "SHARE"):
        lower = getattr(flags, "VM_SHARED" if right == "SHARE" else f"VM_{right}")
        assert lower << 4 == getattr(flags, f"VM_MAY{right}")


def test_letters_and_back() -> None:
    for count in range(4):
        for letters in itertools.combinations("rwx", count):
            assert "".join(letters) == prot_letters(prot_from_letters("".join(letters)))
    assert [0, 1, 3, 5, 7] == [prot_from_letters(letters) for letters in ("", "r", "wr", "rx", "xwr")]


@pytest.mark.parametrize("letters", ["rr", "R", "a", "r w", "none"])
def test_no_other_letters(letters: str) -> None:
    with pytest.raises(ValueError, match="letters r, w, x"):
        prot_from_letters(letters)


def test_permissions_as_in_maps() -> None:
    assert ["---p", "rw-p", "r--s", "---p"] == [
        perms(word) for word in (0, VM_READ | VM_WRITE, VM_READ | VM_SHARED | VM_MAYSHARE, VM_MAYREAD)
    ]
    assert "r--s" == perms(VM_READ | VM_MAYSHARE)  # a shared mapping of a file that is not open for writing


def test_codes_as_in_smaps() -> None:
    assert ("mr", "rd", "sl") == smaps_codes(VM_SEALED | VM_READ | VM_MAYREAD)
    assert () == smaps_codes(0)


@pytest.mark.parametrize(
    ("word", "text"),
    [
        (0, "0"),
        (MREMAP_MAYMOVE, "MREMAP_MAYMOVE"),
        (MREMAP_MAYMOVE | MREMAP_FIXED, "MREMAP_MAYMOVE | MREMAP_FIXED"),
        (MREMAP_MAYMOVE | MREMAP_DONTUNMAP, "MREMAP_MAYMOVE | MREMAP_DONTUNMAP"),
        (8, "0x8"),
        (9, "MREMAP_MAYMOVE | 0x8"),
    ],
)
def test_mremap_flags_as_c(word: int, text: str) -> None:
    assert text == mremap_flags_text(word)
