"""`Host`: everything that the doctor asks this machine, in one place, read and never changed.

Tests put another `Host` in its place, so every machine that a student may have can be had here: macOS, Windows, a
container, an old kernel.  What the answers mean is said in `findings.py`.
"""

from __future__ import annotations

import os
import platform
import shutil
import sys
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

from vmalab.machines.live import why_unavailable

if TYPE_CHECKING:
    from vmalab.machines.live import Live

BROWSERS = ("firefox", "chromium", "chromium-browser", "google-chrome", "chrome", "microsoft-edge", "msedge", "safari")


class Host:
    """This machine.  Whatever it does not tell is None."""

    @property
    def system(self) -> str:
        """`Linux`, `Darwin` or `Windows`."""
        return platform.system()

    @property
    def release(self) -> str:
        """The kernel's name for itself, such as `6.18.44`."""
        return platform.release()

    @property
    def processor(self) -> str:
        """Such as `x86_64`."""
        return platform.machine()

    @property
    def python(self) -> tuple[int, int, int]:
        """The version of this interpreter."""
        return sys.version_info[:3]

    @property
    def executable(self) -> str:
        """The path of this interpreter."""
        return sys.executable

    @property
    def environ(self) -> Mapping[str, str]:
        """The environment."""
        return os.environ

    def package(self, name: str) -> str | None:
        """The version of an installed package."""
        try:
            return version(name)
        except PackageNotFoundError:
            return None

    def read(self, path: str) -> str | None:
        """The text of a file under /proc or /sys, without blanks around it."""
        try:
            return Path(path).read_text(encoding="utf-8", errors="replace").strip()
        except OSError:
            return None

    def exists(self, path: str) -> bool:
        """Whether there is such a file."""
        return Path(path).exists()

    def page_size(self) -> int | None:
        """Bytes of a page."""
        if not hasattr(os, "sysconf"):  # Windows
            return None
        return os.sysconf("SC_PAGESIZE")

    def memlock(self) -> int | None:
        """The soft RLIMIT_MEMLOCK in bytes; -1 for none."""
        try:
            import resource
        except ImportError:  # Windows
            return None
        return resource.getrlimit(resource.RLIMIT_MEMLOCK)[0]

    def browser(self) -> str | None:
        """A browser that can be started here."""
        if self.environ.get("BROWSER"):
            return self.environ["BROWSER"]
        if self.system in ("Darwin", "Windows"):
            return "that of the system"
        return next((name for name in BROWSERS if shutil.which(name)), None)

    def jupyter_data(self) -> list[str]:
        """The folders in which Jupyter looks for its extensions and kernels."""
        try:
            from jupyter_core.paths import jupyter_path
        except ImportError:
            return []
        found: list[str] = jupyter_path()
        return found

    def why_not_live(self) -> str | None:
        """One sentence if there can be no live machine here."""
        return why_unavailable()

    def live(self) -> Live:
        """A live machine, to be closed by the caller.  Raises LiveUnavailable."""
        from vmalab.machines.live import Live

        return Live()
