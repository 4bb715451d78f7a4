"""The doctor's findings as text, as tables for a notebook, and as data for a question to somebody else."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape
from itertools import groupby
from typing import Any

import attrs

from vmalab.linux.profile import MEASURED
from vmalab.linux.scope import NOT_MODELLED
from vmalab.machines.recorded import releases
from vmalab.pictures.card import card
from vmalab.system.doctor.findings import ABILITIES, AROUND, BEHAVIOURS, FINE, KERNEL, LACKS, NOTE, Checked, Finding

SURROUNDED = [words for words, *_ in AROUND.values()]
SIGNS = {NOTE: "!", LACKS: "✕"}


class Report:
    """What `examine` found.  Prints itself as text; in a notebook it is a table for each section."""

    def __init__(self, findings: tuple[Finding, ...], checked: Checked, interpreter: str = "") -> None:
        self.findings, self.checked, self.interpreter = findings, checked, interpreter

    @property
    def headline(self) -> str:
        """The result in one sentence."""
        lacking = [finding.what for finding in self.findings if finding.state == LACKS]
        if lacking:
            return f"Something is missing: {', '.join(lacking)}."
        if self.checked.why_not is not None:
            return "The lessons run here; this machine's kernel can't be asked, so they show recordings of others."
        kernel = f"Linux {self.checked.release}"
        refused = [words for name, (words, *_) in ABILITIES.items() if not getattr(self.checked.abilities, name)]
        limits = [finding for finding in self.findings if finding.state == NOTE and finding.what in SURROUNDED]
        if limits and not refused:
            return f"The lessons run here, and {kernel} can be asked, with the limits noted below."
        if not refused:
            return f"All is there: this machine's kernel, {kernel}, can be asked, and can do all that the lessons show."
        return f"The lessons run here; for what {kernel} can't show there are recordings: {'; '.join(refused)}."

    def __repr__(self) -> str:
        return self.text()

    def text(self, *, everything: bool = False) -> str:
        """All findings as lines; of the behaviours only those that surprise, unless `everything` is asked for."""
        return "\n".join([self.headline, *_lines(self.sections(), everything)])

    def sections(self) -> list[tuple[str, list[Finding]]]:
        """The findings by section, in order."""
        return [(name, list(found)) for name, found in groupby(self.findings, lambda finding: finding.section)]

    def to_json(self) -> dict[str, Any]:
        """Everything, as plain data."""
        return {
            "headline": self.headline,
            "interpreter": self.interpreter,
            "findings": [attrs.asdict(finding) for finding in self.findings],
            "recordings": releases(),
            "model": list(MEASURED.values()),
            "not modelled": dict(NOT_MODELLED),
        }

    def _repr_html_(self) -> str:
        parts = "".join(_section_html(name, found) for name, found in self.sections())
        return card(f"<p><b>{escape(self.headline)}</b></p>{parts}", what="what the doctor found")


def _lines(sections: Iterable[tuple[str, list[Finding]]], everything: bool) -> Iterator[str]:
    for name, found in sections:
        yield ""
        yield name
        shown = found if everything or name != BEHAVIOURS else [one for one in found if one.state != FINE]
        for finding in shown:
            yield f"  {SIGNS.get(finding.state, ' ')} {finding.what}: {finding.found}"
            if finding.means:
                yield f"      {finding.means}"
            if finding.mend:
                yield f"      → {finding.mend}"
        if len(shown) < len(found):
            yield f"    {len(found) - len(shown)} named behaviours are as this release is known for, or were not tried"


def _section_html(name: str, found: list[Finding]) -> str:
    rows = "".join(
        f"<tr><td>{SIGNS.get(finding.state, '✓')}</td><th scope=row>{escape(finding.what)}</th>"
        f"<td>{escape(finding.found)}</td><td>{escape(_more(finding))}</td></tr>"
        for finding in found
    )
    heads = "".join(f"<th scope=col>{head}</th>" for head in ("", "what", "found", "what it means"))
    table = f'<table class="vml-table"><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>'
    odd = sum(finding.state != FINE for finding in found)
    told = f"{name}{f': {odd} worth a look' if odd else ''}"
    is_open = " open" if odd or name == KERNEL else ""
    return f'<details class="vml-text"{is_open}><summary>{escape(told)}</summary>{table}</details>'


def _more(finding: Finding) -> str:
    parts = (finding.means, f"→ {finding.mend}" if finding.mend else "")
    return " ".join(part for part in parts if part)
