"""Planted faults: each is found, made small, and differs from the right model in its one rule."""

from __future__ import annotations

import attrs
import pytest

from vmalab.differences import live_answers
from vmalab.errors import UsageError
from vmalab.linux.profile import profile
from vmalab.teach import agreement_table, all_rules, calls_of, hunt, hunt_here, left_out, random_program, suspect
from vmalab.teach.suspects import FAULTS, blind_program, fault_of, turned


def test_a_suspect_differs_from_the_right_model_in_one_rule() -> None:
    right = attrs.asdict(profile("6.18"))
    for number in range(1, len(FAULTS) + 2):
        held = attrs.asdict(suspect(number).profile)
        assert {"release", fault_of(number)} == {name for name, value in held.items() if value != right[name]}
    assert fault_of(1) == fault_of(len(FAULTS) + 1)


def test_a_suspect_does_not_tell_its_rule() -> None:
    vm = suspect(3)
    assert "<Model of suspect 3: 0 VMAs after 0 calls>" == repr(vm)
    vm.reset()
    assert "suspect 3" == str(vm.profile)


@pytest.mark.parametrize("number", [0, -1, "1", None])
def test_suspects_have_numbers(number: object) -> None:
    with pytest.raises(UsageError, match="suspects are numbered from 1 on"):
        suspect(number)  # type: ignore[arg-type]


def test_only_rules_can_be_turned() -> None:
    with pytest.raises(UsageError, match="there is no rule 'release': the rules are order_of_6_15, "):
        turned("release", "x")


@pytest.mark.parametrize("number", range(1, len(FAULTS) + 1))
def test_every_fault_is_found_within_400_programs(number: int) -> None:
    found = hunt(suspect(number))
    assert found.comparison is not None and found.comparison.first is not None
    assert found.comparison.first.step in (None, len(found.comparison.steps))
    assert found.words.startswith(f"Linux 6.18 and suspect {number} differ on program {found.programs}; it has ")
    assert found.program == random_program(1, found.programs - 1)


def test_a_small_program_shows_the_same_with_fewer_calls() -> None:
    found = hunt(suspect(2))
    small = found.shrunk()
    assert found.program is not None and small.program is not None
    assert len(small.program.steps) < len(found.program.steps)
    assert small.comparison is not None and not small.comparison.agrees
    assert "made small, it has 2 calls" in small.words
    assert len(repr(small).splitlines()) == 1 + len(small.program.steps)
    html = small._repr_html_()
    assert "suspect 2" in html and "<svg" in html


def test_who_looks_nowhere_finds_nothing() -> None:
    found = hunt(suspect(1), blind=True, programs=100)
    assert found.comparison is None
    assert "Linux 6.18 and suspect 1 answer 100 programs alike, 1400 calls in all." == repr(found)
    assert "<svg" not in found._repr_html_()
    with pytest.raises(UsageError, match="no program was found"):
        found.shrunk()
    assert blind_program(1, 2) == blind_program(1, 2) != blind_program(1, 3)


def test_two_releases_can_be_held_together() -> None:
    assert hunt("6.16", "6.17", programs=50).comparison is not None
    with pytest.raises(UsageError, match="programs is a number from 1 to"):
        hunt("6.16", programs=0)


def test_the_calls_of_a_program_with_their_answers() -> None:
    program = random_program(1, 0)
    table = calls_of(program)
    assert [str(number) for number in range(1, len(program.steps) + 1)] == [row[0] for row in table.rows]


# --- how true the model is ---


def test_the_table_of_agreement_counts_what_was_held() -> None:
    table = agreement_table(40)
    assert len(table.rows) == 11 and {"0"} == {row[-1] for row in table.rows}
    assert table.verdict.endswith("The model gives the answers of the kernels to all of them.")
    with pytest.raises(UsageError, match="every is a number from 1 on"):
        agreement_table(0)


def test_a_difference_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    from vmalab.teach import evidence

    class Wrong(evidence.Model):
        def __init__(self, release: str, **options: bool) -> None:
            super().__init__(turned("order_of_6_17", release, release), **options)

    monkeypatch.setattr(evidence, "Model", Wrong)
    evidence._held.cache_clear()
    table = agreement_table(41)
    evidence._held.cache_clear()
    differ = sum(int(row[-1]) for row in table.rows)
    assert differ > 5 and table.verdict.endswith(f"{differ} differ.")


def test_what_is_left_out_and_all_rules_are_tables() -> None:
    assert "SysV shared memory" in repr(left_out())
    assert {"dontunmap_leaks_locked_vm"} == {
        name for name, _, where, _ in all_rules().rows if where == "6.16 until before 7.2 (a bug)"
    }


# --- this machine ---


def test_without_a_kernel_the_recordings_stand_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VMALAB_LIVE", "off")
    shown = repr(hunt_here())
    assert "No random programs here: the live machine is switched off (VMALAB_LIVE=off)." in shown
    assert "11 kernels" in shown


@pytest.mark.live
def test_the_live_kernel_answers_random_programs() -> None:
    if (reason := live_answers.why_unavailable()) is not None:
        pytest.skip(reason)
    shown = hunt_here(programs=5)
    if not repr(shown).startswith("The model of Linux "):
        pytest.skip(repr(shown).splitlines()[-1])
    assert "answer 5 programs alike" in repr(shown)
