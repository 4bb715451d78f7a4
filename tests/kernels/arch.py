"""The machines that kernels are booted on: what differs between them for packages, emulator and guest."""

from __future__ import annotations

from attrs import evolve, frozen


@frozen
class Arch:
    """`debian`: Debian's name.  `flavours`: how its kernels' packages end.

    `qemu`: the emulator, with what makes its machine; `package`: what installs it.  `console`, `port`: the serial ports
    of the guest, one for the kernel and one for what it answers (the same one where there is no other).
    """

    name: str
    debian: str
    flavours: tuple[str, ...]
    qemu: str
    machine: tuple[str, ...]
    package: str
    console: str
    port: str


# TCG and not KVM: it is the same everywhere.  Without la57 addresses have 48 bits, as scenarios expect.  Without cx16
# the kernel's slab allocator does without cmpxchg16b, which in QEMU 7.2 can leave RFLAGS damaged (a panic of 6.12).
X86_64 = Arch(
    "x86_64",
    "amd64",
    ("cloud-amd64",),
    "qemu-system-x86_64",
    ("-cpu", "max,-la57,-cx16"),
    "qemu-system-x86",
    "ttyS0",
    "ttyS1",
)
# pauth-impdef: the architected pointer authentication takes most of the time in emulation.  Without lpa2 addresses have
# no more than 48 bits.
ARM64 = Arch(
    "arm64",
    "arm64",
    ("cloud-arm64",),
    "qemu-system-aarch64",
    ("-M", "virt", "-cpu", "max,pauth-impdef=on,lpa2=off"),
    "qemu-system-arm",
    "ttyAMA0",
    "ttyAMA0",
)
ARM64_16K = evolve(ARM64, name="arm64-16k", flavours=("arm64-16k",))

ARCHES = {arch.name: arch for arch in (X86_64, ARM64, ARM64_16K)}
