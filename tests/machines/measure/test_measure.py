"""Measuring: what is planned, what the child does with it, medians, files, the fit; no time is ever asserted."""

from __future__ import annotations

from pathlib import Path

import pytest
from attrs import evolve

from vmalab.__main__ import run
from vmalab.errors import MachineError, RecordingError, UsageError
from vmalab.linux.addr import PAGE, PUD_SIZE
from vmalab.machines.live import Live
from vmalab.machines.measure import cases, fit, measure, recorded
from vmalab.machines.measure.costs import TERMS, CostModel, costs_file, from_json, recorded_costs, to_json
from vmalab.machines.measure.plan import SOURCE, TARGET, Entries, growth, many, moves, sparse_moves
from vmalab.machines.measure.results import Result, Results, collect, from_csv, read, recorded_file, summarise, to_csv
from vmalab.programs import data


def result(name: str, median: int, entries: Entries | None = None, group: str = "many", x: int = 1) -> Result:
    return Result(name, group, "a", x, "VMAs", 4, median - 1, median, median + 1, entries)


# --- the plan and what the model counts ---


def test_one_call_and_a_call_each_move_the_same():
    together, apart = many(10)
    assert Entries(1, 10, 10, 0, 0, 1) == together.entries
    assert Entries(10, 10, 10, 0, 0, 1) == apart.entries


def test_whole_tables_move_where_both_ends_are_aligned_alike():
    counted = {case.variant: case.entries for case in moves(2048)}
    assert Entries(1, 1, 0, 4, 0, 0) == counted["aligned"]
    assert Entries(1, 1, 2048, 0, 0, 5) == counted["a page off"]
    assert Entries(1, 1, 0, 0, 0, 0) == counted["nothing present"]


def test_a_gib_moves_at_three_levels():
    counted = [case.entries for case in sparse_moves()]
    assert [(0, 0, 1), (0, 512, 0), (512, 0, 0)] == [(one.pte, one.pmd, one.pud) for one in counted]
    assert 512 == counted[2].tables


def test_back_undoes_there():
    case = many(3)[1]
    assert [(TARGET + n * PAGE, SOURCE + n * PAGE) for n in (2, 1, 0)] == [
        (call.addr, call.new_addr) for call in case.back
    ]


def test_names_are_unique_and_a_quick_plan_is_small():
    names = [case.name for case in cases()]
    assert len(set(names)) == len(names)
    assert max(case.x for case in cases(quick=True) if case.group == "move") <= 2048
    assert not [case for case in cases(multi=False) if case.variant == "one call"]
    assert {"many", "move", "sparse", "grow", "fork", "fault", "null"} == {case.group for case in cases()}
    assert sparse_moves()[0].there[0].old_len == PUD_SIZE


# --- numbers ---


def test_medians_and_quartiles():
    found = summarise(growth(1 << 20, "copy"), [5, 1, 3, 2, 4])
    assert (5, 2, 3, 4) == (found.samples, found.q1, found.median, found.q3)
    assert 2 / 3 == pytest.approx(found.spread)
    assert found.entries is None


def test_rounds_are_put_together():
    case = growth(1 << 20, "copy")
    (found,) = collect([case], [{case.name: [1, 2]}, {case.name: [3, 4]}])
    assert (4, 2) == (found.samples, found.median)


def test_what_is_written_is_read_again():
    rows = (result("a", 100, Entries(1, 2, 3, 4, 5, 6)), result("b", 7))
    results = Results(rows, {"kernel": "6.18", "load": "0.1 0.2: 0.3"})
    assert results == from_csv(to_csv(results))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "line 1: expected the columns case"),
        ("# kernel: 1\ncase,x\n", "line 2: expected the columns case"),
        (to_csv(Results((result("a", 1),), {})).replace("many", "many,more"), "line 2: expected 15 fields"),
        (to_csv(Results((result("a", 1),), {})) + "a,b,c,one,d,1,2,3,4,,,,,,\n", "line 3: expected 15 fields"),
    ],
)
def test_a_broken_file_names_the_line(text: str, words: str):
    with pytest.raises(RecordingError, match=words):
        from_csv(text)


def test_a_missing_file_is_one_clear_error(tmp_path: Path):
    with pytest.raises(RecordingError, match=r"none\.csv can't be read"):
        read(tmp_path / "none.csv")


# --- the cost model ---


def test_the_fit_finds_the_costs_that_made_the_numbers():
    true = CostModel({"calls": 2000.0, "vmas": 4000.0, "pte": 6.0, "pmd": 350.0, "pud": 1000.0, "tables": 3000.0})
    rows = [result(case.name, round(true.predict(case.entries)), case.entries) for case in cases() if case.entries]
    found = fit(rows)
    for term in TERMS:
        assert found.cost[term] == pytest.approx(true.cost[term], rel=0.1)
    assert max(abs(found.residual(row)) for row in rows) < 0.01


def test_without_a_term_the_fit_is_off_where_it_matters():
    true = CostModel({"calls": 2000.0, "vmas": 4000.0, "pte": 6.0, "pmd": 350.0, "pud": 1000.0, "tables": 3000.0})
    rows = [result(case.name, round(true.predict(case.entries)), case.entries) for case in cases() if case.entries]
    found = fit(rows, [term for term in TERMS if term != "tables"])
    worst = min(rows, key=found.residual)
    assert "sparse/a page off" == worst.case
    assert 0.0 == found.cost["tables"]


def test_no_cost_is_below_zero():
    rows = [
        result("a", 100, Entries(1, 1)), result("b", 90, Entries(1, 1, 10)), result("c", 80, Entries(1, 1, 20)),
    ]  # fmt: skip
    assert 0.0 == fit(rows).cost["pte"]
    assert dict.fromkeys(TERMS, 0.0) == fit([]).cost


def test_what_doing_nothing_costs_is_known():
    results = Results((result("null/1", 50, group="null"), result("null/1000", 40_000, group="null", x=1000)), {})
    assert 400.0 == results.null_ns(10)
    assert 0.0 == Results((), {}).null_ns(10)


def test_the_noise_is_told():
    quiet, loud = (
        evolve(result(name, 1000), q1=1000 - half, q3=1000 + half) for name, half in (("quiet", 10), ("loud", 250))
    )
    told = Results((quiet, quiet, loud), {}).noise()
    assert "spans 2% of the median in a usual case, and 50% at worst (loud)" in told
    assert Results((), {}).noise() == "nothing was measured"


# --- this machine, and what was recorded ---


@pytest.mark.live
def test_a_quick_run_times_every_case():
    results = measure(quick=True, rounds=1)
    assert [case.name for case in cases(quick=True)] == [row.case for row in results.rows]
    assert all(0 < row.q1 <= row.median <= row.q3 and row.samples >= 2 for row in results.rows)
    assert {"kernel", "processor", "load", "transparent_hugepage", "date"} <= set(results.provenance)


@pytest.mark.live
def test_only_one_group():
    results = measure(quick=True, rounds=1, only="sparse")
    assert {"null"} == {row.group for row in results.rows} - {"sparse"}
    with pytest.raises(UsageError, match="there is no group 'nothing' to measure: there are many, move"):
        measure(only="nothing")


@pytest.mark.live
def test_what_the_kernel_refuses_is_one_sentence():
    plan = {"rounds": 1, "cases": {"a": {"setup": [["map", 0, PAGE, 3]], "there": [], "back": [], "clear": []}}}
    with Live() as live, pytest.raises(MachineError, match="the measurement stopped: this system refuses"):
        live.measure(plan)


def test_what_was_recorded_is_whole():
    results = recorded()
    assert {case.name for case in cases()} == {row.case for row in results.rows}
    assert {case.name: case.entries for case in cases()} == {row.case: row.entries for row in results.rows}
    assert results.provenance["kernel"].startswith("6.")
    assert {path.stem for path in data.folder("measurements").glob("*.csv")}


def test_the_kept_costs_are_those_that_numpy_fits():
    for path in data.folder("measurements").glob("*.csv"):
        fitted = fit(read(path)).cost
        kept = from_json(costs_file(path).read_text(encoding="utf-8")).cost
        assert kept == pytest.approx(fitted, rel=2e-3), path.name
    assert recorded_costs() == from_json(to_json(fit(recorded()), recorded_file().name))


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"nanoseconds": {"calls": 1}}', '{"nanoseconds": 3}'])
def test_costs_that_are_not_understood_are_one_sentence(text: str):
    with pytest.raises(RecordingError, match=r"a\.json: expected nanoseconds for calls, vmas, pte"):
        from_json(text, "a.json")


def test_costs_of_measurements_that_there_are_not():
    with pytest.raises(RecordingError, match=r"none\.costs\.json can't be read"):
        recorded_costs("none")


def test_the_newest_kernel_is_the_one_with_the_highest_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for name in ("6.9", "6.18.44", "6.18.5"):
        (tmp_path / f"{name}.csv").touch()
    monkeypatch.setattr(data, "folder", lambda _name: tmp_path)
    assert ("6.18.44.csv", "6.9.csv") == (recorded_file().name, recorded_file("6.9").name)


# --- the command ---


@pytest.mark.live
def test_the_command_writes_what_it_shows(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    file = tmp_path / "costs.csv"
    assert run(["measure", "--quick", "--only", "sparse", "--repeat", "1", "--output", str(file)]) == 0
    said = capsys.readouterr().out
    for row in read(file).rows:
        assert row.case in said
    kept = from_json(costs_file(file).read_text(encoding="utf-8")).cost
    assert kept == pytest.approx(fit(read(file)).cost, abs=0.01)
    assert "a new table for PTEs" in said


def test_the_command_says_why_it_can_not(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("VMALAB_LIVE", "off")
    assert run(["measure"]) != 0
    assert "the live machine is switched off" in capsys.readouterr().err
    assert run(["measure", "--repeat", "0"]) != 0
    assert "--repeat is a number of rounds, 1 or more, not 0" in capsys.readouterr().err


def test_what_was_measured_before_is_shown_where_nothing_can_be_measured(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("VMALAB_LIVE", "off")
    page = tmp_path / "charts.html"
    assert run(["measure", "--recorded", "--charts", str(page)]) == 0
    said = capsys.readouterr().out
    for row in recorded().rows:
        assert row.case in said
    assert f"kernel {recorded().provenance['kernel']}" in said
    assert "What moves cost on Linux" in page.read_text()
    assert run(["measure", "--recorded", "--quick"]) != 0
    assert "it takes no --quick" in capsys.readouterr().err
    assert run(["measure", "--recorded", "--charts", str(tmp_path)]) != 0
    assert "is a directory" in capsys.readouterr().err
