"""Single calls as steps of a scenario file: units, defaults, what is refused and how that is said."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vmalab.errors import NotModelled, ScenarioError
from vmalab.linux.addr import ARENA_BASE, PAGE, WORD, page
from vmalab.linux.call import (
    ADVICES,
    CALLS,
    KINDS,
    RESOURCES,
    Brk,
    Call,
    Limit,
    Madvise,
    Mlock2,
    Mlockall,
    Mmap,
    Mprotect,
    Mremap,
    Touch,
)
from vmalab.linux.flags import PROT_READ, PROT_WRITE
from vmalab.programs.calljson import ARGUMENTS, MOST_VALUE, call_from_json, call_to_json

# Whole pages may be any 64-bit number; a fraction must be one that JSON's numbers can hold.
LENGTHS = st.integers(0, WORD >> 12).map(lambda n: n * PAGE) | st.integers(0, 1 << 50)
ADDRESSES = LENGTHS.map(lambda n: (n + ARENA_BASE) & WORD)
NAMES = st.from_regex(r"[a-z][a-z0-9_.-]{0,9}", fullmatch=True).filter(lambda name: name != "shmem")


@st.composite
def mmaps(draw: st.DrawFn) -> Mmap:
    kind = draw(st.sampled_from(KINDS))
    file = draw(NAMES) if kind in ("file", "sharedfile") else "f0"
    flags = [draw(st.booleans()) for _ in range(3)]
    return Mmap(
        draw(ADDRESSES), draw(LENGTHS), draw(st.integers(0, 7)), kind, file, draw(st.integers(0, 2**52 - 1)), *flags
    )


def calls() -> st.SearchStrategy[Call]:
    """Any call that a scenario file can hold."""
    plain = [record for record in CALLS.values() if ARGUMENTS[record.name] == ARGUMENTS["munmap"]]
    return st.one_of(
        mmaps(),
        st.sampled_from(plain).flatmap(lambda record: st.builds(record, ADDRESSES, LENGTHS)),
        st.builds(Mprotect, ADDRESSES, LENGTHS, st.integers(0, 7)),
        st.builds(Madvise, ADDRESSES, LENGTHS, st.sampled_from(ADVICES)),
        st.builds(Mremap, ADDRESSES, LENGTHS, LENGTHS, st.integers(0, WORD), ADDRESSES),
        st.builds(Touch, ADDRESSES, LENGTHS, st.none() | st.integers(0, MOST_VALUE - 1)),
        st.builds(Mlockall, st.integers(0, WORD)),
        st.builds(Mlock2, ADDRESSES, LENGTHS, st.booleans()),
        st.builds(Brk, ADDRESSES),
        st.builds(Limit, st.sampled_from(RESOURCES), st.integers(0, 1 << 30)),
        st.sampled_from([CALLS["fork"](), CALLS["fork_child"]()]),
    )


@given(calls())
def test_every_call_comes_back_from_its_step(call: Call) -> None:
    assert call_from_json(call_to_json(call)) == call


def test_every_call_has_its_arguments_in_the_table() -> None:
    assert set(ARGUMENTS) == set(CALLS)


@pytest.mark.parametrize(
    ("pages", "length"),
    [
        (2, 2 * PAGE),
        (16.5, 16 * PAGE + 2048),
        (Decimal("16.5"), 16 * PAGE + 2048),
        (Decimal("4503599627370495.999755859375"), WORD),
        (0.000244140625, 1),
        (-1, WORD - PAGE + 1),
        (2**52, 0),
        (2**60 + 3, 3 * PAGE),
    ],
)
def test_lengths_are_exact_and_wrap(pages: Any, length: int) -> None:
    assert call_from_json({"call": "munmap", "addr": 0, "pages": pages}).length == length  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("pages", "address"),
    [
        (0, ARENA_BASE),
        (64.5, page(64) + 2048),
        (-(ARENA_BASE // PAGE), 0),
        (2**45, ARENA_BASE + 2**57),
        (-(2**25), WORD + 1 - 2**36),
    ],
)
def test_addresses_count_from_the_arena_and_wrap(pages: Any, address: int) -> None:
    assert call_from_json({"call": "munmap", "addr": pages, "pages": 1}).addr == address  # type: ignore[attr-defined]


def test_defaults_of_mmap() -> None:
    call = call_from_json({"call": "mmap", "addr": 3, "pages": 1})
    assert call == Mmap(page(3), PAGE, PROT_READ | PROT_WRITE, "anon", "f0", 0, False, False, False, True)


def test_a_file_name_says_nothing_where_there_is_no_file() -> None:
    step = {"call": "mmap", "addr": 0, "pages": 1, "kind": "anon"}
    assert call_from_json(step | {"file": "f7"}) == call_from_json(step)


def test_badflags_are_or_ed_in_and_come_back() -> None:
    step = {"call": "mremap", "addr": 0, "old_pages": 1, "new_pages": 1, "flags": ["maymove"], "badflags": 8 | 1}
    call = call_from_json(step)
    assert call == Mremap(page(0), PAGE, PAGE, 9, 0)
    assert call_to_json(call) == step | {"badflags": 8}


def test_negative_badflags_wrap() -> None:
    step = {"call": "mremap", "addr": 0, "old_pages": 1, "new_pages": 1, "flags": [], "badflags": -1}
    assert call_from_json(step).flags == WORD  # type: ignore[attr-defined]


def test_new_addr_is_written_with_fixed_even_where_it_is_address_zero() -> None:
    call = Mremap(page(0), PAGE, PAGE, 3, 0)
    assert call_to_json(call)["new_addr"] == -(ARENA_BASE // PAGE)
    assert call_from_json(call_to_json(call)) == call


BAD: list[tuple[dict[str, Any], str]] = [
    ({"call": "mmapp"}, 'key "call": expected one of mmap, '),
    ({}, 'key "call": expected one of mmap, '),
    ({"call": ["mmap"]}, 'key "call"'),
    ({"call": "munmap", "pages": 1}, '(munmap), key "addr": expected a number of pages, it is missing'),
    ({"call": "mmap", "pages": 1, "fixed": True}, '(mmap), key "addr": expected a number of pages, since the mapping'),
    ({"call": "mmap", "pages": 1, "noreplace": True}, '(mmap), key "addr": expected a number of pages, since the'),
    ({"call": "mlockall", "flags": ["now"]}, '(mlockall), key "flags": expected a list of the words current, future'),
    ({"call": "mlock2", "addr": 0, "pages": 1, "onfault": 1}, 'key "onfault": expected true or false, found 1'),
    ({"call": "mmap", "addr": "0", "pages": 1}, 'key "addr": expected a number of pages, found "0"'),
    ({"call": "mmap", "addr": None, "pages": 1}, 'key "addr": expected a number of pages, found null'),
    ({"call": "mmap", "addr": True, "pages": 1}, 'key "addr": expected a number of pages, found true'),
    ({"call": "mmap", "addr": 0, "pages": 0.1}, 'key "pages": expected a whole number of bytes'),
    ({"call": "mmap", "addr": float("nan"), "pages": 1}, 'key "addr": expected a number of pages'),
    ({"call": "mmap", "addr": float("inf"), "pages": 1}, 'key "addr": expected a number of pages'),
    ({"call": "mmap", "addr": Decimal("1e999999"), "pages": 1}, 'key "addr": expected a number of pages'),
    ({"call": "mmap", "addr": Decimal("1e-999999"), "pages": 1}, 'key "addr": expected a number of pages'),
    ({"call": "mmap", "addr": 0, "pages": 1, "prot": "rr"}, 'key "prot": expected the letters r, w, x'),
    ({"call": "mmap", "addr": 0, "pages": 1, "prot": 3}, 'key "prot"'),
    ({"call": "mmap", "addr": 0, "pages": 1, "kind": "anno"}, 'key "kind": expected one of anon, shared'),
    ({"call": "mmap", "addr": 0, "pages": 1, "kind": "file", "file": ""}, 'key "file": expected a name'),
    ({"call": "mmap", "addr": 0, "pages": 1, "kind": "file", "file": "a\nb"}, 'key "file": expected a name'),
    ({"call": "mmap", "addr": 0, "pages": 1, "kind": "file", "file": "shmem"}, 'key "file": expected another name'),
    ({"call": "mmap", "addr": 0, "pages": 1, "pgoff": 1.5}, 'key "pgoff": expected a whole number'),
    ({"call": "mmap", "addr": 0, "pages": 1, "noreserve": 1}, 'key "noreserve": expected true or false, found 1'),
    ({"call": "mprotect", "addr": 0, "pages": 1}, '(mprotect), key "prot"'),
    ({"call": "madvise", "addr": 0, "pages": 1, "advice": "fre"}, 'key "advice": expected one of normal'),
    ({"call": "mremap", "addr": 0, "old_pages": 1, "new_pages": 1}, 'key "flags": expected a list of the words'),
    ({"call": "mremap", "addr": 0, "old_pages": 1, "new_pages": 1, "flags": "fixed"}, 'key "flags"'),
    ({"call": "mremap", "addr": 0, "old_pages": 1, "new_pages": 1, "flags": [[]]}, 'key "flags"'),
    ({"call": "mremap", "addr": 0, "old_pages": 1, "new_pages": 1, "flags": ["fixed"]}, 'key "new_addr"'),
    ({"call": "mremap", "addr": 0, "old_pages": 1, "new_pages": 1, "flags": [], "badflags": "8"}, 'key "badflags"'),
    ({"call": "touch", "addr": 0, "pages": 1, "value": True}, 'key "value": expected a whole number'),
    ({"call": "touch", "addr": 0, "pages": 1, "value": -1}, 'key "value"'),
    ({"call": "touch", "addr": 0, "pages": 1, "value": 2**60}, 'key "value"'),
    ({"call": "limit", "resource": "stack", "headroom": 1}, 'key "resource": expected one of as, memlock, map_count'),
    ({"call": "limit", "resource": "as", "headroom": 1.5}, 'key "headroom"'),
    ({"call": "limit", "resource": "as", "headroom": 2**70}, 'key "headroom"'),
    (
        {"call": "mmap", "addr": 0, "pages": 1, "noreplce": True},
        '(mmap), key "noreplce": there is no such key; perhaps "noreplace" is meant',
    ),
    (
        {"call": "munmap", "addr": 0, "pages": 1, "weight": 2},
        '(munmap), key "weight": there is no such key; there are addr, call, pages, and note',
    ),
    ({"call": "munmap", "addr": 0, "pages": 1, "value": 2}, 'key "value": there is no such key'),
    ({"call": "fork", "notes": ""}, 'key "notes": there is no such key'),
]


@pytest.mark.parametrize(("step", "message"), BAD, ids=[str(number) for number in range(len(BAD))])
def test_what_is_wrong_is_said_where(step: dict[str, Any], message: str) -> None:
    with pytest.raises(ScenarioError) as error:
        call_from_json(step, 'scenario "x", step 7')
    assert str(error.value).startswith('scenario "x", step 7')
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_a_note_is_free() -> None:
    assert call_from_json({"call": "fork", "note": "why"}) == CALLS["fork"]()


@pytest.mark.parametrize(
    ("step", "message"),
    [
        ({"call": "madvise", "addr": 0, "pages": 1, "advice": "pageout"}, "MADV_PAGEOUT: needs swap"),
        ({"call": "madvise", "addr": 0, "pages": 1, "advice": "collapse"}, "MADV_COLLAPSE: "),
        ({"call": "mmap", "addr": 0, "pages": 1, "kind": "hugetlb"}, "hugetlb: huge-page mappings"),
        ({"call": "mmap", "addr": 0, "pages": 1, "kind": "sysv"}, "SysV shared memory: "),
        ({"call": "mbind", "addr": 0, "pages": 1}, "memory policy: "),
    ],
)
def test_what_linux_knows_and_the_model_does_not_is_refused_by_name(step: dict[str, Any], message: str) -> None:
    with pytest.raises(NotModelled, match=f"^the model does not know {message}"):
        call_from_json(step)


@pytest.mark.parametrize("step", [None, 3, "mmap", [], True])
def test_a_step_that_is_no_object(step: object) -> None:
    with pytest.raises(ScenarioError, match='expected an object with a key "call"'):
        call_from_json(step)


def test_an_mmap_may_leave_its_place_to_the_kernel() -> None:
    anywhere, hint = Mmap(None, PAGE, fixed=False), Mmap(page(0), PAGE, fixed=False)
    assert {"call": "mmap", "pages": 1, "prot": "rw", "kind": "anon"} == call_to_json(anywhere)
    assert {"addr": 0, "fixed": False} == {key: call_to_json(hint)[key] for key in ("addr", "fixed")}
    assert [anywhere, hint] == [call_from_json(call_to_json(call)) for call in (anywhere, hint)]


def test_an_address_that_no_json_number_names_is_refused() -> None:
    with pytest.raises(ScenarioError, match="no number of pages"):
        call_to_json(CALLS["munmap"](WORD, PAGE))  # type: ignore[call-arg]
