"""What would have made a failed call work: the smallest changes of arguments or of kernel release, each tried out.

The history up to the call runs on a fresh model; then the same call on other releases, and the attempts of
`vmalab.words.attempts` on the same one.  Nothing is advised that the model does not see succeed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol

from attrs import frozen

from vmalab.errors import ProfileError, VmalabError
from vmalab.linux.call import Call
from vmalab.linux.mm.space import AddressSpace
from vmalab.linux.mm.syscall import perform
from vmalab.linux.mm.trace import Step
from vmalab.linux.profile import MEASURED, KernelProfile, profile
from vmalab.machines.capture import Capture
from vmalab.machines.model import Model
from vmalab.machines.outcome import Outcome
from vmalab.programs.calltext import call_text
from vmalab.words.attempts import Attempt, Problem, attempts
from vmalab.words.wording import say, word

MOST = 4
"""So many suggestions at most."""


class HasHistory(Protocol):
    """What advice needs of a model."""

    history: list[Call]
    profile: KernelProfile
    privileged: bool


@frozen
class Suggestion:
    """One thing that would have worked.

    `text`: in words, a phrase without a full stop.  `calls`: what to call instead, or `()` where the same call works on
    `release`, `""` meaning the same release.  `part`: it reaches less than the call was to.
    """

    text: str
    calls: tuple[Call, ...] = ()
    release: str = ""
    part: bool = False

    def __str__(self) -> str:
        return self.text


def advise(
    model_or_history: HasHistory | Sequence[Call],
    outcome: Outcome,
    *,
    release: str | KernelProfile | None = None,
    privileged: bool | None = None,
) -> list[Suggestion]:
    """What would have made the call of `outcome` work, the smallest change first; `[]` if it worked or nothing helps.

    `model_or_history`: the model that made the call, or the calls up to it (with or without it).  `release`: the kernel
    to follow where neither a model nor `outcome.machine` tells it; `privileged`: with capabilities, as in `Model`.
    Raises ProfileError for a release that has no profile.  Costs about 30 replays of the history.
    """
    if outcome.errno is None:
        return []
    calls: Sequence[Call]
    if isinstance(model_or_history, Sequence):
        calls, followed, able = model_or_history, _profile_of(outcome, release), bool(privileged)
    else:
        model = model_or_history
        followed = model.profile if release is None else _profile_of(outcome, release)
        calls, able = model.history, model.privileged if privileged is None else privileged
    past = list(_until(calls, outcome.call))
    first = Model(followed, privileged=able)
    try:
        errnos = [first.do(call).errno for call in past]
        met = first.do(outcome.call)
    except VmalabError:
        return []
    if met.errno != outcome.errno:
        return []
    found = _other_releases(past, outcome.call, errnos, followed, able)
    trial = Trial(followed, able, past)
    problem = Problem(outcome.call, met.before, *_rule(met.rule))
    found += _working(trial, [(attempt, (), "") for attempt in attempts(problem)], MOST - len(found))
    if not found:
        found = _working(trial, _second_attempts(trial, problem), MOST)
    return found


Chain = tuple[Attempt, tuple[Call, ...], str]
"""An attempt, the calls to make before it, and in words what was changed before it."""


def _working(trial: Trial, chains: Iterable[Chain], most: int) -> list[Suggestion]:
    """Those attempts that succeed, as suggestions; of the same kind only the first."""
    found: list[Suggestion] = []
    done: set[str] = set()
    for attempt, first, changed in chains:
        kind, calls = changed + attempt.key, (*first, *attempt.calls)
        if len(found) == most or kind in done or any(other.calls == calls for other in found):
            continue
        if trial.refusal(calls) is None:
            done.add(kind)
            found.append(_suggestion(attempt, first, changed))
    return found


def _second_attempts(trial: Trial, problem: Problem) -> Iterator[Chain]:
    """Where one change leads to the next refusal: a further change for that one."""
    tried: set[str] = set()
    for attempt in attempts(problem):
        refused = trial.refusal(attempt.calls)
        if refused is None or refused.call is not attempt.calls[-1]:
            continue
        if refused.rule == problem.rule or attempt.key in tried:
            continue
        tried.add(attempt.key)
        for second in attempts(refused):
            if second.key != attempt.key:
                yield second, attempt.calls[:-1], _change(attempt)


@frozen
class Trial:
    """A place to try calls out: a fresh address space with the same past."""

    followed: KernelProfile
    able: bool
    past: Sequence[Call]

    def refusal(self, calls: Sequence[Call]) -> Problem | None:
        """Make `calls` after the past; None if all of them succeed, else the first that does not."""
        space = AddressSpace(self.followed, privileged=self.able, trace=False)
        number = 0
        for number, call in enumerate(self.past, 1):
            space = perform(space, call, number).mm
        space.trace = True
        for call in calls:
            number += 1
            before = Capture.of(space)
            result = perform(space, call, number)
            space = result.mm
            if result.errno is not None:
                step = next((step for step in reversed(result.steps) if step.errno), None)
                return Problem(call, before.snapshot, *_rule(step))
        return None


def _profile_of(outcome: Outcome, release: str | KernelProfile | None) -> KernelProfile:
    if isinstance(release, KernelProfile):
        return release
    named = release or outcome.machine.partition(":")[2]
    if not named:
        raise ProfileError(
            f"advise: {outcome.machine or 'this outcome'} names no kernel release; give one as release=…"
        )
    return profile(named)


def _until(calls: Sequence[Call], call: Call) -> Sequence[Call]:
    """The calls before `call`: before its last place in the list, or all if it is not there."""
    for same in (lambda other: other is call, lambda other: other == call):
        for index in range(len(calls) - 1, -1, -1):
            if same(calls[index]):
                return calls[:index]
    return calls


def _rule(step: Step | None) -> tuple[str, Mapping[str, Any]]:
    """The key of the step that refused a call, and its values."""
    return (step.key, step.values) if step is not None else ("", {})


def _errnos(followed: KernelProfile, able: bool, calls: Iterable[Call]) -> list[str | None] | None:
    """The errno of each call on a fresh address space; None where the model knows a call not."""
    space = AddressSpace(followed, privileged=able, trace=False)
    errnos = []
    try:
        for number, call in enumerate(calls, 1):
            result = perform(space, call, number)
            space = result.mm
            errnos.append(result.errno)
    except VmalabError:
        return None
    return errnos


def _other_releases(
    past: Sequence[Call], call: Call, errnos: list[str | None], followed: KernelProfile, able: bool
) -> list[Suggestion]:
    """The releases nearest to this one on which the same program gets through; newer ones come first."""
    series = list(MEASURED)
    fine = [_errnos(profile(name), able, (*past, call)) == [*errnos, None] for name in series]
    here = next((index for index, name in enumerate(series) if f"{followed.release}.".startswith(f"{name}.")), None)
    if here is None:  # the patch under review, or a release between those measured
        here = next((index for index, name in enumerate(series) if name == "6.17"), 0)
        newer = range(here, len(series))
    else:
        newer = range(here + 1, len(series))
    start = next((index for index in newer if fine[index]), None)
    if start is None:
        start = next((index for index in range(here - 1, -1, -1) if fine[index]), None)
        if start is None:
            return []
        while start > 0 and fine[start - 1]:
            start -= 1
    stop = start
    while stop + 1 < len(series) and fine[stop + 1]:
        stop += 1
    best = series[start] if start > here or followed.release == "v3" else series[stop]
    said = say("advice", "release", releases=_span(series, start, stop))
    return [Suggestion(said, release=best)]


def _span(series: Sequence[str], start: int, stop: int) -> str:
    if stop == len(series) - 1:
        return word("advice", "since").format(release=series[start])
    if start == 0:
        return word("advice", "until").format(release=series[stop])
    if start == stop:
        return word("advice", "only").format(release=series[start])
    return word("advice", "between").format(first=series[start], last=series[stop])


def _change(attempt: Attempt) -> str:
    return say("advice", attempt.key, **attempt.values)


def _suggestion(attempt: Attempt, first: tuple[Call, ...], changed: str) -> Suggestion:
    change, calls = _change(attempt), (*first, *attempt.calls)
    if changed:
        change = word("advice", "both").format(first=changed, second=change)
    text = word("advice", "change").format(change=change, calls=_calls_text(calls))
    return Suggestion(text, calls, part=attempt.part)


def _calls_text(calls: Sequence[Call]) -> str:
    """The calls in order; of more than three the first and that it goes on so."""
    texts = [call_text(call) for call in calls]
    if len(texts) > 3:
        return word("advice", "and_so_on").format(first=texts[0])
    said = texts[0]
    for text in texts[1:]:
        said = word("advice", "then").format(first=said, last=text)
    return said
