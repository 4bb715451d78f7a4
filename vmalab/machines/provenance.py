"""Where a recording comes from: what about this machine can change what calls answer.

No names of hosts or people, and nothing that needs more rights than reading.
"""

from __future__ import annotations

import datetime
import gzip
import os
import platform
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from vmalab import __version__

SYSCTLS = (
    "vm.legacy_va_layout",
    "vm.max_map_count",
    "vm.memfd_noexec",
    "vm.mmap_min_addr",
    "vm.overcommit_kbytes",
    "vm.overcommit_memory",
    "vm.overcommit_ratio",
    "vm.unprivileged_userfaultfd",
)
CONFIG = (
    "ANON_VMA_NAME",
    "ARCH_HAS_PKEYS",
    "DEFAULT_MMAP_MIN_ADDR",
    "HUGETLB_PAGE",
    "KSM",
    "LSM_MMAP_MIN_ADDR",
    "MEM_SOFT_DIRTY",
    "MEMFD_CREATE",
    "PER_VMA_LOCK",
    "SHMEM",
    "SWAP",
    "TRANSPARENT_HUGEPAGE",
    "TRANSPARENT_HUGEPAGE_ALWAYS",
    "TRANSPARENT_HUGEPAGE_MADVISE",
    "USERFAULTFD",
    "X86_5LEVEL",
)
THP = ("enabled", "shmem_enabled")


def provenance() -> dict[str, Any]:
    """The keys that `vmalab record` adds to an outcome document."""
    system = os.uname()
    return {
        "machine": {
            "system": system.sysname,
            "version": system.version,
            "architecture": system.machine,
            "page_size": os.sysconf("SC_PAGESIZE"),
            "processor_flags": sorted({"la57", "pku", "hypervisor"} & set(_processor_flags())),
            "python": platform.python_version(),
        },
        "config": dict(_config(system.release)),
        "sysctls": {name: value for name in SYSCTLS if (value := _read("/proc/sys/" + name.replace(".", "/")))},
        "transparent_hugepage": {
            name: value for name in THP if (value := _read(f"/sys/kernel/mm/transparent_hugepage/{name}"))
        },
        "date": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "tool": f"vmalab {__version__}",
    }


def _read(path: str) -> str | None:
    try:
        return Path(path).read_text().strip()
    except OSError:
        return None


def _processor_flags() -> list[str]:
    for line in (_read("/proc/cpuinfo") or "").splitlines():
        if line.startswith("flags"):
            return line.partition(":")[2].split()
    return []


def _config(release: str) -> Iterator[tuple[str, str]]:
    """The kernel's configuration, where it shows it, among `CONFIG`."""
    text = None
    try:
        text = gzip.decompress(Path("/proc/config.gz").read_bytes()).decode()
    except (OSError, EOFError, UnicodeDecodeError):
        text = _read(f"/boot/config-{release}")
    for line in (text or "").splitlines():
        name, equals, value = line.removeprefix("CONFIG_").partition("=")
        if equals and line.startswith("CONFIG_") and name in CONFIG:
            yield name, value
