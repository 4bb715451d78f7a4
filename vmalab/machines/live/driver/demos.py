"""Real programs in miniature: glibc's realloc, a garbage collector, the map count, what /dev/zero shows of vm_pgoff.

Each runs in a worker process and tells its story as lines of JSON: `{"moment", "vmas", "numbers"}`, the rows in the
scenario format with pages that count from the arena's start.  The words for it are in `vmalab/system/demos.py`.
"""

from __future__ import annotations

import ctypes
import os
import resource
import select
import struct
import threading
from collections.abc import Callable
from typing import Any

from . import kernel
from .kernel import PAGE, raw
from .proc import Proc, TooMuch
from .program import BASE

Tell = Callable[..., None]

MOVE_AND_KEEP = kernel.MREMAP["maymove"] | kernel.MREMAP["fixed"] | kernel.MREMAP["dontunmap"]
ANON = kernel.MAP_PRIVATE | kernel.MAP_ANONYMOUS


class Teller:
    """Sends one moment of a demonstration: its name, the VMAs of some ranges, and numbers."""

    def __init__(self, send: Callable[[dict[str, Any]], None]) -> None:
        self.send = send
        self.proc = Proc()

    def __call__(self, moment: str, *ranges: tuple[int, int], **numbers: int | str | bool) -> None:
        """`ranges`: bytes [start, end) to show; a VMA that reaches further is cut at their edges."""
        rows = [self._row(area, *cut) for cut in sorted(ranges) for area in self.proc.areas(*cut)]
        self.send({"moment": moment, "vmas": rows, "numbers": numbers})

    def _row(self, area: Any, low: int, high: int) -> dict[str, Any]:
        start, end = max(area.start, low), min(area.end, high)
        words = self.proc.contents(start, end) if self.proc.pages_known else None
        return {
            "start": (start - BASE) // PAGE,
            "end": (end - BASE) // PAGE,
            "perms": area.perms,
            "backing": area.backing,
            "pgoff": area.pgoff,
            "pages": words and {str((address - start) // PAGE): word for address, word in words.items()},
        }


def _mmap(address: int, length: int, prot: str = "rw", flags: int = ANON) -> int:
    result, refused = kernel.call(kernel.SYS_MMAP, address, length, sum(kernel.PROT[p] for p in prot), flags, -1)
    if refused:
        raise TooMuch(f"this system refuses mmap ({refused})")
    return result


def _minor_faults() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt


# --- glibc's realloc -----------------------------------------------------------------------------------------

_libc = ctypes.CDLL(None)
_malloc, _realloc, _free = _libc.malloc, _libc.realloc, _libc.free
_malloc.restype = _realloc.restype = ctypes.c_void_p
_malloc.argtypes, _free.argtypes = [ctypes.c_size_t], [ctypes.c_void_p]
_realloc.argtypes = [ctypes.c_void_p, ctypes.c_size_t]

HEADER = 16
"""Bytes in front of a block of glibc's malloc; the last eight hold its size and three flag bits, 2 for a mapping."""


def _mapped(block: int) -> tuple[int, int]:
    """The mapping behind a large block, as glibc notes it in front of the block."""
    size = ctypes.c_size_t.from_address(block - 8).value
    if not size & 2:
        raise TooMuch("this C library did not give the block a mapping of its own")
    start = block - HEADER
    return start, start + (size & ~7)


def _fill(block: int, length: int) -> None:
    for offset in range(PAGE - HEADER, length, PAGE):  # the first word of each page but the first, which has the header
        ctypes.c_uint64.from_address(block + offset).value = (offset + HEADER) // PAGE


def _intact(block: int, length: int) -> bool:
    return all(
        ctypes.c_uint64.from_address(block + offset).value == (offset + HEADER) // PAGE
        for offset in range(PAGE - HEADER, length, PAGE)
    )


def realloc(tell: Tell) -> None:
    """A block grows twice, and once the slow way: by malloc, copy and free."""
    size = 64 * PAGE  # above the threshold from which glibc maps a block of its own (128 KiB)
    block = _malloc(size)
    tell("malloc", _mapped(block), kib=size >> 10)
    _fill(block, size)
    tell("written", _mapped(block))
    for factor in (2, 4):
        old, end = block, _mapped(block)[1]
        # somebody else's page right behind the block (unless there is one already): it has to move
        kernel.call(kernel.SYS_MMAP, end, PAGE, 0, ANON | kernel.MAP_FIXED_NOREPLACE, -1)
        before = _minor_faults()
        block = _realloc(old, size * factor)
        faults = _minor_faults() - before
        tell("realloc", _mapped(block), kib=size * factor >> 10, old=f"{old:#x}", new=f"{block:#x}",
             moved=block != old, faults=faults, intact=_intact(block, size))  # fmt: skip
    before = _minor_faults()
    other = _malloc(size * 8)
    ctypes.memmove(other, block, size)
    faults = _minor_faults() - before
    tell("copied", _mapped(other), faults=faults, intact=_intact(other, size))
    _free(block)
    _free(other)


# --- a moving garbage collector ------------------------------------------------------------------------------

HEAP_PAGES = 8
HEAP, SHADOW = BASE, BASE + 64 * PAGE
LENGTH = HEAP_PAGES * PAGE
MARK = 1000

_UFFDIO_COPY = 0xC028_AA03
_PAGEFAULT = 0x12


def _objects() -> None:
    """One object in each page: a value, and a pointer to the object before it."""
    for index in range(HEAP_PAGES):
        at = HEAP + index * PAGE
        ctypes.c_uint64.from_address(at).value = index + 1
        ctypes.c_uint64.from_address(at + 8).value = HEAP + max(index - 1, 0) * PAGE


class _Collector(threading.Thread):
    """Answers each fault in the emptied heap with the object from the shadow, changed as the collection asks for."""

    def __init__(self, uffd: kernel.Userfaultfd) -> None:
        super().__init__(daemon=True)
        self.uffd = uffd
        self.served: list[int] = []
        self.stop_read, self.stop_write = os.pipe()

    def run(self) -> None:
        page = ctypes.create_string_buffer(PAGE)
        while True:
            ready, _, _ = select.select([self.uffd.fd, self.stop_read], [], [])
            if self.stop_read in ready:
                return
            message = os.read(self.uffd.fd, 32)
            if message[0] != _PAGEFAULT:
                continue
            address = struct.unpack_from("<Q", message, 16)[0] & -PAGE
            ctypes.memmove(page, address - HEAP + SHADOW, PAGE)
            moved = ctypes.c_uint64.from_buffer(page)
            moved.value += MARK  # what a real collector does here: mend the object's pointers
            request = ctypes.create_string_buffer(
                struct.pack("<QQQQq", address, ctypes.addressof(page), PAGE, 0, 0), 40
            )
            self.served.append((address - HEAP) // PAGE)
            raw(kernel.SYS_IOCTL, self.uffd.fd, _UFFDIO_COPY, ctypes.addressof(request))  # wakes the program too

    def stop(self) -> None:
        """End the thread."""
        os.write(self.stop_write, b".")
        self.join()


def _load(address: int) -> int:
    """A load of the program itself, which may wait for the collector: memmove lets other threads run meanwhile."""
    word = ctypes.c_uint64()
    ctypes.memmove(ctypes.addressof(word), address, 8)
    return word.value


def collector(tell: Tell) -> None:
    """A heap is emptied with MREMAP_DONTUNMAP; the program goes on at once, and pages come back as it asks for them."""
    heap, shadow = (HEAP, HEAP + LENGTH), (SHADOW, SHADOW + LENGTH)
    _mmap(HEAP, LENGTH, flags=ANON | kernel.MAP_FIXED)
    _objects()
    tell("heap", heap, shadow, pages=HEAP_PAGES)
    try:
        uffd = kernel.Userfaultfd()
    except OSError as error:
        raise TooMuch(f"this system refuses userfaultfd ({error})") from None
    _, refused = kernel.call(kernel.SYS_MREMAP, HEAP, LENGTH, LENGTH, MOVE_AND_KEEP, SHADOW)
    if refused:
        raise TooMuch(f"this system refuses MREMAP_DONTUNMAP ({refused})")
    tell("pause", heap, shadow)
    refused = uffd.register(HEAP, LENGTH, kernel.UFFD_MODES["missing"])
    if refused:
        raise TooMuch(f"this system refuses to register the heap ({refused})")
    thread = _Collector(uffd)
    thread.start()
    tell("registered", heap, shadow)
    for index in (5, 2):
        value = _load(HEAP + index * PAGE)
        tell("read", heap, shadow, index=index, value=value, faults=len(thread.served))
    for index in range(HEAP_PAGES):
        _load(HEAP + index * PAGE)
    thread.stop()
    uffd.close()
    tell("all_read", heap, shadow, faults=len(thread.served))
    kernel.call(kernel.SYS_MUNMAP, SHADOW, LENGTH)
    tell("shadow_gone", heap, shadow)


# --- as many VMAs as a process may have ----------------------------------------------------------------------

FEW = 100_000
"""More VMAs than that take too long to make."""


def _most_vmas() -> int:
    """vm.max_map_count of this system."""
    with open("/proc/sys/vm/max_map_count", encoding="ascii") as file:
        most = int(file.read())
    if most > FEW:
        raise TooMuch(f"this system allows a process {most} VMAs, and to make so many takes too long")
    return most


def _done(refused: str | None) -> str:
    return refused or "done"


def _cut(at: int) -> tuple[int, str]:
    """Make every second page from `at` on readable until the kernel refuses one; where, and with what errno."""
    while (refused := kernel.call(kernel.SYS_MPROTECT, at, PAGE, kernel.PROT["r"])[1]) is None:
        at += 2 * PAGE
    return at, refused


def map_count(tell: Teller, most: int) -> None:
    """Every second page of a reserve is made readable until the kernel has enough; then memory is to be given back."""
    six, beside = (BASE, BASE + 6 * PAGE), BASE + 20 * PAGE
    _mmap(BASE, 6 * PAGE, flags=ANON | kernel.MAP_FIXED)
    tell("few", six, count=tell.proc.count(), most=most)
    reserve = BASE + (1 << 30)
    kernel.call(kernel.SYS_MMAP, reserve, 2 * most * PAGE, 0, ANON | kernel.MAP_FIXED | kernel.MAP_NORESERVE, -1)
    at, why = _cut(reserve + PAGE)
    tell("full", six, count=tell.proc.count(), refused=why)
    _, refused = kernel.call(kernel.SYS_MUNMAP, BASE + 2 * PAGE, PAGE)
    tell("middle", six, result=_done(refused))
    _, refused = kernel.call(kernel.SYS_MUNMAP, BASE + 5 * PAGE, PAGE)
    tell("end", six, result=_done(refused))
    # Python may have mapped something meanwhile: two of the cuts are taken back, and made again as far as there is room
    kernel.call(kernel.SYS_MPROTECT, at - 2 * PAGE, PAGE, 0)
    _cut(at - 2 * PAGE)
    results = [
        _done(kernel.call(kernel.SYS_MMAP, at, PAGE, kernel.PROT["r"], ANON | kernel.MAP_FIXED, -1)[1])
        for at in (beside, beside + 2 * PAGE)
    ]
    tell("more", six, (beside, beside + 4 * PAGE), first=results[0], second=results[1], count=tell.proc.count())


# --- vm_pgoff, where it can be seen --------------------------------------------------------------------------

MIDDLE, AWAY = BASE + 3 * PAGE, BASE + 100 * PAGE


def _open_zero() -> int:
    return os.open("/dev/zero", os.O_RDWR | os.O_CLOEXEC)


def pgoff(tell: Teller, zero: int) -> None:
    """Three pages of nine go away and come back, unwritten and written, as the offset column of maps shows them."""
    home, away = (BASE, BASE + 9 * PAGE), (AWAY, AWAY + 3 * PAGE)

    def said(moment: str) -> None:
        shown = [f"{at:#x} at page {(start - BASE) // PAGE}" for start, at in tell.proc.offsets(BASE, AWAY + 3 * PAGE)]
        tell(moment, home, away, offsets=", ".join(shown))

    def moved(source: int, target: int) -> None:
        flags = kernel.MREMAP["maymove"] | kernel.MREMAP["fixed"]
        _, refused = kernel.call(kernel.SYS_MREMAP, source, 3 * PAGE, 3 * PAGE, flags, target)
        if refused:
            raise TooMuch(f"this system refuses to move a mapping of /dev/zero ({refused})")

    rw, private = kernel.PROT["r"] | kernel.PROT["w"], kernel.MAP_PRIVATE | kernel.MAP_FIXED
    kernel.call(kernel.SYS_MMAP, BASE, 9 * PAGE, rw, private, zero, BASE)
    said("mapped")
    moved(MIDDLE, AWAY)
    said("away")
    moved(AWAY, MIDDLE)
    said("home")
    moved(MIDDLE, AWAY)
    ctypes.c_uint64.from_address(AWAY).value = 1
    said("written")
    moved(AWAY, MIDDLE)
    said("back")


DEMOS: dict[str, Callable[..., None]] = {
    "collector": collector, "map_count": map_count, "pgoff": pgoff, "realloc": realloc,
}  # fmt: skip

BEFORE: dict[str, Callable[[], int]] = {"map_count": _most_vmas, "pgoff": _open_zero}
"""What a demonstration needs that its process may not do any more once it is in its sandbox."""


def prepared(name: str, send: Callable[[dict[str, Any]], None]) -> Callable[[], None]:
    """The demonstration called `name`, ready to be run in a sandbox; what it tells goes to `send`."""
    given = [BEFORE[name]()] if name in BEFORE else []
    return lambda: DEMOS[name](Teller(send), *given)
