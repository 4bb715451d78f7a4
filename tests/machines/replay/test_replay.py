"""A log on the model: addresses of the kernel, processes, what differs, and the last layout beside the real one."""

from __future__ import annotations

import pytest

from vmalab.machines.replay.program import Replayed, replay
from vmalab.programs.procmaps import entry
from vmalab.programs.strace import parse

A = 0x7F0000000000
START = """\
10 execve("/bin/x", ["x"], 0x7ffe5b4a3210 /* 35 vars */) = 0
# maps 10 after execve
# 00400000-00401000 r-xp 00000000 fe:00 12 /bin/x
# VmFlags: rd ex mr mw me
# 7ffe00000000-7ffe00021000 rw-p 00000000 00:00 0 [stack]
# Anonymous: 8 kB
# VmFlags: rd wr mr mw me gd ac
# end
"""


def run(text: str, release: str | None = "6.18", **options) -> Replayed:
    log = parse(text.splitlines())
    assert [] == log.left_out
    return replay(log, release, **options)


def mapped(at: int, pages: int = 1, rights: str = "PROT_READ|PROT_WRITE", pid: int = 10, more: str = "") -> str:
    return f"{pid} mmap(NULL, {pages * 4096}, {rights}, MAP_PRIVATE|MAP_ANONYMOUS{more}, -1, 0) = {at:#x}\n"


def ranges(found: Replayed, pid: int = 10) -> list[tuple[int, int]]:
    return [(vma.start, vma.end) for vma in found.processes[pid].mm.vmas() if A <= vma.start < 0x7FFE00000000]


def test_the_kernels_addresses_are_taken():
    found = run(START + mapped(A + 0x100000, 2) + mapped(A, 3) + f"10 munmap({A:#x}, 4096) = 0\n")
    assert {"same": 3} == found.counts
    assert [(A + 0x1000, A + 0x3000), (A + 0x100000, A + 0x102000)] == ranges(found)


def test_a_move_goes_where_the_kernel_put_it_and_growth_in_place_stays():
    text = (
        START
        + mapped(A)
        + f"10 mremap({A:#x}, 4096, 8192, MREMAP_MAYMOVE) = {A:#x}\n"
        + mapped(A + 0x2000, 1, "PROT_READ")
    )
    text += f"10 mremap({A:#x}, 8192, 16384, MREMAP_MAYMOVE) = {A + 0x100000:#x}\n"
    found = run(text)
    assert {"same": 4} == found.counts
    assert [(A + 0x2000, A + 0x3000), (A + 0x100000, A + 0x104000)] == ranges(found)


def test_an_answer_that_the_model_would_not_give_is_told_and_followed():
    text = START + mapped(A) + f"10 mremap({A:#x}, 4096, 8192, MREMAP_MAYMOVE) = {A + 0x100000:#x}\n"
    found = run(text)
    (one,) = found.differences
    assert (A, A + 0x100000) == (one.verdict.got, one.event.answer)
    assert [(A + 0x100000, A + 0x102000)] == ranges(found)


def test_another_release_answers_otherwise_and_the_next_call_meets_the_real_state():
    two = mapped(A, 1) + mapped(A + 0x1000, 1, "PROT_READ")
    move = f"10 mremap({A:#x}, 8192, 8192, MREMAP_MAYMOVE|MREMAP_FIXED, {A + 0x100000:#x}) = {A + 0x100000:#x}\n"
    after = f"10 munmap({A + 0x100000:#x}, 4096) = 0\n"
    text = "# kernel: 6.18.44\n" + START + two + move + after
    assert [] == run(text, None).differences
    (one,) = run(text, "6.16").differences
    assert ("EFAULT", 12) == (one.verdict.errno, one.event.line)
    assert [(A + 0x101000, A + 0x102000)] == ranges(run(text, "6.16"))


def test_a_call_that_failed_for_a_reason_of_its_own_changes_nothing():
    text = START + mapped(A) + f"10 mprotect({A:#x}, 4096, PROT_READ) = -1 EACCES (Permission denied)\n"
    text += f"10 mprotect({A:#x}, 4096, PROT_READ) = -1 ENOMEM (Cannot allocate memory)\n"
    found = run(text)
    assert {"same": 1, "outside": 1, "differs": 1} == found.counts
    assert "rw-p" == found.processes[10].mm.vma_lookup(A).perms


def test_a_limit_that_the_model_has_too():
    text = START + mapped(A, 3) + f"10 mprotect({A + 4096:#x}, 4096, PROT_READ) = 0\n"
    assert {"same": 2} == run(text).counts
    assert {"same": 1, "differs": 1} == run(text, map_count=3).counts


@pytest.mark.parametrize("late", [False, True])
def test_a_child_has_a_space_of_its_own_even_if_its_lines_come_first(late: bool):
    fork = "10 clone(child_stack=NULL, flags=CLONE_CHILD_CLEARTID|SIGCHLD) = 11\n"
    child = f"11 munmap({A:#x}, 4096) = 0\n"
    if late:
        begun = "10 clone(child_stack=NULL, flags=CLONE_CHILD_CLEARTID|SIGCHLD <unfinished ...>\n"
        text = START + mapped(A) + begun + child + "10 <... clone resumed>) = 11\n"
    else:
        text = START + mapped(A) + fork + child
    found = run(text)
    assert [(A, A + 4096)] == ranges(found, 10)
    assert [] == ranges(found, 11)


def test_a_thread_shares_the_space():
    clone = "10 clone(child_stack=0x7f0000, flags=CLONE_VM|CLONE_FS|CLONE_THREAD|CLONE_SIGHAND) = 11\n"
    found = run(START + mapped(A) + clone + f"11 munmap({A:#x}, 4096) = 0\n")
    assert found.processes[10] is found.processes[11]
    assert [] == ranges(found)


def test_a_place_that_another_threads_unfinished_call_frees():
    clone = "10 clone(child_stack=0x7f0000, flags=CLONE_VM|CLONE_THREAD) = 11\n"
    text = START + mapped(A) + clone + f"11 munmap({A:#x}, 4096 <unfinished ...>\n" + mapped(A, 1, "PROT_READ")
    found = run(text + "11 <... munmap resumed>) = 0\n")
    assert {"same": 3} == found.counts
    assert "r--p" == found.processes[10].mm.vma_lookup(A).perms


def test_the_heap_grows_and_shrinks():
    asked = ("NULL", 0x55D357D85000), (hex(0x55D357DA6000), 0x55D357DA6000), (hex(0x55D357D90000), 0x55D357D90000)
    text = START + "".join(f"10 brk({argument}) = {answer:#x}\n" for argument, answer in asked)
    found = run(text)
    assert {"aside": 1, "same": 2} == found.counts
    assert 0x55D357D90000 == found.processes[10].mm.vma_lookup(0x55D357D85000).end


def test_without_maps_what_was_there_before_is_named_as_unknown():
    found = run(f"mprotect({A:#x}, 4096, PROT_READ) = 0\n")
    assert {"unknown": 1} == found.counts


def test_without_maps_a_gap_that_the_log_made_is_known_and_no_other_is():
    gap, move = (
        f"munmap({A + 4096:#x}, 4096) = 0\n",
        f"mremap({A:#x}, 12288, 12288, MREMAP_MAYMOVE|MREMAP_FIXED, {A + 0x100000:#x}) = {A + 0x100000:#x}\n",
    )
    text = mapped(A, 3) + f"10 {gap}10 {move}"
    assert {"same": 3} == run(text, "6.18").counts
    assert {"same": 2, "differs": 1} == run(text, "6.16").counts
    assert {"same": 2, "unknown": 1} == run(mapped(A) + mapped(A + 8192) + f"10 {move}", "6.16").counts
    # a child knows what its parent knew
    child = run(mapped(A, 3) + f"10 {gap}10 fork() = 11\n11 {move}", "6.16").counts
    assert 1 == child["differs"] and "unknown" not in child


def end(*lines: str) -> str:
    return "".join(f"# {line}\n" for line in ("maps 10 at the end", *lines, "end"))


BIN = "00400000-00401000 r-xp 00000000 fe:00 12 /bin/x"
STACK = "7ffe00000000-7ffe00021000 rw-p 00000000 00:00 0 [stack]"


def test_the_last_layout_beside_the_real_one():
    found = run(START + mapped(A, 2) + end(BIN, f"{A:x}-{A + 0x2000:x} rw-p 00000000 00:00 0", STACK))
    (one,) = [one for one in found.ends if one.layout]
    assert (3, 3, 3) == (one.layout.real, one.layout.exact, one.layout.from_calls)


@pytest.mark.parametrize(
    ("real", "reasons"),
    [
        ((f"{A:x}-{A + 0x1000:x} rw-p 00000000 00:00 0", f"{A + 0x1000:x}-{A + 0x2000:x} rw-p 00000000 00:00 0"),
         ["split_unseen", "split_unseen"]),
        ((f"{A:x}-{A + 0x2000:x} r--p 00000000 00:00 0",), ["perms"]),
        ((f"{A:x}-{A + 0x2000:x} rw-p 00000000 fe:00 3 /x",), ["file"]),
        ((), ["only_model"]),
        ((f"{A:x}-{A + 0x2000:x} rw-p 00000000 00:00 0", f"{A + 0x9000:x}-{A + 0xa000:x} r--p 00000000 00:00 0"),
         ["only_real"]),
        ((f"{A:x}-{A + 0x1000:x} rw-p 00000000 00:00 0",), ["smaller"]),
        ((f"{A:x}-{A + 0x3000:x} rw-p 00000000 00:00 0",), ["larger"]),
    ],
)  # fmt: skip
def test_what_differs_has_a_reason(real: tuple[str, ...], reasons: list[str]):
    found = run(START + mapped(A, 2) + end(BIN, *real, STACK))
    (one,) = [one for one in found.ends if one.layout]
    assert reasons == [pair.reason for pair in one.layout.pairs if not pair.same]


def test_the_stack_may_grow_by_accesses():
    found = run(START + end(BIN, "7ffdffff0000-7ffe00021000 rw-p 00000000 00:00 0 [stack]"))
    (one,) = [one for one in found.ends if one.layout]
    assert (2, 2, 1) == (one.layout.real, one.layout.exact, one.layout.from_calls)


def test_the_rule_for_free_space_is_asked_too():
    loader = "# 7f0000a00000-7f0000a01000 r-xp 00000000 00:00 0 [vdso]\n# VmFlags: rd\n"
    top = START.replace("# 7ffe0000", f"{loader}# 7ffe0000")
    text = top + mapped(0x7F00009FF000) + mapped(0x7F0000900000)
    found = run(text, predict=True)
    assert (2, 1) == (found.placed, found.predicted)
    assert [0x7F00009FE000] == [one.verdict.chosen for one in found.elsewhere]


def test_maps_may_be_given_as_a_place_to_begin():
    log = parse([f"mprotect({A:#x}, 4096, PROT_READ) = 0"])
    first, last = f"{A:x}-{A + 0x1000:x}", f"{A + 0x1000:x}-{A + 0x2000:x}"
    begun = [entry(f"{A:x}-{A + 0x2000:x} rw-p 00000000 00:00 0")]
    ended = [entry(f"{first} r--p 00000000 00:00 0"), entry(f"{last} rw-p 00000000 00:00 0")]
    found = replay(log, "6.18", start=begun, end=ended)
    assert {"same": 1} == found.counts
    assert 2 == found.ends[0].layout.exact
