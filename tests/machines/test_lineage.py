"""The letters of a picture: which VMA after a call was which before it."""

from __future__ import annotations

import doctest

import vmalab.machines.lineage
from tests.sample_outcomes import gap_move, outcome, random_outcomes, row
from tests.tiny_language import Little
from vmalab.linux.addr import PAGE, page
from vmalab.linux.call import Mmap, Mremap
from vmalab.machines.letters import MOST_WAITING
from vmalab.machines.lineage import names_of
from vmalab.machines.model import Model
from vmalab.machines.outcome import Outcome
from vmalab.pictures.scene import scene_of, scenes_of


def test_example_in_the_docstring():
    assert 0 == doctest.testmod(vmalab.machines.lineage).failed


def named(outcome: Outcome) -> str:
    """`A0-2 B3-5`: the lower band."""
    first = page(0)
    return " ".join(
        f"{box.name}{(box.row.start - first) // PAGE}-{(box.row.end - first) // PAGE}"
        for box in scene_of(outcome).bands[1].boxes
    )


def last(program: str, release: str = "6.18") -> Outcome:
    told = Little(release)(program)
    assert told is not None
    return told


def test_moved_vmas_keep_their_letters():
    # [A ][B ] → 10
    assert "A10-12 B12-14" == named(last("map 0-2; map 2-4 r; move 0-4 to 10"))


def test_what_lay_at_the_target_does_not_lend_its_letter():
    assert "A10-12 C20-21" == named(last("map 0-2; map 10-11 r; map 20-21; move 0-2 to 10"))


def test_a_cut_vma_keeps_its_letter_and_its_parts_are_numbered():
    assert "A0-1 A₂2-4" == named(last("map 0-4; unmap 1-2"))


def test_a_stack_that_grew_keeps_its_letter():
    assert "A300-302 B590-602 C700-702" == named(last("map 300-302; map 600-602 growsdown; map 700-702 r; touch 590"))


def test_merged_vmas_have_both_letters():
    assert "A+B0-4" == named(last("map 0-2; map 2-4 r; protect 2-4 rw"))


def test_a_moved_vma_that_merges_at_its_destination_has_both_letters():
    assert "A64-66 B+C66-69" == named(gap_move())


def test_the_source_that_dontunmap_leaves_is_the_same_vma():
    assert "A0-2 A₂10-12" == named(last("map 0-2; touch 0-2; keep 0-2 to 10"))


def test_new_memory_gets_a_new_letter_even_over_an_old_vma():
    assert "A0-2 B4-6" == named(last("map 0-2; map 4-6"))
    assert "B0-2" == named(last("map 0-2; map 0-2 r"))


def test_a_letter_is_for_life():
    """Through the calls of one process: where things lie says nothing of what they are called."""
    vm = Little("6.18")
    for program, expected in (
        ("map 8-10; map 0-2 r", "B A"), ("move 0-2 to 20", "A B"), ("map 0-9 x", "C A B"),
        ("move 3-6 to 100", "C C₂ A B C₃"), ("move 100-103 to 3", "C A B"), ("unmap 4-5", "C C₂ A B"),
        ("map 4-5 x", "C A B"),
    ):  # fmt: skip
        vm(program)
        assert expected == " ".join(names_of(vm.model.snapshot())), program


def test_a_long_program_begins_its_letters_anew():
    vm = Model("6.18")
    for number in range(2 * MOST_WAITING):
        vm.mmap(page(2 * number % 8), PAGE)
    assert 4 == len(set(names_of(vm.snapshot())))


def test_without_ids_the_moves_are_read_off_the_call():
    # as the live machine and recordings tell it: no ids, no moves
    told = outcome(
        Mremap(page(0), 5 * PAGE, 5 * PAGE, 3, page(64)), page(64), None,
        [row(0, 2), row(3, 5, "r--p"), row(66, 67, "r--p")], [row(64, 66), row(66, 69, "r--p")],
    )  # fmt: skip
    assert "A64-66 B+C66-69" == named(told)


def test_without_ids_fresh_memory_is_still_new():
    told = outcome(Mmap(page(0), 2 * PAGE), page(0), None, [row(0, 2, "r--p")], [row(0, 2)])
    assert "B0-2" == named(told)


def test_more_than_three_letters_are_shortened():
    assert "A…D0-4" == named(last("map 0; map 1 r; map 2 x; map 3; protect 0-4 rw"))


def test_from_frame_to_frame_a_key_stays_with_its_vma():
    keys = [{box.key: box.name for box in scene.bands[1].boxes} for scene in scenes_of(gap_move())]
    assert {"v1": "A", "v2": "B", "v3": "C"} == keys[0]
    assert {"v4": "A", "v3": "B+C"} == keys[-1]


def test_the_letter_of_an_untouched_vma_never_changes():
    for told in random_outcomes():
        before = {(box.row.start, box.row.end, box.row.id): box.name for box in scene_of(told).bands[0].boxes}
        for box in scene_of(told).bands[1].boxes:
            same = before.get((box.row.start, box.row.end, box.row.id))
            assert same in (None, box.name)
