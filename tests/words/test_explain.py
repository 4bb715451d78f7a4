"""The words for steps and calls: what a learner reads, spelled out for the cases that the lessons turn on."""

from __future__ import annotations

import re
import time
from functools import cache

import pytest

from tests.tiny_language import Little
from vmalab.linux.addr import PAGE, page
from vmalab.linux.call import Call
from vmalab.linux.mm.trace import Step
from vmalab.machines.model import Model
from vmalab.machines.outcome import Outcome
from vmalab.machines.recorded import Recorded
from vmalab.programs import data
from vmalab.programs.scenario import load_scenarios
from vmalab.words.explain import (
    apart,
    detail,
    errno_meaning,
    merge_reason,
    narrate,
    one_line,
    reason,
    story,
)

GAP = "map 0-2; map 3-5 r; touch 0-2; map 66 r"


def after(program: str, release: str = "6.18", **options: bool) -> Outcome:
    """The outcome of the last call of `program`."""
    outcome = Little(release, **options)(program)
    assert outcome is not None
    return outcome


def told(outcome: Outcome, key: str) -> list[str]:
    """The sentences of the steps `key`."""
    return [narrate(step) for step in outcome.steps if step.key == key]


# --- one line ---


@pytest.mark.parametrize(
    ("program", "said"),
    [
        ("map 0-2", "mmap mapped 2 pages at page 0"),
        ("map 0-2; map 2-4", "mmap mapped 2 pages at page 2; it merged into VMA [0 to 3 rw-p]"),
        ("map 0-2; map 1-4 r", "mmap mapped 3 pages at page 1; it replaced what was mapped there (1 page)"),
        ("map 0-4; unmap 1-2", "munmap removed 1 page at page 1; the number of VMAs went from 1 to 2"),
        ("map 0-4; unmap 6-9", "munmap found nothing mapped at pages 6 to 8, which is no error"),
        ("map 0-4; protect 1-2 r", "mprotect set the access of page 1 to r--; the number of VMAs went from 1 to 3"),
        ("map 0-4; touch 1-3", "touch wrote to 2 pages at page 1; this first write gave 1 VMA an anon_vma"),
        ("map 0-4; touch 1-3; touch 1-3", "touch wrote to 2 pages at page 1"),
        (
            "map 0-4; touch 1-3 7; read 0-3",
            "read saw 3 pages at page 0; their first words are 0, 7000 and 7001",
        ),
        ("map 0; touch 0 7; read 0", "read saw 1 page at page 0; its first word is 7000"),
        ("map 0-9; read 0-9", "read saw 9 pages at page 0"),
        ("map 0-2; lock 0-2", "mlock locked pages 0 to 1 in memory"),
        ("map 0-2; lock 0-2; unlock 0-2", "munlock unlocked pages 0 to 1"),
        ("map 0-2; seal 0-2", "mseal sealed pages 0 to 1 for good"),
        ("map 0-2; uffd 0-2", "userfaultfd is now asked about missing pages at pages 0 to 1"),
        ("map 0-2; advise 0-2 dontfork", "madvise applied dontfork to pages 0 to 1"),
        ("map 0-2; fork", "A child with 1 VMA is made and stays asleep; no VMA of the parent changes"),
        ("map 0-2; limit as 3", "RLIMIT_AS is set to what is mapped now and 3 pages more"),
        ("map 0-4; move 0-4 to 64", "mremap moved 1 VMA (4 pages) from page 0 to page 64"),
        ("map 0-4; move 1-2 to 64", "mremap moved part of a VMA (1 page) from page 1 to page 64"),
        ("map 0-2; map 2-4 r; move 0-4 to 64", "mremap moved 2 VMAs (4 pages) from page 0 to page 64"),
        (
            "map 0-2; map 3-5 r; move 0-5 to 64",
            "mremap moved 2 VMAs (4 pages) from page 0 to page 64; the gap of 1 page moved along",
        ),
        (
            "map 0; map 2; map 4; move 0-6 to 64",
            "mremap moved 3 VMAs (3 pages) from page 0 to page 64; 3 gaps (3 pages) moved along",
        ),
        (
            f"{GAP}; move 0-5 to 64",
            (
                "mremap moved 2 VMAs (4 pages) from page 0 to page 64; the gap of 1 page moved along; what lies under "
                "the moved gap at the destination stays (1 page); it merged into VMA [66 to 68 r--p]"
            ),
        ),
        (
            "map 0-4; keep 0-4 to 64",
            "mremap moved 1 VMA (4 pages) from page 0 to page 64; the old place stays mapped, without its pages",
        ),
        (
            "map 0-4; map 64-66 r; move 0-4 to 64-70",
            (
                "mremap moved 1 VMA (4 pages) from page 0 to page 64; its length is now 6 pages; it replaced what was "
                "mapped there (2 pages)"
            ),
        ),
        (
            "map 0-4; move 0-4 to 64-66",
            (
                "mremap moved part of a VMA (2 pages) from page 0 to page 64; the tail of the old range was unmapped "
                "(2 pages)"
            ),
        ),
        ("map 0-4; resize 0-4 to 6", "mremap let the mapping at page 0 grow in place from 4 pages to 6 pages"),
        (
            "map 0-4; map 6-8; resize 0-4 to 6",
            (
                "mremap let the mapping at page 0 grow in place from 4 pages to 6 pages; it merged with the VMA behind "
                "it into [0 to 7 rw-p]"
            ),
        ),
        ("map 0-4; resize 0-4 to 3", "mremap shrank the range at page 0 from 4 pages to 3 pages"),
        (
            "map 0-4; resize 0-8 to 6",
            (
                "mremap shrank the range at page 0 from 8 pages to 6 pages; nothing was mapped in the tail, so nothing "
                "changed"
            ),
        ),
        ("map 0-4; resize 0-4 to 4", "mremap had nothing to do, and everything stays where it is"),
        (
            "map 0-4 shared; copy 0 to 64-66",
            "mremap mapped the shared memory at page 0 a second time, 2 pages at page 64",
        ),
    ],
)
def test_one_line_of_what_succeeds(program: str, said: str) -> None:
    outcome = after(program)
    assert said == one_line(outcome)
    assert "" == reason(outcome)


def test_pieces_that_become_one() -> None:
    """`[0 to 2][3 to 5][6 to 8]` that were one before the middle was written elsewhere, moved to its natural place."""
    outcome = after("map 0-9; move 3-6 to 100; touch 100-103; move 100-103 to 3; move 0-9 to 97")
    assert "mremap moved 3 VMAs (9 pages) from page 0 to page 97; the pieces became 1 VMA there" == one_line(outcome)


CROSSING = "the range runs 3 pages past the end of VMA [0 to 1 rw-p]; until Linux 6.16 one call moves one VMA"


@pytest.mark.parametrize(
    ("release", "program", "said"),
    [
        ("6.16", "map 0-2; map 2-5 r; move 0-5 to 64 !EFAULT", f"mremap failed with EFAULT: {CROSSING}"),
        (
            "6.16",
            f"{GAP}; move 0-5 to 64 !EFAULT",
            f"mremap failed with EFAULT: {CROSSING}; by then it had unmapped what lay at the destination, [66 r--p]",
        ),
        (
            "6.18",
            "map 0-2; map 2-4 zero; map 4-6; move 0-6 to 64 !EFAULT",
            (
                "mremap failed with EFAULT: VMA [2 to 3 rw-p /dev/zero] belongs to a driver with a get_unmapped_area "
                "of its own (as /dev/zero has), so it may only move alone, not together with those before it; by then "
                "it had moved 1 VMA (2 pages) to page 64"
            ),
        ),
        (
            "6.18",
            "map 0-4; seal 3; map 10-13 r; move 10-13 to 1 !EPERM",
            (
                "mremap failed with EPERM: VMA [3 rw-p] is sealed, so nothing may unmap it; by then it had split VMA "
                "[0 to 2 rw-p] at page 1"
            ),
        ),
        (
            "6.18",
            "map 0-2; map 3-5; protect 0-5 r !ENOMEM",
            (
                "mprotect failed with ENOMEM: nothing is mapped at page 2; mprotect works from VMA to VMA and stops at "
                "a gap; by then it had changed the flags of [0 to 1 rw-p]"
            ),
        ),
        (
            "6.18",
            "map 0-2; uffd 1; touch 0-2 !UFFD",
            (
                "touch ended with a wait for userfaultfd: page 1 is missing, and its userfaultfd would have to fill "
                "it; by then it had changed the pages of [0 rw-p] and given an anon_vma to [1 rw-p]"
            ),
        ),
        ("6.18", "map 0-2 r; touch 0 !SEGV", "touch ended with SIGSEGV: VMA [0 to 1 r--p] may not be written"),
        ("6.18", "map 0-2; read 1-4 !SEGV", "read ended with SIGSEGV: nothing is mapped at page 2"),
        ("6.18", "map 0-2 none; read 1 !SEGV", "read ended with SIGSEGV: VMA [0 to 1 ---p] may not be read"),
        (
            "6.18",
            "map 0-2; advise 1 guard_install; read 0-2 !SEGV",
            "read ended with SIGSEGV: page 1 has a guard marker",
        ),
        (
            "6.18",
            "map 0-4 sharedfile f0 @4094; read 0-4 !BUS",
            "read ended with SIGBUS: page 2 lies behind the end of the file that VMA [0 to 3 rw-s f0] maps",
        ),
        (
            "6.18",
            "map 0-2 shared; resize 0-2 to 4; touch 2 !BUS",
            (
                "touch ended with SIGBUS: page 2 lies behind the end of the shared memory that VMA [0 to 3 rw-s shmem] "
                "maps: mremap lets a mapping grow, and not the memory object behind it"
            ),
        ),
    ],
)
def test_one_line_of_what_fails(release: str, program: str, said: str) -> None:
    assert said == one_line(after(program, release))


def test_reason_says_errno_rule_and_damage() -> None:
    outcome = after(f"{GAP}; move 0-5 to 64 !EFAULT", "6.16")
    assert (
        "EFAULT means a bad address: memory is not mapped the way the call needs it. "
        f"The rule that refused the call: {CROSSING}. "
        "Before it was refused, the call had unmapped what lay at the destination, [66 r--p]; nothing of that is "
        "undone." == reason(outcome)
    )


def test_reason_says_that_nothing_was_changed() -> None:
    outcome = after("map 0-2; map 2-5 r; move 0-5 to 4 !EINVAL")
    assert reason(outcome).endswith("overlap. Nothing had been changed by then.")


def test_the_rule_of_a_crossing_fits_the_call() -> None:
    """The same key on a kernel that moves several VMAs: there other rules keep a call to one."""
    program = "map 0-2; map 2-5 r; "
    said = {
        "move 0-5 to 64-70": "a call that grows a mapping works on one VMA",
        "move 0-5 to 64-67": "a call that shrinks and moves works on one VMA",
        "hint 0-5": "only with MREMAP_FIXED may one call move several VMAs",
    }
    for step, rule in said.items():
        assert rule in one_line(after(f"{program}{step} !EFAULT", "6.18"))
    assert "until Linux 6.16 one call moves one VMA" in one_line(after(f"{program}hint 0-5 !EFAULT", "6.12"))


# --- step by step ---


def test_the_steps_say_why_it_matters() -> None:
    """Example 4 of the patch's motive: written while away, it does not merge when it comes back."""
    outcome = after("map 0-9; move 3-6 to 100; touch 100-103; move 100-103 to 3")
    assert [
        (
            "VMA [100 to 102 rw-p] was written (it has an anon_vma), so the copy keeps vm_pgoff, that of page 100, "
            "although it goes to page 3: there it can merge only with a neighbour whose vm_pgoff continues its own."
        )
    ] == told(outcome, "pgoff_kept")
    assert [
        (
            "No merge with [0 to 2 rw-p] on the left: to continue it, vm_pgoff would have to be that of page 3, and it "
            "is that of page 100."
        ),
        (
            "No merge with [6 to 8 rw-p] on the right: to continue the range at pages 3 to 5, its vm_pgoff would have "
            "to be that of page 103, and it is that of page 6."
        ),
    ] == told(outcome, "no_merge")


@pytest.mark.parametrize(
    ("release", "program", "key", "said"),
    [
        ("6.18", "map 0-2; map 2-4 r", "no_merge", "their flags differ (VM_WRITE and VM_ACCOUNT)."),
        ("6.18", "map 0-2; map 2-4 rw file", "no_merge", "they do not map the same file."),
        (
            "6.18",
            "map 0-2; map 3-5; touch 0; touch 3; map 2",
            "no_merge",
            (
                "the VMAs on both sides were each written on their own, so their anon_vmas differ and only one of them "
                "can be joined."
            ),
        ),
        (
            "6.12",
            "map 0-4; lock 1-2; unlock 1-2",
            "no_merge",
            "it was never written and the range was; this kernel does not merge the two here.",
        ),
        (
            "6.18",
            "map 0-2; touch 0; child; map 2-4",
            "no_merge",
            (
                "one of the two was inherited over fork (its anon_vma chain has more than one link), and the other was "
                "never written."
            ),
        ),
    ],
)
def test_every_reason_not_to_merge(release: str, program: str, key: str, said: str) -> None:
    outcomes = Little(release)
    found = []
    for step in program.split(";"):
        outcome = outcomes(step)
        assert outcome is not None
        found += told(outcome, key)
    assert any(sentence.endswith(said) for sentence in found)


def test_every_reason_not_to_merge_is_explained() -> None:
    words = "flags file pgoff anon_vma faulted inherited apart special".split()
    assert len({merge_reason(why) for why in words}) == len(words)
    assert "vm_flags" in merge_reason("flags")


def test_story_has_three_depths() -> None:
    outcome = after(f"{GAP}; move 0-5 to 64")
    assert [f"{one_line(outcome)}."] == story(outcome, 1)
    assert [*map(narrate, outcome.steps), "mremap returns page 64."] == story(outcome, 2)
    assert [*map(detail, outcome.steps), "mremap returns page 64."] == story(outcome, 3)
    assert story(outcome) == story(outcome, 2)
    with pytest.raises(ValueError, match="depth is 1, 2 or 3, not 4"):
        story(outcome, 4)


def test_a_read_that_fails_tells_the_reason_where_it_met_it() -> None:
    outcome = after("map 0-2; map 3-4; read 1-4 !SEGV")
    assert "SIGSEGV: nothing is mapped at page 2." == story(outcome, 2)[1]
    assert len(outcome.steps) == len(story(outcome, 2)) == 3
    assert "read ended with SIGSEGV: nothing is mapped at page 2" == one_line(outcome)


def test_a_stack_that_grows_is_told() -> None:
    outcome = after("map 600-602 growsdown; touch 598")
    assert (
        "touch wrote to 1 page at page 598; the stack above grew down by 2 pages to [598 to 601 rw-p]; this first "
        "write gave 1 VMA an anon_vma"
    ) == one_line(outcome)
    outcome = after("map 600-602 growsdown; touch 598-603 !SEGV")
    assert (
        "touch ended with SIGSEGV: nothing is mapped at page 602; by then it had let the stack above grow down by 2 "
        "pages to [598 to 601 rw-p] and changed the pages of [600 to 601 rw-p]"
    ) == one_line(outcome)
    outcome = after("map 600-602 growsdown; protect 600-602 rx; read 598; touch 597 !SEGV")
    assert (
        "touch ended with SIGSEGV: VMA [597 to 601 r-xp] may not be written; by then it had let the stack above grow "
        "down by 1 page to [597 to 601 r-xp]"
    ) == one_line(outcome)
    outcome = after("map 300-302; map 600-602 growsdown; touch 557 !SEGV")
    assert (
        "touch ended with SIGSEGV: nothing is mapped at page 557, and the stack above, [600 to 601 rw-p], may not grow "
        "down to there: between a stack and VMA [300 to 301 rw-p] below it 256 pages must stay free (the stack guard "
        "gap)"
    ) == one_line(outcome)


def test_detail_has_function_file_hex_and_source() -> None:
    outcome = after("map 0-2; map 2-5 r; move 0-5 to 64 !EFAULT", "6.16")
    assert outcome.rule is not None
    assert (
        "check_prep_vma() [mm/mremap.c; before 6.17 resize_is_valid(), before 6.15 vma_to_resize()]: EFAULT: the range "
        "runs 0x3000 bytes past the end of VMA [1000000000-1000002000 rw-p]; until Linux 6.16 one call moves one VMA. "
        "mremap(2), EFAULT; the move of several VMAs is commit d23cb648e365." == detail(outcome.rule)
    )


def test_addresses_outside_the_arena_are_in_hex() -> None:
    outcome = after("map 0-2; map 2-3 r; resize 0-2 to 4 maymove")
    assert ["The kernel chooses 0x7ffff7ffb000: the highest hole with room for 4 pages."] == told(outcome, "placed")
    assert "[0x7ffff7ffb000-0x7ffff7fff000 rw-p]" in told(outcome, "copied")[0]


def test_errnos_have_meanings() -> None:
    for errno in "EACCES EAGAIN EEXIST EFAULT EINVAL ENOMEM ENOSYS EPERM SEGV BUS UFFD KILLED".split():
        assert errno_meaning(errno) != errno_meaning("EWHAT")
    assert "an error that has no explanation here" == errno_meaning("EWHAT")


def test_a_call_that_kills_has_lost_everything_and_lists_nothing() -> None:
    before = Little("6.18")("map 0-4")
    assert before is not None
    killed = Outcome(before.call, None, "KILLED", machine="live", before=lambda: before.after)
    assert one_line(killed).startswith("mmap ended with the death of the process, which means that the process")
    assert "by then" not in one_line(killed)
    assert "Nothing had been changed" not in reason(killed)


def test_a_failure_that_was_injected_keeps_the_earlier_move() -> None:
    vm = Little("6.18")
    vm("map 0-2; map 3-5 r; touch 0-2; touch 0-2")
    vm.mm.faults_to_inject = {"move_page_tables": 2}
    outcome = vm("move 0-5 to 64 !ENOMEM")
    assert outcome is not None
    assert one_line(outcome).endswith("by then it had moved 1 VMA (2 pages) to page 64")


# --- everything that was recorded ---


@cache
def programs() -> list[tuple[str, bool, tuple[Call, ...]]]:
    found = load_scenarios(data.folder("recordings") / "scenarios.json.xz")
    return [(scenario.name, not scenario.unprivileged, scenario.steps) for scenario in found]


def outcomes_on(release: str, every: int) -> list[Outcome]:
    found = []
    for _, privileged, calls in programs()[::every]:
        model = Model(release, privileged=privileged)
        found += [model.do(call) for call in calls]
    return found


def fit_to_read(text: str) -> bool:
    return bool(text) and not re.search(r"[{}!]|None|  |\.\.|;;|; ;|\( ", text)


RELEASES = ["6.1", "6.12", "6.16", "6.17", "6.18", "7.1", "7.3", "v3"]


@pytest.mark.parametrize("release", RELEASES)
def test_every_outcome_has_its_story(release: str) -> None:
    check_all(outcomes_on(release, 20))


@pytest.mark.slow
@pytest.mark.parametrize("release", RELEASES)
def test_every_outcome_of_every_scenario_has_its_story(release: str) -> None:
    check_all(outcomes_on(release, 1))


def check_all(outcomes: list[Outcome]) -> None:
    assert len(outcomes) > 100
    for outcome in outcomes:
        lines = [one_line(outcome), *story(outcome, 1), *story(outcome, 2), *story(outcome, 3)]
        if outcome.errno:
            lines.append(reason(outcome))
        assert [] == [line for line in lines if not fit_to_read(line)]
        assert [] == [line for line in lines[1:] if not line.endswith(".")]
        assert not one_line(outcome).endswith(".")


def test_a_recording_tells_its_story_without_steps() -> None:
    """The same one line as the model's wherever both say why, and a reason that says that nobody knows the rule."""
    compared = 0
    recorded = Recorded("6.18.44")
    for played in map(recorded.run, recorded.scenarios[:60]):
        model = Model("6.18.44", privileged=not played.scenario.unprivileged)
        for outcome in played.outcomes:
            own = model.do(outcome.call)
            if outcome.ok and outcome.elsewhere is None and outcome.call.name in ("mremap", "munmap", "mprotect"):
                compared += 1
                assert one_line(own) == one_line(outcome)
            elif outcome.errno:
                assert outcome.errno.lower() in reason(outcome).lower()
                assert fit_to_read(reason(outcome))
    assert compared > 100


def test_the_damage_of_a_recorded_failure_is_that_of_the_model() -> None:
    """Rows tell what a failed call had moved, also where no steps do."""
    compared = 0
    recorded = Recorded("6.18.44")
    for played in map(recorded.run, recorded.scenarios):
        model = Model("6.18.44", privileged=not played.scenario.unprivileged)
        for outcome in played.outcomes:
            own = model.do(outcome.call)
            if outcome.errno and outcome.call.name == "mremap" and "by then it had moved" in one_line(own):
                compared += 1
                assert one_line(own).partition("by then")[2] == one_line(outcome).partition("by then")[2]
    assert compared > 10


def test_a_step_is_told_in_20_microseconds() -> None:
    """Time of the processor, the best of several rounds: the machine may be busy."""
    steps: list[Step] = [step for outcome in outcomes_on("6.18", 20) for step in outcome.steps]
    best = float("inf")
    for _ in range(5):
        start = time.process_time()
        for step in steps:
            narrate(step)
        best = min(best, (time.process_time() - start) / len(steps))
    assert best < 20e-6


def test_who_did_not_merge_is_told_where_people_look_first() -> None:
    vm = Model("6.18")
    vm.mmap(page(0), 4 * PAGE)
    vm.touch(page(0), PAGE)
    moved = vm.mremap(page(0), 2 * PAGE, 2 * PAGE, 3, page(10))
    assert apart(moved) == []
    beside = vm.mmap(page(12), PAGE)
    (said,) = apart(beside)
    assert said.startswith("No merge with [10 to 11 rw-p] on the left") and "vm_pgoff" in said
    html = beside._repr_html_()
    assert '<p class="vml-hint">No merge with ' in html and "vm_pgoff would have to be that of page 2" in html
    assert repr(beside.steps[0]) == f"<vma_merge_new_range: {said}>"
    assert repr(Step("somewhere", "not in the catalogue")) == "<somewhere: not in the catalogue>"
    assert apart(vm.mmap(page(12), 0)) == []
