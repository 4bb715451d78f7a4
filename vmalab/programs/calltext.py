"""Calls, addresses and lengths as text: in pages for people, in C for programs, in Python for a notebook.

The one place where an address becomes words, so that pictures, tables, widgets and narration name it alike.  Nothing
here explains what a call does (`vmalab.words.explain`).
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import lru_cache

from vmalab.linux.addr import ARENA_BASE, PAGE
from vmalab.linux.call import (
    AddSeals,
    Brk,
    Call,
    Fork,
    ForkChild,
    Ftruncate,
    Limit,
    Madvise,
    Mlock2,
    Mlockall,
    Mmap,
    Mprotect,
    Mremap,
    Mseal,
    Munlockall,
    PrctlSetVma,
    Read,
    Touch,
    Uffd,
    UffdCopy,
    UffdUnregister,
    UffdWriteprotect,
    UffdZeropage,
)  # fmt: skip
from vmalab.linux.flags import mcl_flags_text, mremap_flags_text, prot_letters, seals_text

ARENA_SHOWN = 1 << 44
"""Bytes from ARENA_BASE on whose addresses are given as pages of the arena; others are given in hex."""

_UNITS = ((1 << 40, "TiB"), (1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB"))


@lru_cache(maxsize=8192)
def page_number(address: int) -> str | None:
    """The page of the arena at byte `address` (`"64"`, `"16.5"`), or None where that says nothing to a person.

    >>> page_number(ARENA_BASE + 64 * PAGE), page_number(ARENA_BASE + 16 * PAGE + 2048), page_number(0)
    ('64', '16.5', None)
    """
    offset = address - ARENA_BASE
    if not 0 <= offset < ARENA_SHOWN:
        return None
    whole, rest = divmod(offset, PAGE)
    if not rest:
        return str(whole)
    return f"{offset / PAGE:g}" if not rest % 256 and whole < 1000 else f"{whole} + {rest} bytes"


def place(address: int) -> str:
    """Byte `address` for a person: `"page 64"`, or hex outside the arena.

    >>> place(ARENA_BASE), place(0x7FFFF7FFE000)
    ('page 0', '0x7ffff7ffe000')
    """
    number = page_number(address)
    return f"{address:#x}" if number is None else f"page {number}"


@lru_cache(maxsize=8192)
def extent(start: int, end: int) -> str:
    """The bytes [start, end) in numbers: the first page and the last, or hex as maps has it (the end excluded).

    This is how a range is written wherever a person reads it; docs/glossary.md says why.

    >>> extent(ARENA_BASE, ARENA_BASE + 5 * PAGE), extent(ARENA_BASE, ARENA_BASE + PAGE), extent(0, 16)
    ('0 to 4', '0', '0x0-0x10')
    """
    offset, length = start - ARENA_BASE, end - start
    if offset >= 0 and end - ARENA_BASE <= ARENA_SHOWN and not (offset % PAGE or length % PAGE) and length > 0:
        first, count = offset // PAGE, length // PAGE
        return str(first) if count == 1 else f"{first} to {first + count - 1}"
    return f"{start:#x}-{end:#x}"


def vma_text(start: int, end: int, *words: str) -> str:
    """A VMA on the bytes [start, end), and what there is to say about it; what is empty is left out.

    >>> vma_text(ARENA_BASE, ARENA_BASE + 2 * PAGE, "rw-p", "", "/dev/zero")
    '[0 to 1 rw-p /dev/zero]'
    """
    return f"[{' '.join(filter(None, (extent(start, end), *words)))}]"


def span(start: int, end: int) -> str:
    """The bytes [start, end) for a person: `"page 3"`, `"pages 0 to 4"`, or hex.

    >>> span(ARENA_BASE, ARENA_BASE + 5 * PAGE), span(ARENA_BASE, ARENA_BASE + PAGE), span(0, 16)
    ('pages 0 to 4', 'page 0', '0x0-0x10')
    """
    said = extent(start, end)
    return said if said.startswith("0x") else f"{'pages' if ' ' in said else 'page'} {said}"


@lru_cache(maxsize=8192)
def size(length: int) -> str:
    """`length` bytes for a person: whole pages up to 9999, then KiB to TiB; odd bytes are said.

    >>> size(5 * PAGE), size(PAGE), size(1 << 40), size(5000), size(0)
    ('5 pages', '1 page', '1 TiB', '1 page + 904 bytes', '0 pages')
    """
    count, rest = divmod(length, PAGE)
    if count > 9999 and length < 1 << 52:
        for unit, name in _UNITS:
            if length >= unit:
                return f"{length / unit:.4g} {name}"
    if length >= 1 << 52:
        return f"{length:#x} bytes"
    pages = "1 page" if count == 1 else f"{count} pages"
    if not rest:
        return pages
    odd = "1 byte" if rest == 1 else f"{rest} bytes"
    return f"{pages} + {odd}" if count else odd


def result_text(call: Call, value: int | None, errno: str | None) -> str:
    """What came back: `"page 64"`, `"0"`, `"EFAULT"`, or `"an address outside the arena"`."""
    if errno:
        return errno
    if call.name not in ("mmap", "mremap"):
        return "0" if call.name not in ("touch", "read") else "done"
    return "an address outside the arena" if value is None else place(value)


MMAP_WORDS = ("noreserve", "noreplace", "growsdown", "populate", "locked", "readonly")
"""The switches of an mmap."""


def _mmap_words(call: Mmap) -> list[str]:
    words = ["anywhere" if call.addr is None else place(call.addr), size(call.length), f'"{prot_letters(call.prot)}"']
    if call.kind != "anon":
        words.append(
            call.kind if call.kind in ("shared", "zero") else f"{call.kind} {call.file} from page {call.pgoff}"
        )
    words += [word for word in MMAP_WORDS if getattr(call, word)]
    if call.addr is not None and not call.fixed:
        words.append("as a hint")
    return words


def call_text(call: Call) -> str:
    """The call in one line, in pages.

    >>> call_text(Mremap(ARENA_BASE, 5 * PAGE, 5 * PAGE, 3, ARENA_BASE + 64 * PAGE))
    'mremap(page 0, 5 pages, 5 pages, MREMAP_MAYMOVE | MREMAP_FIXED, page 64)'
    """
    words: list[str]
    if isinstance(call, Mmap):
        words = _mmap_words(call)
    elif isinstance(call, Mremap):
        words = [place(call.addr), size(call.old_len), size(call.new_len), mremap_flags_text(call.flags)]
        if call.flags & ~1 or call.new_addr:
            words.append(place(call.new_addr))
    elif isinstance(call, Limit):
        words = [call.resource, f"in use + {call.headroom}"]
    elif isinstance(call, Fork | ForkChild | Munlockall):
        words = []
    elif isinstance(call, Mlockall):
        words = [mcl_flags_text(call.flags)]
    elif isinstance(call, Brk):
        words = [place(call.addr)]
    elif isinstance(call, Ftruncate):
        words = [call.file, size(call.length)]
    elif isinstance(call, AddSeals):
        words = [call.file, seals_text(call.seals)]
    else:
        words = [place(getattr(call, "addr")), size(getattr(call, "length"))]  # noqa: B009  (every other call has both)
        if isinstance(call, Mprotect):
            words.append(f'"{prot_letters(call.prot)}"')
        elif isinstance(call, Madvise):
            words.append(call.advice)
        elif isinstance(call, Mlock2):
            words.append("MLOCK_ONFAULT" if call.onfault else "0")
        elif isinstance(call, Uffd) and call.mode != "missing":
            words.append(call.mode)
        elif isinstance(call, UffdWriteprotect):
            words.append("protect" if call.protect else "let write")
        elif isinstance(call, PrctlSetVma):
            words.append("NULL" if call.label is None else f'"{call.label}"')
        elif isinstance(call, Touch | UffdCopy) and call.value is not None:
            words.append(f"value {call.value}")
    return f"{call.name}({', '.join(words)})"


# --- C ---


def _c_pointer(address: int | None) -> str:
    return "NULL" if not address else f"(void *){address:#x}"


def _c_length(length: int) -> str:
    count, rest = divmod(length, PAGE)
    if count and not rest and count < 1 << 20:
        return f"{count} * 4096"
    return f"{length:#x}" if length > 1 << 20 else str(length)


def _c_prot(prot: int) -> str:
    names = (("PROT_READ", 1), ("PROT_WRITE", 2), ("PROT_EXEC", 4))
    return " | ".join(name for name, bit in names if prot & bit) or "PROT_NONE"


def _c_mmap(call: Mmap) -> str:
    flags = ["MAP_SHARED" if call.kind in ("shared", "sharedfile") else "MAP_PRIVATE"]
    if call.kind in ("anon", "shared"):
        flags.append("MAP_ANONYMOUS")
    if call.addr is not None and call.fixed:
        flags.append("MAP_FIXED_NOREPLACE" if call.noreplace else "MAP_FIXED")
    named = (word for word in MMAP_WORDS if word not in ("noreplace", "readonly") and getattr(call, word))
    flags += [f"MAP_{word.upper()}" for word in named]
    fd = {"anon": "-1", "shared": "-1", "zero": "dev_zero"}.get(call.kind, call.file)
    if call.readonly:
        fd += "_for_reading"
    offset = _c_length(call.pgoff * PAGE) if call.pgoff else "0"
    return (
        f"mmap({_c_pointer(call.addr)}, {_c_length(call.length)}, {_c_prot(call.prot)}, "
        f"{' | '.join(flags)}, {fd}, {offset})"
    )


_C_IOCTLS = {
    Uffd: "REGISTER", UffdUnregister: "UNREGISTER", UffdCopy: "COPY", UffdZeropage: "ZEROPAGE",
    UffdWriteprotect: "WRITEPROTECT",
}  # fmt: skip


def _c_ioctl(call: Call) -> str:
    """A request to the userfaultfd."""
    assert isinstance(call, Uffd | UffdUnregister | UffdCopy | UffdZeropage | UffdWriteprotect)
    what = _C_IOCTLS[type(call)]
    area = f"{call.addr:#x}, {_c_length(call.length)}"
    if isinstance(call, UffdUnregister):
        return f"ioctl(uffd, UFFDIO_UNREGISTER, &(struct uffdio_range){{{area}}});"
    fields = f"{{{area}}}"
    if isinstance(call, Uffd):
        fields += ", " + " | ".join(f"UFFDIO_REGISTER_MODE_{word.upper()}" for word in call.mode.split())
    elif isinstance(call, UffdWriteprotect):
        fields += f", {'UFFDIO_WRITEPROTECT_MODE_WP' if call.protect else 0}"
    elif isinstance(call, UffdCopy):
        fields = f"{call.addr:#x}, (uintptr_t)pages, {_c_length(call.length)}"
    return f"ioctl(uffd, UFFDIO_{what}, &(struct uffdio_{what.lower()}){{{fields}}});"


def c_call(call: Call) -> str:
    """The call as one C statement.

    >>> c_call(Mremap(ARENA_BASE, 5 * PAGE, 5 * PAGE, 3, ARENA_BASE + 64 * PAGE))
    'mremap((void *)0x1000000000, 5 * 4096, 5 * 4096, MREMAP_MAYMOVE | MREMAP_FIXED, (void *)0x1000040000);'
    """
    if isinstance(call, Mmap):
        return _c_mmap(call) + ";"
    if isinstance(call, Fork | ForkChild):
        return "fork();" if isinstance(call, Fork) else "if (fork()) pause();"
    if isinstance(call, Mlockall | Munlockall):
        return f"{call.name}({mcl_flags_text(call.flags) if isinstance(call, Mlockall) else ''});"
    if isinstance(call, Ftruncate):
        return f"ftruncate({call.file}, {_c_length(call.length)});"
    if isinstance(call, AddSeals):
        return f"fcntl({call.file}, F_ADD_SEALS, {seals_text(call.seals)});"
    if isinstance(call, PrctlSetVma):
        label = "NULL" if call.label is None else json.dumps(call.label)
        return f"prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, {call.addr:#x}, {_c_length(call.length)}, {label});"
    if type(call) in _C_IOCTLS:
        return _c_ioctl(call)
    if isinstance(call, Brk):
        return f"brk({_c_pointer(call.addr)});"
    if isinstance(call, Limit):
        return f"/* limit {call.resource} to what is in use + {call.headroom} */"
    if isinstance(call, Mremap):
        new = f", {_c_pointer(call.new_addr)}" if call.flags & ~1 or call.new_addr else ""
        return (
            f"mremap({_c_pointer(call.addr)}, {_c_length(call.old_len)}, {_c_length(call.new_len)}, "
            f"{mremap_flags_text(call.flags)}{new});"
        )
    addr, length = getattr(call, "addr"), getattr(call, "length")  # noqa: B009
    if isinstance(call, Touch):
        value = "step" if call.value is None else str(call.value)
        return (
            f"for (size_t p = 0; p < {max(length // PAGE, 1)}; p++) "
            f"*(uint64_t *)({addr:#x} + p * 4096) = {value} * 1000 + p;"
        )
    if isinstance(call, Read):
        return f"for (size_t p = 0; p < {max(length // PAGE, 1)}; p++) sum += *(volatile char *)({addr:#x} + p * 4096);"
    more = ", 0" if isinstance(call, Mseal) else ""
    if isinstance(call, Mprotect):
        more = f", {_c_prot(call.prot)}"
    elif isinstance(call, Madvise):
        more = f", MADV_{call.advice.upper()}"
    elif isinstance(call, Mlock2):
        more = f", {'MLOCK_ONFAULT' if call.onfault else 0}"
    return f"{call.name}({_c_pointer(addr)}, {_c_length(length)}{more});"


def c_program(calls: Iterable[Call]) -> str:
    """The calls as C statements, one a line."""
    return "".join(f"{c_call(call)}\n" for call in calls)


# --- Python ---


def _py_address(address: int | None) -> str:
    if address is None:
        return "None"
    number = page_number(address)
    return f"page({number})" if number is not None and "+" not in number else f"{address:#x}"


def _py_length(length: int) -> str:
    count, rest = divmod(length, PAGE)
    if rest or count > 1 << 32 or not count:
        return str(length) if length < 1 << 20 else f"{length:#x}"
    return "PAGE" if count == 1 else f"{count} * PAGE"


def python_call(call: Call, model: str = "vm") -> str:
    """The call as one line of Python on a `Model` named `model`.

    >>> python_call(Mremap(ARENA_BASE, 5 * PAGE, 5 * PAGE, 3, ARENA_BASE + 64 * PAGE))
    'vm.mremap(page(0), 5 * PAGE, 5 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, page(64))'
    """
    words: list[str]
    if isinstance(call, Fork | ForkChild | Munlockall):
        words = []
    elif isinstance(call, Mlockall):
        words = [mcl_flags_text(call.flags)]
    elif isinstance(call, Brk):
        words = [_py_address(call.addr)]
    elif isinstance(call, Ftruncate):
        words = [f'"{call.file}"', _py_length(call.length)]
    elif isinstance(call, AddSeals):
        words = [f'"{call.file}"', seals_text(call.seals)]
    elif isinstance(call, Limit):
        words = [f'"{call.resource}"', str(call.headroom)]
    elif isinstance(call, Mremap):
        words = [_py_address(call.addr), _py_length(call.old_len), _py_length(call.new_len)]
        words.append(mremap_flags_text(call.flags))
        if call.flags & ~1 or call.new_addr:
            words.append(_py_address(call.new_addr) if call.new_addr else "0")
    elif isinstance(call, Mmap):
        words = [_py_address(call.addr), _py_length(call.length), f'"{prot_letters(call.prot)}"']
        if call.kind != "anon":
            words.append(f'kind="{call.kind}"')
        if call.kind in ("file", "sharedfile"):
            words += [f'file="{call.file}"', f"pgoff={call.pgoff}"]
        words += [f"{word}=True" for word in MMAP_WORDS if getattr(call, word)]
        if call.addr is not None and not call.fixed:
            words.append("fixed=False")
    else:
        words = [_py_address(getattr(call, "addr")), _py_length(getattr(call, "length"))]  # noqa: B009
        if isinstance(call, Mprotect):
            words.append(f'"{prot_letters(call.prot)}"')
        elif isinstance(call, Madvise):
            words.append(f'"{call.advice}"')
        elif isinstance(call, Mlock2) and call.onfault:
            words.append("onfault=True")
        elif isinstance(call, Uffd) and call.mode != "missing":
            words.append(f'mode="{call.mode}"')
        elif isinstance(call, UffdWriteprotect) and not call.protect:
            words.append("protect=False")
        elif isinstance(call, PrctlSetVma):
            words.append(repr(call.label))
        elif isinstance(call, Touch | UffdCopy) and call.value is not None:
            words.append(f"value={call.value}")
    return f"{model}.{call.name}({', '.join(words)})"


def python_program(calls: Iterable[Call], release: str) -> str:
    """The calls as a Python program for a model of `release`.

    >>> print(python_program([Mremap(ARENA_BASE, 5 * PAGE, 3 * PAGE)], "6.18"))
    from vmalab import *
    <BLANKLINE>
    vm = Model("6.18")
    vm.mremap(page(0), 5 * PAGE, 3 * PAGE, 0)
    <BLANKLINE>
    """
    lines = ["from vmalab import *", "", f'vm = Model("{release}")', *map(python_call, calls)]
    return "\n".join(lines) + "\n"
