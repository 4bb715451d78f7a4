"""The exercises of lesson 08: what a remark changes, two programs that tell version 3 from Linux 6.17, a selftest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from attrs import evolve, frozen

from vmalab.differences.answers import layout
from vmalab.differences.compare import compare
from vmalab.linux.call import Call, Mremap
from vmalab.linux.profile import KernelProfile, profile
from vmalab.machines.model import Model
from vmalab.machines.outcome import Outcome
from vmalab.machines.program import scenario_of
from vmalab.programs.calltext import call_text
from vmalab.teach.answers import same_calls
from vmalab.teach.exercises.checking import Feedback, Watched, asked, no_answer, not_yet, solved
from vmalab.teach.exercises.submission import letters_in, program_in
from vmalab.words.explain import clause

V3, MERGED = "v3", "6.17"


# --- 8.1: which remarks can a program notice? ----------------------------------------------------------------


@frozen
class Remark:
    """A remark of the review: whether a program could notice that it was followed, and why."""

    about: str
    noticed: bool
    why: str


REMARKS_1 = {
    "a": Remark("seen_vma in the struct", False, "where a flag is kept is between the functions of mremap.c"),
    "b": Remark("the blank line", False, "no compiler sees it"),
    "c": Remark("files of ext4, xfs and btrfs", True, "such a file in the range: refused before, moved after"),
    "d": Remark("an ineligible first VMA", True, "moved by version 3, left alone by Linux 6.17"),
    "e": Remark("a comment on the condition", False, "it is for those who read the code"),
    "f": Remark("the moved gap", False, "the question was answered in words; the kernel did it already"),
    "g": Remark("a warning that looks at a freed VMA", False, "the calls are answered alike; what it saved the kernel "
                "from is a look at memory that is no longer its own"),
}  # fmt: skip


def check_1(answer: Any) -> Feedback:
    """The letters of the remarks that a program can notice, in any form: `"cd"`, `["c", "d"]`."""
    given = letters_in(answer, REMARKS_1)
    if isinstance(given, Feedback):
        return given
    wanted = {letter for letter, remark in REMARKS_1.items() if remark.noticed}
    if given == wanted:
        return solved(
            "Two of the seven change what a call answers. The others make the code easier to trust, which is what "
            "most of a review is about."
        )
    said = [f"Right: {' and '.join(sorted(given & wanted))}."] if given & wanted else []
    said += [f"{letter}, {REMARKS_1[letter].about}: {REMARKS_1[letter].why}." for letter in sorted(given - wanted)]
    if wanted - given:
        said.append(
            f"{len(wanted - given)} more can be noticed: for which can you write a program that fails on one version "
            "and works on the other, or leaves something else behind?"
        )
    return not_yet(*said)


# --- 8.2 and 8.3: programs that tell the versions apart ------------------------------------------------------


def start_2() -> Model:
    """Nothing: the program is the learner's."""
    return Model(MERGED)


def _last_on_both(answer: Any) -> tuple[Outcome, Outcome] | Feedback:
    """What the last call does on version 3 and on 6.17, where all calls before it are answered alike."""
    vm = program_in(answer, "Map something, and then make the call that the two versions answer differently.")
    if isinstance(vm, Feedback):
        return vm
    if not isinstance(vm.history[-1], Mremap):
        return not_yet(f"The last call is {vm.history[-1].name}; it has to be an mremap.")
    before: Sequence[Call] = vm.history[:-1]
    if before and not compare(*(Model(one).run(scenario_of(before)) for one in (V3, MERGED))).agrees:
        return not_yet("A call before the last one is answered differently already. End the program there.")
    old, new = (same_calls(vm, release) for release in (V3, MERGED))
    return old, new


def _told(outcome: Outcome) -> str:
    if outcome.errno is None:
        return "it succeeds"
    return f"it fails with {outcome.errno} ({clause(outcome.rule)})" if outcome.rule else f"it fails: {outcome.errno}"


def check_2(answer: Any) -> Feedback:
    """The last call fails with one errno on both versions, and leaves different address spaces behind."""
    both = _last_on_both(answer)
    if isinstance(both, Feedback):
        return both
    old, new = both
    if old.errno is None or new.errno is None or old.errno != new.errno:
        return not_yet(f"On version 3 {_told(old)}, on Linux 6.17 {_told(new)}.", "It has to fail alike on both.")
    if layout(old.after) == layout(new.after):
        return not_yet(
            f"It fails with {new.errno} on both, good; and both leave {layout(new.after)} behind.",
            "Version 3 has to have moved something by then. Which VMA does it move although it may not take part?",
        )
    return solved(
        f"{call_text(new.call)} fails with {new.errno} on both. Version 3 leaves {layout(old.after)}, "
        f"Linux 6.17 {layout(new.after)}. A test that looks at the errno alone passes on both."
    )


def check_3(answer: Any) -> Feedback:
    """The last call succeeds on version 3 and fails on 6.17."""
    both = _last_on_both(answer)
    if isinstance(both, Feedback):
        return both
    old, new = both
    if old.errno is not None:
        more = " Is there a second VMA in the range? Version 3 fails when it comes to that." if new.errno else ""
        return not_yet(f"On version 3 {_told(old)}.{more}")
    if new.errno is None:
        return not_yet(
            "It succeeds on both. On Linux 6.17 it has to fail: which mapping may not move with others, and what "
            "makes the move one of many even though nothing else is mapped there?"
        )
    return solved(f"On version 3 {_told(old)}, on Linux 6.17 {_told(new)}, as it did on every kernel before.")


# --- 8.4: a selftest -----------------------------------------------------------------------------------------


def _kernels() -> tuple[tuple[KernelProfile, bool, str], ...]:
    """The kernels that a learner's test is tried on: their profile under one name, whether it has to pass, and why."""
    followed = profile("6.17")
    late = evolve(followed, eligibility_checked_late=True)  # and nothing else, so that no other difference helps
    return (
        (followed, True, "Linux 6.17, which refuses before anything moves"),
        (late, False, "Linux 6.17 without the mend, which moves the first VMA all the same"),
        (profile("7.3"), True, "Linux 7.3, which refuses before anything moves"),
    )


def check_4(answer: Any) -> Feedback:
    """`selftest(vm)`: True on kernels that refuse an ineligible first VMA before anything moves, False on version 3."""
    if not callable(answer):
        return no_answer("Give check the function itself: check(…, selftest).")
    for followed, passes, name in _kernels():
        vm = Watched(evolve(followed, release="under test"))  # one name for all, so that a test can't go by it
        told, wrong = asked(answer, vm)
        if not vm.history and not wrong:
            return no_answer("selftest has made no call on vm yet.")
        if wrong:
            return not_yet(f"On {name}: {wrong}.")
        if not isinstance(told, bool):
            return not_yet(f"selftest has to return True or False, and returned {told!r}.")
        if told != passes:
            return _wrong_verdict(vm, passes, name)
    return solved(
        "It passes on Linux 6.17 and 7.3 and fails where the mend is taken out.",
        "A test is worth something when you have seen it fail: that is why you run it on the kernel without the fix.",
    )


def _wrong_verdict(vm: Watched, passes: bool, name: str) -> Feedback:
    last = next((one for one in reversed(vm.outcomes) if isinstance(one.call, Mremap)), None)
    if last is None:
        return not_yet("The test makes no mremap call, so it can't tell the kernels apart.")
    seen = f"There {call_text(last.call)} ended so: {_told(last)}, and these VMAs were left: {layout(last.after)}."
    if passes:
        return not_yet(f"Your test fails on {name}.", seen)
    return not_yet(f"Your test passes on {name}.", seen, "What should it have looked at?")


EXERCISES = {
    "1": (start_2, check_1),
    "2": (start_2, check_2),
    "3": (start_2, check_3),
    "4": (start_2, check_4),
}
