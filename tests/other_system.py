"""Another machine, put in the place of this one: run in a process of its own, since nothing is put back.

    python -m tests.other_system Windows STATEMENTS [MODULE ...]

Only the boundary is changed: what Python says of the system, the modules that it has there, and /proc and /sys, which
are not there.  vmalab itself is left as it is.  The modules named are loaded before: libraries of
others, which choose their code by the system that they find, are to find this one.
"""

from __future__ import annotations

import builtins
import importlib
import io
import os
import platform
import sys
from typing import Any

MACHINES = {
    "Darwin": ("darwin", "arm64", "24.1.0"),
    "Windows": ("win32", "AMD64", "11"),
    "ARM": ("linux", "aarch64", "6.18.0"),
}
"""Name → what sys.platform, platform.machine() and platform.release() say there."""

KERNELS: dict[str, tuple[str, str, dict[str, bool], bool]] = {
    "gVisor": ("4.4.0", "6.12", {}, True),
    "Linux 6.12": ("6.12.107", "6.12", {}, True),
    "no userfaultfd": ("6.18.44", "6.18.44", {}, False),
    "no mseal": ("6.18.44", "6.18.44", {"mseal": False}, True),
}
"""Name → what its kernel calls itself, which release it answers as, what it does differently, whether it has
userfaultfd."""

POSIX_ONLY = ("fcntl", "grp", "pwd", "resource", "termios")


def become(name: str) -> None:
    """Make this process look like one on that machine to everything that vmalab asks."""
    if name in KERNELS:
        _another_kernel(*KERNELS[name])
        return
    system, processor, release = MACHINES[name]
    platform.system = lambda: "Linux" if name == "ARM" else name
    platform.machine = lambda: processor
    platform.release = lambda: release
    if name == "ARM":
        os.sysconf = lambda what: 16384 if what == "SC_PAGESIZE" else 0
        return
    sys.platform = system
    _without_files()
    if name == "Windows":
        del os.sysconf, os.uname
        _without_modules()


def _another_kernel(release: str, follows: str, changed: dict[str, bool], userfaultfd: bool) -> None:
    """The live machine answers as that kernel would: a model in the place of the process that makes the calls."""
    from attrs import evolve

    from vmalab.linux.call import Uffd
    from vmalab.linux.profile import profile
    from vmalab.machines.live import Live
    from vmalab.machines.machine import Played
    from vmalab.machines.model import Model
    from vmalab.programs.scenario import Scenario

    kernel: dict[str, Any] = dict(changed)

    def play(self: Live, scenario: Scenario, full: bool) -> Played:
        for number, call in enumerate(scenario.steps, 1):
            if isinstance(call, Uffd) and not userfaultfd:
                error = f"step {number}: this system refuses userfaultfd (EPERM)"
                return Played(scenario, self.name, error=error)
        played = Model(evolve(profile(follows), **kernel), trace=False).run(scenario)
        return evolve(played, machine=self.name)

    platform.release = lambda: release
    Live._play = play
    Live.release = property(lambda self: release)


def _without_files() -> None:
    """No /proc and no /sys."""
    real_open, real_os_open, real_stat = io.open, os.open, os.stat

    def gone(path: Any) -> bool:
        return isinstance(path, str | os.PathLike) and os.fspath(path).startswith(("/proc", "/sys/"))

    def guard(real: Any) -> Any:
        def opened(path: Any, *args: Any, **kwargs: Any) -> Any:
            if gone(path):
                raise FileNotFoundError(2, "No such file or directory", os.fspath(path))
            return real(path, *args, **kwargs)

        return opened

    io.open = builtins.open = guard(real_open)
    os.open, os.stat = guard(real_os_open), guard(real_stat)


def _without_modules() -> None:
    """No module that only POSIX systems have, for vmalab at least: what is loaded already stays loaded for others."""
    real_import = builtins.__import__

    def imported(name: str, globals: Any = None, locals: Any = None, fromlist: Any = (), level: int = 0) -> Any:
        asker = (globals or {}).get("__name__", "")
        if level == 0 and name in POSIX_ONLY and asker.partition(".")[0] == "vmalab":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return real_import(name, globals, locals, fromlist, level)

    builtins.__import__ = imported


if __name__ == "__main__":
    for other in sys.argv[3:]:
        importlib.import_module(other)
    become(sys.argv[1])
    exec(compile(sys.argv[2], "elsewhere", "exec"), {"__name__": "elsewhere"})
