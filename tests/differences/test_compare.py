"""Two machines side by side: the rule of agreement, and the first difference of each step."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve

from vmalab.differences.compare import compare
from vmalab.linux.addr import ARENA_BASE, PAGE, page
from vmalab.linux.call import Fork, Mmap, Mremap, Read
from vmalab.linux.mm.runs import Run
from vmalab.machines.machine import Played
from vmalab.machines.model import Model
from vmalab.machines.outcome import Outcome, Row, Snapshot
from vmalab.programs.scenario import Scenario, named

BASE = ARENA_BASE // PAGE
ROW = Row(page(0), page(2), "rw-p", None, None, ("ac",), (Run(BASE, BASE + 2, "anon", 3000, 1),))


def one_step(call: Any = None, rows: tuple[Row, ...] = (ROW,), *, contents: bool = False, **more: Any) -> Played:
    call = call or Fork()
    values = {"value": 0, "errno": None, **more}
    return Played(
        Scenario("x", (call,), contents=contents), "m", (Outcome(call, after=lambda: Snapshot(rows), **values),)
    )


def test_equal_answers_agree() -> None:
    found = compare(one_step(), one_step())
    assert found.agrees
    assert list(found.differences()) == []


@pytest.mark.parametrize(
    ("a", "b", "key"),
    [
        (one_step(), one_step(errno="EFAULT", value=None), "errno"),
        (one_step(Mmap(page(0), PAGE), value=page(0)), one_step(Mmap(page(0), PAGE), value=page(1)), "return"),
        (one_step(), one_step(rows=()), "vmas"),
        (one_step(), one_step(rows=(evolve(ROW, end=page(3)),)), "vmas"),
        (one_step(), one_step(rows=(evolve(ROW, perms="r--p"),)), "vmas"),
        (one_step(), one_step(rows=(evolve(ROW, backing="f0"),)), "vmas"),
        (one_step(), one_step(rows=(evolve(ROW, pgoff=3),)), "vmas"),
        (one_step(Read(page(0), PAGE), values=(1,)), one_step(Read(page(0), PAGE), values=(None,)), "values"),
        (one_step(contents=True), one_step(contents=True, rows=(evolve(ROW, runs=()),)), "pages"),
        (
            one_step(Mremap(0, 0, 0), value=None, elsewhere=Snapshot()),
            one_step(Mremap(0, 0, 0), value=None, elsewhere=Snapshot((evolve(ROW, start=0, end=PAGE, runs=()),))),
            "elsewhere",
        ),
    ],
)
def test_each_thing_that_can_differ(a: Played, b: Played, key: str) -> None:
    found = compare(a, b)
    assert not found.agrees
    assert found.first is not None
    assert (found.first.step, found.first.key) == (1, key)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (one_step(), one_step(rows=(evolve(ROW, runs=()),))),  # contents count only where somebody looked
        (one_step(), one_step(rows=(evolve(ROW, flags=("lo",)),))),  # flags only at the end
        (one_step(contents=True), one_step(rows=(evolve(ROW, runs=()),))),
        (one_step(Read(page(0), PAGE), values=(1,)), one_step(Read(page(0), PAGE))),
        (one_step(), one_step(rows=(ROW, evolve(ROW, start=page(5000), end=page(5001), runs=())))),
        (one_step(), one_step(rows=(evolve(ROW, vm_pgoff=7, anon_vma=3, id=9),))),  # only the model knows these
        (one_step(Mremap(0, 0, 0), value=1 << 45), one_step(Mremap(0, 0, 0), value=1 << 46)),  # both elsewhere
    ],
)
def test_what_does_not_count(a: Played, b: Played) -> None:
    assert compare(a, b).agrees


@pytest.mark.parametrize("change", [{"flags": ("ac", "lo")}, {"runs": ()}, {"perms": "r--p"}])
def test_at_the_end_flags_and_contents_count(change: dict[str, Any]) -> None:
    a = evolve(one_step(), final=Snapshot((ROW,)))
    b = evolve(one_step(), final=Snapshot((evolve(ROW, **change),)))
    (found,) = compare(a, b).differences()
    assert (found.step, found.key) == (None, "final")
    assert found.a[0]["flags"] == ["ac"]


def test_flags_that_the_format_does_not_carry_do_not_count() -> None:
    a = evolve(one_step(), final=Snapshot((ROW,)))
    b = evolve(one_step(), final=Snapshot((evolve(ROW, flags=("ac", "mr", "rd")),)))
    assert compare(a, b).agrees


def test_runs_of_another_cut_with_the_same_contents_agree() -> None:
    cut = (Run(BASE, BASE + 1, "page", 3000), Run(BASE + 1, BASE + 2, "page", 3001))
    a = evolve(one_step(), final=Snapshot((ROW,)))
    b = evolve(one_step(), final=Snapshot((evolve(ROW, runs=cut),)))
    assert compare(a, b).agrees


def test_a_machine_that_could_not_run_it_does_not_agree() -> None:
    failed = Played(one_step().scenario, "live", error="switched off")
    found = compare(one_step(), failed)
    assert not found.agrees
    assert [(one.key, one.a, one.b) for one in found.differences()] == [("error", None, "switched off")]
    assert not compare(failed, failed).agrees


def test_two_releases_differ_at_the_multi_vma_move() -> None:
    scenario = named("gap-keeps-what-was-there")
    found = compare(Model("6.16").run(scenario), Model("6.17").run(scenario))
    assert found.first is not None
    assert (found.first.step, found.first.key, found.first.a, found.first.b) == (5, "errno", "EFAULT", None)
    assert [step.agrees for step in found.steps] == [True, True, True, True, False]
    assert found.final is not None
