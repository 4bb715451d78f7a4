"""Calls of a program with their steps, in one replay that they leave as it was."""

from __future__ import annotations

import pytest

from tests.differences.test_why import log
from tests.machines.replay.test_replay import A, mapped
from vmalab.differences.stepped import stepped, telling
from vmalab.differences.timeline import timeline
from vmalab.differences.why import call_at, outcome_of, state_before
from vmalab.machines.replay.process import Process
from vmalab.machines.replay.program import replay
from vmalab.programs import data
from vmalab.programs.strace import StraceLog, Traced, read_log

MANY_KINDS = (
    mapped(A, 40)
    + mapped(A + 0x100000, 4, more="|MAP_POPULATE")
    + f"10 mlock({A:#x}, 8192) = 0\n"
    + "10 mlockall(MCL_CURRENT|MCL_FUTURE) = 0\n"
    + mapped(A + 0x200000, 4)
    + "10 munlockall() = 0\n"
    + f"10 mremap({A:#x}, 4096, 40960, MREMAP_MAYMOVE) = {A + 0x300000:#x}\n"
    + f"10 mremap({A + 0x300000:#x}, 40960, 4096, 0) = {A + 0x300000:#x}\n"
    + f"10 mprotect({A + 0x5000:#x}, 4096, PROT_NONE) = 0\n"
    + f"10 mprotect({A + 0x900000:#x}, 4096, PROT_NONE) = -1 ENOMEM (Cannot allocate memory)\n"
    + f"10 munmap({A + 0x3000:#x}, 4096) = 0\n"
)


def end(program: StraceLog, line: object = None) -> tuple[object, ...]:
    """What a replay leads to, with all calls stepped through on the way if a timeline is given."""
    known: list[Process] = []
    if line is None:
        replay(program, watcher=lambda event, process, _: known.append(process))
    else:
        from vmalab.differences import stepped as module

        models: dict = {}
        replay(
            program, watcher=lambda event, process, _: known.append(process),
            before=lambda event, process: module._apart(process, event, models),
        )  # fmt: skip
    mm = next(process for process in reversed(known) if process is not None).mm
    seen = [(vma.start, vma.end, vma.flags, vma.anon_vma is None, vma.pgoff) for vma in mm.vmas()]
    mm.validate()
    return seen, list(mm.pagetable), mm.total_vm, mm.data_vm, mm.locked_vm, mm.def_flags, mm.brk


@pytest.mark.parametrize("name", ["grow.strace", "moves.strace", "shrunk.strace", "many kinds"])
def test_stepping_through_every_call_changes_nothing(name: str):
    program = log(MANY_KINDS) if name == "many kinds" else read_log(data.folder("programs") / name)
    assert end(program) == end(program, timeline(program))


def test_the_steps_are_those_of_the_call_alone():
    program = read_log(data.folder("programs") / "moves.strace")
    line = timeline(program)
    found = dict(stepped(line, range(1, len(line.calls) + 1)))
    for moment in (3, 60, 150, len(line.calls)):
        event = call_at(program, line.calls[moment - 1][0])
        process, _ = state_before(program, event)
        alone = outcome_of(process, event)
        assert alone is not None
        assert [step.key for step in alone.steps] == [step.key for step in found[moment].steps]
        assert alone.near().before.maps() == found[moment].before.maps()
        assert alone.near().after.maps() == found[moment].after.maps()


def test_which_calls_tell_most():
    line = timeline(read_log(data.folder("programs") / "moves.strace"))
    count = len(line.calls)
    assert list(range(1, count + 1)) == telling(line, count)
    some = telling(line, 30)
    assert some == sorted(set(some))
    assert 30 == len(some)
    assert {"mremap", "mprotect", "mmap"} <= {line.calls[moment - 1][1].partition("(")[0] for moment in some}
    failing = timeline(
        log(mapped(A, 40) + f"10 munmap({A:#x}, 1) = 0\n" * 40 + f"10 mprotect({A:#x}, 1, 0) = -1 ENOMEM (x)\n")
    )
    assert len(failing.calls) in telling(failing, 10)
    assert [] == list(stepped(line, ()))


def test_calls_that_overtook_one_another_are_told_in_the_order_in_which_they_happened():
    """strace saw the munmap of one thread end after another thread had got the place."""
    text = mapped(A, 2)
    text += "10 clone(child_stack=0, flags=CLONE_VM|CLONE_THREAD|CLONE_SIGHAND) = 11\n"
    text += f"11 munmap({A:#x}, 8192 <unfinished ...>\n"
    text += mapped(A, 1, "PROT_READ")
    text += "11 <... munmap resumed>) = 0\n"
    text += mapped(A + 0x100000, 1)
    line = timeline(log(text))
    assert ["mmap", "munmap", "mmap", "mmap"] == [words.partition("(")[0] for _, words, _ in line.calls]
    assert [(A >> 12, (A >> 12) + 1, "r--p", "")] == [vma for vma in line.at(3) if A >> 12 == vma[0]]
    assert line.counts == [len(line.at(moment)) for moment in range(1, 5)]
    made = [event for event in line.log.calls if isinstance(event, Traced)]
    assert len(line.calls) == len([event for event in made if event.what.name in ("mmap", "munmap")])
