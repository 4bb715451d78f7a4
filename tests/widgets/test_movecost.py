"""MoveCost without a browser: traits, messages, words, and what stands where no kernel runs."""

from __future__ import annotations

import json

import pytest

from tests.unpacked import unpacked
from vmalab.errors import UsageError
from vmalab.machines.measure.price import price
from vmalab.pictures.svgcosts import bars
from vmalab.widgets import MoveCost
from vmalab.widgets.movecost import SIZES


def said(cost: MoveCost) -> dict:
    return json.loads(cost.state)


def test_traits_price_the_move_again():
    cost = MoveCost(pages=2048)
    assert "takes about" in said(cost)["words"]
    cost.target = 1
    assert price(2048, 0, 1) == cost.price
    assert (bars(cost.price), 1) == (said(cost)["bars"], said(cost)["target"])
    assert "MoveCost(2048 pages, every page present, from 0 to 1 pages after 1 GiB: 2048 PTE, 0 PMD, 0 PUD)" == repr(
        cost
    )


def test_a_value_without_a_price_changes_nothing():
    cost = MoveCost(pages=4)
    for name, value in (("pages", 0), ("target", -1), ("present", "some")):
        with pytest.raises(UsageError):
            setattr(cost, name, value)
    assert price(4) == cost.price
    with pytest.raises(UsageError):
        MoveCost(pages=0)


def test_one_message_of_the_browser_is_answered_with_one():
    cost = MoveCost()
    sent = []
    cost.comm.send = lambda data=None, **_: sent.append(data)
    cost._handle_custom_msg({"do": "set", "name": "pages", "value": 2048, "n": 3}, [])
    cost._handle_custom_msg({"do": "set", "name": "present", "value": "sparse", "n": 4}, [])
    assert [{"state"}, {"state", "ready"}] == [message["state"].keys() for message in sent]
    assert (2048, "sparse", 4) == (cost.pages, cost.present, said(cost)["n"])
    for nonsense in ("nonsense", {"do": "set", "name": "comm", "value": 1}, {"do": "run"}):
        cost._handle_custom_msg(nonsense, [])
    assert 2 == len(sent)


def test_what_the_slider_shows_is_there_before_it_is_moved():
    cost = MoveCost(source=1, present="sparse")
    ready = unpacked(cost.ready)
    assert len(SIZES) == len(ready)
    for size, shown in zip(SIZES, ready, strict=True):
        cost.pages = size
        assert shown == {name: said(cost)[name] for name in ("words", "grid", "bars", "chart")}
    before = cost.ready
    cost.target = 1
    assert before != cost.ready


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("pages", "many", "“many” is not a whole number."),
        ("pages", "0", "Pages is a number of pages from 1 to 524288, not 0."),
        ("present", "some", "Present is one of all, huge, sparse, none, not 'some'."),
    ],
)
def test_what_a_person_typed_wrongly_is_said_and_changes_nothing(name: str, value: str, words: str):
    cost = MoveCost(pages=4)
    cost._handle_custom_msg({"do": "set", "name": name, "value": value, "n": 1}, [])
    assert (words, price(4)) == (said(cost)["problem"], cost.price)
    cost._handle_custom_msg({"do": "set", "name": "pages", "value": "8", "n": 2}, [])
    assert ("", 8) == (said(cost)["problem"], cost.pages)


def test_where_no_kernel_runs_both_pictures_and_their_words_stand_in():
    cost = MoveCost(pages=512)
    html = cost.still_html()
    assert 3 == html.count("<svg")
    assert said(cost)["words"].partition(":")[0] in html
    assert html == MoveCost(pages=512).still_html()
