"""An extension of jupyter_server that sends what a kernel says at once.

jupyter_server leaves Nagle's algorithm on for a kernel's websocket: the second of two short messages waits until the
browser has acknowledged the first, which it delays by up to 40 ms.  A widget that asks its kernel, such as the call
builder, then stutters.  With TCP_NODELAY nothing waits.

`vmalab lab` switches it on by the configuration in `CONFIG`; `jupyter server extension enable vmalab.cli.nodelay`
does it for every server of an environment, a JupyterHub's for one.  Nothing of Jupyter is imported here.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

CONFIG = Path(__file__).parent
"""A folder for JUPYTER_CONFIG_PATH: a server that finds it there loads this extension and leaves out nbgrader's, and
its JupyterLab takes the settings in `labconfig`."""

SETTING = "kernel_websocket_connection_class"
"""Where jupyter_server (2.0 and later) keeps the class that carries messages between a kernel and its websocket."""


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": __name__}]


def _load_jupyter_server_extension(server: Any) -> None:
    """Have every connection to a kernel set TCP_NODELAY, whatever class carries it (a gateway's too)."""
    settings = server.web_app.settings
    carrier = settings.get(SETTING)
    if not (isinstance(carrier, type) and hasattr(carrier, "connect")):
        server.log.warning(
            "vmalab: this jupyter_server offers no way to set TCP_NODELAY on a kernel's websocket. "
            "All works, but a widget's answer may come 40 ms later."
        )
        return

    class Prompt(carrier):  # type: ignore[misc, valid-type]
        """The server's own class; called once the websocket is open."""

        def connect(self) -> Any:
            self.websocket_handler.set_nodelay(True)
            return super().connect()

    settings[SETTING] = Prompt
