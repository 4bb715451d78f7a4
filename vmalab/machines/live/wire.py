"""Calls as the driver takes them: the steps of a scenario file, but in bytes.

So any address and length arrives exactly, also those that no number of pages in JSON could name, and an mmap without
MAP_FIXED, which scenario files do not have.
"""

from __future__ import annotations

from typing import Any

from attrs import fields

from vmalab.linux.call import CALLS, Call
from vmalab.linux.flags import MREMAP_DONTUNMAP, MREMAP_FIXED, MREMAP_MAYMOVE, prot_letters

_WORDS = {"maymove": MREMAP_MAYMOVE, "fixed": MREMAP_FIXED, "dontunmap": MREMAP_DONTUNMAP}
_KEYS = {"length": "pages", "old_len": "old_pages", "new_len": "new_pages"}
_FIELDS = {
    record: tuple((attribute.name, _KEYS.get(attribute.name, attribute.name)) for attribute in fields(record))
    for record in CALLS.values()
}


def wire(call: Call) -> dict[str, Any]:
    """The step that the driver is asked to make."""
    step: dict[str, Any] = {"call": call.name}
    for attribute, key in _FIELDS[type(call)]:
        step[key] = getattr(call, attribute)
    if "prot" in step:
        step["prot"] = prot_letters(step["prot"])
    if "flags" in step:
        flags = step["flags"]
        step["flags"] = [word for word, bit in _WORDS.items() if flags & bit]
        step["badflags"] = flags & ~(MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP)
    return step
