"""Page faults: what a write or a read brings in, and the first write that assigns an anon_vma (mm/memory.c).

What asks for them is in `access.py` (the program's own loads and stores); `populate` is what mlock does for it.
"""

from __future__ import annotations

from contextlib import suppress

from vmalab.linux.addr import PAGE_SHIFT
from vmalab.linux.flags import VM_ACCESS, VM_LOCKONFAULT, VM_SHARED, VM_UFFD_MISSING, VM_WRITE
from vmalab.linux.mm import huge
from vmalab.linux.mm.merge import find_mergeable_anon_vma
from vmalab.linux.mm.runs import Run
from vmalab.linux.mm.space import AddressSpace
from vmalab.linux.mm.trace import Refusal
from vmalab.linux.mm.vma import VMA
from vmalab.linux.mm.writeprotect import first_protected, written


def anon_vma_prepare(mm: AddressSpace, vma: VMA) -> VMA:
    """Give `vma` an anon_vma if it has none: a neighbour's if they could merge, else a new one (mm/rmap.c)."""
    if vma.anon_vma is not None:
        return vma
    mm.alloc("anon_vma_prepare")
    shared = find_mergeable_anon_vma(mm, vma)
    anon_vma = shared[0] if shared else mm.new_anon_vma()
    ready = vma.with_anon(anon_vma, (anon_vma,))
    mm.replace("anon_vma_prepare", "anon_vma_shared" if shared else "anon_vma_new", (vma,), (ready,), vma=ready,
               anon_vma=anon_vma, neighbour=shared[1] if shared else None)  # fmt: skip
    return ready


def _file_page(vma: VMA, page: int) -> int:
    """The page of the file that page number `page` maps."""
    return vma.pgoff + page - (vma.start >> PAGE_SHIFT)


def _bring_in(vma: VMA, start: int, end: int) -> None:
    """Put pages [start, end) of the mapping into the page cache, as zeros where they are new."""
    assert vma.file is not None
    first, last = _file_page(vma, start), _file_page(vma, end)
    for low, high in vma.file.cache.holes(first, last):
        vma.file.cache.put(Run(low, high, "cache"))


def pages_of_file(vma: VMA, page: int) -> int:
    """How many pages of the file that `vma` maps there are from page number `page` on; 0 or less past its end."""
    assert vma.file is not None
    return vma.file.size - _file_page(vma, page)


def write_fault(mm: AddressSpace, vma: VMA, start: int, end: int, value: int | None) -> VMA:
    """Write to pages [start, end) (page numbers) of `vma`; page p gets `value + p - start`.

    `value` None leaves contents as they are (a fault that only breaks copy-on-write).  Returns the VMA, which may
    have got an anon_vma.  O(log n + runs in the range).
    """
    if vma.flags & VM_SHARED:
        _write_shared(mm, vma, start, end, value)
        return vma
    if mm.write_protected:
        written(mm, start, end)
    blocks = huge.fillable(mm, vma, start, end) if vma.is_anonymous else []
    position = start
    for block in blocks:  # in the order of addresses
        if position < block[0]:
            vma = _write_stretch(mm, vma, position, block[0], None if value is None else value + position - start, [])
        vma = anon_vma_prepare(mm, vma)
        first, position = max(start, block[0]), min(end, block[1])
        vma = _write_stretch(mm, vma, first, position, None if value is None else value + first - start, [block])
    if position < end:
        vma = _write_stretch(mm, vma, position, end, None if value is None else value + position - start, [])
    return vma


def _write_stretch(
    mm: AddressSpace, vma: VMA, start: int, end: int, value: int | None, blocks: list[tuple[int, int]]
) -> VMA:
    """`write_fault` for private pages that new huge pages, at `blocks`, come to altogether or not at all."""
    left = huge.write_fault(mm, vma, start, end, value, blocks) if vma.is_anonymous else [(start, end)]
    for low, high in left:
        vma = _write_ptes(mm, vma, low, high, None if value is None else value + low - start)
    return vma


def _write_shared(mm: AddressSpace, vma: VMA, start: int, end: int, value: int | None) -> None:
    """`write_fault` for pages of a shared mapping: a fault brings those that are not present."""
    assert vma.file is not None
    _bring_in(vma, start, end)
    back = start - _file_page(vma, start)
    for there, low, high in _stretches(mm, start, end):
        first, last = low - back, high - back
        if value is not None:
            vma.file.cache.put(Run(first, last, "cache", value + low - start, 1))
        mm.pagetable.put(Run(low, high, "file", first, 1))
        if mm.trace and not there:
            mm.note_pages("do_shared_fault", "fault_shared", _aliases(mm, vma, first, last), vma=vma, start=low,
                          end=high)  # fmt: skip
        elif mm.trace and value is not None:
            mm.note_pages("store", "stored", _aliases(mm, vma, first, last), start=low, end=high)


def _write_ptes(mm: AddressSpace, vma: VMA, start: int, end: int, value: int | None) -> VMA:
    """`write_fault` for private pages that no huge page holds."""
    for there, low, high in _stretches(mm, start, end):
        if there == "anon" and value is None:
            continue
        if there not in ("anon", "common"):
            vma = anon_vma_prepare(mm, vma)
        if value is None:
            runs = _broken_cow(mm, vma, low, high)
        else:
            if there == "" and not vma.is_anonymous:
                _bring_in(vma, low, high)
            runs = [Run(low, high, "anon", value + low - start, 1)]
        mm.common.clear(low, high)
        if there == "":
            func, key = ("do_anonymous_page", "fault_anon") if vma.is_anonymous else ("do_cow_fault", "fault_cow")
            mm.put_pages(func, key, runs, vma=vma, start=low, end=high)
        elif there == "anon":
            mm.put_pages("store", "stored", runs, start=low, end=high)
        else:
            mm.put_pages("do_wp_page", "fault_wp", runs, vma=vma, start=low, end=high, there=there)
    return vma


def _stretches(mm: AddressSpace, start: int, end: int) -> list[tuple[str, int, int]]:
    """What is at pages [start, end), in order: the kind of entry, `""` for none, `"common"` for a private page that a
    fork has write-protected; each with its range of pages.  O(log n + runs in the range)."""
    parts = [(run.kind, run.start, run.end) for run in mm.pagetable.within(start, end)]
    parts += [("", low, high) for low, high in mm.pagetable.holes(start, end)]
    if mm.common:
        for run in mm.common.within(start, end):
            parts.append(("common", run.start, run.end))
        own = [part for part in parts if part[0] == "anon"]
        parts = [part for part in parts if part[0] != "anon"]
        parts += [("anon", *rest) for _, low, high in own for rest in mm.common.holes(low, high)]
    found: list[tuple[str, int, int]] = []
    for there, low, high in sorted(parts, key=lambda part: part[1]):
        if found and found[-1][0] == there and found[-1][2] == low:
            found[-1] = (there, found[-1][1], high)
        else:
            found.append((there, low, high))
    return found


def _aliases(mm: AddressSpace, vma: VMA, first: int, last: int) -> tuple[tuple[int, int], ...]:
    """Where pages [first, last) of the file are mapped: a write to one place is seen at all of them.  O(VMAs)."""
    ranges = []
    for other in mm.vmas():
        if other.file is not None and vma.file is not None and other.file.inode is vma.file.inode:
            back = (other.start >> PAGE_SHIFT) - other.pgoff
            low, high = max(first, other.pgoff), min(last, other.pgoff + other.pages)
            if low < high:
                ranges.append((low + back, high + back))
    return tuple(ranges)


def _broken_cow(mm: AddressSpace, vma: VMA, start: int, end: int) -> list[Run]:
    """Private copies of pages [start, end) with the contents that they have now."""
    runs: list[Run] = []
    for low, high in mm.pagetable.holes(start, end):
        if vma.is_anonymous:
            runs.append(Run(low, high, "anon"))
        else:
            runs += _private_copies(vma, low, high)
    for run in mm.pagetable.within(start, end):
        if run.kind == "zero":
            runs.append(Run(run.start, run.end, "anon"))
        elif run.kind == "anon":
            runs.append(run)
        elif run.kind == "file":
            runs += _private_copies(vma, run.start, run.end)
    return sorted(runs, key=lambda run: run.start)


def _private_copies(vma: VMA, start: int, end: int) -> list[Run]:
    assert vma.file is not None
    _bring_in(vma, start, end)
    back = start - _file_page(vma, start)
    cached = vma.file.cache.within(_file_page(vma, start), _file_page(vma, end))
    return [Run(run.start + back, run.end + back, "anon", run.value, run.stride) for run in cached]


def read_fault(mm: AddressSpace, vma: VMA, page: int) -> None:
    """Map page number `page` for reading: the zero page, or a page of the file.

    Errors: UFFD (a userfaultfd would have to fill it), BUS (past the end of the file).  Neighbours in the page cache
    are mapped even then.  Source: do_read_fault(), do_anonymous_page() in mm/memory.c.
    """
    missing = Refusal("UFFD", "handle_userfault", "uffd_hit", at=page << PAGE_SHIFT)
    if vma.is_anonymous:
        blocks = huge.fillable(mm, vma, page, page + 1)
        if blocks:
            vma = anon_vma_prepare(mm, vma)
        if vma.flags & VM_UFFD_MISSING:
            if not blocks:
                huge.keep_tables(mm, [Run(page, page + 1, "table")])  # it is made before userfaultfd is asked
            raise missing
        if blocks:
            huge.read_fault(mm, vma, blocks)
            return
        mm.put_pages("do_anonymous_page", "fault_zero", [Run(page, page + 1, "zero")], vma=vma, start=page,
                     end=page + 1)  # fmt: skip
        return
    fault_around(mm, vma, page)
    if mm.pagetable.at(page) is not None:
        return
    if pages_of_file(vma, page) <= 0:
        raise Refusal("BUS", "shmem_fault", "past_file_end", at=page << PAGE_SHIFT, vma=vma)
    if vma.flags & VM_UFFD_MISSING and first_missing(mm, vma, page, page + 1) is not None:
        raise missing
    _bring_in(vma, page, page + 1)
    mm.put_pages("do_read_fault", "fault_read_file", [Run(page, page + 1, "file", _file_page(vma, page), 1)], vma=vma,
                 start=page, end=page + 1)  # fmt: skip


def fault_around(mm: AddressSpace, vma: VMA, page: int) -> None:
    """Map what the page cache has of 16 pages: from the aligned page before `page`, or the VMA's start if later.

    Source: do_fault_around() and filemap_map_pages() in mm/memory.c and mm/filemap.c.
    """
    assert vma.file is not None
    low = max(page & -mm.arch.fault_around, vma.start >> PAGE_SHIFT)
    table_end = (page | (mm.arch.huge - 1)) + 1
    high = min(low + mm.arch.fault_around, table_end, vma.end >> PAGE_SHIFT)
    runs = []
    back = page - _file_page(vma, page)
    for start, end in mm.pagetable.holes(low, high):
        last = min(_file_page(vma, end), vma.file.size)
        for run in vma.file.cache.within(_file_page(vma, start), last):
            runs.append(Run(run.start + back, run.end + back, "file", run.start, 1))
    mm.put_pages("do_fault_around", "fault_around", runs, vma=vma, start=page, end=page + 1)


def first_missing(mm: AddressSpace, vma: VMA, start: int, end: int) -> int | None:
    """The first of pages [start, end) that a userfaultfd in mode MISSING would be asked for: neither mapped nor in the
    page cache.  O(runs)."""
    for low, high in mm.pagetable.holes(start, end):
        if vma.is_anonymous or vma.file is None:
            return low
        back = low - _file_page(vma, low)
        for first, _ in vma.file.cache.holes(low - back, high - back):
            return first + back
    return None


def in_page_cache(vma: VMA, start: int, end: int) -> list[int]:
    """Where runs of pages of [start, end) begin that the page cache of the VMA's file has."""
    assert vma.file is not None
    back = start - _file_page(vma, start)
    return [run.start + back for run in vma.file.cache.within(start - back, end - back)]


def install(mm: AddressSpace, vma: VMA, start: int, end: int, value: int | None) -> None:
    """Put new pages at [start, end), where none is: page p holds `value + p - start`, or is the page of zeros.

    Source: mfill_atomic_install_pte(), mfill_atomic_pte_zeropage() in mm/userfaultfd.c.
    """
    if vma.flags & VM_SHARED:
        assert vma.file is not None
        first, last = _file_page(vma, start), _file_page(vma, end)
        vma.file.cache.put(Run(first, last, "cache") if value is None else Run(first, last, "cache", value, 1))
        mm.pagetable.put(Run(start, end, "file", first, 1))  # there can only be guard markers, which give way
        mm.note_pages("mfill_atomic", "filled", _aliases(mm, vma, first, last), vma=vma, start=start, end=end)
        return
    run = Run(start, end, "zero") if value is None else Run(start, end, "anon", value, 1)
    mm.put_pages("mfill_atomic", "filled_zero" if value is None else "filled", [run], vma=vma, start=start, end=end)


def populate(mm: AddressSpace, start: int, end: int, *, whatever: bool = False) -> bool:
    """Fault in every page of bytes [start, end) as mlock does; False at the first page that can't be (mm/gup.c).

    Private writable memory is written to, everything else is read.  Areas after the failing one stay as they were;
    `whatever` (mmap, mlockall, brk): they have their turn.
    """
    for vma in mm.intersecting(start, end):
        low, high = max(start, vma.start), min(end, vma.end)
        if not populate_vma_page_range(mm, mm.current(vma), low, high) and not whatever:
            return False
    return True


def populate_vma_page_range(mm: AddressSpace, vma: VMA, start: int, end: int) -> bool:
    """Fault in bytes [start, end) of one VMA; see `populate`."""
    if vma.flags & VM_LOCKONFAULT:
        return True
    if not vma.flags & VM_ACCESS:
        mm.note("populate_vma_page_range", "populate_no_access", vma=vma)
        return False
    return fault_in(mm, vma, start, end, write=vma.flags & (VM_WRITE | VM_SHARED) == VM_WRITE) is None


def fault_in(mm: AddressSpace, vma: VMA, start: int, end: int, *, write: bool) -> int | None:
    """Bring in bytes [start, end) of one VMA, for writing or for reading; the address of the first page that can't be
    brought in, or None.  The kernel does it, so a page that a userfaultfd would have to fill is one of those."""
    first, last = start >> PAGE_SHIFT, end >> PAGE_SHIFT
    stop = last
    if not vma.is_anonymous and vma.file is not None:
        stop = max(first, min(last, last - (_file_page(vma, last) - vma.file.size)))
    guard = next((run.start for run in mm.pagetable.within(first, min(stop + 1, last)) if run.kind == "guard"), None)
    stop = stop if guard is None else guard
    if vma.flags & VM_UFFD_MISSING:
        missing = first_missing(mm, vma, first, stop)
        stop = stop if missing is None else missing
    if write:
        protected = first_protected(mm, vma, first, stop)
        stop = stop if protected is None else protected
        if first < stop:
            vma = write_fault(mm, vma, first, stop, None)
        if stop < last and stop not in (guard, protected) and not vma.flags & VM_SHARED:
            # the fault that fails got its anon_vma before it asked userfaultfd or the file
            anon_vma_prepare(mm, vma)
    elif vma.is_anonymous:
        blocks = huge.fillable(mm, vma, first, stop)
        # the fault that fails, of a huge page, got its anon_vma before it asked userfaultfd
        if blocks or (stop < last and stop != guard and huge.fillable(mm, vma, stop, stop + 1)):
            vma = anon_vma_prepare(mm, vma)
        huge.read_fault(mm, vma, blocks)
        holes = mm.pagetable.holes(first, stop)
        mm.put_pages("do_anonymous_page", "fault_zero", [Run(low, high, "zero") for low, high in holes], vma=vma,
                     start=first, end=stop)  # fmt: skip
    else:
        for page in range(first, min(stop + 1, last) if stop != guard else stop):
            if mm.pagetable.at(page) is None:
                with suppress(Refusal):
                    read_fault(mm, vma, page)
    return None if stop == last else stop << PAGE_SHIFT
