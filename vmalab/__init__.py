"""vmalab: what Linux's mremap(2) really does to a process's virtual memory areas (VMAs).

A model of the kernel, release by release, that explains each step it takes; the real kernel of this machine beside it;
and lessons to play with both.

    from vmalab import Model, page, PAGE, MREMAP_MAYMOVE, MREMAP_FIXED

    vm = Model("6.18")                       a process under Linux 6.18
    vm.mmap(page(0), 2 * PAGE)               addresses and lengths in bytes; page(n) is the n-th page of the arena
    vm.mmap(page(3), 2 * PAGE, "r")
    out = vm.mremap(page(0), 5 * PAGE, 5 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, page(64))
    out.value, out.errno, out.steps          what came back, and what the kernel did for it
    Live().play(vm.history)                  the same calls on this machine's kernel

Machines
    Model(release)       computes what a release would do: "6.1" to "7.3", "6.18.44", "v3" for the patch as posted
    Live()               makes the calls on this machine's kernel, in a process of its own
    Recorded(release)    looks up what a real kernel answered
Answers
    Outcome, Snapshot    what a call did: result, errno, steps, the VMAs before and after it
    profile, behaviours, KernelProfile     what a release does differently, each with its commit
Programs
    load_scenarios(file)                   the programs in a scenario file
    Mmap, Mremap, Touch and the other calls as records: Mremap(page(0), PAGE, PAGE, MREMAP_MAYMOVE)

A failed call is an answer (`errno`), not an exception; what is misused raises `vmalab.errors.VmalabError`.  Beside this
package `vmalab.teach` has what the lessons show and check, and `vmalab.widgets` what they play with.  These three are
the public interface (docs/interface.md); everything else may change from one version to the next.

Everything is loaded when it is first used, so that importing the package costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vmalab.linux.addr import PAGE, page
    from vmalab.linux.call import (
        AddSeals,
        Brk,
        Fork,
        ForkChild,
        Ftruncate,
        Limit,
        Madvise,
        Mlock,
        Mlock2,
        Mlockall,
        Mmap,
        Mprotect,
        Mremap,
        Mseal,
        Munlock,
        Munlockall,
        Munmap,
        PrctlSetVma,
        Read,
        Touch,
        Uffd,
        UffdCopy,
        UffdUnregister,
        UffdWriteprotect,
        UffdZeropage,
    )
    from vmalab.linux.flags import (
        F_SEAL_FUTURE_WRITE,
        F_SEAL_GROW,
        F_SEAL_SEAL,
        F_SEAL_SHRINK,
        F_SEAL_WRITE,
        MCL_CURRENT,
        MCL_FUTURE,
        MCL_ONFAULT,
        MREMAP_DONTUNMAP,
        MREMAP_FIXED,
        MREMAP_MAYMOVE,
        PROT_EXEC,
        PROT_NONE,
        PROT_READ,
        PROT_WRITE,
    )
    from vmalab.linux.profile import KernelProfile, behaviours, profile
    from vmalab.linux.settings import Settings
    from vmalab.machines.live import Live
    from vmalab.machines.model import Model
    from vmalab.machines.outcome import Outcome, Snapshot
    from vmalab.machines.recorded import Recorded
    from vmalab.programs.scenario import load_scenarios

__version__ = "1.0.0rc1"

_NAMES = {
    "linux.addr": "PAGE page",
    "linux.call": (
        "AddSeals Brk Fork ForkChild Ftruncate Limit Madvise Mlock Mlock2 Mlockall Mmap Mprotect Mremap Mseal Munlock "
        "Munlockall Munmap PrctlSetVma Read Touch Uffd UffdCopy UffdUnregister UffdWriteprotect UffdZeropage"
    ),
    "linux.flags": (
        "F_SEAL_FUTURE_WRITE F_SEAL_GROW F_SEAL_SEAL F_SEAL_SHRINK F_SEAL_WRITE "
        "MCL_CURRENT MCL_FUTURE MCL_ONFAULT MREMAP_DONTUNMAP MREMAP_FIXED MREMAP_MAYMOVE PROT_EXEC PROT_NONE PROT_READ "
        "PROT_WRITE"
    ),
    "linux.profile": "KernelProfile behaviours profile",
    "linux.settings": "Settings",
    "machines.live": "Live",
    "machines.model": "Model",
    "machines.outcome": "Outcome Snapshot",
    "machines.recorded": "Recorded",
    "programs.scenario": "load_scenarios",
}
"""Where each public name is made."""

_HOMES = {name: home for home, names in _NAMES.items() for name in names.split()}

__all__ = [
    "AddSeals",
    "Brk",
    "F_SEAL_FUTURE_WRITE",
    "F_SEAL_GROW",
    "F_SEAL_SEAL",
    "F_SEAL_SHRINK",
    "F_SEAL_WRITE",
    "Fork",
    "ForkChild",
    "Ftruncate",
    "KernelProfile",
    "Limit",
    "Live",
    "MCL_CURRENT",
    "MCL_FUTURE",
    "MCL_ONFAULT",
    "MREMAP_DONTUNMAP",
    "MREMAP_FIXED",
    "MREMAP_MAYMOVE",
    "Madvise",
    "Mlock",
    "Mlock2",
    "Mlockall",
    "Mmap",
    "Model",
    "Mprotect",
    "Mremap",
    "Mseal",
    "Munlock",
    "Munlockall",
    "Munmap",
    "Outcome",
    "PAGE",
    "PROT_EXEC",
    "PROT_NONE",
    "PROT_READ",
    "PROT_WRITE",
    "PrctlSetVma",
    "Read",
    "Recorded",
    "Settings",
    "Snapshot",
    "Touch",
    "Uffd",
    "UffdCopy",
    "UffdUnregister",
    "UffdWriteprotect",
    "UffdZeropage",
    "behaviours",
    "load_scenarios",
    "page",
    "profile",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"vmalab.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
