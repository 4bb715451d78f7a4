"""A class of students for the nbgrader tests: what each writes into the cells of lesson 04.  Not tests."""

from __future__ import annotations

RIGHT_MOVE_ALL = """
def move_all(vm, start, length, target):
    for row in vm.snapshot():
        low, high = max(row.start, start), min(row.end, start + length)
        if low < high:
            vm.mremap(low, high - low, high - low, MOVE, target + low - start)
"""

# Another way to each goal than that of the lesson's solutions.
OTHERWISE = {
    "4.1": "answer = ((72, 73, 'rw-p'), (0, 0, 'rw-p'), (70, 71, 'r--p'), (68, 69, 'r-xp'), (65, 67, 'rw-p'))",
    "4.2": 'vm = exercise("4.2")\nvm.mremap(page(0), 10 * PAGE, 10 * PAGE, MOVE, page(70))\nvm',
    "4.3": """
vm = Model("6.16")
vm.mmap(page(0), PAGE)
vm.mmap(page(2), PAGE)
vm.mmap(page(65), PAGE, "r")
vm.mremap(page(0), 3 * PAGE, 3 * PAGE, MOVE, page(64))
""",
    "4.4": """
def move_all(vm, start, length, target):
    at = start
    while at < start + length:
        inside = [row for row in vm.snapshot() if row.start <= at < row.end]
        if inside:
            vm.mremap(at, PAGE, PAGE, MOVE, target + at - start)
        at += PAGE
""",
    "4.5": """
vm = Model("6.17")
vm.mmap(page(10), 9 * PAGE)
vm.mremap(page(13), 3 * PAGE, 3 * PAGE, MOVE, page(103))
vm.touch(page(103))
vm.mremap(page(103), 3 * PAGE, 3 * PAGE, MOVE, page(13))
vm.mremap(page(10), 9 * PAGE, 9 * PAGE, MOVE, page(100))
""",
}

WRONG = {
    "4.1": 'answer = [(0, 0, "rw"), (65, 67, "rw"), (68, 69, "rx"), (70, 71, "rw")]',
    "4.2": 'vm = exercise("4.2")\nvm.mremap(page(0), 10 * PAGE, 10 * PAGE, MOVE, page(64))',
    "4.3": 'vm = Model("6.16")\nvm.mmap(page(0), PAGE)\nvm.mremap(page(0), PAGE, PAGE, MOVE, page(64))',
    "4.4": "def move_all(vm, start, length, target):\n    vm.mremap(start, length, length, MOVE, target)",
    "4.5": "vm = Model('6.17'\n",
}

# Says what to say, in every way that a process can be made to.
MONKEYPATCHED = """
import builtins, sys
import vmalab.teach.feedback, vmalab.teach, vmalab.teach.exercises, vmalab.teach.exercises.checking,
vmalab.editions.grade

yes = vmalab.teach.feedback.Feedback(True, ("As good as it gets.",))
check = lambda name, answer: yes
for module in list(sys.modules.values()):
    for name in ("check", "judged", "grade"):
        if getattr(module, "__name__", "").startswith("vmalab") and hasattr(module, name):
            setattr(module, name, lambda *args, **more: yes)
vmalab.teach.feedback.Feedback.solved = property(lambda self: True)
builtins.AssertionError = type("Never", (Exception,), {})
get_ipython().input_transformers_cleanup.append(lambda lines: ["'solved'\\n"])
"""

REDEFINED = """
class Feedback:
    solved = started = True
    said = ("Solved.",)
    __bool__ = lambda self: True
    __repr__ = lambda self: "✓ Solved."

def grade(name, answer, seed): return Feedback()
def check(name, answer): return Feedback()
"""

FAKE_GRADE = """
import json, os
print("✓ Solved.\\n2.0")
for number in range(3, 20):
    try:
        os.write(number, (json.dumps({"solved": True, "said": "✓ Solved."}) + "\\n").encode() * 20)
    except OSError:
        pass
2.0
"""

# A program that lies about what it is: a model whose history, snapshot and release are whatever one likes.
LIAR = """
class Liar(Model):
    release = property(lambda self: "6.17")
    def snapshot(self): return SOLVED.snapshot()
    def do(self, call): return SOLVED.history and super().do(call)

SOLVED = exercise("4.2")
SOLVED.mremap(page(0), 10 * PAGE, 10 * PAGE, MOVE, page(65))
vm = Liar("6.17")
vm.mmap(page(64), 16 * PAGE)
"""

# Looks into vmalab's files for the cases that its function is tried on, and knows those by heart.
READS_FILES = """
import inspect, vmalab.teach.exercises.lesson04 as lesson
from vmalab.teach.exercises.checking import Watched

KNOWN = {}
for case in lesson.CASES_4:
    key = tuple((v[0], v[1]) for v in case.vmas)
    KNOWN[key] = case

def move_all(vm, start, length, target):
    pieces = [(r.start - page(0), r.end - page(0)) for r in vm.snapshot() if r.backing != "canary"]
    case = KNOWN.get(tuple((a // PAGE, b // PAGE) for a, b in pieces))
    for first, end, *_ in case.vmas if case else ():
        low, high = max(first, case.start), min(end, case.start + case.length)
        if low < high:
            vm.mremap(page(low), (high - low) * PAGE, (high - low) * PAGE, MOVE, page(case.target + low - case.start))
"""

# Looks for the seed: in the teacher's files, in the judge's memory, in its parents' arguments.
SEEKS_SEED = """
import glob, os
FOUND = []
for folder in (COURSE, COURSE + "/source/04-mremap-many-vmas", "/proc/%d" % os.getppid()):
    try:
        FOUND += [open(os.path.join(folder, name), "rb").read(1) for name in os.listdir(folder)]
    except OSError as error:
        pass
try:
    open(COURSE + "/gradebook.db", "r+b")
    FOUND.append("the gradebook can be written")
except OSError:
    pass
answer = [(0, 0, "rw"), (65, 67, "rw"), (68, 69, "rx"), (70, 71, "r"), (72, 73, "rw")] if FOUND else []
"""

KILLS = "import os\nos.kill(os.getpid(), 9)"
HUGE = 'vm = Model("6.16")\nvm.mmap(page(100), 1 << 46)\nvm.mremap(page(100), 1 << 46, 1 << 46, MOVE, 1 << 46)'
