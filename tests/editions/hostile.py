"""Ten submissions that want more than their marks, and what each does to lesson 04's cells.  Not tests.

Each is code for the cell of exercise 4.1, which leaves in `answer` what the attack was after, if it got it.
"""

from __future__ import annotations

FILES = """
import os
got = []
def attempt(what):
    try:
        got.append(what())
    except (OSError, AttributeError, ValueError):
        pass
for name in ("vmalab.secret", "gradebook.db", "nbgrader_config.py"):
    attempt(lambda: os.chmod(os.path.join(COURSE, name), 0))
    attempt(lambda: os.chown(os.path.join(COURSE, name), 1, 1))
    attempt(lambda: os.utime(os.path.join(COURSE, name), (1, 1)))
    attempt(lambda: os.setxattr(os.path.join(COURSE, name), "user.x", b"x"))
    attempt(lambda: os.link(os.path.join(COURSE, name), "mine"))
    attempt(lambda: open(os.path.join(COURSE, name)).read())
    attempt(lambda: os.unlink(os.path.join(COURSE, name)))
answer = got
"""

TERMINAL = """
import fcntl, os, termios
got = []
for place in ("/dev/tty", "/dev/ptmx", "/dev/pts/0", "/dev/console", 0, 1, 2):
    try:
        fd = os.open(place, os.O_RDONLY) if isinstance(place, str) else place
        for letter in b"id\\n":
            fcntl.ioctl(fd, termios.TIOCSTI, bytes([letter]))
        got.append(place)
    except OSError:
        pass
answer = got
"""

FORKS = """
import os, subprocess, _posixsubprocess
got = []
for make in (os.fork, lambda: subprocess.Popen(["/bin/sleep", "1000"]), lambda: os.posix_spawn("/bin/true", ["x"], {}),
             os.setsid, lambda: os.execv("/bin/true", ["true"])):
    try:
        if make() == 0:
            os._exit(0)
        got.append(1)
    except OSError:
        pass
answer = got
"""

KILLS = """
import os, signal
got = []
for number in (0, -1, -os.getppid(), os.getppid(), *range(2, 400)):
    for how in (signal.SIGKILL, signal.SIGSTOP, 0):
        try:
            os.kill(number, how)
            got.append(number)
        except OSError:
            pass
    try:
        signal.pidfd_send_signal(os.pidfd_open(number), 9)
        got.append(number)
    except OSError:
        pass
answer = got
"""

NETWORK = """
import socket
got = []
from socket import AF_INET, AF_NETLINK, AF_PACKET, AF_UNIX, SOCK_DGRAM, SOCK_RAW, SOCK_STREAM
for family, kind in ((AF_INET, SOCK_STREAM), (AF_INET, SOCK_DGRAM), (AF_UNIX, SOCK_STREAM), (AF_PACKET, SOCK_RAW),
                     (AF_NETLINK, SOCK_RAW)):
    try:
        got.append(socket.socket(family, kind))
    except OSError:
        pass
answer = [str(one) for one in got]
"""

ENVIRONMENT = """
import os
answer = [name for name in os.environ if "SECRET" in name or "TOKEN" in name or "HUB" in name]
for pid in (os.getppid(), 1, "self"):
    for name in ("environ", "cmdline", "maps", "mem"):
        if pid != "self":
            try:
                answer.append(open("/proc/%s/%s" % (pid, name), "rb").read(1))
            except OSError:
                pass
print(dict(os.environ))
"""

FILLS = """
import os
answer = []
for number in range(40):
    with open("f%d" % number, "wb") as file:
        try:
            file.write(b"x" * (16 << 20))
        except OSError:
            pass
answer = ["filled"] if sum(os.path.getsize(one) for one in os.listdir(".")) > 600 << 20 else []
"""

PRINTS = """
print("x" * 100_000_000)
for _ in range(20):
    print("y" * 10_000_000)
answer = [(0, 0, "rw"), (65, 67, "rw"), (68, 69, "rx"), (70, 71, "r"), (72, 73, "rw")]
"""

ENDLESS = """
while True:
    try:
        while True:
            pass
    except BaseException:
        pass
"""

JUDGE = """
import ctypes, gc, json, os, sys
got = []
for thing in gc.get_objects():
    if isinstance(thing, dict) and "key" in thing and "cells" in thing:
        got.append(1)
libc = ctypes.CDLL(None, use_errno=True)
# ptrace, process_vm_readv and _writev, unshare, mount, chroot, bpf, perf_event_open, io_uring, userfaultfd, keys
for number in (101, 310, 311, 272, 165, 161, 321, 298, 425, 323, 250, 248):
    if libc.syscall(number, 16, os.getppid(), 0, 0, 0, 0) >= 0:
        got.append(number)
for fd in range(3, 200):
    for line in ({"solved": True, "said": "✓ Solved."}, {"answer": {"plain": 1}}):
        try:
            os.write(fd, (json.dumps(line) + "\\n").encode() * 3)
        except OSError:
            pass
answer = got or ...
"""

ALL = {
    "files": FILES, "terminal": TERMINAL, "forks": FORKS, "kills": KILLS, "network": NETWORK,
    "environment": ENVIRONMENT, "fills": FILLS, "floods": PRINTS, "endless": ENDLESS, "judge": JUDGE,
}  # fmt: skip

SINGLE = {
    "the secret": "answer = open(COURSE + '/vmalab.secret').read()",
    "the shared temporary folder": "import os; answer = os.listdir('/tmp')",
    "passwords": "answer = open('/etc/shadow').read()",
    "another process's environment": "answer = open('/proc/1/environ').read()",
    "a link into the course": "import os; os.symlink(COURSE, 'l'); answer = os.listdir('l')",
    "a file moved out": "import os; open('x', 'w').write('x'); os.rename('x', COURSE + '/x'); answer = 1",
    "this package": "import vmalab; open(vmalab.__file__, 'a').write('#'); answer = 1",
    "truncate": "import os; os.truncate(COURSE + '/gradebook.db', 0); answer = 1",
    "a raised limit": "import resource; resource.setrlimit(resource.RLIMIT_AS, (-1, -1)); answer = 1",
    "memory without a limit": "import os; answer = os.memfd_create('x')",
    "clone": "import ctypes; r = ctypes.CDLL(None).syscall(56, 17, 0, 0, 0, 0); answer = None if r < 0 else r",
    "an abstract socket": "import socket; socket.socket(socket.AF_UNIX).connect('\\0x'); answer = 1",
    "shared memory": "import ctypes; r = ctypes.CDLL(None).shmget(1, 4096, 0o1777); answer = None if r < 0 else r",
    "mount": "import ctypes; r = ctypes.CDLL(None).mount(b'x', b'/tmp', b'tmpfs', 0, 0); answer = None if r < 0 else 1",
    "unshare": "import ctypes; r = ctypes.CDLL(None).unshare(0x10000000); answer = None if r < 0 else 1",
    "a new filter": "import ctypes; r = ctypes.CDLL(None).prctl(22, 1, 0, 0, 0); answer = None if r < 0 else 1",
    "an interpreter": "import subprocess, sys; answer = subprocess.check_output([sys.executable, '-c', 'print(1)'])",
    "a deep answer": "answer = []\nfor _ in range(100_000): answer = [answer]",
    "a long answer": "answer = 'x' * (9 << 20)",
    "a lying class": "class M(Model):\n    history = property(lambda self: 1 / 0)\nanswer = M('6.17')",
}
"""Attacks in a line, each of which leaves in `answer` what it got."""
