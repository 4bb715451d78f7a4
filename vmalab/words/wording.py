"""Fills in the texts of the catalogue: templates with named placeholders, each compiled once.

What lives here: how a value is written (a place, a length, a VMA, a list).  Which text is chosen for what is decided
by `vmalab.words.explain` and `vmalab.words.summary`; the texts stand in `vmalab.words.catalogue`.

A value can be written plainly (arena pages: "page 64", "[0 to 1 rw-p]") or exactly (hex addresses, bytes), which is the
third depth of an explanation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache, lru_cache
from string import Formatter
from typing import Any

from vmalab.linux import flags
from vmalab.linux.addr import PAGE, PAGE_SHIFT, WORD
from vmalab.machines.measure.results import duration
from vmalab.programs import calltext
from vmalab.words.catalogue import TEXTS, Texts

Values = Mapping[str, Any]
Writer = Callable[[Values], str]

LISTED = 4
"""So many VMAs are listed by name; of more, the rest is counted."""

_texts: Texts = TEXTS


def use(texts: Texts) -> None:
    """Take all texts from `texts`, which has the shape of `vmalab.words.catalogue.TEXTS`: a translation, or that
    again."""
    global _texts
    _texts = texts
    writer.cache_clear()
    word.cache_clear()
    _vma_said.cache_clear()


def texts() -> Texts:
    """The texts in use."""
    return _texts


@cache
def word(group: str, key: str) -> str:
    """A text that has no placeholders, or whose caller fills them in with `str.format`."""
    return _texts[group][key]


def glue(key: str, **parts: object) -> str:
    """Parts put together as the catalogue has it."""
    return word("glue", key).format(**parts)


def say(group: str, key: str, *, exact: bool = False, **values: Any) -> str:
    """The text `key` of `group` with its placeholders filled in; a value that it needs and lacks is a KeyError."""
    return writer(group, key, exact)(values)


def number_of(things: str, number: int) -> str:
    """`1 VMA`, `2 VMAs`: `things` is a key of the catalogue's plurals."""
    one, many = word("plural", things).split("|")
    return (one if number == 1 else many).format(n=number)


def listed(parts: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`; of more than `LISTED` the first ones and how many more."""
    if len(parts) > LISTED:
        first = word("glue", "comma")
        said = parts[0]
        for part in parts[1 : LISTED - 1]:
            said = first.format(first=said, last=part)
        return glue("more", first=said, count=len(parts) - LISTED + 1)
    said = parts[0] if parts else ""
    for part in parts[1:-1]:
        said = glue("comma", first=said, last=part)
    return glue("and", first=said, last=parts[-1]) if len(parts) > 1 else said


def clauses(parts: Iterable[str]) -> str:
    """The clauses of one sentence, in order."""
    first, *rest = parts
    for part in rest:
        first = glue("next_clause", first=first, last=part)
    return first


# --- how a value is written, plainly and exactly ---


def _hex_span(start: int, end: int) -> str:
    return f"{start:#x}-{end:#x}"


def _hex_size(length: int) -> str:
    return f"{length:#x} bytes"


@lru_cache(maxsize=8192)
def _vma_said(start: int, end: int, perms: str, backing: str | None, exact: bool) -> str:
    said = f"{start:x}-{end:x}" if exact else calltext.extent(start, end)
    if backing:
        return glue("vma_of", range=said, perms=perms, backing=backing)
    return glue("vma", range=said, perms=perms)


def _vma(area: Any, exact: bool = False) -> str:
    """A VMA, a row or a part of one: whatever has start, end and perms."""
    file = getattr(area, "file", None)
    backing = getattr(area, "backing", None) if file is None else file.name
    return _vma_said(area.start, area.end, area.perms, backing, exact)


def _exact_vma(area: Any) -> str:
    return _vma(area, True)


def _vmas(areas: Sequence[Any]) -> str:
    return listed([_vma(area) for area in areas])


def _exact_vmas(areas: Sequence[Any]) -> str:
    return listed([_exact_vma(area) for area in areas])


def _is_file(vma: Any) -> bool:
    """Whether vm_pgoff of `vma` counts the pages of a file, and not places in the address space."""
    return vma.file is not None


def _pgoff(pgoff: int, vma: Any) -> str:
    if _is_file(vma):
        return glue("pgoff_file", number=pgoff)
    return glue("pgoff_anon", place=calltext.place(pgoff << PAGE_SHIFT & WORD))


def _exact_pgoff(pgoff: int, vma: Any) -> str:
    return f"{pgoff:#x}"


def _place_of(number: int, vma: Any) -> str:
    return calltext.place(number << PAGE_SHIFT)


def _exact_place_of(number: int, vma: Any) -> str:
    return f"{number << PAGE_SHIFT:#x}"


FLAG_NAMES = {
    value: name
    for name, value in vars(flags).items()
    if name.startswith("VM_") and isinstance(value, int) and not value & (value - 1)
}
"""Each VM_* bit by its kernel name."""


def _flag_names(bits: int) -> str:
    names = [name for bit, name in FLAG_NAMES.items() if bits & bit]
    return listed(names) if len(names) <= LISTED else ", ".join(names)


def _differ(ours: int, neighbour: Any) -> str:
    return _flag_names(ours ^ neighbour.flags)


def _change(was: int, now: int) -> str:
    parts = []
    if was & ~now:
        parts.append(glue("loses", flags=_flag_names(was & ~now)))
    if now & ~was:
        parts.append(glue("gains", flags=_flag_names(now & ~was)))
    return listed(parts)


def _husk(was: Any, vma: Any) -> str:
    """What MREMAP_DONTUNMAP changed in the VMA that it leaves behind, beside its pages and anon_vma."""
    said = glue("husk_flags", change=_change(was.flags, vma.flags)) if was.flags != vma.flags else ""
    return said + (word("glue", "husk_pgoff") if was.pgoff != vma.pgoff else "")


def _entries(pte: int, pmd: int, pud: int) -> str:
    counted = (("PUDs", pud), ("PMDs", pmd), ("PTEs", pte))
    return listed([number_of(things, count) for things, count in counted if count])


def _page_span(start: int, end: int) -> str:
    return calltext.span(start << PAGE_SHIFT, end << PAGE_SHIFT)


def _exact_page_span(start: int, end: int) -> str:
    return _hex_span(start << PAGE_SHIFT, end << PAGE_SHIFT)


def _numbers(numbers: Sequence[int | None]) -> str:
    return listed(["-" if number is None else str(number) for number in numbers])


def _plural(things: str) -> Callable[[int], str]:
    return lambda number: number_of(things, number)


def _exact_pages(number: int) -> str:
    return f"{number_of('pages', number)} ({number * PAGE:#x} bytes)"


KINDS: dict[str, tuple[Callable[..., str], Callable[..., str]]] = {
    "text": (str, str),
    "number": (str, str),
    "numbers": (_numbers, _numbers),
    "hex": (hex, hex),
    "place": (calltext.place, hex),
    "span": (calltext.span, _hex_span),
    "pagespan": (_page_span, _exact_page_span),
    "place_of": (_place_of, _exact_place_of),
    "size": (calltext.size, _hex_size),
    "duration": (duration, duration),
    "pages": (_plural("pages"), _exact_pages),
    "VMAs": (_plural("VMAs"), _plural("VMAs")),
    "gaps": (_plural("gaps"), _plural("gaps")),
    "calls": (_plural("calls"), _plural("calls")),
    "vma": (_vma, _exact_vma),
    "vmas": (_vmas, _exact_vmas),
    "pgoff": (_pgoff, _exact_pgoff),
    "mcl_flags": (flags.mcl_flags_text, flags.mcl_flags_text),
    "seals": (flags.seals_text, flags.seals_text),
    "remap_flags": (flags.mremap_flags_text, flags.mremap_flags_text),
    "differ": (_differ, _differ),
    "change": (_change, _change),
    "husk": (_husk, _husk),
    "entries": (_entries, _entries),
}
"""Kind of a placeholder → how its values are written plainly, and exactly."""

DERIVED: dict[str, tuple[tuple[str, ...], Callable[..., Any]]] = {
    "length": (("start", "end"), lambda start, end: end - start),
    "stop": (("start", "length"), lambda start, length: start + length),
    "target_end": (("start", "end", "target"), lambda start, end, target: target + end - start),
    "beyond": (("vma", "end"), lambda vma, end: end - vma.end),
    "low": (("vma", "at"), lambda vma, at: vma.part(vma.start, at)),
    "high": (("vma", "at"), lambda vma, at: vma.part(at, vma.end)),
    "own_pgoff": (("vma",), lambda vma: vma.pgoff),
    "its_pgoff": (("neighbour",), lambda neighbour: neighbour.pgoff),
    "needed": (
        ("side", "start", "end", "pgoff", "neighbour"),
        lambda side, start, end, pgoff, neighbour: (
            neighbour.pgoff_at(neighbour.end) if side == "left" else pgoff + (end - start >> PAGE_SHIFT)
        ),
    ),
}
"""Values that a text may use although no step has them: what they are made of, and how."""


# --- templates ---


def placeholders(text: str) -> list[tuple[str, tuple[str, ...], str]]:
    """The literal text, the names and the kind of each part of a template, in order.

    >>> placeholders("from {start..end:span} on")
    [('from ', ('start', 'end'), 'span'), (' on', (), '')]
    """
    return [
        (literal, tuple(name.split("..")) if name else (), kind or "")
        for literal, name, kind, _ in Formatter().parse(text)
    ]


def _getter(name: str) -> Callable[[Values], Any]:
    if name not in DERIVED:
        return lambda values: values[name]
    needs, make = DERIVED[name]

    def get(values: Values) -> Any:
        return values[name] if name in values else make(*(values[need] for need in needs))

    return get


def _part(names: tuple[str, ...], kind: str, exact: bool) -> Writer:
    getters = [_getter(name) for name in names]
    if kind.startswith("@"):
        choose, group = getters[0], kind[1:]
        return lambda values: writer(group, choose(values), exact)(values)
    write = KINDS[kind][exact]
    if len(getters) == 1:
        get = getters[0]
        return lambda values: write(get(values))
    return lambda values: write(*[get(values) for get in getters])


@cache
def writer(group: str, key: str, exact: bool = False) -> Writer:
    """The text `key` of `group` as a function of the values that it needs."""
    parts: list[str | Writer] = []
    for literal, names, kind in placeholders(_texts[group][key]):
        if literal:
            parts.append(literal)
        if names:
            parts.append(_part(names, kind, exact))

    def write(values: Values) -> str:
        return "".join([part if isinstance(part, str) else part(values) for part in parts])

    return write
