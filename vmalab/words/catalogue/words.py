"""The words that other texts are built from: errnos, reasons, limits, plurals, and how parts are put together."""

from __future__ import annotations

ERRNOS: dict[str, str] = {
    "EACCES": "a permission that is denied: the mapping may not have the rights that are asked for",
    "EAGAIN": (
        "a limit that is in the way now: locked memory for mmap and mremap, the number of VMAs for madvise, or a page "
        "that userfaultfd found present on its way"
    ),
    "ENOENT": "that there is no such thing: no VMA that is registered with userfaultfd",
    "EBADF": "a bad file descriptor: there is no such open file",
    "EBUSY": "a busy resource: something else holds it, such as a mapping that may write to a file",
    "EEXIST": "that something exists already: a mapping where nothing may be replaced, or a page that was to be filled",
    "EFAULT": "a bad address: memory is not mapped the way the call needs it",
    "EINVAL": "an invalid argument: a value, or a combination of values, that the call does not accept here",
    "ENOMEM": (
        "out of memory in a wide sense: no room in the address space, a limit reached, or (for mprotect, mlock, "
        "madvise and mseal) a gap in the range"
    ),
    "ENOSYS": "no such system call: this kernel does not have it",
    "EOVERFLOW": "an offset that is too large",
    "EPERM": "an operation that is not permitted: the mapping is sealed, or the process lacks a capability",
    "SEGV": "that the address is not mapped with the right that the access needs",
    "BUS": "that the address is mapped, but what is mapped there has no such page",
    "UFFD": "that a userfaultfd has to fill the page before the program can go on",
    "KILLED": "that the process did not survive the call: its memory is gone with it",
    "unknown": "an error that has no explanation here",
}
"""What an errno (or the end of an access) means, for the calls of this package."""

SIGNALS: dict[str, str] = {
    "SEGV": "SIGSEGV",
    "BUS": "SIGBUS",
    "UFFD": "a wait for userfaultfd",
    "KILLED": "the death of the process",
}
"""How the ends of an access are called; an errno is called by its symbol."""

MERGE_REASONS: dict[str, str] = {
    "apart": "The two do not touch: one must end exactly where the other starts.",
    "flags": (
        "Every bit of vm_flags must be equal: access rights, but also VM_ACCOUNT (set by a writable start in life), "
        "VM_LOCKED, VM_NORESERVE, VM_SEALED and what madvise sets."
    ),
    "file": (
        "Both must map the same struct file, or none. Each shared anonymous mmap makes a file of its own, so two of "
        "them never merge."
    ),
    "pgoff": (
        "vm_pgoff must continue from one to the other. Anonymous memory that was written keeps the vm_pgoff of the "
        "place where that happened, so after a move it fits only there."
    ),
    "anon_vma": (
        "Both were written, independently, and each got an anon_vma of its own. A VMA has one place for its pages' "
        "anon_vma, so the two can't be one."
    ),
    "faulted": (
        "One has an anon_vma and the other has none. Before Linux 6.16 the unwritten one could not take over the "
        "anon_vma of a range that joins it (commit 879bca0a2c4f allowed it); Linux 7.3 refuses it again for moved "
        "private file mappings."
    ),
    "inherited": (
        "One was inherited over fork: its anon_vma chain still leads to the parent's. It merges only with memory "
        "that has the same anon_vma."
    ),
    "special": "Special mappings (VM_DONTEXPAND) are left alone by every merge.",
}
"""Why two neighbours stay two VMAs, for a student: each reason that a step `no_merge` can give, and `apart`."""

NOT_ALLOWED: dict[str, str] = {
    "uffd": "is registered with userfaultfd",
    "get_unmapped_area": "belongs to a driver with a get_unmapped_area of its own (as /dev/zero has)",
}
"""Why a VMA may not take part in a move of several, after "VMA [0 to 1 rw-p] …"."""

IN_PLACE: dict[str, str] = {
    "stops_short": "the old range ends before the VMA does",
    "task_size": "the addresses of a process end there",
    "occupied": "the room behind it is not free",
}
"""Why a VMA can't grow where it is."""

SIDES: dict[str, str] = {"left": "left", "right": "right"}

RESOURCES: dict[str, str] = {
    "as": "RLIMIT_AS",
    "memlock": "RLIMIT_MEMLOCK",
    "map_count": "vm.max_map_count",
    "data": "RLIMIT_DATA",
}

CALL_NAMES: dict[str, str] = {
    "uffd": "userfaultfd",
    "uffd_unregister": "UFFDIO_UNREGISTER",
    "uffd_copy": "UFFDIO_COPY",
    "uffd_zeropage": "UFFDIO_ZEROPAGE",
    "uffd_writeprotect": "UFFDIO_WRITEPROTECT",
    "add_seals": "fcntl",
    "prctl_set_vma": "prctl",
    "fork_child": "fork",
}
"""How a call is named where not by its name in a scenario."""

SPECIALS: dict[str, str] = {
    "elsewhere": "an address outside the arena",
}

PLURALS: dict[str, str] = {
    "pages": "{n} page|{n} pages",
    "VMAs": "{n} VMA|{n} VMAs",
    "changes": "{n} change|{n} changes",
    "gaps": "{n} gap|{n} gaps",
    "calls": "{n} call|{n} calls",
    "PTEs": "{n} PTE|{n} PTEs",
    "PMDs": "{n} PMD entry (2 MiB)|{n} PMD entries (2 MiB each)",
    "PUDs": "{n} PUD entry (1 GiB)|{n} PUD entries (1 GiB each)",
}
"""A number of things: one, and any other number."""

GLUE: dict[str, str] = {
    "and": "{first} and {last}",
    "comma": "{first}, {last}",
    "more": "{first} and {count} more",
    "next_clause": "{first}; {last}",
    "sentence": "{clause}.",
    "stop": ".",
    "trace_name": "the kernel's own trace, Linux {release}",
    "trace_path": "In the kernel's trace: {path}.",
    "trace_none": "No function of the kernel does this.",
    "trace_unfit": "Nothing in the kernel's trace fits this step.",
    "refused": "{errno}: {why}.",
    "detail": "{func}() [{file}]: {said}",
    "returns": "{call} returns {value}.",
    "vma": "[{range} {perms}]",
    "vma_of": "[{range} {perms} {backing}]",
    "pgoff_anon": "that of {place}",
    "pgoff_file": "file page {number}",
    "loses": "loses {flags}",
    "gains": "gains {flags}",
    "husk_flags": " It {change}.",
    "husk_pgoff": " Its vm_pgoff is that of its address again.",
}
"""How parts are put together."""
