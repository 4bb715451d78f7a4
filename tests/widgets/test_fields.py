"""What a person types, and what it means: every malformed text is answered at its field."""

from __future__ import annotations

import doctest
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

import vmalab.widgets.fields as fields
from vmalab.errors import UsageError
from vmalab.linux.addr import ARENA_BASE, PAGE, page
from vmalab.linux.call import CALLS, Fork, Limit, Madvise, Mmap, Mprotect, Mremap, Touch
from vmalab.widgets.fields import CALL_LABELS, DEFAULTS, FORMS, address, build, clean, length


def test_examples_in_the_docstrings():
    assert 0 == doctest.testmod(fields).failed


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0", page(0)), (" 64 ", page(64)), ("page 64", page(64)), ("Page 64", page(64)), ("16.5", page(16.5)),
        ("0x1000040000", page(64)), ("0X10_0004_0000", page(64)), ("0x0", 0), ("0xffffffffffffffff", 2**64 - 1),
        ("35184372088832", ARENA_BASE + 2**45 * PAGE), ("page(3)", ARENA_BASE + 3 * PAGE),
        ("page(64) + 2 * PAGE", ARENA_BASE + 66 * PAGE),
    ],
)  # fmt: skip
def test_an_address(text: str, expected: int):
    assert expected == address(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("5", 5 * PAGE), ("5 pages", 5 * PAGE), ("1 page", PAGE), ("1.5", PAGE + 2048), ("0", 0), ("0x5000", 0x5000),
        ("3 * PAGE", 3 * PAGE), ("2*4096", 2 * PAGE), ("PAGE", PAGE), ("(1 + 1) * PAGE", 2 * PAGE),
        ("100 bytes", 100), ("2 MiB", 2 << 20), ("1TiB", 1 << 40), ("4503599627370495", 2**64 - PAGE),
    ],
)  # fmt: skip
def test_a_length(text: str, expected: int):
    assert expected == length(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "foo",
        "-1",
        "0x",
        "0x_",
        "1e3",
        "1,5",
        "12 apples",
        "٣",
        "1.",
        "0b1",
        "page",
        "2 ** 9",
        "page(",
        "page()",
        "__import__('os')",
        "PAGE / 2",
        "-PAGE",
    ],
)
def test_malformed_text_names_what_is_expected(text: str):
    for parse in (address, length):
        with pytest.raises(UsageError, match=r"ype .* such as (64|5)"):
            parse(text)


def test_what_does_not_fit_into_64_bits_is_said():
    with pytest.raises(UsageError, match="64 bits"):
        address("0x10000000000000000")
    with pytest.raises(UsageError, match="64 bits"):
        length("99999999999999999999")


@given(st.text(max_size=40))
def test_no_text_is_answered_with_anything_but_a_usage_error(text: str):
    for parse in (address, length):
        with suppress(UsageError):
            assert 0 <= parse(text) < 2**64


TEXT_FIELDS = st.sampled_from(["addr", "length", "new_len", "new_addr", "file", "pgoff", "value", "headroom"])


@given(st.sampled_from(sorted(FORMS)), st.dictionaries(TEXT_FIELDS, st.text(max_size=12)))
def test_any_text_in_any_field_gives_a_call_or_messages(call: str, texts: dict[str, str]):
    record, errors = build(call, {**DEFAULTS, **texts})
    assert (record is None) == bool(errors)
    assert errors.keys() <= {field.name for field in FORMS[call]}
    if record is not None:
        assert isinstance(record, CALLS[call])


def built(call: str, **values):
    record, errors = build(call, {**DEFAULTS, **values})
    assert {} == errors
    return record


def test_calls_from_fields():
    assert Mremap(page(0), 5 * PAGE, 5 * PAGE, 3, page(64)) == built(
        "mremap", length="5", new_len="5", flags=("maymove", "fixed"), new_addr="64"
    )
    assert Mremap(page(0), 2 * PAGE, 2 * PAGE, 0, 0) == built("mremap")
    assert Mmap(page(0), 2 * PAGE, 1, "file", "data", 3, noreserve=True) == built(
        "mmap", prot=("r",), kind="file", file="data", pgoff="3", options=("noreserve",)
    )
    assert Mmap(page(0), 2 * PAGE) == built("mmap", file="ignored for anonymous memory")
    assert Mprotect(page(0), 2 * PAGE, 0) == built("mprotect", prot=())
    assert Madvise(page(0), 2 * PAGE, "dofork") == built("madvise", advice="dofork")
    assert Touch(page(0), 2 * PAGE, None) == built("touch")
    assert Touch(page(0), 2 * PAGE, 7) == built("touch", value="7")
    assert Fork() == built("fork", addr="not looked at")
    assert Limit("map_count", 3) == built("limit", resource="map_count", headroom="3")
    assert Mmap(None, 2 * PAGE) == built("mmap", addr=" ")
    assert Mmap(page(9), 2 * PAGE, fixed=False) == built("mmap", addr="9", options=("hint",))


def test_a_wrong_field_is_named_and_the_others_are_not():
    record, errors = build("mremap", {**DEFAULTS, "addr": "x", "new_len": ""})
    assert record is None
    assert ["addr", "new_len"] == sorted(errors)
    _, errors = build("mremap", {**DEFAULTS, "flags": ("maymove", "fixed")})
    assert ["new_addr"] == list(errors)
    assert errors["new_addr"].startswith("MREMAP_FIXED needs a target")
    _, errors = build("mmap", {**DEFAULTS, "kind": "file", "file": "a/b", "pgoff": "x"})
    assert ["file", "pgoff"] == sorted(errors)
    _, errors = build("limit", {**DEFAULTS, "headroom": "-1"})
    assert "type a whole number" in errors["headroom"]


def test_words_of_checks_in_every_form():
    assert (
        ("maymove", "fixed")
        == clean("flags", "fixed maymove")
        == clean("flags", ["fixed", "maymove"])
        == clean("flags", 3)
    )
    assert ("r", "w") == clean("prot", "wr") == clean("prot", ["w", "r"])
    assert () == clean("prot", "") == clean("flags", 0)
    for name, value in (
        ("flags", "maybe"),
        ("flags", 8),
        ("flags", None),
        ("prot", "rz"),
        ("kind", "gold"),
        ("advice", "x"),
    ):
        with pytest.raises(UsageError, match=name):
            clean(name, value)


def test_every_call_has_a_form_and_a_label():
    assert CALLS.keys() == FORMS.keys() == CALL_LABELS.keys()
    assert {field.name for form in FORMS.values() for field in form} == DEFAULTS.keys()
