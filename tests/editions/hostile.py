"""Fifty submissions that want more than their marks: ten of many lines, forty of a few.  Not tests.

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
    "to outlive its keeper": "import ctypes; r = ctypes.CDLL(None).prctl(1, 0, 0, 0, 0); answer = None if r < 0 else r",
    "to be looked into": "import ctypes; r = ctypes.CDLL(None).prctl(4, 1, 0, 0, 0); answer = None if r < 0 else r",
    "priority": "import os; answer = os.nice(-5)",
    "real time": "import os; os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(9)); answer = 1",
    "thousands of threads": (
        "import threading; threading.stack_size(32768); e = threading.Event(); answer = []\n"
        "while len(answer) < 6000: (t := threading.Thread(target=e.wait, daemon=True)).start(); answer.append(t.name)\n"
        "e.wait()"
    ),
    "folders without end": "import os\nfor _ in range(1500): os.mkdir('a'); os.chdir('a')\nanswer = 1 / 0",
    "a pipe of its own name": "import os; os.mkfifo('p'); answer = 1",
    "a device": "import os, stat; os.mknod('d', stat.S_IFCHR | 0o666, os.makedev(1, 1)); answer = 1",
    "the list of processes": "import os; answer = [p for p in os.listdir('/proc') if p.isdigit()]",
    "the grader's files": "import os; answer = os.listdir(os.path.dirname(os.getcwd()))",
    "the home of who grades": "import os; answer = os.listdir('/root') + os.listdir('/home')",
    "a lease on a file": "import fcntl; answer = fcntl.fcntl(open('f', 'w'), fcntl.F_SETLEASE, fcntl.F_WRLCK)",
    "keys of the kernel": "import ctypes; r = ctypes.CDLL(None).syscall(250, 0, -3, 1); answer = None if r < 0 else r",
    "a perf event": "import ctypes; r = ctypes.CDLL(None).syscall(298, 0, 0, -1, -1, 0); answer = None if r < 0 else r",
    "a root of its own": "import os; os.chroot('.'); answer = 1",
    "another's clock": "import time; time.clock_settime(time.CLOCK_REALTIME, 0); answer = 1",
    "a shell by magic": "get_ipython().system('id'); answer = 1",
    "half a character": "print('\\ud800'); answer = '\\ud800'; raise ValueError('\\udfff')",
    "a set that takes hours": (
        "import sys; V = {'set': [{'plain': n * (2**61 - 1)} for n in range(150_000)]}; mine = []\n"
        "for m in list(sys.modules.values()):\n"
        "    if m.__name__.startswith('vmalab.editions') and hasattr(m, 'encode'):\n"
        "        mine.append((m, m.encode))\n"
        "        m.encode = lambda v, d=0: [setattr(x, 'encode', y) for x, y in mine] and V\n"
        "answer = 1"
    ),
    "outputs without end": (
        "from IPython.display import display\nclass T:\n    __repr__ = lambda s: 'x' * 50_000\n"
        "for _ in range(50): display(T())\nanswer = ..."
    ),
    "a lying class": "class M(Model):\n    history = property(lambda self: 1 / 0)\nanswer = M('6.17')",
}
"""Attacks in a line, each of which leaves in `answer` what it got."""
