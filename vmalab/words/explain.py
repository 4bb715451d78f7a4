"""The words for what happened: a step, a call, a refusal, at three depths.

    one_line(outcome)   the whole story in one sentence
    narrate(step)       one plain sentence for one step
    detail(step)        the same with kernel function, file, hex values, commit or man page
    story(outcome, 3)   all of it, as lines
    reason(outcome)     why the call failed: errno, rule, and what was changed all the same
    advise(model, outcome)   what would have made it work (`vmalab.words.advice`)

Here is decided which text of `vmalab.words.catalogue` fits; `vmalab.words.wording` fills it in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from vmalab.linux.call import Fork, ForkChild, Limit, Read, Touch
from vmalab.linux.mm.trace import Step
from vmalab.machines.outcome import Outcome
from vmalab.programs.calltext import result_text
from vmalab.words.advice import Suggestion, advise
from vmalab.words.failure import errno_meaning, errno_name, failure, full_reason
from vmalab.words.summary import call_name, success
from vmalab.words.wording import glue, placeholders, say, texts, word, writer

Values = Mapping[str, Any]


NO_SYSTEM_CALL = (Touch, Read, Limit, Fork, ForkChild)
"""What returns nothing worth telling."""


# --- cases: where the values of a step decide between two sentences ---


def _part_of(values: Values) -> str:
    vma = values["vma"]
    return "whole" if (vma.start, vma.end) == (values["start"], values["end"]) else "part"


def _anon_or_file(values: Values) -> str:
    return "anon" if values["vma"].file is None else "file"


def _pgoff_kept(values: Values) -> str:
    if values["vma"].file is not None:
        return "file"
    return "home" if values["pgoff"] == values["natural"] else "away"


def _left_behind(values: Values) -> str:
    if values["was"].anon_vma is None:
        return "plain"
    return "fresh" if values["vma"].anon_vma is None else "faulted"


def _no_merge(values: Values) -> str:
    why: str = values["why"]
    if why == "pgoff":
        return f"pgoff_{values['side']}"
    if why == "anon_vma" and values["anon_vma"] in (None, values["neighbour"].anon_vma):
        return "anon_vma_outer"
    return why


def _crossing(values: Values) -> str:
    if values["growth"] > 0:
        return "grow"
    if not values["many"]:
        return "move"
    return "shrink" if values["growth"] < 0 else "hint"


def _in_the_way(values: Values) -> str:
    return "occupied" if values["why"] == "occupied" and values["next"] is not None else "other"


def _limit_hit(values: Values) -> str:
    return "as" if values["total"] + values["pages"] > values["limit"] else "data"


CASES: dict[str, tuple[tuple[str, ...], Callable[[Values], str]]] = {
    "piece": (("whole", "part"), _part_of),
    "alone_allowed": (("alone", "first"), lambda v: "first" if v["vma"].end < v["end"] else "alone"),
    "pgoff_reset": (("anon", "file"), _anon_or_file),
    "pgoff_kept": (("home", "away", "file"), _pgoff_kept),
    "left_behind": (("plain", "fresh", "faulted"), _left_behind),
    "placed": (("aligned", "alike", "plain"), lambda v: v["how"]),
    "merge_new": (("left", "right", "leftright"), lambda v: v["sides"]),
    "merge_existing": (("left", "right", "leftright"), lambda v: v["sides"]),
    "no_merge": (
        ("flags", "file", "pgoff_left", "pgoff_right", "anon_vma", "anon_vma_outer", "faulted", "inherited", "special"),
        _no_merge,
    ),
    "anon_vma_new": (("anon", "file"), _anon_or_file),
    "fault_wp": (("common", "zero", "file"), lambda v: v["there"]),
    "huge_split": (("edge", "protect", "drop", "move", "fork", "zero"), lambda v: v["why"]),
    "limit_set": (("as", "memlock", "map_count", "data"), lambda v: v["resource"]),
    "crosses_vma_end": (("move", "grow", "shrink", "hint"), _crossing),
    "must_move": (("occupied", "other"), _in_the_way),
    "no_room_may_not_move": (("occupied", "other"), _in_the_way),
    "rlimit_as": (("as", "data"), _limit_hit),
    "past_file_end": (("file", "shmem"), lambda v: "shmem" if v["vma"].file.kind == "shmem" else "file"),
    "beyond_task_size": (("zero", "high"), lambda v: "high" if v["length"] else "zero"),
}
"""Catalogue key → the cases that it has, and which of them a step's values are."""


@cache
def entry(func: str, key: str, refused: bool) -> str:
    """The catalogue key, without its case, of what `func` noted as `key`: `func.key` if there is one, else `key`."""
    group = texts()["refusal" if refused else "step"]
    own = f"{func}.{key}"
    return own if any(name == own or name.startswith(f"{own}/") for name in group) else key


@cache
def _chooser(func: str, key: str, refused: bool) -> tuple[str, Callable[[Values], str] | None]:
    name = entry(func, key, refused)
    case = CASES.get(name) or CASES.get(key)
    return name, case[1] if case and name not in texts()["refusal" if refused else "step"] else None


@cache
def _uses_lists(group: str, name: str) -> bool:
    return "{removed" in texts()[group][name]


def _choice(step: Step) -> tuple[str, str, Values]:
    """Group and key of the text for `step`, and the values for it."""
    refused = step.errno is not None
    group = "refusal" if refused else "step"
    name, case = _chooser(step.func, step.key, refused)
    if case is not None:
        name = f"{name}/{case(step.values)}"
    values = step.values
    if _uses_lists(group, name):
        values = {**values, "removed": step.removed}
    return group, name, values


def named_in_pages(step: Step) -> bool:
    """Whether `start` and `end` of a step are page numbers, and not bytes: its text knows."""
    group, name, _ = _choice(step)
    return _in_pages(group, name)


@cache
def _in_pages(group: str, name: str) -> bool:
    kinds = {kind for _, names, kind in placeholders(texts()[group][name]) if names == ("start", "end")}
    return "pagespan" in kinds


def clause(step: Step) -> str:
    """Why `step` refused the call, as a clause without errno and full stop."""
    group, name, values = _choice(step)
    return writer(group, name)(values)


def narrate(step: Step) -> str:
    """One plain sentence for one step; addresses as pages of the arena.

    >>> from vmalab.linux.addr import page
    >>> narrate(Step("check_prep_vma", "nothing_at_addr", {"start": page(3)}, "EFAULT"))
    'EFAULT: nothing is mapped at page 3, where the old range starts.'
    """
    group, name, values = _choice(step)
    said = writer(group, name)(values)
    return said if step.errno is None else glue("refused", errno=errno_name(step.errno), why=said)


def step_text(step: Step) -> str:
    """What `repr` of a step says: its function and its sentence; of one that the catalogue has not, its key."""
    try:
        said = narrate(step)
    except KeyError:
        said = step.key
    return f"<{step.func}: {said}>"


MOST_APART = 3
"""So many neighbours are named that did not merge."""


def apart(outcome: Outcome) -> list[str]:
    """Why neighbours that touch did not become one VMA in this call, a sentence each; `[]` where the call failed.

    Only a machine that tells its steps knows that.
    """
    found: dict[str, None] = {}
    for step in outcome.steps if outcome.ok else ():
        if step.key == "no_merge" and len(found) < MOST_APART:
            found[narrate(step)] = None
    return list(found)


def detail(step: Step) -> str:
    """The third depth: kernel function and file, addresses and lengths in hex, commit or man page where known.

    >>> from vmalab.linux.addr import page
    >>> detail(Step("check_prep_vma", "nothing_at_addr", {"start": page(3)}, "EFAULT")).split(": ", 1)[1]
    'EFAULT: nothing is mapped at 0x1000003000, where the old range starts. mremap(2), EFAULT.'
    """
    group, name, values = _choice(step)
    said = writer(group, name, True)(values)
    if step.errno is not None:
        said = glue("refused", errno=errno_name(step.errno), why=said)
    if name in texts()["more"]:
        said = f"{said} {say('more', name, exact=True, **values)}"
    return glue("detail", func=step.func, file=word("file", step.func), said=said)


def one_line(outcome: Outcome) -> str:
    """The story of a call in one sentence, without a full stop."""
    return success(outcome) if outcome.ok else failure(outcome, _rule(outcome))


def _rule(outcome: Outcome) -> str | None:
    return None if outcome.rule is None else clause(outcome.rule)


def story(outcome: Outcome, depth: int = 2) -> list[str]:
    """The story at `depth` 1 (one line), 2 (step by step) or 3 (with kernel functions, hex values and sources).

    A machine that tells no steps has only the one line.
    """
    if depth not in (1, 2, 3):
        raise ValueError(f"depth is 1, 2 or 3, not {depth!r}")
    if depth == 1 or not outcome.steps:
        return [glue("sentence", clause=one_line(outcome))]
    tell = narrate if depth == 2 else detail
    lines = [tell(step) for step in outcome.steps]
    if outcome.ok and not isinstance(outcome.call, NO_SYSTEM_CALL):
        value = result_text(outcome.call, outcome.value, None)
        lines.append(glue("returns", call=call_name(outcome.call), value=value))
    elif not outcome.ok and outcome.rule is None:
        lines.append(glue("sentence", clause=one_line(outcome)))
    return lines


def reason(outcome: Outcome) -> str:
    """Why the call failed: what the errno means, the rule with its values, and what the call had done by then.

    `""` for a call that succeeded.
    """
    return "" if outcome.ok else full_reason(outcome, _rule(outcome))


def merge_reason(why: str) -> str:
    """Why two neighbours stay two VMAs, for a student: `flags`, `file`, `pgoff`, `anon_vma`, `faulted`, `inherited`,
    `apart` or `special`, as in the value `why` of a step `no_merge`."""
    return word("merge", why)


__all__ = [
    "CASES", "Suggestion", "advise", "apart", "clause", "detail", "entry", "errno_meaning", "merge_reason", "narrate",
    "one_line", "reason", "story",
]  # fmt: skip
