"""A page of 100,000 calls and some 5,000 VMAs: how large it is, how long it takes to make, to open, and to scrub."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import pytest

from tests.benchmarks.conftest import Latency, Table
from tests.browser.conftest import ARGS, CHROMIUM
from vmalab.widgets import Program

pytestmark = [pytest.mark.skipif(CHROMIUM is None, reason="no chromium on PATH: apt install chromium")]

CALLS, MAPPINGS = 100_000, 2_800
FRAME = 1000 / 60
AT = 0x7F0000000000

START = """\
10 execve("/bin/x", ["x"], 0x7ffe5b4a3210 /* 35 vars */) = 0
# maps 10 after execve
# 00400000-00401000 r-xp 00000000 fe:00 12 /bin/x
# 7ffe00000000-7ffe00021000 rw-p 00000000 00:00 0 [stack]
# end
"""

SCRUB = """async (to) => {
    const slider = document.querySelector("input[type=range]");
    const start = performance.now();
    slider.value = to;
    slider.dispatchEvent(new Event("input", { bubbles: true }));
    const dom = performance.now() - start;
    await new Promise((done) => requestAnimationFrame(() => {
        const painted = new MessageChannel();
        painted.port1.onmessage = done;
        painted.port2.postMessage(null);
    }));
    return [dom, performance.now() - start];
}"""
"""What a pull at the slider does: ms until the page is changed, and until that is painted."""


def long_log(calls: int, mappings: int) -> Iterator[str]:
    """A program that maps, cuts and unmaps at random."""
    yield START
    dice, there, free = random.Random(7), [], list(range(mappings))
    dice.shuffle(free)
    for _ in range(calls):
        what = dice.random()
        if free and (what < 0.6 or not there):
            there.append(free.pop())
            more = "PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0"
            yield f"10 mmap(NULL, 16384, {more}) = {AT + there[-1] * 0x10000:#x}\n"
        elif what < 0.8:
            prot = dice.choice(("PROT_READ", "PROT_READ|PROT_WRITE"))
            yield f"10 mprotect({AT + dice.choice(there) * 0x10000 + 4096:#x}, 4096, {prot}) = 0\n"
        else:
            gone = there.pop(dice.randrange(len(there)))
            free.insert(0, gone)
            yield f"10 munmap({AT + gone * 0x10000:#x}, 16384) = 0\n"


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("page")
    (folder / "long.strace").write_text("".join(long_log(CALLS, MAPPINGS)))
    shown = Program(folder / "long.strace")
    assert CALLS == shown.last
    assert 5_000 <= max(shown.line.counts)
    return shown.to_html(folder / "long.html")


def test_size_opening_and_scrubbing(page: Path, table: Table, benchmark: Any) -> None:
    from playwright.sync_api import sync_playwright

    size = page.stat().st_size / 1e6
    table.add("page of 100,000 calls, MB", f"{size:.2f}", "10", size / 10, 1)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGS)
        shown = chromium.new_page(viewport={"width": 1300, "height": 1000})
        shown.goto(page.as_uri())
        shown.wait_for_selector(".vml-curve")
        opened = shown.evaluate("() => new Promise((done) => requestAnimationFrame(() => done(performance.now())))")
        table.add("page of 100,000 calls, ms to open", f"{opened:.0f}", "2000", opened / 2000, 1)
        dice = random.Random(1)
        for name, places in (
            ("scrubbing 100,000 calls, anywhere", [dice.randrange(CALLS) for _ in range(60)]),
            ("scrubbing 100,000 calls, to the next", list(range(CALLS // 2, CALLS // 2 + 60))),
        ):
            dom, painted = zip(*(shown.evaluate(SCRUB, place) for place in places), strict=True)
            table.latencies.append(
                Latency(name, "page", median(dom), quantiles(dom, n=20)[-1], median(painted),
                        quantiles(painted, n=20)[-1], 0, 0, 0, FRAME)
            )  # fmt: skip
        place = iter(range(1_000, 2_000))
        benchmark.pedantic(lambda: shown.evaluate(SCRUB, next(place)), rounds=20, iterations=1)
        chromium.close()
