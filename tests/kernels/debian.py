"""Kernel images out of Debian's packages: which releases there are, and one release's `vmlinuz`.

apt does the work, with a configuration of its own (a file named by APT_CONFIG): its own sources, lists and cache, all
in the cache folder, so the system's lists stay as they are and nothing is installed.  The mirror is the one that this
system's own apt uses, read when it is needed: none is written down here.
"""

from __future__ import annotations

import getpass
import os
import re
import shutil
import subprocess
import tarfile
import time
from collections.abc import Iterable
from pathlib import Path

from tests.kernels.arch import X86_64, Arch
from tests.kernels.trouble import Trouble

SUITES = ("bookworm", "trixie", "trixie-backports", "forky", "sid")
"""Where the releases are: 6.1, 6.12, 6.16 to 7.3, and the newest ones."""

KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
FRESH = 12 * 3600
"""Seconds for which a list of packages is taken as it is."""

# From 6.19 on the image is in linux-binary-*, and linux-image-* of the same release is empty and depends on it.
PACKAGE = r"linux-(binary|image)-(\d[\w.+~]*(?:-\d+)?)-"

USERLAND = tuple(
    "python3.11-minimal libpython3.11-minimal libpython3.11-stdlib libc6 zlib1g libexpat1 libffi8 libbz2-1.0 liblzma5 "
    "libuuid1 libgcc-s1 busybox-static".split()
)
"""What a guest of another machine than this one needs, of bookworm."""


def release_key(release: str) -> tuple[int, ...]:
    """The numbers of a release or of a kernel's name, for sorting: `"6.18.15+deb13"` is (6, 18, 15, 13)."""
    return tuple(int(number) for number in re.findall(r"\d+", release))


def belongs(release: str, wanted: str) -> bool:
    """Whether kernel `release` is what `wanted` (`"6.18"`, `"6.18.15"`, or the whole name) asks for."""
    return release == wanted or re.match(re.escape(wanted) + r"(?![\d])", release) is not None


def newest(releases: Iterable[str], wanted: str) -> str | None:
    """The newest one of `releases` that is what `wanted` asks for."""
    fitting = [release for release in releases if belongs(release, wanted)]
    return max(fitting, key=release_key, default=None)


def series_of(release: str) -> str:
    """`"7.4"` of `"7.4.2+deb14"`."""
    return ".".join(map(str, release_key(release)[:2]))


def newer_series(releases: Iterable[str], than: Iterable[str]) -> list[str]:
    """The series among `releases` that are newer than the newest of `than`, oldest first."""
    last = max(map(release_key, than))
    found = {series_of(release) for release in releases}
    return sorted((series for series in found if release_key(series) > last), key=release_key)


def _run(command: list[str], environment: dict[str, str] | None = None, where: Path | None = None) -> str:
    """What a command prints; a failure is Trouble with the last line it complained in."""
    if shutil.which(command[0]) is None:
        raise Trouble(
            f"{command[0]} is not there: kernel images come from Debian's packages, so apt and dpkg are needed"
        )
    done = subprocess.run(
        command, cwd=where, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if done.returncode:
        complaints = [line for line in done.stderr.splitlines() if line.strip()]
        complaint = next(
            (line for line in complaints if line.startswith("E:")), (complaints or ["no reason given"])[-1]
        )
        raise Trouble(f"{' '.join(command[:2])} failed: {complaint}")
    return done.stdout


def system_mirror() -> str:
    """The base of the Debian mirror in this system's own apt sources."""
    targets = _run(["apt-get", "indextargets", "--format", "$(REPO_URI) $(ORIGIN) $(LABEL)", "Created-By: Packages"])
    found = [line.split() for line in targets.splitlines()]
    # Before the first `apt-get update` of a system nothing tells whose a source is but its address.
    for uri, *who in found:
        if who == ["Debian", "Debian"] or (who[:1] == ["$(ORIGIN)"] and uri.rstrip("/").endswith("/debian")):
            return uri
    raise Trouble("this system's apt has no Debian mirror among its sources: name one with --mirror")


class Images:
    """The kernel images of a cache folder, and the packages that new ones come from.

    `folder`: made when needed.  `mirror`: base of a Debian mirror, or None for the system's own.  `offline`: only
    what is in the folder.
    """

    def __init__(self, folder: Path, mirror: str | None = None, offline: bool = False, arch: Arch = X86_64) -> None:
        self.folder = folder
        self.arch = arch
        self.mirror = mirror
        self.offline = offline
        self._apt = folder / ("apt" if arch is X86_64 else f"apt-{arch.debian}")
        self._packages: dict[str, str] | None = None

    def kept(self) -> dict[str, Path]:
        """The releases whose image is in the folder already."""
        return {path.name.removeprefix("vmlinuz-"): path for path in self._images.glob("vmlinuz-*")}

    @property
    def _images(self) -> Path:
        """Where the images of this machine are kept."""
        return self.folder if self.arch is X86_64 else self.folder / self.arch.name

    def available(self) -> dict[str, str]:
        """Release → package, for all releases the suites have.  Asks the network if the lists are old."""
        if self._packages is None:
            self._configure()
            self._update()
            best: dict[str, str] = {}
            for name in self._ask("apt-cache", "pkgnames", "linux-").split():
                match = re.fullmatch(f"{PACKAGE}(?:{'|'.join(self.arch.flavours)})", name)
                if match and (match[1] == "binary" or match[2] not in best):
                    best[match[2]] = name
            if not best:
                raise Trouble(f"the mirror's suites have no linux-image-*-{self.arch.flavours[0]} package")
            self._packages = best
        return self._packages

    def image(self, wanted: str) -> Path:
        """The image of the newest release that `wanted` asks for, downloaded if it is not kept.

        Without a network the newest one that is kept will do.
        """
        kept = self.kept()
        if wanted in kept:
            return kept[wanted]
        here = newest(kept, wanted)
        try:
            packages = {} if self.offline else self.available()
        except Trouble as trouble:
            if here is None:
                raise Trouble(f"no kernel {wanted}: {trouble}") from None
            return kept[here]
        release = newest(packages, wanted) or here
        if release is None:
            have = ", ".join(sorted({*kept, *packages}, key=release_key)) or "none at all"
            raise Trouble(f"there is no kernel {wanted} here: there are {have}")
        return kept[release] if release in kept else self._download(release, packages[release])

    # --- apt

    def _configure(self) -> None:
        mirror = self.mirror or system_mirror()
        signed = f"signed-by={KEYRING} " if Path(KEYRING).exists() else ""
        for part in ("lists/partial", "cache/archives/partial"):
            (self._apt / part).mkdir(parents=True, exist_ok=True)
        (self._apt / "status").touch()
        sources = "".join(f"deb [{signed}arch={self.arch.debian}] {mirror} {suite} main\n" for suite in SUITES)
        path = self._apt / "sources.list"
        if not path.exists() or path.read_text() != sources:
            path.write_text(sources)
            (self._apt / "updated").unlink(missing_ok=True)
        settings = {
            "Dir::Etc::SourceList": path,
            "Dir::Etc::SourceParts": "/dev/null",
            "Dir::State::Lists": self._apt / "lists",
            "Dir::State::status": self._apt / "status",
            "Dir::Cache": self._apt / "cache",
            "APT::Architecture": self.arch.debian,
            "APT::Sandbox::User": getpass.getuser(),  # the usual _apt may not be able to write here
            "Acquire::Languages": "none",
            "Acquire::Retries": "2",
        }
        (self._apt / "apt.conf").write_text("".join(f'{key} "{value}";\n' for key, value in settings.items()))

    def _ask(self, *command: str, where: Path | None = None) -> str:
        return _run(list(command), {**os.environ, "APT_CONFIG": str(self._apt / "apt.conf"), "LC_ALL": "C"}, where)

    def _update(self) -> None:
        stamp = self._apt / "updated"
        if not stamp.exists() or time.time() - stamp.stat().st_mtime > FRESH:
            self._ask("apt-get", "update", "-qq", "--error-on=any")
            stamp.touch()

    def _download(self, release: str, package: str) -> Path:
        """Fetch one package, keep its image, drop the rest."""
        folder = self._apt / f"package-{os.getpid()}"
        folder.mkdir(parents=True, exist_ok=True)
        try:
            self._ask("apt-get", "download", "-qq", package, where=folder)
            (archive,) = folder.glob("*.deb")
            target = self._images / f"vmlinuz-{release}"
            target.parent.mkdir(parents=True, exist_ok=True)
            part = target.with_name(f"part-{target.name}")
            part.write_bytes(image_in(archive))
            part.replace(target)
            return target
        finally:
            shutil.rmtree(folder)

    def userland(self) -> Path:
        """A folder with the unpacked packages that a guest of this machine runs, downloaded if it is not kept."""
        target = self.folder / f"userland-{self.arch.debian}"
        if target.exists():
            return target
        if self.offline:
            raise Trouble(
                f"the guest's programs for {self.arch.debian} are not in {self.folder}: run once with a network"
            )
        self._configure()
        self._update()
        folder = self._apt / f"userland-{os.getpid()}"
        (folder / "root").mkdir(parents=True, exist_ok=True)
        try:
            self._ask("apt-get", "download", "-qq", *(f"{name}/bookworm" for name in USERLAND), where=folder)
            for archive in folder.glob("*.deb"):
                _run(["dpkg-deb", "-x", str(archive), str(folder / "root")])
            return (folder / "root").replace(target)
        finally:
            shutil.rmtree(folder)


def image_in(archive: Path) -> bytes:
    """The kernel image in a package file."""
    unpack = subprocess.Popen(["dpkg-deb", "--fsys-tarfile", str(archive)], stdout=subprocess.PIPE)
    with unpack, tarfile.open(fileobj=unpack.stdout, mode="r|") as members:
        for member in members:
            name = member.name.removeprefix("./")
            if member.isfile() and re.fullmatch(r"boot/vmlinuz-.*|(usr/)?lib/modules/[^/]+/vmlinuz", name):
                content = members.extractfile(member)
                assert content is not None
                image = content.read()
                unpack.kill()
                return image
    raise Trouble(f"there is no kernel image in {archive.name}")
