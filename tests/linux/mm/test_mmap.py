"""mmap: flags of a new VMA, the order of its errors, where the kernel places it, what it replaces (semantics 0, 9a)."""

from __future__ import annotations

import pytest

from tests.tiny_language import SPREAD, Little, at, before, since
from vmalab.errors import NotModelled, UsageError
from vmalab.linux.addr import PAGE, PMD_SIZE, TASK_SIZE
from vmalab.linux.call import Mmap
from vmalab.linux.flags import smaps_codes
from vmalab.linux.mm.space import MMAP_BASE

every_release = pytest.mark.parametrize("release", SPREAD)
P, TS = PAGE, TASK_SIZE

# --- the new VMA: semantics 0.4, 0.5 ----------------------------------------------------------------------------


@every_release
@pytest.mark.parametrize(
    ("how", "codes"),
    [
        ("rw", "ac me mr mw rd wr"),
        ("r", "me mr mw rd"),
        ("none", "me mr mw"),
        ("rwx", "ac ex me mr mw rd wr"),
        ("rw noreserve", "me mr mw nr rd wr"),
        ("rw shared", "me mr ms mw rd sh wr"),
        ("rw file", "ac me mr mw rd wr"),
        ("rw sharedfile", "me mr ms mw rd sh wr"),
        ("rw zero", "ac me mr mw rd wr"),
        ("rw growsdown", "ac gd me mr mw rd wr"),
        ("r noreserve", "me mr mw nr rd"),
    ],
)
def test_flags_of_a_new_vma(release: str, how: str, codes: str) -> None:
    vm = Little(release, f"map 0-2 {how}")
    assert codes == " ".join(smaps_codes(vm.mm.vmas()[0].flags))
    assert (None, ()) == (vm.row(0).anon_vma, vm.row(0).chain)


@every_release
@pytest.mark.parametrize(
    ("how", "pgoff", "backing"),
    [
        ("", at(5) // P, None),  # natural; the offset argument means nothing
        ("@9", at(5) // P, None),
        ("shared @9", 0, "shmem"),
        ("file @9", 9, "f0"),
        ("sharedfile f1 @9", 9, "f1"),
        ("zero @9", 9, "/dev/zero"),
    ],
)
def test_offset_of_a_new_vma(release: str, how: str, pgoff: int, backing: str | None) -> None:
    row = Little(release, f"map 5-7 {how}").row(5)
    assert (pgoff, backing) == (row.vm_pgoff, row.backing)
    assert (pgoff if backing in ("shmem", "f0", "f1") else None) == row.pgoff  # what a user can see of it


@every_release
def test_counters(release: str) -> None:
    vm = Little(release, "map 0-4; map 10-13 r; map 20-22 shared; map 30-31 growsdown; map 40-46 none")
    assert (16, 4, 0) == (vm.mm.total_vm, vm.mm.data_vm, vm.mm.locked_vm)
    vm("map 2-12 none")  # over two pages of each of the first two
    assert (22, 2, 0) == (vm.mm.total_vm, vm.mm.data_vm, vm.mm.locked_vm)


# --- which error wins: semantics 9.1 ----------------------------------------------------------------------------


@every_release
@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (Mmap(at(0), 0), "EINVAL"),
        (Mmap(at(0) + 1, 0), "EINVAL"),
        (Mmap(at(0), (1 << 64) - 1), "ENOMEM"),  # rounds to 0
        (Mmap(at(0), TS + P), "ENOMEM"),
        (Mmap(TS, P), "ENOMEM"),
        (Mmap(TS - P, 2 * P), "ENOMEM"),
        (Mmap(TS + 1, P), "ENOMEM"),  # too high before unaligned
        (Mmap(at(0) + 1, P), "EINVAL"),
        (Mmap(TS - P, P), None),
        (Mmap(at(0), P - 5), None),
        (Mmap(0, P), "EPERM"),
        (Mmap(15 * P, P), "EPERM"),
        (Mmap(16 * P, P), None),
        (Mmap(1, P), "EINVAL"),
        (Mmap(at(0), P, kind="file", growsdown=True), "EINVAL"),
        (Mmap(at(0), P, kind="shared", growsdown=True), "EINVAL"),
        (Mmap(at(0), P, kind="sharedfile", growsdown=True), "EINVAL"),
        (Mmap(at(0), P, kind="zero", growsdown=True), "EINVAL"),
        (Mmap(None, TS, fixed=False), "ENOMEM"),
        (Mmap(None, TS + P, fixed=False), "ENOMEM"),
    ],
)
def test_errors(release: str, call: Mmap, expected: str | None) -> None:
    vm = Little(release)
    assert expected == vm.do(call).errno
    assert (0 if expected else 1) == vm.mm.map_count


def test_root_maps_page_zero() -> None:
    assert 0 == Little(privileged=True).do(Mmap(0, P)).value


@every_release
@pytest.mark.parametrize(
    ("step", "expected"),
    [
        ("map 0-1 noreplace", "EEXIST"),
        ("map 1-3 noreplace", "EEXIST"),
        ("map 2-3 noreplace", None),
        ("map 0-1 shared growsdown noreplace", "EEXIST"),  # before the type is looked at
        ("map 4-6 noreplace", "EEXIST"),
    ],
)
def test_noreplace(release: str, step: str, expected: str | None) -> None:
    vm = Little(release, "map 0-2; map 5-7")
    assert expected == vm.errno(step)


@pytest.mark.parametrize("release", since("6.12"))
def test_errors_of_a_replacing_mmap(release: str) -> None:
    vm = Little(release, "map 0-2; seal 0-2; limit as 0")
    assert "EINVAL" == vm.errno("map 0-4 shared growsdown")
    assert "EPERM" == vm.errno("map 0-4 r")  # a seal before RLIMIT_AS
    assert "ENOMEM" == vm.errno("map 2-4 r")
    vm(
        "limit map_count 0; map 50-51 r !ENOMEM; limit as 4; map 50-51 r; map 0-2 !ENOMEM"
    )  # the map count before the seal


@every_release
def test_rlimit_as_counts_what_is_new(release: str) -> None:
    vm = Little(release, "map 0-4; limit as 2; map 2-9 r !ENOMEM; map 2-6 r")
    assert "[0-2][2-6]" == vm.layout
    vm("limit as 1; map 8-10 !ENOMEM")


@every_release
def test_a_refused_mmap_may_leave_a_cut(release: str) -> None:
    # AA[AA..BB]BB at RLIMIT_AS: since 6.12 the edges are cut before the limit is looked at
    vm = Little(release, "map 0-4; map 6-10 r; limit as 1; map 2-8 shared !ENOMEM")
    assert ("[0-4][6-10]" if release == "6.1" else "[0-2][2-4][6-8][8-10]") == vm.layout


@every_release
def test_rlimit_data_and_the_commit_charge(release: str) -> None:
    vm = Little(release, "map 0-2")
    vm.mm.limits.data = 4
    vm("map 2-5 !ENOMEM; map 2-5 r; map 6-8 shared; map 10-12")
    vm.mm.limits.data, vm.mm.limits.total_ram = 1 << 40, 3
    vm("map 20-24 !ENOMEM; map 20-24 noreserve; map 30-34 r; map 40-44 shared; map 50-53")


@pytest.mark.parametrize(
    ("kind", "pgoff", "expected"),
    [
        ("file", (1 << 51) - 2, "EOVERFLOW"),
        ("sharedfile", (1 << 51) - 2, "EOVERFLOW"),
        ("zero", (1 << 52) - 2, "EOVERFLOW"),
    ],
)
def test_an_offset_beyond_the_largest_file(kind: str, pgoff: int, expected: str) -> None:
    # two pages: the last page that a file may have is 2**51 - 2, a character device 2**52 - 2
    assert None is Little("6.18").do(Mmap(at(0), 2 * P, kind=kind, pgoff=pgoff - 1)).errno
    assert expected == Little("6.18").do(Mmap(at(0), 2 * P, kind=kind, pgoff=pgoff)).errno


# --- replacing: semantics 9.5 -----------------------------------------------------------------------------------


@every_release
@pytest.mark.parametrize(
    ("step", "expected"),
    [
        ("map 2-4 r", "[0-2][2-4][4-6][8-10]"),  # AA**AA
        ("map 0-2 r", "[0-2][2-6][8-10]"),
        ("map 4-9 r", "[0-4][4-9][9-10]"),  # AAAA*****B
        ("map 0-10 r", "[0-10]"),
        ("map 6-8 r", "[0-6][6-8][8-10]"),
        ("map 6-8 rx", "[0-6][6-10]"),  # **BB: it joins what is left around it
    ],
)
def test_map_fixed_replaces(release: str, step: str, expected: str) -> None:
    vm = Little(release, f"map 0-6; touch 0-6 1; map 8-10 rx; {step}")
    assert expected == vm.layout
    first, last = (int(n) for n in step.split()[1].split("-"))
    assert {n: 1000 + n for n in range(6) if not first <= n < last} == vm.contents()


@every_release
def test_map_fixed_directly_below_a_stack(release: str) -> None:
    vm = Little(release, "map 300-302 growsdown; map 298-300")
    assert "[298-300][300-302]" == vm.layout


# --- placing: semantics 9.2, 9.3, 9.4 ---------------------------------------------------------------------------


def place(vm: Little, length: int, hint: int | None = None, **more: object) -> int:
    outcome = vm.do(Mmap(hint, length, fixed=False, **more))  # type: ignore[arg-type]
    assert outcome.value is not None, outcome.errno
    return outcome.value


@every_release
def test_top_down(release: str) -> None:
    vm = Little(release)
    assert MMAP_BASE - 2 * P == place(vm, 2 * P)
    assert MMAP_BASE - 5 * P == place(vm, 3 * P)
    assert (1, 5) == (vm.mm.map_count, vm.mm.vmas()[0].pages)  # they grow downwards and merge
    # a hole that was freed is used again, first fit from the top
    vm.model.munmap(MMAP_BASE - 3 * P, P)
    assert MMAP_BASE - 7 * P == place(vm, 2 * P)
    assert MMAP_BASE - 3 * P == place(vm, P)
    assert (1, 7) == (vm.mm.map_count, vm.mm.vmas()[0].pages)


@every_release
def test_room_is_kept_below_a_stack(release: str) -> None:
    vm = Little(release)
    vm.do(Mmap(MMAP_BASE - 2 * P, 2 * P, growsdown=True))
    assert MMAP_BASE - 258 * P - P == place(vm, P)
    # nothing fits between: a hole of exactly the gap
    vm = Little(release)
    vm.do(Mmap(MMAP_BASE - 2 * P, 2 * P, growsdown=True))
    vm.do(Mmap(MMAP_BASE - 260 * P, P))
    assert MMAP_BASE - 259 * P == place(vm, P)
    assert MMAP_BASE - 261 * P == place(vm, P)


@every_release
def test_above_the_base_only_where_nothing_fits_below(release: str) -> None:
    vm = Little(release)
    vm.do(Mmap(16 * P, MMAP_BASE - 16 * P, 0))
    assert MMAP_BASE == place(vm, 2 * P)
    assert MMAP_BASE + 2 * P == place(vm, P)
    vm.do(Mmap(MMAP_BASE, TS - MMAP_BASE, 0))
    assert "ENOMEM" == vm.do(Mmap(None, P, fixed=False)).errno


@every_release
def test_the_lowest_place(release: str) -> None:
    vm = Little(release)
    vm.do(Mmap(18 * P, MMAP_BASE - 18 * P, 0))
    assert 16 * P == place(vm, 2 * P)  # down to mmap_min_addr and no further
    assert MMAP_BASE == place(vm, 2 * P)


@every_release
@pytest.mark.parametrize(
    ("hint", "length", "expected"),
    [
        (at(100), 2 * P, at(100)),
        (at(100) + 123, 2 * P, at(100)),  # rounded down
        (at(0), P, None),  # taken
        (at(8), 3 * P, None),  # half of it taken
        (at(8), 2 * P, at(8)),  # exactly up to the next
        (1, P, None),  # page 0 is no hint at all
        (P, P, 16 * P),  # below mmap_min_addr: there
        (TS - P, P, TS - P),
        (TS - P, 2 * P, None),
        (at(500) - P, P, None),  # in the guard gap of the stack
        (at(243), P, at(243)),
        (at(244), P, None),
    ],
)
def test_hints(release: str, hint: int, length: int, expected: int | None) -> None:
    # AA........BB at 10 and a stack at 500 with 256 pages before it
    vm = Little(release, "map 0-2 r; map 10-12 r; map 500-502 growsdown")
    assert (MMAP_BASE - length if expected is None else expected) == place(vm, length, hint)


@every_release
@pytest.mark.parametrize(
    ("kind", "boundary"), [("anon", "6.12"), ("zero", "6.18.15"), ("shared", None), ("file", None)]
)
def test_huge_page_alignment(release: str, kind: str, boundary: str | None) -> None:
    aligned = boundary is not None and release in since(boundary)
    top = MMAP_BASE & -PMD_SIZE
    assert (top - PMD_SIZE if aligned else MMAP_BASE - PMD_SIZE) == place(Little(release), PMD_SIZE, kind=kind)
    assert (top - 2 * PMD_SIZE if aligned else MMAP_BASE - 2 * PMD_SIZE) == place(
        Little(release), 2 * PMD_SIZE, kind=kind
    )
    # other lengths only of /dev/zero (looked up on 6.18.44)
    odd = top - PMD_SIZE if kind == "zero" and aligned else MMAP_BASE - PMD_SIZE - P
    assert odd == place(Little(release), PMD_SIZE + P, kind=kind)
    # nor with a hint
    assert at(1) == place(Little(release), PMD_SIZE, at(1), kind=kind)


def test_a_hole_of_the_exact_size_is_passed_over_for_a_padded_one() -> None:
    vm = Little("6.18")
    top = MMAP_BASE & -PMD_SIZE
    vm.do(Mmap(top, MMAP_BASE - top, 0))
    vm.do(Mmap(top - 2 * PMD_SIZE, PMD_SIZE, 0))
    assert top - 3 * PMD_SIZE == place(vm, PMD_SIZE)
    # unless there is none
    vm.do(Mmap(16 * P, top - 2 * PMD_SIZE - 16 * P, 0))
    vm.do(Mmap(MMAP_BASE, TS - MMAP_BASE, 0))
    assert top - PMD_SIZE == place(vm, PMD_SIZE)


@pytest.mark.parametrize("release", before("6.12"))
def test_6_1_aligns_nothing(release: str) -> None:
    assert MMAP_BASE - PMD_SIZE == place(Little(release), PMD_SIZE)


def test_an_unknown_kind_is_misuse() -> None:
    with pytest.raises(UsageError, match="kind is one of"):
        Little("6.18").do(Mmap(at(0), P, kind="silly"))
    with pytest.raises(NotModelled, match="hugetlb"):
        Little("6.18").do(Mmap(at(0), P, kind="hugetlb"))
