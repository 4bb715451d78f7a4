"""The sandbox of a worker: which system calls it may still make, and how much of the machine it may take.

A scenario can overwrite the memory of the process that runs it, so in the end it can make that process do anything.
Here stands what it can not do even then: open a file, reach the network, start a program, signal or inspect another
process.  The filter is classic BPF, written out here because the driver has the standard library alone and runs where
libseccomp may not be.  docs/threat-model.md says against whom this defends, and against whom not.

Forbidden calls answer EPERM, so the driver can say what went wrong; those of another architecture (int 0x80) end the
process, since their numbers mean something else.
"""

from __future__ import annotations

import ctypes
import os
import resource
import struct
from collections.abc import Iterable

from . import kernel, proc
from .broker import Broker

MOST_OPEN = 256
"""RLIMIT_NOFILE: descriptors of one process."""
MOST_FILE = 4096 * kernel.PAGE
"""RLIMIT_FSIZE in bytes: just a scenario's memfd."""
MOST_TASKS = 256
"""Processes and threads of the driver and all that comes from it.  The driver counts them: RLIMIT_NPROC counts a
user's tasks on the whole node, those of other containers too, which this one can't see."""

MOST_RESIDENT = 2 << 30
"""Bytes of memory.  The driver looks at it, since RLIMIT_RSS does nothing and RLIMIT_AS would change answers."""

ALLOWED = {
    "read": 0, "write": 1, "pread64": 17, "mmap": 9, "munmap": 11, "mprotect": 10, "mremap": 25, "brk": 12,
    "close": 3, "fstat": 5, "poll": 7, "lseek": 8, "pwrite64": 18, "select": 23, "pipe2": 293, "ppoll": 271,
    "pselect6": 270, "recvmsg": 47, "memfd_create": 319, "ftruncate": 77,
    "mlock": 149, "munlock": 150, "mlockall": 151, "munlockall": 152, "mlock2": 325, "mseal": 462,
    "rt_sigaction": 13, "rt_sigprocmask": 14, "rt_sigreturn": 15, "sigaltstack": 131, "pause": 34,
    "setitimer": 38,
    "exit": 60, "exit_group": 231, "wait4": 61, "waitid": 247, "restart_syscall": 219,
    "getpid": 39, "getppid": 110, "gettid": 186, "getuid": 102, "geteuid": 107, "getgid": 104, "getegid": 108,
    "capget": 125, "uname": 63, "sysinfo": 99, "getrlimit": 97, "getrusage": 98, "times": 100,
    "futex": 202, "set_robust_list": 273, "rseq": 334, "sched_yield": 24, "sched_getaffinity": 204, "getcpu": 309,
    "clock_gettime": 228, "clock_getres": 229, "clock_nanosleep": 230, "nanosleep": 35, "gettimeofday": 96,
    "time": 201, "getrandom": 318,
}  # fmt: skip
"""System calls that a worker, and the driver, may make with any arguments."""

DRIVER_ONLY = {
    "open": 2, "openat": 257, "newfstatat": 262, "getdents64": 217, "fcntl": 72, "dup": 32, "dup2": 33, "dup3": 292,
    "sendmsg": 46, "kill": 62, "pidfd_open": 434, "setpgid": 109, "getpgid": 121, "getsid": 124,
    "capset": 126,
}  # fmt: skip
"""What the driver may do besides, and its workers no more: open files, wait for workers, end them, record."""

FORK, VFORK, CLONE, CLONE3, PRLIMIT, TGKILL = 57, 58, 56, 435, 302, 234
SCHED_SETAFFINITY, SECCOMP, SOCKET, OPEN = 203, 317, 41, 2

_NEW_NAMESPACES = 0x7E02_0080  # CLONE_NEW*: namespaces of one's own would give back capabilities in them
_UFFD_IOCTLS = (0xC018_AA3F, 0xC020_AA00, 0x8010_AA01, 0x8010_AA02, 0xC028_AA03, 0xC020_AA04, 0xC018_AA06, 0xAA00)
_PRCTLS = (
    kernel.PR_SET_PDEATHSIG,
    kernel.PR_CAPBSET_READ,
    kernel.PR_CAPBSET_DROP,
    kernel.PR_CAP_AMBIENT,
    kernel.PR_SET_NO_NEW_PRIVS,
    15,  # PR_SET_NAME, of a thread
    0x5356_4D41,  # PR_SET_VMA: names of anonymous memory
    35,  # PR_SET_MM: where the heap is
)
_POISON = (100, 101)  # MADV_HWPOISON, MADV_SOFT_OFFLINE: pages of the whole machine

_AUDIT_ARCH_X86_64, _X32 = 0xC000_003E, 0x4000_0000
_NUMBER, _ARCH, _ARGUMENTS = 0, 4, 16
_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
ALLOW, _KILL, _ERRNO = 0x7FFF_0000, 0x8000_0000, 0x0005_0000
_EPERM, _ENOSYS = 1, 38
REFUSED = _ERRNO | _EPERM

_SET_MODE_FILTER, _SPEC_ALLOW = 1, 4
_SOME_PID = 0xFEED_FACE
_ANY = struct.pack("<I", _SOME_PID)

Code = list[tuple[int, int, int, int]]
"""Instructions of classic BPF: operation, jump if true, jump if false, constant."""


def _argument(number: int) -> tuple[int, int, int, int]:
    """Load the low half of an argument: the kernel takes these as 32-bit numbers."""
    return _LOAD, 0, 0, _ARGUMENTS + 8 * number


def _return(value: int) -> tuple[int, int, int, int]:
    return _RETURN, 0, 0, value


def one_of(argument: int, values: Iterable[int]) -> Code:
    """Allow the call if an argument is one of these."""
    code: Code = [_argument(argument)]
    for value in values:
        code += [(_EQUAL, 0, 1, value), _return(ALLOW)]
    return [*code, _return(REFUSED)]


def _none_of(argument: int, values: Iterable[int]) -> Code:
    """Refuse the call if an argument is one of these."""
    code: Code = [_argument(argument)]
    for value in values:
        code += [(_EQUAL, 0, 1, value), _return(REFUSED)]
    return [*code, _return(ALLOW)]


def bits(argument: int, bits: int, having: int, lacking: int) -> Code:
    """What to answer if an argument has one of these bits, and if it has none."""
    return [_argument(argument), (_ANY_BIT, 0, 1, bits), _return(having), _return(lacking)]


def rules() -> dict[int, Code]:
    """System calls whose arguments decide."""
    return {
        kernel.SYS_MADVISE: _none_of(2, _POISON),
        kernel.SYS_IOCTL: one_of(1, _UFFD_IOCTLS),
        kernel.SYS_PRCTL: one_of(0, _PRCTLS),
        kernel.SYS_USERFAULTFD: bits(0, 1, ALLOW, REFUSED),  # UFFD_USER_MODE_ONLY
        FORK: [_return(ALLOW)],
        VFORK: [_return(ALLOW)],
        CLONE: bits(0, _NEW_NAMESPACES, REFUSED, ALLOW),
        CLONE3: [_return(_ERRNO | _ENOSYS)],  # its flags lie in memory; C libraries then use clone
        PRLIMIT: one_of(0, (0,)),  # of this process only
        SCHED_SETAFFINITY: one_of(0, (0,)),
        TGKILL: [_return(ALLOW)],  # a worker: of itself only
        SECCOMP: one_of(0, (_SET_MODE_FILTER,)),  # a further filter can only take away
    }


def program(allowed: Iterable[int], decide: dict[int, Code], otherwise: int = REFUSED) -> bytes:
    """The filter as the kernel takes it: what is `allowed`, what `decide` looks into, and the answer to the rest."""
    code: Code = [(_LOAD, 0, 0, _ARCH), (_EQUAL, 1, 0, _AUDIT_ARCH_X86_64), _return(_KILL)]
    code += [(_LOAD, 0, 0, _NUMBER), (_AT_LEAST, 0, 1, _X32), _return(_ERRNO | _ENOSYS)]
    numbers = list(allowed)
    # Calls that are always allowed come first and look at no argument: the kernel (5.11) then skips the filter.
    for left, number in zip(range(len(numbers), 0, -1), numbers, strict=True):
        code.append((_EQUAL, left, 0, number))
    code += [(_EQUAL, 1, 1, 0), _return(ALLOW)]
    for number, block in decide.items():
        code += [(_EQUAL, 0, len(block), number), *block]
    code.append(_return(otherwise))
    return b"".join(struct.pack("<HBBI", *one) for one in code)


def install(filter_: bytes) -> None:
    """Put a filter on this process for good; OSError where the system does not let it."""
    kernel.prctl(kernel.PR_SET_NO_NEW_PRIVS, 1)
    code = ctypes.create_string_buffer(filter_, len(filter_))
    head = ctypes.create_string_buffer(struct.pack("<HxxxxxxQ", len(filter_) // 8, ctypes.addressof(code)), 16)
    # Without SPEC_ALLOW kernels before 5.16 slow down the process, and so what is measured in it.
    for flags in (_SPEC_ALLOW, 0):
        if kernel.raw(SECCOMP, _SET_MODE_FILTER, flags, ctypes.addressof(head)) == 0:
            return
    number = ctypes.get_errno()
    raise OSError(number, os.strerror(number))


def taken_away(forks: bool, limits: bool, driver: bool = True) -> bytes:
    """A filter that takes away new processes without `forks`, its own limits without `limits`, and `DRIVER_ONLY`.

    For whatever process: it holds `_SOME_PID` where the id of the process belongs.
    """
    refused: dict[int, Code] = {}
    if driver:
        refused |= {number: [_return(REFUSED)] for number in DRIVER_ONLY.values()}
        refused[kernel.SYS_FCNTL] = one_of(1, (kernel.F_ADD_SEALS,))
        refused[TGKILL] = one_of(0, (_SOME_PID,))  # abort() of the C library
    if not forks:
        refused |= {number: [_return(REFUSED)] for number in (CLONE, FORK, VFORK)}
    if not limits:
        refused[PRLIMIT] = [_return(REFUSED)]
    return program((), refused, ALLOW)


class Sandbox:
    """Made once by the driver, which enters its outer part; entered by each of its workers.

    `why_open`: None, or one sentence if this system has no filters; driver and workers then go on with the rest.
    """

    def __init__(self) -> None:
        self.broker = Broker()
        self.most_resident = most_resident()
        self._entered = False
        both = [(forks, limits) for forks in (False, True) for limits in (False, True)]
        self._filters = {(True, *one): taken_away(*one) for one in both}
        self._filters |= {(False, *one): taken_away(*one, driver=False) for one in both}
        self.why_open: str | None = None
        if kernel.ARM:  # the lists above have the numbers of x86-64
            self.why_open = "the driver knows no filter for the system calls of arm64"
            return
        try:
            install(program([*ALLOWED.values(), *DRIVER_ONLY.values()], rules()))
        except OSError as error:
            self._fails(kernel.symbol(error.errno or 0))
        else:
            if kernel.call(SOCKET, 2, 1)[1] != "EPERM":  # a sandbox around this one may only say that it filters
                self._fails("it takes the filter and does not heed it")

    def _fails(self, reason: str) -> None:
        self.why_open = f"this system lets no process give up system calls by seccomp ({reason})"

    def enter(self, forks: bool = True, limits: bool = True) -> None:
        """Let this process, a worker, make the calls of a worker only: without new processes, without new limits.

        A second time it only takes away more.
        """
        first, self._entered = not self._entered, True
        if first:
            self.broker.leave()
            proc.OPEN = self.broker.ask
            proc.REOPEN = self.broker.ask_again
        if self.why_open is None and (first or not (forks and limits)):
            install(self._filters[first, forks, limits].replace(_ANY, struct.pack("<I", os.getpid())))


def limit() -> None:
    """What holds for the driver and everything that it forks: files, their size, and no core dump."""
    # 1 and not 0: a core_pattern with a pipe is served at 0 too, but not at 1; and no core file is that small.
    core = 1 if resource.getrlimit(resource.RLIMIT_CORE)[1] != 0 else 0  # a hard limit of 0 can't be raised
    resource.setrlimit(resource.RLIMIT_CORE, (core, core))
    for which, most in ((resource.RLIMIT_NOFILE, MOST_OPEN), (resource.RLIMIT_FSIZE, MOST_FILE)):
        soft, hard = (most if now == resource.RLIM_INFINITY else min(now, most) for now in resource.getrlimit(which))
        resource.setrlimit(which, (soft, hard))


def limit_address_space(size: int | None) -> None:
    """RLIMIT_AS in bytes; None: as much as this process ever may."""
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    soft = hard if size is None or (hard != resource.RLIM_INFINITY and hard < size) else size
    resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def tasks(pid: int, most: int = MOST_TASKS) -> int:
    """How many tasks process `pid` and all that comes from it have; counted no further than a little over `most`.

    O(tasks) where the kernel lists children (CONFIG_PROC_CHILDREN), else O(processes of this system).
    """
    count, left = 0, [str(pid)]
    while left and count <= most:
        process = left.pop()
        try:
            threads = os.listdir(f"/proc/{process}/task")
            count += len(threads)
            for thread in threads:
                with open(f"/proc/{process}/task/{thread}/children", "rb") as children:
                    left += children.read().decode().split()
        except FileNotFoundError:
            if process == str(pid):
                return _tasks_of_group()
        except OSError:
            pass  # it has just ended
    return count + len(left)


def _tasks_of_group() -> int:
    """The processes of this process's group, which no worker can leave."""
    group, count = os.getpgid(0), 0
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                with open(f"/proc/{entry}/stat", "rb") as stat:
                    count += int(stat.read().rpartition(b")")[2].split()[2]) == group
            except OSError:
                pass  # it has just ended
    return count


def resident(pid: int) -> int:
    """Bytes of memory that a process holds now, shared ones included; 0 if it is gone."""
    try:
        with open(f"/proc/{pid}/statm", "rb") as statm:
            return int(statm.read().split()[1]) * kernel.PAGE
    except (OSError, ValueError, IndexError):
        return 0


def most_resident() -> int:
    """Bytes that one process of a worker may hold: `MOST_RESIDENT`, or half of the memory of a small machine."""
    return min(MOST_RESIDENT, os.sysconf("SC_PHYS_PAGES") * kernel.PAGE // 2)
