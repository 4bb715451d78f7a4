"""Which errnos each call can end with, as the functions of `vmalab.linux.mm` name them; no meaning here."""

from __future__ import annotations

_RANGE = ("EINVAL", "ENOMEM", "EPERM")
_ACCESS = ("SEGV", "BUS", "UFFD")

ERRNOS_OF: dict[str, tuple[str, ...]] = {
    "mremap": ("EAGAIN", "EFAULT", "EINVAL", "ENOMEM", "EPERM"),
    "mmap": ("EAGAIN", "EEXIST", "EINVAL", "ENOMEM", "EOVERFLOW", "EPERM"),
    "munmap": _RANGE,
    "mprotect": ("EACCES", *_RANGE),
    "madvise": ("EAGAIN", "EFAULT", *_RANGE),
    "mlock": _RANGE,
    "mlock2": _RANGE,
    "munlock": ("EINVAL", "ENOMEM"),
    "mlockall": _RANGE,
    "mseal": ("EINVAL", "ENOMEM", "ENOSYS"),
    "uffd": _RANGE,
    "brk": ("ENOMEM",),
    "touch": _ACCESS,
    "read": _ACCESS,
    "munlockall": (),
    "fork": (),
    "fork_child": (),
    "limit": (),
}
"""Name of a call → symbols, in order.  Sources: the docstrings of `vmalab.linux.mm`, and the manual pages.  Of a call
that is not here nobody has listed them."""
