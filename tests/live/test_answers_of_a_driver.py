"""Answers of a driver whose memory a scenario has overwritten: taken only if an honest driver could give them."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from copy import deepcopy
from random import Random
from typing import Any
from unittest.mock import Mock

import pytest

from vmalab.linux.addr import PAGE, page
from vmalab.linux.call import Fork, Mmap, Mprotect, Mremap, Read, Touch
from vmalab.machines.live import Live
from vmalab.machines.live.process import MOST_LINE, Driver
from vmalab.machines.machine import Played
from vmalab.machines.validation import genuine
from vmalab.programs.scenario import Scenario

CALLS = (
    Mmap(page(0), 4 * PAGE, 3, "file", "f", 2),
    Touch(page(0), 2 * PAGE),
    Mprotect(page(1), PAGE, 0),
    Read(page(0), 2 * PAGE),
    Mremap(page(0), PAGE, 3 * PAGE, 1),
    Mremap(page(9), PAGE, PAGE, 1),
    Fork(),
)

STRANGE: tuple[Any, ...] = (
    None, True, -1, 1 << 70, 1.5, 1e999, "", "x\n", "<b>", "\0", [], {}, [[]], {"a": 1}, [None], "a" * 5000, {"1": "x"},
)  # fmt: skip


def heard(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What an honest driver says."""
    messages: list[dict[str, Any]] = []
    real = Driver.answer

    def answer(driver: Driver, seconds: float) -> dict[str, Any]:
        messages.append(deepcopy(message := real(driver, seconds)))
        return message

    monkeypatch.setattr(Driver, "answer", answer)
    with Live() as live, live.session() as session:
        played = live.play(CALLS)
        for call in CALLS:
            session.do(call)
    monkeypatch.undo()
    assert played.error is None
    return [message for message in messages if "sandbox" not in message]


def changed(random: Random, value: Any) -> Any:
    """`value` with something in it replaced by something strange."""
    if isinstance(value, dict) and value and random.random() < 0.8:
        key = random.choice(sorted(value))
        return {**value, key: changed(random, value[key])}
    if isinstance(value, list) and value and random.random() < 0.8:
        index = random.randrange(len(value))
        return [*value[:index], changed(random, value[index]), *value[index + 1 :]]
    return random.choice(STRANGE)


def told(live: Live, messages: Iterator[dict[str, Any]]) -> Played:
    """What `live` makes of a driver that says this."""
    driver = Mock(owner=os.getpid(), idle=True)
    driver.answer = lambda seconds: next(messages, {"end": 1})
    live._drivers[False] = driver
    played = live.run(Scenario("x", CALLS))
    live._drivers.clear()
    return played


def test_what_an_honest_driver_says_is_taken(machine: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    messages = heard(monkeypatch)
    assert len(messages) > 2 * len(CALLS)
    assert [message for message in messages if not genuine(message)] == []


@pytest.mark.parametrize("seed", range(5))
def test_whatever_it_says_nothing_breaks(machine: Live, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    random = Random(seed)
    messages = heard(monkeypatch)
    steps = [message for message in messages if "errno" in message][: len(CALLS)]
    final = next(message for message in messages if "final" in message)
    nonsense = 0
    live = Live(fresh=True)
    for _ in range(200):
        story = [*steps, final, {"end": 0}]
        index = random.randrange(len(story))
        new = changed(random, story[index])
        story[index] = new if isinstance(new, dict) else {"odd": new}
        played = told(live, iter(deepcopy(story)))
        nonsense += "nonsense" in str(played.error)
        for outcome in played.outcomes:
            assert outcome.after.maps() is not None
            assert str(outcome)
        json.dumps([row.perms for row in played.final])
    assert nonsense > 50


def test_answers_without_end(machine: Live) -> None:
    """Of lines, of steps that nobody asked for, and of bytes."""
    step = {"errno": None, "return": None, "vmas": []}
    for message in ({"x": 1}, step, {"moment": "x", "numbers": {}, "vmas": []}):
        assert "nonsense" in str(told(Live(fresh=True), iter(lambda message=message: dict(message), None)).error)
    driver = Driver(False)
    driver.ask({"steps": [{"call": "read", "addr": 0, "pages": 1}] * 100, "arena_pages": 1})
    driver._heard = MOST_LINE
    with pytest.raises(Exception, match="answered without end"):
        driver.answer(20)
    driver.kill()
