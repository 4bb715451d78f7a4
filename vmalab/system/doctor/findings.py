"""What the doctor looks at, what it means for the lessons, and how to mend it.  One function a section.

Each finding stands on its own and is read, never changed.  The machine itself is asked through `host.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from attrs import frozen

from vmalab import __version__
from vmalab.linux.addr import PAGE
from vmalab.linux.profile import MEASURED
from vmalab.machines.live import Abilities
from vmalab.system.doctor.behaviours import NOT_PROBED, Probed, Shown, base_profile
from vmalab.system.doctor.host import Host

FINE, NOTE, LACKS = "fine", "note", "lacks"
"""A finding is as it should be; is worth knowing; or takes something away from the lessons."""

CORE = ("attrs", "cattrs", "sortedcontainers")
LESSONS = ("jupyterlab", "ipywidgets", "anywidget", "matplotlib", "nbclient", "nbformat")
COMMAND = ("click", "rich")
EXTENSIONS = ("anywidget", "@jupyter-widgets/jupyterlab-manager")
OLDEST_PYTHON = (3, 11)
KERNEL, BEHAVIOURS = "Kernel", "Behaviours"
MAX_MAP_COUNT = "/proc/sys/vm/max_map_count"
RECORDED = "the lessons show a recording of a kernel that can"
"""What happens where this machine can't show something."""


@frozen
class Finding:
    """One thing that was looked at: what was found, what that means for the lessons, how to mend it."""

    section: str
    what: str
    found: str
    state: str = FINE
    means: str = ""
    mend: str = ""


@frozen
class Checked:
    """What asking the live machine gave: why it can't be had, or what its kernel can and does."""

    why_not: str | None = None
    release: str | None = None
    abilities: Abilities | None = None
    probed: tuple[Probed, ...] = ()


# --- the installation ----------------------------------------------------------------------------------------


def installation(host: Host, _: Checked) -> Iterator[Finding]:
    """vmalab, Python and the packages."""
    section = "Installation"
    yield Finding(section, "vmalab", __version__)
    python = ".".join(map(str, host.python))
    if host.python[:2] >= OLDEST_PYTHON:
        yield Finding(section, "Python", python)
    else:
        yield Finding(section, "Python", python, LACKS, "vmalab does not run on it", "install Python 3.11 or newer")
    yield _packages(host, section, "the model", CORE, "nothing runs", "vmalab")
    yield _packages(host, section, "the lessons", LESSONS, "the notebooks do not run", "vmalab[lab]")
    yield _packages(host, section, "the command", COMMAND, "the command vmalab does not run", "vmalab[cli]")


def _packages(host: Host, section: str, whose: str, names: tuple[str, ...], without: str, extra: str) -> Finding:
    versions = {name: host.package(name) for name in names}
    missing = [name for name, known in versions.items() if known is None]
    what = f"packages of {whose}"
    if missing:
        found = f"missing: {', '.join(missing)}"
        return Finding(section, what, found, LACKS, f"without them {without}", f"pip install '{extra}'")
    return Finding(section, what, ", ".join(f"{name} {known}" for name, known in versions.items()))


def jupyter(host: Host, _: Checked) -> Iterator[Finding]:
    """Whether JupyterLab can show the widgets."""
    section = "Jupyter"
    if host.package("jupyterlab") is None:
        return
    folders = host.jupyter_data()
    widgets = [name for name in EXTENSIONS if not _extension(host, folders, name)]
    if widgets:
        yield Finding(
            section, "extensions for widgets", f"not found: {', '.join(widgets)}", LACKS,
            "widgets show as still pictures",
            "install the lessons' packages into the environment that starts JupyterLab, and start it anew",
        )  # fmt: skip
    else:
        yield Finding(section, "extensions for widgets", "found")
    if any(host.exists(f"{folder}/kernels/python3/kernel.json") for folder in folders):
        yield Finding(section, "the kernel python3", "found")
    else:
        yield Finding(section, "the kernel python3", "not found", LACKS, "notebooks have nothing to run on",
                      "python -m ipykernel install --sys-prefix")  # fmt: skip
    browser = host.browser()
    if browser:
        yield Finding(section, "browser", browser)
    else:
        yield Finding(section, "browser", "none found", NOTE, "JupyterLab can't open a page by itself",
                      "open the address that it prints in a browser on your own machine")  # fmt: skip


def _extension(host: Host, folders: list[str], name: str) -> bool:
    return any(host.exists(f"{folder}/labextensions/{name}/package.json") for folder in folders)


# --- the kernel ----------------------------------------------------------------------------------------------


def kernel(host: Host, checked: Checked) -> Iterator[Finding]:
    """The kernel, whether it can be asked, and what it can do."""
    section = KERNEL
    yield Finding(section, "system", f"{host.system} {host.release} on {host.processor}")
    yield _page_size(host, section)
    if checked.why_not is not None:
        yield Finding(section, "live machine", f"no: {checked.why_not}", NOTE, f"nothing is lost: {RECORDED}",
                      _mend_live(host))  # fmt: skip
        return
    assert checked.release is not None and checked.abilities is not None
    means = "cells for your own machine make their calls on it"
    yield Finding(section, "live machine", f"yes, Linux {checked.release}", FINE, means)
    _, own = base_profile(checked.release)
    if not own:
        yield Finding(section, "model of this release", f"none: the model knows {', '.join(MEASURED)}", NOTE,
                      "the cells that compare the model with your kernel may show differences")  # fmt: skip
    for name, (words, means, mend) in ABILITIES.items():
        can = getattr(checked.abilities, name)
        if can:
            yield Finding(section, words, "yes", FINE, means)
        else:
            said = checked.abilities.notes.get(name, "")
            yield Finding(section, words, f"no{f' ({said})' if said else ''}", NOTE, f"{means}: {RECORDED}", mend)
    for name, (words, with_it, without, mend) in AROUND.items():
        if name in checked.abilities.notes:
            yield Finding(section, words, f"no: {checked.abilities.notes[name]}", NOTE, without, mend)
        else:
            yield Finding(section, words, "yes", FINE, with_it)


def _page_size(host: Host, section: str) -> Finding:
    size = host.page_size()
    if size is None or size == PAGE:
        means = "" if size is None else "what the lessons count in"
        return Finding(section, "page size", "unknown" if size is None else f"{size} bytes", FINE, means)
    return Finding(section, "page size", f"{size} bytes", NOTE,
                   f"the lessons count pages of {PAGE} bytes, so this kernel can't be asked: {RECORDED}")  # fmt: skip


def _mend_live(host: Host) -> str:
    if host.environ.get("VMALAB_LIVE"):
        return "unset VMALAB_LIVE"
    if host.system != "Linux":
        return "to ask a kernel, use Linux 6.17 or later: a virtual machine will do, on Windows also WSL"
    return ""


ABILITIES: Mapping[str, tuple[str, str, str]] = {
    "multi_vma_move": (
        "one mremap moves several VMAs",
        "lessons 04, 05 and 08 are about that",
        "Linux 6.17 or later, without a sandbox such as gVisor between",
    ),
    "userfaultfd": (
        "userfaultfd may be opened",
        "lessons 05 and 06 use it",
        "containers often forbid it: run outside, or with a seccomp profile that allows userfaultfd",
    ),
    "mseal": (
        "VMAs can be sealed with mseal",
        "lessons 04 and 05 use it",
        "Linux 6.10 or later; an older container runtime may forbid it",
    ),
    "guard_regions": ("madvise installs guard regions", "a few exercises use them", "Linux 6.13 or later"),
}
"""Ability → in words, what needs it, how to get it."""

AROUND: Mapping[str, tuple[str, str, str, str]] = {
    "sandbox": (
        "system calls can be taken away",
        "a live program can open no file and no network",
        "a live program could make its process open files and the network: run only scenario files that you trust",
        "a kernel with seccomp filters; the documentation's threat model says what else protects you",
    ),
    "pages": (
        "present pages are shown",
        "pictures of live programs show which pages are there",
        "pictures of live programs show VMAs and no pages",
        "run where /proc/self/pagemap may be read",
    ),
}
"""What the live machine notes as missing → in words, what it means to have it and to lack it, how to get it."""


def behaviour(_: Host, checked: Checked) -> Iterator[Finding]:
    """The named behaviours that were probed."""
    for probed in checked.probed:
        means = f"{probed.behaviour.meaning}."
        if probed.note:
            means = f"{means} ({probed.note})"
        if probed.surprising:
            known = "something else" if probed.shown is Shown.OTHER else "the opposite"
            means += f" Linux {checked.release} is known for {known}: a changed kernel, a sandbox, or no Linux."
        state = NOTE if probed.surprising else FINE
        yield Finding(BEHAVIOURS, probed.behaviour.name, probed.shown.value, state, means)
    if checked.probed:
        for name, why in NOT_PROBED.items():
            yield Finding(BEHAVIOURS, name, "not tried", FINE, f"{why}.")


# --- settings and surroundings -------------------------------------------------------------------------------


def settings(host: Host, _: Checked) -> Iterator[Finding]:
    """Settings that change what some calls answer.  All are read, none is changed."""
    section = "Settings"
    for what, path, judge in SETTINGS:
        value = host.read(path)
        if value is not None:
            state, means = judge(value)
            yield Finding(section, what, value, state, means)
    limit = host.memlock()
    if limit is not None:
        shown = "no limit" if limit < 0 else f"{limit >> 10} KiB"
        enough = limit < 0 or limit >= 64 << 10
        yield Finding(section, "RLIMIT_MEMLOCK", shown, FINE if enough else NOTE,
                      "the lessons lock a few pages" if enough else "examples with mlock may fail: EAGAIN, ENOMEM",
                      "" if enough else "raise it with ulimit -l")  # fmt: skip


def _thp(value: str) -> tuple[str, str]:
    if "[always]" in value:
        return FINE, "huge pages are used without asking: measured costs of large moves may show them"
    return FINE, "huge pages do not come unasked, so what is measured is pages of 4 KiB"


def _map_count(value: str) -> tuple[str, str]:
    if value.isdigit() and int(value) >= 65_530:
        return FINE, "a process may have so many VMAs; lesson 05 says what happens there"
    return NOTE, "programs with many VMAs stop earlier than the lessons say"


def _overcommit(value: str) -> tuple[str, str]:
    if value == "2":
        return NOTE, "the kernel counts every page in advance: large mappings may fail with ENOMEM"
    return FINE, "the kernel promises more memory than there is, so large mappings succeed"


def _user_faults(value: str) -> tuple[str, str]:
    if value == "1":
        return FINE, "ordinary programs get all faults; the lessons use user-mode faults only"
    return FINE, "ordinary programs get user-mode faults only; the lessons use no others"


def _min_addr(_: str) -> tuple[str, str]:
    return FINE, "nothing can be mapped below it without privilege: EPERM"


SETTINGS: tuple[tuple[str, str, Callable[[str], tuple[str, str]]], ...] = (
    ("transparent huge pages", "/sys/kernel/mm/transparent_hugepage/enabled", _thp),
    ("vm.max_map_count", MAX_MAP_COUNT, _map_count),
    ("vm.overcommit_memory", "/proc/sys/vm/overcommit_memory", _overcommit),
    ("vm.unprivileged_userfaultfd", "/proc/sys/vm/unprivileged_userfaultfd", _user_faults),
    ("vm.mmap_min_addr", "/proc/sys/vm/mmap_min_addr", _min_addr),
)
"""Setting, where it is read, and what to say of a value."""


def surroundings(host: Host, _: Checked) -> Iterator[Finding]:
    """Signs of a container, of gVisor and of WSL."""
    section = "Surroundings"
    release, kernel_line = host.release.lower(), (host.read("/proc/version") or "").lower()
    if "gvisor" in kernel_line or release.startswith("4.4.0"):
        means = "gVisor answers for the kernel, and as kernels before Linux 6.17 do"
        yield Finding(section, "gVisor", "signs of it", NOTE, means, "run outside of it")
    if "microsoft" in release:
        yield Finding(section, "WSL", "yes", FINE, "a real Linux kernel; its release says what it can do")
    if signs := _container(host):
        means = "its seccomp profile may refuse userfaultfd or mseal; what it refuses is listed above"
        yield Finding(section, "container", f"yes ({signs})", FINE, means)
    else:
        yield Finding(section, "container", "no sign of one")


def _container(host: Host) -> str:
    for path in ("/.dockerenv", "/run/.containerenv"):
        if host.exists(path):
            return path
    if host.environ.get("container"):
        return f"container={host.environ['container']}"
    groups = host.read("/proc/1/cgroup") or ""
    return next((name for name in ("docker", "kubepods", "containerd", "lxc", "libpod") if name in groups), "")


SECTIONS: tuple[Callable[[Host, Checked], Iterator[Finding]], ...] = (
    installation, jupyter, kernel, settings, surroundings, behaviour,
)  # fmt: skip
