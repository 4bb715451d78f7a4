"""Times what a plan asks for, in a worker process: each case is set up, timed, and taken down again, round by round.

A case is `{"setup": [instruction…], "there": [call…], "back": [call…]}`: the calls of `there` are timed together, then
those of `back`, which undo them and are a sample as well.  Or it is `{"op": name, …}`, one of `OPERATIONS`.  What the
cases are and what the times mean is known to `vmalab/machines/measure/`.
"""

from __future__ import annotations

import ctypes
import os
import time
from collections.abc import Callable, Sequence
from typing import Any

from . import kernel
from .kernel import PAGE, call, raw
from .proc import TooMuch

Send = Callable[[dict[str, Any]], None]
Samples = list[int]

ANON = kernel.MAP_PRIVATE | kernel.MAP_ANONYMOUS
SYS_GETPPID = 110
PAIRS = 3
"""How often a case goes there and back in one round; the first pair warms it up and is not counted."""

_now = time.perf_counter_ns


def run(plan: dict[str, Any], send: Send) -> None:
    """Do the rounds of `plan`; after each one line `{"moment": "round", "ns": {case: [samples]}}`."""
    cases: dict[str, dict[str, Any]] = plan["cases"]
    for _ in range(plan["rounds"]):
        send({"moment": "round", "ns": {name: _case(case) for name, case in cases.items()}})


def _case(case: dict[str, Any]) -> Samples:
    if "op" in case:
        return OPERATIONS[case["op"]](case)
    for instruction in case["setup"]:
        _set_up(instruction)
    there, back = ([_prepared(one) for one in case[way]] for way in ("there", "back"))
    samples = []
    for number in range(PAIRS):
        pair = [_timed(there), _timed(back)]
        if number:
            samples += pair
    for start, length in case["clear"]:
        raw(kernel.SYS_MUNMAP, start, length)
    return samples


def _set_up(instruction: list[Any]) -> None:
    what, start, length, *more = instruction
    if what == "map":
        _, refused = call(kernel.SYS_MMAP, start, length, more[0], ANON | kernel.MAP_FIXED, kernel.WORD, 0)
    elif what == "protect":
        _, refused = call(kernel.SYS_MPROTECT, start, length, more[0])
    else:  # touch: the first byte of every `more[0]` bytes
        refused = None
        for address in range(start, start + length, more[0]):
            ctypes.c_char.from_address(address).value = b"x"
    if refused:
        raise TooMuch(f"this system refuses what a measurement has to set up ({what}: {refused})")


def _prepared(arguments: list[int]) -> tuple[int, ...]:
    return (kernel.SYS_MREMAP, *arguments)


def _timed(calls: Sequence[tuple[int, ...]]) -> int:
    """Nanoseconds for all the calls, one after the other."""
    begin = _now()
    for arguments in calls:
        result = raw(*arguments)
    end = _now()
    if result == -1:
        raise TooMuch(f"this system refuses a move that is to be measured ({kernel.symbol(ctypes.get_errno())})")
    return end - begin


# --- other operations, to set beside the moves ---------------------------------------------------------------


def _null(case: dict[str, Any]) -> Samples:
    """The same loop with a system call that does nothing: what ctypes and the entry into the kernel cost."""
    calls = [(SYS_GETPPID,)] * case["calls"]
    return [_timed(calls) for _ in range(2 * PAIRS)][2:]


def _mapped(length: int) -> int:
    address, refused = call(kernel.SYS_MMAP, 0, length, 3, ANON, kernel.WORD, 0)
    if refused:
        raise TooMuch(f"this system refuses what a measurement has to set up (mmap: {refused})")
    return address


def _filled(length: int) -> int:
    address = _mapped(length)
    ctypes.memset(address, 1, length)
    return address


def _grow_remap(case: dict[str, Any]) -> Samples:
    """A block of `bytes` grows to twice its size with mremap; a page behind it makes it move."""
    size, samples = case["bytes"], []
    for _ in range(PAIRS):
        block = _filled(size + PAGE)
        raw(kernel.SYS_MPROTECT, block + size, PAGE, 0)
        begin = _now()
        grown = raw(kernel.SYS_MREMAP, block, size, 2 * size, 1)
        samples.append(_now() - begin)
        raw(kernel.SYS_MUNMAP, grown, 2 * size)
        raw(kernel.SYS_MUNMAP, block + size, PAGE)
    return samples[1:]


def _grow_copy(case: dict[str, Any]) -> Samples:
    """The same by hand: a new mapping, a copy, and the old one unmapped."""
    size, samples = case["bytes"], []
    for _ in range(PAIRS):
        block = _filled(size)
        begin = _now()
        grown = _mapped(2 * size)
        ctypes.memmove(grown, block, size)
        raw(kernel.SYS_MUNMAP, block, size)
        samples.append(_now() - begin)
        raw(kernel.SYS_MUNMAP, grown, 2 * size)
    return samples[1:]


def _fork(case: dict[str, Any]) -> Samples:
    """Fork with `bytes` of written memory more than this process has anyway; the child ends at once."""
    size, samples = case["bytes"], []
    block = _filled(size)
    for _ in range(PAIRS):
        begin = _now()
        child = os.fork()
        if child == 0:
            os._exit(0)
        samples.append(_now() - begin)
        os.waitpid(child, 0)
    raw(kernel.SYS_MUNMAP, block, size)
    return samples[1:]


def _fault(case: dict[str, Any]) -> Samples:
    """First writes to `bytes` of fresh memory: a page fault for each page."""
    size, samples = case["bytes"], []
    for _ in range(PAIRS):
        block = _mapped(size)
        begin = _now()
        ctypes.memset(block, 1, size)
        samples.append(_now() - begin)
        raw(kernel.SYS_MUNMAP, block, size)
    return samples[1:]


OPERATIONS: dict[str, Callable[[dict[str, Any]], Samples]] = {
    "null": _null, "grow_remap": _grow_remap, "grow_copy": _grow_copy, "fork": _fork, "fault": _fault,
}  # fmt: skip
