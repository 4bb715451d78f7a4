"""What makes a built page alive: Python for the browser, vmalab's core, and the editor, as scripts that work from disk.

A page from disk may fetch nothing and load only classic scripts, so each part is one that holds base64 of deflated
bytes; pages over HTTP load the same.  `widgets/static/worker.js` unpacks them.
"""

from __future__ import annotations

import io
import json
import subprocess
import zipfile
import zlib
from base64 import b64encode
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.metadata import distribution
from pathlib import Path

from vmalab.editions.npm import EDITOR, PYODIDE, modules
from vmalab.errors import UsageError
from vmalab.programs import data
from vmalab.widgets.livepage import inline

PACKAGE = Path(__file__).parents[1]

LEFT_OUT = ("cli", "editions", "__main__.py")
"""Of the package: what nothing in a page asks for."""

LIBRARIES = ("attrs", "cattrs", "sortedcontainers", "traitlets", "typing_extensions")
"""What the core needs; all pure Python."""

LEFT_OUT_OF_LIBRARIES = (
    "cattrs/preconf",
    "traitlets/tests",
    "traitlets/config/sphinxdoc.py",
    "traitlets/config/argcomplete",
)

DATA = ("recordings/lessons", "measurements", "processes", "programs", "demos", "traces", "scenarios")
"""Of the data, what lessons ask for."""

FILES = ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "python_stdlib.zip")


def parts() -> dict[str, str]:
    """The scripts `python.js`, `core.js` and `data.js`, by name: each adds to `window.vmalabParts`."""
    return {
        "python.js": _script({"python": dict(python()), "worker": worker()}),
        "core.js": _script({"core": packed(core())}),
        "data.js": _script({"data": packed(evidence())}),
    }


def inlined() -> str:
    """Python and the core as a script for a page that holds everything itself."""
    return inline({"python": dict(python()), "worker": worker(), "core": packed(core())})


def worker() -> str:
    """The script of the worker."""
    return (PACKAGE / "widgets" / "static" / "worker.js").read_text(encoding="utf-8")


def _script(values: Mapping[str, object]) -> str:
    return f"Object.assign(window.vmalabParts ??= {{}}, {json.dumps(values)});\n".replace("</", "<\\/")


def packed(content: bytes) -> str:
    """Deflated, as base64."""
    return b64encode(zlib.compress(content, 9)).decode()


@cache
def python() -> Mapping[str, str]:
    """The files of Pyodide, by name, each packed."""
    folder = modules(PYODIDE) / "pyodide"
    files = {name: packed((folder / name).read_bytes()) for name in FILES}
    lock = json.loads((folder / "pyodide-lock.json").read_text(encoding="utf-8"))
    files["pyodide-lock.json"] = packed(json.dumps({**lock, "packages": {}}).encode())
    return files


def core() -> bytes:
    """A zip of the package's core and its libraries, as they lie in site-packages."""
    found = {f"vmalab/{path.relative_to(PACKAGE).as_posix()}": path for path in _core_files()}
    for name in LIBRARIES:
        for file in distribution(name).files or ():
            if file.suffix == ".py" and not str(file).startswith(LEFT_OUT_OF_LIBRARIES) and ".." not in file.parts:
                found[file.as_posix()] = Path(str(file.locate()))
    return _zip(found)


def _core_files() -> Iterator[Path]:
    for path in sorted(PACKAGE.rglob("*")):
        inside = path.relative_to(PACKAGE).as_posix()
        wanted = path.suffix in (".py", ".js", ".css") and not inside.startswith((*LEFT_OUT, "_"))
        if wanted or inside == "__init__.py":
            yield path


def evidence() -> bytes:
    """A zip of the data that lessons ask for, as it lies in the folder of the data."""
    found: dict[str, Path] = {}
    for name in DATA:
        folder = data.folder(name)
        found |= {f"{name}/{path.relative_to(folder).as_posix()}": path for path in folder.rglob("*") if path.is_file()}
    return _zip(found)


def _zip(files: Mapping[str, Path]) -> bytes:
    """The same files give the same bytes.  Stored: the whole is compressed afterwards."""
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_STORED) as archive:
        for name, path in sorted(files.items()):
            archive.writestr(zipfile.ZipInfo(name), path.read_bytes())
    return whole.getvalue()


@cache
def editor() -> str:
    """The script of the editor: `vmalabEditor.editor(host, …)`."""
    folder = modules(EDITOR)
    binary = folder / ".bin" / "esbuild"
    entry = (Path(__file__).parent / "static" / "editor.js").read_bytes()
    command = [
        str(binary), "--bundle", "--minify", "--format=iife", "--global-name=vmalabEditor", "--target=es2022",
        "--log-level=error", "--legal-comments=inline", "--charset=utf8",
    ]  # fmt: skip
    done = subprocess.run(command, input=entry, cwd=folder.parent, capture_output=True, check=False)
    if done.returncode:
        raise UsageError(f"the editor can't be bundled: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout.decode()
