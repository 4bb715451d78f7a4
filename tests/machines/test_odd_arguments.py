"""Whatever a learner gives to a call, there is an answer or one sentence, never a traceback of our own code."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy
import pytest

from vmalab import PAGE, Model, page
from vmalab.errors import UsageError, VmalabError
from vmalab.linux.profile import profile
from vmalab.machines.program import scenario_of
from vmalab.machines.recorded import Recorded
from vmalab.programs.scenario import load_scenarios
from vmalab.teach.suspects import hunt, suspect

GOOD: dict[str, tuple[Any, ...]] = {
    "mmap": (page(0), PAGE),
    "munmap": (page(0), PAGE),
    "mprotect": (page(0), PAGE, "r"),
    "touch": (page(0), PAGE),
    "read": (page(0), PAGE),
    "mlock": (page(0), PAGE),
    "munlock": (page(0), PAGE),
    "mseal": (page(0), PAGE),
    "madvise": (page(0), PAGE, "dontneed"),
    "mremap": (page(0), PAGE, PAGE, 3, page(9)),
    "uffd": (page(0), PAGE),
    "limit": ("as", 5),
}
ODD: tuple[Any, ...] = (
    numpy.int64(4096), numpy.float64(4096.0), numpy.array([1]), numpy.bool_(True), float("inf"), float("nan"), 4096.0,
    1.5, 10**5000, -(10**5000), 2**64, 2**63, -1, "maymove", "0x1000", "", b"x", None, True, [], {}, (1,), 1j, object(),
    ...,
)  # fmt: skip
PLACES = [(name, place) for name, arguments in GOOD.items() for place in range(len(arguments))]


@pytest.mark.parametrize(("name", "place"), PLACES)
def test_an_odd_argument_gets_an_answer_or_one_sentence(name: str, place: int) -> None:
    for odd in ODD:
        vm = Model("6.18")
        vm.mmap(page(0), 8 * PAGE)
        arguments = [*GOOD[name]]
        arguments[place] = odd
        said = ""
        try:
            out = getattr(vm, name)(*arguments)
        except VmalabError as error:
            said = str(error)
        else:
            said = repr(out)
            assert out._repr_html_()
        assert 0 < len(said) < 300 and "\n" not in said
        vm.mm.validate()


def test_how_many_that_are() -> None:
    assert len(PLACES) * len(ODD) > 200


def test_a_number_of_numpy_is_a_number() -> None:
    vm = Model("6.18")
    assert (page(0), None) == (
        (out := vm.mmap(numpy.int64(page(0)), numpy.int32(PAGE))).value,  # type: ignore[arg-type]
        out.errno,
    )


@pytest.mark.parametrize(("value", "said"), [(1.5, "not 1.5"), ("x" * 99, "not a str"), (1 << 130, "at most 128 bits")])
def test_the_sentence_names_the_call_and_the_argument(value: Any, said: str) -> None:
    with pytest.raises(VmalabError, match=f"^touch: length is a (whole )?number.*{said}"):
        Model("6.18").touch(page(0), value)


ASKED: dict[str, Callable[[Any], object]] = {
    "Model": Model,
    "Recorded": Recorded,
    "profile": profile,
    "load_scenarios": load_scenarios,
    "Model.run": Model("6.18").run,
    "Recorded.run": Recorded("6.16").run,
    "hunt": lambda value: hunt(value, programs=1),
    "hunt, programs": lambda value: hunt("6.18", programs=value),
    "suspect": suspect,
    "scenario_of": scenario_of,
}


@pytest.mark.parametrize("name", ASKED)
def test_what_takes_no_call_says_what_it_takes(name: str) -> None:
    for odd in (*ODD, "a\0b", "\n"):
        said = "an answer"
        try:
            ASKED[name](odd)
        except VmalabError as error:
            said = str(error)
        assert 0 < len(said) < 500 and "\n" not in said


@pytest.mark.parametrize("odd", ["x", "1", None, [], 1j, float("nan"), float("inf"), object()])
def test_a_page_is_a_number(odd: Any) -> None:
    with pytest.raises(UsageError, match=r"^a page of the arena is a number, not "):
        page(odd)


def test_a_page_may_be_half_a_page_further_and_a_number_of_numpy() -> None:
    assert [page(1) + 2048, page(3)] == [page(1.5), page(numpy.int64(3))]  # type: ignore[arg-type]
