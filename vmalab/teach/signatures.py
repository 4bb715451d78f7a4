"""How true the model's steps are, as tables: held against the kernel's own traces."""

from __future__ import annotations

from functools import cache

from vmalab.differences.signed import Report, report, signed
from vmalab.errors import UsageError
from vmalab.linux.functions import NOT_THE_KERNELS
from vmalab.machines.outcome import Outcome
from vmalab.machines.traces import Traces, load, releases
from vmalab.pictures.table import Table
from vmalab.words.explain import narrate


def signed_steps(outcome: Outcome) -> Table:
    """The steps of a model's call, and for each the function of the kernel's own trace in which it happens.

    `outcome`: of a program that was traced on this release (those of the lessons, and others of `data/traces/`).
    Raises UsageError for any other.
    """
    given: object = outcome
    trace = outcome.trace if isinstance(given, Outcome) else None
    if trace is None:
        raise UsageError("there is no trace of this call: signed_steps(…) takes what a call on a model gave, and the "
                         f"program must be one that was traced, on {', '.join(releases())}")  # fmt: skip
    found = signed(outcome.steps, trace)
    calls = trace.calls
    rows = []
    for step, at in zip(outcome.steps, found.at, strict=True):
        if at is None:
            place = f"not the kernel's: {NOT_THE_KERNELS.get(step.func, 'no call')}"
        else:
            place = f"{calls[at].name}()" if at >= 0 else "nowhere"
        rows.append((f"{step.func}()", narrate(step), place))
    untold = (
        f"Changed and not told: {', '.join(found.untold)}." if found.untold else "Nothing that changed is left out."
    )
    return Table(f"The steps of the model, and where Linux {trace.release} made them",
                 ("the model's function", "its step", "in the kernel's trace"), rows, untold)  # fmt: skip


def signed_table(every: int = 4) -> Table:
    """All traced programs on the model of each traced kernel: how many steps the kernel's own trace has.

    `every`: each fourth program, unless told otherwise; 1 takes all of them, and about ten seconds.
    """
    given: object = every
    if not isinstance(given, int) or given < 1:
        raise UsageError(f"every is a number from 1 on, such as 4 for each fourth program, not {every!r}")
    rows = []
    for release in releases():
        held = _held(release, every)
        rows.append((f"Linux {release}", held.programs, held.steps, held.steps - held.fitting - held.not_traceable,
                     held.not_traceable, f"{held.pinned} of {held.refusals}", held.untold))  # fmt: skip
    columns = ("kernel", "programs", "steps", "fit nothing", "not the kernel's", "refusals pinned", "changes not told")
    return Table("The model's steps against the kernel's own traces", columns, rows)


@cache
def _held(release: str, every: int) -> Report:
    traces = load(release)
    return report(Traces(traces.document, traces.scenarios[::every]))
