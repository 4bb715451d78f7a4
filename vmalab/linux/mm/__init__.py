"""The model of Linux's memory mappings: no I/O, no words, no pictures.

Start with `space.py` (the address space), then `mremap.py`; each system call has a file of its own.
"""

from vmalab.linux.mm.space import AddressSpace, Limits
from vmalab.linux.mm.syscall import Result, perform
from vmalab.linux.mm.trace import Step
from vmalab.linux.mm.vma import VMA, File

__all__ = ["VMA", "AddressSpace", "File", "Limits", "Result", "Step", "perform"]
