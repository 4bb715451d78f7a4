"""One boot: starts a guest in QEMU by software emulation and collects the recording that it sends.

The kernel's console goes to a log file; the guest's lines (see guest.py) come on a second serial port, so that no
message of the kernel gets between them.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import select
import shutil
import subprocess
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from attrs import Factory, define

from tests.kernels.arch import X86_64, Arch
from tests.kernels.trouble import Trouble

MEMORY = 2048
"""MiB of a guest."""

MACHINE = ["-m", str(MEMORY), "-no-reboot", "-display", "none"]
DEVICES = ["-monitor", "none", "-nodefaults", "-no-user-config"]
# madvise: where huge pages come unasked (Debian's default), a first touch brings 2 MiB and a read makes an anon_vma.
# force_override: the driver looks through /proc/self/mem at pages that can't be read, which newer kernels may refuse.
CMDLINE = (
    "console={console} quiet panic=-1 rdinit=/init mitigations=off transparent_hugepage=madvise "
    "proc_mem.force_override=always"
)


def qemu(arch: Arch = X86_64) -> str:
    """The emulator's path."""
    found = shutil.which(arch.qemu)
    if found is None:
        raise Trouble(f"{arch.qemu} is not installed, and the kernels run in it: apt install {arch.package}")
    return found


def machine(arch: Arch) -> list[str]:
    """What QEMU is told of the machine."""
    return ["-accel", "tcg", *arch.machine, *MACHINE]


def command(image: Path, initramfs: Path, log: Path, arch: Arch = X86_64) -> list[str]:
    """What starts a guest.  Where it has one serial port, the console's few lines are among the answers."""
    serial = ["-serial", f"file:{str(log).replace(',', ',,')}"] if arch.console != arch.port else []
    boot = ["-kernel", str(image), "-initrd", str(initramfs), "-append", CMDLINE.format(console=arch.console)]
    return [qemu(arch), *machine(arch), *DEVICES, *serial, "-serial", "stdio", *boot]


@define
class Conversation:
    """What a guest has said so far, made of its lines."""

    hello: dict[str, Any] | None = None
    results: list[dict[str, Any]] = Factory(list)
    total: int = 0
    over: bool = False

    def hear(self, line: bytes) -> None:
        """Take one line in.  Raises Trouble for one that makes no sense, and for the guest's own trouble."""
        word, _, rest = line.decode("ascii", "replace").strip().partition(" ")
        try:
            if word == "ready":
                self.hello = json.loads(rest)
            elif word == "part":
                done, total, packed = rest.split(" ")
                self.results += json.loads(zlib.decompress(base64.b64decode(packed, validate=True)))
                self.total = int(total)
                if len(self.results) != int(done):
                    raise Trouble(f"a part of the answers is missing before scenario {done}")
            elif word == "end":
                if len(self.results) != int(rest):
                    raise Trouble(f"{len(self.results)} answers came instead of {rest}")
                self.over = True
            elif word == "trouble":
                raise Trouble(rest)
        except (ValueError, binascii.Error, zlib.error):
            raise Trouble(f"a line of the guest came damaged: {line[:60]!r}") from None


def last_words(log: Path) -> str:
    """The last line of a console log that says something."""
    try:
        lines = [line.strip() for line in log.read_text(errors="replace").splitlines()]
    except OSError:
        return "nothing"
    panic = [line for line in lines if "panic" in line.lower()]
    return (panic or [line for line in lines if line] or ["nothing"])[-1][-200:]


def boot(
    image: Path,
    initramfs: Path,
    log: Path,
    *,
    boot_limit: float = 180,
    silence_limit: float = 600,
    arch: Arch = X86_64,
    tell: Callable[[Conversation], None] = lambda _: None,
) -> Conversation:
    """Run a guest to its end.

    `boot_limit`: seconds to its first line; `silence_limit`: seconds between its lines after that.  `tell` is called
    after each line.  Raises Trouble if it does not come to a good end.
    """
    heard = Conversation()
    with subprocess.Popen(
        command(image, initramfs, log, arch), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as guest:
        try:
            for line in _lines(guest, lambda: silence_limit if heard.hello else boot_limit):
                heard.hear(line)
                if heard.over:
                    return heard
                tell(heard)
            complaint = (guest.stderr.read() if guest.stderr else b"").decode(errors="replace").strip()
            if guest.wait() and complaint:
                raise Trouble(f"{arch.qemu}: {complaint.splitlines()[-1]}")
            raise Trouble(f"the guest ended early; the last words on its console ({log}): {last_words(log)}")
        except TimeoutError:
            seconds = silence_limit if heard.hello else boot_limit
            what = f"after {len(heard.results)} scenarios" if heard.hello else "since it was started"
            raise Trouble(
                f"the guest said nothing for {seconds:.0f} s {what}; the last words on its console ({log}): "
                f"{last_words(log)}"
            ) from None
        finally:
            guest.kill()


def _lines(guest: subprocess.Popen[bytes], limit: Callable[[], float]) -> Any:
    """The guest's lines as they come; TimeoutError when `limit` seconds bring no whole line."""
    assert guest.stdout is not None
    out, rest = guest.stdout.fileno(), b""
    deadline = time.monotonic() + limit()
    while True:
        if not select.select([out], [], [], max(0.0, deadline - time.monotonic()))[0]:
            raise TimeoutError
        data = os.read(out, 1 << 16)
        if not data:
            return
        *lines, rest = (rest + data).split(b"\n")
        for line in lines:
            yield line
            deadline = time.monotonic() + limit()
