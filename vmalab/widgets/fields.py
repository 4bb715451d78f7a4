"""The fields of the call builder: text to addresses, lengths and calls, with a message for the field that is wrong.

Pure functions on text; no widget and no model.
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from attrs import frozen

from vmalab.errors import UsageError
from vmalab.linux.addr import ARENA_BASE, PAGE
from vmalab.linux.call import (
    ADVICES,
    CALLS,
    KINDS,
    RESOURCES,
    UFFD_MODES,
    AddSeals,
    Call,
    Ftruncate,
    Limit,
    Madvise,
    Mlock2,
    Mlockall,
    Mmap,
    Mprotect,
    Mremap,
    PrctlSetVma,
    Touch,
    Uffd,
    UffdCopy,
    UffdWriteprotect,
)  # fmt: skip
from vmalab.linux.flags import MCL_FLAGS, MREMAP_FIXED, MREMAP_FLAGS, SEALS, prot_from_letters
from vmalab.programs.calltext import MMAP_WORDS

ADDRESS_HELP = "a page number such as 64, page(64), or an address in hex such as 0x1000040000"
LENGTH_HELP = "pages such as 5, bytes such as 5 * PAGE or 0x5000, or with a unit such as 2 MiB"
TOP = 1 << 64

_UNITS = {"": PAGE, "page": PAGE, "pages": PAGE, "byte": 1, "bytes": 1, "b": 1, "kib": 1 << 10, "mib": 1 << 20,
          "gib": 1 << 30, "tib": 1 << 40}  # fmt: skip
_NUMBER = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*([a-z]*)\Z")
_HEX = re.compile(r"0x([0-9a-f_]+)\Z")


def address(text: str) -> int:
    """The byte address that `text` means: a page of the arena (`64`, `page 64`, `16.5`), or hex bytes (`0x1000040000`).

    Raises UsageError with what was expected.

    What a cell of the course writes is taken too: `page(64)`, `page(3) + 2 * PAGE`.

    >>> hex(address("64")), hex(address("0x1000040000")), hex(address("page 16.5")), hex(address("page(64)"))
    ('0x1000040000', '0x1000040000', '0x1000010800', '0x1000040000')
    """
    plain = text.strip().lower().removeprefix("page").strip()
    if not plain:
        raise UsageError(f"Type {ADDRESS_HELP}.")
    found = _HEX.match(plain)
    if found and found[1].strip("_"):
        value = int(found[1].replace("_", ""), 16)
    elif re.fullmatch(r"[0-9]+(\.[0-9]+)?", plain):
        value = ARENA_BASE + _scaled(plain, PAGE)
    elif (reckoned := reckon(text)) is not None:
        value = reckoned
    else:
        raise UsageError(f"“{text.strip()}” is not an address: type {ADDRESS_HELP}.")
    if value >= TOP:
        raise UsageError("No address is that large: it must fit into 64 bits.")
    return value


def length(text: str) -> int:
    """The bytes that `text` means: pages (`5`, `5 pages`, `1.5`), hex (`0x5000`), or a unit (`100 bytes`, `2 MiB`).

    Raises UsageError with what was expected.

    What a cell of the course or a C program writes is in bytes: `3 * PAGE`, `2*4096`.

    >>> length("5"), length("0x5000"), length("100 bytes"), length("1 TiB") == 1 << 40, length("3 * PAGE")
    (20480, 20480, 100, True, 12288)
    """
    plain = text.strip().lower()
    if not plain:
        raise UsageError(f"Type {LENGTH_HELP}.")
    found = _HEX.match(plain)
    number = _NUMBER.match(plain)
    if found and found[1].strip("_"):
        value = int(found[1].replace("_", ""), 16)
    elif number and number[2] in _UNITS:
        value = _scaled(number[1], _UNITS[number[2]])
    elif (reckoned := reckon(text)) is not None:
        value = reckoned
    else:
        raise UsageError(f"“{text.strip()}” is not a length: type {LENGTH_HELP}.")
    if value >= TOP:
        raise UsageError("No length is that large: it must fit into 64 bits.")
    return value


_SUM = re.compile(r"(?:0x[0-9a-fA-F]+|[1-9][0-9]*|0|PAGE|page|[-+*() ])+")
MOST_LETTERS = 100
"""A longer text is not reckoned."""

_OPERATIONS: Mapping[type[ast.operator], Callable[[int, int], int]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul,
}  # fmt: skip


def reckon(text: str) -> int | None:
    """The bytes that a small sum means, of whole numbers, `PAGE` and `page(...)` with `+`, `-`, `*`; None for others.

    >>> reckon("3 * PAGE"), reckon("2*4096"), reckon("page(3)") == ARENA_BASE + 3 * PAGE, reckon("2 ** 9")
    (12288, 8192, True, None)
    """
    if len(text) > MOST_LETTERS or not _SUM.fullmatch(text) or not re.search(r"\*|PAGE|page", text):
        return None
    try:
        tree = ast.parse(text.strip(), mode="eval").body
        value = _reckoned(tree)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    return value if value >= 0 else None


def _reckoned(node: ast.expr) -> int:
    if isinstance(node, ast.Constant) and type(node.value) is int:
        return node.value
    if isinstance(node, ast.Name) and node.id == "PAGE":
        return PAGE
    if isinstance(node, ast.BinOp) and (operation := _OPERATIONS.get(type(node.op))) is not None:
        return operation(_reckoned(node.left), _reckoned(node.right))
    named = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "page"
    if named and isinstance(node, ast.Call) and len(node.args) == 1 and not node.keywords:
        return ARENA_BASE + _reckoned(node.args[0]) * PAGE
    raise ValueError(f"{type(node).__name__} is not reckoned")


def _scaled(number: str, unit: int) -> int:
    """`number` · `unit`, exact for whole numbers of any size."""
    return int(number) * unit if "." not in number else round(float(number) * unit)


def _count(text: str, what: str, default: int | None = None) -> int | None:
    plain = text.strip()
    if not plain:
        return default
    if not re.fullmatch(r"[0-9]{1,15}", plain):
        raise UsageError(f"“{plain}” is not {what}: type a whole number, 0 or more.")
    return int(plain)


@frozen
class Field:
    """One field of a form.  `kind`: `text`, `select` (one of `options`) or `checks` (any of `options`)."""

    name: str
    label: str
    kind: str = "text"
    options: tuple[tuple[str, str], ...] = ()
    hint: str = ""


ADDR = Field("addr", "addr", hint=ADDRESS_HELP)
LENGTH = Field("length", "length", hint=LENGTH_HELP)
FILE = Field("file", "file", hint="the name of the file")
VALUE = Field("value", "value", hint="page p gets value * 1000 + p; empty: the step's number")
PROT = Field("prot", "prot", "checks", (("r", "PROT_READ"), ("w", "PROT_WRITE"), ("x", "PROT_EXEC")))
FLAGS = Field(
    "flags", "flags", "checks",
    (("maymove", "MREMAP_MAYMOVE"), ("fixed", "MREMAP_FIXED"), ("dontunmap", "MREMAP_DONTUNMAP")),
)  # fmt: skip
KIND_LABELS = {
    "anon": "private anonymous", "shared": "shared anonymous", "file": "file, private", "sharedfile": "file, shared",
    "zero": "/dev/zero, private",
}  # fmt: skip

UFFD_LABELS = {
    "missing": "missing pages", "wp": "writes to protected pages", "missing wp": "both: missing pages and writes",
}  # fmt: skip

RESOURCE_LABELS = {
    "as": "RLIMIT_AS: address space", "memlock": "RLIMIT_MEMLOCK: locked memory",
    "map_count": "vm.max_map_count: number of VMAs", "data": "RLIMIT_DATA: private writable memory",
}  # fmt: skip

FORMS: Mapping[str, tuple[Field, ...]] = {
    "mmap": (
        Field("addr", "addr", hint=ADDRESS_HELP + "; empty: the kernel chooses"),
        LENGTH,
        PROT,
        Field("kind", "what", "select", tuple((kind, KIND_LABELS[kind]) for kind in KINDS)),
        FILE,
        Field("pgoff", "first page of the file", hint="pages"),
        Field("options", "more flags", "checks",
              (("noreplace", "MAP_FIXED_NOREPLACE"), ("noreserve", "MAP_NORESERVE"), ("growsdown", "MAP_GROWSDOWN"),
               ("populate", "MAP_POPULATE"), ("locked", "MAP_LOCKED"), ("readonly", "file opened for reading only"),
               ("hint", "no MAP_FIXED: addr is a hint"))),
    ),
    "brk": (ADDR,),
    "munmap": (ADDR, LENGTH),
    "mprotect": (ADDR, LENGTH, PROT),
    "mremap": (
        ADDR,
        Field("length", "old_len", hint=LENGTH_HELP),
        Field("new_len", "new_len", hint=LENGTH_HELP),
        FLAGS,
        Field("new_addr", "new_addr", hint=ADDRESS_HELP + "; looked at only with MREMAP_FIXED or MREMAP_DONTUNMAP"),
    ),
    "touch": (ADDR, LENGTH, VALUE),
    "read": (ADDR, LENGTH),
    "madvise": (
        ADDR, LENGTH, Field("advice", "advice", "select", tuple((word, "MADV_" + word.upper()) for word in ADVICES)),
    ),
    "mlock": (ADDR, LENGTH),
    "mlock2": (ADDR, LENGTH, Field("onfault", "flags", "checks", (("onfault", "MLOCK_ONFAULT"),))),
    "munlock": (ADDR, LENGTH),
    "mlockall": (Field("which", "flags", "checks", tuple((name[4:].lower(), name) for name in MCL_FLAGS)),),
    "munlockall": (),
    "mseal": (ADDR, LENGTH),
    "uffd": (ADDR, LENGTH, Field("mode", "mode", "select", tuple((word, UFFD_LABELS[word]) for word in UFFD_MODES))),
    "uffd_writeprotect": (
        ADDR, LENGTH, Field("protect", "mode", "checks", (("protect", "UFFDIO_WRITEPROTECT_MODE_WP"),)),
    ),
    "uffd_unregister": (ADDR, LENGTH),
    "uffd_copy": (ADDR, LENGTH, VALUE),
    "uffd_zeropage": (ADDR, LENGTH),
    "ftruncate": (FILE, LENGTH),
    "add_seals": (
        FILE, Field("seals", "seals", "checks", tuple((name[7:].lower(), name) for name in SEALS)),
    ),
    "prctl_set_vma": (ADDR, LENGTH, Field("label", "name", hint="empty: NULL, which takes a name away")),
    "fork": (),
    "fork_child": (),
    "limit": (
        Field("resource", "limit", "select", tuple((word, RESOURCE_LABELS[word]) for word in RESOURCES)),
        Field("headroom", "room above what is in use", hint="pages; for map_count VMAs"),
    ),
}  # fmt: skip
"""The fields of each call, in the order of its arguments."""

CALL_LABELS = {
    "mremap": "mremap: resize or move",
    "mmap": "mmap: map memory at addr",
    "munmap": "munmap: remove mappings",
    "mprotect": "mprotect: change protection",
    "touch": "write to every page",
    "read": "read every page",
    "madvise": "madvise: give advice",
    "mlock": "mlock: lock pages",
    "mlock2": "mlock2: lock pages, perhaps as they come",
    "munlock": "munlock: unlock pages",
    "mlockall": "mlockall: lock everything",
    "munlockall": "munlockall: unlock everything",
    "brk": "brk: move the end of the heap",
    "mseal": "mseal: seal mappings",
    "uffd": "register with userfaultfd",
    "uffd_unregister": "end a registration with userfaultfd",
    "uffd_copy": "fill missing pages by userfaultfd",
    "uffd_zeropage": "fill missing pages with zeros",
    "uffd_writeprotect": "write-protect pages by userfaultfd",
    "ftruncate": "ftruncate: length of a file",
    "add_seals": "seal a file",
    "prctl_set_vma": "name anonymous memory",
    "fork": "fork, go on as the parent",
    "fork_child": "fork, go on as the child",
    "limit": "set a limit",
}

FROM_FILE = ("file", "sharedfile")
"""Kinds of mappings that name a file and a page of it."""


def fields_of(call: str, values: Mapping[str, Any]) -> tuple[Field, ...]:
    """The fields that matter for `call` as `values` stand: a file only where something of a file is mapped."""
    if call == "mmap" and values["kind"] not in FROM_FILE:
        return tuple(field for field in FORMS[call] if field.name not in ("file", "pgoff"))
    return FORMS[call]


def has_range(call: str) -> bool:
    """Whether `call` names a range of addresses."""
    return {"addr", "length"} <= {field.name for field in FORMS[call]}


DEFAULTS: Mapping[str, Any] = {
    "addr": "0", "length": "2", "new_len": "2", "new_addr": "", "prot": ("r", "w"), "kind": "anon", "file": "f0",
    "pgoff": "0", "options": (), "flags": (), "value": "", "advice": "dontneed", "resource": "as", "headroom": "0",
    "onfault": ("onfault",), "which": ("current",), "mode": "missing", "protect": ("protect",), "seals": ("write",),
    "label": "",
}  # fmt: skip


def label_of(call: str, name: str) -> str:
    """What the form of `call` calls a field."""
    return next((field.label for field in FORMS[call] if field.name == name), name)


def clean(name: str, value: Any) -> Any:
    """`value` for field `name` as it is kept: text, or for checks a tuple of the chosen words in their order.

    Checks take a list of words, one string (`"rw"`, `"maymove fixed"`), or for flags the MREMAP_* bits.  Raises
    UsageError for what can't be a value of that field; whether text is well formed is settled by `build`.
    """
    field = next(field for form in FORMS.values() for field in form if field.name == name)
    if field.kind == "checks":
        words = _words(name, value)
        known = [word for word, _ in field.options]
        wrong = [word for word in words if word not in known]
        if wrong:
            raise UsageError(f"{name}: {wrong[0]!r} is none of {', '.join(known)}")
        return tuple(word for word in known if word in words)
    text = str(value)
    if field.kind == "select" and text not in dict(field.options):
        raise UsageError(f"{name}: {text!r} is none of {', '.join(word for word, _ in field.options)}")
    return text


def _words(name: str, value: Any) -> list[str]:
    if isinstance(value, int) and name == "flags":
        if value & ~sum(MREMAP_FLAGS.values()):
            raise UsageError(f"flags: {value:#x} has bits that are no MREMAP flag")
        return [word for word, label in FLAGS.options if value & MREMAP_FLAGS[label]]
    if isinstance(value, str):
        return list(value) if name == "prot" else value.replace(",", " ").replace("|", " ").split()
    if isinstance(value, Iterable):
        return [str(word) for word in value]
    raise UsageError(f"{name}: a list of words is expected, not {value!r}")


def _file_name(text: str, errors: dict[str, str]) -> str:
    name = text.strip()
    if not re.fullmatch(r"\w{1,32}", name):
        errors["file"] = "A file needs a short name of letters and digits, such as f0."
    return name


def build(call: str, values: Mapping[str, Any]) -> tuple[Call | None, dict[str, str]]:
    """The call that the fields make, or None with a message for each field that is wrong."""
    errors: dict[str, str] = {}

    def get(name: str, parse: Callable[[str], Any]) -> Any:
        try:
            return parse(values[name])
        except UsageError as error:
            errors[name] = str(error)
            return 0

    made: dict[str, Any] = {}
    names = {field.name for field in FORMS[call]}
    if "addr" in names:
        chosen = call == "mmap" and not values["addr"].strip()  # by the kernel
        made = {"addr": None if chosen else get("addr", address)}
    if "length" in names:
        made["length"] = get("length", length)
    if call == "mremap":
        flags = sum(MREMAP_FLAGS[label] for word, label in FLAGS.options if word in values["flags"])
        needed = bool(flags & MREMAP_FIXED)
        target = values["new_addr"].strip()
        new_addr = get("new_addr", address) if target or needed else 0
        if needed and not target:
            errors["new_addr"] = f"MREMAP_FIXED needs a target: {ADDRESS_HELP}."
        record: Call = Mremap(made["addr"], made["length"], get("new_len", length), flags, new_addr)
    elif call == "mmap":
        options = {word: word in values["options"] for word in MMAP_WORDS}
        options["fixed"] = "hint" not in values["options"]
        kind = values["kind"]
        from_file = kind in FROM_FILE
        name = _file_name(values["file"], errors) if from_file else "f0"
        pgoff = get("pgoff", lambda text: _count(text, "a page of the file", 0)) if from_file else 0
        prot = prot_from_letters("".join(values["prot"]))
        if options["readonly"] and not from_file:
            errors["options"] = "Only a file can be opened for reading only."
        record = Mmap(made["addr"], made["length"], prot, kind, name, pgoff, **options)
    elif call == "mprotect":
        record = Mprotect(made["addr"], made["length"], prot_from_letters("".join(values["prot"])))
    elif call == "madvise":
        record = Madvise(made["addr"], made["length"], values["advice"])
    elif call == "mlock2":
        record = Mlock2(made["addr"], made["length"], bool(values["onfault"]))
    elif call == "mlockall":
        record = Mlockall(sum(bit for name, bit in MCL_FLAGS.items() if name[4:].lower() in values["which"]))
    elif call == "ftruncate":
        if made["length"] % PAGE:
            errors["length"] = "A file of the model has whole pages."
        record = Ftruncate(_file_name(values["file"], errors), made["length"])
    elif call == "add_seals":
        seals = sum(bit for word, bit in SEALS.items() if word[7:].lower() in values["seals"])
        record = AddSeals(_file_name(values["file"], errors), seals)
    elif call == "prctl_set_vma":
        record = PrctlSetVma(made["addr"], made["length"], values["label"] or None)
    elif call == "uffd":
        record = Uffd(made["addr"], made["length"], values["mode"])
    elif call == "uffd_writeprotect":
        record = UffdWriteprotect(made["addr"], made["length"], bool(values["protect"]))
    elif call in ("touch", "uffd_copy"):
        filler = Touch if call == "touch" else UffdCopy
        record = filler(made["addr"], made["length"], get("value", lambda text: _count(text, "a value")))
    elif call == "limit":
        room = get("headroom", lambda text: _count(text, "a number of pages or VMAs", 0))
        record = Limit(values["resource"], room)
    else:
        record = CALLS[call](**made)
    return (None if errors else record), errors
