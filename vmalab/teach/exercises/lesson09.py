"""The exercises of lesson 09: what to compare, which rule is wrong, a generator, a fault of a real kernel."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import chain
from random import Random
from typing import Any

from attrs import evolve, frozen

from vmalab.differences.answers import layout
from vmalab.differences.causes import causes
from vmalab.differences.say import say_difference
from vmalab.linux.addr import PAGE, page
from vmalab.linux.call import Call, Limit, Mmap, Mremap, Touch
from vmalab.linux.flags import MREMAP_DONTUNMAP, MREMAP_FIXED, MREMAP_MAYMOVE, PROT_READ
from vmalab.linux.profile import KernelProfile, behaviours, profile
from vmalab.machines.model import Model
from vmalab.machines.outcome import Outcome
from vmalab.machines.program import scenario_of
from vmalab.programs.scenario import Scenario
from vmalab.teach.answers import same_calls
from vmalab.teach.exercises.checking import Feedback, Watched, asked, no_answer, not_yet, solved
from vmalab.teach.exercises.submission import a_number, by_name, program_in
from vmalab.teach.suspects import RIGHT, Pair, fault_of, hunt, random_program, suspect, turned

MOVE = MREMAP_MAYMOVE | MREMAP_FIXED
KEEP = MOVE | MREMAP_DONTUNMAP


# --- 9.1: what to compare ------------------------------------------------------------------------------------


@frozen
class Case:
    """Two outcomes of one call: whether a program could tell them apart, and by what."""

    same: bool
    what: str
    a: Outcome
    b: Outcome


def _last(followed: str | KernelProfile, *calls: Call) -> Outcome:
    vm = Model(followed)
    return [vm.do(call) for call in calls][-1]


@cache
def cases_1() -> tuple[Case, ...]:
    """Each differs in one thing only; the last two in nothing that a program can see."""
    anon, zero = Mmap(page(0), 2 * PAGE), Mmap(page(0), 2 * PAGE, kind="zero")
    more, move = Mmap(page(9), PAGE), Mremap(page(0), 2 * PAGE, 2 * PAGE, MOVE, page(64))
    both = Mremap(page(0), 4 * PAGE, 4 * PAGE, MOVE, page(64))
    keep = Mremap(page(64), 2 * PAGE, 2 * PAGE, KEEP, page(96))
    overlap = Mremap(page(0), 4 * PAGE, 4 * PAGE, MOVE, page(1))
    pair = (zero, Mmap(page(2), 2 * PAGE), both)
    return (
        Case(False, "the errno, EINVAL and EFAULT; both fail", _last(RIGHT, overlap),
             _last(turned("order_of_6_17", "b"), overlap)),
        Case(False, "where the first VMA is; both fail with EFAULT", _last(RIGHT, *pair), _last("v3", *pair)),
        Case(False, "the permissions of the first VMA", _last(RIGHT, anon, more),
             _last(RIGHT, Mmap(page(0), 2 * PAGE, PROT_READ), more)),
        Case(False, "what is written in the first page", _last(RIGHT, anon, Touch(page(0), PAGE, 1), more),
             _last(RIGHT, anon, Touch(page(0), PAGE, 2), more)),
        Case(False, "a flag of the VMA left behind, `ac` of VmFlags in smaps", _last(RIGHT, anon, move, keep),
             _last(turned("dontunmap_loses_account", "b"), anon, move, keep)),
        Case(True, "the steps and the name of the machine", _last("6.16", anon, move), _last("6.18", anon, move)),
        Case(True, "the vm_pgoff of the VMA left behind, which no program can read",
             _last("7.1", anon, Touch(page(0), PAGE), move, keep),
             _last("7.2", anon, Touch(page(0), PAGE), move, keep)),
    )  # fmt: skip


def check_1(answer: Any) -> Feedback:
    """`same(a, b)`: True just where no program could tell two outcomes apart."""
    if not callable(answer):
        return no_answer("Give check the function itself: check(…, same).")
    right = 0
    for number, case in enumerate(cases_1(), 1):
        told, wrong = asked(answer, case.a, case.b)
        if not wrong and told is None and number == 1:
            return no_answer("same has returned nothing yet; it has to return True or False.")
        if wrong or not isinstance(told, bool):
            return not_yet(wrong or f"same has to return True or False, and returned {told!r}.")
        if told != case.same:
            verdict = "calls them the same" if told else "tells them apart"
            said = [f"{right} pairs are right." if right > 1 else "One pair is right."] if right else []
            return not_yet(*said, f"Pair {number} differs in {case.what}. Your function {verdict}.")
        right += 1
    return solved(
        f"All {right} pairs are right. What is compared is what a program can see: errno, value, and of each VMA its "
        "range, permissions, backing, flags and contents.",
        "vm_pgoff and anon_vma are no part of it: a recording of a kernel does not have them.",
    )


# --- 9.2: which rule is wrong? -------------------------------------------------------------------------------

SUSPECTS_2 = (2, 3, 4, 5)


def check_2(answer: Any) -> Feedback:
    """The rules that are turned round in suspects 2 to 5: `{2: "…", 3: "…", 4: "…", 5: "…"}`."""
    wants = 'Write a rule for each suspect, such as {2: "mseal", 3: …}.'
    named = by_name(answer, wants)
    if isinstance(named, Feedback):
        return named
    given: dict[Any, str] = {}
    for who, rule in named.items():
        number = a_number(who)
        given[who if number is None else number] = str(rule).strip()
    known = {one.name for one in behaviours()}
    said, right = [], []
    for number, name in given.items():
        if number not in SUSPECTS_2:
            said.append(f"Suspect {number!r} is not asked for: {SUSPECTS_2[0]} to {SUSPECTS_2[-1]} are.")
        elif name not in known:
            said.append(f"Suspect {number}: there is no rule {name!r}. all_rules() has the names.")
        elif name == fault_of(number):
            right.append(number)
        else:
            said.append(_still(number, name))
    missing = [number for number in SUSPECTS_2 if number not in given]
    if not said and not missing:
        return solved("Each of the four, with its rule turned back, is Linux 6.18 again.")
    if right:
        said.insert(0, f"Right: {' and '.join(map(str, right))}.")
    if missing and not said[bool(right) :]:
        said.append(f"Still to be named: {', '.join(map(str, missing))}.")
    return not_yet(*said)


def _still(number: int, name: str) -> str:
    """What a suspect still does wrong when `name`, which is not its fault, is turned round in it."""
    found = hunt(suspect(number))
    held = suspect(number).profile
    changed: dict[str, Any] = {name: not getattr(held, name)}
    pair = Pair((Model(RIGHT, trace=False), Model(evolve(held, **changed), trace=False)), found.pair.names)
    assert found.program is not None  # random programs find every fault
    tried = chain([found.program], (random_program(1, one) for one in range(400)))
    still = next(filter(None, map(pair.first, tried)), None)
    more = f" {say_difference(still, *pair.names)}" if still is not None else ""
    return f"Suspect {number}: not {name}. With that turned round, it is still not Linux {RIGHT}.{more}"


# --- 9.3: a generator ----------------------------------------------------------------------------------------

RARE = 9
PROGRAMS_3 = 60
DISTINCT_3 = 20


def check_3(answer: Any) -> Feedback:
    """`program(vm, rng)`: random calls that catch suspect 9 in a program of sixty, and are not always the same."""
    if not callable(answer):
        return no_answer("Give check the function itself: check(…, program).")
    written: list[Scenario] = []
    for number in range(PROGRAMS_3):
        vm = Watched(RIGHT)
        _, wrong = asked(answer, vm, Random(f"exercise/{number}"))
        if wrong:
            return not_yet(f"Program {number + 1}: {wrong}.")
        if not vm.history:
            return no_answer("program has made no call on vm yet.")
        written.append(scenario_of(vm.history))
    distinct = len({one.steps for one in written})
    if distinct < DISTINCT_3:
        return not_yet(
            f"Of {PROGRAMS_3} programs only {distinct} are different. Let rng decide: a generator that writes one "
            "program finds one fault."
        )
    pair = Pair((Model(RIGHT, trace=False), Model(suspect(RARE).profile, trace=False)), (RIGHT, "suspect"))
    caught = [number for number, one in enumerate(written, 1) if pair.first(one) is not None]
    if caught:
        return solved(
            f"Caught by {len(caught)} of {PROGRAMS_3} programs, first by number {caught[0]}.",
            "A generator finds what it reaches: yours knows where the fault lies, so it finds little else. Those that "
            "test kernels mix many such themes.",
        )
    used = {call.name for one in written for call in one.steps}
    return not_yet(
        f"{distinct} different programs with {', '.join(sorted(used))}: none of them catches suspect {RARE}.",
        *_advice_3(written, used),
    )


def _advice_3(written: Sequence[Scenario], used: set[str]) -> list[str]:
    wanted = [name for name in ("mmap", "mlock", "mremap") if name not in used]
    if wanted:
        return [f"Its fault shows with {', '.join(wanted)}, too."]
    moves = [call for one in written for call in one.steps if isinstance(call, Mremap)]
    if not any(call.flags & MREMAP_DONTUNMAP for call in moves):
        return ["Its fault shows with MREMAP_DONTUNMAP."]
    worked = sum(_keeps(one) for one in written)
    asks = "Is the memory locked by then, and is it a part of a VMA that moves, not all of it?"
    return [f"In {worked} of them a move with MREMAP_DONTUNMAP succeeds. {asks}"]


def _keeps(program: Scenario) -> bool:
    """Whether a move with MREMAP_DONTUNMAP succeeds in it."""
    outcomes = Model(RIGHT, trace=False).run(program).outcomes
    return any(one.ok and isinstance(one.call, Mremap) and one.call.flags & MREMAP_DONTUNMAP for one in outcomes)


# --- 9.4: a fault of a real kernel ---------------------------------------------------------------------------

OLD, NEW = "6.17", "7.3"


def start() -> Model:
    """Nothing: the program is the learner's."""
    return Model(OLD)


def check_4(answer: Any) -> Feedback:
    """A program that Linux 6.17 and 7.3 answer differently because of a rule that is a bug."""
    vm = program_in(answer, "Write a program on which a fault of Linux 6.17 shows.")
    if isinstance(vm, Feedback):
        return vm
    if any(isinstance(call, Limit) and call.resource == "map_count" for call in vm.history):
        return not_yet("Do without a limit on map_count, please: on a real machine that is everybody's limit.")
    found = causes(scenario_of(vm), profile(OLD), profile(NEW))
    old, new = (same_calls(vm, release) for release in (OLD, NEW))
    if not found:
        return not_yet(
            f"Linux {OLD} and {NEW} answer all of it alike.",
            "Section 5 has five faults. Which of them did 6.17.13 still have, and what has to be asked afterwards, so "
            "that it can be seen?",
        )
    bugs = [cause for cause in found if cause.behaviour.bug]
    if not bugs:
        return not_yet(
            f"They differ, but not by a bug: {found[0].words}.",
            "A kernel may change on purpose. Find a rule that is a bug.",
        )
    return solved(
        f"It shows {' and '.join(cause.behaviour.name for cause in bugs)}: {bugs[0].behaviour.meaning}.",
        f"The last call on Linux {OLD}: {_told(old)}. On Linux {NEW}: {_told(new)}.",
    )


def _told(outcome: Outcome) -> str:
    came = outcome.errno or "success"
    return f"{came}, with {layout(outcome.after)}"


EXERCISES = {"1": (start, check_1), "2": (start, check_2), "3": (start, check_3), "4": (start, check_4)}
