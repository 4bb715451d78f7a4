"""`vmalab lab`: the lessons in JupyterLab, from a checkout or from an installed package."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click

from vmalab import __version__
from vmalab.cli import nodelay
from vmalab.cli.common import echo
from vmalab.cli.handout import hand_out, untouched
from vmalab.errors import UsageError
from vmalab.programs import data

FOLDER = "vmalab-lessons"
"""Where the lessons go when nobody says where."""

FIRST = "00-start-here.ipynb"
"""The lesson that is open when JupyterLab comes up."""

PASSED_ON = "vmalab.passed_on"


class PassesOn(click.Command):
    """A command whose arguments behind `--` are another program's."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        own, behind = (args[: args.index("--")], args[args.index("--") + 1 :]) if "--" in args else (args, [])
        ctx.meta[PASSED_ON] = behind
        return super().parse_args(ctx, own)

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        return [*super().collect_usage_pieces(ctx), "[-- OPTIONS OF JUPYTERLAB]"]


@click.command(cls=PassesOn, short_help="open the lessons in JupyterLab")
@click.argument("folder", metavar="[FOLDER]", default=FOLDER)
@click.option("--port", type=click.IntRange(1, 65535), metavar="N", help="The port; else the next free one from 8888.")
@click.option("--no-browser", is_flag=True, help="Print the address, open no browser.")
@click.option("--copy-only", is_flag=True, help="Put the lessons there, or bring them up to date, and open nothing.")
@click.pass_context
def command(ctx: click.Context, folder: str, port: int | None, no_browser: bool, copy_only: bool) -> int:
    """Put the lessons into FOLDER (vmalab-lessons, if none is named) and open it in JupyterLab.

    Run it again after an update of vmalab: a lesson that you have not changed is replaced by the new one; one that you
    have changed stays, and the new one is put beside it.  What stands behind -- goes to JupyterLab as it is.

    With --copy-only the lessons are put there and nothing is opened: for a hub that does so when a server starts.
    """
    if copy_only and (port is not None or no_browser or ctx.meta[PASSED_ON]):
        raise UsageError("with --copy-only nothing is opened: leave --port, --no-browser and what stands behind -- out")
    missing = [name for name in ("jupyterlab", "anywidget", "ipykernel") if find_spec(name) is None]
    if missing:
        raise UsageError(f"the lessons need {' and '.join(missing)}: pip install 'vmalab[lab]'")
    if port is not None and not port_is_free(port):
        raise UsageError(f"port {port} can't be had: choose another one, or leave --port out")
    done = hand_out(Path(folder), __version__)
    if not in_place(folder):
        echo(f"lessons in {folder}: {done}", err=True)
    trust(Path(folder))
    if copy_only:
        return 0
    return open_lab(Path(folder), port, not no_browser, ctx.meta[PASSED_ON])


def in_place(folder: str) -> bool:
    """Whether `folder` is where the lessons come from: nothing was copied."""
    return Path(folder).resolve() == data.lessons().resolve()


def port_is_free(port: int | str) -> bool:
    """Whether a server can have this port of this machine now.  `make lab` asks this too."""
    try:
        with socket.socket() as tried:
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            tried.bind(("127.0.0.1", int(port)))
    except (OSError, OverflowError, ValueError):
        return False
    return True


def trust(folder: Path) -> None:
    """Mark the lessons in `folder` as trusted that are, byte for byte, those of this version of vmalab.

    JupyterLab shows no pictures of a notebook that it does not trust.  One that anybody changed, here or on its way,
    may hold scripts that run when it is opened: it is its user's to trust, and JupyterLab does so when it is run.
    """
    import nbformat
    from nbformat.sign import NotebookNotary

    try:
        notary = NotebookNotary()
        for path in sorted(folder.glob("*.ipynb")):
            content = path.read_bytes()  # once: what is signed is what was looked at
            if untouched(content):
                notary.sign(nbformat.reads(content.decode(), as_version=4))
    except (OSError, ValueError) as error:
        echo(
            f"the lessons could not be marked as trusted ({error}): a picture is shown once its cell has run", err=True
        )


def open_lab(folder: Path, port: int | None, browser: bool, more: Iterable[str]) -> int:
    """Run JupyterLab on `folder` until it is shut down; its exit status.

    It is the server of this environment with its user's own configuration; added is what lies in vmalab/cli/nodelay: no
    delay, nothing of nbgrader's, which is for teachers, no question about news, and a file list that shows whole names.
    """
    from jupyterlab.labapp import LabApp

    also = os.environ.get("JUPYTER_CONFIG_PATH")
    os.environ["JUPYTER_CONFIG_PATH"] = os.pathsep.join([str(nodelay.CONFIG), *([also] if also else [])])
    arguments = [str(folder.resolve())]
    if (folder / FIRST).is_file():
        arguments.append(f"--LabApp.default_url=/lab/tree/{FIRST}")
    if port is not None:
        arguments += [f"--port={port}", "--ServerApp.port_retries=0"]
    if not browser:
        arguments.append("--no-browser")
    if getattr(os, "geteuid", lambda: 1)() == 0:  # JupyterLab refuses to run as root unless told to
        arguments.append("--allow-root")
    return _status(lambda: LabApp.launch_instance([*arguments, *more]))


def _status(run: Any) -> int:
    """What a program that may leave by SystemExit ends with."""
    try:
        run()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0
