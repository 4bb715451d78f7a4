"""What somebody expects in the end who errs about an earlier one of several calls: the rest is played on the error."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from vmalab.errors import VmalabError
from vmalab.linux.addr import PAGE, PAGE_SHIFT
from vmalab.linux.call import Call, Limit, Mlock, Mmap, Mseal, Touch, Uffd
from vmalab.linux.flags import prot_from_letters
from vmalab.linux.profile import KernelProfile
from vmalab.machines.model import Model
from vmalab.teach.misconceptions import misconceptions
from vmalab.teach.misconceptions.case import Case, Expectation
from vmalab.teach.misconceptions.layouts import Rows, shape
from vmalab.teach.problems.asked_calls import Asked

STATES: dict[str, type[Mlock | Mseal | Uffd]] = {"lo": Mlock, "um": Uffd, "sl": Mseal}
"""The smaps code of a state that a VMA may be in, and the call that brings it there; a seal comes last."""


def errors_before(asked: Asked, calls: Sequence[Call]) -> Iterator[tuple[int, str, Expectation]]:
    """For each asked call but the last, each misconception about it: the call's number, the name, and how it all ends.

    Left out is what can't be gone on from: an address space that no calls lead to, or limits that it would not have.
    """
    if any(isinstance(call, Limit) for call in calls):
        return
    for index in range(len(calls) - asked.asked, len(calls) - 1):
        model = Model(asked.kernel)
        for call in calls[:index]:
            model.do(call)
        case = Case(model, calls[index], asked.outcomes[index])
        for name, one in misconceptions().items():
            expected = one.expects_in(case)
            believer = None if expected is None else rebuilt(asked.kernel, expected.rows.rows)
            if believer is None:
                continue
            try:
                last = [believer.do(call) for call in calls[index + 1 :]][-1]
            except VmalabError:
                continue
            yield index + 1, name, Expectation(last.errno, last.value, last.after)


def rebuilt(kernel: KernelProfile, rows: Rows) -> Model | None:
    """A process with these VMAs, as far as calls can make it; None where they come out otherwise.

    What pages hold is not told, only that they were written.
    """
    model = Model(kernel)
    calls: list[Call] = []
    for row in rows:
        prot = prot_from_letters(row.perms[:3].replace("-", ""))
        length = row.end - row.start
        if row.backing is None:
            calls.append(Mmap(row.start, length, prot))
        elif row.backing in ("shmem", "/dev/zero"):
            calls.append(Mmap(row.start, length, prot, "shared" if row.backing == "shmem" else "zero"))
        else:
            kind = "sharedfile" if row.perms.endswith("s") else "file"
            calls.append(Mmap(row.start, length, prot, kind, row.backing, row.pgoff or 0))
        calls += [Touch(run.start << PAGE_SHIFT, (run.end - run.start) * PAGE) for run in row.runs]
        calls += [call(row.start, length) for code, call in STATES.items() if code in row.flags]
    if not all(model.do(call).ok for call in calls):
        return None
    return model if shape(model.snapshot()) == shape(rows) else None
