"""What is to be drawn: an outcome or a snapshot as boxes, gaps, ribbons and marks on one folded scale, and in words.

No colour, no SVG, no HTML here (`vmalab.pictures.svg`, `vmalab.pictures.display`).  The picture and its text
alternative are both made
from the same `Scene`, so they cannot disagree.  A scene of the frames of one outcome uses one scale for all of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from attrs import evolve

from vmalab.machines.lineage import names_of
from vmalab.machines.outcome import Outcome, Snapshot
from vmalab.pictures.gaps import gaps_of
from vmalab.pictures.legend import legend_of
from vmalab.pictures.scale import WIDTH, Scale, make_scale
from vmalab.pictures.sceneframes import SceneFrames, key_of, make_box, make_mark, ranges_of, result_words
from vmalab.pictures.sceneparts import Band, Scene, box_words
from vmalab.pictures.seams import seams_of, ties_of


def scene_of_snapshot(
    snapshot: Snapshot, title: str = "address space", *, window: tuple[int, int] | None = None,
    marks: Sequence[tuple[str, int, int]] = (), scale: Scale | None = None, differing: frozenset[int] | None = None,
    moment: str = "now",
) -> Scene:  # fmt: skip
    """One band: the VMAs of `snapshot`, named by their order.

    `moment`: what stands beside the band, and before each VMA in words.
    `window`: the bytes to show whether mapped or not, with no gap in them folded.  `marks`: (kind, start, end), bytes.
    `differing`: start addresses of VMAs to be marked as different from another machine's.
    """
    edges = [edge for _, start, end in marks for edge in (start, end)]
    scale = scale or make_scale(((row.start, row.end) for row in snapshot), edges, window=window)
    names = names_of(snapshot)
    marked = differing or frozenset()
    boxes = tuple(
        make_box(key_of(row), names[i], row, scale, "differs" if row.start in marked else "")
        for i, row in enumerate(snapshot)
    )
    seams, ties = seams_of(snapshot.rows, names, scale), ties_of(snapshot.rows, names, scale)
    band = Band(moment, boxes, gaps_of(snapshot.rows, scale), seams=seams, ties=ties)
    made = tuple(make_mark(kind, start, end, scale) for kind, start, end in marks)
    legend = legend_of(snapshot.rows, (), made, scale)
    return Scene(_count(title, snapshot), scale, (band,), marks=made, legend=legend)


def _count(title: str, snapshot: Snapshot) -> str:
    return f"{title[:1].upper()}{title[1:]}: {len(snapshot)} VMA{'' if len(snapshot) == 1 else 's'}"


def scene_of(
    outcome: Outcome, *, scale: Scale | None = None, differing: frozenset[int] = frozenset()
) -> Scene:  # fmt: skip
    """Before above after, as one picture.  `differing`: start addresses of VMAs to be marked in the lower band."""
    return with_differing(SceneFrames(outcome, scale, ends_only=True).scenes(last_only=True)[-1], differing)


def scenes_of(outcome: Outcome, *, scale: Scale | None = None) -> tuple[Scene, ...]:
    """One scene for each frame of `outcome`: what was before above what is by then, all on one scale.

    An outcome without steps (of the live machine, of a recording) has two: before and after.
    """
    return SceneFrames(outcome, scale, ends_only=False).scenes()


def with_differing(scene: Scene, starts: frozenset[int]) -> Scene:
    """`scene` with those VMAs of its last band marked as different from another machine's that begin at `starts`."""
    if not starts:
        return scene
    band = scene.bands[-1]
    boxes = tuple(
        evolve(box, mark="differs", words=box_words(box.name, box.row, "differs", scene.elsewhere))
        if box.row.start in starts
        else box
        for box in band.boxes
    )
    return evolve(scene, bands=(*scene.bands[:-1], evolve(band, boxes=boxes, plain=None, signed=())))


def scale_for(outcomes: Iterable[Outcome], width: int = WIDTH) -> Scale:
    """One scale, `width` pixels wide, on which all of `outcomes` can be drawn."""
    areas: set[tuple[int, int]] = set()
    edges: set[int] = set()
    for outcome in outcomes:
        builder = SceneFrames(outcome, None, ends_only=False)
        areas |= builder.areas
        edges |= builder.edges
    return make_scale(areas, edges, width=width)


__all__ = ["ranges_of", "result_words", "scale_for", "scene_of", "scene_of_snapshot", "scenes_of", "with_differing"]
