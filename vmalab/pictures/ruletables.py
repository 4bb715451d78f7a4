"""Tables of the model's rules, printed from the rules themselves: behaviours, order of checks, what is left out.

Each returns a pandas DataFrame, which is loaded only here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from vmalab.linux.mm.mremap_checks import AFTER_LOOKUP, BEFORE_LOOKUP
from vmalab.linux.profile import MEASURED, behaviours, profile
from vmalab.linux.scope import NOT_MODELLED

if TYPE_CHECKING:
    from pandas import DataFrame


def behaviours_table(*releases: str, bugs: bool | None = None) -> DataFrame:
    """Every named behaviour and where it holds: a row each, and a column for each of `releases`.

    Without `releases`: all that were measured, and v3.  `bugs`: only what the kernel people call faults (True), or
    all but those (False).
    """
    import pandas

    profiles = [profile(release) for release in releases or (*MEASURED, "v3")]
    rows = [
        {
            "behaviour": one.name,
            "what it means": one.meaning,
            **{held.release: "yes" if getattr(held, one.name) else "" for held in profiles},
            "bug": "bug" if one.bug else "",
            "how to see it": one.see,
            "commit": one.commit,
        }
        for one in behaviours()
        if bugs is None or one.bug == bugs
    ]
    return pandas.DataFrame(rows).set_index("behaviour")


def differing_behaviours(a: str, b: str) -> DataFrame:
    """The behaviours in which two releases differ.

    >>> list(differing_behaviours("6.16", "v3").index)[:2]
    ['order_of_6_15', 'order_of_6_17']
    """
    table = behaviours_table(a, b)
    return table[table[a] != table[b]]


def checks_table() -> DataFrame:
    """The order in which mremap(2) checks its arguments, a column for each group of releases."""
    import pandas

    columns = {
        releases: [*map(_plain, BEFORE_LOOKUP[releases]), "— the VMA at addr is looked up —",
                   *map(_plain, AFTER_LOOKUP[releases]), "— check_prep_vma —"]
        for releases in BEFORE_LOOKUP
    }  # fmt: skip
    longest = max(map(len, columns.values()))
    padded = {name: [*checks, *[""] * (longest - len(checks))] for name, checks in columns.items()}
    table = pandas.DataFrame(padded)
    table.index = pandas.RangeIndex(1, longest + 1, name="check")
    return table


def _plain(check: object) -> str:
    name: str = getattr(check, "__name__", "")
    return name.strip("_").replace("_", " ")


def scope_table(names: Sequence[str] = tuple(NOT_MODELLED)) -> DataFrame:
    """What the model leaves out, and why."""
    import pandas

    return pandas.DataFrame(
        {"why": [NOT_MODELLED[name] for name in names]}, index=pandas.Index(names, name="not modelled")
    )
