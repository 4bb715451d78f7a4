"""Text alternative equals state: what a picture says of the VMAs is read back and held against the snapshot.

For every call of random programs: each label that a screen reader gets in the live picture, frame by frame, and the
description of the still one.  Read back are the place, the rights, what is behind the memory, every page that is
present and what it holds, and every gap; the reader below knows nothing of the code that wrote the words.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import pairwise
from xml.etree import ElementTree

from attrs import frozen
from hypothesis import given
from hypothesis import strategies as st

from tests.strategies import calls, releases
from vmalab.differences.generate import random_scenario
from vmalab.linux.addr import ARENA_BASE, PAGE, page_align
from vmalab.linux.call import Mremap, Read
from vmalab.linux.mm.access import MOST_READ
from vmalab.machines.model import Model
from vmalab.machines.outcome import Outcome, Row, Snapshot
from vmalab.pictures.scene import scene_of, scene_of_snapshot, scenes_of
from vmalab.pictures.sceneparts import Scene
from vmalab.pictures.svg import draw, svg
from vmalab.programs.calltext import place

KINDS = {
    "private": "anon", "not read": "unread", "from the file": "file", "the zero page": "zero", "guard": "guard",
}  # fmt: skip


@frozen
class Said:
    """A VMA as words have it: bytes, rights, what is behind it, and what each present page holds (byte → kind)."""

    start: int
    end: int
    perms: str
    backing: tuple[str, bool, int | None]
    present: frozenset[tuple[int, str]]
    badges: frozenset[str]


# --- reading ---

SPAN = r"(?:pages? (?P<first>\d+)(?: to (?P<last>\d+))?|(?P<low>0x[0-9a-f]+)-(?P<high>0x[0-9a-f]+))"
VMA = re.compile(
    rf"[A-Z…+₀-₉]+: {SPAN} \([^)]+\), (?P<perms>[r-][w-][x-][ps]), (?P<backing>[^;(]*?(?:\(shmem\)[^;(]*?)?), "
    r"(?P<present>no page present|(?:its page|\d+ of \d+ pages) present(?: \([^)]*\))?)"
    r"(?:; (?P<badges>(?!new in|changed in|removed in|differs|looked at)[^.;]+))?(?=[.;]|$)"
)
FREE = re.compile(SPAN)
BADGES = {
    "sealed": "sl", "locked": "lo", "userfaultfd": "um", "dontfork": "dc", "wipeonfork": "wf", "grows down": "gd",
    "huge": "hg", "never huge": "nh",
}  # fmt: skip
GUARDS = re.compile(r"guards in (\d+) pages?")


def bytes_of(found: re.Match[str]) -> tuple[int, int]:
    if found["low"]:
        return int(found["low"], 16), int(found["high"], 16)
    first = int(found["first"])
    return ARENA_BASE + first * PAGE, ARENA_BASE + (int(found["last"] or first) + 1) * PAGE


def read_vma(found: re.Match[str]) -> Said:
    start, end = bytes_of(found)
    shared = found["perms"][3] == "s"
    words, _, page = found["backing"].partition(", from page ")
    assert ("shared" in words) == shared, words
    for name in ("private anonymous", "shared anonymous (shmem)"):
        words = words.replace(name, "anonymous")
    words = words.removeprefix("file ").removesuffix(", private").removesuffix(", shared")
    return Said(start, end, found["perms"], (words, shared, int(page) if page else None),
                frozenset(read_pages(found["present"], start, end)),
                frozenset(BADGES.get(one, one) for one in (found["badges"] or "").split(", ") if one))  # fmt: skip


def read_pages(words: str, start: int, end: int) -> Iterable[tuple[int, str]]:
    if words == "no page present":
        return
    pages = (end - start) // PAGE
    count, _, rest = words.partition(" present")
    number = 1 if count == "its page" else int(count.split()[0])
    listed = rest.strip(" ()")
    base = start if "counted from its start: " in listed or not 0 <= start - ARENA_BASE < 1 << 36 else ARENA_BASE
    listed = listed.removeprefix("counted from its start: ")
    found = []
    for part in re.split(r", | and ", listed) if listed else [""]:
        where = re.match(r"(\d+)(?: to (\d+))? ?", part)
        kind = part[where.end() :] if where else part
        if where:
            places = range(int(where[1]), int(where[2] or where[1]) + 1)
            found += [(base + place * PAGE, KINDS.get(kind, "plain")) for place in places]
        else:
            found += [(start + place * PAGE, KINDS.get(kind, "plain")) for place in range(pages)]
    assert number == len(found), words
    yield from found


def read_all(words: str) -> list[Said]:
    return [read_vma(found) for found in VMA.finditer(words)]


# --- what is there ---


def there(snapshot: Snapshot) -> list[Said]:
    return [Said(row.start, row.end, row.perms, backing_of(row), frozenset(pages_of(row)), badges_of(row))
            for row in snapshot]  # fmt: skip


def badges_of(row: Row) -> frozenset[str]:
    guarded = sum(end - start for start, end in row.guards)
    found = {code for code in row.flags if code in BADGES.values()}
    return frozenset(found | ({f"guards in {guarded} page{'s' * (guarded > 1)}"} if guarded else set()))


def backing_of(row: Row) -> tuple[str, bool, int | None]:
    name = "anonymous" if row.backing in (None, "shmem") else row.backing
    return name, row.perms[3] == "s", row.pgoff


def pages_of(row: Row) -> Iterable[tuple[int, str]]:
    plain = {run.kind for run in row.runs} <= {"anon", "unread"}
    for run in row.runs:
        for number in range(run.start, run.end):
            yield number * PAGE, "plain" if plain else run.kind


def free(snapshot: Snapshot) -> list[tuple[int, int]]:
    return [(one.end, other.start) for one, other in pairwise(snapshot) if one.end < other.start]


# --- the pictures ---


def labels(scene: Scene, when: str) -> tuple[list[Said], list[tuple[int, int]]]:
    """VMAs and gaps of one band of a live picture, from what a screen reader gets."""
    vmas, gaps = [], []
    for node in ElementTree.fromstring(draw(scene, live=True).svg()).iter("g"):
        told, _, words = node.get("aria-label", "").partition(", ")
        if told == when and node.get("role") == "img":
            found = VMA.match(words)
            assert found, words
            vmas.append(read_vma(found))
        elif told == when and words.startswith("gaps: "):
            gaps += [bytes_of(found) for found in FREE.finditer(words)]
    return vmas, gaps


def the_frames_say(outcome: Outcome) -> None:
    snapshots = [frame.snapshot for frame in outcome.frames] or [outcome.before, outcome.after]
    for snapshot, scene in zip(snapshots, scenes_of(outcome), strict=True):
        assert (there(outcome.before), free(outcome.before)) == labels(scene, "before")
        assert (there(snapshot), free(snapshot)) == labels(scene, "now")


def the_still_picture_says(outcome: Outcome) -> None:
    text = ElementTree.fromstring(svg(scene_of(outcome))).findtext("desc") or ""
    text, _, met = re.sub(r" (?=Moved: |Lost at|Survived|Nothing is mapped where)", "|", text).partition("|")
    before, _, after = text.partition("after: ")
    the_travels_are_said(met, outcome)
    for words, snapshot in ((before, outcome.before), (after, outcome.after)):
        assert there(snapshot) == read_all(words), words
        assert len(free(snapshot)) == words.count("A gap of "), words
        the_seams_are_said(words, snapshot)


def the_seams_are_said(words: str, snapshot: Snapshot) -> None:
    """What keeps two apart that touch, from the rows."""
    said = re.search(r"What keeps those that touch apart: (.*)\.", words)
    found = re.split(r"; (?=[A-Z…+₀-₉]+ and [A-Z…+₀-₉]+: )", said[1]) if said else []
    touching = [(one, other) for one, other in pairwise(snapshot) if one.end == other.start]
    assert len(found) == len(touching), words
    for sentence, (one, other) in zip(found, touching, strict=True):
        assert (f"{one.perms} ≠ {other.perms}" in sentence) == (one.perms != other.perms), sentence
        for badge, code in BADGES.items():
            if badge != "huge":
                assert (badge in sentence) == ((code in one.flags) != (code in other.flags)), sentence
        both = one.anon_vma is not None and other.anon_vma is not None and one.anon_vma != other.anon_vma
        assert (f"anon_vma {one.anon_vma} ≠ {other.anon_vma}" in sentence) == both, sentence
        away = one.file is other.file and one.vm_pgoff + one.pages != other.vm_pgoff
        assert ("vm_pgoff" in sentence) == away, sentence


def pages_said(words: str, beginning: str) -> set[int]:
    """The pages (byte addresses) that a sentence of the still picture names."""
    sentence = re.search(rf"{beginning}: ([^|]*)\.", words)
    spans = map(bytes_of, FREE.finditer(sentence[1])) if sentence else ()
    return {byte for start, end in spans for byte in range(start, end, PAGE)}


def the_travels_are_said(words: str, outcome: Outcome) -> None:
    """What moved, which gaps moved along, what was lost and what survived: page by page, from the moves alone."""
    moves = [move for move in outcome.moves if move.end - move.start < 1 << 20]
    if len(moves) < len(outcome.moves) or outcome.elsewhere or not isinstance(outcome.call, Mremap):
        return

    def held(snapshot: Snapshot) -> set[int]:
        return {byte for row in snapshot for byte in range(row.start, min(row.end, row.start + (1 << 22)), PAGE)}

    came = {move.target + at for move in moves for at in range(0, move.end - move.start, PAGE)}
    if outcome.ok and moves and outcome.call.new_len > outcome.call.old_len:  # what grows brings more than has moved
        came |= set(range(moves[0].target, moves[0].target + page_align(outcome.call.new_len), PAGE))
    lost = pages_said(words, "Lost at the target")
    assert came & held(outcome.before) <= lost or not moves, words
    assert set() == (lost - came) & held(outcome.after), words
    assert set() == lost - held(outcome.before), words
    survived = pages_said(words, "Survived under a moved gap")
    assert set() == survived & (lost | came), words
    assert survived <= held(outcome.before) & held(outcome.after), words
    assert set() == pages_said(words, "Nothing is mapped where a moved gap came to lie") & held(outcome.after), words
    assert ("which maps nothing" in words) == bool(survived or "Nothing is mapped where" in words), words
    for move in moves:
        assert f"from {place(move.start)} to {place(move.target)}" in words


@given(seed=st.integers(0, 1 << 32), release=releases, data=st.data())
def test_what_the_pictures_say_is_the_state(seed: int, release: str, data: st.DataObject):
    vm = Model(release)
    program = list(random_scenario(f"words {seed}").steps)
    for _ in range(len(program) + data.draw(st.integers(0, 3))):
        vmas = vm.mm.vmas()
        edges = sorted({(edge - ARENA_BASE) // PAGE for vma in vmas for edge in (vma.start, vma.end)})
        call = program.pop(0) if program else data.draw(st.composite(lambda draw, edges=edges: calls(draw, edges))())
        if isinstance(call, Read) and call.length > MOST_READ * PAGE:
            continue  # refused in a sentence: there is no answer to picture
        outcome = vm.do(call)
        the_frames_say(outcome)
        the_still_picture_says(outcome)
        now = vm.snapshot()
        assert (there(now), free(now)) == labels(scene_of_snapshot(now), "now")


def test_the_reader_sees_what_is_wrong():
    """A word that is changed is a difference: the reader guesses nothing."""
    vm = Model("6.18")
    vm.mmap(ARENA_BASE, 4 * PAGE)
    vm.touch(ARENA_BASE + PAGE, PAGE)
    text = scene_of_snapshot(vm.snapshot()).text()
    assert there(vm.snapshot()) == read_all(text)
    for old, new in (("(1)", "(2)"), ("0 to 3", "0 to 2"), ("rw-p", "r--p"), ("anonymous", "file f0")):
        assert old in text
        changed = text.replace(old, new)
        assert there(vm.snapshot()) != read_all(changed), changed
