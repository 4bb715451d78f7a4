"""The limits that a scenario sets: RLIMIT_AS, RLIMIT_DATA, RLIMIT_MEMLOCK and, in guests only, vm.max_map_count.

A limit binds the scenario's calls and not the driver's own bookkeeping: it is lowered around each call and lifted
again before the driver looks at what happened.  It stays the number that the `limit` step made of it, except that what
the driver itself mapped or unmapped in the meantime is added, so that only the scenario feels it.
"""

from __future__ import annotations

import contextlib
import os
import resource
from collections.abc import Iterator

from . import REFUSAL
from .kernel import PAGE
from .proc import Proc, TooMuch

SYSCTL = "/proc/sys/vm/max_map_count"


BOUND = {"as": resource.RLIMIT_AS, "data": resource.RLIMIT_DATA}
"""Limits that are lowered around each call, by their names in a scenario."""


class Limits:
    """What the scenario has limited so far.  `active` while a limit needs `lower` and `lift` around each call."""

    def __init__(self, proc: Proc, set_map_count: bool = False) -> None:
        self.proc = proc
        self.active = False
        self._may_set_map_count = set_map_count
        self._most: dict[str, int] = {}  # pages, of what is in BOUND
        self._hard: dict[str, int] = {}
        self._seen: dict[str, int] = {}
        self._memlock_usual: tuple[int, int] | None = None
        self._maps: int | None = None  # vm.max_map_count
        self._maps_seen = 0
        self._maps_usual = b""
        self._sysctl = -1
        if set_map_count:  # while this process may still open files
            self._sysctl = os.open(SYSCTL, os.O_RDWR | os.O_CLOEXEC)
            self._maps_usual = os.pread(self._sysctl, 32, 0)

    def reset(self) -> None:
        """No limits any more; for a process that goes on with another scenario."""
        if self._memlock_usual is not None:
            resource.setrlimit(resource.RLIMIT_MEMLOCK, self._memlock_usual)
        self.active = False
        self._most.clear()
        self._maps = self._memlock_usual = None

    def _now(self, name: str) -> int:
        """How many pages of it there are."""
        return self.proc.size() if name == "as" else self.proc.data()

    def set(self, name: str, headroom: int) -> None:
        """Set the limit `name` to what is in use now plus `headroom`."""
        if name in BOUND:
            self._seen[name] = self._now(name)
            self._most[name] = self._seen[name] + headroom
            self._hard[name] = resource.getrlimit(BOUND[name])[1]
            self.active = True
        elif name == "memlock":
            soft = (self.proc.locked() + headroom) * PAGE
            now = resource.getrlimit(resource.RLIMIT_MEMLOCK)
            self._memlock_usual = self._memlock_usual or now
            hard = now[1]
            if hard != resource.RLIM_INFINITY and soft > hard:
                raise TooMuch(f"RLIMIT_MEMLOCK cannot be {soft} bytes here: its hard limit is {hard}")
            resource.setrlimit(resource.RLIMIT_MEMLOCK, (soft, hard))
        elif not self._may_set_map_count:
            raise TooMuch(REFUSAL)
        else:
            self._maps_seen = self.proc.count()
            self._maps = self._maps_seen + headroom
            self.active = True

    def lower(self) -> None:
        """Let the limits bind, just before a call."""
        if self._maps is not None:
            seen = self.proc.count()
            self._maps += seen - self._maps_seen
            os.pwrite(self._sysctl, b"%d" % self._maps, 0)
        for name in self._most:
            seen = self._now(name)
            self._most[name] += seen - self._seen[name]
            soft, hard = self._most[name] * PAGE, self._hard[name]
            if hard != resource.RLIM_INFINITY:
                soft = min(soft, hard)
            resource.setrlimit(BOUND[name], (soft, hard))

    def lift(self) -> None:
        """Let them go, just after it, and remember how much the scenario had then."""
        for name, hard in self._hard.items():
            if name in self._most:
                resource.setrlimit(BOUND[name], (hard, hard))
        for name in self._most:
            self._seen[name] = self._now(name)
        if self._maps is not None:
            os.pwrite(self._sysctl, self._maps_usual, 0)
            self._maps_seen = self.proc.count()

    @contextlib.contextmanager
    def bound(self) -> Iterator[None]:
        """Lowered meanwhile."""
        if self.active:
            self.lower()
        try:
            yield
        finally:
            if self.active:
                self.lift()

    def moved(self, proc: Proc) -> None:
        """This is a forked child now: what it did not inherit was not given up by the driver."""
        self.proc = proc
        for name in self._most:
            self._seen[name] = self._now(name)
        if self._maps is not None:
            self._maps_seen = proc.count()
