"""Where an edition is written: into a folder that is empty, or that holds an edition which nobody has changed.

Which files are ours, and what was in them, is remembered in the folder (`RECORD`).  When an edition is built again, the
old files go and the new ones come; whatever else lies there (submissions, a gradebook) is left alone.  A file of ours
that somebody has changed is somebody's work: then nothing is written.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable
from hashlib import sha256
from pathlib import Path

from vmalab.errors import UsageError

RECORD = ".vmalab-edition.json"
"""What was written: `{"edition": name, "files": {path: sha256, ...}}`; while it is being replaced, also `"before"`: the
files that it replaces."""

HALF_MADE = ".vmalab-half-made-"
"""Beside the folder, an edition is made under this name and the number of the process that makes it."""


def write_edition(folder: Path, edition: str, make: Callable[[Path], None]) -> tuple[int, int]:
    """Let `make` write the files of `edition` into a new folder, then put them into `folder`; how many files and bytes.

    Raises UsageError where `folder` holds what is not ours; it is then left as it was, and so it is when `make` fails.
    """
    before = _ours(folder, edition)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        _clear_half_made(folder.parent)
        with tempfile.TemporaryDirectory(prefix=f"{HALF_MADE}{os.getpid()}-", dir=folder.parent) as name:
            place = Path(name)
            make(place)
            files = sorted(path.relative_to(place).as_posix() for path in place.rglob("*") if path.is_file())
            _free(folder, set(files) - set(before))
            record = {file: _hash(place / file) for file in files}
            folder.mkdir(exist_ok=True)
            # from here on a build that is killed is taken up by the next one
            _write_record(place, folder, {"edition": edition, "files": record, "before": before})
            for file in set(before) - set(files):
                (folder / file).unlink(missing_ok=True)
            for file in files:
                (folder / file).parent.mkdir(parents=True, exist_ok=True)
                (place / file).replace(folder / file)
            _write_record(place, folder, {"edition": edition, "files": record})
    except OSError as error:
        raise UsageError(f"{folder} can't be written: {(error.strerror or str(error)).lower()}") from None
    return len(files), sum((folder / file).stat().st_size for file in files)


def _write_record(place: Path, folder: Path, record: dict[str, object]) -> None:
    """Put the record into `folder`, whole; it is made in `place`, which is cleared away whatever happens."""
    (place / RECORD).write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    (place / RECORD).replace(folder / RECORD)


def _clear_half_made(parent: Path) -> None:
    """Remove what builds have left that were killed: those whose process is no more."""
    for path in parent.glob(f"{HALF_MADE}*-*"):
        number = path.name.removeprefix(HALF_MADE).partition("-")[0]
        if number.isdigit() and not Path(f"/proc/{number}").exists() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)


def _ours(folder: Path, edition: str) -> dict[str, str]:
    """The files of the edition that is there already; UsageError where something else is, or somebody changed it."""
    if not folder.exists():
        return {}
    if not folder.is_dir():
        raise UsageError(f"{folder} is a file: choose another folder with --output")
    try:
        record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        files = {str(file): str(value) for file, value in record["files"].items()}
        replaced = {str(file): str(value) for file, value in record.get("before", {}).items()}
        kind = record["edition"]
    except FileNotFoundError:
        if any(folder.iterdir()):
            raise UsageError(
                f"{folder} is not empty and no edition of vmalab: choose another folder with --output"
            ) from None
        return {}
    except (ValueError, KeyError, TypeError, AttributeError):
        raise UsageError(f"{folder / RECORD} can't be read: choose another folder with --output") from None
    if kind != edition:
        raise UsageError(f"{folder} holds the edition {kind}: choose another folder with --output")
    inside = folder.resolve()
    for file in {**replaced, **files}:
        path = Path(file)
        leaves = "\0" in file or path.is_absolute() or ".." in path.parts
        if leaves or not (inside / file).resolve().is_relative_to(inside):
            raise UsageError(f"{folder / RECORD} names {file!r}, which is outside of {folder}: choose --output")
        if (folder / file).is_file() and _hash(folder / file) not in (files.get(file), replaced.get(file)):
            raise UsageError(f"{folder / file} was changed since it was built: move it away, or choose --output")
    return replaced | files


def _free(folder: Path, files: Iterable[str]) -> None:
    """Raise UsageError where a file that is to be written is there already, and not ours."""
    for file in sorted(files):
        if (folder / file).exists():
            raise UsageError(f"{folder / file} is in the way and not ours: move it away, or choose --output")


def _hash(path: Path) -> str:
    return sha256(path.read_bytes()).hexdigest()


def copy_pictures(lessons: Iterable[Path], folder: Path) -> None:
    """Put the pictures that lessons show beside them, into `folder`, and the modules of lessons that are not ours."""
    for place in sorted({path.parent / "pictures" for path in lessons}):
        if place.is_dir():
            shutil.copytree(place, folder / "pictures", dirs_exist_ok=True)
    copy_modules(lessons, folder)


def copy_modules(lessons: Iterable[Path], folder: Path) -> None:
    """Put the modules that lessons import (`NAME_lesson.py` beside `NAME.ipynb`) into `folder`."""
    for path in lessons:
        if (module := module_of(path)).is_file():
            shutil.copy(module, folder / module.name)


def module_of(lesson: Path) -> Path:
    """The module with a lesson's exercises and questions; the course's own are in the package."""
    return lesson.with_name(f"{lesson.stem.replace('-', '_')}_lesson.py")
