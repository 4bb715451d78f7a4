"""Every widget in the states worth looking at: a new widget is added here, and the tests for all widgets take it in."""

from __future__ import annotations

from collections.abc import Callable

from attrs import frozen

from tests.sample_outcomes import gap_model, gap_move, gap_program
from tests.teach.test_answers import two_with_gap
from vmalab.linux.addr import PAGE, page
from vmalab.linux.call import Mremap
from vmalab.programs import data
from vmalab.system.watch import snapshot_of
from vmalab.teach.problems import problem
from vmalab.widgets import (
    CallBuilder,
    ModelAndMachine,
    MoveCost,
    MyPredictions,
    Predict,
    Program,
    Question,
    Quiz,
    SideBySide,
    Stepper,
    Watch,
)  # fmt: skip
from vmalab.widgets.base import Widget

MOVE = Mremap(page(0), 5 * PAGE, 5 * PAGE, 3, page(64))


def built() -> CallBuilder:
    """A call that was made, and after it a field that is wrong."""
    builder = CallBuilder(gap_model("6.16")).set(addr="0", old_len="5", flags="maymove fixed", new_addr="64")
    builder.run()
    return builder.set(new_addr="sixty")


def revealed() -> Predict:
    """A prediction that is partly wrong."""
    guess = Predict(gap_model(), MOVE)
    guess.errno, guess.value, guess.vmas = "succeeds", "64", "[64 to 65 rw] [67 to 68 r]"
    guess.reveal()
    return guess


def asked(kind: str, level: int, topic: str, *, answer: str = "") -> Quiz:
    """A problem of a kind; with an answer to it, and explained."""
    seed = next(seed for seed in range(500) if problem(level, seed, topic).kind == kind)
    quiz = Quiz(level=level, seed=seed, topic=topic)
    if answer:
        quiz.answer = answer
        quiz.check()
        quiz.explain()
    return quiz


def answered() -> Question:
    """A question that was answered with certainty, and not so."""
    question = Question("04-gap")
    question.set_trait("choice", "a")
    question.sure, question.why = "certain", "A gap is moved as well."
    question.reveal()
    return question


def traced() -> Program:
    """A small program in the middle of its calls, one of them step by step."""
    shown = Program(data.folder("programs") / "grow.strace", moment=20)
    shown.step()
    return shown


def watched() -> Watch:
    """A process at the second look: one VMA more, and one that has grown."""
    shown = Watch()
    shown.pid = 4242
    shown.title = "process 4242 (python3)"
    later = PYTHON.replace("7f0000010000 rw", "7f0000020000 rw")
    later = later.replace("7ffe", "7f0000100000-7f0000104000 r--p 00000000 00:00 0\n7ffe", 1)
    for maps in (PYTHON, later):
        shown.saw(snapshot_of(maps))
    return shown


PYTHON = """\
00400000-00401000 r-xp 00000000 fe:00 12 /usr/bin/python3
01000000-01021000 rw-p 00000000 00:00 0 [heap]
7f0000000000-7f0000010000 rw-p 00000000 00:00 0
7ffe00000000-7ffe00021000 rw-p 00000000 00:00 0 [stack]
"""

SHOWN: dict[str, Callable[[], Widget]] = {
    "Stepper": lambda: Stepper(gap_move(), index=7, depth=3, page_tables=True),
    "Stepper, the kernel's trace": lambda: Stepper(gap_move("6.17"), index=7, depth=4),
    "Stepper, refused": lambda: Stepper(gap_move("6.16"), index=99),
    "CallBuilder": lambda: CallBuilder(gap_model()),
    "CallBuilder, run": built,
    "SideBySide": lambda: SideBySide(gap_program(), "6.16", "6.17"),
    "ModelAndMachine": lambda: ModelAndMachine(two_with_gap()),
    "Predict": lambda: Predict(gap_model(), MOVE),
    "Predict, revealed": revealed,
    "Quiz": Quiz,
    "Quiz, explained": lambda: asked("vmas", 3, "04", answer="a"),
    "Quiz, drawing": lambda: asked("draw", 2, "03", answer="[0 rw]"),
    "Quiz, program": lambda: asked("shortest", 2, "01"),
    "Quiz, kernels": lambda: asked("releases", 5, "08", answer="b"),
    "Question, revealed": answered,
    "MyPredictions": lambda: MyPredictions(answered().question.lesson),
    "Program": traced,
    "MoveCost": lambda: MoveCost(2048, 0, 1),
    "Watch": Watch,
    "Watch, changed": watched,
}
"""The class's name, after a comma what is special → how to make it."""


@frozen
class Output:
    """What a widget leaves in a notebook, in a page where its model is not: on the next day, or elsewhere."""

    widget: Widget


@frozen
class Ended:
    """A widget whose kernel has ended under it."""

    widget: Widget


STATES: dict[str, Callable[[], Widget | Output | Ended]] = {
    **SHOWN,
    "Stepper, without Python": lambda: Output(Stepper(gap_move(), index=7)),
    "SideBySide, without Python": lambda: Output(SHOWN["SideBySide"]()),
    "ModelAndMachine, without Python": lambda: Output(SHOWN["ModelAndMachine"]()),
    "CallBuilder, without Python": lambda: Output(built()),
    "Predict, without Python": lambda: Output(revealed()),
    "Quiz, without Python": lambda: Output(asked("vmas", 3, "04", answer="a")),
    "Program, without Python": lambda: Output(traced()),
    "Question, without Python": lambda: Output(Question("01-pairs")),
    "MoveCost, without Python": lambda: Output(MoveCost(2048, 0, 1)),
    "Watch, without Python": lambda: Output(watched()),
    "Watch, ended": lambda: Ended(watched()),
    "CallBuilder, ended": lambda: Ended(built()),
    "Predict, ended": lambda: Ended(SHOWN["Predict"]()),
    "ModelAndMachine, ended": lambda: Ended(SHOWN["ModelAndMachine"]()),
}
"""The same, and what becomes of widgets without their kernel."""
