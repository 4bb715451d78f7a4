"""Quiz in JupyterLab: a choice, a drawing and a program, by mouse and by keys; the next problem; narrow and dark."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.patience import PATIENCE
from vmalab.teach.problems import problem

SETUP = """
from vmalab.widgets import Quiz
quiz = Quiz(topic="04", level=3, seed=4)
quiz
"""


def first(kind: str, level: int, topic: str):
    return next(one for one in (problem(level, seed, topic) for seed in range(500)) if one.kind == kind)


@pytest.fixture(scope="module")
def opened(lab_server, browser):
    context = browser.new_context(viewport={"width": 1300, "height": 1400}, has_touch=True)
    context.set_default_timeout(PATIENCE * 1000)
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    lab_server.write("quiz.ipynb", SETUP, "quiz.level")
    lab_server.run(page, "quiz.ipynb")
    page.get_by_role("region", name="Quiz").wait_for()
    yield page
    lab_server.shut_down(page)
    context.close()
    assert [] == errors


@pytest.fixture
def quiz(opened):
    return opened.get_by_role("region", name="Quiz")


def go(quiz, level: int, topic: str, seed: int) -> None:
    """Choose a problem by its choosers; the question is there when this returns."""
    one = problem(level, seed, topic)
    quiz.get_by_label("Level", exact=True).select_option(str(level))
    quiz.get_by_label("Topic", exact=True).select_option(topic)
    number = quiz.get_by_label("Problem", exact=True)
    number.fill(str(seed))
    number.press("Enter")
    expect(quiz.get_by_role("group", name=one.title, exact=True)).to_have_count(1)


def do(quiz, name: str) -> None:
    quiz.get_by_role("button", name=name, exact=True).click()


def test_a_choice_by_keys_is_checked_explained_and_gone_on_from(opened, quiz, shots):
    one = first("vmas", 3, "04")
    go(quiz, 3, "04", one.seed)
    wrong = next(index for index, choice in enumerate(one.choices) if choice.beliefs)
    radios = quiz.get_by_role("radio")
    expect(radios).to_have_count(4)
    assert one.choices[one.right].text in quiz.inner_text()
    radios.nth(wrong).focus()
    opened.keyboard.press("Space")
    expect(radios.nth(wrong)).to_be_checked()
    do(quiz, "Check")
    expect(quiz.get_by_role("status").first).to_contain_text("Did you think: “")
    shots(quiz, "quiz-wrong")
    radios.nth(one.right).check()
    expect(quiz.get_by_text("That is not so.")).to_have_count(0)
    do(quiz, "Check")
    expect(quiz.get_by_text("✓ That is right.")).to_have_count(1)
    do(quiz, "Explain")
    stepper = quiz.get_by_role("region", name="Stepper: mremap").last
    expect(stepper).to_be_visible()
    shots(quiz, "quiz-explained")
    do(quiz, "Next problem")
    expect(quiz.get_by_label("Problem", exact=True)).to_have_value(str(one.seed + 1))
    expect(stepper).to_have_count(0)


def test_a_drawing(opened, quiz, shots):
    one = first("draw", 2, "03")
    go(quiz, 2, "03", one.seed)
    line = quiz.get_by_label("VMAs", exact=True)
    assert one.answer not in opened.content()
    line.fill("[300 x]")
    line.press("Enter")
    do(quiz, "Check")
    expect(quiz.get_by_text("[300 x] is not there like that.")).to_have_count(1)
    shots(quiz, "quiz-drawing")
    line.fill(one.answer)
    line.press("Enter")
    do(quiz, "Check")
    expect(quiz.get_by_text("VMAs are right.")).to_have_count(1)


def test_a_program(quiz, shots):
    one = first("shortest", 2, "01")
    go(quiz, 2, "01", one.seed)
    text = quiz.get_by_role("textbox", name="Your program")
    text.fill("unmap(1, 2)")
    do(quiz, "Check")
    expect(quiz.get_by_role("alert")).to_contain_text("There is no call unmap")
    text.fill(one.answer.replace("; ", "\n"))
    do(quiz, "Check")
    expect(quiz.get_by_text("a search found nothing shorter")).to_have_count(1)
    shots(quiz, "quiz-program")


def test_what_is_no_seed_is_said(quiz):
    number = quiz.get_by_label("Problem", exact=True)
    number.fill("x")
    number.press("Enter")
    expect(quiz.get_by_role("alert")).to_contain_text("Seed is a whole number, not “x”.")
    number.fill("3")
    number.press("Enter")
    expect(quiz.get_by_text("Seed is a whole number")).to_have_count(0)


def test_it_has_a_small_window_and_a_dark_one_too(opened, quiz, shots):
    one = first("releases", 5, "08")
    go(quiz, 5, "08", one.seed)
    opened.set_viewport_size({"width": 560, "height": 1400})
    wide = quiz.evaluate("(one) => [one.scrollWidth, one.clientWidth]")
    shots(quiz, "quiz-narrow")
    opened.set_viewport_size({"width": 1300, "height": 1400})
    assert wide[0] <= wide[1] + 1
    opened.evaluate("window.jupyterapp.commands.execute('apputils:change-theme', {theme: 'JupyterLab Dark'})")
    expect(opened.locator("body[data-jp-theme-light=false]")).to_have_count(1)
    shots(quiz, "quiz-dark")
    opened.evaluate("window.jupyterapp.commands.execute('apputils:change-theme', {theme: 'JupyterLab Light'})")
    expect(opened.locator("body[data-jp-theme-light=true]")).to_have_count(1)
