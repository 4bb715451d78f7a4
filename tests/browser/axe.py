"""axe-core on a page: no violation of WCAG 2.1, level A or AA.  It comes with a package and needs no network.

axe can't decide the contrast of words in an SVG (they may lie over anything), of a single sign, or of a line that is
half scrolled away.  For those `tests/test_theme.py` holds every ink against every ground that it is drawn on.
"""

from __future__ import annotations

from typing import Any

from tests.browser.settled import settled

LEVELS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]


def violations(page: Any, context: str | None = None) -> list[str]:
    """What axe finds, or can't decide, on the page or in what `context` selects: rule, what it asks, and where."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(settled(page), context=context, options={"runOnly": {"type": "tag", "values": LEVELS}}).response
    assert len(found["passes"]) > 5, "axe looked at nothing"
    return [
        f"{one['id']}: {one['help']}: {node['html'][:200]}"
        for one in (*found["violations"], *found["incomplete"])
        for node in one["nodes"]
        if one in found["violations"] or one["id"] != "color-contrast"
    ]
