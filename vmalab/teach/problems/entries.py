"""Questions of the kind "how many page-table entries does it move"."""

from __future__ import annotations

from vmalab.linux.addr import PAGE_SHIFT, page_align
from vmalab.linux.call import Mremap
from vmalab.teach.misconceptions.costs import BLOCK, COSTS, Moved, really_moved
from vmalab.teach.problems.asked_calls import Asked
from vmalab.teach.problems.choices import Choice, Held, Near, choose
from vmalab.teach.problems.dice import Dice
from vmalab.words.wording import say, word


def entries_said(moved: Moved) -> str:
    """`4 PMD entries (2 MiB each) and 100 PTEs`."""
    if moved == Moved():
        return word("quiz", "no_entry")
    return say("quiz", "entries", pte=moved.pte, pmd=moved.pmd, pud=moved.pud)


def entries_offered(asked: Asked, dice: Dice) -> tuple[Choice, ...] | None:
    """The choices of a question about what the last call moves; None where it fails or all believe what is right."""
    if not asked.last.ok or not isinstance(asked.last.call, Mremap):
        return None
    real = really_moved(asked.last)
    believed: dict[str, list[Held]] = {}
    for name, belief in COSTS.items():
        moved = belief(asked.case)
        if moved is not None and moved != real:
            believed.setdefault(entries_said(moved), []).append(Held(name))
    return choose(entries_said(real), believed, {}, _near(asked.last.call, real, dice), dice)


def _near(call: Mremap, real: Moved, dice: Dice) -> Near:
    pages = page_align(call.old_len) >> PAGE_SHIFT
    close = [
        Moved(real.pte + 1, real.pmd), Moved(real.pte, real.pmd + 1), Moved(pages + 1), Moved(0, pages // BLOCK + 1),
        Moved(real.pte + BLOCK, max(real.pmd - 1, 0)),
    ]  # fmt: skip
    for moved in dice.shuffled(close):
        yield entries_said(moved), "count"
