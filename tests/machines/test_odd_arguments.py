"""Whatever a learner gives to a call, there is an answer or one sentence, never a traceback of our own code."""

from __future__ import annotations

from typing import Any

import numpy
import pytest

from vmalab import PAGE, Model, page
from vmalab.errors import VmalabError

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
