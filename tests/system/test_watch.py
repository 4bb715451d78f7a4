"""A process's VMAs from /proc: once, as they change, and from the command line."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from vmalab.__main__ import run
from vmalab.errors import MachineError
from vmalab.linux.addr import PAGE
from vmalab.machines.outcome import Row, Snapshot, diff
from vmalab.system import watch as room
from vmalab.system.watch import Seen, named, process, watch

pytestmark = pytest.mark.live

MAPS_THEN_GROWS = """
import mmap, sys
m = mmap.mmap(-1, 64 * 4096)
for line in sys.stdin:
    m[0:4096] = b"x" * 4096
    m.resize(128 * 4096)
    print("grown", flush=True)
"""


@pytest.fixture
def talker():
    """A process that maps more when it is told to."""
    command = [sys.executable, "-c", "print('ready', flush=True)" + MAPS_THEN_GROWS]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as talking:
        assert "ready\n" == talking.stdout.readline()
        yield talking
        talking.stdin.close()


def test_this_process_is_what_proc_says():
    text = Path("/proc/self/maps").read_text()
    seen = process()
    stack = next(row for row in seen if row.backing == "[stack]")
    (line,) = [line for line in text.splitlines() if line.endswith("[stack]")]
    assert line.startswith(f"{stack.start:x}-{stack.end:x} {stack.perms}")
    assert 0 < len(stack.contents()) <= stack.pages
    library = next(row for row in seen if row.backing and row.backing.startswith("libc"))
    assert library.pgoff is not None


def test_what_a_process_changes_is_seen(talker):
    looks = watch(talker.pid, every=0.01)
    first = next(looks)
    assert () == first.changes
    assert first.now == first.around()
    assert sum(row.pages == 64 for row in first.now) <= sum(row.pages >= 64 for row in first.now)
    talker.stdin.write("grow\n")
    talker.stdin.flush()
    pages = sum(row.pages for row in first.now)
    second = next(seen for seen in looks if sum(row.pages for row in seen.now) >= pages + 64)
    assert diff(first.now, second.now) or second.changes
    assert 0 < len(second.around()) <= len(second.now)
    talker.kill()
    talker.wait()
    assert [] == list(looks)


def test_it_ends_when_it_is_told_to(talker):
    stop = threading.Event()
    looks = watch(talker.pid, every=3600, stop=stop)
    next(looks)
    stop.set()
    assert [] == list(looks)


@pytest.fixture
def nobodys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Another /proc, in which a test can put what it likes."""
    monkeypatch.setattr(room, "Path", lambda *parts: tmp_path.joinpath(*(part.lstrip("/") for part in parts)))
    return tmp_path / "proc"


def test_without_proc_it_is_one_clear_error(nobodys: Path):
    with pytest.raises(MachineError, match="this system has no /proc"):
        process(5)


def test_a_process_that_is_not_there():
    with pytest.raises(MachineError, match="there is no process 4194305"):
        process(4194305)
    with pytest.raises(MachineError, match="there is no process 4194305"):
        next(watch(4194305))


def test_where_pagemap_may_not_be_read_the_pages_are_unknown(nobodys: Path):
    home = nobodys / "7"
    home.mkdir(parents=True)
    (home / "maps").write_text("7f00-8000 rw-p 00000000 00:00 0\n".replace("7f00", "7f000").replace("8000", "80000"))
    assert Snapshot((Row(0x7F000, 0x80000, "rw-p", seen=False),)) == process(7)


def in_proc(home: Path, maps: str, status: str = "Name:\tx\nState:\tS (sleeping)\n") -> None:
    home.mkdir(parents=True, exist_ok=True)
    (home / "maps").write_text(maps, encoding="utf-8")
    (home / "status").write_text(status)
    (home / "task" / home.name).mkdir(parents=True, exist_ok=True)
    (home / "task" / home.name / "maps").write_text(maps, encoding="utf-8")


def test_a_name_may_hold_what_other_texts_end_lines_with(nobodys: Path):
    in_proc(nobodys / "7", "7f000-80000 r--p 00000000 fe:00 3 /tmp/a\u2028b\x85\x0bc\n")
    assert ["a\u2028b\x85\x0bc"] == [row.backing for row in process(7)]


def test_names_tell_files_apart_and_are_never_the_kernels(nobodys: Path):
    paths = ["/x/[heap]", "[heap]", "/a/lib.so", "/b/lib.so", "/memfd:a/b (deleted)", "/usr/lib/libc.so.6"]
    lines = [
        f"{n:x}000-{n + 1:x}000 rw-p 00000000 fe:00 {int(name[0] == '/')} {name}" for n, name in enumerate(paths, 9)
    ]
    in_proc(nobodys / "7", "\n".join(lines) + "\n")
    assert ["x/[heap]", "[heap]", "a/lib.so", "b/lib.so", "a/b (deleted)", "libc.so.6"] == [
        row.backing for row in process(7)
    ]


def test_the_first_thread_may_have_exited_while_others_run(nobodys: Path):
    in_proc(nobodys / "7", "")
    (nobodys / "7" / "task" / "8").mkdir()
    (nobodys / "7" / "task" / "8" / "maps").write_text("7f000-80000 rw-p 00000000 00:00 0\n")
    assert 1 == len(process(7))


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ("Name:\tx\nState:\tZ (zombie)\n", "process 7 has ended, and its parent has not asked how"),
        ("Name:\tx\nState:\tI (idle)\nKthread:\t1\n", "process 7 is a kernel thread"),
    ],
)
def test_what_has_no_memory_is_told_as_what_it_is(nobodys: Path, status: str, said: str):
    in_proc(nobodys / "7", "", status)
    with pytest.raises(MachineError, match=said):
        process(7)


def test_a_command_is_called_by_its_name_at_the_first_look(capsys: pytest.CaptureFixture[str]):
    assert 0 == run(["watch", "--once", "sleep", "60"])
    said = capsys.readouterr().out
    assert "(sleep)" in said and "/python" not in said


def test_what_stands_around_a_change():
    rows = [Row(n * 0x10 * PAGE, (n * 0x10 + 1) * PAGE, "rw-p") for n in range(1, 8)]
    before, after = Snapshot(tuple(rows)), Snapshot((*rows[:3], Row(rows[3].start, rows[3].end, "r--p"), *rows[4:]))
    seen = Seen(diff(before, after), after)
    assert after.rows[2:5] == seen.around().rows


def test_a_process_has_a_name():
    assert Path("/proc/self/comm").read_text().strip() == named(os.getpid())
    assert "" == named(4194305)


# --- the command -----------------------------------------------------------------------------------------------


def test_the_command_looks_once(capsys: pytest.CaptureFixture[str]):
    assert run(["watch", "--once", str(os.getpid())]) == 0
    said = capsys.readouterr().out
    assert said.startswith(f"process {os.getpid()} (")
    assert ", [stack], private" not in said
    assert " [stack], " in said


def test_the_command_starts_a_command_and_writes_a_page(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    page, fifo = tmp_path / "page.html", tmp_path / "fifo"
    os.mkfifo(fifo)

    def until_it_changed(pid: int, **options):
        """What `watch` sees; the command is let go at the first change."""
        for number, seen in enumerate(watch(pid, **options)):
            yield seen
            if number == 1:
                fifo.write_text("go")

    monkeypatch.setattr("vmalab.cli.watch.watch", until_it_changed)
    code = f"import mmap; held = mmap.mmap(-1, 1 << 20); open({str(fifo)!r}).read()"
    assert run(["watch", "--every", "0.01", "--output", str(page), sys.executable, "-c", code]) == 0
    said = capsys.readouterr().out
    assert "VMAs now" in said
    assert "<svg" in page.read_text(encoding="utf-8")
    assert f"{page}: " in said


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["watch", "4194305"], "there is no process 4194305"),
        (["watch", "no-such-command"], "'no-such-command' is neither a process id nor a command to start"),
        (["watch", "²"], "'²' is neither a process id nor a command to start"),
        (["watch", "--every", "0", "1"], "--every is a number of seconds above 0, not 0"),
    ],
)
def test_what_can_not_be_watched_is_one_line(arguments, message, capsys: pytest.CaptureFixture[str]):
    assert run(arguments) != 0
    assert message in capsys.readouterr().err
