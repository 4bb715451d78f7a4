"""A process over time, without scripts: its curves as one SVG, and its VMAs in words."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

WIDE, HIGH = 900, 120


def curves(counts: Sequence[int], pages: Sequence[int], about: str) -> str:
    """VMAs and mapped memory after each call, each to its own scale.  At most `WIDE` points.  O(calls)."""
    lines = []
    for kind, values in (("rw", counts), ("x", pages)):
        points = thinned(values)
        most = max(points, default=0) or 1
        step = WIDE / max(len(points) - 1, 1)
        path = " ".join(
            f"{number * step:.0f},{HIGH - value * (HIGH - 8) / most:.0f}" for number, value in enumerate(points)
        )
        lines.append(f'<polyline class="vml-curve {kind}" points="{path}"/>')
    return (
        f'<svg class="vml-pic" viewBox="0 0 {WIDE} {HIGH + 4}" role="img" aria-label="{escape(about, quote=True)}">'
        f"{''.join(lines)}</svg>"
    )


def thinned(values: Sequence[int]) -> list[int]:
    """At most `WIDE` of the values: of each stretch the largest."""
    if len(values) <= WIDE:
        return list(values)
    return [max(values[n * len(values) // WIDE : (n + 1) * len(values) // WIDE]) for n in range(WIDE)]
