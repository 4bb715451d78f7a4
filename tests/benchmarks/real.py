"""The real system calls, made through ctypes and timed: a script for a process of its own, never for pytest's.

It prints a JSON object: microseconds of processor time a call, or null where this kernel can't do it (moves of many
VMAs before 6.17, or more VMAs than vm.max_map_count allows).
"""

from __future__ import annotations

import ctypes
import json
import time

PAGE, ARENA, AWAY = 4096, 0x10_0000_0000, 200_000
READ, WRITE, FIXED_PRIVATE_ANONYMOUS, MAYMOVE_FIXED = 1, 2, 0x32, 3

libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
libc.mremap.restype = ctypes.c_void_p
libc.mremap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_size_t, ctypes.c_int, ctypes.c_void_p]
libc.mprotect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
libc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]

COUNT, ROUNDS = 2000, 7


def page(number: int) -> int:
    return ARENA + number * PAGE


def fastest(function) -> float:  # type: ignore[no-untyped-def]
    """Microseconds a call; `function(i)` makes one."""
    times = []
    for _ in range(ROUNDS):
        start = time.process_time()
        for i in range(COUNT):
            function(i)
        times.append((time.process_time() - start) / COUNT * 1e6)
    return min(times)


def single_calls() -> dict[str, float]:
    libc.mmap(page(0), 16 * PAGE, READ | WRITE, FIXED_PRIVATE_ANONYMOUS, -1, 0)
    prots, places = (READ, READ | WRITE), (page(100), page(200))
    found = {
        "mmap": fastest(lambda i: libc.mmap(places[0], PAGE, READ | WRITE, FIXED_PRIVATE_ANONYMOUS, -1, 0)),
        "mprotect": fastest(lambda i: libc.mprotect(page(4), PAGE, prots[i & 1])),
        "move": fastest(lambda i: libc.mremap(places[i & 1], PAGE, PAGE, MAYMOVE_FIXED, places[1 - (i & 1)])),
    }
    libc.munmap(page(0), 300 * PAGE)
    return found


def move_of(vmas: int) -> float | None:
    """Microseconds for one move of so many VMAs, which can't merge."""
    with open("/proc/sys/vm/max_map_count") as limit:
        if vmas + 100 > int(limit.read()):
            return None
    for number in range(vmas):
        libc.mmap(page(number), PAGE, READ | (WRITE if number & 1 else 0), FIXED_PRIVATE_ANONYMOUS, -1, 0)
    times = []
    repeat = max(1, 1000 // vmas)
    for _ in range(ROUNDS):
        start = time.process_time()
        for _ in range(repeat):
            for source, target in ((0, AWAY), (AWAY, 0)):
                if libc.mremap(page(source), vmas * PAGE, vmas * PAGE, MAYMOVE_FIXED, page(target)) != page(target):
                    return None
        times.append((time.process_time() - start) / repeat / 2 * 1e6)
    libc.munmap(page(0), vmas * PAGE)
    return min(times)


if __name__ == "__main__":
    print(json.dumps(single_calls() | {f"move of {count}": move_of(count) for count in (10, 1000, 60000)}))
