"""Words on the kernel's own trace: what it is called, and where in it a step is."""

from __future__ import annotations

from collections.abc import Sequence

from vmalab.machines.traces import Trace, Traced, running_at
from vmalab.words.wording import glue


def trace_name(trace: Trace) -> str:
    """`"the kernel's own trace, Linux 6.17.13"`."""
    return glue("trace_name", release=trace.release)


def where_in(calls: Sequence[Traced], place: int | None) -> str:
    """The functions that run where a step is, outermost first, as a sentence; `place` as `positions` gives it.

    >>> from vmalab.machines.traces import traced_calls
    >>> where_in(traced_calls("__x64_sys_munmap(do_vmi_munmap)"), 1)
    "In the kernel's trace: __x64_sys_munmap() → do_vmi_munmap()."
    """
    if place is None:
        return glue("trace_none")
    if place < 0:
        return glue("trace_unfit")
    path = sorted(running_at(calls, place).values())
    return glue("trace_path", path=" → ".join(f"{calls[index].name}()" for index in path))
