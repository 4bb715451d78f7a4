"""Jupyter servers for tests: each in folders of its own, with a configuration of its own, until the test is over."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nbformat

from tests.patience import PATIENCE

ROOT = Path(__file__).parents[2]
OPEN = ["--ip=127.0.0.1", "--IdentityProvider.token=", "--ServerApp.password=", "--expose-app-in-browser"]
"""Anybody on this machine may come in, and the page shows its `window.jupyterapp`."""


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def environment(home: Path) -> dict[str, str]:
    """The environment of a server that nobody's own configuration takes part in; `home` is made."""
    (home / "labconfig").mkdir(parents=True, exist_ok=True)
    off = {"disabledExtensions": {"@jupyterlab/apputils-extension:announcements": True}}
    (home / "labconfig" / "page_config.json").write_text(json.dumps(off))
    return {
        **os.environ,
        "JUPYTER_CONFIG_DIR": str(home), "JUPYTER_DATA_DIR": str(home / "data"), "IPYTHONDIR": str(home / "ipython"),
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"), "HOME": str(home), "JUPYTER_PLATFORM_DIRS": "1",
        "PYTHONPATH": os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH")))),
    }  # fmt: skip


def jupyter_lab(folder: Path, port: int) -> list[str]:
    """The command of a stock JupyterLab."""
    return [sys.executable, "-m", "jupyter", "lab", str(folder), "--no-browser", f"--port={port}",
            "--ServerApp.port_retries=0", "--allow-root", *OPEN]  # fmt: skip


def vmalab_lab(folder: Path, port: int, *more: str) -> list[str]:
    """The command of a JupyterLab as `vmalab lab` starts it; the lessons are copied to `folder`."""
    return [sys.executable, "-m", "vmalab", "lab", str(folder), "--no-browser", f"--port={port}", "--", *OPEN, *more]


@contextmanager
def serving(command: Sequence[str], port: int, env: dict[str, str]) -> Iterator[list[str]]:
    """A server that listens on `port` of this machine; what it has said so far is in the list."""
    server = subprocess.Popen(command, env=env, stderr=subprocess.PIPE, text=True)
    said: list[str] = []
    try:
        assert _listens(server, port, said), f"{' '.join(command)} did not start:\n{''.join(said)}"
        yield said
    finally:
        server.terminate()
        server.wait(timeout=PATIENCE)


def _listens(server: subprocess.Popen[str], port: int, said: list[str]) -> bool:
    """Read what the server says, to its end, so that its pipe never fills; whether it comes to listen."""
    ended = threading.Event()

    def read() -> None:
        assert server.stderr is not None
        for line in server.stderr:
            said.append(line)
        ended.set()

    threading.Thread(target=read, daemon=True).start()
    for _ in range(PATIENCE * 10):  # a server says that it runs before it listens, so it is asked
        with socket.socket() as asked:
            if not asked.connect_ex(("127.0.0.1", port)):
                return True
        if ended.wait(0.1):
            return False
    return False


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

    def run(self, page: Any, name: str, at: str = "lab/tree") -> None:
        """Open a notebook and run all its cells; returns when the last one has run."""
        page.goto(f"{self.url}/{at}/{name}?reset")
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
        cookies = {one["name"]: one["value"] for one in page.context.cookies(self.url)}
        for session in page.request.get(f"{self.url}/api/sessions").json():
            ended = page.request.delete(
                f"{self.url}/api/sessions/{session['id']}", headers={"X-XSRFToken": cookies["_xsrf"]}
            )
            assert ended.status in (204, 404), ended.text()
