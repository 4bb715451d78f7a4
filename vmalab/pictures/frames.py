"""All pictures of an outcome as plain data for the player in the browser: sent once, as differences where shorter.

The player (`widgets/static/player.js`) needs nothing but this: inside JupyterLab it comes through a trait, in an
exported page it stands in the page.  Numbers here are small (steps, pixels); addresses are already text.

    {"title", "call", "result", "ok", "machine", "summary", "line",    words about the whole call
     "reason",
     "head", "tail",                                                    the SVG around the parts
     "parts": [[key, SVG element], ...],                                every part of any frame, once
     "frames": [[n, ...], ...],                                         see `groups.squeeze`
     "steps": [{"say", "detail", "func", "changes", "errno"}, ...]      one for each frame; the first is "before"
     "trace": {"name", "calls": [[depth, text], ...], "at", "says"},    the kernel's own trace, where there is one: its
                                                                        calls; frame → the call it is in, and its words
     "tables": {"head", "tail", "parts", "frames",                      the page-table entries, drawn likewise; None
                "texts", "says"}}                                       where no steps are told; frame → its text
"""

from __future__ import annotations

import json
import zlib
from base64 import b64encode
from collections.abc import Sequence
from typing import Any

from vmalab.linux.collector import CollectorWaits
from vmalab.machines.outcome import Outcome
from vmalab.machines.traces import Trace, positions
from vmalab.pictures.entries import tables_of
from vmalab.pictures.groups import squeeze
from vmalab.pictures.scale import Scale
from vmalab.pictures.scene import result_words, scenes_of
from vmalab.pictures.sceneparts import Scene, with_letters
from vmalab.pictures.svg import Drawing, draw_all
from vmalab.pictures.svgentries import draw_tables
from vmalab.programs.calltext import call_text
from vmalab.words.explain import detail, narrate, one_line, reason, story
from vmalab.words.tracing import trace_name, where_in


def player_data(outcome: Outcome, *, scale: Scale | None = None, lanes: bool = False) -> dict[str, Any]:
    """What the player needs to show `outcome` step by step; `lanes`: with room to drag in.  O(frames · VMAs)."""
    with CollectorWaits():
        return _player_data(outcome, scale, lanes)


def _player_data(outcome: Outcome, scale: Scale | None, lanes: bool) -> dict[str, Any]:
    scenes = scenes_of(outcome, scale=scale)
    ends = (*scenes[0].bands, scenes[-1].bands[-1])
    drawings = draw_all(scenes, lanes=lanes)
    return {
        "title": f"{call_text(outcome.call)} {result_words(outcome)}",
        "call": call_text(outcome.call),
        "result": result_words(outcome),
        "ok": outcome.ok,
        "machine": outcome.machine,
        "summary": with_letters(one_line(outcome), ends),
        "line": with_letters(story(outcome, 1)[0], ends),
        "reason": reason(outcome) if outcome.errno else "",
        **pictures(drawings),
        "steps": told_steps(outcome, scenes),
        "tables": _tables(outcome, scenes),
        **({} if outcome.trace is None else {"trace": _trace(outcome, outcome.trace)}),
    }


def _trace(outcome: Outcome, trace: Trace) -> dict[str, Any]:
    calls = trace.calls
    at = positions(outcome.steps, trace)
    return {
        "name": trace_name(trace),
        "calls": [[call.depth, str(call).strip()] for call in calls],
        "at": [-1, *(-1 if place is None else place for place in at)],
        "says": ["", *(where_in(calls, place) for place in at)],
    }


MOST_PLACES = 12
"""So many places are named in the words on one level of page-table entries."""


def _tables(outcome: Outcome, scenes: Sequence[Scene]) -> dict[str, Any] | None:
    moments = tables_of(outcome, scenes[0].scale)
    if not moments:
        return None
    words = [moment.text(MOST_PLACES) for moment in moments]
    texts = list(dict.fromkeys(words))
    return {**pictures(draw_tables(moments)), "texts": texts, "says": [texts.index(text) for text in words]}


def pictures(drawings: Sequence[Drawing]) -> dict[str, Any]:
    """The drawings of one scale as `head`, `tail`, `parts` and `frames`."""
    numbers: dict[tuple[str, str], int] = {}
    known: dict[int, int] = {}  # most parts are the same object from frame to frame, and hashing their text takes long
    groups: dict[int, list[int]] = {}
    frames = []
    for drawing in drawings:
        for group in [group for group in drawing.groups if id(group) not in groups]:
            named = list(map(known.get, map(id, group)))
            if None in named:
                for part in (part for part, number in zip(group, named, strict=True) if number is None):
                    known[id(part)] = numbers.setdefault(part, len(numbers))
            groups[id(group)] = list(map(known.__getitem__, map(id, group)))
        frames.append(list(map(groups.__getitem__, map(id, drawing.groups))))
    return {
        "head": drawings[0].head,
        "tail": drawings[0].tail,
        "parts": [list(part) for part in numbers],
        "frames": squeeze(frames),
    }


def told_steps(outcome: Outcome, scenes: Sequence[Scene], *, deep: bool = True) -> list[dict[str, Any]]:
    """For each of `scenes`, which are the frames of `outcome`, what is said of it; `deep`: at all depths."""

    def one(say: str, more: str, func: str, changes: bool, errno: str | None) -> dict[str, Any]:
        return {"say": say, **({"detail": more} if deep else {}), "func": func, "changes": changes, "errno": errno}

    steps = [one("Before the call.", "", "", False, None)]
    before = scenes[0].bands[0]
    for number, frame in enumerate(outcome.frames[1:], 1):
        step = frame.step
        assert step is not None
        bands = (scenes[number].bands[-1], scenes[number - 1].bands[-1], before)
        more = with_letters(detail(step), bands) if deep else ""
        steps.append(one(with_letters(narrate(step), bands), more, step.func, step.changes, step.errno))
    while len(steps) < len(scenes):
        said = f"After the call: it {result_words(outcome)}. This machine tells no steps."
        steps.append(one(said, "", "", True, outcome.errno))
    return steps


def pooled(players: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Several players' data with what their pictures have in common once: `{"pool": [...], "players": [...]}`.

    In `players` a number of the pool stands for each part, head and tail of a picture.  O(size).
    """
    pool: dict[Any, int] = {}

    def thin(picture: dict[str, Any]) -> dict[str, Any]:
        def number(value: Any) -> int:
            return pool.setdefault(value, len(pool))

        parts = [number(tuple(part)) for part in picture["parts"]]
        return {**picture, "head": number(picture["head"]), "tail": number(picture["tail"]), "parts": parts}

    thinned = [{**thin(one), "tables": one["tables"] and thin(one["tables"])} for one in players]
    return {"pool": list(pool), "players": thinned}


def as_json(data: Any) -> str:
    """`data` as compact JSON, the same for the same data."""
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"))


def packed(data: Any, level: int = 9) -> str:
    """`data` as base64 of its JSON, compressed: what `unpack.js` opens.  `level` 1: for who waits for it."""
    return b64encode(zlib.compress(as_json(data).encode(), level)).decode()
