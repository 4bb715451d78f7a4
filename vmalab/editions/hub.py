"""The hub edition: what a JupyterHub needs to carry a class, as files to look at, to change and to run.

    Dockerfile                  the image of a student's server, and with `--target lecturer` the one that grades
    jupyter_server_config.py    for every server, wherever it runs: lessons brought up to date, idle kernels ended
    jupyterhub_config.py        a hub on one machine: sign-in from an LMS by LTI 1.3, idle servers ended, limits
    values.yaml                 a hub on Kubernetes, by the chart of Zero to JupyterHub
    README.md                   how each of these is used, The Littlest JupyterHub, and what was measured

The files lie in `static/hub/`; of them only the version is filled in.  What is handed on there and is no module of ours
ends in `.py.txt`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from vmalab import __version__

if TYPE_CHECKING:
    from vmalab.editions import Order

SOURCE = Path(__file__).parent / "static" / "hub"


def make(order: Order, folder: Path) -> None:
    """Write the files into `folder`."""
    for path in sorted(SOURCE.iterdir()):
        if path.is_file():
            text = path.read_text(encoding="utf-8").replace("@VERSION@", __version__)
            (folder / path.name.removesuffix(".txt")).write_text(text, encoding="utf-8")
