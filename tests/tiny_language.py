"""`Little`: a process of the model, driven by a tiny language, so that tests read like the kernel's little maps.

    vm = Little("6.18")
    vm("map 0-9; touch 4; move 3-6 to 100; move 100-103 to 3")
    assert "[0-9]" == vm.layout

Numbers are pages of the arena, ranges are half-open, one page stands for itself (`4` is `4-5`).  Every step must
succeed, or fail as `!ERRNO` at its end says.  After each the invariants of the address space are recomputed, and its
steps are replayed: they must lead to what is there.

    map A-B [PROT|none] [KIND] [NAME] [@PGOFF] [noreserve] [noreplace] [growsdown] [populate] [locked] [readonly] [hint]
    cut NAME N  ftruncate of a memfd to N pages
    seals NAME WORD…   F_ADD_SEALS: seal, shrink, grow, write, future_write
    uffd A-B [missing] [wp]   writes A-B [protect|let]   name A-B [WORD]
    fill A-B [VALUE]   zeros A-B   unreg A-B     UFFDIO_COPY, UFFDIO_ZEROPAGE, UFFDIO_UNREGISTER
    brk N       the heap, which starts at page 2048, is to end at page N
    lockall [current] [future] [onfault]   unlockall   lock2 A-B [onfault]
    unmap A-B   lock A-B   unlock A-B   seal A-B   protect A-B PROT   advise A-B ADVICE
    touch A-B [VALUE]   read A-B   fork   child   limit RESOURCE HEADROOM
    move A-B to C           MREMAP_MAYMOVE | MREMAP_FIXED, the same size; `to C-D` for another one
    keep A-B to C           the same with MREMAP_DONTUNMAP
    fixed A-B to C          MREMAP_FIXED alone, which no kernel takes
    hint A-B [C]            MREMAP_MAYMOVE | MREMAP_DONTUNMAP
    resize A-B to N [maymove]   a new length of N pages, without MREMAP_FIXED
    copy A to C-D           old_len 0: map the same memory again
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

from vmalab.linux.addr import ARENA_BASE, PAGE, PAGE_SHIFT, WORD
from vmalab.linux.call import (
    CALLS,
    KINDS,
    AddSeals,
    Brk,
    Call,
    Ftruncate,
    Limit,
    Madvise,
    Mlock2,
    Mlockall,
    Mmap,
    Mprotect,
    Mremap,
    Munlockall,
    PrctlSetVma,
    Read,
    Touch,
    Uffd,
    UffdCopy,
    UffdWriteprotect,
)
from vmalab.linux.flags import (
    MCL_FLAGS,
    MREMAP_DONTUNMAP,
    MREMAP_FIXED,
    MREMAP_MAYMOVE,
    PROT_LETTERS,
    SEALS,
    VM_DONTEXPAND,
    prot_from_letters,
)
from vmalab.linux.mm.space import AddressSpace
from vmalab.linux.profile import KernelProfile, profile
from vmalab.machines.capture import Capture
from vmalab.machines.model import Model
from vmalab.machines.outcome import Outcome, Row
from vmalab.programs.calltext import MMAP_WORDS

MAYMOVE, FIXED, DONTUNMAP = MREMAP_MAYMOVE, MREMAP_FIXED, MREMAP_DONTUNMAP
MOVE = MAYMOVE | FIXED
KEEP = MOVE | DONTUNMAP
MOVES = {"move": MOVE, "keep": KEEP, "fixed": FIXED}

RELEASES = ("6.1", "6.12", "6.16", "6.17", "6.18.15", "6.18.44", "6.19", "7.0", "7.1", "7.2", "7.3")
"""One name for every kernel that was measured, oldest first."""

SPREAD = ("6.1", "6.12", "6.16", "6.18.44", "7.3")
"""Releases enough for rules that hardly change: each differs from the one before it in something."""

RANGE_CALLS = {
    "unmap": "munmap",
    "lock": "mlock",
    "unlock": "munlock",
    "seal": "mseal",
    "zeros": "uffd_zeropage",
    "unreg": "uffd_unregister",
}


def since(release: str) -> list[str]:
    """The measured releases from this one on."""
    return list(RELEASES[RELEASES.index(release) :])


def before(release: str) -> list[str]:
    """The measured releases older than this one."""
    return list(RELEASES[: RELEASES.index(release)])


def at(number: float | str | Fraction) -> int:
    """The byte address of page `number` of the arena."""
    return (ARENA_BASE + size(number)) & WORD


def size(number: float | str | Fraction) -> int:
    """`number` pages in bytes."""
    return int(Fraction(number) * PAGE)


def parse(text: str) -> tuple[Call, str | None]:
    """One step of a program, and the errno that it should end with."""
    words = text.split()
    errno = words.pop()[1:] if words[-1].startswith("!") else None
    return _call(words), errno


def _range(word: str) -> tuple[int, int]:
    start, _, end = word.partition("-")
    length = Fraction(end) - Fraction(start) if end else Fraction(1)
    return at(start), size(length)


def _call(words: list[str]) -> Call:
    verb, *rest = words
    if verb == "fork":
        return CALLS["fork"]()
    if verb == "child":
        return CALLS["fork_child"]()
    if verb == "limit":
        return Limit(rest[0], int(rest[1]))
    if verb == "cut":
        return Ftruncate(rest[0], size(rest[1]))
    if verb == "seals":
        return AddSeals(rest[0], sum(bit for name, bit in SEALS.items() if name[7:].lower() in rest[1:]))
    if verb == "brk":
        return Brk(at(rest[0]))
    if verb == "lockall":
        return Mlockall(sum(bit for name, bit in MCL_FLAGS.items() if name[4:].lower() in rest))
    if verb == "unlockall":
        return Munlockall()
    if verb == "copy":
        start, (target, length) = at(rest[0]), _range(rest[2])
        return Mremap(start, 0, length, MOVE, target)
    start, length = _range(rest[0])
    if verb == "map":
        return _mmap(start, length, rest[1:])
    if verb == "fill":
        return UffdCopy(start, length, int(rest[1]) if rest[1:] else None)
    if verb == "uffd":
        return Uffd(start, length, " ".join(rest[1:]) or "missing")
    if verb == "writes":
        return UffdWriteprotect(start, length, rest[1:] != ["let"])
    if verb == "name":
        return PrctlSetVma(start, length, rest[1] if rest[1:] else None)
    if verb == "lock2":
        return Mlock2(start, length, rest[1:] == ["onfault"])
    if verb in RANGE_CALLS:
        return CALLS[RANGE_CALLS[verb]](start, length)  # type: ignore[call-arg]
    if verb == "protect":
        return Mprotect(start, length, _prot(rest[1]))
    if verb == "advise":
        return Madvise(start, length, rest[1])
    if verb == "touch":
        return Touch(start, length, int(rest[1]) if rest[1:] else None)
    if verb == "read":
        return Read(start, length)
    if verb == "hint":
        return Mremap(start, length, length, MAYMOVE | DONTUNMAP, at(rest[1]) if rest[1:] else 0)
    if verb == "resize":
        return Mremap(start, length, size(rest[2]), MAYMOVE if rest[3:] == ["maymove"] else 0)
    assert verb in MOVES and rest[1] == "to", f"no such step: {' '.join(words)}"
    target, new_length = _range(rest[2]) if "-" in rest[2] else (at(rest[2]), length)
    return Mremap(start, length, new_length, MOVES[verb], target)


def _prot(word: str) -> int:
    return prot_from_letters("" if word == "none" else word)


def _mmap(start: int, length: int, words: Iterable[str]) -> Mmap:
    prot, kind, name, pgoff, options = "rw", "anon", "f0", 0, {}
    for word in words:
        if word == "none" or set(word) <= set(PROT_LETTERS):
            prot = word
        elif word in KINDS:
            kind = word
        elif word.startswith("@"):
            pgoff = int(word[1:])
        elif word in MMAP_WORDS:
            options[word] = True
        elif word == "hint":
            options["fixed"] = False
        else:
            name = word
    return Mmap(start, length, _prot(prot), kind, name, pgoff, **options)


class Little:
    """A model whose pages are counted from the arena's start; see the top of this file."""

    def __init__(
        self, release: str | KernelProfile = "6.18", program: str = "", *, privileged: bool = False, trace: bool = True
    ) -> None:
        chosen = profile(release) if isinstance(release, str) else release
        self.model = Model(chosen, privileged=privileged, trace=trace)
        self(program)

    @property
    def mm(self) -> AddressSpace:
        return self.model.mm

    def __call__(self, program: str) -> Outcome | None:
        """Run the steps of `program`; the outcome of the last one."""
        outcome = None
        for text in filter(None, (step.strip() for step in program.replace("\n", ";").split(";"))):
            call, errno = parse(text)
            outcome = self.do(call)
            assert errno == outcome.errno, f"{text}: expected {errno}, got {outcome.errno}; now {self.layout}"
        return outcome

    def do(self, call: Call) -> Outcome:
        """Make one call, whatever comes of it, and check the invariants."""
        outcome = self.model.do(call)
        self.mm.validate()
        if self.model.trace:
            assert outcome.after == outcome.frames[-1].snapshot, f"the steps of {call} replayed"
        return outcome

    def errno(self, step: str) -> str | None:
        """The errno of one step, None if it succeeds."""
        return self.do(parse(step)[0]).errno

    def mremap(self, addr: int, old_len: int, new_len: int, flags: int = 0, new_addr: int = 0) -> Outcome:
        """A raw mremap, all in bytes."""
        return self.do(Mremap(addr, old_len, new_len, flags, new_addr))

    def special(self, number: float) -> None:
        """Make the VMA at a page one that may not expand (VM_DONTEXPAND), which no scenario can map."""
        vma = self.mm.vma_lookup(at(number))
        assert vma is not None
        self.mm.replace("test", "test", (vma,), (vma.with_flags(vma.flags | VM_DONTEXPAND),))
        self.model._now = Capture.of(self.mm)

    # --- looking ---

    def row(self, number: float) -> Row:
        """The VMA at a page of the arena."""
        row = self.model.snapshot().at(at(number))
        assert row is not None, f"nothing at page {number}: {self.layout}"
        return row

    @property
    def layout(self) -> str:
        """All VMAs: `[0-3][3-6]`."""
        return self.show()

    def show(self, *what: str) -> str:
        """All VMAs with one or several of `perms`, `backing`, `pgoff`, `flags`: `[0-3 rw-p @0]`.

        The pgoff of anonymous memory is given in pages from the arena's start, so that `@3` is natural at page 3.
        """
        return "".join(f"[{self._range(row)}{self._about(row, what)}]" for row in self.model.snapshot())

    @staticmethod
    def _range(row: Row) -> str:
        return f"{(row.start - ARENA_BASE) // PAGE}-{(row.end - ARENA_BASE) // PAGE}"

    @staticmethod
    def _about(row: Row, what: tuple[str, ...]) -> str:
        words = []
        for name in what:
            if name == "pgoff":
                assert row.vm_pgoff is not None
                words.append(f"@{row.vm_pgoff - (0 if row.backing else ARENA_BASE >> PAGE_SHIFT)}")
            elif name == "flags":
                words.append(",".join(row.flags) or "-")
            else:
                words.append(str(getattr(row, name)))
        return "".join(f" {word}" for word in words)

    def picture(self, end: int, start: int = 0) -> str:
        """A letter for each page: the same letter, the same VMA; upper case where a page is present; `.` for a gap."""
        letters = []
        for number in range(start, end):
            rows = [
                (index, row) for index, row in enumerate(self.model.snapshot()) if row.start <= at(number) < row.end
            ]
            if not rows:
                letters.append(".")
                continue
            index, row = rows[0]
            letter = chr(ord("a") + index)
            present = number - (row.start - ARENA_BASE) // PAGE in row.contents()
            letters.append(letter.upper() if present else letter)
        return "".join(letters)

    def contents(self) -> dict[int, int]:
        """What is present: page of the arena → its first 64 bits."""
        return {
            number + (row.start - ARENA_BASE) // PAGE: value
            for row in self.model.snapshot()
            for number, value in row.contents().items()
        }
