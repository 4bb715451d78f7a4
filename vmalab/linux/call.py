"""The system calls (and the two page accesses) that a scenario is made of, as frozen records.

All addresses and lengths are in **bytes** and absolute, except `pgoff` and `headroom`, which are in pages as in the
kernel.  Nothing here runs anything: machines do (`vmalab.machines`), and `vmalab.programs.scenario` reads and writes
the records as JSON.
"""

from __future__ import annotations

from functools import cache
from operator import index
from typing import Any, ClassVar

from attrs import fields, frozen

from vmalab.errors import UsageError, described
from vmalab.linux.flags import PROT_READ, PROT_WRITE

KINDS = ("anon", "shared", "file", "sharedfile", "zero")
"""What an mmap can map: private anonymous, shared anonymous, a memfd privately, a memfd shared, /dev/zero privately."""

ADVICES = (
    "normal",
    "random",
    "sequential",
    "dontneed",
    "dontfork",
    "dofork",
    "dontdump",
    "dodump",
    "wipeonfork",
    "keeponfork",
    "hugepage",
    "nohugepage",
    "guard_install",
    "guard_remove",
    "populate_read",
    "populate_write",
    "free",
    "cold",
    "willneed",
    "dontneed_locked",
)
"""The advice words of madvise(2), lower case and without MADV_."""

RESOURCES = ("as", "memlock", "map_count", "data")

UFFD_MODES = ("missing", "wp", "missing wp")
"""What a userfaultfd is registered for: missing pages, writes to protected ones, or both."""


MOST = 1 << 128
"""A number that a program passes to the kernel wraps at 64 bits, which can be tried; beyond this it is a mistake."""


@cache
def _numbers_and_words(record: type[Call]) -> tuple[tuple[str, bool, bool], ...]:
    """Of each argument but the switches: its name, whether it is a number, whether it may be None."""
    kinds = [(one.name, str(one.type)) for one in fields(record)]
    return tuple((name, "int" in kind, "None" in kind) for name, kind in kinds if kind != "bool")


@frozen
class Call:
    """One thing that a program asks of the kernel.  `name` is the word for it in a scenario file.

    Numbers may be of any type that counts as a whole number (numpy's, too).  Raises UsageError for other values.
    """

    name: ClassVar[str] = ""

    def __attrs_post_init__(self) -> None:
        for name, is_number, optional in _numbers_and_words(type(self)):  # type: ignore[arg-type]
            value: Any = getattr(self, name)
            if (type(value) is int and is_number and -MOST <= value <= MOST) or (optional and value is None):
                continue
            object.__setattr__(self, name, self._number(name, value) if is_number else self._word(name, value))

    def _number(self, name: str, value: Any) -> int:
        try:
            number = index(value)
        except (TypeError, ValueError):
            raise UsageError(f"{self.name}: {name} is a whole number, not {described(value)}") from None
        if not -MOST <= number <= MOST:
            raise UsageError(f"{self.name}: {name} is a number of at most 128 bits")
        return number

    def _word(self, name: str, value: object) -> str:
        if not isinstance(value, str):
            raise UsageError(f"{self.name}: {name} is a word, not {described(value)}")
        return str(value)


@frozen
class Mmap(Call):
    """mmap(2): map `length` bytes.

    `addr` is a byte address, or None for "anywhere".  With `fixed` the mapping lies exactly there (MAP_FIXED, or
    MAP_FIXED_NOREPLACE with `noreplace`); without, `addr` is a hint.  `kind` is one of `KINDS`; `file` names the
    memfd (one per name) and `pgoff` its first page, both only for the file kinds and `zero`.  `populate` is
    MAP_POPULATE, `locked` MAP_LOCKED.  `readonly`: by a descriptor of the memfd that is open for reading only.
    """

    name: ClassVar[str] = "mmap"
    addr: int | None
    length: int
    prot: int = PROT_READ | PROT_WRITE
    kind: str = "anon"
    file: str = "f0"
    pgoff: int = 0
    noreserve: bool = False
    noreplace: bool = False
    growsdown: bool = False
    fixed: bool = True
    populate: bool = False
    locked: bool = False
    readonly: bool = False


@frozen
class Brk(Call):
    """brk(2): the heap is to end at byte `addr`, the program break.  It starts at `vmalab.linux.addr.HEAP`."""

    name: ClassVar[str] = "brk"
    addr: int


@frozen
class Munmap(Call):
    """munmap(2): remove every mapping in [addr, addr + length), cutting VMAs at the edges."""

    name: ClassVar[str] = "munmap"
    addr: int
    length: int


@frozen
class Mprotect(Call):
    """mprotect(2): give [addr, addr + length) the protection `prot` (PROT_* bits)."""

    name: ClassVar[str] = "mprotect"
    addr: int
    length: int
    prot: int


@frozen
class Madvise(Call):
    """madvise(2) with one of `ADVICES`."""

    name: ClassVar[str] = "madvise"
    addr: int
    length: int
    advice: str


@frozen
class Mlock(Call):
    """mlock(2): fault in and lock the pages of [addr, addr + length)."""

    name: ClassVar[str] = "mlock"
    addr: int
    length: int


@frozen
class Mlock2(Call):
    """mlock2(2): as mlock, or with `onfault` (MLOCK_ONFAULT) lock each page only when it is brought in."""

    name: ClassVar[str] = "mlock2"
    addr: int
    length: int
    onfault: bool = False


@frozen
class Munlock(Call):
    """munlock(2)."""

    name: ClassVar[str] = "munlock"
    addr: int
    length: int


@frozen
class Mlockall(Call):
    """mlockall(2): lock all that is mapped, all that will be, or both.  `flags` are MCL_* bits (and any others)."""

    name: ClassVar[str] = "mlockall"
    flags: int


@frozen
class Munlockall(Call):
    """munlockall(2): unlock everything, and what is mapped later is not locked any more."""

    name: ClassVar[str] = "munlockall"


@frozen
class Mseal(Call):
    """mseal(2), Linux 6.10 and later: no later call may change or remove these mappings."""

    name: ClassVar[str] = "mseal"
    addr: int
    length: int


@frozen
class Mremap(Call):
    """mremap(2): resize or move.  `flags` are MREMAP_* bits (and any unknown bits); `new_addr` is passed as given."""

    name: ClassVar[str] = "mremap"
    addr: int
    old_len: int
    new_len: int
    flags: int = 0
    new_addr: int = 0


@frozen
class Touch(Call):
    """Write to the first 8 bytes of each page: page p of the range gets `value * 1000 + p`.

    `value` None stands for the step's number, counted from 1.
    """

    name: ClassVar[str] = "touch"
    addr: int
    length: int
    value: int | None = None


@frozen
class Read(Call):
    """Read the first 8 bytes of each page."""

    name: ClassVar[str] = "read"
    addr: int
    length: int


@frozen
class Uffd(Call):
    """Register [addr, addr + length) with the scenario's one userfaultfd (no events), for one of `UFFD_MODES`."""

    name: ClassVar[str] = "uffd"
    addr: int
    length: int
    mode: str = "missing"


@frozen
class UffdUnregister(Call):
    """UFFDIO_UNREGISTER: the userfaultfd is asked no more about [addr, addr + length)."""

    name: ClassVar[str] = "uffd_unregister"
    addr: int
    length: int


@frozen
class UffdCopy(Call):
    """UFFDIO_COPY: fill the missing pages of [addr, addr + length); page p gets `value * 1000 + p`, as of a `Touch`."""

    name: ClassVar[str] = "uffd_copy"
    addr: int
    length: int
    value: int | None = None


@frozen
class UffdZeropage(Call):
    """UFFDIO_ZEROPAGE: fill the missing pages of [addr, addr + length) with zeros."""

    name: ClassVar[str] = "uffd_zeropage"
    addr: int
    length: int


@frozen
class UffdWriteprotect(Call):
    """UFFDIO_WRITEPROTECT: a write to a page of [addr, addr + length) is to wait for the userfaultfd, or no longer."""

    name: ClassVar[str] = "uffd_writeprotect"
    addr: int
    length: int
    protect: bool = True


@frozen
class Ftruncate(Call):
    """ftruncate(2): the memfd called `file` is to have `length` bytes, which are whole pages."""

    name: ClassVar[str] = "ftruncate"
    file: str
    length: int


@frozen
class AddSeals(Call):
    """fcntl(2), F_ADD_SEALS: forbid for good what `seals` (F_SEAL_* bits) names to the memfd called `file`."""

    name: ClassVar[str] = "add_seals"
    file: str
    seals: int


@frozen
class PrctlSetVma(Call):
    """prctl(2), PR_SET_VMA_ANON_NAME: call the anonymous memory in [addr, addr + length) `label`, or None: nothing."""

    name: ClassVar[str] = "prctl_set_vma"
    addr: int
    length: int
    label: str | None = None


@frozen
class Fork(Call):
    """fork(2) a child that stays asleep; the parent goes on."""

    name: ClassVar[str] = "fork"


@frozen
class ForkChild(Call):
    """fork(2); the child goes on and the parent stays asleep."""

    name: ClassVar[str] = "fork_child"


@frozen
class Limit(Call):
    """Set a limit to what is in use now plus `headroom` (pages; VMAs for `map_count`)."""

    name: ClassVar[str] = "limit"
    resource: str
    headroom: int


CALLS: dict[str, type[Call]] = {
    record.name: record
    for record in (
        Mmap, Munmap, Brk, Mprotect, Madvise, Mlock, Mlock2, Munlock, Mlockall, Munlockall, Mseal, Mremap, Touch, Read,
        Uffd, UffdUnregister, UffdCopy, UffdZeropage, UffdWriteprotect, Ftruncate, AddSeals, PrctlSetVma, Fork,
        ForkChild, Limit,
    )
}  # fmt: skip
"""Every call record by its name in a scenario file."""
