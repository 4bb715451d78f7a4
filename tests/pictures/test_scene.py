"""What a picture shows, and that its words say the same."""

from __future__ import annotations

import pytest

from tests.sample_outcomes import gap_model, gap_move, many, outcome, row
from tests.tiny_language import Little
from vmalab.linux.addr import ARENA_BASE, PAGE, page
from vmalab.linux.call import Brk, Call, Ftruncate, Mlockall, Mmap, Mremap, Munlockall, Munmap
from vmalab.machines.model import Model
from vmalab.machines.outcome import Outcome, Row, Snapshot
from vmalab.pictures.scene import ranges_of, result_words, scale_for, scene_of, scene_of_snapshot, scenes_of
from vmalab.pictures.sceneparts import Scene, access, backing_words, present_words
from vmalab.programs.scenario import named


def test_before_above_after_on_one_scale():
    scene = scene_of(gap_move())
    assert ["before", "after"] == [band.title for band in scene.bands]
    for band in scene.bands:
        for box in band.boxes:
            assert (scene.scale.x(box.row.start), scene.scale.x(box.row.end)) == (box.x, box.x + box.width)


def test_moved_vmas_are_joined_by_ribbons():
    scene = scene_of(gap_move())
    moved = {ribbon.name: (ribbon.x, ribbon.to) for ribbon in scene.ribbons if ribbon.move and not ribbon.gap}
    x = scene.scale.x
    assert {"A": (x(page(0)), x(page(64))), "B": (x(page(3)), x(page(67)))} == moved
    assert [(x(page(2)), x(page(66)))] == [(ribbon.x, ribbon.to) for ribbon in scene.ribbons if ribbon.gap]
    assert ["C"] == [ribbon.name for ribbon in scene.ribbons if not ribbon.move]


def test_the_range_and_the_target_are_marked():
    marks = {mark.kind: mark.words for mark in scene_of(gap_move()).marks}
    assert {"source": "range: pages 0 to 4 (5 pages)", "target": "target: pages 64 to 68 (5 pages)"} == marks


def test_the_text_alternative_of_the_gap_move():
    expected = (
        "Range: pages 0 to 4 (5 pages). Target: pages 64 to 68 (5 pages). "
        "before: 3 VMAs. "
        "A: pages 0 to 1 (2 pages), rw-p, private anonymous, 2 of 2 pages present. A gap of 1 page. "
        "B: pages 3 to 4 (2 pages), r--p, private anonymous, no page present. A gap of 61 pages. "
        "C: page 66 (1 page), r--p, private anonymous, no page present. "
        "after: 2 VMAs. "
        "A: pages 64 to 65 (2 pages), rw-p, private anonymous, 2 of 2 pages present. "
        "B+C: pages 66 to 68 (3 pages), r--p, private anonymous, no page present. "
        "What keeps those that touch apart: A and B+C: rw-p ≠ r--p; vm_pgoff 2 ≠ 66. "
        "Moved: A: 2 pages from page 0 to page 64; a gap of 1 page from page 2 to page 66, which maps nothing; "
        "B: 2 pages from page 3 to page 67. Survived under a moved gap: C: page 66 (1 page)."
    )
    assert expected == scene_of(gap_move()).text()
    assert (
        "mremap(page 0, 5 pages, 5 pages, MREMAP_MAYMOVE | MREMAP_FIXED, page 64) returns page 64"
        == scene_of(gap_move()).title
    )


def test_a_failed_call_says_so_and_shows_what_it_changed_all_the_same():
    scene = scene_of(gap_move("6.16"))
    assert scene.title.endswith("fails with EFAULT")
    assert [] == [ribbon for ribbon in scene.ribbons if ribbon.move]


def test_every_step_is_a_frame_and_the_last_is_the_picture_of_the_outcome():
    told = gap_move()
    scenes = scenes_of(told)
    assert len(told.frames) == len(scenes)
    assert 1 == len({id(scene.scale) for scene in scenes})
    assert scene_of(told).bands[1].boxes[0].row == scenes[-1].bands[1].boxes[0].row
    for scene, frame in zip(scenes, told.frames, strict=True):
        assert list(frame.snapshot) == [box.row for box in scene.bands[1].boxes]


def by_step(told: Outcome) -> dict[str, list[Scene]]:
    found: dict[str, list[Scene]] = {}
    for frame, scene in zip(told.frames, scenes_of(told), strict=True):
        found.setdefault(frame.step.key if frame.step else "", []).append(scene)
    return found


def test_a_step_marks_what_it_changes_looks_at_and_is_about():
    steps = by_step(gap_move())
    copied = steps["copied"][0]
    assert ["v4 new A"] == [f"{box.key} {box.mark} {box.name}" for box in copied.bands[1].boxes if box.mark]
    assert copied.scale.x(page(0)) == next(box.born for box in copied.bands[1].boxes if box.mark)
    assert ["A"] == [box.name for box in steps["source_fine"][0].bands[1].boxes if box.looked]
    gone = steps["unmap_source"][0].bands[1].gone
    assert ["A removed"] == [f"{box.name} {box.mark}" for box in gone]
    cue = next(mark for mark in steps["gap_kept"][0].marks if mark.kind == "cue")
    assert "the step is about page 2" == cue.words


def test_a_ribbon_appears_when_pages_travel_and_not_when_the_vma_is_made():
    steps = by_step(gap_move())
    keys = ("arguments_fine", "copied", "pages_moved", "gap_kept", "merge_new", "nothing_to_move")
    assert [0, 0, 1, 2, 2, 3] == [sum(1 for one in steps[key][-1].ribbons if one.move) for key in keys]


def met(scene: Scene) -> list[tuple[str, str]]:
    return [(place.kind, place.words) for place in scene.places]


def test_what_a_move_meets_is_drawn_when_it_happens():
    """C lies under A, the gap and B: ends of it are lost, one page survives."""
    vm = Model("6.18")
    vm.mmap(page(0), 2 * PAGE)
    vm.mmap(page(3), 2 * PAGE, "r")
    vm.touch(page(0), 2 * PAGE)
    vm.mmap(page(65), 4 * PAGE, kind="sharedfile", file="canary")
    told = vm.mremap(page(0), 5 * PAGE, 5 * PAGE, 3, page(64))
    lost, survived = [("lost", "C: page 65 (1 page)")], [("survived", "C: page 66 (1 page)")]
    rest = [("lost", "C: pages 67 to 68 (2 pages)")]
    steps = by_step(told)
    for key, number, expected in (
        ("arguments_fine", 0, []), ("unmap_destination", 0, lost), ("pages_moved", 0, lost),
        ("gap_kept", 0, lost + survived), ("unmap_destination", 1, lost + survived + rest),
    ):  # fmt: skip
        assert expected == met(steps[key][number]), key
    bare = Outcome(told.call, told.value, None, before=lambda: told.before, after=lambda: told.after)
    for still in (scene_of(told), scene_of(bare)):
        assert sorted(lost + survived + rest) == sorted(met(still))
        assert {"gap", "lost", "survived"} <= still.legend
    assert "Lost at the target: C: page 65 (1 page); C: pages 67 to 68 (2 pages)." in scene_of(told).text()


def test_a_gap_that_maps_nothing_ends_in_an_empty_place():
    vm = Model("6.18")
    vm.mmap(page(0), 2 * PAGE)
    vm.mmap(page(5), 2 * PAGE, "r")
    told = vm.mremap(page(0), 9 * PAGE, 9 * PAGE, 3, page(20))
    assert [("empty", "pages 22 to 24 (3 pages)"), ("empty", "pages 27 to 28 (2 pages)")] == met(scene_of(told))


def test_what_an_older_kernel_had_unmapped_by_then_is_lost_too():
    told = gap_move("6.16")
    assert [("lost", "C: page 66 (1 page)")] == met(scene_of(told)) == met(scenes_of(told)[-1])


def test_what_mmap_replaces_is_lost():
    vm = gap_model()
    assert [("lost", "A: page 1 (1 page)")] == met(scene_of(vm.mmap(page(1), 2 * PAGE)))


def test_growing_in_place_loses_nothing():
    vm = gap_model()
    assert [] == met(scene_of(vm.mremap(page(0), 2 * PAGE, 3 * PAGE)))


def test_a_machine_without_steps_has_two_frames():
    told = outcome(Munmap(page(0), PAGE), 0, None, [row(0, 1)], [])
    assert [["before", "now"], ["before", "after"]] == [
        [band.title for band in scene.bands] for scene in scenes_of(told)
    ]


def test_a_refused_move_that_had_moved_some_keeps_their_letters_on_a_machine_without_steps():
    call = Mremap(page(0), 6 * PAGE, 6 * PAGE, 3, page(64))
    before = [row(0, 2), row(2, 4, "r--p"), row(5, 6, "rw-s", "shmem", 0)]
    told = outcome(call, None, "EFAULT", before, [*before[1:], row(64, 66)])
    assert "Moved: A: 2 pages from page 0 to page 64." in scene_of(told).text()
    assert ["B", "C", "A"] == [box.name for box in scene_of(told).bands[1].boxes]
    untouched = outcome(call, None, "EFAULT", before, before)
    assert "Moved" not in scene_of(untouched).text()


@pytest.mark.parametrize("name", ["uffd-stops-it", "first-of-two-moves"])
def test_the_model_and_a_machine_without_steps_see_the_same_moves(name):
    if name == "uffd-stops-it":
        told = Model("6.18").run(named(name)).outcomes[-1]
    else:
        vm = Model("6.18")
        vm.mmap(page(0), 2 * PAGE)
        vm.mmap(page(3), 2 * PAGE, "r")
        vm.inject("move_page_tables", 2)
        told = vm.mremap(page(0), 5 * PAGE, 5 * PAGE, 3, page(64))
    bare = Outcome(told.call, told.value, told.errno, before=lambda: told.before, after=lambda: told.after)
    assert told.errno is not None and told.moves and ribbons(scene_of(told))
    assert ribbons(scene_of(told)) == ribbons(scene_of(bare))


def ribbons(scene: Scene) -> list[tuple[str, int, int]]:
    return [(ribbon.name, ribbon.x, ribbon.to) for ribbon in scene.ribbons if ribbon.move]


def test_an_address_that_was_not_recorded_is_drawn_elsewhere():
    there = Snapshot((Row(0, 4 * PAGE, "rw-p"),))
    call, stays = Mremap(page(0), 2 * PAGE, 4 * PAGE, 1), row(2, 3, "r--p")
    told = outcome(call, None, None, [row(0, 2), stays], [stays], elsewhere=there)
    text = scene_of(told).text()
    assert "A: elsewhere, at the returned address (4 pages)" in text
    assert "Moved: A: 2 pages from page 0 to an address outside the arena." in text
    assert "0x" not in text


def test_an_address_outside_the_arena_that_is_known_is_given_in_hex():
    vm = Little("6.18")
    told = vm("map 0-2; map 2-3 r; resize 0-2 to 4 maymove")
    assert told is not None
    assert f"A: {told.value:#x}-" in scene_of(told).text()


def test_a_snapshot_alone():
    scene = scene_of_snapshot(gap_model().snapshot(), "my process")
    assert "My process: 3 VMAs" == scene.title
    assert scene.text().startswith("now: 3 VMAs. A: pages 0 to 1 (2 pages), rw-p")
    assert "now: no VMAs." == scene_of_snapshot(Snapshot()).text()


def test_a_window_and_marks_of_a_snapshot():
    snapshot = gap_model().snapshot()
    scene = scene_of_snapshot(snapshot, window=(page(0), page(80)), marks=[("source", page(10), page(12))])
    assert (page(0), page(80)) == (scene.scale.stretches[0].start, scene.scale.stretches[-1].end)
    assert ["range: pages 10 to 11 (2 pages)"] == [mark.words for mark in scene.marks]


def test_differing_vmas_are_marked():
    scene = scene_of(gap_move(), differing=frozenset({page(64)}))
    assert ["differs", ""] == [box.mark for box in scene.bands[1].boxes]
    assert "; differs from the other side" in scene.text()


def test_two_outcomes_on_one_scale():
    pair = gap_move("6.16"), gap_move("6.18")
    scale = scale_for(pair)
    assert all(scene_of(told, scale=scale).scale is scale for told in pair)
    for told in pair:
        for box in scene_of(told, scale=scale).bands[1].boxes:
            assert box.width > 0


@pytest.mark.parametrize(
    ("call", "value", "expected"),
    [
        (Mremap(page(0), PAGE, 2 * PAGE, 3, page(5)), None, ((0, 1), (5, 7))),
        (Mremap(page(0), PAGE, 2 * PAGE, 1), page(9), ((0, 1), (9, 11))),
        (Mremap(page(0), PAGE, 2 * PAGE), None, ((0, 1), None)),
        (Mmap(page(3), PAGE), None, (None, (3, 4))),
        (Mmap(None, PAGE, fixed=False), None, (None, None)),
        (Munmap(page(3), PAGE), 0, ((3, 4), None)),
    ],
)
def test_the_bytes_that_a_call_names(call, value, expected):
    assert expected == tuple(
        pair and tuple((edge - ARENA_BASE) // PAGE for edge in pair) for pair in ranges_of(call, value)
    )


def test_absurd_arguments_are_drawn_all_the_same():
    for addr, length in ((page(2**45), 5 * PAGE), (page(0) + 5, 2**63), (2**64 - PAGE, 2**64 - 1), (0, 0)):
        told = outcome(Mremap(addr, length, length, 3, 2**64 - 1), None, "EINVAL", [row(0, 2)], [row(0, 2)])
        scene = scene_of(told)
        assert 2 == len(scene.bands)
        assert scene.scale.width < 2000


def test_words_for_rows():
    assert "shared anonymous (shmem), from page 0" == backing_words(row(0, 1, "rw-s", "shmem", 0))
    assert "file f0, private, from page 3" == backing_words(row(0, 1, "rw-p", "f0", 3))
    assert "/dev/zero, private" == backing_words(row(0, 1, "rw-p", "/dev/zero"))
    for words, present in (
        ("3 of 4 pages present (0 to 1 private and 2 the zero page)", [(0, 2, "anon", 1), (2, 3, "zero", 0)]),
        ("3 of 4 pages present (0 and 2 to 3)", [(0, 1, "anon", 1), (2, 3, "anon", 7), (3, 4, "anon", 1)]),
        ("4 of 4 pages present", [(0, 1, "anon", 1), (1, 4, "anon", 7)]),
    ):
        assert words == present_words(row(0, 4, present=present))
    assert "its page present (guard)" == present_words(row(3, 4, present=[(3, 4, "guard", 0)]))
    many_runs = row(0, 60, present=[(2 * i, 2 * i + 1, "anon", 1) for i in range(30)])
    assert present_words(many_runs).endswith("44, 46 and 6 more stretches)")
    assert ("x", "rw", "r", "no") == tuple(access(perms) for perms in ("rwxp", "rw-p", "r--s", "---p"))


def test_what_came_back_ends_a_sentence():
    assert "returns page 64" == result_words(gap_move())
    assert "fails with EFAULT" == result_words(gap_move("6.16"))


# --- many VMAs ---


def test_many_vmas_are_all_there():
    scene = scene_of(many(512))
    assert 512 == len(scene.bands[1].boxes)
    assert [256, 256] == [sum(1 for one in scene.ribbons if one.move and one.gap == gap) for gap in (False, True)]


@pytest.mark.parametrize("call", [Brk(0), Mlockall(1), Munlockall(), Ftruncate("f0", 0)])
def test_calls_that_name_no_range_are_pictured_without_one(call: Call) -> None:
    assert (None, None) == ranges_of(call)
    vm = Model("6.18")
    vm.mmap(page(0), PAGE, kind="sharedfile", file="f0")
    assert "page 0" in scene_of(vm.do(call)).text()
