"""What a worker can't do any more, tried from the inside, and what the sandbox must not change."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.live.confined import confined, without
from tests.live.hostility import driver_pids
from tests.patience import PATIENCE
from vmalab.linux.addr import PAGE, page
from vmalab.linux.call import Fork, ForkChild, Mmap, Mremap, Read, Touch
from vmalab.machines.live import Live
from vmalab.machines.live.driver.broker import descends
from vmalab.machines.live.process import PASSED_ON
from vmalab.programs.scenario import Scenario

pytestmark = pytest.mark.usefixtures("machine")

FORBIDDEN = {
    "open": 2,
    "stat": 4,
    "socket": 41,
    "connect": 42,
    "sendto": 44,
    "sendmsg": 46,
    "bind": 49,
    "socketpair": 53,
    "execve": 59,
    "kill": 62,
    "fcntl": 72,
    "getdents": 78,
    "chdir": 80,
    "rename": 82,
    "mkdir": 83,
    "unlink": 87,
    "chmod": 90,
    "ptrace": 101,
    "syslog": 103,
    "setuid": 105,
    "setpgid": 109,
    "setsid": 112,
    "mknod": 133,
    "setpriority": 141,
    "setrlimit": 160,
    "chroot": 161,
    "mount": 165,
    "reboot": 169,
    "init_module": 175,
    "tkill": 200,
    "openat": 257,
    "unshare": 272,
    "perf_event_open": 298,
    "open_by_handle_at": 304,
    "setns": 308,
    "process_vm_readv": 310,
    "process_vm_writev": 311,
    "bpf": 321,
    "execveat": 322,
    "statx": 332,
    "pidfd_send_signal": 424,
    "io_uring_setup": 425,
    "open_tree": 428,
    "pidfd_open": 434,
    "openat2": 437,
    "pidfd_getfd": 438,
    "memfd_secret": 447,
}


def test_forbidden_calls_answer_eperm() -> None:
    answer, status = confined(f"answer = {{name: kernel.call(n)[1] for name, n in {FORBIDDEN!r}.items()}}")
    assert answer == dict.fromkeys(FORBIDDEN, "EPERM")
    assert status == 0


def test_no_file_no_program_no_network_through_python_either() -> None:
    code = """
answer = []
for attempt in (
    lambda: open("/etc/hostname"), lambda: os.listdir("/"), lambda: os.stat("/"), lambda: os.execv("/bin/true", ["x"]),
    lambda: open("/proc/self/mem", "wb"), lambda: socket.socket(), lambda: os.kill(here, 0),
    lambda: os.unlink("/nothing"),
):
    try:
        attempt()
    except OSError as error:
        answer.append(error.errno)
    else:
        answer.append(0)
"""
    assert confined(code) == ([1] * 8, 0)


def test_calls_whose_arguments_decide() -> None:
    code = """
import resource
def answered(*call):
    return kernel.call(*call)[1]
answer = {
    "limits of another process": answered(302, here, 7, 0, 0),
    "its own limits": answered(302, 0, 7, 0, 0),
    "a terminal": answered(16, 0, 0x5401),
    "dumpable": answered(157, 4, 1),
    "poison": answered(28, 1 << 40, 4096, 100),
    "a usual advice": answered(28, 1 << 40, 4096, 4),
    "a userfaultfd that stops the kernel": answered(323, 0),
    "a namespace": answered(56, 0x1000_0000 | 17),
    "clone3": answered(435),
    "a signal to another": answered(234, here, here, 6),
    "another seccomp operation": answered(317, 0),
    "x32": answered(0x4000_0000 | 39),
}
"""
    answer, _ = confined(code)
    assert answer == {
        "limits of another process": "EPERM",
        "its own limits": None,
        "a terminal": "EPERM",
        "dumpable": "EPERM",
        "poison": "EPERM",
        "a usual advice": "ENOMEM",
        "a userfaultfd that stops the kernel": "EPERM",
        "a namespace": "EPERM",
        "clone3": "ENOSYS",
        "a signal to another": "EPERM",
        "another seccomp operation": "EPERM",
        "x32": "ENOSYS",
    }


def test_calls_of_another_architecture_end_the_process() -> None:
    code = """
code = kernel.raw(9, 0, 4096, 7, 0x22, kernel.WORD, 0)
ctypes.memmove(code, bytes.fromhex("b814000000cd80c3"), 8)  # getpid as the 32-bit system calls number it
answer = ctypes.CFUNCTYPE(ctypes.c_int)(code)()
"""
    answer, status = confined(code)
    if answer == -38:
        pytest.skip("this kernel has no 32-bit system calls")
    assert os.WTERMSIG(status) == signal.SIGSYS


def test_an_abort_is_still_one() -> None:
    _, status = confined("answer = None\nos.abort()")
    assert os.WTERMSIG(status) == signal.SIGABRT


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ("", [0, 0]),
        ("forks=False", [1, 0]),
        ("limits=False", [0, 1]),
        ("forks=False, limits=False", [1, 1]),
    ],
)
def test_what_a_scenario_does_not_need_is_taken_away(arguments: str, expected: list[int]) -> None:
    code = """
import resource
answer = []
def forks():
    if os.fork() == 0:
        os._exit(0)
for attempt in (forks, lambda: resource.setrlimit(resource.RLIMIT_CPU, (9, 9))):
    try:
        attempt()
    except (OSError, ValueError):  # of resource, where the kernel says EPERM
        answer.append(1)
    else:
        answer.append(0)
"""
    before = "import resource"  # while it still can
    assert confined(code, arguments, before)[0] == expected
    assert confined(f"made.enter({arguments})\n{code}", "", before)[0] == expected


def test_limits_of_a_worker() -> None:
    code = """
import resource
answer = [resource.getrlimit(getattr(resource, "RLIMIT_" + name))[1] for name in ("CORE", "NOFILE", "FSIZE")]
answer.append([line.split()[1] for line in os.pread(proc.Proc()._status, 9999, 0).decode().splitlines()
               if line.startswith("NoNewPrivs")])
"""
    answer, _ = confined(code, before="import resource; sandbox.limit()")
    assert answer == [1, 256, 16 << 20, ["1"]]


@pytest.mark.parametrize("limits", ["-t 3600", "-t 5", "-c 0", "-n 64", "-f 100000", "-l 100"])
def test_it_works_within_the_limits_that_it_finds(limits: str) -> None:
    code = """
from vmalab.linux.addr import PAGE, page
from vmalab.linux.call import Mmap, Touch
from vmalab.machines.live import Live
from vmalab.programs.scenario import Scenario
with Live() as live:
    print(live.run(Scenario("x", (Mmap(page(0), PAGE), Touch(page(0), PAGE)))).error)
"""
    # limits that root may raise again are no limits
    drop = ["setpriv", "--bounding-set=-sys_resource", "--inh-caps=-sys_resource"] if os.geteuid() == 0 else []
    ran = subprocess.run(
        [*drop, "/bin/bash", "-c", f'ulimit {limits}; exec "$0" -c "$1"', sys.executable, code],
        capture_output=True, text=True, timeout=PATIENCE,
    )  # fmt: skip
    assert ("None\n", "") == (ran.stdout, ran.stderr)


def test_a_scenario_can_not_make_processes_without_end() -> None:
    code = """
here = os.getpid()
for _ in range(sandbox.MOST_TASKS):
    if os.fork() == 0:
        while os.getppid() == here:
            select.select([], [], [], 0.05)
        os._exit(0)
select.select([], [], [])
"""
    answer, status = confined(code, before="import select")
    assert (None, signal.SIGKILL) == (answer, os.WTERMSIG(status))


FOREIGN = """
import os, sys, threading
os.geteuid() or os.setresuid(65533, 65533, 65533)
threading.stack_size(1 << 16)
lock = threading.Lock()
lock.acquire()
for _ in range(2000):
    threading.Thread(target=lock.acquire, daemon=True).start()
print("there", flush=True)
sys.stdin.read()
"""


def test_forks_do_not_depend_on_what_the_user_runs_elsewhere_on_the_node() -> None:
    elsewhere = ["unshare", *(["--map-root-user"] if os.geteuid() else []), "--pid", "--fork", "--mount-proc"]
    if subprocess.run([*elsewhere, "true"], capture_output=True, check=False).returncode:
        pytest.skip("this system lets nobody have a pid namespace")
    others = [sys.executable, "-I", "-c", FOREIGN]
    with subprocess.Popen(others, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as foreign:
        try:
            assert foreign.stdout and foreign.stdout.readline() == "there\n"
            code = """
answer = []
for _ in range(4):
    child = os.fork()
    if child == 0:
        os._exit(7)
    answer.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
            before = "os.geteuid() or os.setresuid(65533, 65533, 65533)"
            assert [7] * 4 == confined(code, before=before, under=elsewhere)[0]
        finally:
            foreign.kill()


def test_the_driver_opens_its_files_for_a_worker_and_for_nobody_else() -> None:
    code = """
def ask():
    one = proc.Proc()
    areas = one.areas(0, 1 << 47)
    return [len(areas) > 10, one.present(id(one) & -4096, (id(one) & -4096) + 4096) != [], one.locked(), one.size() > 9]
answer = [ask()]
out, into = os.pipe()
if os.fork() == 0:
    os.write(into, json.dumps(ask()).encode())
    os._exit(0)
answer.append(json.loads(os.read(out, 99)))
"""
    assert confined(code, before="import resource")[0] == [[True, True, 0, True]] * 2
    assert [descends(os.getpid(), os.getpid()), descends(os.getpid(), os.getppid())] == [True, True]
    assert [descends(os.getppid(), os.getpid()), descends(1, os.getpid()), descends(0, 5)] == [False] * 3


def test_it_gets_no_more_of_the_environment_than_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VMALAB_TEST_TOKEN", "a secret")
    with Live() as live:
        live.run(Scenario("x", ()))
        (pid,) = driver_pids(live)
        variables = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    assert {one.partition(b"=")[0].decode() for one in variables if one} <= set(PASSED_ON)


# --- what it must not change ---


def test_everything_a_scenario_may_do_goes_on_in_it(machine: Live) -> None:
    calls = (
        Mmap(page(0), 4 * PAGE, 3, "file", "a"),
        Mmap(page(8), 4 * PAGE, 3, "zero"),
        Touch(page(0), 4 * PAGE, 5),
        Fork(),
        ForkChild(),
        Mremap(page(0), 4 * PAGE, 4 * PAGE, 3, page(20)),
        ForkChild(),
        Read(page(20), 2 * PAGE),
    )
    played = machine.run(Scenario("all", calls, contents=True))
    assert played.error is None
    assert played.outcomes[-1].values == (5000, 5001)
    assert machine.missing() == {}


def test_more_files_than_a_scenario_may_have(machine: Live) -> None:
    calls = tuple(Mmap(page(n), PAGE, 3, "file", f"f{n}") for n in range(129))
    played = machine.run(Scenario("files", calls))
    assert len(played.outcomes) == 128
    assert "a scenario may have 128 files on the live machine" in str(played.error)


@pytest.mark.parametrize(
    ("what", "sentence"),
    [
        ("seccomp", "this system lets no process give up system calls by seccomp (EINVAL)"),
        ("a seccomp that is heeded", "by seccomp (it takes the filter and does not heed it)"),
    ],
)
def test_a_system_without_filters_is_said_to_be_one_and_works(
    monkeypatch: pytest.MonkeyPatch, what: str, sentence: str
) -> None:
    without(monkeypatch, what)
    calls = (Mmap(page(0), PAGE), ForkChild(), Touch(page(0), PAGE), Read(page(0), PAGE))
    with Live() as live:
        assert live.run(Scenario("x", calls)).outcomes[-1].values == (3000,)
        assert sentence in live.missing()["sandbox"]
        assert sentence in live.abilities().notes["sandbox"]
