"""Real programs in miniature: what they show, on this kernel and recorded."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.patience import PATIENCE
from vmalab.__main__ import run
from vmalab.errors import LiveUnavailable, MachineError, RecordingError, UsageError
from vmalab.linux.addr import page
from vmalab.machines.live import Live
from vmalab.programs import data
from vmalab.system.demos import MOMENTS, TITLES, Story, demo, recorded


def present(story: Story, moment: int, number: int) -> int:
    """How many pages of the VMA at a page of the arena are present."""
    row = story.moments[moment].after.at(page(number))
    assert row is not None
    return len(row.contents())


def check_collector(story: Story) -> None:
    assert 7 == len(story.moments)
    assert (8, None) == (present(story, 0, 0), story.moments[0].after.at(page(64)))
    assert (0, 8) == (present(story, 1, 0), present(story, 1, 64))
    assert {5: 1006} == story.moments[3].after.at(page(0)).contents()
    assert {2: 1003, 5: 1006} == story.moments[4].after.at(page(0)).contents()
    assert "The program sees 1003. Faults so far: 2." in story.moments[4].say
    assert "8 faults" in story.moments[5].say
    assert {index: 1001 + index for index in range(8)} == story.moments[6].after.at(page(0)).contents()
    assert story.moments[6].after.at(page(64)) is None


def check_realloc(story: Story) -> None:
    sizes = [row.pages for moment in story.moments for row in moment.after]
    assert [65, 65, 129, 257, 513] == sizes
    for moment in story.moments[2:4]:
        assert "what was written is there" in moment.say
    for moment in story.moments[1:]:
        assert all(index == word for row in moment.after for index, word in row.contents().items())
    assert "malloc, memcpy and free: 6" in story.moments[4].say  # 64 pages, and a few of the demonstration's own


def check_map_count(story: Story) -> None:
    assert [1, 1, 1, 1, 2] == [len(moment.after) for moment in story.moments]
    assert "mprotect failed with ENOMEM" in story.moments[1].say
    assert "munmap of page 2, in the middle of the six: ENOMEM." in story.moments[2].say
    assert "the last one: done." in story.moments[3].say
    assert 5 == story.moments[3].after.rows[0].pages
    assert "done, then ENOMEM" in story.moments[4].say


def check_pgoff(story: Story) -> None:
    home, away = "0x1000000 at page 0", "0x1000000 at page 0, 0x1000006 at page 6, 0x1000064 at page 100"
    back = "0x1000000 at page 0, 0x1000064 at page 3, 0x1000006 at page 6"
    for moment, offsets in zip(story.moments, (home, away, home, away, back), strict=True):
        assert f": {offsets}." in moment.say
    assert [1, 3, 1, 3, 3] == [len(moment.after) for moment in story.moments]
    assert {0: 1} == story.moments[4].after.at(page(3)).contents()


CHECKS = {"collector": check_collector, "map_count": check_map_count, "pgoff": check_pgoff, "realloc": check_realloc}


@pytest.mark.live
@pytest.mark.parametrize("name", TITLES)
def test_on_this_kernel(name: str) -> None:
    story = demo(name, live=Live(time_limit=PATIENCE))
    assert "" == story.note
    assert story.machine.startswith("this machine, Linux")
    CHECKS[name](story)


@pytest.mark.parametrize("name", TITLES)
def test_recorded(name: str) -> None:
    story = recorded(name)
    assert "Linux 6.18.44, recorded" == story.machine
    CHECKS[name](story)


@pytest.mark.parametrize("name", TITLES)
def test_every_moment_has_words(name: str) -> None:
    told = json.loads((data.folder("demos") / f"{name}.json").read_text(encoding="utf-8"))
    assert set(MOMENTS[name]) == {moment["moment"] for moment in told["moments"]}


def test_where_no_kernel_can_be_asked_the_recording_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VMALAB_LIVE", "off")
    story = demo("collector")
    assert "switched off" in story.note
    assert story.note in repr(story)
    assert story.note in story._repr_html_()


@pytest.mark.parametrize("error", [MachineError("userfaultfd is refused"), LiveUnavailable("there is no Linux")])
def test_what_a_kernel_refuses_is_shown_from_the_recording(error: Exception) -> None:
    class Refusing:
        release = "9.9"

        def __enter__(self):
            return self

        def __exit__(self, *_):
            return None

        def demo(self, _name):
            raise error

    story = demo("collector", live=Refusing())
    assert str(error) in story.note
    check_collector(story)


def test_a_name_that_there_is_not() -> None:
    with pytest.raises(UsageError, match="there is no demonstration 'nothing': there are realloc, collector"):
        demo("nothing")


def test_a_recording_that_is_broken_is_one_clear_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data, "folder", lambda _name: tmp_path)
    for text in ("", "{}", '{"release": "6", "moments": [{"moment": "nonsense"}]}'):
        (tmp_path / "realloc.json").write_text(text)
        with pytest.raises(RecordingError, match=r"realloc\.json in data/demos can't be read"):
            recorded("realloc")


def test_a_story_shows_a_picture_with_words_for_each_moment() -> None:
    html = recorded("collector")._repr_html_()
    assert 7 == html.count("<svg") == html.count("<li>")
    assert 1 == html.count("<style>")


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VMALAB_LIVE", "off")
    assert run(["demo", "collector"]) == 0
    assert "1000000000-1000008000 rw-p, no page" in capsys.readouterr().out
    page = tmp_path / "page.html"
    assert run(["demo", "collector", "--output", str(page)]) == 0
    assert page.read_text(encoding="utf-8").startswith('<!doctype html>\n<html lang="en">')
    assert run(["demo", "collector", "--output", str(tmp_path)]) != 0
    assert "is a directory" in capsys.readouterr().err
    assert run(["demo", "nothing"]) != 0
