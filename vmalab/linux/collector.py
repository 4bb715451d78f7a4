"""Python's cyclic garbage collector, told to wait while records pile up that all stay.

A call that moves thousands of VMAs, and a player that draws each of its steps, make records that refer to nothing newer
than themselves: looking through them again and again finds nothing, and takes up to a third of the time.
"""

from __future__ import annotations

import gc


class CollectorWaits:
    """A block during which nothing is collected; afterwards the collector is as it was."""

    __slots__ = ("_collecting",)

    def __enter__(self) -> None:
        self._collecting = gc.isenabled()
        gc.disable()

    def __exit__(self, *raised: object) -> None:
        if self._collecting:
            gc.enable()
