"""Files that are written whole or not at all."""

from __future__ import annotations

import lzma
import os
import tempfile
from pathlib import Path


def write_whole(path: Path, text: str | bytes) -> None:
    """Write a file so that it is there whole or not at all; packed if its name ends in `.xz`.

    What is no ordinary file (a pipe, `/dev/null`) is written to as it is, and a link stays one.  Until it is whole it
    lies beside its place under a fresh name that nothing had before; a file that is replaced keeps its permissions.
    """
    data = text.encode() if isinstance(text, str) else text
    if path.suffix == ".xz":
        data = lzma.compress(data, preset=9)
    there = path.resolve()
    try:
        if there.exists() and not there.is_file():
            there.write_bytes(data)
            return
        handle, beside = tempfile.mkstemp(prefix=f".{there.name[:100]}.", dir=there.parent)
        try:
            with open(handle, "wb") as file:
                file.write(data)
            os.chmod(beside, there.stat().st_mode & 0o7777 if there.exists() else 0o666 & ~_umask())
            os.replace(beside, there)
        except BaseException:
            os.unlink(beside)
            raise
    except OSError as error:  # a full disk is said without the name of the file
        raise OSError(error.errno, error.strerror, str(path)) from None


def _umask() -> int:
    """The bits that a new file of this process does not get."""
    now = os.umask(0o077)
    os.umask(now)
    return now
