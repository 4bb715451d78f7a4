"""What the legend of a picture explains: the kinds of things that some frame of it shows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from vmalab.machines.outcome import Move, Row
from vmalab.pictures.badges import badges_of
from vmalab.pictures.scale import Scale
from vmalab.pictures.sceneparts import Mark, access, backing_kind


def legend_of(rows: Iterable[Row], moves: Sequence[Move], marks: Sequence[Mark], scale: Scale) -> frozenset[str]:
    """What of the legend is needed: only what some frame of the picture shows."""
    perms: set[str] = set()
    backings: set[str | None] = set()
    kinds: set[str] = set()
    badges: set[str] = set()
    for row in rows:
        perms.add(row.perms)
        backings.add(row.backing)
        if row.runs:
            kinds.update([run.kind for run in row.runs])
        if row.guards:
            kinds.add("guard")
        if row.guards or row.flags:
            badges.update(code for code, _ in badges_of(row))
    seen = {f"perm {access(text)}" for text in perms} | {f"back {backing_kind(name)}" for name in backings}
    seen |= {f"badge {code}" for code in badges} | {f"page {kind}" for kind in kinds} | {mark.kind for mark in marks}
    if perms:
        seen.add("absent")
    if moves:
        seen.add("moved")
    if any(stretch.folded for stretch in scale.stretches):
        seen.add("folded")
    if scale.enlarged:
        seen.add("enlarged")
    return frozenset(seen)
