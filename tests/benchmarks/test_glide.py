"""Frames a second while the call builder's VMAs glide to where a call has moved them, in a page of its own.

What counts are the frames while something is on its way; compare within one machine only, and
only while nothing else runs on it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.benchmarks.conftest import Table
from tests.browser.conftest import ARGS, CHROMIUM
from tests.browser.hosted import open_widget, traits_of
from vmalab.linux.addr import PAGE, page
from vmalab.machines.model import Model
from vmalab.widgets import CallBuilder

pytestmark = [pytest.mark.skipif(CHROMIUM is None, reason="no chromium on PATH: apt install chromium")]

AIMS = {5: 50, 64: 50, 512: 25}
"""VMAs that glide → frames a second that they should."""

GLIDE = """(traits) => new Promise((done) => {
    const svg = document.querySelector('.vml-stage svg');
    const gliding = () => svg.classList.contains('vml-many') || document.getAnimations().length > 0;
    let [begun, last, frames] = [0, 0, 0];
    const frame = (now) => {
        if (gliding()) {
            begun ||= now;
            last = now;
            frames += 1;
        } else if (begun) return done([frames - 1, last - begun]);
        requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
    window.model.receive(traits);
})"""


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGS)
        yield found
        found.close()


@pytest.mark.parametrize("vmas", AIMS)
def test_vmas_glide(chromium: Any, benchmark: Any, table: Table, tmp_path: Any, vmas: int) -> None:
    model = Model("6.18")
    for number in range(vmas):
        model.mmap(page(3 * number), 2 * PAGE, "rw" if number % 2 else "r")
    span = str(3 * vmas - 1)
    widget = CallBuilder(model).set(
        addr="0", old_len=span, new_len=span, flags="maymove fixed", new_addr=str(3 * vmas + 8)
    )
    shown = open_widget(widget, chromium.new_page, tmp_path, viewport={"width": 1300, "height": 1000})
    shown.wait_for_function("document.querySelectorAll('.vml-stage [role=img]').length > 0")
    widget.run()
    kept: list[Any] = []
    benchmark.pedantic(lambda: kept.append(shown.evaluate(GLIDE, traits_of(widget))), rounds=1, iterations=1)
    ((frames, took),) = kept
    rate = 1000 * frames / took
    shown.close()
    # the table holds a figure against the most that it should be: frames wanted for each that there is
    table.add(f"a glide of {vmas} VMAs", f"{rate:.0f} frames/s", f"{AIMS[vmas]} frames/s", AIMS[vmas] / rate, 1.0)
    assert frames > 0
