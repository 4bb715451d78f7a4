"""Calls as the driver takes them: the steps of a scenario file, but in bytes.

So any address and length arrives exactly, also those that no number of pages in JSON could name.
"""

from __future__ import annotations

from typing import Any

from attrs import fields

from vmalab.linux.call import CALLS, AddSeals, Call, Mlockall, Mremap
from vmalab.linux.flags import MCL_FLAGS, MREMAP_FLAGS, SEALS, prot_letters
from vmalab.programs.scenario import Scenario

_WORDS = {
    Mremap: {name.removeprefix("MREMAP_").lower(): bit for name, bit in MREMAP_FLAGS.items()},
    Mlockall: {name.removeprefix("MCL_").lower(): bit for name, bit in MCL_FLAGS.items()},
    AddSeals: {name.removeprefix("F_SEAL_").lower(): bit for name, bit in SEALS.items()},
}
"""Calls with flags: the words for them in a scenario file."""
_KEYS = {"length": "pages", "old_len": "old_pages", "new_len": "new_pages", "label": "name"}
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
    if words := _WORDS.get(type(call)):
        key = "seals" if isinstance(call, AddSeals) else "flags"
        flags = step[key]
        step[key] = [word for word, bit in words.items() if flags & bit]
        step["badflags"] = flags & ~sum(words.values())
    return step


def asked(scenario: Scenario) -> dict[str, Any]:
    """A whole scenario as the driver's recorder takes it."""
    return {
        "name": scenario.name,
        "arena_pages": scenario.arena_pages,
        "unprivileged": scenario.unprivileged,
        "contents": scenario.contents,
        "bytes": True,
        "steps": [wire(call) for call in scenario.steps],
    }
