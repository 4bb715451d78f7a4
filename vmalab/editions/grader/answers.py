"""Answers as JSON, from the worker, which nobody trusts, to the judge; and the judge's questions to a function.

    {"plain": 5}                    None, a truth value, a number, a text
    {"tuple"|"list"|"set": [...]}   of answers
    {"dict": [[key, value], ...]}
    {"model": {"release", "privileged", "calls": [step of a scenario file, ...]}}
    {"function": true}              stays where it is and is asked
    {"other": "Thing"}              anything else: no answer

The judge's own questions go the other way and may hold records of any kind: those are pickled, which is safe in that
direction only.
"""

from __future__ import annotations

import io
import pickle
from collections.abc import Callable, Sequence
from typing import Any

from vmalab.errors import VmalabError
from vmalab.linux.call import Call
from vmalab.linux.profile import KernelProfile
from vmalab.machines.model import Model
from vmalab.machines.outcome import Outcome, Snapshot
from vmalab.programs.calljson import call_from_json, call_to_json
from vmalab.teach.exercises.checking import MOST_CALLS, Watched

Json = dict[str, Any]
JUDGE, WORKER = b"J", b"W"
"""What a forkserver is asked to fork."""
MOST_DEPTH = 20
MOST_ITEMS, MOST_TEXT = 10_000, 100_000
"""Items of an answer in all, and characters of a text in it: what a set or a search does with more may take hours, in
which nothing can interrupt it."""
_SEQUENCES: dict[str, Callable[[list[Any]], Any]] = {"tuple": tuple, "list": list, "set": set}


def encode(value: Any, depth: int = 0) -> Json:
    """An answer as JSON.  O(size of the answer)."""
    if depth > MOST_DEPTH:
        return {"other": "something too deep"}
    if value is None or isinstance(value, bool | int | float | str):
        return {"plain": value}
    model = getattr(value, "model", value)  # a widget's
    if isinstance(model, Model):
        calls = [call_to_json(call) for call in model.history[: MOST_CALLS + 1]]
        return {
            "model": {
                "release": model.release, "privileged": model.privileged, "calls": calls,
                "injected": [list(one) for one in model.injected[:MOST_CALLS]],
            }
        }  # fmt: skip
    for name, kind in _SEQUENCES.items():
        if isinstance(value, kind):  # type: ignore[arg-type]
            return {name: [encode(one, depth + 1) for one in value]}
    if isinstance(value, dict):
        return {"dict": [[encode(one, depth + 1) for one in pair] for pair in value.items()]}
    return {"function": True} if callable(value) else {"other": type(value).__name__}


def decode(told: object, function: Callable[..., Any], start: Callable[[], Model] | None = None) -> Any:
    """The answer that `told` is, for the judge; None for what is none, be it by mistake or by intent.

    `function`: what stands for a function.  `start`: the address space that the exercise began with; a program that
    begins like it is replayed on it, any other on a fresh model of its release.
    """
    try:
        _within(told)
        return _decode(told, function, start)
    except (VmalabError, KeyError, TypeError, ValueError, AttributeError, RecursionError, OverflowError):
        return None


def _within(told: Any) -> None:
    """Raise ValueError where an answer is larger than any honest one.  O(size)."""
    left, items = [told], 0
    while left:
        match left.pop():
            case str(text) if len(text) > MOST_TEXT:
                raise ValueError("a text that long is no answer")
            case list(inner):
                items += len(inner)
                left += inner
            case dict(inner):
                left += inner.values()
        if items > MOST_ITEMS:
            raise ValueError("so many items are no answer")


def _decode(told: Any, function: Callable[..., Any], start: Callable[[], Model] | None) -> Any:
    [(kind, value)] = told.items()
    if kind == "plain":
        return value if value is None or isinstance(value, bool | int | float | str) else None
    if kind in _SEQUENCES:
        return _SEQUENCES[kind]([_decode(one, function, start) for one in value])
    if kind == "dict":
        return {_decode(key, function, start): _decode(one, function, start) for key, one in value}
    if kind == "model":
        calls = [call_from_json(call) for call in value["calls"]]
        injected = [(int(made), str(where), int(nth), bool(lasting)) for made, where, nth, lasting in value["injected"]]
        return _replayed(calls, injected, str(value["release"]), bool(value["privileged"]), start)
    return function if kind == "function" else None


def _replayed(
    calls: Sequence[Call], injected: Sequence[tuple[int, str, int, bool]], release: str, privileged: bool,
    start: Callable[[], Model] | None,
) -> Model:  # fmt: skip
    model = start() if start is not None else Model(release, privileged=privileged)
    given = len(model.history)
    if model.release != release or calls[:given] != model.history:
        model, given = Model(release, privileged=privileged), 0
    model.replay(calls[:MOST_CALLS], injected, given)
    return model


# --- questions to a function ---


class _Question(pickle.Pickler):
    """Pickles arguments; a model goes as the calls that were made on it, an outcome with its before and after made."""

    def reducer_override(self, thing: Any) -> Any:
        if isinstance(thing, Model):
            return _same_calls, (thing.profile, thing.privileged, list(thing.history))
        if isinstance(thing, Outcome):
            told = {name: getattr(thing, name) for name in ("call", "value", "errno", "steps", "machine", "values")}
            return _same_outcome, (told, thing.before, thing.after)
        return NotImplemented


def _same_outcome(told: dict[str, Any], before: Snapshot, after: Snapshot) -> Outcome:
    return Outcome(**told, before=lambda: before, after=lambda: after)


def _same_calls(profile: KernelProfile, privileged: bool, history: Sequence[Call]) -> Watched:
    model = Watched(profile, privileged=privileged)
    for call in history:
        model.do(call)
    return model


def question(arguments: Sequence[Any]) -> str:
    """Arguments for a function, as text for `asked`."""
    file = io.BytesIO()
    _Question(file).dump(tuple(arguments))
    return file.getvalue().hex()


def asked(text: str) -> tuple[Any, ...]:
    """The arguments in `text`, which came from the judge."""
    arguments: tuple[Any, ...] = pickle.loads(bytes.fromhex(text))
    return arguments
