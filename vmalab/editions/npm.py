"""Packages of npm that a build needs, by name and version: fetched once by npm itself, kept in the user's cache.

npm checks what it fetches; nothing of it is in the repository.  The built pages load nothing from elsewhere.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

from vmalab.errors import UsageError

PYODIDE: Mapping[str, str] = {"pyodide": "314.0.7"}
"""CPython 3.14 as WebAssembly."""

EDITOR: Mapping[str, str] = {
    "codemirror": "6.0.2",
    "@codemirror/autocomplete": "6.20.4",
    "@codemirror/commands": "6.11.1",
    "@codemirror/lang-python": "6.2.1",
    "@codemirror/language": "6.13.1",
    "@codemirror/lint": "6.9.8",
    "@codemirror/search": "6.7.2",
    "@codemirror/state": "6.7.6",
    "@codemirror/view": "6.43.15",
    "@lezer/common": "1.5.5",
    "@lezer/highlight": "1.2.5",
    "@lezer/lr": "1.4.12",
    "@lezer/python": "1.1.19",
    "esbuild": "0.28.2",
}
"""CodeMirror, and what makes one script of it."""

SECONDS = 300
"""How long npm may take."""


def cache() -> Path:
    """Where fetched packages stay."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "vmalab" / "npm"


def modules(packages: Mapping[str, str]) -> Path:
    """The folder `node_modules` with these packages.

    Raises UsageError where there is no npm, or a package can't be had.
    """
    named = [f"{name}@{version}" for name, version in packages.items()]
    folder = cache() / sha256(" ".join(named).encode()).hexdigest()[:16]
    if (folder / "node_modules").is_dir():
        return folder / "node_modules"
    npm = shutil.which("npm")
    if npm is None:
        raise UsageError("pages that run Python are built with npm, and there is none: install npm, or say --static")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".half-made-") as half:
            command = [
                npm,
                "install",
                "--silent",
                "--no-audit",
                "--no-fund",
                "--ignore-scripts",
                "--prefix",
                half,
                *named,
            ]
            done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
            if done.returncode:
                said = (done.stderr or done.stdout).strip().splitlines()
                why = said[0] if said else "it does not say why"
                raise UsageError(f"npm can't install {', '.join(named[:3])}: {why}; without it, say --static")
            _keep(Path(half), folder)
    except subprocess.TimeoutExpired:
        raise UsageError(f"npm did not install {named[0]} within {SECONDS} seconds; without it, say --static") from None
    except OSError as error:
        raise UsageError(f"{folder} can't be written: {(error.strerror or str(error)).lower()}") from None
    return folder / "node_modules"


def _keep(half: Path, folder: Path) -> None:
    made = half / "whole"
    made.mkdir()
    (half / "node_modules").rename(made / "node_modules")
    try:
        made.rename(folder)
    except OSError:
        if not (folder / "node_modules").is_dir():  # else somebody else was quicker
            raise
