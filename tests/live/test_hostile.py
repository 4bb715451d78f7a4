"""Crashes, hangs and kills: an outcome that names the call, a parent that lives, and nothing left behind."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Iterable
from multiprocessing import get_context
from random import Random

import pytest

from tests.live.hostility import areas_of, descendants, driver_pids, hostile_scenario, in_session, open_files
from tests.patience import PATIENCE
from vmalab.linux.addr import PAGE, page
from vmalab.linux.call import Call, Fork, ForkChild, Madvise, Mmap, Mprotect, Mremap, Munmap, Touch, Uffd
from vmalab.machines.live import Live
from vmalab.machines.live.process import Driver
from vmalab.programs.scenario import Scenario

MAPPED = Mmap(page(0), PAGE)
EVERYTHING = Munmap(PAGE, (1 << 47) - 2 * PAGE)


def gone(pids: Iterable[int]) -> bool:
    """Whether all these processes end, waiting for each."""
    for pid in pids:
        try:
            fd = os.pidfd_open(pid)
        except ProcessLookupError:
            continue
        try:
            poll = select.poll()
            poll.register(fd, select.POLLIN)
            if not poll.poll(PATIENCE * 1000):
                return False
        finally:
            os.close(fd)
    return True


def heap_of(live: Live) -> tuple[int, int]:
    """Where the driver's Python keeps its objects: its largest writable area."""
    live.run(Scenario("hello", ()))
    (pid,) = driver_pids(live)
    with open(f"/proc/{pid}/maps") as maps:
        rows = [line.split() for line in maps]
    ranges = [[int(end, 16) for end in row[0].split("-")] for row in rows if row[1] == "rw-p" and len(row) == 5]
    start, end = max(ranges, key=lambda one: one[1] - one[0])
    return start, end - start


# --- crashes ---


@pytest.mark.parametrize(
    ("call", "signals"),
    [
        (EVERYTHING, ("SIGSEGV",)),
        (Mprotect(PAGE, (1 << 47) - 2 * PAGE, 0), ("SIGSEGV",)),
    ],
    ids=lambda value: value.name if isinstance(value, Call) else "",
)
def test_a_crash_names_its_call(fragile: Live, call: Call, signals: tuple[str, ...]) -> None:
    if isinstance(call, Mprotect):  # gaps end it, so aim at one area: the heap
        call = Mprotect(*heap_of(fragile), 0)
    played = fragile.run(Scenario("crash", (MAPPED, Touch(page(0), PAGE), call, MAPPED)))
    assert [outcome.errno for outcome in played.outcomes] == [None, None]
    assert played.error is not None
    assert played.error.startswith(f"step 3 ({call.name}(")
    assert any(f"it ended the process by {name}" in played.error for name in signals)
    assert fragile.run(Scenario("after", (MAPPED,))).error is None


def test_a_crash_in_a_forked_child_names_its_call(fragile: Live) -> None:
    played = fragile.run(Scenario("crash", (MAPPED, ForkChild(), Fork(), ForkChild(), EVERYTHING)))
    assert "step 5 (munmap(" in str(played.error)
    assert "SIGSEGV" in str(played.error)
    (pid,) = driver_pids(fragile)
    fragile.run(Scenario("after", (MAPPED,)))
    assert len(descendants(pid)) <= 1


def test_a_hang_on_userfaultfd_is_ended_in_time(fragile: Live) -> None:
    start, length = heap_of(fragile)
    hang = (Uffd(start, length), Madvise(start, length, "dontneed"), Fork())
    (pid,) = driver_pids(fragile)
    played = fragile.run(Scenario("hang", (MAPPED, *hang)))
    assert played.error is not None
    assert "it did not come back within 1 s" in played.error or "SIGSEGV" in played.error
    assert len(played.outcomes) < 4
    assert gone(in_session(pid) or {pid})
    assert fragile.run(Scenario("after", (MAPPED,))).error is None


def test_overwritten_memory_is_no_exception_here(fragile: Live) -> None:
    start, length = heap_of(fragile)
    calls = tuple(Touch(start + offset, PAGE) for offset in range(0, length, PAGE))[:60]
    for scenario in (Scenario("scribble", calls), Scenario("whole", (Touch(start, length),))):
        played = fragile.run(scenario)
        assert played.error is not None or len(played.outcomes) == len(scenario.steps)
    assert fragile.run(Scenario("after", (MAPPED,))).error is None


# --- kills ---


def test_a_killed_worker_is_the_error_of_its_scenario(machine: Live) -> None:
    with machine.session() as session:
        session.do(MAPPED)
        assert session._driver
        (worker,) = descendants(session._driver.pid)
        os.kill(worker, signal.SIGKILL)
        assert gone([worker])
        assert session.do(MAPPED).errno == "KILLED"
        assert session.do(MAPPED).errno is None


def test_a_driver_killed_between_two_scenarios_is_replaced(fragile: Live) -> None:
    for _ in range(3):
        assert fragile.run(Scenario("x", (MAPPED,))).error is None
        (pid,) = driver_pids(fragile)
        os.kill(pid, signal.SIGKILL)
        assert gone([pid])


def test_an_idle_worker_that_is_killed_is_replaced(fragile: Live) -> None:
    assert fragile.run(Scenario("x", (MAPPED,))).error is None
    (pid,) = driver_pids(fragile)
    workers = descendants(pid)
    assert workers
    for worker in workers:
        os.kill(worker, signal.SIGKILL)
    assert gone(workers)
    driver = fragile._drivers[False]
    driver._poll.poll(PATIENCE * 1000)  # the driver says so on its pipe
    assert fragile.run(Scenario("x", (MAPPED,))).error is None


def test_the_driver_dies_with_its_parent() -> None:
    code = (
        "import sys; from vmalab.machines.live import Live; from vmalab.linux.call import *; "
        "from vmalab.linux.addr import *\n"
        "session = Live().session(); session.do(Fork()); session.do(ForkChild()); session.do(Fork())\n"
        "print(session._driver.pid, flush=True); sys.stdin.read()"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
        assert parent.stdout
        leader = int(parent.stdout.readline())
        members = in_session(leader)
        assert len(members) == 5  # the driver, its worker, a sleeper, the child that goes on, and its sleeper
        parent.kill()
        assert gone(members)


# --- nothing left behind ---


def test_closing_leaves_no_process_and_no_file(machine: Live) -> None:
    machine.run(Scenario("warm", ()))
    before = open_files()
    leaders = []
    for _ in range(3):
        with Live() as live, live.session() as session:
            for unprivileged in (False, True):
                live.run(Scenario("x", (MAPPED, Fork()), unprivileged=unprivileged))
            session.do(Fork())
            assert session._driver
            leaders += [*driver_pids(live), session._driver.pid]
    assert len(set(leaders)) == 9
    assert gone(pid for leader in leaders for pid in in_session(leader))
    assert open_files() == before


def test_a_forgotten_machine_is_closed(machine: Live) -> None:
    before = open_files()
    live = Live()
    live.run(Scenario("x", ()))
    (pid,) = driver_pids(live)
    del live
    assert gone([pid])
    assert open_files() == before


def _in_a_fork(live: Live) -> None:
    played = live.run(Scenario("x", (MAPPED,)))
    os._exit(0 if played.error is None else 1)


def test_a_fork_of_this_program_gets_a_driver_of_its_own(machine: Live) -> None:
    machine.run(Scenario("x", ()))
    pids = driver_pids(machine)
    child = get_context("fork").Process(target=_in_a_fork, args=(machine,))
    child.start()
    child.join(PATIENCE)
    assert child.exitcode == 0
    assert driver_pids(machine) == pids
    assert machine.run(Scenario("x", (MAPPED,))).error is None


def test_it_can_be_used_from_several_threads(machine: Live) -> None:
    wrong: list[object] = []

    def work(place: int) -> None:
        for _ in range(20):
            played = machine.run(Scenario("x", (Mmap(page(place), PAGE),)))
            if [row.start for row in played.final] != [page(place)]:
                wrong.append(played)

    threads = [threading.Thread(target=work, args=(place,)) for place in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_a_driver_made_in_a_thread_outlives_it() -> None:
    made: list[Driver] = []
    thread = threading.Thread(target=lambda: made.append(Driver(False)))
    thread.start()
    thread.join()
    (driver,) = made
    driver.ask({"steps": [], "arena_pages": 1})
    assert driver.answer(PATIENCE) == {"final": []}
    driver.close()


# --- anything at all ---


@pytest.mark.parametrize("seed", range(4))
def test_hostile_calls(fragile: Live, seed: int) -> None:
    """A few here; tests/tools/hostile.py makes a million."""
    random = Random(seed)
    fragile.run(Scenario("hello", ()))
    for number in range(25):
        pids = driver_pids(fragile)
        scenario = hostile_scenario(random, number, areas_of(random.choice(pids)) if pids else [])
        played = fragile.run(scenario)
        if played.error is None:
            assert len(played.outcomes) == len(scenario.steps)
        else:
            assert played.error.startswith(("step ", "after the last step"))
    assert fragile.run(Scenario("after", (MAPPED, Mremap(page(0), PAGE, PAGE, 3, page(5))))).error is None
