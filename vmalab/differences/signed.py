"""Are the model's steps what a kernel does?  Each step is held against the kernel's own trace of the call.

A step *fits* where its function was running at that point of the trace, or is entered later (`vmalab.linux.functions`
knows what the function is called in that release).  A refusal is *pinned* where its function returned the errno.  And
the other way round: `CHANGES` lists the functions that change an address space; a call of one is *untold* where no step
of the model says so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from attrs import define, field, frozen

from vmalab.linux.functions import places
from vmalab.linux.mm.trace import Step
from vmalab.machines.model import Model
from vmalab.machines.traces import Trace, Traced, Traces, positions


@frozen
class Change:
    """Functions that change something, and the keys of the steps that tell it.

    `each`: every call needs a step of its own; else one step may tell many (the model tells ranges of pages at once).
    """

    functions: frozenset[str]
    keys: frozenset[str]
    each: bool = True


def _change(functions: str, keys: str, each: bool = True) -> Change:
    return Change(frozenset(functions.split()), frozenset(keys.split()), each)


_UNMAPS = "unmap unmap_destination unmap_source unmap_tail undo_copy"
_MERGES = "merge_new merge_existing"
_STACK = "guard_gap below_min_addr rlimit_as rlimit_stack rlimit_memlock stack_pgoff commit_charge"
_FAILED = "populate_fault populate_failed"
_FLAGS = "new_flags merge_existing map_count_split"

CHANGES = (
    # VMAs: made, copied, cut, joined, grown, made smaller
    _change("__split_vma", "split"),
    _change("copy_vma vma_merge_extend", "copied merge_new"),
    _change("vma_adjust_trans_huge", f"split {_MERGES}"),  # every VMA whose start or end moves
    _change("commit_merge", _MERGES),
    _change("vma_shrink", ""),  # only exec calls it
    _change("expand_downwards", f"stack_grown {_STACK}"),
    _change("vma_modify_flags vma_modify_flags_uffd", _FLAGS),
    _change("dup_mmap", "forked fork_parent"),
    # what is unmapped, and pages that go
    # (before 6.12 mmap asks a sealed file last, and takes its half-made mapping back)
    _change("unmap_vmas", f"{_UNMAPS} sealed_file"),
    _change("zap_page_range zap_page_range_single_batched zap_vma_range_batched", "zap nothing_to_drop"),
    _change("zap_huge_pmd", "zap", False),
    # anon_vmas
    _change("__anon_vma_prepare", "anon_vma_new anon_vma_shared"),
    # page-table entries that move, by size
    _change("move_page_tables", "pages_moved nothing_to_move"),
    _change("move_huge_pmd", "huge_moved huge_split", False),
    # (__split_huge_pmd() is called for every edge inside 2 MiB of a VMA, and looks itself whether it has to split)
    _change("__split_huge_pmd_locked", "huge_split", False),
    _change("copy_huge_pmd", "huge_shared forked fork_parent", False),
    _change("change_protection", "new_flags merge_existing pages_protected pages_unprotected", False),
    _change("guard_install_set_pte", "guard_set", False),
    # page faults
    # (a read goes on behind the page at which it failed, and tells of that one)
    _change("do_anonymous_page", f"guard_hit fault_anon fault_zero uffd_hit {_FAILED}", False),
    # (it is asked first, and leaves the fault to do_anonymous_page() where no huge page fits)
    _change("do_huge_pmd_anonymous_page", "fault_huge fault_huge_zero fault_anon fault_zero uffd_hit", False),
    _change("do_huge_pmd_wp_page", "fault_huge_wp huge_split", False),
    _change("do_wp_page", f"fault_wp fault_reuse uffd_wp_hit {_FAILED}", False),
    _change("do_fault", f"fault_cow fault_read_file fault_shared fault_around past_file_end uffd_hit {_FAILED}", False),
)  # fmt: skip
"""Which functions change something, and which steps tell it."""

CLONERS = frozenset(
    "__split_vma __vma_adjust anon_vma_fork commit_merge copy_vma vma_expand vma_merge vma_modify".split()
)
"""The functions inside which an anon_vma may be cloned: what they do is told, the clone with it."""

TOLD_AT_ONCE = {"__x64_sys_ftruncate": "file_cut"}
"""A system call that does the same to every mapping of a file, twice even, and the key of the step that tells it."""

ACCESS = frozenset(("SEGV", "BUS", "UFFD"))
"""How an access ends: by a signal, whatever errno the kernel had for itself."""


@frozen
class Signed:
    """A call's steps held against its trace.

    `at`: for each step the index of the traced call that it fits, -1 where it fits none, None where no trace can have
    it.  `pinned`: whether the refusal's function returned the errno; None where the call succeeded or the kernel was
    not asked.  `untold`: the functions that change something and have no step, each as often as that.
    """

    at: tuple[int | None, ...]
    pinned: bool | None
    untold: tuple[str, ...]

    @property
    def fits(self) -> bool:
        """Whether everything fits."""
        return -1 not in self.at and self.pinned is not False and not self.untold


def signed(steps: Sequence[Step], trace: Trace) -> Signed:
    """Hold the steps of a call against the trace of the same call.  O(steps · depth + length of the trace)."""
    calls = trace.calls
    return Signed(positions(steps, trace), _pinned(steps, calls, trace), _untold(steps, calls))


def _pinned(steps: Sequence[Step], calls: Sequence[Traced], trace: Trace) -> bool | None:
    """Whether the function of the refusal returned its errno, and none that it called did; see `Signed.pinned`."""
    rule = next((step for step in reversed(steps) if step.errno), None)
    names = () if rule is None else places(rule.func, rule.key, trace.traceable)
    asked = [name for name in names if name in trace.returning]
    if rule is None or not asked:
        return None
    told = [
        call.name for call in calls if call.errno is not None and (call.errno == rule.errno or _becomes(call, rule))
    ]
    return bool(told) and told[-1] in asked


def _becomes(call: Traced, rule: Step) -> bool:
    """Whether the errno of a function inside becomes that of the refusal on the way out."""
    return rule.errno in ACCESS or (call.errno == "ENOMEM" and rule.errno == "EAGAIN")


def _untold(steps: Sequence[Step], calls: Sequence[Traced]) -> tuple[str, ...]:
    """The functions that change something and have no step."""
    told = Counter(step.key for step in steps)
    made = Counter[str]()
    untold: list[str] = []
    outer: list[Traced] = []
    for call in calls:
        del outer[call.depth :]
        if call.name == "anon_vma_clone" and CLONERS.isdisjoint(one.name for one in outer):
            untold.append(call.name)
        outer.append(call)
        if call.errno is None and not told[TOLD_AT_ONCE.get(outer[0].name, "")]:
            times = 1
            for one in outer:
                times *= one.times
            made[call.name] += times
    for change in CHANGES:
        calls_made = sum(made[name] for name in change.functions)
        steps_told = sum(told[key] for key in change.keys)
        missing = calls_made - steps_told if change.each else int(calls_made and not steps_told)
        untold += [min(change.functions & made.keys())] * max(0, missing) if missing > 0 else []
    return tuple(untold)


@define
class Report:
    """All programs of a recording, held against the model of its release.

    `problems`: for each call where something does not fit, in words; empty is what is wanted.
    """

    release: str
    programs: int = 0
    calls: int = 0
    steps: int = 0
    fitting: int = 0
    not_traceable: int = 0
    refusals: int = 0
    pinned: int = 0
    untold: int = 0
    problems: dict[str, str] = field(factory=dict)

    def __str__(self) -> str:
        traceable = self.steps - self.not_traceable
        share = f"{self.fitting / traceable:.1%}" if traceable else "none"
        return (
            f"Linux {self.release}: {self.fitting:,} of {traceable:,} traceable steps fit ({share}), "
            f"{self.not_traceable:,} are not traceable; {self.pinned:,} of {self.refusals:,} refusals are pinned to "
            f"their function; {self.untold:,} changes are not told ({self.programs:,} programs, {self.calls:,} calls)"
        )


def report(traces: Traces) -> Report:
    """Run every program of `traces` on the model of the same release, and hold each step against its trace."""
    found = Report(traces.release)
    for scenario, texts in traces.programs:
        played = Model(traces.release, privileged=not scenario.unprivileged).run(scenario)
        found.programs += 1
        if played.error is not None:
            found.problems[scenario.name] = played.error
            continue
        for number, (outcome, text) in enumerate(zip(played.outcomes, texts, strict=True), 1):
            if text is not None:
                _count(
                    found, f"{scenario.name}, step {number}", outcome.steps, signed(outcome.steps, traces.trace(text))
                )
    return found


def _count(found: Report, where: str, steps: Sequence[Step], held: Signed) -> None:
    """Add one call to a report."""
    found.calls += 1
    found.steps += len(steps)
    found.not_traceable += held.at.count(None)
    found.fitting += sum(at is not None and at >= 0 for at in held.at)
    found.refusals += any(step.errno for step in steps)
    found.pinned += held.pinned is True
    found.untold += len(held.untold)
    if not held.fits:
        wrong = [f"{step.func}.{step.key} fits nothing" for step, at in zip(steps, held.at, strict=True) if at == -1]
        wrong += ["the errno came from elsewhere"] if held.pinned is False else []
        found.problems[where] = ", ".join([*wrong, *(f"{name} is not told" for name in held.untold)])
