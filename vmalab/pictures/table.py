"""`Table`: rows of words as text and as HTML, for all that is shown in columns.

Our own, because a data frame costs each student's kernel some 45 MiB, and cuts the long texts that kernel rules are.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import TYPE_CHECKING, overload

from vmalab.pictures.card import card

if TYPE_CHECKING:
    from pandas import DataFrame


class Table:
    """`heads` name the columns, the first cell of each of `rows` names the row; `verdict`: a line below it.

    >>> fruit = Table("Fruit", ("name", "colour", "seeds"), [("plum", "blue", 1)], "One fruit.")
    >>> print(fruit)
    name  colour  seeds
    plum  blue    1
    One fruit.
    >>> fruit["colour"], fruit[["seeds"]].heads, fruit.records()
    (['blue'], ('name', 'seeds'), [{'name': 'plum', 'colour': 'blue', 'seeds': '1'}])
    """

    def __init__(self, caption: str, heads: Sequence[str], rows: Iterable[Sequence[object]], verdict: str = "") -> None:
        self.caption, self.heads, self.verdict = caption, tuple(heads), verdict
        self.rows = [tuple(map(str, row)) for row in rows]

    def __len__(self) -> int:
        """How many rows."""
        return len(self.rows)

    @overload
    def __getitem__(self, column: str) -> list[str]: ...
    @overload
    def __getitem__(self, column: list[str]) -> Table: ...
    def __getitem__(self, column: str | list[str]) -> list[str] | Table:
        """The cells of a column, top down; of a list of columns the table that has just these.

        Raises KeyError for a column that it does not have.
        """
        if isinstance(column, str):
            return [row[self._at(column)] for row in self.rows]
        at = [0, *map(self._at, column)]
        return Table(
            self.caption, [self.heads[i] for i in at], ([row[i] for i in at] for row in self.rows), self.verdict
        )

    def _at(self, column: str) -> int:
        if column not in self.heads:
            raise KeyError(f"there is no column {column!r}: there are {', '.join(self.heads)}")
        return self.heads.index(column)

    def records(self) -> list[dict[str, str]]:
        """The rows as dictionaries, as `csv.DictWriter` takes them."""
        return [dict(zip(self.heads, row, strict=True)) for row in self.rows]

    def to_pandas(self) -> DataFrame:
        """The rows as a data frame: columns of numbers where all of its cells are numbers, of words elsewhere.

        Imports pandas (some 45 MiB); ModuleNotFoundError where that is not installed.  O(cells).
        """
        from pandas import DataFrame, to_numeric

        frame = DataFrame(self.rows, columns=list(self.heads))
        for column in self.heads:
            numbers = to_numeric(frame[column], errors="coerce")
            if len(frame) and numbers.notna().all():
                frame[column] = numbers
        return frame

    def __repr__(self) -> str:
        lines = [self.heads, *self.rows]
        wide = [max(len(line[column]) for line in lines) for column in range(len(self.heads))]
        rows = ("  ".join(f"{text:<{wide[i]}}" for i, text in enumerate(line)).rstrip() for line in lines)
        return "\n".join([*rows, *filter(None, [self.verdict])])

    def _repr_html_(self) -> str:
        heads = "".join(f"<th scope=col>{escape(name)}</th>" for name in self.heads)
        rows = "".join(
            f"<tr><th scope=row>{escape(row[0])}</th>{''.join(f'<td>{escape(text)}</td>' for text in row[1:])}</tr>"
            for row in self.rows
        )
        return card(
            f'<table class="vml-table"><caption>{escape(self.caption)}</caption>'
            f"<thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table><p>{escape(self.verdict)}</p>",
            what="a table",
        )
