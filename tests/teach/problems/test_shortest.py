"""The shortest program: the search against all programs there are, and answers of every kind."""

from __future__ import annotations

from itertools import product

import pytest

from tests.tiny_language import Little, parse
from vmalab.differences.generate import random_scenario
from vmalab.errors import ScenarioError, UsageError
from vmalab.linux.addr import PAGE, page
from vmalab.programs.calltext import call_text
from vmalab.teach.misconceptions.layouts import outline
from vmalab.teach.problems import problem
from vmalab.teach.problems.read_program import read_program
from vmalab.teach.problems.shortest import Goal, _possible, after_call, cells, shortest


def calls(program: str):
    return tuple(parse(step.strip())[0] for step in program.split(";"))


@pytest.mark.parametrize(
    ("setup", "program", "least"),
    [
        ("map 0-6; map 9-10", "protect 1-2 r; protect 2-4 r", 1),
        ("map 0-6; map 9-10", "unmap 1-2; unmap 3-4", 2),
        ("map 0-6; map 9-10", "protect 0-6 r; unmap 2-3; protect 0-2 rw", 2),
        ("map 0-2; map 3-5 r", "move 0-2 to 64; move 3-5 to 67", 1),
        ("map 0-2; map 2-4 r", "move 0-2 to 64; move 2-4 to 70", 2),
        ("map 0-4; map 9-10", "protect 0-2 r; protect 0-2 rw", 0),
    ],
)
def test_a_shorter_program_is_found_if_there_is_one(setup: str, program: str, least: int) -> None:
    found = shortest("6.18", calls(setup), calls(program))
    assert found is not None and least == len(found)


def test_what_ends_alike_on_pages_may_differ_in_vmas() -> None:
    """Written away from home, page 2 keeps its vm_pgoff: to move it back is not the same as to map it anew."""
    setup = calls("map 0-5; map 9-10; move 2-3 to 64; touch 64")
    back = calls("move 64-65 to 2")
    assert back == shortest("6.18", setup, back)
    assert outline(Little("6.18", "map 0-5; map 9-10; move 2-3 to 64; touch 64; move 64-65 to 2").model.snapshot()) != (
        outline(Little("6.18", "map 0-5; map 9-10").model.snapshot())
    )


def test_what_calls_do_to_pages_is_what_the_model_does() -> None:
    tried = 0
    for seed in range(12):
        vm = Little("6.18").model
        for call in random_scenario(f"shortest {seed}", steps=5).steps:
            vm.do(call)
        before = cells(vm.snapshot())
        if not before or any(row.flags and "sl" in row.flags for row in vm.snapshot()):
            continue
        for call in list(_possible(before, before, True))[::7]:
            told, copy = after_call(before, call), vm.copy()
            outcome = copy.do(call)
            if outcome.ok and told is not None:
                tried += 1
                assert told == cells(copy.snapshot()), call_text(call)
    assert tried > 100


GOAL = Goal("6.18", calls("map 0-6; map 9-10"), "[0 to 1 rw] [2 to 3 r] [4 to 5 rw] [9 rw]", calls("protect 2-4 r"))


@pytest.mark.parametrize(
    ("answer", "solved", "words"),
    [
        ('mprotect(2, 2, "r")', True, "It leads there with 1 call, and"),
        ("mprotect(page 2, 2 pages, r)", True, "1 call"),
        ("munmap(2, 2); mmap(2, 2, r)", False, "It leads there, with 2 calls; 1 would do."),
        (
            "munmap(2, 2)",
            False,
            r"It leads to \[0 to 1 rw\] \[4 to 5 rw\] \[9 rw\], and not to \[0 to 1 rw\]",
        ),
        ("mprotect(2, 9, r)", False, "Call 1, mprotect.*fails: ENOMEM"),
    ],
)
def test_any_program_is_an_answer(answer: str, solved: bool, words: str) -> None:
    feedback = GOAL.check(answer)
    assert solved == feedback.solved
    assert __import__("re").search(words, " ".join(feedback.said))


def test_a_program_may_be_calls_or_a_model() -> None:
    assert GOAL.check(GOAL.program).solved
    assert GOAL.check(GOAL.program[0]).solved
    vm = Little("6.18", "map 0-6; map 9-10; protect 2-4 r").model
    assert GOAL.check(vm).solved
    with pytest.raises(UsageError, match="start from the problem's own model"):
        GOAL.check(Little("6.18", "map 0-6").model)
    with pytest.raises(UsageError, match="a program is text"):
        GOAL.check([1])
    assert not GOAL.check([]).started


def test_a_problem_of_this_kind_takes_its_own_answer() -> None:
    one = next(one for one in (problem(2, seed, "01") for seed in range(200)) if one.kind == "shortest")
    assert one.check(one.answer).solved
    assert one.goal is not None and one.goal.target in one.question
    assert one.setup_calls == one.scenario.steps


# --- reading programs ---


def test_what_call_text_writes_is_read_back() -> None:
    for seed in range(80):
        for call in random_scenario(f"reading {seed}").steps:
            text = call_text(call)
            plain = call.name in ("mmap", "munmap", "mprotect", "touch", "read", "mlock", "mseal", "fork")
            left_out = getattr(call, "kind", "") == "zero" and call.pgoff  # call_text does not say it
            if plain and not left_out and "+" not in text and "bytes" not in text and "0x" not in text:
                assert (call,) == read_program(text), text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("munmap 3 2", "“munmap 3 2” is not understood: write each call"),
        ("unmap(3, 2)", "there is no call unmap"),
        ("munmap(3, 2, 1)", "munmap takes addr, pages"),
        ("munmap(3)", 'munmap .*key "pages": expected a number of pages, it is missing'),
        ("mremap(0, 5, 5, sideways, 64)", 'key "flags"'),
    ],
)
def test_what_is_no_program_is_one_clear_sentence(text: str, words: str) -> None:
    with pytest.raises((UsageError, ScenarioError), match=words):
        read_program(text)


def test_short_and_long_forms_are_the_same() -> None:
    forms = [
        "mremap(0, 5, 5, maymove fixed, 64)",
        "mremap(page 0, 5 pages, 5 pages, MREMAP_MAYMOVE | MREMAP_FIXED, page 64);",
        "  1  mremap(page 0, 5 pages, 5 pages, MREMAP_FIXED|MREMAP_MAYMOVE, page 64)\n",
    ]
    assert 1 == len({read_program(form) for form in forms})
    assert [page(0), 5 * PAGE] == [read_program(forms[0])[0].addr, read_program(forms[0])[0].old_len]
    assert list(product("a", "b")) == [("a", "b")]
