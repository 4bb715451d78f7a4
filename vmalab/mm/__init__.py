"""The model of Linux's memory mappings: no I/O, no words, no pictures.

Start with `space.py` (the address space), then `mremap.py`; each system call has a file of its own.
"""

from vmalab.mm.space import AddressSpace, Limits
from vmalab.mm.syscall import Result, perform
from vmalab.mm.trace import Step
from vmalab.mm.vma import VMA, File

__all__ = ["VMA", "AddressSpace", "File", "Limits", "Result", "Step", "perform"]
