"""Programs as one writes them: `read_program` reads what `vmalab.programs.calltext.call_text` writes, and shorter
forms."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from vmalab.errors import UsageError
from vmalab.linux.call import CALLS, Call
from vmalab.linux.flags import PROT_LETTERS
from vmalab.programs.calljson import ARGUMENTS, call_from_json

_CALL = re.compile(r"\s*(?:\d+\s+)?([a-z_]+)\s*\(([^()]*)\)\s*[;,]?\s*")
FLAGS = ("noreserve", "noreplace", "growsdown")
EXAMPLE = "mremap(0, 5, 5, maymove fixed, 64)"
HOW = f"write each call with its arguments in pages, such as {EXAMPLE} or munmap(page 3, 2 pages)"


def read_program(text: str) -> tuple[Call, ...]:
    """The calls that `text` spells, one after the other.  Raises UsageError that names the part not understood.

    >>> from vmalab.programs.calltext import call_text
    >>> [call_text(call) for call in read_program('munmap(page 3, 2 pages) mremap(0, 5, 5, maymove fixed, 64)')]
    ['munmap(page 3, 2 pages)', 'mremap(page 0, 5 pages, 5 pages, MREMAP_MAYMOVE | MREMAP_FIXED, page 64)']
    """
    calls, at = [], 0
    text = text.strip()
    while at < len(text):
        found = _CALL.match(text, at)
        if found is None:
            raise UsageError(f"“{text[at : at + 40]}” is not understood: {HOW}")
        calls.append(_call(found[1], found[2]))
        at = found.end()
    return tuple(calls)


def _call(name: str, arguments: str) -> Call:
    if name not in CALLS:
        raise UsageError(f"there is no call {name}: there are {', '.join(CALLS)}")
    words = [word.strip().strip("\"'") for word in arguments.split(",")] if arguments.strip() else []
    keys = ARGUMENTS[name]
    more = _mapped(words[3:]) if name == "mmap" else {}
    words = words[:3] if name == "mmap" else words
    if len(words) > len(keys):
        raise UsageError(f"{name} takes {', '.join(key.name for key in keys)}: that is less than “{arguments}”")
    step: dict[str, Any] = {"call": name, **more}
    for key, word in zip(keys, words, strict=False):
        step[key.name] = _value(key.name, word)
    return call_from_json(step, name)


def _mapped(words: Sequence[str]) -> dict[str, Any]:
    """What an mmap maps, and its flags: `zero`, `sharedfile canary from page 0`, `noreplace`."""
    found: dict[str, Any] = {}
    for word in words:
        file = re.fullmatch(r"(file|sharedfile)(?:\s+(\S+))?(?:\s+from page\s+(\d+))?", word)
        if file is not None:
            found |= {"kind": file[1], "file": file[2] or "f0", "pgoff": int(file[3] or 0)}
        elif word in FLAGS:
            found[word] = True
        else:
            found["kind"] = word
    return found


def _value(key: str, word: str) -> object:
    if key == "flags":
        names = re.split(r"[\s|]+", word.lower().replace("mremap_", "")) if word else []
        return [name for name in names if name not in ("", "0")]
    if key == "prot":
        lowered = word.lower().replace("none", "").replace("-", "").removesuffix("p")
        return "".join(letter for letter in PROT_LETTERS if letter in lowered) if set(lowered) <= set("rwx") else word
    number = re.fullmatch(r"(?:page|value)?\s*(\d+(?:\.\d+)?)\s*(?:pages?)?", word)
    if number is None:
        return word
    return float(number[1]) if "." in number[1] else int(number[1])
