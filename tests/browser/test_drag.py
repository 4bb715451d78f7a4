"""The call builder's one picture by mouse: ranges, handles, what is taken to a target, what is seen after Run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.hosted import answer, open_widget, traits_of
from tests.sample_outcomes import gap_model
from tests.widget_states import MOVE
from vmalab.linux.addr import PAGE, page
from vmalab.machines.lineage import names_of
from vmalab.machines.model import Model
from vmalab.widgets import CallBuilder, Predict

WHERE = """([number, where]) => {
    const svg = document.querySelector('.vml-stage svg');
    const ticks = [...svg.querySelectorAll('.pg text')].map((one) => [+one.textContent, +one.getAttribute('x')]);
    const after = ticks.findIndex(([page]) => page > number);
    const [[a, x], [b, to]] = [ticks[after - 1], ticks[after]];
    const lane = +svg.querySelector('.vml-lane rect').getAttribute('y');
    const y = { band: lane - 8 - 33, top: lane - 8 - 64, lane: lane + 15, bottom: lane - 8 - 3 }[where];
    const place = new DOMPoint(x + (to - x) * (number - a) / (b - a), y).matrixTransform(svg.getScreenCTM());
    return [place.x, place.y];
}"""


def two_with_a_gap() -> Model:
    """A (rw) in pages 0 and 1, B (r) in pages 3 and 4."""
    model = Model("6.17")
    model.mmap(page(0), 2 * PAGE)
    model.mmap(page(3), 2 * PAGE, "r")
    model.touch(page(0), 2 * PAGE)
    return model


class Drawn:
    """A builder in a page, and its Python: what is done with the mouse is answered."""

    def __init__(self, shown: Any, widget: CallBuilder) -> None:
        self.shown, self.widget = shown, widget
        self.region = shown.get_by_role("region", name="Call builder")

    def at(self, page: float, where: str = "band") -> tuple[float, float]:
        x, y = self.shown.evaluate(WHERE, [page, where])
        return x, y

    def drag(self, *way: tuple[float, float], drop: bool = True) -> None:
        mouse = self.shown.mouse
        mouse.move(*way[0])
        mouse.down()
        for place in way[1:]:
            mouse.move(*place, steps=3)
        if drop:
            self.drop()

    def drop(self) -> None:
        self.shown.mouse.up()
        answer(self.shown, self.widget)

    def handle(self, name: str) -> tuple[float, float]:
        box = self.region.get_by_role("slider", name=name).locator("circle").bounding_box()
        return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2

    def press(self, button: str) -> None:
        self.region.get_by_role("button", name=button, exact=True).click()
        answer(self.shown, self.widget)

    def fill(self, label: str, text: str) -> None:
        self.region.get_by_label(label, exact=True).fill(text)
        answer(self.shown, self.widget)

    @property
    def range(self) -> tuple[str, str]:
        return self.widget.addr, self.widget.length


@pytest.fixture
def drawn(open_page: Callable[..., Any], tmp_path: Any) -> Drawn:
    widget = CallBuilder(two_with_a_gap())
    return Drawn(open_widget(widget, open_page, tmp_path, height=1100), widget)


def test_a_drag_over_vmas_and_gaps_is_a_range_wherever_it_begins(drawn: Drawn) -> None:
    for begin in (0.05, 0.3, 0.5, 1.9, 2.5):  # beside a handle, too: handles stand above the VMAs
        drawn.drag(drawn.at(begin, "top"), drawn.at(4.5, "top"))
        assert (str(int(begin)), str(5 - int(begin))) == drawn.range
    drawn.drag(drawn.at(4.5), drawn.at(2.5))  # to the left
    assert ("2", "3") == drawn.range


def test_handles_cross_over(drawn: Drawn) -> None:
    drawn.drag(drawn.at(1.5), drawn.at(2.5))
    assert ("1", "2") == drawn.range
    drawn.drag(drawn.handle("Range start"), drawn.at(5, "top"))
    assert ("3", "2") == drawn.range
    drawn.drag(drawn.handle("Range end"), drawn.at(0, "top"))
    assert ("0", "3") == drawn.range


def test_what_is_taken_goes_to_its_target_as_a_ghost_gaps_included(drawn: Drawn) -> None:
    drawn.drag(drawn.at(0.5), drawn.at(4.5))
    drawn.drag(drawn.at(1.5), drawn.at(1.5, "bottom"), drawn.at(9.5, "lane"), drop=False)
    ghost = drawn.region.locator(".vml-ghost > g")
    kinds = ghost.evaluate_all("(all) => all.map((one) => [one.getAttribute('class'), one.textContent])")
    assert [["rw", "A"], ["void", "gap"], ["r", "B"]] == [[kind, name or "gap"] for kind, name in kinds]
    drawn.drop()
    assert (("0", "5"), "8", ("maymove", "fixed")) == (drawn.range, drawn.widget.new_addr, drawn.widget.flags)
    expect(drawn.region.get_by_role("status").first).to_contain_text("because you chose a target")
    drawn.region.get_by_role("button", name="Run", exact=True).click()
    drawn.shown.wait_for_function("window.model.sent.length > 0")
    for message in drawn.shown.evaluate("window.model.sent.splice(0)"):
        drawn.widget._handle_custom_msg(message, [])
    # all boxes that the call made come from where their pages were
    drawn.shown.evaluate(
        """(traits) => { window.glided = 0; document.addEventListener('transitionrun', (event) => {
            if (event.target.matches?.('.vml-stage [data-k]')) window.glided += 1;
        }, true); window.model.receive(traits); }""",
        traits_of(drawn.widget),
    )
    drawn.shown.wait_for_function("window.glided > 0")
    expect(drawn.region.get_by_role("img", name="now, A: pages 8 to 9")).to_have_count(1)
    # the range follows, and nothing is lost by another press
    assert ("8", "5") == drawn.range
    stepper = drawn.region.get_by_role("region", name="Stepper")
    stage = drawn.shown.locator(".vml-stage").bounding_box()
    assert 0 <= stepper.bounding_box()["y"] - (stage["y"] + stage["height"]) < 40  # right below the picture
    drawn.press("Run")
    assert drawn.widget.outcome.ok


def test_letters_are_one_in_picture_stepper_and_words(drawn: Drawn) -> None:
    drawn.drag(drawn.at(0.5), drawn.at(1.5))
    drawn.drag(drawn.at(1.5), drawn.at(1.5, "bottom"), drawn.at(12.5, "lane"))
    drawn.press("Run")
    names = (
        drawn.region.locator(".vml-stage")
        .get_by_role("img", name="now, ")
        .evaluate_all("(all) => all.map((one) => one.getAttribute('aria-label').slice(5, 6))")
    )
    assert ["B", "A"] == names
    assert names == [vma[3] for vma in drawn.widget.session.look()["vmas"]]
    assert names == names_of(drawn.widget.model.snapshot())


def test_the_picture_grows_at_its_edge(drawn: Drawn) -> None:
    last = "() => Math.max(...[...document.querySelectorAll('.vml-stage .pg text')].map((one) => +one.textContent))"
    drawn.drag(drawn.at(0.5), drawn.at(1.5))
    before = drawn.shown.evaluate(last)
    drawn.drag(drawn.at(1.5), drawn.at(1.5, "bottom"), drawn.at(before - 0.5, "lane"))
    assert drawn.shown.evaluate(last) > before
    assert "beyond" not in drawn.region.locator(".tgtt").text_content()


def test_nothing_covers_a_vma(drawn: Drawn) -> None:
    drawn.drag(drawn.at(0.5), drawn.at(4.5))
    drawn.drag(drawn.at(1.5), drawn.at(1.5, "bottom"), drawn.at(9.5, "lane"))
    covered = """(boxes) => {
        const over = [...document.querySelectorAll('.vml-sel :is(circle, rect, text)')]
            .filter((one) => one.checkVisibility()).map((one) => [one.getBoundingClientRect(), one.outerHTML]);
        return boxes.flatMap((box) => {
            const { left, right, top, bottom } = box.querySelector('.b').getBoundingClientRect();
            return over.filter(([one]) => one.width && one.left < right - 1 && one.right > left + 1
                && one.top < bottom - 1 && one.bottom > top + 1).map(([, html]) => html);
        });
    }"""
    boxes = drawn.region.locator(".vml-stage").get_by_role("img")
    assert boxes.count() == 2
    assert [] == boxes.evaluate_all(covered)


def test_fields_take_what_the_course_writes_and_errors_name_them(drawn: Drawn) -> None:
    for text, number in (("page(3)", 3), ("page(1) + 2 * PAGE", 3), ("3", 3), ("0x1000003000", 3)):
        drawn.fill("addr", text)
        assert [number, number + 2] == drawn.widget.session.state()["source"]
    for text in ("3 * PAGE", "2*4096 + PAGE", "3", "12 KiB"):
        drawn.fill("old_len", text)
        assert 3 * 4096 == drawn.widget.built.old_len
    width = drawn.region.get_by_label("old_len").bounding_box()["width"]
    drawn.fill("old_len", "three")
    assert width == drawn.region.get_by_label("old_len").bounding_box()["width"]
    expect(drawn.region.locator(".vml-errors")).to_contain_text("old_len: “three” is not a length")
    drawn.press("Run")
    expect(drawn.region.get_by_role("status").first).to_have_text("Not run: old_len and new_len need another value.")
    drawn.fill("old_len", "2")
    drawn.fill("new_addr", "page(20)")
    expect(drawn.region.get_by_role("status").first).to_contain_text("because you typed a target")
    assert ("maymove", "fixed") == drawn.widget.flags


def test_reveal_with_nothing_answered_gives_nothing_away(open_page: Callable[..., Any], tmp_path: Any) -> None:
    widget = Predict(gap_model(), MOVE)
    shown = open_widget(widget, open_page, tmp_path)
    shown.get_by_role("button", name="Reveal").click()
    answer(shown, widget)
    expect(shown.get_by_role("alert")).not_to_be_empty()
    expect(shown.get_by_role("region", name="Stepper")).to_have_count(0)
    assert "" == widget.told


def test_a_call_shows_only_what_it_needs(drawn: Drawn) -> None:
    choice = drawn.region.get_by_label("Call", exact=True)
    hint = drawn.region.locator(".vml-hint").first
    choice.select_option("mmap")
    answer(drawn.shown, drawn.widget)
    expect(drawn.region.get_by_label("file", exact=True)).to_have_count(0)
    drawn.region.get_by_label("what").select_option("file")
    answer(drawn.shown, drawn.widget)
    expect(drawn.region.get_by_label("file", exact=True)).to_have_value("f0")
    for call, words in (("limit", "names no range"), ("fork", "takes no arguments"), ("munmap", "Drag over")):
        choice.select_option(call)
        answer(drawn.shown, drawn.widget)
        expect(hint).to_contain_text(words)
