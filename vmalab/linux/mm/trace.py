"""How the model tells what it does: a `Step` for each thing looked at, decided or changed.

The functions of `vmalab.linux.mm` note steps while they run; nothing is worded here.  A step names the kernel
function it belongs to, a key into the catalogue of `vmalab.words.explain`, and the values that the words need.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from attrs import field, frozen

from vmalab.linux.repr_html import repr_html

if TYPE_CHECKING:
    from vmalab.linux.mm.runs import Run
    from vmalab.linux.mm.vma import VMA


@frozen(repr=False)
class Step:
    """One thing that happened inside a call.

    `func`: the kernel function that does it (`check_prep_vma`).  `key`: what it was, a key of the catalogue in
    `vmalab.words.explain` (`"crosses_vma_end"`).  `values`: what the words for it need: byte addresses, lengths in
    bytes, VMAs.  `errno`: the symbol where this step refuses the call, else None.

    A step that changes the list of VMAs holds them in `removed` and `added`; replaying all steps on the state before
    the call gives the state after it.  `ptes` lists page-table ranges (page numbers, half-open) with the runs that
    they hold after the step.
    """

    func: str
    key: str
    values: Mapping[str, Any] = field(factory=dict)
    errno: str | None = None
    removed: tuple[VMA, ...] = ()
    added: tuple[VMA, ...] = ()
    ptes: tuple[tuple[int, int, tuple[Run, ...]], ...] = ()

    def __repr__(self) -> str:
        return repr_html("step", self)

    @property
    def changes(self) -> bool:
        """Whether the address space is different after this step."""
        return bool(self.removed or self.added or self.ptes)


class Refusal(Exception):
    """A call ends with an errno.  Internal to `vmalab.linux.mm`: callers of the model see an outcome, never this.

    What was changed before stays changed, as in the kernel.
    """

    def __init__(self, errno: str, func: str, key: str, **values: Any) -> None:
        super().__init__(errno, key)
        self.errno = errno
        self.step = Step(func, key, values, errno)
