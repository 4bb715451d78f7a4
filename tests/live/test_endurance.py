"""Faults injected into the live machine: it survives each, and says what happened.

Crashes by a single call and kills are in test_hostile.py too; what a worker may not do at all is in test_sandbox.py.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.live.confined import without
from tests.live.hostility import PARTS, driver_pids, in_session, open_files, parts_of
from tests.live.test_hostile import gone, heap_of
from vmalab.cli.common import row_line
from vmalab.differences.compare import compare
from vmalab.errors import LiveUnavailable
from vmalab.linux.addr import PAGE, page
from vmalab.linux.call import Call, Fork, ForkChild, Madvise, Mmap, Mprotect, Mremap, Munmap, Read, Touch, Uffd
from vmalab.machines.document import outcome_to_json
from vmalab.machines.live import Live
from vmalab.machines.live.process import Driver, DriverGone
from vmalab.machines.model import Model
from vmalab.programs.scenario import Scenario
from vmalab.system.doctor.behaviours import probe_behaviours

MAPPED = Mmap(page(0), PAGE)
AFTER = Scenario("after", (MAPPED, Touch(page(0), PAGE), Mremap(page(0), PAGE, PAGE, 3, page(5)), Read(page(5), PAGE)))


def well(live: Live) -> bool:
    """Whether it answers as ever."""
    played = live.run(AFTER)
    return played.error is None and played.outcomes[-1].values == (2000,)


@pytest.fixture
def interrupted() -> Iterator[Callable[[float], None]]:
    """After so many seconds the keyboard interrupts this test, as *Interrupt Kernel* does."""

    def press(signum: int, frame: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, press)
    yield lambda seconds: signal.setitimer(signal.ITIMER_REAL, seconds) and None
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


# --- the child's own memory ---


def damages(area: tuple[int, int]) -> dict[str, Call]:
    """What a call can do to a place."""
    start, length = area[0], area[1] - area[0]
    return {
        "unmapped": Munmap(start, length),
        "made inaccessible": Mprotect(start, length, 0),
        "replaced by zeros": Mmap(start, length),
        "moved away": Mremap(start, length, length, 3, page(100)),
        "replaced by the end of a file": Mmap(start, length, 3, "file", "f0", 4096),
    }


@pytest.mark.parametrize("part", PARTS)
def test_the_parts_of_its_own_process(fragile: Live, part: str) -> None:
    """Each of them unmapped, made inaccessible, replaced and moved: an answer, or the call that ended the process."""
    assert well(fragile)
    (pid,) = driver_pids(fragile)
    areas = parts_of(pid).get(part)
    if not areas:
        pytest.skip(f"this process has no {part}")
    largest = max(areas, key=lambda area: area[1] - area[0])
    for what, call in damages(largest).items():
        played = fragile.run(Scenario(what, (MAPPED, call, MAPPED)))
        if played.error is None:
            assert len(played.outcomes) == 3
        else:
            assert played.error.startswith(("step 2 (", "step 3 (", "after the last step: ")), (what, played.error)
            assert len(played.outcomes) in (1, 2, 3)
        assert well(fragile), what


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (lambda start, length: Munmap(start, length), "SIGSEGV"),
        (lambda start, length: Mmap(start, length, 3, "file", "f0", 4096), "SIGBUS"),
    ],
)
def test_a_signal_of_the_child_is_named(fragile: Live, call: Callable[[int, int], Call], expected: str) -> None:
    played = fragile.run(Scenario("heap", (MAPPED, call(*heap_of(fragile)))))
    assert f"it ended the process by {expected}" in str(played.error)
    assert str(played.error).startswith("step 2 (")
    assert well(fragile)


def test_a_signal_of_a_forked_child_is_named(fragile: Live) -> None:
    start, length = heap_of(fragile)
    calls = (ForkChild(), ForkChild(), Mmap(start, length, 3, "file", "f0", 4096))
    assert "it ended the process by SIGBUS" in str(fragile.run(Scenario("heap", calls)).error)
    assert well(fragile)


# --- pipes and hangs ---


@pytest.mark.parametrize("fresh", [False, True], ids=["shared", "fresh"])
@pytest.mark.parametrize("steps", [1, 5000])
def test_a_driver_that_stands_still(machine: Live, steps: int, fresh: bool) -> None:
    """With a request that fits into the pipe, and with one that fills it."""
    with Live(time_limit=1, fresh=fresh) as live:
        assert well(live)
        (pid,) = driver_pids(live)
        members = in_session(pid)
        for member in members:
            os.kill(member, signal.SIGSTOP)
        played = live.run(Scenario("x", (MAPPED,) * steps))
        if fresh:
            assert "it did not come back within 1 s" in str(played.error)
        else:  # it had held its answers back, so another process was asked
            assert (played.error, len(played.outcomes)) == (None, steps)
        assert gone(members)
        assert well(live)


def test_an_answer_that_nobody_reads(machine: Live) -> None:
    """It fills the pipe, and the driver waits; that is no reason to stay."""
    driver = Driver(False)
    members = {driver.pid}
    steps = [{"call": "mmap", "addr": 0, "pages": 4096}, {"call": "touch", "addr": 0, "pages": 4096}]
    driver.ask({"steps": steps * 8, "arena_pages": 4096, "contents": True})
    driver._poll.poll(20_000)
    members |= in_session(driver.pid)
    before = time.monotonic()
    driver.close()
    assert time.monotonic() - before < 2
    assert gone(members)


def test_a_session_whose_child_hangs(fragile: Live) -> None:
    with fragile.session() as session:
        session.do(MAPPED)
        assert session._driver
        pid = session._driver.pid
        start, length = max(((low, high - low) for low, high in parts_of(pid)["anonymous"]), key=lambda one: one[1])
        outcomes = [session.do(call) for call in (Uffd(start, length), Madvise(start, length, "dontneed"), Fork())]
        assert "KILLED" in [outcome.errno for outcome in outcomes]
        assert gone(in_session(pid) or {pid})
        assert session.do(MAPPED).value == page(0)


def test_interrupted_while_a_scenario_runs(fragile: Live, interrupted: Callable[[float], None]) -> None:
    with Live(time_limit=60) as live:
        assert well(live)
        (pid,) = driver_pids(live)
        members = in_session(pid)
        for member in members:
            os.kill(member, signal.SIGSTOP)
        interrupted(0.2)
        with pytest.raises(KeyboardInterrupt):
            live.run(AFTER)
        assert gone(members)
        assert well(live)


def test_interrupted_while_a_session_waits(fragile: Live, interrupted: Callable[[float], None]) -> None:
    with Live(time_limit=60).session() as session:
        session.do(MAPPED)
        assert session._driver
        members = in_session(session._driver.pid)
        for member in members:
            os.kill(member, signal.SIGSTOP)
        interrupted(0.2)
        with pytest.raises(KeyboardInterrupt):
            session.do(Touch(page(0), PAGE))
        assert gone(members)
        assert session.do(MAPPED).errno is None  # a process of its own, and no late answer to the call before
        assert len(session.snapshot()) == 1


def test_interrupted_while_a_driver_starts(monkeypatch: pytest.MonkeyPatch, machine: Live) -> None:
    started = []

    def answer(driver: Driver, seconds: float) -> dict[str, object]:
        started.append(driver.pid)
        raise KeyboardInterrupt

    before = open_files()
    monkeypatch.setattr(Driver, "answer", answer)
    with pytest.raises(KeyboardInterrupt):
        Driver(False)
    assert gone(started)
    assert open_files() == before


# --- memory and disks ---


def test_more_memory_than_it_may_hold(monkeypatch: pytest.MonkeyPatch, machine: Live) -> None:
    without(monkeypatch, "more than 64 MiB")
    calls = (Mmap(page(0), 1 << 28), *[Touch(page(0), 1 << 28)] * 3)
    with Live() as live:
        played = live.run(Scenario("much", (*calls,), 1 << 16))
        assert str(played.error).startswith("step 2 (touch")
        assert "it brought more than 64 MiB into memory" in str(played.error)
        with live.session(arena_pages=1 << 16) as session:
            assert [session.do(call).errno for call in calls[:2]] == [None, "KILLED"]
        forked = live.run(Scenario("forked", (ForkChild(), *calls), 1 << 16))
        assert "it brought more than 64 MiB into memory" in str(forked.error)
        assert well(live)


def test_an_address_space_limit_around_this_program() -> None:
    """As `ulimit -v` sets it: what does not fit is refused, and a scenario can't lift it."""
    code = (
        "import resource; resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))\n"
        "from vmalab.machines.live import Live; from vmalab.machines.machine import Scenario\n"
        "from vmalab.linux.call import *; from vmalab.linux.addr import *\n"
        "with Live() as live:\n"
        "    played = live.run(Scenario('x', (Mmap(page(0), 1 << 31), Mmap(page(0), PAGE)), 1 << 20))\n"
        "print([outcome.errno for outcome in played.outcomes], played.error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("['ENOMEM', None] None\n", "")


def test_no_room_for_the_files_of_a_scenario(monkeypatch: pytest.MonkeyPatch, machine: Live) -> None:
    without(monkeypatch, "files as large as a memfd")
    with Live() as live:
        played = live.run(Scenario("file", (MAPPED, Mmap(page(4), PAGE, 3, "file"))))
        assert str(played.error).startswith("step 2 (mmap(")
        assert "the driver could not go on: OSError [Errno 27] File too large" in str(played.error)
        assert well(live)


def test_a_recording_for_which_there_is_no_room(tmp_path: Path, machine: Live) -> None:
    """A file that can't be written whole is not there at all, and one line says why."""
    text = json.dumps([{"name": f"s{n}", "steps": [{"call": "mmap", "addr": n, "pages": 1}]} for n in range(300)])
    (tmp_path / "in.json").write_text(text)
    done = subprocess.run(
        [sys.executable, "-m", "vmalab", "record", str(tmp_path / "in.json"), "-o", str(tmp_path / "out.json")],
        capture_output=True, text=True, check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192)),
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "file too large" in done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.json"]


# --- systems that lack something ---


def test_no_pidfd(monkeypatch: pytest.MonkeyPatch, machine: Live) -> None:
    without(monkeypatch, "pidfd")
    with Live(time_limit=2) as live:
        assert well(live)
        played = live.run(Scenario("crash", (MAPPED, ForkChild(), Munmap(*heap_of(live)))))
        assert "step 3 (munmap(" in str(played.error)
        assert well(live)
        with live.session() as session:
            session.do(ForkChild())
            assert session.do(MAPPED).value == page(0)
            assert session._driver
            members = in_session(session._driver.pid)
        assert gone(members)


def test_no_proc(monkeypatch: pytest.MonkeyPatch, machine: Live) -> None:
    without(monkeypatch, "proc")
    with pytest.raises(LiveUnavailable, match="/proc/self does not show what is needed"):
        Live().run(AFTER)


def test_no_pagemap(monkeypatch: pytest.MonkeyPatch, machine: Live) -> None:
    """Everything but which pages are present: that is not known, and said to be so."""
    without(monkeypatch, "pagemap")
    calls = (
        Mmap(page(0), 2 * PAGE),
        Touch(page(0), PAGE),
        Read(page(0), 2 * PAGE),
        Mremap(page(0), 2 * PAGE, 2 * PAGE, 3, page(8)),
        Mprotect(page(8), PAGE, 0),
        Touch(page(8), PAGE),
        Read(page(8), 2 * PAGE),
        Mmap(page(20), 2 * PAGE, 3, "file", "f", 4095),
        Touch(page(20), 2 * PAGE),
    )
    with Live() as live:
        played = live.run(Scenario("x", calls, contents=True))
        assert played.error is None
        assert [outcome.errno for outcome in played.outcomes] == [None] * 5 + ["SEGV", "SEGV", None, "BUS"]
        assert played.outcomes[2].values == (2000, 0)
        assert [row.start for row in played.final] == [page(8), page(9), page(20)]
        assert [(row.runs, row.seen) for row in played.final] == [((), False)] * 3
        assert {row.seen for row in played.outcomes[-1].after} == {False}
        assert compare(played, Model(live.release).run(played.scenario)).agrees  # of what it could see
        assert "pages unknown" in row_line(played.final.rows[0])
        assert outcome_to_json(played.outcomes[-1], played.scenario)["pages"] is None
        assert [] == [probed for probed in probe_behaviours(live) if probed.surprising]
        assert "does not show which pages are present" in live.missing()["pages"]
        assert "does not show which pages are present" in live.abilities().notes["pages"]


def test_no_userfaultfd(monkeypatch: pytest.MonkeyPatch, machine: Live) -> None:
    without(monkeypatch, "userfaultfd")
    with Live() as live:
        assert live.run(Scenario("x", (MAPPED, Uffd(page(0), PAGE)))).error == (
            "step 2 (uffd(page 0, 1 page)): this system refuses userfaultfd (EPERM)"
        )
        found = live.abilities()
        assert not found.userfaultfd
        assert "refuses userfaultfd (EPERM)" in found.notes["userfaultfd"]
        assert well(live)


def test_pages_of_another_size(monkeypatch: pytest.MonkeyPatch, machine: Live) -> None:
    """The driver looks for itself, too: a guest has no parent to do it."""
    without(monkeypatch, "pages of 4 KiB")
    with pytest.raises(LiveUnavailable, match="its pages have 65536 bytes"):
        Live().run(AFTER)


# --- processes that do not want to end ---


def test_what_a_scenario_forked_ends_with_it(monkeypatch: pytest.MonkeyPatch, machine: Live) -> None:
    """As it would be after a scenario has taken its process over: what it forks does not die with its parent."""
    without(monkeypatch, "sleepers that end")
    with Live() as live:
        for _ in range(2):
            assert live.run(Scenario("forks", (Fork(), ForkChild(), Fork()))).error is None
            (driver,) = driver_pids(live)
            assert in_session(driver) == {driver}
        played = live.run(Scenario("crash", (Fork(), Munmap(*heap_of(live)))))
        assert "it ended the process by SIGSEGV" in str(played.error)
        assert well(live)
        assert driver_pids(live) == [driver]
        leader = live._drivers[False].pid
    assert gone(in_session(leader))


def test_what_a_scenario_forked_ends_with_the_program(monkeypatch: pytest.MonkeyPatch, machine: Live) -> None:
    code = (
        "import pytest, sys; from tests.live.confined import without; from vmalab.machines.live import Live\n"
        "from vmalab.linux.call import *\n"
        "without(pytest.MonkeyPatch(), 'sleepers that end'); session = Live().session()\n"
        "session.do(Fork()); session.do(ForkChild()); session.do(Fork())\n"
        "print(session._driver.pid, flush=True); sys.stdin.read()"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
        assert parent.stdout
        members = in_session(int(parent.stdout.readline()))
        assert len(members) == 5
        parent.kill()
        assert gone(members)


# --- many at once ---


@pytest.mark.slow
def test_two_hundred_sessions_at_once(machine: Live) -> None:
    before = open_files()
    sessions = [machine.session() for _ in range(200)]
    for number, session in enumerate(sessions):
        assert session.do(Mmap(page(number), PAGE)).value == page(number)
    leaders = [session._driver.pid for session in sessions if session._driver]
    for number, session in enumerate(sessions):
        assert session.do(Touch(page(number), PAGE, number + 1)).errno is None
        assert [row.contents() for row in session.snapshot()] == [{0: (number + 1) * 1000}]
    assert len(set(leaders)) == 200
    assert well(machine)
    for session in sessions:
        session.close()
    for leader in leaders:
        assert gone(in_session(leader))
    assert open_files() == before


def test_more_sessions_than_files_may_be_open(machine: Live) -> None:
    """One clear error, and the machine goes on when some are closed."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    before = open_files()
    sessions = [machine.session() for _ in range(40)]
    resource.setrlimit(resource.RLIMIT_NOFILE, (before + 40, hard))
    try:
        with pytest.raises(LiveUnavailable, match=r"can't start an interpreter of its own: .*open files"):
            deque(session.do(MAPPED) for session in sessions)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        for session in sessions:
            session.close()
    assert open_files() == before
    assert well(machine)


def test_a_driver_that_is_gone_says_so() -> None:
    driver = Driver(False)
    os.kill(driver.pid, signal.SIGKILL)
    assert gone([driver.pid])
    with pytest.raises(DriverGone, match="ended the process by SIGKILL"):
        driver.ask({"steps": [], "arena_pages": 1, "padding": "x" * 1_000_000})
    driver.kill()
