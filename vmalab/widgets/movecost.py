"""Move cost: how size, alignment and what is present decide which page-table entries a move touches, and its time."""

from __future__ import annotations

from html import escape
from typing import Any

import traitlets

from vmalab.errors import UsageError
from vmalab.machines.measure import recorded
from vmalab.machines.measure.price import MOST_PAGES, PRESENT, Price, price
from vmalab.pictures.card import card
from vmalab.pictures.frames import as_json, packed
from vmalab.pictures.svgcosts import bars, chart
from vmalab.pictures.svggrid import grid
from vmalab.widgets.base import Widget
from vmalab.words.costing import source, words
from vmalab.words.wording import word

SIZES = tuple(1 << n for n in range(MOST_PAGES.bit_length()))
"""The sizes of the slider, in pages; any other can be typed."""

PLACES = (
    (0, "at a 1 GiB boundary"),
    (512, "2 MiB after one"),
    (1, "a page after one"),
    (513, "2 MiB and a page after one"),
)
"""Where source and destination may begin, in pages after a 1 GiB boundary."""

ASKED = ("pages", "source", "target", "present")


class MoveCost(Widget):
    """What moving one VMA costs, by size, alignment and what is present.

    >>> cost = MoveCost(pages=2048)
    >>> cost.price.entries.pmd, cost.price.entries.pte
    (4, 0)
    >>> cost.target = 1
    >>> cost.price.entries.pmd, cost.price.entries.pte
    (0, 2048)

    `pages`: the size.  `source`, `target`: how many pages after a 1 GiB boundary the move begins and ends.
    `present`: `"all"`, `"huge"` (in huge pages), `"sparse"` (a page in each 2 MiB) or `"none"`.  The model counts the
    entries; the times are those of the cost model fitted to the measurements in `data/measurements`, which are shown
    beside it.  A value out of range raises UsageError, and the widget stays as it was.
    """

    scripts = ("unpack.js", "player.js", "movecost.js")
    render = "renderMoveCost"

    state = traitlets.Unicode().tag(sync=True)
    ready = traitlets.Unicode().tag(sync=True)
    """What each of `SIZES` shows, packed: the slider waits for nobody."""
    pages = traitlets.Int(512)
    source = traitlets.Int(0)
    target = traitlets.Int(0)
    present = traitlets.Unicode("all")

    def __init__(self, pages: int = 512, source: int = 0, target: int = 0, present: str = "all") -> None:
        self.price = price(pages, source, target, present)
        self.results = recorded()
        self.problem = ""
        self._ready_for: list[Any] = []
        super().__init__(pages=pages, source=source, target=target, present=present)
        self.observe(lambda _change: self._show(), names=list(ASKED))
        self.on_msg(self._heard)
        self._show()

    @traitlets.validate(*ASKED)
    def _priced(self, proposal: Any) -> Any:
        # a value that has no price is refused before anything changes
        price(**{**self._asked(), proposal["trait"].name: proposal["value"]})
        return proposal["value"]

    def _asked(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in ASKED}

    # --- the browser ---

    def _heard(self, _widget: object, content: Any, _buffers: object) -> None:
        if not isinstance(content, dict) or content.get("do") != "set" or content.get("name") not in ASKED:
            return
        self.problem = ""
        name, value = content["name"], str(content.get("value"))
        with self.hold_sync():  # one message
            try:
                setattr(self, name, value if name == "present" else int(value))
            except UsageError as error:
                self.problem = f"{str(error)[0].upper()}{str(error)[1:]}."
            except ValueError:
                self.problem = f"“{value}” is not a whole number."
            self._show(content.get("n", 0))

    def _show(self, n: Any = 0) -> None:
        asked = self._asked()
        self.price = price(**asked)
        with self.hold_sync():
            self.state = as_json({
                **asked, "sizes": SIZES, "places": PLACES,
                "kinds": [[kind, word("cost_present", kind)] for kind in PRESENT],
                **self._shown(self.price), "origin": source(self.results, self.price.costs),
                "problem": self.problem, "n": n,
            })  # fmt: skip
            ready_for = [asked[name] for name in ASKED[1:]]
            if ready_for != self._ready_for:
                self._ready_for = ready_for
                self.ready = packed([self._shown(price(size, *ready_for)) for size in SIZES], 1)

    def _shown(self, priced: Price) -> dict[str, str]:
        return {
            "words": words(priced),
            "grid": grid(priced),
            "bars": bars(priced),
            "chart": chart(self.results, priced),
        }

    def summary(self) -> str:
        counted = self.price.entries
        return (
            f"{self.pages} pages, {word('cost_present', self.present)} present, "
            f"from {self.source} to {self.target} pages after 1 GiB: "
            f"{counted.pte} PTE, {counted.pmd} PMD, {counted.pud} PUD"
        )

    def still_html(self) -> str:
        shown = "".join(
            f'<div class="vml-scroll">{one}</div>'
            for one in (grid(self.price), bars(self.price), chart(self.results, self.price))
        )
        origin = source(self.results, self.price.costs)
        return card(f"<p>{escape(words(self.price))}</p>{shown}<p>{escape(origin)}</p>", what="what a move costs")
