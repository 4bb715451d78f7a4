"""Which operations may span several VMAs: a rule as a table, found by trying each on the models and on recordings."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from vmalab.addr import PAGE, page
from vmalab.answers import by_model, by_recording, difference
from vmalab.call import Mmap, Mremap
from vmalab.display import card
from vmalab.flags import MREMAP_DONTUNMAP, MREMAP_FIXED, MREMAP_MAYMOVE
from vmalab.program import scenario_of

_FIXED = MREMAP_MAYMOVE | MREMAP_FIXED
_KEEP = MREMAP_DONTUNMAP
_TWO = (Mmap(page(0), 2 * PAGE), Mmap(page(3), 2 * PAGE, 1))  # [rw] gap [r]
OPERATIONS = (
    ("same size, no FIXED (nothing to do)", Mremap(page(0), 5 * PAGE, 5 * PAGE, MREMAP_MAYMOVE)),
    ("shrink in place", Mremap(page(0), 5 * PAGE, PAGE)),
    ("grow", Mremap(page(0), 5 * PAGE, 6 * PAGE, MREMAP_MAYMOVE)),
    ("FIXED, grow", Mremap(page(0), 5 * PAGE, 6 * PAGE, _FIXED, page(64))),
    ("FIXED, shrink to more than the first VMA", Mremap(page(0), 5 * PAGE, 4 * PAGE, _FIXED, page(64))),
    ("FIXED, shrink into the first VMA", Mremap(page(0), 5 * PAGE, PAGE, _FIXED, page(64))),
    ("FIXED, same size (a move)", Mremap(page(0), 5 * PAGE, 5 * PAGE, _FIXED, page(64))),
    ("FIXED | DONTUNMAP, same size", Mremap(page(0), 5 * PAGE, 5 * PAGE, _FIXED | _KEEP, page(64))),
    ("DONTUNMAP without FIXED", Mremap(page(0), 5 * PAGE, 5 * PAGE, MREMAP_MAYMOVE | _KEEP)),
)
"""What mremap can be asked for, each over two VMAs and the gap between them."""


class Rules:
    """A table of what worked; `rows`: the operation, then what each release answered.  `verdict`: a line below it."""

    def __init__(self, releases: Sequence[str], rows: Sequence[tuple[str, ...]], verdict: str = "") -> None:
        self.releases, self.rows, self.verdict = tuple(releases), tuple(rows), verdict

    def __repr__(self) -> str:
        lines = [("range over two VMAs and a gap", *self.releases), *self.rows]
        wide = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
        rows = ("  ".join(f"{text:<{wide[i]}}" for i, text in enumerate(line)).rstrip() for line in lines)
        return "\n".join([*rows, *filter(None, [self.verdict])])

    def _repr_html_(self) -> str:
        heads = "".join(f"<th scope=col>{escape(name)}</th>" for name in ("operation", *self.releases))
        rows = "".join(
            f"<tr><th scope=row>{escape(row[0])}</th>{''.join(f'<td>{escape(text)}</td>' for text in row[1:])}</tr>"
            for row in self.rows
        )
        return card(
            f'<table class="vml-table">'
            f"<caption>A range over two VMAs and the gap between them</caption>"
            f"<thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table><p>{escape(self.verdict)}</p>",
            what="a table",
        )


def range_rules(*series: str) -> Rules:
    """Which operations may span several VMAs: each tried out on the model of each release, and held against kernels."""
    rows, agree, asked = [], True, set()
    for name, call in OPERATIONS:
        scenario = scenario_of((*_TWO, call))
        ours = [by_model(release, scenario) for release in series]
        for mine, release in zip(ours, series, strict=True):
            theirs = by_recording(release, scenario)
            if theirs.last is not None:
                asked.add(theirs.who.partition(",")[0])
                agree = agree and not difference(mine, theirs)
        errnos = [mine.last.errno if mine.last is not None else "no answer" for mine in ours]
        rows.append((name, *("✓ works" if errno is None else f"✕ {errno}" for errno in errnos)))
    kernels = ", ".join(sorted(asked))
    verdict = f"Tried on the models; {kernels} {'answered the same when they were' if agree else 'differ as'} recorded."
    return Rules([f"Linux {release}" for release in series], rows, verdict if asked else "Tried on the models.")
