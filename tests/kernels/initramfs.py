"""The file system of a guest, as two cpio archives behind each other: one that is always the same, one for this run.

The first is large and kept: busybox, a Python with its standard library, the shared libraries that both need.  The
second holds the live driver of this checkout, `guest.py` and the request.  The kernel unpacks both.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import re
import shutil
import stat
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from tests.kernels.arch import X86_64, Arch
from tests.kernels.trouble import Trouble
from vmalab.machines.live.wire import asked
from vmalab.programs.scenario import Scenario

HERE = Path(__file__).resolve().parent
DRIVER = HERE.parents[1] / "vmalab" / "machines" / "live" / "driver"

PYTHONS = tuple(f"/usr/bin/python3.{minor}" for minor in (11, 12, 13, 14))
"""Which Python is packed: the first of these; Debian's own, since its files stand where they are looked for."""

LEFT_OUT = frozenset("test idlelib ensurepip lib2to3 tkinter turtledemo pydoc_data dist-packages site-packages".split())

INIT = """\
#!/bin/busybox sh
b=/bin/busybox
$b mkdir -p /proc /sys /dev /tmp
$b mount -t proc proc /proc
$b mount -t sysfs sys /sys
$b mount -t tracefs tracefs /sys/kernel/tracing 2>/dev/null
$b mount -t devtmpfs dev /dev
$b mount -t tmpfs tmp /tmp
$b ip link set lo up 2>/dev/null
{python} -I -S /vmalab/guest.py /vmalab /dev/{port}
$b sync
$b poweroff -f
"""

Files = Mapping[str, tuple[int, bytes]]
"""Path in the guest → (mode, content)."""


# --- cpio ----------------------------------------------------------------------------------------------------


def cpio(files: Files) -> bytes:
    """A "newc" archive of `files` and the directories they lie in."""
    entries: dict[str, tuple[int, bytes]] = {}
    for path in sorted(files):
        parts = path.strip("/").split("/")
        for depth in range(1, len(parts)):
            entries.setdefault("/".join(parts[:depth]), (stat.S_IFDIR | 0o755, b""))
        mode, content = files[path]
        entries["/".join(parts)] = (stat.S_IFREG | mode, content)
    members = [_member(number, name, *entry) for number, (name, entry) in enumerate(entries.items(), 1)]
    return b"".join([*members, _member(0, "TRAILER!!!", 0, b"")])


def _member(inode: int, name: str, mode: int, content: bytes) -> bytes:
    """Header, name and content, each padded to four bytes."""
    encoded = name.encode() + b"\0"
    links = 2 if stat.S_ISDIR(mode) else 1
    fields = (inode, mode, 0, 0, links, 0, len(content), 0, 0, 0, 0, len(encoded), 0)
    head = b"070701" + b"".join(b"%08X" % field for field in fields) + encoded
    return head + b"\0" * (-len(head) % 4) + content + b"\0" * (-len(content) % 4)


# --- the large, kept part ------------------------------------------------------------------------------------


def busybox() -> Path:
    """Debian's statically linked busybox."""
    found = shutil.which("busybox")
    if found is None:
        raise Trouble("busybox is not installed, and guests need it: apt install busybox-static")
    if libraries(Path(found)):
        raise Trouble(f"{found} needs shared libraries, and guests need one that does not: apt install busybox-static")
    return Path(found)


def python() -> Path:
    """The Python that guests run."""
    for path in map(Path, PYTHONS):
        if path.exists() and library(path).is_dir():
            return path
    raise Trouble(f"there is no {PYTHONS[0]} (nor a newer one beside it), and guests need it: apt install python3")


def library(interpreter: Path) -> Path:
    """Where the standard library of Debian's `interpreter` stands."""
    return interpreter.parents[1] / "lib" / interpreter.name


def libraries(*binaries: Path) -> set[str]:
    """The shared libraries that ldd names for `binaries`, the loader included."""
    done = subprocess.run(["ldd", *map(str, binaries)], capture_output=True, text=True, check=False)
    return set(re.findall(r"(/\S+) \(0x", done.stdout))


def _standard_library(folder: Path) -> Iterator[Path]:
    for path, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name not in LEFT_OUT and not name.startswith("config-")]
        for name in names:
            yield Path(path, name)


def base(folder: Path) -> Path:
    """The packed large part, made in `folder` unless one of the same busybox and Python is there."""
    box, interpreter = busybox(), python()
    stamps = [(str(path), path.stat().st_size, path.stat().st_mtime_ns) for path in (box, interpreter)]
    digest = hashlib.sha256(json.dumps([stamps, INIT]).encode()).hexdigest()[:12]
    target = folder / f"initramfs-{digest}.gz"
    if target.exists():
        return target
    sources = [interpreter, *_standard_library(library(interpreter))]
    binaries = [interpreter, *(path for path in sources if path.suffix == ".so")]
    sources += map(Path, sorted(libraries(*binaries)))
    # A link is followed: what it leads to stands under its name.
    files = {str(path): (0o755 if path in binaries else 0o644, path.read_bytes()) for path in sources if path.is_file()}
    files |= {path: (0o755, content) for path, (_, content) in files.items() if ".so" in Path(path).name}
    files["bin/busybox"] = (0o755, box.read_bytes())
    files["init"] = (0o755, INIT.format(python=interpreter, port=X86_64.port).encode())
    folder.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f"part-{os.getpid()}-{target.name}")
    part.write_bytes(gzip.compress(cpio(files), 6, mtime=0))
    part.replace(target)
    return target


def foreign(folder: Path, root: Path, arch: Arch) -> Path:
    """The packed large part for another machine, of the packages unpacked in `root` (nothing of them runs here)."""
    target = folder / f"initramfs-{arch.debian}-{hashlib.sha256(INIT.encode()).hexdigest()[:12]}.gz"
    if target.exists():
        return target
    files: dict[str, tuple[int, bytes]] = {}
    for path in sorted(root.rglob("*")):
        name = str(path.relative_to(root))
        if not name.startswith(("bin/", "lib/", "usr/bin/", "usr/lib/")) or LEFT_OUT.intersection(path.parts):
            continue
        where = path
        while where.is_symlink():  # what a link leads to stands under its name
            aim = where.readlink()
            where = root / aim.relative_to("/") if aim.is_absolute() else where.parent / aim
        if where.is_file():
            files[name] = (0o755 if os.access(where, os.X_OK) or ".so" in name else 0o644, where.read_bytes())
    files["init"] = (0o755, INIT.format(python="/usr/bin/python3.11", port=arch.port).encode())
    part = target.with_name(f"part-{os.getpid()}-{target.name}")
    part.write_bytes(gzip.compress(cpio(files), 6, mtime=0))
    return part.replace(target)


# --- the small part of one run -------------------------------------------------------------------------------


def request(scenarios: Iterable[Scenario], trace: bool = False) -> bytes:
    """The archive with what a guest runs: the driver, `guest.py`, and the scenarios as the driver takes them.

    `trace`: the guest also keeps the kernel's own trace of each call.
    """
    wanted = {"scenarios": list(map(asked, scenarios)), "trace": trace}
    files = {f"vmalab/driver/{path.name}": (0o644, path.read_bytes()) for path in sorted(DRIVER.glob("*.py"))}
    if not files:
        raise Trouble(f"there is no live driver in {DRIVER}")
    files["vmalab/guest.py"] = (0o644, (HERE / "guest.py").read_bytes())
    files["vmalab/request.json"] = (
        0o644,
        json.dumps(wanted).encode(),
    )
    return cpio(files)


def whole(kept: Path, scenarios: Iterable[Scenario], target: Path, trace: bool = False) -> Path:
    """Write the file system of one run to `target`."""
    with open(target, "wb") as file, open(kept, "rb") as first:
        shutil.copyfileobj(first, file)
        file.write(b"\0" * (-file.tell() % 4))
        file.write(request(scenarios, trace))
    return target
