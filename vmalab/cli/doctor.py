"""`vmalab doctor`: what this installation and this machine can show, in plain findings."""

from __future__ import annotations

import json
import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import click

from vmalab import __version__
from vmalab.cli.common import console
from vmalab.errors import LiveUnavailable
from vmalab.machines.recorded import releases
from vmalab.profile import MEASURED
from vmalab.scope import NOT_MODELLED

PACKAGES = (
    "jupyterlab",
    "ipywidgets",
    "anywidget",
    "pandas",
    "matplotlib",
    "click",
    "rich",
    "attrs",
    "sortedcontainers",
)

ABILITIES = {
    "multi_vma_move": "one mremap moves several VMAs (Linux 6.17)",
    "userfaultfd": "userfaultfd may be opened",
    "mseal": "mseal exists (Linux 6.10)",
    "guard_regions": "guard regions exist (Linux 6.13)",
}


@click.command(short_help="what this machine can show")
@click.option("--json", "as_json", is_flag=True, help="The findings as JSON, to send along with a question.")
def command(as_json: bool) -> None:
    """Look at this installation and this machine, and say what the lessons can show here.

    Nothing is changed.  What the kernel can do is found out by trying it in a process of its own.
    """
    found = findings()
    if as_json:
        click.echo(json.dumps(found, indent=1))
        return
    out = console()
    out.print(f"vmalab {found['vmalab']}, Python {found['python']}, {found['system']}")
    missing = [name for name, known in found["packages"].items() if known is None]
    out.print("packages: " + (f"missing {', '.join(missing)}: pip install 'vmalab[lab]'" if missing else "all there"))
    if found["live"]["why not"]:
        out.print(f"live machine: no, {found['live']['why not']}; the lessons show recordings instead")
    else:
        out.print(f"live machine: Linux {found['live']['release']}")
        for name, words in ABILITIES.items():
            able = found["live"]["abilities"][name]
            out.print(f"  {'yes' if able else 'no '}  {words}" + ("" if able else "; the lessons show a recording"))
    out.print(f"recordings: Linux {', '.join(found['recordings'])}")
    out.print(f"model: Linux {', '.join(found['model'])}, and v3 (the patch as posted)")
    out.print("not modelled, and so refused by name:")
    for name, why in NOT_MODELLED.items():
        out.print(f"  {name}: {why}")


def findings() -> dict[str, Any]:
    """Everything that is shown, as plain data."""
    return {
        "vmalab": __version__,
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()} on {platform.machine()}",
        "executable": sys.executable,
        "packages": {name: _version(name) for name in PACKAGES},
        "live": _live(),
        "recordings": releases(),
        "model": list(MEASURED.values()),
        "not modelled": dict(NOT_MODELLED),
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _live() -> dict[str, Any]:
    from vmalab.machines.live import Live

    try:
        with Live() as live:
            able = live.abilities()
    except LiveUnavailable as error:
        return {"why not": str(error)}
    return {
        "why not": None,
        "release": able.release,
        "abilities": {name: getattr(able, name) for name in ABILITIES},
        "notes": dict(able.notes),
    }
