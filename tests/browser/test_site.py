"""The built site and the slides, opened from disk without network: they play, can be searched, nothing is broken."""

from __future__ import annotations

import contextlib
import io
import re
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from playwright.sync_api import expect

from tests.browser.axe import violations
from vmalab.editions import build
from vmalab.editions.slides import MOST, slides
from vmalab.editions.source import lesson_paths, read
from vmalab.programs.data import lessons

pytestmark = pytest.mark.slow
LESSON = "04-mremap-many-vmas"
STARTS_A_REQUEST = {"script": "src", "img": "src", "iframe": "src", "source": "src", "link": "href"}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build("site", tmp_path_factory.mktemp("editions")).folder


@pytest.fixture
def visit(open_page: Callable[..., Any]) -> Iterator[Callable[..., Any]]:
    """Open a file; anything that it asks of a network fails the test."""
    asked: list[str] = []

    def go(path: Path, query: str = "", **options: Any) -> Any:
        shown = open_page(**options)
        shown.on(
            "request",
            lambda one: asked.append(one.url) if not one.url.startswith(("file:", "data:", "blob:")) else None,
        )
        shown.goto(path.as_uri() + query)
        return shown

    yield go
    assert [] == asked


# --- all pages, as files ---


class Page(HTMLParser):
    """What a page links to, what it loads, and the ids it has."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.ids: set[str] = set()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self.ids |= {found[name] for name in ("id", "name") if name in found}
        if tag == "a" and "href" in found:
            self.links.append(found["href"])
        if STARTS_A_REQUEST.get(tag) in found:
            self.loads.append(found[STARTS_A_REQUEST[tag]])


def test_no_link_is_broken_and_nothing_is_loaded_from_elsewhere(site: Path) -> None:
    assert [site] == list(site.parent.iterdir())
    pages = {path: Page(path) for path in site.rglob("*.html")}
    assert len(pages) > 30
    broken, outside = [], []
    for path, one in pages.items():
        for link in [*one.links, *one.loads]:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                outside += [(path.name, link)] if link in one.loads and parts.scheme != "data" else []
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            known = pages[target].ids if target in pages else set()
            if not target.is_file() or (parts.fragment and target in pages and unquote(parts.fragment) not in known):
                broken.append((path.relative_to(site).as_posix(), link))
    assert ([], []) == (broken, outside)
    for style in site.rglob("*.css"):
        assert [] == re.findall(r"(?:@import|url\()\s*['\"]?(?:https?:)?//", style.read_text(encoding="utf-8"))


def test_every_lesson_guide_and_room_has_its_page(site: Path) -> None:
    contents = Page(site / "index.html").links
    for path in lesson_paths():
        assert f"notebooks/{path.stem}.html" in contents
    for path in (lessons().parent / "docs").glob("*.md"):
        assert (site / "docs" / f"{path.stem}.html").is_file()
    mremap = (site / "reference" / "linux.html").read_text(encoding="utf-8")
    assert 'id="vmalab.linux.mm.mremap.mremap"' in mremap and "``" not in mremap


def test_a_lesson_holds_no_style_twice_and_no_widget_that_needs_a_kernel(site: Path) -> None:
    text = (site / "notebooks" / f"{LESSON}.html").read_text(encoding="utf-8")
    assert ".vml-head{" not in text and "vnd.jupyter.widget" not in text
    plays = (site / "_static" / "plays" / f"{LESSON}.js").read_text(encoding="utf-8")
    assert text.count("data-play=") == plays.count('"at_once":') > 20


# --- in a browser ---


def test_a_lesson_plays_by_keyboard(site: Path, visit: Callable[..., Any], shots: Any) -> None:
    shown = visit(site / "notebooks" / f"{LESSON}.html")
    stepper = shown.locator("section.vml-stepper:not(.vml-together):visible").first
    slider = stepper.get_by_role("slider", name="Step")
    slider.focus()
    said = stepper.get_by_role("status")
    before = said.inner_text()
    slider.press("ArrowRight")
    assert before != said.inner_text() and said.inner_text().startswith("Step 1.")
    slider.press("End")
    shots(shown, "site-stepper")
    button = shown.locator(".vml-play > button:visible").first
    assert re.fullmatch(r"Step through \(\d+ steps?\)", button.inner_text())
    host = button.locator("..")
    assert host.locator("section.vml-stepper").count() == 0
    button.focus()
    button.press("Enter")
    assert host.locator("section.vml-stepper").is_visible() and not host.locator(".vml-card").count()
    button.press("Enter")
    assert host.locator(".vml-card").is_visible() and not host.locator("section.vml-stepper").count()
    assert not shown.get_by_role("heading", name="Exercise 4.1").locator("..").get_by_text("answer = [").is_visible()


def test_without_scripts_and_on_paper_the_pictures_are_there(site: Path, visit: Callable[..., Any], shots: Any) -> None:
    path = site / "notebooks" / f"{LESSON}.html"
    plain = visit(path, java_script_enabled=False)
    assert plain.locator(".vml-card svg:visible").count() > 10
    paper = visit(path)
    paper.emulate_media(media="print")
    for hidden in (".bd-sidebar-primary", ".bd-sidebar-secondary", ".bd-header-article", ".vml-play > button"):
        assert not paper.locator(hidden).first.is_visible()
    assert paper.locator("section.vml-stepper svg:visible").count() > 0
    shots(paper, "site-print")


def test_the_site_can_be_searched_from_disk(site: Path, visit: Callable[..., Any]) -> None:
    shown = visit(site / "search.html", "?q=userfaultfd")
    # results come one by one
    shown.locator("#search-results li a", has_text="half-way").first.wait_for()


@pytest.mark.parametrize(
    "name",
    [
        "index.html",
        "play.html",
        "notebooks/00-start-here.html",
        "docs/instructors-guide.html",
        "reference/programs.html",
        "search.html",
    ],
)
def test_pages_break_no_rule_of_accessibility(site: Path, visit: Callable[..., Any], name: str) -> None:
    light, dark = (violations(visit(site / name, color_scheme=scheme)) for scheme in ("light", "dark"))
    assert ([], []) == (light, dark)


# --- Python in the page ---

PROGRAMS = 40

ANSWERS = f"""\
from hashlib import sha256
from vmalab import Model
from vmalab.teach import random_program
seen = sha256()
for seed in range({PROGRAMS}):
    for outcome in Model("6.18").run(random_program(seed)).outcomes:
        seen.update(repr((outcome.call, outcome.value, outcome.errno, outcome.steps, outcome.after.maps())).encode())
print(seen.hexdigest())
"""


def alive(page: Any) -> None:
    page.wait_for_function("document.documentElement.dataset.vmalab === 'alive'")


def test_a_lesson_runs_python_from_disk_and_remembers(site: Path, visit: Callable[..., Any], shots: Any) -> None:
    shown = visit(site / "notebooks" / f"{LESSON}.html")
    builder = shown.locator('section[aria-label="Call builder"]').first
    said = builder.locator(".vml-status").first
    builder.get_by_role("button", name="Run").click()  # it waits for Python
    expect(said).to_have_text("mremap returns page 10.")
    alive(shown)

    answer = shown.locator(".cell:has(.vml-editor)").first
    editor = answer.get_by_role("textbox")
    editor.press("Control+A")
    shown.keyboard.insert_text(ANSWERS + "check('4.1', 7)")
    editor.press("Shift+Enter")
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(ANSWERS, {})
    expect(answer.locator(".vml-live-output pre")).to_have_text(printed.getvalue())
    expect(answer.locator(".vml-live-output .vml-card")).to_be_visible()

    live = shown.locator(".cell.tag_live").first
    live.get_by_role("button", name="Change and run").click()
    live.get_by_role("button", name="Run", exact=True).click()
    expect(live.locator(".vml-live-output")).to_contain_text("Instead you see what Linux 6.17.13 answered")
    answer.scroll_into_view_if_needed()
    shots(shown, "site-live")
    assert [] == violations(shown)

    shown.reload()
    expect(shown.locator(".cell:has(.vml-editor)").first.get_by_role("textbox")).to_contain_text("check('4.1', 7)")
    expect(said).to_have_text("mremap returns page 10.")


# --- slides ---


BELOW = """() => {
  const slide = Reveal.getCurrentSlide();
  const shown = (part) => part.checkVisibility() && !part.closest("aside, .vml-unseen");
  const parts = [...slide.querySelectorAll("svg, button, p, li, table, pre")].filter(shown);
  const cut = (box) => box.bottom > innerHeight + 1 || box.right > innerWidth + 1;
  return [slide.scrollHeight - slide.clientHeight, slide.scrollWidth - slide.clientWidth,
    parts.filter((part) => cut(part.getBoundingClientRect())).length];
}"""
RESTED = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done))))"


def test_slides_play_without_network_and_nothing_is_below_the_edge(
    tmp_path: Path, visit: Callable[..., Any], shots: Any
) -> None:
    path = tmp_path / "slides.html"
    path.write_text(slides(read(lessons() / f"{LESSON}.ipynb")), encoding="utf-8")
    shown = visit(path, width=1280, height=720)
    shown.locator(".reveal.ready").wait_for()
    assert shown.title() == "04 · One call, many VMAs – slides"
    count = shown.locator(".slides > section").count()
    assert count <= MOST
    for width, height, step in ((1280, 720, 1), (1920, 1080, 8)):  # reveal.js scales the one to the other
        shown.set_viewport_size({"width": width, "height": height})
        for number in range(0, count, step):
            shown.evaluate(f"Reveal.slide({number}, 0)")
            shown.evaluate(RESTED)
            assert [0, 0, 0] == shown.evaluate(BELOW), (width, number)
    shown.evaluate("Reveal.slide(4, 0)")
    stepper = shown.locator(".slides > section").nth(4).locator(".vml-stepper")
    stepper.get_by_role("button", name="Next").click()
    expect(stepper.get_by_role("slider").first).to_have_value("1")
    shots(shown, "slides")
    shown.evaluate("Reveal.slide(6, 0)")
    sides = shown.locator(".slides > section").nth(6).locator(".vml-side svg.vml-pic")
    for number in range(2):
        expect(sides.nth(number)).to_be_visible()
    assert [] == violations(shown)
