"""A widget's model where there is no Jupyter: its traits and messages go to whoever listens (`page.py`).

It stands in for `anywidget.AnyWidget` and has what the widgets here use of it, so that they are the same files in both
places.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import traitlets

Hear = Callable[[dict[str, Any]], None]
"""Takes what a widget has to say: `{"changes": {trait: value}}`, or `{"custom": content}`."""


class InPage(traitlets.HasTraits):
    """Traits that are told to `hear`, as soon as there is somebody."""

    hear: Hear | None = None

    def __init__(self, **traits: Any) -> None:
        self._messages: list[Callable[..., None]] = []
        self._changed: set[str] = set()
        self._held = 0
        # the view's module and styles (`_esm`, `_css`) are in the page already
        super().__init__(**{name: value for name, value in traits.items() if not name.startswith("_")})

    @property
    def keys(self) -> list[str]:
        """The names of the traits that the view knows."""
        return sorted(self.trait_names(sync=True))

    def values(self) -> dict[str, Any]:
        """What the view shows: the traits that it knows, by name."""
        return {name: getattr(self, name) for name in self.keys}

    def on_msg(self, callback: Callable[..., None]) -> None:
        """Have `callback` called with the widget, the content and None for each message of the view."""
        self._messages.append(callback)

    def send(self, content: Any) -> None:
        """A message to the view."""
        if self.hear is not None:
            self.hear({"custom": content})

    def _handle_custom_msg(self, content: Any, buffers: Any) -> None:
        for callback in self._messages:
            callback(self, content, buffers)

    @contextmanager
    def hold_sync(self) -> Iterator[None]:
        """What changes inside of it is told at the end, at once."""
        self._held += 1
        try:
            yield
        finally:
            self._held -= 1
            self._tell()

    def notify_change(self, change: Any) -> None:
        """A trait has another value: what traitlets calls."""
        super().notify_change(change)
        if self.hear is not None and self.trait_metadata(change["name"], "sync"):
            self._changed.add(change["name"])
            self._tell()

    def _tell(self) -> None:
        if self._held or not self._changed or self.hear is None:
            return
        changes = {name: getattr(self, name) for name in sorted(self._changed)}
        self._changed.clear()
        self.hear({"changes": changes})
