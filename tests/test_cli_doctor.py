"""`vmalab doctor` says what there is, and what there is not."""

import json

import pytest

from vmalab.__main__ import run
from vmalab.scope import NOT_MODELLED


def test_it_names_what_is_not_modelled(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["doctor"]) == 0
    said = capsys.readouterr().out
    for name, why in NOT_MODELLED.items():
        assert f"{name}: {why}" in said


def test_a_live_machine_that_is_switched_off_is_said_so(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VMALAB_LIVE", "off")
    assert run(["doctor", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert "switched off" in found["live"]["why not"]
    assert "6.18.44" in found["recordings"]


@pytest.mark.live
def test_abilities_of_this_kernel_are_found_by_trying(capsys: pytest.CaptureFixture[str]) -> None:
    from vmalab.machines.live import Live

    assert run(["doctor", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    with Live() as live:
        assert found["live"]["abilities"]["multi_vma_move"] == live.abilities().multi_vma_move
