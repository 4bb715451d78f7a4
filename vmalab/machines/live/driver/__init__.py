"""The driver: makes the calls of scenarios on the kernel it runs on.

It runs in an interpreter of its own (`python -I -S`), here beside a notebook and as the recorder in a booted guest
alike.  So it knows only the standard library, and of vmalab only the format of a scenario: nothing in this folder
imports from outside it.

    kernel.py   system calls through ctypes, with the numbers of x86-64 and arm64
    proc.py     what /proc/self shows of this process: VMAs, flags, present pages and what is in them
    access.py   loads and stores that survive SIGSEGV, SIGBUS and a wait for userfaultfd
    machinecode.py  what access.py lets the processor run, for x86-64 and arm64
    program.py  one scenario's calls, and what each one did
    ftrace.py   the kernel's own trace of a call, for root; functions.py lists the functions that matter
    limits.py   the limits that a scenario sets, around each call
    sandbox.py  what a worker may no more: files, network, other processes; how much it may take
    broker.py   the files of /proc/self for a worker that may open none
    demos.py    real programs in miniature, traced by the same snapshots
    measure.py  times what a plan asks for
    headroom.py how near to its limit of VMAs a process may call mremap
    worker.py   the process that runs one scenario: limits, capabilities, what it answers
    start.py    serves a notebook, or records for a guest
    server.py   the process that forks a worker per scenario, so that a crash loses one scenario only
    record.py   scenario file in, recording out, with nobody watching (for guests)
"""

REFUSAL = (
    "limit map_count would lower vm.max_map_count, which is one number for the whole system: every other program would"
    " suffer, so the live machine never writes it (recordings of such scenarios come from throwaway guests)"
)
"""What the live machine answers to a scenario that limits map_count."""
