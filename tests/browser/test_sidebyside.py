"""Side by side in a real browser: calls and steps in lock-step, by mouse and keys, dark, narrow, and for a reader."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.hosted import open_widget
from tests.browser.settled import settled
from tests.sample_outcomes import gap_program
from vmalab.differences.lockstep import Lockstep
from vmalab.machines.model import Model
from vmalab.widgets import SideBySide

NAME = "Side by side: Linux 6.16 and Linux 6.17"


@pytest.fixture
def both(open_page, tmp_path):
    """The widget in a page, at a call and a step."""

    def make(call: int | None = None, step: int | None = None, **options):
        widget = SideBySide(gap_program(), "6.16", "6.17", call, step)
        shown = open_widget(widget, open_page, tmp_path, **{"height": 1500, **options})
        return shown.get_by_role("region", name=NAME)

    return make


def calls(region):
    return region.get_by_role("navigation", name="Calls").get_by_role("button")


def slider(region):
    return region.get_by_role("slider", name="Step")


def names(region, side: str) -> list[str]:
    boxes = region.get_by_role("region", name=side).locator('[data-k][role="img"]')
    return boxes.evaluate_all("(all) => all.map((box) => box.getAttribute('aria-label'))")


def test_calls_say_what_each_side_answers_and_whether_that_is_the_same(both):
    region = both()
    expect(calls(region).nth(0)).to_have_text('mmap(page 0, 2 pages, "rw")✓ returns page 0✓ same')
    expect(calls(region).nth(4)).to_contain_text("Linux 6.16✕ fails with EFAULTLinux 6.17✓ returns page 64≠ differs")
    expect(calls(region).nth(4)).to_have_attribute("aria-current", "true")
    expect(region.get_by_text("Linux 6.16 and Linux 6.17 differ first at call 5.")).to_be_visible()
    expect(region.get_by_text("EFAULT on Linux 6.16, success on Linux 6.17.")).to_be_visible()
    expect(region.get_by_text("multi_vma_move: a fixed move that keeps the size may span several VMAs")).to_be_visible()


def test_the_keyboard_walks_both_sides_in_lock_step(both, shots):
    told = Lockstep(gap_program()).data()["calls"][4]
    region = both(5, 0)
    slider(region).focus()
    for step, places in enumerate(told["places"]):
        expect(slider(region)).to_have_attribute("aria-valuetext", f"call 5 of 6, step {step} of 15")
        for i, name in enumerate(("Linux 6.16", "Linux 6.17")):
            said = region.get_by_role("region", name=name).locator(".vml-say")
            waits = step and told["places"][step - 1][i] == places[i]
            words = "Nothing more happens here" if waits else told["sides"][i]["steps"][places[i]]["say"]
            expect(said).to_contain_text(words)
        if step == 2:
            settled(region.page)
            shots(region, "sidebyside-parting")
        region.page.keyboard.press("ArrowRight")
    expect(slider(region)).to_have_attribute("aria-valuetext", "call 6 of 6, step 0 of 1")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_what_differs_is_marked_on_both_sides_and_named(both, shots, scheme):
    region = both(color_scheme=scheme)
    there = [name for name in names(region, "Linux 6.17") if name.startswith("now")]
    assert 2 == len(there)
    assert all("; differs from the other side" in name for name in there)
    assert 2 == sum("differs from the other side" in name for name in names(region, "Linux 6.16"))
    expect(region.locator(".vml-side text.ft", has_text="differs")).to_have_count(4)
    shots(region, f"sidebyside-{scheme}")
    colour = region.evaluate("(one) => getComputedStyle(one).getPropertyValue('--vml-target').trim()")
    assert {"light": "#9a4b00", "dark": "#ffb26b"}[scheme] == colour


def test_the_mouse_chooses_a_call_and_the_buttons_step(both):
    region = both()
    calls(region).nth(2).click()
    expect(slider(region)).to_have_attribute("aria-valuetext", "call 3 of 6, step 2 of 2")
    expect(region.locator(".vml-why p")).to_have_count(0)
    region.get_by_role("button", name="Back one step").click()
    expect(slider(region)).to_have_attribute("aria-valuetext", "call 3 of 6, step 1 of 2")
    region.get_by_role("button", name="Last step").click()
    expect(slider(region)).to_have_attribute("aria-valuetext", "call 6 of 6, step 1 of 1")


def test_the_kernel_hears_where_a_person_stopped_and_may_move_it(both):
    region = both(5, 0)
    slider(region).focus()
    region.page.keyboard.press("ArrowRight")
    calls(region).nth(0).click()
    saved = region.page.evaluate("window.model.saved.map(({ call, step }) => [call, step])")
    assert [[5, 1], [1, 1]] == saved
    region.page.evaluate("window.model.set('call', 5)")
    expect(slider(region)).to_have_attribute("aria-valuetext", "call 5 of 6, step 1 of 15")
    region.page.evaluate("window.model.set('step', 4)")
    expect(slider(region)).to_have_attribute("aria-valuetext", "call 5 of 6, step 4 of 15")
    assert 2 == region.page.evaluate("window.model.saved.length")


def test_names_and_roles(both):
    region = both()
    tree = region.aria_snapshot()
    for line in (
        '- navigation "Calls"', '- group "Steps"', '- slider "Step"', '- region "Linux 6.16"', '- region "Linux 6.17"',
        '- checkbox "hex addresses"', '- combobox "Speed"',
    ):  # fmt: skip
        assert line in tree
    unnamed = region.locator("button, input, select").evaluate_all(
        "(all) => all.filter((one) => !(one.ariaLabel || one.labels?.length || one.textContent.trim())).length"
    )
    assert 0 == unnamed


def test_hex_addresses_on_both_sides(both):
    region = both()
    region.get_by_label("hex addresses").check()
    expect(region.locator(".hx text", has_text="0x1000000000").first).to_be_visible()
    expect(region.locator(".pg text").first).not_to_be_visible()


@pytest.mark.parametrize("width", [320, 640])
def test_a_narrow_window_scrolls_only_the_pictures(both, shots, width):
    region = both(width=width)
    shots(region, f"sidebyside-{width}")
    assert region.page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_recording_beside_its_model_has_one_place_for_each_call(open_page, tmp_path, shots):
    widget = SideBySide("never-heals", "6.17", Model("6.16"))
    shown = open_widget(widget, open_page, tmp_path)
    expect(shown.get_by_text("Linux 6.17 and Linux 6.16 agree on every call.")).to_be_visible()
    expect(shown.locator(".vml-same", has_text="✓ same")).to_have_count(4)


def test_in_jupyterlab_traits_follow_the_mouse(lab):
    server, shown = lab
    shown.set_viewport_size({"width": 1300, "height": 1500})
    setup = "from tests.browser.test_sidebyside import *\nboth = SideBySide(gap_program(), step=0)\nboth"
    server.write("sidebyside.ipynb", setup)
    server.run(shown, "sidebyside.ipynb")
    region = shown.get_by_role("region", name=NAME)
    region.get_by_role("button", name="Next step").click()
    expect(slider(region)).to_have_attribute("aria-valuetext", "call 5 of 6, step 1 of 15")
    ask = """(code) => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.requestExecute({code})
        .done.then((reply) => reply.content.status)"""
    assert "ok" == shown.evaluate(ask, "assert (5, 1) == (both.call, both.step)\nboth.call = 1")
    expect(slider(region)).to_have_attribute("aria-valuetext", "call 1 of 6, step 1 of 1")
