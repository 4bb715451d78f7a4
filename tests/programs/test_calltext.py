"""Calls as words, as C and as Python: one wording everywhere, and the Python really makes the call it shows."""

from __future__ import annotations

import doctest

import pytest
from attrs import evolve

import vmalab.programs.calltext as calltext
from tests.sample_outcomes import random_outcomes
from vmalab.linux.addr import PAGE, page
from vmalab.linux.call import Call, Fork, ForkChild, Limit, Madvise, Mmap, Mprotect, Mremap, Munmap, Read, Touch
from vmalab.linux.flags import MREMAP_DONTUNMAP, MREMAP_FIXED, MREMAP_MAYMOVE
from vmalab.machines.model import Model
from vmalab.programs.calltext import c_call, call_text, place, python_call, result_text, size, span


def test_examples_in_the_docstrings():
    assert 0 == doctest.testmod(calltext).failed


@pytest.mark.parametrize(
    ("call", "words", "c", "python"),
    [
        (
            Mmap(page(3), 2 * PAGE, 1),
            'mmap(page 3, 2 pages, "r")',
            "mmap((void *)0x1000003000, 2 * 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);",
            'vm.mmap(page(3), 2 * PAGE, "r")',
        ),
        (
            Mmap(None, PAGE, 3, "sharedfile", "f1", 4, fixed=False),
            'mmap(anywhere, 1 page, "rw", sharedfile f1 from page 4)',
            "mmap(NULL, 1 * 4096, PROT_READ | PROT_WRITE, MAP_SHARED, f1, 4 * 4096);",
            'vm.mmap(None, PAGE, "rw", kind="sharedfile", file="f1", pgoff=4)',
        ),
        (
            Mremap(page(0), 0, 5000, MREMAP_MAYMOVE | 8, 0),
            "mremap(page 0, 0 pages, 1 page + 904 bytes, MREMAP_MAYMOVE | 0x8, 0x0)",
            "mremap((void *)0x1000000000, 0, 5000, MREMAP_MAYMOVE | 0x8, NULL);",
            "vm.mremap(page(0), 0, 5000, MREMAP_MAYMOVE | 0x8, 0)",
        ),
        (
            Mprotect(page(0), PAGE, 0),
            'mprotect(page 0, 1 page, "")',
            "mprotect((void *)0x1000000000, 1 * 4096, PROT_NONE);",
            'vm.mprotect(page(0), PAGE, "")',
        ),
        (
            Madvise(page(1), PAGE, "dontneed"),
            "madvise(page 1, 1 page, dontneed)",
            "madvise((void *)0x1000001000, 1 * 4096, MADV_DONTNEED);",
            'vm.madvise(page(1), PAGE, "dontneed")',
        ),
        (
            Munmap(page(0), PAGE),
            "munmap(page 0, 1 page)",
            "munmap((void *)0x1000000000, 1 * 4096);",
            "vm.munmap(page(0), PAGE)",
        ),
        (
            Touch(page(0), 2 * PAGE, 7),
            "touch(page 0, 2 pages, value 7)",
            "for (size_t p = 0; p < 2; p++) *(uint64_t *)(0x1000000000 + p * 4096) = 7 * 1000 + p;",
            "vm.touch(page(0), 2 * PAGE, value=7)",
        ),
        (Fork(), "fork()", "fork();", "vm.fork()"),
        (ForkChild(), "fork_child()", "if (fork()) pause();", "vm.fork_child()"),
        (
            Limit("as", 3),
            "limit(as, in use + 3)",
            "/* limit as to what is in use + 3 */",
            'vm.limit("as", 3)',
        ),
    ],
)  # fmt: skip
def test_a_call_in_words_in_c_and_in_python(call: Call, words: str, c: str, python: str):
    assert (words, c, python) == (call_text(call), c_call(call), python_call(call))


class Recorder(Model):
    """Keeps the call instead of making it."""

    def do(self, call: Call):
        self.seen = call
        return super().do(Fork())


def test_the_python_text_makes_that_very_call():
    names = {"page": page, "PAGE": PAGE, "MREMAP_MAYMOVE": MREMAP_MAYMOVE, "MREMAP_FIXED": MREMAP_FIXED,
             "MREMAP_DONTUNMAP": MREMAP_DONTUNMAP}  # fmt: skip
    calls = {outcome.call for outcome in random_outcomes()}
    assert len(calls) > 200
    for call in calls:
        vm = Recorder("6.18", trace=False)
        eval(python_call(call), names, {"vm": vm})
        if isinstance(call, Mmap) and call.kind not in ("file", "sharedfile"):
            call = evolve(call, file=vm.seen.file, pgoff=vm.seen.pgoff)  # says nothing for the other kinds
        assert call == vm.seen, python_call(call)


def test_places_and_sizes():
    assert "page 16 + 3 bytes" == place(page(16) + 3)
    assert "0x7ffff7ffe000" == place(0x7FFFF7FFE000)
    assert "0x10-0x20" == span(0x10, 0x20)
    assert "pages 0 to 268435455" == span(page(0), page(1 << 28))
    assert ("1 byte", "2 bytes", "9999 pages", "39.06 MiB") == (
        size(1),
        size(2),
        size(9999 * PAGE),
        size(10_000 * PAGE),
    )
    assert "0x8000000000000000 bytes" == size(1 << 63)


def test_what_came_back():
    move = Mremap(page(0), PAGE, PAGE)
    assert "EFAULT" == result_text(move, None, "EFAULT")
    assert "page 64" == result_text(move, page(64), None)
    assert "an address outside the arena" == result_text(move, None, None)
    assert ("0", "done") == (result_text(Munmap(0, 1), 0, None), result_text(Read(0, 1), 0, None))
