"""The kernel matrix: boots Debian kernels in QEMU and records scenario files on each.

    python -m tests.kernels --release 6.1 --release 7.3 --scenarios FILE --output DIR

What is here, bottom up; none of it is part of `make test` (but test_kernels_*.py, which need no network and no QEMU):

    trouble.py    the one exception, whose text is the one line a person sees
    debian.py     kernel images out of Debian's packages, with an apt configuration of its own
    initramfs.py  the file system of a guest: busybox, Python, the live driver, the scenarios
    guest.py      what runs in the guest, with its standard library only
    qemu.py       one boot: start, progress, time limits, the recording it sends
    agree.py      whether two recordings say the same
    matrix.py     several boots side by side; __main__.py is the command
"""
