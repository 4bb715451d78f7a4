"""A real Chromium and a real JupyterLab for the browser tests.

The server runs in a folder of its own with a configuration of its own; a test opens a notebook made for it.
Screenshots go to the folder VMALAB_SCREENSHOTS, or to a temporary one: they are kept for people to look at and never
compared.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest

ROOT = Path(__file__).parents[2]
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
ARGS = (
    "--no-sandbox --headless=new --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --disable-dev-shm-usage"
).split()
START = 90
"""Seconds that JupyterLab may take to start; a kernel and a page are waited for by playwright's own timeout."""


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
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGS)
        yield chromium
        chromium.close()


@pytest.fixture
def open_page(browser: Any) -> Iterator[Callable[..., Any]]:
    """A fresh page; any error that its scripts raise fails the test."""
    contexts, errors = [], []

    def make(width: int = 1200, height: int = 900, **options: Any) -> Any:
        context = browser.new_context(viewport={"width": width, "height": height}, **options)
        context.set_default_timeout(60_000)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
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
        what.screenshot(path=str(folder / f"{name}.png"))

    return shoot


class Lab:
    """A running JupyterLab."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url, self.folder = url, folder

    def write(self, name: str, *cells: str) -> str:
        """A notebook with these code cells."""
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
        notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
        nbformat.write(notebook, self.folder / name)
        return name

    def run(self, page: Any, name: str) -> None:
        """Open a notebook and run all its cells; returns when the last one has run."""
        page.goto(f"{self.url}/lab/tree/{name}?reset")
        page.wait_for_function(
            "() => window.jupyterapp?.shell.currentWidget?.context?.isReady"
            " && window.jupyterapp.shell.currentWidget.sessionContext.session?.kernel?.status === 'idle'"
        )
        page.evaluate("window.jupyterapp.commands.execute('notebook:run-all-cells')")
        page.wait_for_function(
            "() => window.jupyterapp.shell.currentWidget.content.widgets"
            ".every((cell) => cell.model.type !== 'code' || cell.model.executionCount)"
        )

    def shut_down(self, page: Any) -> None:
        """End the kernels: a kernel outlives its page, and the next test would see its modules."""
        for session in page.request.get(f"{self.url}/api/sessions").json():
            page.request.delete(f"{self.url}/api/sessions/{session['id']}")


@pytest.fixture(scope="session")
def lab_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    folder, home = tmp_path_factory.mktemp("notebooks"), tmp_path_factory.mktemp("home")
    (home / "labconfig").mkdir()
    off = {"disabledExtensions": {"@jupyterlab/apputils-extension:announcements": True}}
    (home / "labconfig" / "page_config.json").write_text(json.dumps(off))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    env = {
        **os.environ,
        "JUPYTER_CONFIG_DIR": str(home), "JUPYTER_DATA_DIR": str(home / "data"), "IPYTHONDIR": str(home / "ipython"),
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"), "HOME": str(home), "JUPYTER_PLATFORM_DIRS": "1",
        "PYTHONPATH": os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH")))),
    }  # fmt: skip
    command = [
        sys.executable, "-m", "jupyter", "lab", str(folder), "--no-browser", "--ip=127.0.0.1", f"--port={port}",
        "--ServerApp.port_retries=0", "--allow-root", "--IdentityProvider.token=", "--ServerApp.password=",
        "--expose-app-in-browser",
    ]  # fmt: skip
    server = subprocess.Popen(command, env=env, stderr=subprocess.PIPE, text=True)
    try:
        said = _until_running(server)
        assert server.poll() is None, f"JupyterLab did not start:\n{said}"
        yield Lab(f"http://127.0.0.1:{port}", folder)
    finally:
        server.terminate()
        server.wait(timeout=30)


def _until_running(server: subprocess.Popen[str]) -> str:
    """Read what the server says until it runs or ends; afterwards go on reading, so that its pipe never fills."""
    said: list[str] = []
    ready = threading.Event()

    def listen() -> None:
        assert server.stderr is not None
        for line in server.stderr:
            said.append(line)
            if "is running at" in line:
                ready.set()
        ready.set()

    threading.Thread(target=listen, daemon=True).start()
    ready.wait(START)
    return "".join(said)


@pytest.fixture
def lab(lab_server: Lab, open_page: Callable[..., Any]) -> Iterator[tuple[Lab, Any]]:
    """JupyterLab and a page to open it in; its kernels are ended afterwards."""
    page = open_page()
    yield lab_server, page
    lab_server.shut_down(page)
