"""A JupyterHub for a test: started with what `vmalab build hub` makes, with users of numbers of their own, and ended.

Students get an environment as their image has it: none of what only the tests or a lecturer need is loaded.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import signal
import stat
import subprocess
import sys
import sysconfig
import tempfile
import venv
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from attrs import frozen

from tests.browser.servers import ROOT, free_port
from tests.patience import PATIENCE
from vmalab.editions import build

FIRST_UID = 64100
"""Students have the numbers from here on; nobody of this machine has them."""

PROXY = "configurable-http-proxy"
HOW_PROXY = f"a hub needs its proxy: npm install --prefix build/proxy {PROXY}"

EXTENSIONS = ("jupyterlab", "jupyter_server_terminals", "jupyter_lsp")
"""Server extensions that come with JupyterLab, and so are in a student's image."""


@frozen
class Hub:
    """A hub that runs: its address, the token of its REST interface, students and their numbers (None: the hub's)."""

    url: str
    token: str
    uids: Mapping[str, int | None]
    homes: Path
    log: Path
    process: subprocess.Popen[bytes]


def proxy() -> list[str] | None:
    """The command of the proxy that a hub needs, of npm's package of that name; None where there is none."""
    beside = ROOT / "build" / "proxy" / "node_modules" / ".bin" / PROXY
    found = str(beside) if beside.exists() else shutil.which(PROXY)
    return [found] if found else None


def may_enter(path: Path) -> bool:
    """Whether every user of this machine may enter a folder."""
    return all(folder.stat().st_mode & stat.S_IXOTH for folder in (path, *path.parents))


def numbered() -> bool:
    """Whether students can have numbers of their own: for root only, and where others may read this environment."""
    return os.geteuid() == 0 and may_enter(ROOT) and may_enter(Path(sysconfig.get_path("purelib")))


@contextmanager
def hub(students: Sequence[str]) -> Iterator[Hub]:
    """A hub with these students, on free ports of this machine."""
    command = proxy()
    assert command is not None, HOW_PROXY
    folder = Path(tempfile.mkdtemp(prefix="vmalab-hub-"))
    try:
        folder.chmod(0o755)
        built = build("hub", folder).folder
        uids = {name: FIRST_UID + n if numbered() else None for n, name in enumerate(students)}
        for name, uid in uids.items():
            (folder / "homes" / name).mkdir(parents=True, mode=0o700)
            if uid is not None:
                os.chown(folder / "homes" / name, uid, uid)
        python = student_environment(folder / "student", built)
        told = {
            "config": str(built / "jupyterhub_config.py"), "python": str(python), "folder": str(folder),
            "homes": str(folder / "homes"), "uids": uids, "token": secrets.token_hex(16), "proxy": command,
            "port": free_port(), "hub_port": free_port(), "proxy_port": free_port(),
        }  # fmt: skip
        yield from _running(told, folder)
    finally:
        if "VMALAB_HUB_KEEP" not in os.environ:
            shutil.rmtree(folder)


def student_environment(folder: Path, built: Path) -> Path:
    """Make an environment that every user may enter, with the packages of this one; its interpreter."""
    base, name = Path(sys.base_prefix), f"python{sys.version_info[0]}.{sys.version_info[1]}"
    python = folder / "bin" / name
    if may_enter(base):
        venv.create(folder, symlinks=True)
        python = folder / "bin" / "python"
    else:  # an interpreter in somebody's home: its library is copied, some 60 MB
        unused = shutil.ignore_patterns("test", "tests", "site-packages", "config-*", "idlelib", "ensurepip")
        shutil.copytree(base / "lib" / name, folder / "lib" / name, ignore=unused)
        for library in base.glob("lib/libpython*"):
            shutil.copy(library, folder / "lib")
        python.parent.mkdir()
        shutil.copy(base / "bin" / name, python)
    packages = folder / "lib" / name / "site-packages"
    packages.mkdir(parents=True, exist_ok=True)
    (packages / "tests.pth").write_text(f"{sysconfig.get_path('purelib')}\n{ROOT}\n{without(built)}\n")
    (folder / "share").symlink_to(Path(sys.prefix) / "share")
    config = folder / "etc" / "jupyter"
    (config / "jupyter_server_config.d").mkdir(parents=True)
    shutil.copy(built / "jupyter_server_config.py", config)
    loaded = {"ServerApp": {"jpserver_extensions": dict.fromkeys(EXTENSIONS, True)}}
    (config / "jupyter_server_config.d" / "jupyterlab.json").write_text(json.dumps(loaded))
    return python


def without(built: Path) -> str:
    """A line for Python's site that takes the packages away that the image uninstalls."""
    (names,) = re.findall('^ARG UNUSED="(.*)"$', (built / "Dockerfile").read_text(), re.MULTILINE)
    return f"import sys; sys.modules.update(dict.fromkeys({[name.replace('-', '_') for name in names.split()]}))"


def _running(told: Mapping[str, Any], folder: Path) -> Iterator[Hub]:
    env = {name: value for name, value in os.environ.items() if not name.startswith(("JUPYTER", "IPYTHON", "LTI13"))}
    env |= {"VMALAB_HUB_TEST": json.dumps(told), "HOME": str(folder), "PYTHONPATH": str(ROOT)}
    env["CONFIGPROXY_AUTH_TOKEN"] = secrets.token_hex(16)
    command = [sys.executable, "-m", "jupyterhub", "-f", str(Path(__file__).with_name("hub_config.py"))]
    log = folder / "hub.log"
    with log.open("wb") as out:
        process = subprocess.Popen(command, cwd=folder, env=env, stdout=out, stderr=out, start_new_session=True)
    try:
        yield Hub(f"http://127.0.0.1:{told['port']}", told["token"], told["uids"], folder / "homes", log, process)
    finally:
        process.terminate()
        try:
            process.wait(timeout=PATIENCE)
        finally:
            with suppress(ProcessLookupError):  # a hub that was ended by force leaves its proxy
                os.killpg(process.pid, signal.SIGKILL)
