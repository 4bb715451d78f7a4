"""What a student sees leads to no secret and no answer: what is made without the secret can't know it, and what a
lesson's feedback says opens no other lesson.

Release and feedback of a whole class are searched in test_nbgrader.py, banks in test_bank.py, sheets in test_exam.py.
"""

from __future__ import annotations

import itertools
import json
import re
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

from nbformat import NotebookNode

from vmalab.editions.drawn_problems import drawn, names
from vmalab.editions.nbgrader import assignment
from vmalab.editions.secret import derived, key_of
from vmalab.editions.source import read
from vmalab.programs.data import lessons
from vmalab.teach.own_problems import entry_name

SECRET = sha256(b"only the lecturer of this test knows").digest()
STUDENT = "mallory"

WITHOUT = """
import sys
from pathlib import Path
for name in ("secret", "drawn_problems"):
    sys.modules[f"vmalab.editions.{name}"] = None
from vmalab.editions import build, hub, pages, reference, site, slides, solution, student
from vmalab.programs.data import lessons
print(build("student", Path(sys.argv[1]), lessons=[lessons() / "00-start-here.ipynb"]).files)
"""


def test_what_is_handed_out_beside_a_course_is_made_without_its_secret(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", WITHOUT, str(tmp_path)], capture_output=True, text=True, check=False)
    assert ("", True) == (done.stderr, int(done.stdout) > 0)


def source(name: str) -> NotebookNode:
    """A lesson as the assignment's source, of which students get a part."""
    return assignment(read(lessons() / f"{name}.ipynb"), SECRET, [STUDENT])


def seeds(key: str, lesson: str) -> set[str]:
    """From what the problems of a lesson are drawn."""
    return {derived(key.encode(), f"{name} 0") for name in names(lesson)}


def opens(word: str) -> bool:
    """Whether this, taken as the secret, as a key or as what a key is made from, gives what the second lesson has."""
    wanted = opened_by(key_of(SECRET, "02", STUDENT))
    tried = {word, key_of(word.encode(), "02", STUDENT), derived(word.encode(), f"lesson 02 student {STUDENT}")}
    if re.fullmatch("([0-9a-f]{2})+", word):
        tried.add(key_of(bytes.fromhex(word), "02", STUDENT))
    return any(wanted & opened_by(one) for one in tried)


def opened_by(key: str) -> set[str]:
    return seeds(key, "02") | {derived(key.encode(), "cases 2.4")}


def test_the_first_lesson_opens_nothing_of_the_second() -> None:
    """Even with solutions and hidden tests of the first lesson, its problems, their seeds, digests and answers."""
    nb = source("01-address-space")
    key = key_of(SECRET, "01", STUDENT)
    known = [one for name in names("01") if (one := drawn(name, key)) is not None]
    text = json.dumps(nb) + "".join(f" {one.seed} {one.digest} {one.answer} {one.text()}" for one in known)
    words = {STUDENT, "vmalab", "everybody", *re.findall(r"[\w.+-]{3,}", text)}
    words |= {entry_name(lesson, STUDENT) for lesson in ("01", "02")} | {key, *seeds(key, "01")}
    pairs = itertools.permutations((STUDENT, "01", "02", "vmalab"), 2)
    words |= {f"{a}{between}{b}" for a, b in pairs for between in " /:"}
    words |= {sha256(word.encode()).hexdigest() for word in words}
    assert opens(SECRET.hex()) and len(words) > 1000
    assert [] == [word for word in words if opens(word)]


def test_no_source_of_an_assignment_holds_what_is_made_from_the_secret() -> None:
    key = key_of(SECRET, "02", STUDENT)
    text = json.dumps(source("02-mremap-one-vma"))
    made = {SECRET.hex(), key, *seeds(key, "02"), STUDENT}
    made |= {str(one.seed) for name in names("02") if (one := drawn(name, key)) is not None}
    assert [] == [one for one in made if one in text]
