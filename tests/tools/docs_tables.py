"""Writes the tables and pictures of `docs/` that come out of runs and measurements.

usage: python -m tests.tools.docs_tables [BLOCK ...]        by default all

A block stands in a page between `<!-- NAME: … -->` and `<!-- end -->`.  `costs`, `model`, `behaviours` and `pictures`
follow from what is in the repository, and a test holds them against it; `faults` and `doctor` are runs on the machine
at hand.
"""

from __future__ import annotations

import io
import json
import re
import sys
from collections.abc import Callable, Iterable
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

from tests.tools.source_lines import LINES
from vmalab.differences.signed import Report, report
from vmalab.linux.functions import PLACES, places
from vmalab.linux.profile import behaviours as named_behaviours
from vmalab.machines.measure import fit, recorded
from vmalab.machines.measure.results import duration
from vmalab.machines.traces import load
from vmalab.machines.traces import releases as traced
from vmalab.pictures.charts import drawable
from vmalab.system.doctor.behaviours import FILLED, probes
from vmalab.words.catalogue.costs import COST_TERMS

DOCS = Path(__file__).parents[2] / "docs"


def costs() -> str:
    """What was measured, and how far the fitted cost model is off."""
    results = recorded()
    model = fit(results)
    lines = ["| case | median | middle half | model |", "|---|---:|---:|---:|"]
    for row in results.rows:
        off = f"{model.residual(row):+.0%}" if row.entries else ""
        lines.append(f"| {row.case} | {duration(row.median)} | {duration(row.q1)} to {duration(row.q3)} | {off} |")
    return "\n".join(lines)


def model() -> str:
    """The fitted costs."""
    fitted = fit(recorded())
    lines = ["| what | fitted cost |", "|---|---:|"]
    return "\n".join([*lines, *(f"| {COST_TERMS[term]} | {duration(cost)} |" for term, cost in fitted.cost.items())])


def behaviours() -> str:
    """What each release does, and since when."""
    lines = ["| what Linux does | in | how to see it | commit | |", "|---|---|---|---|---|"]
    probed = {*probes(), *FILLED}
    for one in named_behaviours():
        spans = "; ".join(_span(*span) for span in one.spans) or "version 3 of the patch only"
        bug = " (a bug)" if one.bug else ""
        tried = "doctor" if one.name in probed else ""
        words = (f"**{one.name}**: {one.meaning}{bug}", spans, one.see, one.commit, tried)
        lines.append("| " + " | ".join(word.replace("|", r"\|") for word in words) + " |")
    return "\n".join(lines)


def _span(since: str | None, until: str | None) -> str:
    if since is None:
        return f"before {until}"
    return f"since {since}" if until is None else f"{since}, gone in {until}"


def signed() -> str:
    """How the model's steps fit the kernels' traces."""
    return signed_rows([report(load(release)) for release in traced()])


def signed_rows(reports: Iterable[Report]) -> str:
    """The same, of reports that are there."""
    lines = ["| kernel | programs | calls | steps | fit | not the kernel's | refusals | pinned | changes not told |",
             "|---|---:|---:|---:|---:|---:|---:|---:|---:|"]  # fmt: skip
    for one in reports:
        counts = (
            one.programs,
            one.calls,
            one.steps,
            one.fitting,
            one.not_traceable,
            one.refusals,
            one.pinned,
            one.untold,
        )
        lines.append("| " + " | ".join([f"Linux {one.release}", *(f"{count:,}" for count in counts)]) + " |")
    return "\n".join(lines)


def functions() -> str:
    """What stands for a function of the model, release by release, and what the source says."""
    traces = [load(release) for release in traced()]
    names = [one.release for one in traces]
    lines = ["| function | " + " | ".join(names) + " | in the source |", "|---|" + "---|" * (len(names) + 1)]
    for func in sorted({name.partition(".")[0] for name in PLACES}):
        stands = [next(iter(places(func, "", one.traceable)), "") for one in traces]
        cells = ["itself" if name == func else f"`{name}`" if name else "–" for name in stands]
        source = "; ".join(place.source for place in PLACES.get(func, ()) if place.name in stands)
        lines.append(f"| `{func}` | " + " | ".join(cells) + f" | {source} |")
    return "\n".join(lines)


def lines() -> str:
    """The source lines of the functions that a release can't trace under their own name."""
    found = json.loads(LINES.read_text(encoding="utf-8"))
    rows = ["| function | " + " | ".join(found) + " |", "|---|" + "---|" * len(found)]
    for func in sorted({func for release in found.values() for func in release}):
        rows.append(f"| `{func}` | " + " | ".join(_line(func, release) for release in found.values()) + " |")
    return "\n".join(rows)


def _line(func: str, release: dict[str, dict[str, Any] | None]) -> str:
    """Where one release defines a function, and from where it calls it."""
    if func not in release:
        return "itself"
    place = release[func]
    if place is None:
        return "–"
    called = ", ".join(one.rpartition(":")[2] if one.startswith(place["defined"].partition(":")[0]) else one
                       for one in place["called"])  # fmt: skip
    return f"{place['defined']} {place['as']}".strip() + (f"; called in {called}" if called else "")


def pictures() -> dict[str, str]:
    """Name of the file → the chart as SVG."""
    return {f"{name}.svg": chart.svg() + "\n" for name, chart in drawable(recorded()).items()}


def faults() -> str:
    """Faults that were injected."""
    from tests.tools import faults as tool

    return _printed(tool.main)


def doctor() -> str:
    """What the doctor says with something taken away."""
    from tests.tools import doctor_without as tool

    return _printed(tool.main)


def _printed(main: Callable[[], object]) -> str:
    out = io.StringIO()
    with redirect_stdout(out):
        main()
    return out.getvalue().strip()


BLOCKS: dict[str, tuple[str, Callable[[], str]]] = {
    "costs": ("measurements.md", costs),
    "model": ("measurements.md", model),
    "behaviours": ("references.md", behaviours),
    "signed": ("traces.md", signed),
    "functions": ("traces.md", functions),
    "lines": ("traces.md", lines),
    "faults": ("threat-model.md", faults),
    "doctor": ("machines.md", doctor),
}
"""Name → the page that has the block, and what writes it."""


def block(name: str, text: str) -> tuple[str, str, str]:
    """A page's text before the block `name`, the block, and the text after it."""
    found = re.search(rf"(.*<!-- {name}: [^\n]*-->\n)(.*?)(<!-- end -->.*)", text, re.DOTALL)
    assert found, f"there is no block {name!r}"
    return found[1], found[2], found[3]


def main(names: list[str]) -> None:
    for name in names or [*BLOCKS, "pictures"]:
        if name == "pictures":
            for file, svg in pictures().items():
                (DOCS / "pictures" / file).write_text(svg, encoding="utf-8")
            continue
        page, write = BLOCKS[name]
        path = DOCS / page
        before, _, after = block(name, path.read_text(encoding="utf-8"))
        path.write_text(f"{before}{write()}\n{after}", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
