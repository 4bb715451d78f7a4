"""`Table`: rows of words as text and as HTML, for what the lessons print from the model's own tables.

pandas cuts long texts where it shows a table; the rules of a kernel are long texts.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from vmalab.pictures.display import card


class Table:
    """`heads` name the columns, the first cell of each of `rows` names the row; `verdict`: a line below it.

    >>> print(Table("Fruit", ("name", "colour"), [("plum", "blue")], "One fruit."))
    name  colour
    plum  blue
    One fruit.
    """

    def __init__(self, caption: str, heads: Sequence[str], rows: Iterable[Sequence[object]], verdict: str = "") -> None:
        self.caption, self.heads, self.verdict = caption, tuple(heads), verdict
        self.rows = [tuple(map(str, row)) for row in rows]

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
