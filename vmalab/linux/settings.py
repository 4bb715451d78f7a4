"""`Settings`: what an administrator sets for a whole machine, as far as it decides what calls on mappings answer."""

from __future__ import annotations

import re
from typing import Any

from attrs import field, frozen, validators

from vmalab.errors import UsageError
from vmalab.linux.scope import left_out

ANY_MEMORY = 1 << 62
"""Pages: more than any request."""

THP = ("always", "madvise", "never")


def chosen(text: str) -> str:
    """Of `always [madvise] never` the word in brackets; of a file that has no brackets, what it holds."""
    found = re.search(r"\[(\w+)\]", text)
    return found[1] if found else text.strip()


def _whole(_settings: Any, attribute: Any, value: object) -> None:
    if type(value) is not int or value < 0:
        raise UsageError(f"Settings: {attribute.name} is a whole number from 0 on, not {value!r}")


def _overcommit(_settings: Any, _attribute: Any, value: object) -> None:
    if value == 2:
        raise left_out("overcommit_memory 2")
    if value not in (0, 1):
        raise UsageError(f"Settings: overcommit_memory is 0 or 1, not {value!r}")


def _thp(_settings: Any, _attribute: Any, value: object) -> None:
    if value not in THP:
        raise UsageError(f"Settings: transparent_hugepage is one of {', '.join(THP)}, not {value!r}")


@frozen
class Settings:
    """The settings of a machine; without arguments those that Linux has by itself, with huge pages on request.

    `mmap_min_addr`: bytes (vm.mmap_min_addr).  `max_map_count`: VMAs of a process (vm.max_map_count).
    `overcommit_memory`: 0 refuses only a request for more than all memory, 1 refuses none (vm.overcommit_memory).
    `memory`: RAM and swap, in pages.  `transparent_hugepage`: `"always"`, `"madvise"` or `"never"`
    (/sys/kernel/mm/transparent_hugepage/enabled).  Raises UsageError for other values, NotModelled for overcommit 2.

    >>> Settings(mmap_min_addr=4096).max_map_count
    65530
    """

    mmap_min_addr: int = field(default=65536, validator=_whole)
    max_map_count: int = field(default=65530, validator=_whole)
    overcommit_memory: int = field(default=0, validator=validators.and_(_whole, _overcommit))
    memory: int = field(default=ANY_MEMORY, validator=_whole)
    transparent_hugepage: str = field(default="madvise", validator=_thp)
