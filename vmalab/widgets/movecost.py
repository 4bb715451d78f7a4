"""Move cost: how size, alignment and what is present decide which page-table entries a move touches, and its time."""

from __future__ import annotations

from html import escape
from typing import Any

import traitlets

from vmalab.display import card
from vmalab.errors import UsageError
from vmalab.frames import as_json
from vmalab.measure import recorded
from vmalab.measure.costs import WORDS
from vmalab.measure.price import MOST_PAGES, PRESENT, Price, duration, price
from vmalab.svgparts import escape as quoted
from vmalab.widgets.base import Widget

SIZES = tuple(1 << n for n in range(MOST_PAGES.bit_length()))
"""The sizes of the slider, in pages; any other can be typed."""

PLACES = (
    (0, "at a 1 GiB boundary"),
    (512, "2 MiB behind it"),
    (1, "a page behind it"),
    (513, "2 MiB and a page behind it"),
)
"""Where source and destination may begin, in pages behind a 1 GiB boundary."""

WIDTH, LINE, LEFT = 720, 30, 250


class MoveCost(Widget):
    """What moving one VMA costs, by size, alignment and what is present.

    >>> cost = MoveCost(pages=2048)
    >>> cost.price.entries.pmd, cost.price.entries.pte
    (4, 0)
    >>> cost.target = 1
    >>> cost.price.entries.pmd, cost.price.entries.pte
    (0, 2048)

    `pages`: the size.  `source`, `target`: how many pages behind a 1 GiB boundary the move begins and ends.
    `present`: `"all"`, `"sparse"` (a page in each 2 MiB) or `"none"`.  The model counts the entries; the times are
    those of the cost model fitted to the measurements in `data/measurements`.
    """

    scripts = ("player.js", "movecost.js")
    render = "renderMoveCost"

    state = traitlets.Unicode().tag(sync=True)
    pages = traitlets.Int(512)
    source = traitlets.Int(0)
    target = traitlets.Int(0)
    present = traitlets.Unicode("all")

    def __init__(self, pages: int = 512, source: int = 0, target: int = 0, present: str = "all") -> None:
        self.price = price(pages, source, target, present)
        self.problem = ""
        super().__init__(pages=pages, source=source, target=target, present=present)
        self.state = as_json(self._state(0))
        self.observe(lambda _change: self._show(), names=["pages", "source", "target", "present"])
        self.on_msg(self._heard)

    @traitlets.validate("pages", "source", "target", "present")
    def _priced(self, proposal: Any) -> Any:
        asked = {name: getattr(self, name) for name in ("pages", "source", "target", "present")}
        self.price = price(**{**asked, proposal["trait"].name: proposal["value"]})
        return proposal["value"]

    # --- the browser ---

    def _heard(self, _widget: object, content: Any, _buffers: object) -> None:
        if not isinstance(content, dict) or content.get("do") != "set":
            return
        self.problem = ""
        name, value = content.get("name"), content.get("value")
        with self.hold_sync():
            try:
                if name in ("pages", "source", "target"):
                    setattr(self, name, int(str(value)))
                elif name == "present":
                    self.present = str(value)
            except UsageError as error:
                self.problem = f"{str(error)[0].upper()}{str(error)[1:]}."
            except ValueError:
                self.problem = f"“{value}” is not a whole number."
            self._show(content.get("n", 0))

    def _state(self, n: Any) -> dict[str, Any]:
        return {
            "pages": self.pages, "source": self.source, "target": self.target, "present": self.present,
            "sizes": SIZES, "places": PLACES, "kinds": list(PRESENT.items()), "problem": self.problem,
            "picture": bars(self.price), "words": self.price.words(), "n": n,
        }  # fmt: skip

    def _show(self, n: Any = 0) -> None:
        self.state = as_json(self._state(n))

    def summary(self) -> str:
        counted = self.price.entries
        return (
            f"{self.pages} pages, {PRESENT[self.present]} present, "
            f"from {self.source} to {self.target} pages behind 1 GiB: "
            f"{counted.pte} PTE, {counted.pmd} PMD, {counted.pud} PUD"
        )

    def still_html(self) -> str:
        return card(f"{bars(self.price)}<p>{escape(self.price.words())}</p>{_source()}", True)


def bars(shown: Price) -> str:
    """A bar for each part of the price, as SVG with its words.  One scale: the whole width is the whole time."""
    shares = shown.shares()
    height = LINE * len(shares) + 34
    room = WIDTH - LEFT - 150
    whole = max(shown.ns, 1.0)
    lines = []
    for number, (term, count, ns) in enumerate(shares):
        y = 30 + number * LINE
        width = max(round(room * ns / whole), 1)
        said = f"{count} × {duration(shown.costs.cost[term])} = {duration(ns)}" if count > 1 else duration(ns)
        lines.append(
            f'<text class="h" x="4" y="{y + 15}">{quoted(WORDS[term])}</text>'
            f'<rect class="p" x="{LEFT}" y="{y + 3}" width="{width}" height="16"/>'
            f'<text class="q" x="{LEFT + width + 6}" y="{y + 15}">{quoted(said)}</text>'
        )
    title = f"about {duration(shown.ns)} for {shown.pages} pages"
    return (
        f'<svg class="vml-pic" viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{quoted(shown.words())}">'
        f'<g class="rw"><text class="n" x="4" y="18" style="text-anchor:start">{quoted(title)}</text>'
        f"{''.join(lines)}</g></svg>"
    )


def _source() -> str:
    where = recorded().provenance
    return f"<p>Times are fitted to measurements on Linux {escape(where['kernel'])}, {escape(where['processor'])}.</p>"
