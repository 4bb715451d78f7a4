"""The records: what failed (`Problem`), and what to try instead (`Attempt`)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from attrs import field, frozen

from vmalab.linux.addr import PAGE, WORD, page_align
from vmalab.linux.call import Call, Mremap
from vmalab.machines.outcome import Snapshot
from vmalab.words.summary import Area, inside

MANY = 16
"""More calls than this are no advice."""


@frozen
class Attempt:
    """Calls to make instead of the one that failed.

    `key`: its text in the catalogue; `values`: what that needs beside the calls.  Of attempts with the same key only
    the first that succeeds counts.  `part`: it reaches less than the call was to.
    """

    key: str
    calls: tuple[Call, ...]
    values: Mapping[str, Any] = field(factory=dict)
    part: bool = False


@frozen
class Problem:
    """A call that failed: `before` the rows it met, `rule` the key of the step that refused it, with its `values`."""

    call: Any
    before: Snapshot
    rule: str
    values: Mapping[str, Any]

    @property
    def start(self) -> int:
        """Byte where the range of the call starts, at the start of a page."""
        return int(getattr(self.call, "addr", 0) or 0) & WORD & -PAGE

    @property
    def end(self) -> int:
        """Byte where the range ends."""
        length = self.call.old_len if isinstance(self.call, Mremap) else getattr(self.call, "length", 0)
        return self.start + page_align(length & WORD)

    @property
    def pieces(self) -> list[Area]:
        """What is mapped in the range, VMA by VMA."""
        return inside(self.before, self.start, self.end)


Maker = Callable[[Problem], Iterator[Attempt]]
