"""strace's text as events: every common option, broken lines, and that each line is accounted for."""

from __future__ import annotations

import lzma
import random
from pathlib import Path

import pytest

from vmalab.errors import ScenarioError
from vmalab.linux.call import Mmap, Mprotect, Mremap, Munmap
from vmalab.programs.strace import Ended, MapsSeen, Signalled, StraceLog, Traced, parse, read_log

MAP = "mmap(NULL, 8192, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) = 0x7f98b64f4000"


def log(*lines: str) -> StraceLog:
    found = parse(line + "\n" for line in lines)
    assert found.lines == sum(found.counts.values())
    return found


def only(*lines: str) -> Traced:
    found = log(*lines)
    assert [] == found.left_out
    (call,) = found.calls
    return call


@pytest.mark.parametrize(
    ("prefix", "pid", "time"),
    [
        ("", 0, None),
        ("13303 ", 13303, None),
        ("[pid 13303] ", 13303, None),
        ("795  ", 795, None),
        ("13303 1795833862.204697 ", 13303, 1795833862.204697),
        ("13303      0.000123 ", 13303, 0.000123),
        ("     0.000207 ", 0, 0.000207),
        ("12:34:56 ", 0, 45296.0),
        ("13303 12:34:56.5 ", 13303, 45296.5),
        ("[   9] [00007f9794e92ca3] ", 0, None),
    ],
)
def test_what_stands_before_a_call(prefix: str, pid: int, time: float | None):
    call = only(prefix + MAP)
    assert (pid, time) == (call.pid, call.time)
    assert Mmap(None, 8192, 3, "anon", "", fixed=False) == call.what.call
    assert 0x7F98B64F4000 == call.answer


@pytest.mark.parametrize(
    "arguments",
    [
        "NULL, 8192, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0",
        "NULL, 8192, 0x3, 0x22, -1, 0",
        "NULL, 0x2000, 0x3, 0x22, 0xffffffff, 0",
        "NULL, 8192, 0x3 /* PROT_READ|PROT_WRITE */, 0x22 /* MAP_PRIVATE|MAP_ANONYMOUS */, -1, 0",
    ],
)
def test_flags_as_words_as_numbers_and_as_both(arguments: str):
    assert Mmap(None, 8192, 3, "anon", "", fixed=False) == only(f"mmap({arguments}) = 0x7f98b64f4000").what.call


def test_a_file_with_its_path_and_page():
    call = only("mmap(0x7f98b632e000, 4096, PROT_READ, MAP_PRIVATE|MAP_FIXED|MAP_DENYWRITE, 3</a, b>c/lib.so>, 0x26000)"
                " = 0x7f98b632e000")  # fmt: skip
    assert Mmap(0x7F98B632E000, 4096, 1, "file", "/a, b>c/lib.so", 0x26) == call.what.call
    assert (3, "/a, b>c/lib.so") == (call.what.fd, call.what.path)


def test_other_calls_of_memory():
    calls = log(
        "munmap(0x7f0000000000, 4096) = 0",
        "mremap(0x7f0000000000, 4096, 8192, MREMAP_MAYMOVE) = 0x7f0000100000 <0.000012>",
        "mremap(0x7f0000000000, 4096, 8192, MREMAP_MAYMOVE|MREMAP_FIXED, 0x7f0000200000) = -1 EFAULT (Bad address)",
        "mprotect(0x7f0000000000, 4096, PROT_NONE) = -1 ENOMEM (Cannot allocate memory) (INJECTED)",
        "brk(NULL) = 0x55d357d85000",
    ).calls
    assert [
        Munmap(0x7F0000000000, 4096),
        Mremap(0x7F0000000000, 4096, 8192, 1, 0),
        Mremap(0x7F0000000000, 4096, 8192, 3, 0x7F0000200000),
        Mprotect(0x7F0000000000, 4096, 0),
        None,
    ] == [call.what.call for call in calls]
    assert [None, None, "EFAULT", "ENOMEM", None] == [call.errno for call in calls]


def test_an_interrupted_call_is_one_call_where_it_ended():
    found = log(
        "10 mmap(NULL, 4096, PROT_READ, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0 <unfinished ...>",
        "11 munmap(0x7f0000000000, 4096) = 0",
        "10 <... mmap resumed>) = 0x7f0000000000",
    )
    assert [(2, 2, 11), (3, 1, 10)] == [(call.line, call.began, call.pid) for call in found.calls]


def test_ends_signals_and_what_strace_says_itself():
    found = log(
        "strace: Process 12 attached",
        "12 --- SIGSEGV {si_signo=SIGSEGV, si_code=SEGV_MAPERR, si_addr=NULL} ---",
        "12 +++ killed by SIGSEGV (core dumped) +++",
        "13 +++ exited with 1 +++",
        '13 read(3, "a) = b", 832) = 832',
    )
    assert [] == found.left_out
    assert Signalled(2, 12, "SIGSEGV") == found.events[0]
    assert [Ended(3, 12, "killed by SIGSEGV (core dumped)"), Ended(4, 13, "exited with 1")] == found.events[1:]


def test_the_places_in_the_program():
    call = only(MAP, " > /usr/lib/libc.so.6(mmap+0x10) [0x10]", " > /usr/bin/prog(main+0x4) [0x1234]")
    assert ("/usr/lib/libc.so.6(mmap+0x10) [0x10]", "/usr/bin/prog(main+0x4) [0x1234]") == call.stack


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("mmap(NULL, 8192, PROT_READ|PROT", "a call whose line is broken"),
        ("mmap(NULL, 8192) = 0x7f0000000000", "mmap: 2 of 5 arguments"),
        (
            "mmap(NULL, 8192, PROT_REED, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) = 0x7f",
            "mmap: 'PROT_REED' is no right of mmap",
        ),
        ("mmpa(NULL, 8192) = 0", "'mmpa', which is no system call of Linux"),
        ("munmap(0x7f0000000000, 4096) = ", "a call whose result is broken"),
        ("munmap(0x7fzz, 4096) = 0", "munmap: '0x7fzz' is no number"),
        ("<... mmap resumed>) = 0x7f0000000000", "the second half of a call whose first half is not there"),
        ("what a fine day", "not a line that strace writes"),
        ("+++ exited wi", "the end of a process, and broken"),
        ("--- SIGSE", "a signal whose line is broken"),
    ],
)
def test_what_is_not_understood_is_left_out_with_its_line(line: str, why: str):
    found = log(MAP, line)
    assert [(2, line, why)] == [(one.line, one.text, one.why) for one in found.left_out]
    assert 1 == len(found.calls)


def test_a_call_that_never_returned_is_left_out():
    found = log("10 munmap(0x7f0000000000, 4096 <unfinished ...>")
    assert [(1, "a call that had not returned when the log ended")] == [(one.line, one.why) for one in found.left_out]


def test_a_line_that_lost_its_process_id():
    found = log("10 " + MAP, MAP)
    assert ["without a process id, which the lines before it have"] == [one.why for one in found.left_out]


def test_maps_that_vmalab_trace_wrote():
    found = log(
        "# vmalab trace 1",
        "# kernel: 6.18.44",
        "# maps 10 after execve",
        "# 00400000-00401000 r--p 00000000 fe:00 12 /bin/true",
        "# VmFlags: rd mr mw me",
        "# end",
        "10 " + MAP,
    )
    (maps,) = [event for event in found.events if isinstance(event, MapsSeen)]
    assert (10, "after execve") == (maps.pid, maps.when)
    assert ["/bin/true"] == [entry.name for entry in maps.entries]
    assert frozenset({"rd", "mr", "mw", "me"}) == maps.entries[0].codes
    assert "6.18.44" == found.about["kernel"]


def test_a_log_of_which_every_tenth_line_is_mutilated():
    dice = random.Random(16)
    lines = []
    for number in range(100_000):
        start = 0x7F0000000000 + number % 5000 * 8192
        line = f"{10 + number % 3} munmap({start:#x}, 4096) = 0"
        if number % 3 == 0:
            flags = "MAP_PRIVATE|MAP_ANONYMOUS|MAP_FIXED"
            line = f"{10 + number % 3} mmap({start:#x}, 4096, PROT_READ, {flags}, -1, 0) = {start:#x}"
        if number % 10 == 9:
            at = dice.randrange(len(line))
            line = dice.choice([line[:at], line[:at] + chr(dice.randrange(1, 0x250)) + line[at + 1 :], line[at:]])
        lines.append(line)
    found = log(*(line.replace("\n", " ") for line in lines))
    assert 90_000 <= found.counts["calls"]
    assert 5_000 < len(found.left_out)
    assert found.counts["left out"] == len(found.left_out)
    assert 100_000 == found.lines == sum(found.counts.values())


def test_names_of_processes_and_numbers_with_words_beside_them():
    """strace -Y writes a process's name behind its id; -X verbose what a number means."""
    found = log(
        '10<t> openat(-100 /* AT_FDCWD */, "/etc/ld.so.cache", 0x80000 /* O_RDONLY|O_CLOEXEC */) = 3',
        "10<t> mmap(NULL, 4096, 0x1 /* PROT_READ */, 0x2 /* MAP_PRIVATE */, 3, 0) = 0x7f0000000000",
        "[pid 11<a b>] munmap(0x7f0000000000, 4096) = 0",
        "11<a b> +++ exited with 0 +++",
    )
    assert [] == found.left_out
    assert [10, 10, 11] == [call.pid for call in found.calls]


def test_files_packed_and_one_for_each_process(tmp_path: Path):
    with lzma.open(tmp_path / "a.strace.xz", "wt") as file:
        file.write(MAP + "\n")
    assert 1 == len(read_log(tmp_path / "a.strace.xz").calls)
    (tmp_path / "b.10").write_text(f"1.5 {MAP}\n3.5 {MAP}\n")
    (tmp_path / "b.11").write_text(f"2.5 {MAP}\n")
    assert [10, 11, 10] == [call.pid for call in read_log(tmp_path / "b").calls]
    (tmp_path / "c.10").write_text(f"{MAP}\n")
    (tmp_path / "c.11").write_text(f"{MAP}\n")
    assert read_log(tmp_path / "c").about["order"].startswith("unknown")


def test_a_file_that_is_no_log(tmp_path: Path):
    (tmp_path / "x").write_text("hello\n")
    with pytest.raises(ScenarioError, match="no system call in it that strace has written: line 1 is not a line"):
        read_log(tmp_path / "x")
    with pytest.raises(ScenarioError, match="No such file"):
        read_log(tmp_path / "y")
    (tmp_path / "z.xz").write_bytes(b"not packed")
    with pytest.raises(ScenarioError):
        read_log(tmp_path / "z.xz")
