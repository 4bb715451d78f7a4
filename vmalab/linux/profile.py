"""`KernelProfile`: what one Linux release does, as named behaviours.

The rules in `vmalab.linux.mm` branch on these names and never on a version number.  Each behaviour says what it
means, in
which releases it holds, the commit where it is known, and how to see it from user space; the lessons print their
tables from here.  Kernel bugs are behaviours like any other, marked as bugs.

Where the boundary lies inside a stable series, it is the first release in which it was measured.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

import attrs
from attrs import field, frozen

from vmalab.errors import ProfileError, described

Version = tuple[int, ...]

MEASURED: Mapping[str, str] = {
    "6.1": "6.1.176",
    "6.12": "6.12.107",
    "6.16": "6.16.12",
    "6.17": "6.17.13",
    "6.18": "6.18.44",
    "6.19": "6.19.14",
    "7.0": "7.0.13",
    "7.1": "7.1.13",
    "7.2": "7.2.13",
    "7.3": "7.3.4",
}
"""The series that were measured, and the point release that a bare series name stands for."""

FIRST, LAST = (6, 1), (7, 4)
"""Releases from FIRST up to, not including, LAST have a profile."""


@frozen
class Behaviour:
    """What a behaviour means and where it holds.

    `spans` lists half-open ranges of releases, `("6.17", None)` for "since 6.17".  `see`: how to see it from user
    space.  `bug`: the kernel people call it a fault.  `commit`: the change that brought it, where known.  `cve`: its
    number, where whoever meets it may do more than see another answer.
    """

    name: str
    meaning: str
    spans: tuple[tuple[str | None, str | None], ...]
    see: str = ""
    commit: str = ""
    bug: bool = False
    in_v3: bool | None = None
    cve: str = ""

    def holds(self, version: Version) -> bool:
        """Whether it holds in that release."""
        return any(
            (since is None or version >= _parse(since)) and (until is None or version < _parse(until))
            for since, until in self.spans
        )

    @property
    def releases(self) -> str:
        """The spans in words: `"6.17 and later"`, `"6.16 until before 7.2"`."""
        words = []
        for since, until in self.spans:
            if since and until:
                words.append(f"{since} until before {until}")
            elif since:
                words.append(f"{since} and later")
            else:
                words.append(f"before {until}" if until else "all")
        return ", ".join(words) or "no release"


def _parse(release: str) -> Version:
    return tuple(int(number) for number in release.split("."))


def _since(release: str, meaning: str, *, until: str | None = None, in_v3: bool | None = None, **about: Any) -> bool:
    return _behaviour(meaning, ((release, until),), in_v3=in_v3, **about)


def _before(release: str, meaning: str, **about: Any) -> bool:
    return _behaviour(meaning, ((None, release),), **about)


def _behaviour(meaning: str, spans: tuple[tuple[str | None, str | None], ...], **about: Any) -> bool:
    default: bool = field(default=False, metadata={"meaning": meaning, "spans": spans, **about})
    return default


@frozen
class KernelProfile:
    """One release as a set of named behaviours; `behaviours()` has the meaning of each."""

    release: str
    measured: bool = True

    # --- mremap: arguments ---
    order_of_6_15: bool = _behaviour(
        "the arguments of a fixed move are checked, and the map count, before the source VMA is looked up",
        (("6.15", "6.17"),),
        see="unmapped source, MREMAP_FIXED, new_addr + 1: EINVAL, not EFAULT",
    )
    order_of_6_17: bool = _since(
        "6.17",
        "all arguments are checked before any VMA is looked at: lengths are rounded first, a new length above "
        "TASK_SIZE is EINVAL for every call, overlap and a target that is too high beat EFAULT and EPERM",
        in_v3=True,
        see="unmapped source with overlapping ranges: EINVAL, not EFAULT",
    )
    checks_before_unmap: bool = _since(
        "6.17",
        "a fixed move checks its source VMA before it unmaps the destination, so those failures destroy nothing",
        in_v3=True,
        see="MREMAP_FIXED with old_len past the end of the VMA and growing, over an existing mapping",
    )
    target_range_always_checked: bool = _behaviour(
        "new_addr is checked against TASK_SIZE even where the call does not use it", (), in_v3=True,
        see="mremap(p, n, n, 0, 2**47)",
    )  # fmt: skip

    # --- mremap: many VMAs ---
    multi_vma_move: bool = _since(
        "6.17",
        "a fixed move that keeps the size may span several VMAs and gaps",
        in_v3=True,
        commit="d23cb648e365",
        see="move [rw][r] with one call",
    )
    eligibility_checked_late: bool = _behaviour(
        "the first VMA of a multi-VMA move is moved even if it may not take part; the call fails when a second one "
        "turns up",
        (),
        in_v3=True,
        see="private /dev/zero mapping first, any other VMA behind it",
    )

    # --- mremap: map count ---
    headroom_of_7_1: bool = _since(
        "7.1",
        "every mremap, even one that does nothing, needs headroom for 4 more VMAs; each moved VMA for 2",
        see="fill the map count, then mremap(p, n, n, 0)",
    )
    headroom_counts_dontunmap: bool = _since(
        "7.2",
        "MREMAP_DONTUNMAP needs headroom for one VMA more",
        see="fill the map count up to 4 below the limit, then MREMAP_DONTUNMAP",
    )

    # --- mremap: MREMAP_DONTUNMAP ---
    dontunmap_loses_account: bool = _since(
        "6.15",
        "the VMA left behind by MREMAP_DONTUNMAP loses VM_ACCOUNT, and its commit charge leaks",
        until="6.17.6",
        bug=True,
        in_v3=True,
        commit="b714ccb02a76, fixed by 0e59f47c15ce",
        see="MREMAP_DONTUNMAP, then `ac` in smaps",
    )
    dontunmap_leaks_locked_vm: bool = _since(
        "6.16", "MREMAP_DONTUNMAP of locked memory adds the moved pages to VmLck without taking the old ones off",
        until="7.2", bug=True, in_v3=True, see="mlock, MREMAP_DONTUNMAP, VmLck in /proc/self/status",
    )  # fmt: skip
    dontunmap_splits_locked: bool = _since(
        "7.2", "MREMAP_DONTUNMAP of part of a locked VMA splits it first, so that the rest stays locked",
        see="mlock four pages, MREMAP_DONTUNMAP the middle two",
    )  # fmt: skip
    dontunmap_stays_apart: bool = _since(
        "7.2", "an unfaulted VMA copied by MREMAP_DONTUNMAP next to itself stays two VMAs",
        see="pages 0 to 3, unfaulted, MREMAP_DONTUNMAP to page 4",
    )  # fmt: skip
    dontunmap_resets_pgoff: bool = _since(
        "7.2", "an anonymous VMA wholly left behind by MREMAP_DONTUNMAP gets the vm_pgoff of its address back",
        see="move a faulted VMA away, MREMAP_DONTUNMAP it from there, mmap next to what stayed",
    )  # fmt: skip

    # --- mremap: page tables ---
    realigns_moves: bool = _since(
        "6.7",
        "moving entries starts at the 2 MiB boundary below the range where nothing else is mapped there, so that the "
        "first page table moves whole",
        in_v3=True,
        commit="af8ca1c14906",
        see="time a move of several MiB that starts a page behind a 2 MiB boundary, alone and with a neighbour",
    )

    # --- merging ---
    faulted_joins_unfaulted: bool = _since(
        "6.16",
        "a range that has an anon_vma may merge with a neighbour that has none",
        in_v3=True,
        commit="879bca0a2c4f",
        see="mlock and munlock the middle of an unfaulted VMA: one VMA, not three",
    )
    copy_forgets_anon_vma: bool = _since(
        "6.16",
        "a moved VMA that merges into unfaulted neighbours does not give them its anon_vma (CVE-2026-23077)",
        until="6.18.8",
        bug=True,
        cve="CVE-2026-23077",
        in_v3=True,
        commit="fixed by 61f67c230a5e",
        see="move a written VMA beside a fresh one so that they merge, move both on: they take a new vm_pgoff",
    )
    copy_forgets_fork_child: bool = _since(
        "6.16",
        "a moved VMA that was inherited over fork merges with an unfaulted neighbour at its destination",
        until="6.18.8",
        bug=True,
        in_v3=True,
        commit="fixed by 3b617fd3d317",
        see="a child moves an inherited, written VMA next to a fresh one",
    )
    private_files_have_anon_pgoff: bool = _since(
        "7.3",
        "a private file mapping has a second page offset, for its private pages; it too must continue across a merge",
        see="write to the middle of a private file mapping while it is away, move it back: three VMAs",
    )
    right_merge_first: bool = _before(
        "6.2",
        "a fresh mmap tries its right neighbour first, and then the left one with the right one's anon_vma",
        see="fill the gap between two VMAs that were written apart: it joins the right one",
    )
    guard_flag: bool = _since(
        "6.18.37",
        "MADV_GUARD_INSTALL marks the VMA with VM_MAYBE_GUARD, which a merge keeps and never compares",
        see="`gu` in smaps after madvise(…, MADV_GUARD_INSTALL)",
    )

    # --- other calls ---
    mmap_cuts_first: bool = _since(
        "6.12",
        "mmap over existing mappings cuts those at the edges before it looks at RLIMIT_AS, and a refused call leaves "
        "them cut",
        in_v3=True,
        see="mmap over the end of one VMA, the gap and the start of the next, at RLIMIT_AS",
    )
    read_only_drops_account: bool = _since(
        "6.12", "an unfaulted anonymous VMA made read-only drops VM_ACCOUNT", in_v3=True,
        see="mmap rw, mprotect r, mmap r beside it: one VMA",
    )  # fmt: skip
    thp_aligned_mmap: bool = _since(
        "6.7", "anonymous memory of a multiple of 2 MiB is placed at a 2 MiB boundary", in_v3=True, see="mmap 2 MiB",
        commit="efa7df3e3bb5",
    )  # fmt: skip
    thp_aligns_odd_lengths: bool = _behaviour(
        "anonymous memory of 2 MiB or more is placed at a 2 MiB boundary, even if its length is no multiple of 2 MiB",
        (("6.7", "6.12"),), see="mmap 2 MiB and a page", commit="efa7df3e3bb5, ended by d4148aeab412",
    )  # fmt: skip
    thp_aligned_dev_zero: bool = _since(
        "6.18",
        "a private mapping of /dev/zero is placed at a 2 MiB boundary too",
        see="mmap 2 MiB of /dev/zero privately",
    )
    huge_zero_becomes_huge: bool = _since(
        "6.13", "a write to the huge zero page brings a huge page of its own; before, the huge zero page was split and "
        "one page brought",
        in_v3=True, commit="1ced09e0331f",
        see="read, then write in 2 MiB of madvise(MADV_HUGEPAGE): AnonHugePages in smaps",
    )  # fmt: skip
    empty_tables_reclaimed: bool = _since(
        "6.14", "MADV_DONTNEED of a whole 2 MiB takes its page of PTEs away too, so that a huge page may come there",
        in_v3=True, commit="6375e95f381e",
        see="write a page, madvise(MADV_HUGEPAGE) and MADV_DONTNEED on 2 MiB, write it again: 1 page or 512",
    )  # fmt: skip
    seal_protects_dev_zero: bool = _since(
        "6.17",
        "a seal forbids discarding private /dev/zero memory that can't be written, as it does for anonymous memory",
        in_v3=True,
        see="mmap /dev/zero privately and read-only, mseal, madvise(MADV_DONTNEED): EPERM",
    )
    mseal_skips_after_merge: bool = _since(
        "6.17",
        "when mseal joins a VMA to a sealed one behind it, the VMA after that is sealed without merging",
        until="6.18.44",
        bug=True,
        in_v3=True,
        see="pages 0 to 5: mseal pages 2 to 3, then 0 to 5: two VMAs",
    )
    populate_stops_at_gaps: bool = _since(
        "6.9",
        "MADV_POPULATE_READ and MADV_POPULATE_WRITE end at the first gap; before, they went on behind it, as others do",
        in_v3=True,
        commit="631426ba1d45",
        see="map two pages with a gap between, madvise(MADV_POPULATE_WRITE) over all: is the second one present?",
    )
    uffd_prepares_anon_vma_first: bool = _since(
        "6.9",
        "UFFDIO_COPY and UFFDIO_ZEROPAGE give a private VMA an anon_vma before they look whether it is registered",
        in_v3=True,
        commit="867a43a34ff8",
        see="UFFDIO_COPY to two neighbours of which one is registered, UFFDIO_UNREGISTER: they stay two VMAs",
    )
    uffd_asks_size_of_dev_zero: bool = _since(
        "6.12",
        "UFFDIO_COPY, too, fails with EFAULT in private /dev/zero memory, since that file has no length",
        in_v3=True,
        see="register a private mapping of /dev/zero, UFFDIO_COPY: EFAULT",
    )
    uffd_past_shared_end_is_enomem: bool = _since(
        "7.1",
        "UFFDIO_COPY and UFFDIO_ZEROPAGE behind the end of a shared file fail with ENOMEM; before, with EFAULT",
        see="register a shared mapping of a memfd, ftruncate it to 0, UFFDIO_COPY",
    )
    uffd_copy_replaces_guards: bool = _behaviour(
        "UFFDIO_COPY fills a page that has a guard marker, and the guard is gone", ((None, "6.19"),), in_v3=True,
        see="register two pages, MADV_GUARD_INSTALL on one, UFFDIO_COPY to both: 0, not EAGAIN or EEXIST",
    )  # fmt: skip
    uffd_keeps_wp: bool = _since(
        "7.3", "a registration for write-protect faults can't become one without: UFFDIO_REGISTER says EBUSY",
        see="UFFDIO_REGISTER in mode WP, then in mode MISSING",
    )  # fmt: skip
    uffd_compares_first_pgoff: bool = _before(
        "6.4",
        "where userfaultfd is told of the end of a VMA only, its neighbour is held against the page offset of the "
        "VMA's start, and so the two do not merge",
        bug=True,
        commit="fixed by 5543d3c43c22",
        see="register two pages, then the two before them, in two calls of which the second begins inside a VMA",
    )
    uffd_makes_writable: bool = _since(
        "6.2", "the end of write protection by userfaultfd makes the entries of private pages writable at once; "
        "before, the next write to each met a fault",
        in_v3=True, see="UFFDIO_WRITEPROTECT on and off, write: count the page faults",
    )  # fmt: skip
    uffd_protects_many: bool = _since(
        "6.3", "UFFDIO_WRITEPROTECT works on a range of several VMAs and gaps; before, it had to lie in one VMA",
        in_v3=True, commit="a1b92a3f14d5", see="register two mappings in mode WP, UFFDIO_WRITEPROTECT over both",
    )  # fmt: skip
    mremap_clears_uffd_wp: bool = _since(
        "6.12", "mremap of memory that is registered with userfaultfd takes the write protection off its pages",
        in_v3=True, commit="0cef0bb836e3",
        see="UFFDIO_WRITEPROTECT, mremap, UFFDIO_REGISTER in mode WP there, write: it goes through",
    )  # fmt: skip
    seals_checked_late: bool = _before(
        "6.12",
        "whether a memfd is sealed against writing is looked at when its destination has been unmapped, and not at all "
        "where the new mapping merges with one that may write",
        see="a writable shared mapping, F_SEAL_FUTURE_WRITE, a second one just behind it",
    )
    mseal: bool = _since("6.10", "the mseal system call exists", in_v3=True, see="system call 462")
    guard_regions: bool = _since(
        "6.13", "MADV_GUARD_INSTALL and MADV_GUARD_REMOVE exist, for anonymous memory", in_v3=True, see="madvise 102",
    )  # fmt: skip
    guard_gives_files_anon_vma: bool = _since(
        "6.15",
        "MADV_GUARD_INSTALL gives file and shared mappings an anon_vma too, so that fork copies their page tables",
        until="6.18.37",
        in_v3=True,
        see="guard a page of a memfd, fork: the child has the guard",
    )
    guard_regions_in_files: bool = _since(
        "6.15", "guard regions may be installed in file mappings too", in_v3=True, see="madvise 102 on a memfd",
    )  # fmt: skip

    def __str__(self) -> str:
        if self.release == "v3":
            return "version 3 of the patch"
        return f"Linux {self.release}" if self.measured else f"Linux {self.release} (never measured)"


@cache
def behaviours() -> tuple[Behaviour, ...]:
    """Every named behaviour, in the order of the profile."""
    return tuple(
        Behaviour(attribute.name, **attribute.metadata)
        for attribute in attrs.fields(KernelProfile)
        if "meaning" in attribute.metadata
    )


def profile(release: str) -> KernelProfile:
    """The profile of a release: `"6.18.44"`, a series (`"6.18"`: the point release that was measured), or `"v3"`.

    Text after the number (`6.18.15+deb13-cloud-amd64`) is ignored.  A release between those measured gets the
    behaviours by their release ranges and `measured=False`.  Raises ProfileError for anything else.
    """
    given: object = release
    if not isinstance(given, str):
        raise ProfileError(f"a release is a text such as '6.18', not {described(release)}")
    return _profile(release)


@cache
def _profile(release: str) -> KernelProfile:
    if release == "v3":
        return KernelProfile("v3", False, **{b.name: bool(b.in_v3) for b in behaviours()})
    match = re.match(r"(\d+)\.(\d+)(?:\.(\d+))?(?![.\d])", release)
    if match is None:
        raise ProfileError(f"no such release: {release!r}; expected a kernel release such as 6.17 or 6.18.44, or v3")
    series = f"{match[1]}.{match[2]}"
    # 6.1.0 is how Debian names its 6.1 kernels, whatever the point release
    point = MEASURED.get(series, series) if match[3] is None or match[0] == "6.1.0" else match[0]
    version = _parse(point)
    if not FIRST <= version[:2] < LAST:
        raise ProfileError(
            f"no profile for Linux {match[0]}; the model knows 6.1 to 7.3: {', '.join(MEASURED)}, and v3"
        )
    held = {behaviour.name: behaviour.holds(version) for behaviour in behaviours()}
    return KernelProfile(match[0], series in MEASURED, **held)
