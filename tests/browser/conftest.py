"""A real Chromium and a real JupyterLab for the browser tests.

The server (tests/browser/servers.py) runs in a folder of its own; a test opens a notebook made for it.
Screenshots go to the folder VMALAB_SCREENSHOTS, or to a temporary one: they are kept for people to look at and never
compared.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.servers import Lab, environment, free_port, jupyter_lab, serving
from tests.browser.settled import settled
from tests.patience import PATIENCE

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
ARGS = (
    "--no-sandbox --headless=new --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --disable-dev-shm-usage"
).split()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Every test of this folder is a browser test, and is skipped where there is no browser."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)
            if CHROMIUM is None:
                item.add_marker(pytest.mark.skip(reason="no chromium on PATH: apt install chromium"))


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    # not for the whole session: playwright keeps an event loop running, in which other tests could not start one
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=PATIENCE * 1000)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGS)
        yield chromium
        chromium.close()


@pytest.fixture
def open_page(browser: Any) -> Iterator[Callable[..., Any]]:
    """A fresh page; any error that its scripts raise fails the test (`of`: only those of scripts of such addresses)."""
    contexts, errors = [], []

    def make(width: int = 1200, height: int = 900, of: str = "", **options: Any) -> Any:
        context = browser.new_context(viewport={"width": width, "height": height}, **options)
        context.set_default_timeout(PATIENCE * 1000)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)) if of in (error.stack or "") else None)
        return page

    yield make
    for context in contexts:
        context.close()
    assert not errors, errors


@pytest.fixture(scope="session")
def shots(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Any, str], None]:
    """Keep a picture of a page or of an element for people to look at."""
    folder = Path(os.environ.get("VMALAB_SCREENSHOTS") or tmp_path_factory.mktemp("screenshots"))
    folder.mkdir(parents=True, exist_ok=True)

    def shoot(what: Any, name: str) -> None:
        settled(getattr(what, "page", what))
        what.screenshot(path=str(folder / f"{name}.png"))

    return shoot


@pytest.fixture(scope="session")
def lab_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    folder, port = tmp_path_factory.mktemp("notebooks"), free_port()
    with serving(jupyter_lab(folder, port), port, environment(tmp_path_factory.mktemp("home"))):
        yield Lab(f"http://127.0.0.1:{port}", folder)


@pytest.fixture
def lab(lab_server: Lab, open_page: Callable[..., Any]) -> Iterator[tuple[Lab, Any]]:
    """JupyterLab and a page to open it in; its kernels are ended afterwards."""
    page = open_page()
    yield lab_server, page
    lab_server.shut_down(page)
