"""The widgets of the lessons: thin views, each usable alone in a cell.

    Stepper(outcome)        step through what the kernel did
    CallBuilder(model)      put a call together with mouse, keys or Python, and run it
    SideBySide(vm, "6.16", "6.17")   one program under two kernels, in lock-step
    ModelAndMachine(vm)     one program on the model, a recorded kernel, and this machine when it is asked
    MoveCost(pages=2048)    what a move costs, by size, alignment and what is present
    Predict(model, call)    say what a call will do, by drawing or in words, then reveal it
    Question("04-gap")      choose what you expect, say how sure you are, then reveal
    MyPredictions("04")     what was predicted in a lesson, and what came of it
    Program("cat.strace")   a real program's calls over time, and its address space at any moment
    Watch()                 a process of one's own while it runs: its VMAs, and what has changed since the last look
    Quiz(topic="04", level=2, seed=4)   problems that never run out; all three may be left out

Each shows a still picture where no kernel runs, has a stable repr, and can be driven by its traits.  What they show is
computed in `vmalab.pictures.frames`, `vmalab.widgets.session` and below, and tested there without a browser.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vmalab.widgets.builder import CallBuilder
    from vmalab.widgets.modelandmachine import ModelAndMachine
    from vmalab.widgets.movecost import MoveCost
    from vmalab.widgets.predict import Predict
    from vmalab.widgets.program import Program
    from vmalab.widgets.question import MyPredictions, Question
    from vmalab.widgets.quiz import Quiz
    from vmalab.widgets.sidebyside import SideBySide
    from vmalab.widgets.stepper import Stepper
    from vmalab.widgets.watch import Watch

_HOMES = {
    "CallBuilder": "builder",
    "ModelAndMachine": "modelandmachine",
    "MoveCost": "movecost",
    "MyPredictions": "question",
    "Predict": "predict",
    "Program": "program",
    "Question": "question",
    "Quiz": "quiz",
    "SideBySide": "sidebyside",
    "Stepper": "stepper",
    "Watch": "watch",
}

__all__ = [
    "CallBuilder",
    "ModelAndMachine",
    "MoveCost",
    "MyPredictions",
    "Predict",
    "Program",
    "Question",
    "Quiz",
    "SideBySide",
    "Stepper",
    "Watch",
]


def __getattr__(name: str) -> Any:
    # anywidget takes a moment to import: only when a widget is asked for, and never for `session` and `fields`
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"vmalab.widgets.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
