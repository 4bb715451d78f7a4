"""The pages that play without a kernel, and what writes them.  In a browser: tests/browser/test_player.py."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from hashlib import sha256
from pathlib import Path

import pytest

from tests.sample_outcomes import gap_move, outcome, row
from tests.unpacked import unpacked
from vmalab.__main__ import run
from vmalab.linux.addr import PAGE, page
from vmalab.linux.call import Mmap, Munmap
from vmalab.machines.machine import Played
from vmalab.machines.model import Model
from vmalab.pictures.export import outcome_page, program_page
from vmalab.pictures.frames import player_data
from vmalab.programs.data import folder
from vmalab.programs.scenario import Scenario, dumps, named

GAP = "gap-keeps-what-was-there"
FILE = str(folder("scenarios") / f"{GAP}.json")


def data_of(html: str) -> str:
    found = re.search(r'<script type="text/plain" id="data">(.*?)</script>', html, re.DOTALL)
    assert found is not None
    return found[1]


def calls_of(html: str) -> list[object]:
    told = json.loads(data_of(html))
    return [call for group in told["groups"] for call in unpacked(group)]


def test_the_page_is_complete_in_itself():
    html = outcome_page(gap_move())
    assert [] == re.findall(r"""(?:src|href)=|@import|url\((?!#)""", html)
    assert {"http://www.w3.org/2000/svg"} == set(re.findall(r"https?://[^\s\"'<)]+", html))
    assert html == outcome_page(gap_move())


def test_it_holds_the_data_of_the_player():
    told = gap_move()
    assert player_data(told) == unpacked(data_of(outcome_page(told)))


def test_no_text_can_end_the_script():
    told = outcome(
        Munmap(page(0), PAGE), 0, None, [row(0, 1, backing="</script><!--", pgoff=0)], [], machine="</title>"
    )
    html = outcome_page(told, title="</title><script>")
    assert 2 == html.count("</script>")
    assert "<title>&lt;/title&gt;&lt;script&gt;</title>" in html
    assert "<!--" not in html


def test_the_still_picture_is_there_without_scripts():
    html = outcome_page(gap_move())
    assert re.search(r"<details id=\"stills\" open>.*<div class=\"vml vml-card\">.*<svg", html, re.DOTALL)


def test_an_outcome_writes_its_page(tmp_path: Path):
    told = gap_move()
    path = told.to_html(tmp_path / "page.html")
    assert outcome_page(told) == path.read_text(encoding="utf-8")
    assert "<title>A gap moves</title>" in told.to_html(str(path), title="A gap moves").read_text(encoding="utf-8")
    with pytest.raises(OSError, match="nowhere"):
        told.to_html(tmp_path / "nowhere" / "page.html")


# --- a whole program ---


def test_a_program_has_every_call_with_its_player_and_its_still_picture():
    played = Model("6.18").run(named(GAP))
    html = program_page(played)
    assert [player_data(told) for told in played.outcomes] == calls_of(html)
    assert f"<h1>{GAP}</h1>" in html and "<p>5 calls on model:6.18.</p>" in html
    assert "<h2>1. mmap(page 0, 2 pages, &quot;rw&quot;)</h2>" in html
    assert html.count("<h2>") == len(played.outcomes)
    assert [] == re.findall(r"""(?:src|href)=|@import|url\((?!#)""", html)
    assert {"http://www.w3.org/2000/svg"} == set(re.findall(r"https?://[^\s\"'<)]+", html))


def test_headings_are_in_order_and_the_language_is_said():
    html = program_page(Model("6.18").run(named(GAP)))
    assert html.startswith('<!doctype html>\n<html lang="en">')
    assert "1" == re.findall(r"<h([1-6])", html)[0] and {"1", "2"} == set(re.findall(r"<h([1-6])", html))


def test_a_program_that_could_not_be_run_to_its_end_says_so():
    first = Model("6.18").mmap(page(0), PAGE)
    played = Played(Scenario("half", (Mmap(page(0), PAGE),) * 2), "live", (first,), error="step 2: <it> crashed")
    assert "1 call on live. It could not be run to its end: step 2: &lt;it&gt; crashed." in program_page(played)


def test_of_many_calls_each_is_told_in_words_and_the_end_is_a_picture():
    calls = tuple(Mmap(page(2 * number), PAGE) for number in range(100))
    html = program_page(Model("6.18").run(Scenario("many", calls)))
    told = calls_of(html)
    assert 100 == len(told) == html.count("<h2>") - 1
    assert "<h2>100. mmap(page 198, 1 page, &quot;rw&quot;)</h2>" in html and 1 == html.count("<svg")  # the end
    # what the last call has nothing to do with is counted, not drawn
    assert "7 shown of" in json.dumps(told[-1]) and "7 shown of" not in json.dumps(told[40])


def test_a_page_allows_its_own_script_and_nothing_else():
    html = outcome_page(gap_move())
    script = re.search(r'<script type="module">(.*?)</script>', html, re.DOTALL)
    assert script is not None
    allowed = b64encode(sha256(script[1].encode()).digest()).decode()
    policy = re.search(r'<meta http-equiv="Content-Security-Policy" content="([^"]*)">', html)
    assert policy is not None and "unsafe" not in policy[1].replace("style-src 'unsafe-inline'", "")
    assert policy[1].startswith("default-src 'none'; base-uri 'none'; form-action 'none'; img-src data:; ")
    assert policy[1].endswith(f"; script-src 'sha256-{allowed}'")


# --- the command ---


def test_the_command_writes_one_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    path = tmp_path / "page.html"
    assert 0 == run(["export", FILE, "--on", "model:6.17", "--output", str(path), "--title", "A & B"])
    said = capsys.readouterr()
    assert ("", 1) == (said.out, said.err.count("\n"))
    assert re.fullmatch(rf"{GAP} on model:6\.17: 5 calls, \d+ kB, written to {re.escape(str(path))}\n", said.err)
    html = path.read_text(encoding="utf-8")
    assert program_page(Model("6.17").run(named(GAP)), "A & B") == html


def test_a_recording_can_be_exported(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    path = tmp_path / "page.html"
    recorded = str(folder("recordings") / "scenarios.json.xz")
    assert 0 == run(["export", recorded, "--on", "recorded:6.16", "-o", str(path)])
    assert "This machine tells no steps." in json.dumps(calls_of(path.read_text(encoding="utf-8")))


def test_of_several_scenarios_one_is_chosen(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    file, path = tmp_path / "two.json", tmp_path / "page.html"
    file.write_text(dumps([named(GAP), named("never-heals")]))
    arguments = ["export", str(file), "--output", str(path)]
    assert 0 == run(arguments)
    assert f"{file} holds 1 more: choose one with --only NAME" in capsys.readouterr().err
    assert f"<h1>{GAP}</h1>" in path.read_text(encoding="utf-8")
    assert 0 == run([*arguments, "--only", "never-heals"])
    assert 1 == capsys.readouterr().err.count("\n")
    assert "<h1>never-heals</h1>" in path.read_text(encoding="utf-8")


def test_some_of_the_calls(tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    assert 0 == run(["export", FILE, "-o", str(path), "--calls", "2-3"])
    assert 2 == len(calls_of(path.read_text(encoding="utf-8")))


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        (["--calls", "2-9"], "there are calls 1 to 5, and --calls says 2-9"),
        (["--calls", "x"], "--calls takes two numbers such as 120-160, not 'x'"),
        (["--only", "other"], f'there is no scenario "other" in it: there are "{GAP}"'),
        (["--on", "gold"], "there is no machine 'gold'"),
        (["--on", "recorded:7.3"], None),
        (["-o", "/nowhere/page.html"], "/nowhere/page.html"),
    ],
)
def test_what_cannot_be_done_is_one_line(more: list[str], sentence: str | None, tmp_path: Path, capsys) -> None:
    path, file = tmp_path / "page.html", FILE
    if sentence is None:  # a program that nobody has recorded
        file = str(tmp_path / "own.json")
        Path(file).write_text('{"name": "own", "steps": [{"call": "mmap", "addr": 7, "pages": 77}]}')
        sentence = 'scenario "own" can\'t be run on recorded:7.3'
    assert 2 == run(["export", file, "-o", str(path), *more])
    said = capsys.readouterr().err
    assert said.startswith("vmalab: ") and sentence in said and 1 == said.count("\n")
    assert not path.exists()


def test_a_file_without_scenarios(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    file = tmp_path / "none.json"
    file.write_text("[]")
    assert 2 == run(["export", str(file), "-o", str(tmp_path / "page.html")])
    assert "there is no scenario in it" in capsys.readouterr().err
