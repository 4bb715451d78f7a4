"""What the VMAs of one process are called: a letter for life, for all pictures, tables and words of a session.

A `Letters` stands between two calls of a model.  It works nothing out until somebody asks, and then goes through the
calls since the last one that was asked for.
"""

from __future__ import annotations

from collections.abc import Mapping

from vmalab.machines.lineage import letter, letters, lineage_of
from vmalab.machines.outcome import FEW, Outcome, Row

MOST_WAITING = 256
"""So many calls are remembered for somebody to ask; nobody follows a letter through more."""


class Letters:
    """The names of the VMAs after `outcome`, the call that follows `before`; without them, of an empty process."""

    def __init__(self, before: Letters | None = None, outcome: Outcome | None = None) -> None:
        self._before, self._outcome = before, outcome
        self._names: dict[int | None, str] = {}
        self._count = 0
        self.waiting: int = before.waiting + 1 if before is not None else 0
        if self.waiting > MOST_WAITING:
            self._before, self.waiting = None, 0

    def given(self) -> tuple[Mapping[int | None, str], int]:
        """Name by the id of each VMA, and how many letters were ever given."""
        chain, node = [], self
        while node._outcome is not None:
            chain.append(node)
            if node._before is None:
                break
            node = node._before
        for one in reversed(chain):
            one._work_out()
        return self._names, self._count

    def of(self, rows: tuple[Row, ...]) -> list[str]:
        """What `rows` are called, in order; so many that nobody follows them, by their order."""
        if len(rows) > FEW:
            return letters(len(rows))
        names, _ = self.given()
        return [names[row.id] for row in rows]

    def _work_out(self) -> None:
        outcome = self._outcome
        assert outcome is not None
        given = self._before.given() if self._before is not None else None
        if given is None:  # too long ago: anew, in order
            rows = outcome.before.rows
            given = {row.id: letter(number) for number, row in enumerate(rows)}, len(rows)
        lineage = lineage_of(outcome, given=given)
        self._names = {row.id: lineage.final[row.id][1] for row in outcome.after}
        self._count = lineage.letters_given
        self._before = self._outcome = None
        self.waiting = 0
