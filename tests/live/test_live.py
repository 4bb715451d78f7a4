"""The live machine: what calls answer, page accesses without a signal, limits, capabilities, forks."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from attrs import evolve

import vmalab
from tests.live.hostility import areas_of, descendants, driver_pids
from vmalab.errors import LiveUnavailable, MachineError
from vmalab.linux.addr import ARENA_BASE, PAGE, page
from vmalab.linux.call import (
    Call,
    Fork,
    ForkChild,
    Limit,
    Madvise,
    Mlock,
    Mmap,
    Mprotect,
    Mremap,
    Munmap,
    Read,
    Touch,
    Uffd,
)
from vmalab.linux.flags import PROT_READ, PROT_WRITE
from vmalab.machines.live import Live, availability, why_unavailable
from vmalab.machines.machine import Machine, Played
from vmalab.programs.scenario import Scenario

DRIVER = Path(vmalab.__file__).parent / "machines" / "live" / "driver"


def run(machine: Live, *calls: Call, **more: object) -> Played:
    played = machine.run(evolve(Scenario("test", calls), **more))
    assert played.error is None
    return played


def errnos(played: Played) -> list[str | None]:
    return [outcome.errno for outcome in played.outcomes]


def test_it_is_a_machine(machine: Live) -> None:
    assert isinstance(machine, Machine)
    assert machine.name == "live"
    assert machine.release == os.uname().release


def test_the_driver_knows_the_standard_library_only() -> None:
    for path in sorted(DRIVER.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and not node.level:
                names = [node.module or ""]
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 1, path
            assert all(name.partition(".")[0] in sys.stdlib_module_names for name in names), (path, names)


# --- outcomes ---


def test_addresses_come_back_in_bytes(machine: Live) -> None:
    played = run(machine, Mmap(page(3), 2 * PAGE), Mremap(page(3), PAGE, PAGE, 3, page(9)), Munmap(page(0), 8 * PAGE))
    assert [outcome.value for outcome in played.outcomes] == [page(3), page(9), 0]
    assert [row.start for row in played.outcomes[1].after] == [page(4), page(9)]
    assert played.outcomes[1].before == played.outcomes[0].after
    assert [row.start for row in played.final] == [page(9)]


def test_any_64_bit_number_reaches_the_kernel_as_it_is(machine: Live) -> None:
    calls = [Munmap(2**64 - 1, PAGE), Munmap(2**63 + 12345, 2**64 - 1), Mremap(1, 2**64 - 1, 2**64 - 2, 2**64 - 1, 7)]
    assert errnos(run(machine, *calls)) == ["EINVAL"] * 3


def test_a_place_that_the_kernel_chose(machine: Live) -> None:
    played = run(
        machine,
        Mmap(page(0), PAGE),
        Touch(page(0), PAGE, 7),
        Mmap(page(1), PAGE, 1),
        Mremap(page(0), PAGE, 3 * PAGE, 1),
    )
    last = played.outcomes[-1]
    assert last.value is not None
    assert not page(0) <= last.value < page(4096)
    assert last.elsewhere is not None
    assert [(row.start, row.end, row.perms, row.contents()) for row in last.elsewhere] == [
        (0, 3 * PAGE, "rw-p", {0: 7000})
    ]


def test_an_mmap_without_a_place(machine: Live) -> None:
    (outcome,) = run(machine, Mmap(None, PAGE, fixed=False)).outcomes
    assert outcome.value is not None
    assert outcome.elsewhere is not None
    assert [row.pages for row in outcome.elsewhere] == [1]


def test_play_shows_flags_and_contents_after_every_call(machine: Live) -> None:
    played = machine.play([Mmap(page(0), 2 * PAGE), Touch(page(1), PAGE), Mlock(page(0), 2 * PAGE)])
    assert [row.contents() for outcome in played.outcomes for row in outcome.after] == [{}, {1: 2000}, {0: 0, 1: 2000}]
    assert [row.flags for outcome in played.outcomes for row in outcome.after] == [("ac",), ("ac",), ("ac", "lo")]


def test_backings(machine: Live) -> None:
    played = run(
        machine,
        Mmap(page(0), PAGE, 3, "anon"),
        Mmap(page(2), PAGE, 3, "shared"),
        Mmap(page(4), PAGE, 3, "file", "f7", 5),
        Mmap(page(6), PAGE, 3, "sharedfile", "with space", 6),
        Mmap(page(8), PAGE, 3, "zero"),
    )
    assert [(row.perms, row.backing, row.pgoff) for row in played.final] == [
        ("rw-p", None, None),
        ("rw-s", "shmem", 0),
        ("rw-p", "f7", 5),
        ("rw-s", "with space", 6),
        ("rw-p", "/dev/zero", None),
    ]


# --- page accesses: signals end them, and not the process ---


@pytest.mark.parametrize(
    ("before", "errno", "written"),
    [
        ([Munmap(page(1), PAGE)], "SEGV", {0: 7000}),
        ([Mprotect(page(1), PAGE, PROT_READ)], "SEGV", {0: 7000}),
        ([Munmap(page(0), PAGE)], "SEGV", {}),
        ([Uffd(page(1), PAGE)], "UFFD", {0: 7000}),
        ([Touch(page(1), PAGE, 3), Uffd(page(0), 4 * PAGE)], "UFFD", {1: 3000}),
        ([Touch(page(0), 2 * PAGE, 3), Uffd(page(0), 4 * PAGE)], "UFFD", {0: 7000, 1: 7001}),
        ([Uffd(page(1), PAGE), Mmap(page(1), PAGE)], None, {0: 7000, 1: 7001, 2: 7002, 3: 7003}),
        ([Madvise(page(1), PAGE, "guard_install")], "SEGV", {0: 7000}),
    ],
)
def test_a_touch_writes_up_to_the_page_that_stops_it(
    machine: Live, before: list[Call], errno: str | None, written: dict[int, int]
) -> None:
    played = run(machine, Mmap(page(0), 4 * PAGE), *before, Touch(page(0), 4 * PAGE, 7))
    assert errno == played.outcomes[-1].errno
    assert played.final is not None
    found = {
        (row.start - page(0)) // PAGE + index: value for row in played.final for index, value in row.contents().items()
    }
    assert written == found


def test_a_touch_past_the_end_of_a_file_stops_there(machine: Live) -> None:
    for kind in ("file", "sharedfile"):
        played = run(machine, Mmap(page(0), 4 * PAGE, 3, kind, "f0", 4094), Touch(page(0), 4 * PAGE))
        assert played.outcomes[-1].errno == "BUS"
        assert [row.contents() for row in played.final] == [{0: 2000, 1: 2001}]


def test_values_that_a_read_saw(machine: Live) -> None:
    played = run(
        machine,
        Mmap(page(0), 6 * PAGE),
        Touch(page(0), 2 * PAGE, 9),
        Uffd(page(2), PAGE),
        Mprotect(page(4), PAGE, 0),
        Munmap(page(5), PAGE),
        Read(page(0), 6 * PAGE),
        Read(page(3), 2 * PAGE),
        Mmap(page(8), 2 * PAGE, 3, "shared"),
        Mremap(page(8), 2 * PAGE, 4 * PAGE, 1),
        Read(page(8), 4 * PAGE),
    )
    reads = [outcome for outcome in played.outcomes if outcome.values is not None]
    assert [outcome.values for outcome in reads] == [
        (9000, 9001, None, 0, None, None),
        (0, None),
        (0, 0, None, None),
    ]
    assert [outcome.errno for outcome in reads] == ["UFFD", "SEGV", "BUS"]


def test_a_page_that_was_there_before_it_was_registered_can_be_read(machine: Live) -> None:
    played = run(machine, Mmap(page(0), PAGE), Touch(page(0), PAGE, 3), Uffd(page(0), PAGE), Read(page(0), PAGE))
    assert played.outcomes[-1].values == (3000,)


def test_guards_and_inaccessible_pages(machine: Live) -> None:
    played = run(machine, Mmap(page(0), 2 * PAGE), Madvise(page(0), PAGE, "guard_install"), Read(page(0), 2 * PAGE))
    assert (played.outcomes[-1].errno, played.outcomes[-1].values) == ("SEGV", (None, 0))


def test_an_unaligned_range_stands_for_as_many_pages_as_its_length(machine: Live) -> None:
    played = run(machine, Mmap(page(0), 4 * PAGE), Touch(page(1) + 8, PAGE + 1, 5))
    assert [row.contents() for row in played.final] == [{1: 5000, 2: 5001}]


def test_a_stack_grows_by_loads_and_stores(machine: Live) -> None:
    stack = Mmap(page(600), 2 * PAGE, growsdown=True)
    played = run(machine, stack, Touch(page(599), PAGE), Read(page(598), PAGE))
    assert errnos(played) == [None, None, None]
    assert [(row.start, row.end) for row in played.final] == [(page(598), page(602))]
    # 256 pages must stay free above what lies below it and may be accessed
    played = run(machine, stack, Mmap(page(300), 2 * PAGE), Read(page(557), PAGE), Touch(page(558), PAGE))
    assert errnos(played) == [None, None, "SEGV", None]
    # and RLIMIT_STACK, 2048 pages, is what it may become
    played = run(machine, Mmap(page(3000), 2 * PAGE, growsdown=True), Touch(page(953), PAGE), Touch(page(954), PAGE))
    assert errnos(played) == [None, "SEGV", None]


def test_a_stack_grows_under_the_limits_that_the_scenario_set(machine: Live) -> None:
    stack = Mmap(page(600), 2 * PAGE, growsdown=True)
    played = run(machine, stack, Limit("as", 10), Read(page(589), PAGE), Touch(page(589), PAGE), Read(page(590), PAGE))
    assert errnos(played) == [None, None, "SEGV", "SEGV", None]
    assert [row.start for row in played.final] == [page(590)]


def test_past_the_end_of_a_registered_file_is_sigbus(machine: Live) -> None:
    played = run(machine, Mmap(page(0), 4 * PAGE, 3, "sharedfile", "f0", 4094), Uffd(page(0), 4 * PAGE),
                 Read(page(1), 2 * PAGE), Touch(page(2), PAGE))  # fmt: skip
    assert errnos(played) == [None, None, "UFFD", "BUS"]
    assert played.outcomes[2].values == (None, None)


def test_an_access_in_a_forked_child(machine: Live) -> None:
    played = run(
        machine, Mmap(page(0), 2 * PAGE), ForkChild(), Touch(page(0), 4 * PAGE), ForkChild(), Read(page(1), 2 * PAGE)
    )
    assert errnos(played) == [None, None, "SEGV", None, "SEGV"]
    assert played.outcomes[-1].values == (3001, None)


def test_contents_of_memory_that_may_not_be_read(machine: Live) -> None:
    played = run(machine, Mmap(page(0), PAGE), Touch(page(0), PAGE, 4), Mprotect(page(0), PAGE, 0), contents=True)
    assert [row.contents() for row in played.outcomes[-1].after] == [{0: 4000}]


# --- limits ---


def test_the_address_space_limit_binds_the_scenario_and_not_the_driver(machine: Live) -> None:
    played = run(
        machine,
        Mmap(page(0), 4 * PAGE),
        Limit("as", 2),
        Mmap(page(8), 3 * PAGE),
        Mmap(page(8), 2 * PAGE),
        Mmap(page(20), PAGE),
        Munmap(page(0), PAGE),
        Mmap(page(20), PAGE),
        *[Touch(page(1), PAGE)] * 50,
        Mmap(page(30), PAGE),
        contents=True,
    )
    assert [errno for errno in errnos(played) if errno] == ["ENOMEM"] * 3
    assert errnos(played)[2:7] == ["ENOMEM", None, "ENOMEM", None, None]


def test_locked_memory(machine: Live) -> None:
    calls = (
        Mmap(page(0), 8 * PAGE),
        Mlock(page(0), 2 * PAGE),
        Limit("memlock", 1),
        Mlock(page(2), 2 * PAGE),
        Mlock(page(2), PAGE),
    )
    assert errnos(run(machine, *calls, unprivileged=True)) == [None, None, None, "ENOMEM", None]


def test_a_limit_ends_with_its_scenario(machine: Live) -> None:
    for resource, call in (("as", Mmap(page(8), PAGE)), ("memlock", Mlock(page(0), PAGE))):
        played = run(machine, Mmap(page(0), PAGE), Limit(resource, 0), call, unprivileged=True)
        assert played.outcomes[-1].errno in ("ENOMEM", "EPERM")
        assert errnos(run(machine, Mmap(page(0), PAGE), call, unprivileged=True)) == [None, None]


def test_what_would_fill_the_memory_of_the_machine_is_refused(machine: Live) -> None:
    for calls in (
        (Mmap(page(0), 1 << 30, noreserve=True), Touch(page(0), 1 << 30)),
        (Read(page(0), 1 << 46),),
        (Fork(),) * 65,
        (Mmap(page(0), PAGE << 16), *[Read(page(0), PAGE << 16)] * 5),
    ):
        error = machine.run(Scenario("large", calls, 1 << 30)).error
        assert error is not None
        assert "the live machine" in error


# --- rights ---


def test_unprivileged_calls_have_no_capability(machine: Live) -> None:
    """The memlock limit and vm.mmap_min_addr bind them, whoever runs this."""
    low = Mmap(PAGE // 2 * 0, PAGE)
    many = (Mmap(page(0), 4000 * PAGE), Mlock(page(0), 3000 * PAGE), low)
    assert errnos(run(machine, *many, unprivileged=True)) == [None, "ENOMEM", "EPERM"]
    if os.geteuid() == 0:
        assert errnos(run(machine, *many)) == [None, None, None]


def test_it_works_for_an_ordinary_user(machine: Live) -> None:
    """The probes and a multi-VMA move, by a user with no rights and no home; every test, where this is not root."""
    if os.geteuid():
        return
    code = (
        "from vmalab.machines.live import Live; from vmalab.programs.scenario import named\n"
        "with Live() as live:\n"
        "    print(live.abilities() == live.abilities(), live.run(named('gap-keeps-what-was-there')).error,"
        " [o.errno for o in live.run(named('gap-keeps-what-was-there')).outcomes])"
    )
    # What that user may not look into (a home, a folder of root) must not matter: a copy that all may read.
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        shutil.copytree(Path(vmalab.__file__).parent, folder / "vmalab", ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copytree(Path(vmalab.__file__).parents[1] / "data", folder / "data")
        for module in ("attr", "attrs", "sortedcontainers"):
            found = __import__(module).__file__
            assert found
            shutil.copytree(Path(found).parent, folder / module)
        for base, folders, files in os.walk(folder):
            for entry in (*folders, *files):
                os.chmod(Path(base, entry), 0o755)
        for python in dict.fromkeys((sys.executable, "/usr/bin/python3", "/usr/bin/python3.11")):
            try:
                done = subprocess.run(
                    [python, "-c", f"import sys; assert sys.version_info > (3, 11); sys.path[:0] = [{name!r}]\n{code}"],
                    user=65534, group=65534, extra_groups=[], cwd="/", env={},
                    capture_output=True, text=True, check=False,
                )  # fmt: skip
            except PermissionError:
                continue
            if "AssertionError" not in done.stderr:
                break
        else:
            pytest.skip("there is no interpreter here that an ordinary user may run")
    expected = [outcome.errno for outcome in machine.run(vmalab_gap()).outcomes]
    assert (done.stdout, done.stderr) == (f"True None {expected}\n", "")


def vmalab_gap() -> Scenario:
    from vmalab.programs.scenario import named

    return named("gap-keeps-what-was-there")


# --- forks ---


def test_the_parent_goes_on(machine: Live) -> None:
    calls = (Mmap(page(0), PAGE), Touch(page(0), PAGE, 1), Fork(), Touch(page(0), PAGE, 2), Read(page(0), PAGE))
    assert run(machine, *calls).outcomes[-1].values == (2000,)


def test_the_child_goes_on(machine: Live) -> None:
    played = run(
        machine,
        Mmap(page(0), 2 * PAGE),
        Touch(page(0), PAGE, 1),
        Madvise(page(1), PAGE, "dontfork"),
        ForkChild(),
        Read(page(0), PAGE),
        ForkChild(),
        Touch(page(0), PAGE, 5),
        contents=True,
    )
    assert errnos(played) == [None] * 7
    assert [(row.start, row.pages, row.contents()) for row in played.final] == [(page(0), 1, {0: 5000})]


def test_limits_in_a_child(machine: Live) -> None:
    """What a DONTFORK area took is free in the child, and the limit stays where it was."""
    played = run(
        machine,
        Mmap(page(0), 4 * PAGE),
        Madvise(page(0), 2 * PAGE, "dontfork"),
        Limit("as", 1),
        ForkChild(),
        Mmap(page(8), 4 * PAGE),
        Mmap(page(8), 3 * PAGE),
    )
    assert errnos(played)[-2:] == ["ENOMEM", None]


def test_nothing_stays_behind_after_forks(machine: Live) -> None:
    run(machine, Fork(), ForkChild(), Fork(), ForkChild(), Fork())
    run(machine, Mmap(page(0), PAGE))  # whoever runs next collects the dead
    for pid in driver_pids(machine):
        assert len(descendants(pid)) <= 1


# --- where there is none ---


@pytest.mark.parametrize("word", ["off", "OFF", "0", "no", "false"])
def test_switched_off(monkeypatch: pytest.MonkeyPatch, word: str) -> None:
    monkeypatch.setenv("VMALAB_LIVE", word)
    with pytest.raises(LiveUnavailable, match=rf"switched off \(VMALAB_LIVE={word}\)"):
        Live()


@pytest.mark.parametrize("word", ["", "on", "1"])
def test_switched_on(monkeypatch: pytest.MonkeyPatch, word: str) -> None:
    monkeypatch.setenv("VMALAB_LIVE", word)
    assert why_unavailable() is None


def test_switched_off_while_it_is_there(monkeypatch: pytest.MonkeyPatch, machine: Live) -> None:
    with Live() as live:
        monkeypatch.setenv("VMALAB_LIVE", "off")
        with pytest.raises(LiveUnavailable):
            live.run(Scenario("x", ()))


def test_other_systems_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(availability.sys, "platform", "emscripten")
    assert "needs Linux" in str(why_unavailable())
    monkeypatch.undo()
    monkeypatch.setattr(availability.platform, "machine", lambda: "aarch64")
    assert "64-bit x86, and this is aarch64" in str(why_unavailable())
    monkeypatch.undo()
    monkeypatch.setattr(availability.os, "sysconf", lambda name: 65536)
    assert "here they have 65536" in str(why_unavailable())


def test_an_interpreter_that_does_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    for python in ("/does/not/exist", "/bin/false", "/bin/echo"):
        monkeypatch.setattr(sys, "executable", python)
        with pytest.raises(LiveUnavailable, match="the live machine"):
            Live().run(Scenario("x", ()))


def test_an_arena_that_is_not_free(machine: Live) -> None:
    """64 TiB from the arena's base on reach the place where a program loaded at a random address lies, or its heap."""
    low = min(start for pid in driver_pids(machine) for start, _ in areas_of(pid) if start > ARENA_BASE)
    if low < ARENA_BASE + (1 << 34) * PAGE:
        error = machine.run(Scenario("large", (), (low - ARENA_BASE) // PAGE + 1)).error
        assert "the arena is not free in this process" in str(error)
    assert machine.run(Scenario("fits", (), (low - ARENA_BASE) // PAGE)).error is None


# --- abilities ---


def test_abilities_are_found_by_trying(machine: Live) -> None:
    found = machine.abilities()
    assert found.release == machine.release
    missing = {name for name in availability.PROBES if not getattr(found, name)}
    assert set(found.notes) == missing
    played = machine.run(availability.PROBES["multi_vma_move"])
    assert found.multi_vma_move == (played.outcomes[-1].errno is None)


def test_abilities_that_are_missing_come_with_the_kernels_word() -> None:
    def old(scenario: Scenario) -> Played:
        from vmalab.machines.model import Model

        if scenario.name == "userfaultfd":
            return Played(scenario, "old", error="this system refuses userfaultfd (EPERM)")
        return Model("6.1").run(scenario)

    found = availability.abilities("6.1", old)
    assert dict(found.notes) == {
        "multi_vma_move": "EFAULT",
        "userfaultfd": "this system refuses userfaultfd (EPERM)",
        "mseal": "ENOSYS",
        "guard_regions": "EINVAL",
    }


# --- call by call ---


def test_a_session(machine: Live) -> None:
    with machine.session() as session:
        first = session.do(Mmap(page(0), 2 * PAGE))
        second = session.do(Touch(page(1), PAGE))
        assert (first.value, second.errno) == (page(0), None)
        assert second.before == first.after
        assert [row.contents() for row in session.snapshot()] == [{1: 2000}]
        assert [row.flags for row in session.snapshot()] == [("ac",)]
        assert session.history == [Mmap(page(0), 2 * PAGE), Touch(page(1), PAGE)]
        session.do(ForkChild())
        assert session.do(Read(page(1), PAGE)).values == (2000,)


def test_a_session_survives_a_call_that_ends_its_process(machine: Live) -> None:
    with machine.session() as session:
        session.do(Mmap(page(0), PAGE))
        killed = session.do(Munmap(PAGE, (1 << 47) - 2 * PAGE))
        assert killed.errno == "KILLED"
        assert len(killed.before) == 1
        assert len(killed.after) == 0
        assert "munmap" in str(session.problem)
        assert "SIGSEGV" in str(session.problem)
        assert session.do(Mmap(page(5), PAGE)).value == page(5)
        assert session.problem is None
        assert [row.start for row in session.snapshot()] == [page(5)]


def test_what_a_session_refuses(machine: Live) -> None:
    with machine.session() as session, pytest.raises(MachineError, match="max_map_count"):
        session.do(Limit("map_count", 5))
    with machine.session(arena_pages=1 << 34) as session, pytest.raises(MachineError):
        session.do(Read(page(0), 1 << 40))


def test_writable_needs_no_readable(machine: Live) -> None:
    played = run(machine, Mmap(page(0), PAGE, PROT_WRITE), Touch(page(0), PAGE, 6), Read(page(0), PAGE))
    assert played.outcomes[-1].values == (6000,)
