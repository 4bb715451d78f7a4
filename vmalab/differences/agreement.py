"""Does the model say what kernels do?  One program on the model, on a recording and, once asked, on this machine.

`Agreement` is the data, with every difference explained or flagged; `vmalab.widgets.ModelAndMachine` shows it.  The
live machine is asked only by `ask`, so that nothing here depends on where it runs before.
"""

from __future__ import annotations

from html import escape
from typing import Any

from attrs import evolve, frozen

from vmalab.differences import live_answers
from vmalab.differences.answers import Answer, number
from vmalab.differences.causes import END, Why, explained
from vmalab.differences.compare import Comparison, compare, unlike
from vmalab.differences.display import side_html
from vmalab.differences.lockstep import side_data
from vmalab.differences.say import say_difference
from vmalab.linux.profile import profile
from vmalab.linux.settings import Settings
from vmalab.machines.live.settings import settings_here
from vmalab.machines.model import Model
from vmalab.machines.outcome import Outcome
from vmalab.machines.program import Program, scenario_of
from vmalab.pictures.card import card
from vmalab.pictures.scale import BESIDE
from vmalab.pictures.scene import result_words, scale_for
from vmalab.programs.calltext import call_text

THIS = "this machine"
SIGNS = {"same": "✓", "differs": "≠", "unknown": "⚑", "none": "–"}
"""How a verdict is marked: `unknown` is a difference that nothing explains, `none` no answer."""


@frozen
class Kernel:
    """One kernel's answer beside the model's.  `kind`: a key of `SIGNS`; `words`: the verdict, in sentences."""

    answer: Answer
    kind: str
    words: str
    comparison: Comparison | None = None
    why: Why | None = None

    @property
    def line(self) -> str:
        """The verdict with its mark and the kernel's name."""
        return f"{SIGNS[self.kind]} {self.answer.who}: {self.words}"

    def said_of(self, step: int, last: bool, model: str) -> list[str]:
        """What differs at step `step` (from 1; `last`: and at the end), and why, in sentences."""
        if self.comparison is None or self.why is None:
            return []
        found = [one for one in self.comparison.differences() if one.step == step]
        if last and not found:
            found = [one for one in self.comparison.differences() if one.step is None]
        if not found:
            return []
        causes = [cause for cause in self.why.causes if (found[0].step or END) in cause.steps]
        why = [f"Why: {cause.words}." for cause in causes] or [self.why.words]
        return [say_difference(found[0], f"the {model}", self.answer.who), *why]


class Agreement:
    """One program on the model, on a recording of a real kernel, and on this machine's kernel once it is asked.

    >>> from vmalab.linux.addr import PAGE, page
    >>> vm = Model("6.17"); _ = vm.mmap(page(0), PAGE)
    >>> print(Agreement(vm))
    – Linux 6.17, recorded: this program was not recorded on it.
    – this machine: not asked yet.

    `program`: a model (its history), a scenario or its name, or calls.  `release`: the one that the model follows; that
    of the program, or Linux 6.17.
    """

    def __init__(self, program: Program, release: str | None = None) -> None:
        self.scenario = scenario_of(program)
        if release is not None:
            self.followed = profile(release)
        else:
            self.followed = program.profile if isinstance(program, Model) else profile(live_answers.RELEASE)
        self.model = self._modelled(Settings())
        self.recorded = self._kernel(live_answers.recorded_for(self.followed, self.scenario))
        self.live = Kernel(Answer(THIS), "none", "not asked yet.")
        self.asked = 0

    @property
    def kernels(self) -> tuple[Kernel, Kernel]:
        """The recording and this machine."""
        return self.recorded, self.live

    def ask(self) -> Kernel:
        """Run the program on this machine's kernel, in a process of its own; what it answered, or why it did not."""
        self.asked += 1
        reason = live_answers.why_unavailable()
        if reason is not None:
            self.live = Kernel(Answer(THIS, None, reason), "none", f"it can't be asked: {reason}.")
            return self.live
        machine = live_answers.live()
        self.model = self._modelled(settings_here())
        who = f"{THIS}, Linux {number(machine.release)}"
        found = self._kernel(Answer(who, machine.run(self.scenario)), machine.release)
        if found.kind == "unknown":
            lacks = [
                name
                for name in live_answers.needed(self.scenario, self.followed)
                if not getattr(live_answers.abilities(), name)
            ]
            if lacks:
                words = f"it can't do what this needs: {'; '.join(live_answers.SAID[name] for name in lacks)}."
                found = evolve(found, kind="differs", words=words, why=Why("", (), words[:1].upper() + words[1:]))
        self.live = found
        return found

    def _modelled(self, settings: Settings) -> Answer:
        """What the model answers on a machine with these settings."""
        name = f"model of {self.followed}"
        return Answer(name, evolve(Model(self.followed, settings=settings).run(self.scenario), machine=name))

    def _kernel(self, answer: Answer, release: str = "") -> Kernel:
        """The verdict on what a kernel answered."""
        played = answer.played
        if played is None or played.error is not None:
            reason = answer.why or (played.error if played else None) or "no answer"
            return Kernel(answer, "none", f"{reason}.")
        assert self.model.played is not None
        comparison = compare(self.model.played, played)
        why = explained(self.followed, played, release or number(answer.who.removeprefix("Linux ")))
        if why is None:
            return Kernel(answer, "same", "it answers as the model does, on every call.", comparison)
        return Kernel(answer, "differs" if why.known else "unknown", why.words, comparison, why)

    def __str__(self) -> str:
        return "\n".join(kernel.line for kernel in self.kernels)

    def __repr__(self) -> str:
        return f"<Agreement of {self.model.who} with kernels: {'; '.join(kernel.line for kernel in self.kernels)}>"

    def _outcomes(self, step: int) -> list[Outcome | None]:
        """What the model and the kernels answered at step `step` (from 1)."""
        found = []
        for answer in (self.model, *(kernel.answer for kernel in self.kernels)):
            outcomes = answer.played.outcomes if answer.played is not None else ()
            found.append(outcomes[step - 1] if step <= len(outcomes) else None)
        return found

    @property
    def steps(self) -> range:
        """The numbers of the calls that somebody answered."""
        return range(1, len(self.scenario.steps) + 1)

    @property
    def first(self) -> int | None:
        """The number of the first call at which a kernel differs from the model, or None."""
        found = [
            one.step or self.steps[-1]
            for kernel in self.kernels if kernel.comparison is not None
            for one in kernel.comparison.differences()
        ]  # fmt: skip
        return min(found, default=None)

    def said_of(self, step: int) -> list[str]:
        """What differs at step `step` (from 1) on any kernel, and why."""
        return [
            text for kernel in self.kernels for text in kernel.said_of(step, step == self.steps[-1], self.model.who)
        ]

    # --- to be shown ---

    def data(self) -> dict[str, Any]:
        """What the view in the browser needs: as in `vmalab.differences.lockstep`, with one place for each call.

        {"title", "sides", "about": "", "verdicts": [[kind, line], ...], "asked": how often this machine was, "calls"}
        """
        sides = [self.model.who, *(kernel.answer.who for kernel in self.kernels)]
        return {
            "title": "Model and machine",
            "sides": sides,
            "about": "",
            "verdicts": [[kernel.kind, kernel.line] for kernel in self.kernels],
            "asked": self.asked,
            "calls": [self._call(step) for step in self.steps],
        }

    def _call(self, step: int) -> dict[str, Any]:
        outcomes = self._outcomes(step)
        scale = scale_for((outcome for outcome in outcomes if outcome is not None), BESIDE)
        words = self.said_of(step)
        whys = ("", *(kernel.words for kernel in self.kernels))
        sides = [
            side_data(outcome, [(0, self._unlike(outcomes, outcome))], scale, why, told=False)
            for outcome, why in zip(outcomes, whys, strict=True)
        ]
        if not self.asked:
            sides[-1]["result"] = "not asked"
        return {
            "call": call_text(self.scenario.steps[step - 1]),
            "agrees": not words,
            "words": words,
            "places": [[0] * len(outcomes)],
            "sides": sides,
        }

    @staticmethod
    def _unlike(outcomes: list[Outcome | None], outcome: Outcome | None) -> frozenset[int]:
        """What to mark: on a kernel what the model does not have, on the model what some kernel does not have."""
        model = outcomes[0]
        if outcome is None or model is None:
            return frozenset()
        others = [model] if outcome is not model else [other for other in outcomes[1:] if other is not None]
        return frozenset().union(*(unlike(outcome.after, other.after) for other in others))

    def _repr_html_(self) -> str:
        """A table of all answers, the verdicts, and the pictures of the first call that differs, or of the last."""
        names = [self.model.who, *(kernel.answer.who for kernel in self.kernels)]
        rows = []
        for step in self.steps:
            told = "".join(
                f"<td>{escape('no answer' if outcome is None else result_words(outcome))}</td>"
                for outcome in self._outcomes(step)
            )
            same = "≠ differs" if self.said_of(step) else "✓ same"
            call = escape(call_text(self.scenario.steps[step - 1]))
            rows.append(f"<tr><th scope=row>{step}</th><td><code>{call}</code></td>{told}<td>{same}</td></tr>")
        heads = "".join(f"<th scope=col>{escape(name)}</th>" for name in ("step", "call", *names, ""))
        table = f'<table class="vml-table"><thead><tr>{heads}</tr></thead><tbody>{"".join(rows)}</tbody></table>'
        said = "".join(f"<p>{escape(kernel.line)}</p>" for kernel in self.kernels)
        step = self.first or self.steps[-1]
        why = "".join(f"<p>{escape(text)}</p>" for text in self.said_of(step))
        head = '<header class="vml-head"><b>Model and machine</b></header>'
        return card(f"{head}{table}{said}{why}{self._pictures(step)}")

    def _pictures(self, step: int) -> str:
        """The model's picture of that step, and those of the kernels that differ there."""
        outcomes = self._outcomes(step)
        scale = scale_for(outcome for outcome in outcomes if outcome is not None)
        drawn = []
        for outcome, kernel in zip(outcomes, (None, *self.kernels), strict=True):
            if outcome is None or (kernel and not kernel.said_of(step, step == self.steps[-1], self.model.who)):
                continue
            name = kernel.answer.who if kernel else self.model.who
            drawn.append(side_html(outcome, f"Call {step} on {name}.", scale, self._unlike(outcomes, outcome)))
        return "".join(drawn)
