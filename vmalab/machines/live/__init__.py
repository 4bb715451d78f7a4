"""The live machine: the same calls on the kernel that this program runs on, made with ctypes in a process of their own.

availability.py  whether there is one here, and what its kernel can do
machine.py       `Live`: scenarios and lists of calls
session.py       `Session`: call by call
process.py       the parent's end of the pipes to a driver process
wire.py          calls as the driver takes them
driver/          what runs in that process, with the standard library alone
"""

from vmalab.machines.live.availability import Abilities, why_unavailable
from vmalab.machines.live.machine import Live
from vmalab.machines.live.session import Session

__all__ = ["Abilities", "Live", "Session", "why_unavailable"]
