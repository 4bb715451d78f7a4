"""Every widget by keyboard alone, in narrow windows, zoomed, in themes, with little motion and with few colours.

One page for each state of `tests/widget_states.py`; what is special of a widget is tried in its own file.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.browser.hosted import open_widget
from tests.widget_states import STATES
from vmalab.pictures.theme import COLOURS

CONTROLS = "button, input, select, textarea, summary, a, [tabindex]"
STOPS = """(controls) => [...document.getElementById('host').querySelectorAll(controls)]
    .filter((one) => one.tabIndex >= 0 && !one.disabled && one.checkVisibility({ visibilityProperty: true }))
    .filter((one) => !one.closest('[inert]'))
    .filter((one, _, all) => { // of radio buttons that belong together only one is a stop: the chosen one, or the first
        const together = all.filter((other) => one.type === 'radio' && other.name === one.name);
        return !together.length || one === (together.find((other) => other.checked) ?? together[0]);
    })
    .map((one) => one.outerHTML.slice(0, 160))"""
HERE = """() => {
    const one = document.activeElement;
    const style = getComputedStyle(one);
    const strokes = [...one.querySelectorAll('.b, circle')].map((part) => getComputedStyle(part).stroke);
    const focus = getComputedStyle(one.closest('.vml') ?? one).getPropertyValue('--vml-focus').trim();
    const probe = document.body.appendChild(document.createElement('i'));
    probe.style.color = focus;
    const wanted = getComputedStyle(probe).color;
    probe.remove();
    return { id: one.id, html: one.outerHTML.slice(0, 160),
        seen: (style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2) || strokes.includes(wanted) };
}"""
FRAME = """() => { for (const [id, where] of [['before', 'before'], ['after', 'after']]) {
    const button = document.createElement('button');
    button.id = button.textContent = id;
    document.getElementById('host')[where](button);
} }"""


INKS = """() => {
    const styles = (what, part) =>
        [...document.getElementById('host').querySelectorAll(what)].map((one) => getComputedStyle(one, part));
    return [getComputedStyle(document.body).backgroundColor, [
        ...styles('.vml-pic text:not(.v)').map(({ fill }) => fill), // v: numbers in a page, which is filled
        ...styles('.vml-pic .b').map(({ stroke }) => stroke),
        ...styles('.vml-marks .change', '::before').map(({ backgroundColor }) => backgroundColor),
    ]];
}"""


@pytest.fixture(scope="module", params=STATES)
def shown(request: pytest.FixtureRequest, browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A page with one widget; tests leave it as they found it."""
    errors: list[str] = []

    def page(**options: Any) -> Any:
        made = browser.new_context(**options).new_page()
        made.on("pageerror", lambda error: errors.append(str(error)))
        return made

    folder = tmp_path_factory.mktemp("widget")
    opened = open_widget(STATES[request.param](), page, folder, viewport={"width": 1200, "height": 900})
    opened.evaluate(FRAME)
    yield opened
    opened.context.close()
    assert [] == errors


def test_the_keyboard_comes_everywhere_and_out_again(shown: Any):
    wanted = shown.evaluate(STOPS, CONTROLS)
    controls = shown.locator("#host :is(.vml-stepper, .vml-builder)").and_(shown.locator(":not([inert] *)"))
    assert len(wanted) > 5 or not controls.count()
    for key, start, end in (("Tab", "before", "after"), ("Shift+Tab", "after", "before")):
        shown.locator(f"#{start}").focus()
        walked = []
        for _ in range(len(wanted) + 1):
            shown.keyboard.press(key)
            here = shown.evaluate(HERE)
            if here["id"] == end:
                break
            assert here["seen"], f"no sign of the focus on {here['html']}"
            walked.append(here["html"])
        assert here["id"] == end, f"{key} does not come out: it is at {here['html']}"
        assert len(wanted) == len(walked)


def test_a_screen_reader_gets_a_name_for_all_that_takes_the_focus(shown: Any):
    session = shown.context.new_cdp_session(shown)
    tree = session.send("Accessibility.getFullAXTree")["nodes"]
    session.detach()
    stops = [
        (node["role"]["value"], node.get("name", {}).get("value", ""))
        for node in tree
        if not node["ignored"]
        and any(one["name"] == "focusable" and one["value"]["value"] for one in node.get("properties", ()))
        and node["role"]["value"] != "RootWebArea"
    ]
    assert len(stops) >= len(shown.evaluate(STOPS, CONTROLS))
    assert [] == [role for role, name in stops if not name.strip()]
    sliders = [node for node in tree if not node["ignored"] and node["role"]["value"] == "slider"]
    assert all(node.get("value", {}).get("value") not in (None, "") for node in sliders)


SPACED = """#host * { line-height: 1.5 !important; letter-spacing: 0.12em !important; word-spacing: 0.16em !important }
    #host p { margin-bottom: 2em !important }"""
"""What WCAG 1.4.12 lets a reader do to text."""


@pytest.mark.parametrize("width", [320, 360, 600])
def test_in_a_narrow_window_only_pictures_are_scrolled(shown: Any, width: int):
    # 320 pixels are also 1280 at 400 % zoom, 600 are 1200 at 200 %
    shown.set_viewport_size({"width": width, "height": 450})
    try:
        assert shown.evaluate("document.documentElement.scrollWidth") <= width
        spaced = shown.add_style_tag(content=SPACED)
        assert shown.evaluate("document.documentElement.scrollWidth") <= width
        spaced.evaluate("(one) => one.remove()")
        outside = shown.evaluate(
            """(width) => [...document.querySelectorAll('#host :is(button, input, select, label, p)')]
                .filter((one) => one.checkVisibility() && !one.closest('.vml-scroll, .vml-only-read'))
                .map((one) => [one.getBoundingClientRect(), one.outerHTML.slice(0, 120)])
                .filter(([{ left, right }]) => left < 0 || right > width + 0.5)""",
            width,
        )
        assert [] == outside
    finally:
        shown.set_viewport_size({"width": 1200, "height": 900})


WORDS = """() => [...document.querySelectorAll('#host svg text')].filter((one) => one.checkVisibility()).map((one) => {
    const { a, d } = one.getScreenCTM();
    const { fontSize } = getComputedStyle(one);
    return [parseFloat(fontSize) * Math.min(a, d), one.textContent];
}).filter(([size]) => size < 10.99)"""


@pytest.mark.parametrize("width", [390, 980, 1280, 1900])
def test_words_in_pictures_can_be_read(shown: Any, width: int):
    # the browser's zoom makes its pixels larger, and the picture with them
    shown.set_viewport_size({"width": width, "height": 900})
    try:
        shown.evaluate("document.getElementById('host').classList.add('vml-seams')")
        assert [] == shown.evaluate(WORDS)
    finally:
        shown.evaluate("document.getElementById('host').classList.remove('vml-seams')")
        shown.set_viewport_size({"width": 1200, "height": 900})


def test_with_reduced_motion_nothing_glides(shown: Any):
    moving = """() => [...document.querySelectorAll('#host *')].filter((one) => {
        const { transitionDuration, animationName } = getComputedStyle(one);
        return animationName !== 'none' || transitionDuration.split(', ').some((one) => parseFloat(one) > 0);
    }).map((one) => one.outerHTML.slice(0, 100))"""
    pictures = shown.locator(".vml-live [data-k]").count()
    assert bool(shown.evaluate(moving)) == bool(pictures)
    shown.emulate_media(reduced_motion="reduce")
    assert [] == shown.evaluate(moving)
    shown.emulate_media(reduced_motion="no-preference")


@pytest.mark.parametrize(("system", "lab"), [("light", "dark"), ("dark", "light"), ("dark", "")])
def test_the_theme_is_that_of_jupyterlab_or_else_of_the_system(shown: Any, system: str, lab: str):
    shown.emulate_media(color_scheme=system)
    shown.evaluate(
        "(light) => { document.body.dataset.jpThemeLight = light; }", str(lab == "light").lower() if lab else ""
    )
    which = ["light", "dark"].index(lab or system)
    found = shown.locator("#host .vml").first.evaluate(
        "(one, names) => names.map((name) => getComputedStyle(one).getPropertyValue(`--vml-${name}`).trim())",
        ["box-rw", "accent", "bad"],
    )
    assert [COLOURS[name][which] for name in ("box-rw", "accent", "bad")] == found
    schemes = shown.locator("#host :is(input, select)").evaluate_all(
        "(all) => all.map((one) => getComputedStyle(one).colorScheme)"
    )
    assert set(schemes) <= {lab or system}  # a still picture has no controls
    shown.evaluate("delete document.body.dataset.jpThemeLight")
    shown.emulate_media(color_scheme="light")


def test_with_forced_colours_pictures_and_marks_can_be_seen(shown: Any):
    shown.emulate_media(forced_colors="active")
    ground, inks = shown.evaluate(INKS)
    shown.emulate_media(forced_colors="none")
    assert bool(inks) == bool(shown.locator("#host svg").count())  # a question in words has no picture
    assert ground not in inks
