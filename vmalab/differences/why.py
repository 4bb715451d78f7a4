"""The story of one call of a program's log: `why(log, line)`; and what the calls of a log add up to: `top(log)`.

The call is made on the model in the state that the program was in, with its steps; what it says comes from there.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from attrs import define, evolve, field, frozen

from vmalab.differences.programs import answer_text, event_text
from vmalab.errors import UsageError, VmalabError
from vmalab.linux.addr import PAGE, PAGE_SHIFT, page_align
from vmalab.linux.call import Brk, Call, Madvise, Mmap, Mprotect, Mremap
from vmalab.linux.flags import MREMAP_FIXED, MREMAP_MAYMOVE, VM_ACCOUNT, VM_GROWSDOWN, VM_SHARED, prot_letters
from vmalab.linux.mm.runs import Run
from vmalab.linux.profile import KernelProfile
from vmalab.machines.model import Model
from vmalab.machines.outcome import Outcome
from vmalab.machines.replay.process import Process, Verdict
from vmalab.machines.replay.program import Replayed, replay
from vmalab.programs.calltext import size
from vmalab.programs.procmaps import Entry
from vmalab.programs.strace import Event, StraceLog, Traced
from vmalab.words.explain import apart, reason, story
from vmalab.words.wording import texts, word

FEW = 5
"""So many items of a list are told."""

_RULES = (
    ("map_count", "map_count"), ("no_room_may_not_move", "may_not_move"), ("crosses", "crossing"),
    ("crossing", "crossing"), ("gap", "unmapped"), ("nothing_at_addr", "unmapped"), ("not_mapped", "unmapped"),
)  # fmt: skip


@frozen
class Told:
    """The story of one call: sentences in order; `outcome`: the call on the model, None where it was not made."""

    event: Traced
    sentences: tuple[str, ...]
    outcome: Outcome | None = None
    helps: tuple[str, ...] = ()


def call_at(log: StraceLog, line: int) -> Traced:
    """The call that ended, or began, on that line of the log.  Raises UsageError where there is none."""
    for event in log.events:
        if isinstance(event, Traced) and line in (event.line, event.began):
            return event
    left = next((one for one in log.left_out if one.line == line), None)
    if left is not None:
        raise UsageError(f"{log.name}:{line} was not understood: {left.why}")
    raise UsageError(f"{log.name}:{line} is no call that changes an address space (the log has {log.lines} lines)")


def state_before(
    log: StraceLog, event: Traced, release: str | KernelProfile | None = None, *, map_count: int | None = None,
    start: Sequence[Entry] | None = None,
) -> tuple[Process, Replayed]:  # fmt: skip
    """The process that makes `event`, as it is right before.  O(calls before it)."""
    run = replay(log, release, map_count=map_count, start=start, until=event.line)
    process = run.processes.get(event.pid)
    if process is None:
        raise UsageError(f"{log.name}:{event.line}: nothing is known of process {event.pid} before this call")
    return process, run


def outcome_of(process: Process, event: Traced, model: Model | None = None) -> Outcome | None:
    """The call made on the model with its steps; None for one that has no record, or that the model does not know.

    `model`: one that is on this address space already.
    """
    verdict_calls = _calls_of(process, event)
    if not verdict_calls:
        return None
    call = verdict_calls[-1]
    if isinstance(call, Mremap):
        _present(process, call)
    if model is None:
        model = Model.on(process.mm)
    else:
        model.look_again()
    moves_freely = isinstance(call, Mremap) and call.flags & (MREMAP_MAYMOVE | MREMAP_FIXED) == MREMAP_MAYMOVE
    if event.errno is None and event.answer and (moves_freely or (isinstance(call, Mmap) and not call.fixed)):
        process.mm.given = event.answer
    try:
        outcome = model.do(call)
    except VmalabError:
        return None
    finally:
        process.mm.given = None
    outcome.letters = None  # of the VMAs from before nobody has named one: each picture begins anew
    return outcome


def _present(process: Process, call: Mremap) -> None:
    """What is to be moved has been written, as the replay takes it; so its pages are there."""
    mm = process.mm
    for vma in mm.intersecting(call.addr, call.addr + page_align(call.old_len)):
        if vma.anon_vma is not None:
            mm.pagetable.put(Run(vma.start >> PAGE_SHIFT, vma.end >> PAGE_SHIFT, "anon"))


def _calls_of(process: Process, event: Traced) -> tuple[Call, ...]:
    """The records that stand for a call of the log, without making it."""
    what = event.what
    if isinstance(what.call, Mmap) and what.call.kind in ("file", "sharedfile"):
        return (evolve(what.call, file=process.file_key(what.fd, what.path)),)
    if what.call is not None:
        return (what.call,)
    if what.name == "brk" and event.answer and process.brk is not None and event.answer != process.brk:
        return (Brk(event.answer),)
    return ()


def why(
    log: StraceLog, line: int, release: str | KernelProfile | None = None, *, map_count: int | None = None,
    start: Sequence[Entry] | None = None,
) -> Told:  # fmt: skip
    """Why the call on that line did what it did, in sentences.  O(calls before it)."""
    event = call_at(log, line)
    process, run = state_before(log, event, release, map_count=map_count, start=start)
    said = [f"{event_text(event)} = {answer_text(event)}"]
    before = process.mm.map_count
    outcome = outcome_of(process, event)
    if outcome is None:
        said.append("This call changes no VMA, or in a way that the model does not know.")
        return Told(event, tuple(said))
    helps: list[str] = []
    if event.errno is not None and outcome.errno != event.errno:
        model_says = outcome.errno or "would have let it through"
        said.append(
            f"The kernel refused it with {event.errno}; by its VMAs alone it could have been done (the model: "
            f"{model_says}). The reason lies in what a log of calls does not show: a limit of the process, its rights, "
            "or the file."
        )  # fmt: skip
    elif not outcome.ok:
        said.append(reason(outcome.near()))
        helps += _helps(outcome)
        if event.errno is None:
            said.append(f"The kernel of the log let it through; {run.followed} does not.")
    else:
        near = outcome.near()
        said += story(near)[:12]
        said += [sentence for sentence in apart(outcome) if sentence not in said]
        helps += _helps(outcome)
    after = process.mm.map_count
    if after != before:
        said.append(f"VMAs: {before} before, {after} after.")
    else:
        said.append(f"VMAs: {before}, as many as before.")
    in_the_way = _in_the_way(log, outcome, event, map_count, start)
    if in_the_way:
        said.append(in_the_way)
    if event.stack:
        said.append(f"Called from {_place(event.stack)}.")
    return Told(event, tuple(said), outcome, tuple(dict.fromkeys(helps)))


def _helps(outcome: Outcome) -> list[str]:
    found = []
    rule = outcome.rule
    if rule is not None:
        found += [word("help", key) for part, key in _RULES if part in rule.key][:1]
    for step in outcome.steps:
        if step.key in ("must_move", "no_room_may_not_move") and step.values.get("why") in texts()["help"]:
            found.append(word("help", step.values["why"]))
        if step.key == "no_merge":
            found += _apart(step.values)
    return found


def _apart(values: Mapping[str, Any]) -> list[str]:
    """What would have let a neighbour merge."""
    why, neighbour = values.get("why"), values.get("neighbour")
    if why == "flags" and neighbour is not None:
        differ = int(values.get("flags", 0)) ^ neighbour.flags
        if differ & (VM_SHARED | VM_GROWSDOWN):
            return []  # they are of different kinds
        if not differ & ~VM_ACCOUNT:
            why = "account"
    if why == "pgoff" and neighbour is not None and neighbour.file is not None:
        why = "file_pgoff"
    return [word("help", why)] if why in texts()["help"] else []


def _in_the_way(
    log: StraceLog, outcome: Outcome, event: Traced, map_count: int | None, start: Sequence[Entry] | None
) -> str:  # fmt: skip
    """Who mapped what a growing VMA met."""
    step = next((s for s in outcome.steps if s.key in ("must_move", "no_room_may_not_move")), None)
    neighbour = step.values.get("next") if step is not None and step.values.get("why") == "occupied" else None
    if neighbour is None:
        return ""
    makers = _Makers(event.pid)
    replay(log, map_count=map_count, start=start, until=event.line, watcher=makers)
    made = makers.by_start.get(neighbour.start)
    if made is None:
        return f"In the way is {neighbour}, which was there from the start."
    return f"In the way is {neighbour}, mapped on line {made.line}: {event_text(made)}."


class _Makers:
    """Which call made, or last changed, the VMA that starts somewhere."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.by_start: dict[int, Traced] = {}

    def __call__(self, event: Event, process: Process | None, verdict: Verdict | None) -> None:
        if process is None or not isinstance(event, Traced) or event.pid != self.pid:
            return
        for _, added in process.changes:
            for vma in added:
                self.by_start[vma.start] = event


# --- what the calls of a log add up to ---


@define
class Pattern:
    """Calls that are alike: by the place in the program where strace -k was given, else by their shape."""

    name: str
    calls: int = 0
    made: int = 0
    """VMAs that they made, less those that they took away."""
    moved: int = 0
    """Pages of address space whose entries were moved by mremap."""
    first: int = 0


@define
class Summary:
    """What `top` finds.  `runs`: moves one after the other that Linux 6.17 does in one call: first line, how many."""

    patterns: dict[str, Pattern] = field(factory=dict)
    runs: list[tuple[int, int]] = field(factory=list)
    failures: Counter[str] = field(factory=Counter)
    first_failure: dict[str, int] = field(factory=dict)
    replayed: Replayed | None = None

    def most(self, what: str, number: int = FEW) -> list[Pattern]:
        """The patterns that come first by `made`, `moved` or `calls`."""
        ordered = sorted(self.patterns.values(), key=lambda one: -int(getattr(one, what)))
        return [one for one in ordered[:number] if getattr(one, what) > 0]


def top(log: StraceLog, release: str | KernelProfile | None = None, *, start: Sequence[Entry] | None = None) -> Summary:
    """Which patterns of calls made most VMAs and moved most pages, and which moves could have been one.  O(calls)."""
    found = Summary()
    counter = _Counter(found)
    found.replayed = replay(log, release, start=start, watcher=counter)
    counter.end_run()
    return found


class _Counter:
    """Adds up what each call did."""

    def __init__(self, found: Summary) -> None:
        self.found = found
        self.run: list[tuple[Traced, Mremap]] = []

    def __call__(self, event: Event, process: Process | None, verdict: Verdict | None) -> None:
        if not isinstance(event, Traced) or process is None or event.what.name in ("open", "execve", "fork"):
            return
        call = event.what.call
        if event.errno is not None:
            key = f"{event.what.name} failed with {event.errno}"
            self.found.failures[key] += 1
            self.found.first_failure.setdefault(key, event.line)
        if call is None and event.what.name != "brk":
            return
        name = pattern_of(event)
        pattern = self.found.patterns.get(name)
        if pattern is None:
            pattern = self.found.patterns[name] = Pattern(name, first=event.line)
        pattern.calls += 1
        pattern.made += sum(len(added) - len(removed) for removed, added in process.changes)
        if isinstance(call, Mremap):
            if event.errno is None and event.answer not in (None, call.addr):
                pattern.moved += min(page_align(call.old_len), page_align(call.new_len)) // PAGE
            self._moved(event, call)
        elif not isinstance(call, Madvise):
            self.end_run()

    def _moved(self, event: Traced, call: Mremap) -> None:
        """A run: fixed moves of equal length, each with the same distance and after the one before it."""
        fits = (
            call.flags & MREMAP_FIXED and page_align(call.old_len) == page_align(call.new_len) and event.errno is None
        )
        if fits and self.run:
            _, last = self.run[-1]
            fits = call.new_addr - call.addr == last.new_addr - last.addr and call.addr >= last.addr + last.old_len
            if not fits:
                self.end_run()
                fits = True
        if fits:
            self.run.append((event, call))
        else:
            self.end_run()

    def end_run(self) -> None:
        if len(self.run) > 1:
            self.found.runs.append((self.run[0][0].line, len(self.run)))
        self.run = []


_LIBRARY = re.compile(r"/(?:libc|ld-linux|libpthread|ld)[-.\w]*(?:\.so|$)[^(]*")


def _place(stack: Iterable[str]) -> str:
    """The innermost place that is not in the C library."""
    frames = list(stack)
    outside = [frame for frame in frames if not _LIBRARY.search(frame.partition("(")[0])]
    shown = (outside or frames)[0]
    return re.sub(r" \[0x[0-9a-f]+\]$", "", shown)


def pattern_of(event: Traced) -> str:
    """What calls like this one have in common."""
    call: Any = event.what.call
    shape = event.what.name
    if isinstance(call, Mmap):
        what = call.kind if event.what.path is None else event.what.path.rpartition("/")[2]
        shape = f"mmap of {size(call.length)} {prot_letters(call.prot) or 'without access'}, {what}"
    elif isinstance(call, Mprotect):
        shape = f"mprotect of {size(call.length)} to {prot_letters(call.prot) or 'no access'}"
    elif isinstance(call, Mremap):
        moves = "fixed" if call.flags & MREMAP_FIXED else "may move" if call.flags & MREMAP_MAYMOVE else "in place"
        shape = f"mremap from {size(call.old_len)} to {size(call.new_len)}, {moves}"
    elif isinstance(call, Madvise):
        shape = f"madvise {call.advice} of {size(call.length)}"
    elif call is not None:
        shape = f"{call.name} of {size(call.length)}"
    return f"{_place(event.stack)}: {call.name if call else shape}" if event.stack else shape


def run_sentence(log: StraceLog, run: tuple[int, int]) -> str:
    """What could have been one call since 6.17."""
    line, count = run
    return (
        f"line {line}: {count} moves one after the other, all by the same distance: one mremap of the whole range does "
        "it since Linux 6.17 (MREMAP_FIXED, equal lengths)"
    )
