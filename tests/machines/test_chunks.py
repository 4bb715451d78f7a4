"""`Chunks` against a dictionary, and the states of a process that share them against states made anew."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.strategies import calls
from vmalab.errors import VmalabError
from vmalab.linux.addr import ARENA_BASE, PAGE
from vmalab.linux.mm.runs import Run
from vmalab.machines.capture import Capture
from vmalab.machines.chunks import SIZE, Chunks
from vmalab.machines.model import Model


def run(start: int, value: int = 0) -> Run:
    return Run(start, start + 1, "anon", value)


@given(st.lists(st.dictionaries(st.integers(0, 400), st.booleans(), max_size=150), max_size=8), st.integers(0, 500))
def test_updates_are_those_of_a_dictionary(updates: list[dict[int, bool]], many: int) -> None:
    held = {start: run(start) for start in range(many)}
    chunks = Chunks.of(held.values())
    for number, update in enumerate(updates, 1):
        changes = {start: run(start, number) if there else None for start, there in update.items()}
        earlier, chunks = list(chunks), chunks.updated(changes)
        assert [held[start] for start in sorted(held)] == earlier
        held = {start: item for start, item in {**held, **changes}.items() if item is not None}
        expected = [held[start] for start in sorted(held)]
        assert expected == list(chunks)
        assert expected == [chunks[index] for index in range(len(chunks))]
        assert expected[3:77] == chunks[3:77]
        assert expected[90:] == chunks[90:]
    assert len(held) == len(chunks)


def test_what_did_not_change_is_shared() -> None:
    some = Chunks.of(map(run, range(10 * SIZE)))
    more = some.updated({5: None})
    assert some._chunks[1:] == more._chunks[1:]
    assert all(a is b for a, b in zip(some._chunks[1:], more._chunks[1:], strict=True))
    assert some is some.updated({})


@given(st.data())
def test_a_state_that_shares_is_the_state_made_anew(data: st.DataObject) -> None:
    model = Model("6.18")
    for _ in range(data.draw(st.integers(1, 15))):
        edges = [(end - ARENA_BASE) // PAGE for vma in model.mm.vmas() for end in (vma.start, vma.end)]
        try:
            outcome = model.do(data.draw(st.composite(calls)([edge for edge in edges if 0 <= edge < 100])))
        except VmalabError:
            continue
        assert Capture.of(model.mm).snapshot == outcome.after
        assert model.snapshot() == outcome.after
