"""Waits for a page to come to rest: what is looked at while it fades or slides is in between two states."""

from __future__ import annotations

from typing import Any

REST = """async () => {
  await document.fonts.ready;
  const frame = () => new Promise(requestAnimationFrame);
  // neither one that never ends, nor one that has ended and keeps its last state
  const running = () => document.getAnimations().filter(
    (one) => one.playState === "running" && one.effect?.getComputedTiming().endTime !== Infinity);
  // an animation that ends, or is cancelled, may start another one: two frames at rest are the end
  for (let still = 0; still < 2; still = running().length ? 0 : still + 1) {
    await Promise.allSettled(running().map((one) => one.finished));
    await frame();
  }
}"""


def settled(page: Any) -> Any:
    """`page`, once its fonts are loaded and no transition or animation that ends is under way."""
    page.evaluate(REST)
    return page


def unmoving(locator: Any) -> None:
    """Waits until an element is where it was two frames ago: what was above it has its height by then."""
    locator.evaluate(
        """async (element) => {
          const place = () => JSON.stringify(element.getBoundingClientRect());
          const frame = () => new Promise(requestAnimationFrame);
          for (let still = 0, last = place(); still < 5; last = place()) {
            await frame();
            still = place() === last ? still + 1 : 0;
          }
        }"""
    )
