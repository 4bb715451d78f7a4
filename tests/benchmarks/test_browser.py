"""From a key press to the changed picture, in JupyterLab on a stock server and on the one of `vmalab lab`.

Beside the widgets stands the usual way, a matplotlib figure in an `Output` that a slider redraws.  Times are those of
the wall, from the time stamp of the trusted event to the first change of the picture in the page, and to the frame that
shows it: compare them within one run only.  Of the messages on the kernel's websocket those are counted that carry a
widget's data: one there and one back for each interaction.  A step that is in the browser already waits for none.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from statistics import median, quantiles
from typing import Any

import pytest
from attrs import define, field

from tests.benchmarks.conftest import Latency, Table
from tests.browser.conftest import ARGS, CHROMIUM
from tests.browser.servers import Lab, environment, free_port, jupyter_lab, serving, vmalab_lab

pytestmark = [pytest.mark.skipif(CHROMIUM is None, reason="no chromium on PATH: apt install chromium")]

SERVERS = {"stock": jupyter_lab, "vmalab lab": vmalab_lab}
ROUNDS, FEWER = 40, 10

SETUP = """
from vmalab import Model, PAGE, page
from vmalab.widgets import CallBuilder, MoveCost, Stepper
vm = Model("6.18")
for n in range({vmas}):
    vm.mmap(page(3 * n), 2 * PAGE, "rw" if n % 2 else "r")
_ = vm.touch(page(3), PAGE)
"""

STEPPER = "Stepper(vm.mremap(page(0), {span} * PAGE, {span} * PAGE, 3, page(9000)))"
BUILDER = 'builder = CallBuilder(vm).set(call="mprotect", addr="3", length="1", prot="r"); builder'
FIGURE = """
import io
import matplotlib.pyplot as plt
from IPython.display import display
from ipywidgets import IntSlider, Output, VBox
slider, out = IntSlider(max=1000), Output()
def draw(_change=None):
    figure, axes = plt.subplots(figsize=(9, 2))
    for n in range({vmas}):
        axes.add_patch(plt.Rectangle((3 * n, slider.value % 7), 2, 1))
        axes.text(3 * n + 1, slider.value % 7 + .5, str(n), ha="center")
    axes.set(xlim=(0, 3 * {vmas}), ylim=(0, 9))
    out.clear_output(wait=True)
    with out:
        display(figure)
    plt.close(figure)
draw()
slider.observe(draw, "value")
VBox([slider, out])
"""

WATCH = """([selector, images]) => {
    const picture = document.querySelector(selector);
    let start;
    window.addEventListener("keydown", (event) => { start = event.timeStamp; }, { capture: true, once: true });
    const drawn = (change) => !images || change.attributeName === "src"
        || [...change.addedNodes].some((node) => node.tagName === "IMG" || node.querySelector?.("img"));
    window.seen = new Promise((resolve, refuse) => {
        setTimeout(() => refuse(new Error("the picture did not change within 30 s")), 30_000);
        new MutationObserver(async (changes, observer) => {
            if (start === undefined || !changes.some(drawn)) return;
            const dom = performance.now() - start;
            observer.disconnect();
            await Promise.all([...picture.querySelectorAll("img")].map((image) => image.decode()));
            requestAnimationFrame(() => {
                const painted = new MessageChannel();
                painted.port1.onmessage = () => resolve([dom, performance.now() - start]);
                painted.port2.postMessage(null);
            });
        }).observe(picture, { subtree: true, childList: true, attributes: true, characterData: true });
    });
}"""


@define(slots=False)  # playwright keeps something of its own on it
class Bench:
    """A page of one server, and what goes over its websockets."""

    name: str
    lab: Lab
    page: Any
    sent: list[int] = field(factory=list)
    received: list[int] = field(factory=list)

    def open(self, *cells: str) -> None:
        """A fresh notebook, all of its cells run."""
        self.lab.shut_down(self.page)
        self.lab.run(self.page, self.lab.write("bench.ipynb", *cells, "1"))

    def listen(self, websocket: Any) -> None:
        def keep(sizes: list[int]) -> Callable[[Any], None]:
            return lambda frame: sizes.append(len(frame)) if _kind(frame) == "comm_msg" else None

        websocket.on("framesent", keep(self.sent))
        websocket.on("framereceived", keep(self.received))

    def press(self, key: str, picture: str, *, images: bool = False) -> tuple[float, float, int, int, int]:
        """Press a key; ms until the picture changes, ms until it is painted, messages there, back, and their bytes."""
        self.sent.clear()
        self.received.clear()
        self.page.evaluate(WATCH, [picture, images])
        self.page.keyboard.press(key)
        dom, painted = self.page.evaluate("window.seen")
        return dom, painted, len(self.sent), len(self.received), sum(self.sent) + sum(self.received)

    def rest(self) -> None:
        """Wait until the page has made all of the player of the call before: a person does not press sooner."""
        self.page.evaluate("() => new Promise((rest) => setTimeout(() => requestIdleCallback(rest), 250))")

    def python(self, code: str) -> None:
        """Run this in the notebook's kernel, and wait for its answer."""
        self.page.evaluate(
            "(code) => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel"
            ".requestExecute({ code }).done.then(() => null)",
            code,
        )


def _kind(frame: str | bytes) -> str:
    """The type of a message: its own header comes first, behind it that of the message it answers."""
    text = frame if isinstance(frame, str) else frame[:2000].decode("latin1")
    found = re.search(r'"msg_type": ?"(\w+)"', text)
    return found[1] if found else ""


@pytest.fixture(scope="module", params=SERVERS)
def bench(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    from playwright.sync_api import sync_playwright

    folder, port = tmp_path_factory.mktemp("notebooks"), free_port()
    command = SERVERS[request.param](folder, port)
    with serving(command, port, environment(tmp_path_factory.mktemp("home"))), sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGS)
        page = chromium.new_page(viewport={"width": 1300, "height": 1100})
        page.set_default_timeout(60_000)
        found = Bench(request.param, Lab(f"http://127.0.0.1:{port}", folder), page)
        page.on("websocket", found.listen)
        yield found
        found.lab.shut_down(page)
        chromium.close()


Pressed = tuple[float, float, int, int, int]


@pytest.fixture
def latency(benchmark: Any, table: Table, bench: Bench) -> Callable[..., None]:
    """Repeat an interaction and put what it took into the table."""

    def measure(
        name: str, press: Callable[[], Pressed], *, aim: float | None = None, rounds: int = ROUNDS, one: bool = True
    ) -> None:
        kept: list[Pressed] = []
        benchmark.pedantic(lambda: kept.append(press()), rounds=rounds, iterations=1, warmup_rounds=0)
        kept = kept[2:]  # the first ones find nothing prepared
        dom, painted, there, back, size = zip(*kept, strict=True)
        table.latencies.append(
            Latency(name, bench.name, median(dom), quantiles(dom, n=20)[-1],
                    median(painted), quantiles(painted, n=20)[-1], max(there), max(back), int(median(size)), aim)
        )  # fmt: skip
        if one:
            assert {1} == set(there), "one message for each interaction"

    return measure


KERNEL = {"stock": 50, "vmalab lab": 35}


@pytest.mark.parametrize("vmas", [64, 512])
def test_a_field_of_the_call_builder(bench: Bench, latency: Callable[..., None], vmas: int) -> None:
    bench.open(SETUP.format(vmas=vmas), BUILDER)
    fields = bench.page.locator(".vml-builder")
    fields.get_by_label("length").press("End")
    length = iter(range(10_000))

    def press() -> Pressed:
        key = "Backspace" if next(length) % 2 else "2"  # 1 page, 12 pages
        return bench.press(key, ".vml-stage")

    latency(f"call builder, a field, {vmas} VMAs", press, aim=KERNEL[bench.name] if vmas == 64 else None)


@pytest.mark.parametrize("vmas", [64, 512])
def test_a_call_of_the_call_builder(bench: Bench, latency: Callable[..., None], vmas: int) -> None:
    bench.open(SETUP.format(vmas=vmas), BUILDER)
    bench.page.locator(".vml-builder").get_by_role("button", name="Run").focus()
    number = iter(range(10_000))

    def press() -> Pressed:
        bench.python(f"builder.set(prot={('r', 'rw')[next(number) % 2]!r})")
        bench.rest()
        return bench.press("Enter", ".vml-stage")

    aim = {64: 25, 512: 50}[vmas] if bench.name == "vmalab lab" else None
    latency(f"call builder, Run, {vmas} VMAs", press, aim=aim, rounds=ROUNDS if vmas == 64 else FEWER)


def test_the_slider_of_move_cost(bench: Bench, latency: Callable[..., None]) -> None:
    bench.open(SETUP.format(vmas=1), "MoveCost()")
    bench.page.get_by_role("slider", name="Size").press("Home")
    number = iter(range(10_000))
    latency(
        "move cost, its slider",
        lambda: bench.press(
            "ArrowRight" if next(number) % 12 < 6 else "ArrowLeft", "[aria-label='Move cost'] .vml-scroll"
        ),
        aim=45,
    )


@pytest.mark.parametrize("vmas", [64, 512])
def test_scrubbing_the_stepper(bench: Bench, latency: Callable[..., None], vmas: int) -> None:
    bench.open(SETUP.format(vmas=vmas), STEPPER.format(span=3 * vmas))
    bench.page.locator(".vml-stepper .vml-time input").press("Home")
    number = iter(range(10_000))
    latency(
        f"stepper, a step, {vmas} VMAs",
        lambda: bench.press("ArrowRight" if next(number) % 8 < 4 else "ArrowLeft", ".vml-stepper"),
        aim=5 if vmas == 64 else None,
        one=False,  # the picture asks nobody; where the slider stands is told later, and may fall into the next step
    )


@pytest.mark.parametrize("vmas", [64, 512])
def test_a_figure_in_an_output(bench: Bench, latency: Callable[..., None], vmas: int) -> None:
    bench.open(FIGURE.format(vmas=vmas))
    bench.page.locator(".noUi-handle").focus()
    latency(
        f"a matplotlib figure, its slider, {vmas} boxes",
        lambda: bench.press("ArrowRight", ".widget-output", images=True),
        rounds=FEWER if vmas == 64 else 5,
        one=False,
    )
