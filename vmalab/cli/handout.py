"""The lessons as `vmalab lab` gives them: copied to a folder, brought up to date later, nobody's work touched.

What was handed out is remembered by its hashes in a file of that folder (`RECORD`).  A lesson that is still as it was
handed out gives way to the new one; so does one that was only looked at or run, for JupyterLab writes outputs and
metadata into it then.  One of which a cell was changed is somebody's work: it stays, and the new one is put beside it
under a name that says where it comes from.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from hashlib import sha256
from itertools import count
from pathlib import Path

from attrs import field, frozen

from vmalab.errors import UsageError
from vmalab.programs import data
from vmalab.programs.files import write_whole

RECORD = ".vmalab-lessons.json"
"""What was handed out: `{"handed out": {file: sha256, ...}}`; for a notebook two of them, the second of its cells."""


DIGESTS = Path(__file__).with_name("lessons.sha256")
"""The lessons of this version, as sha256sum(1) writes it.  It lies with the code: who can change it needs no lesson."""


@frozen
class HandedOut:
    """What `hand_out` did, as paths within the folder."""

    fresh: list[str] = field(factory=list)
    """New here."""
    renewed: list[str] = field(factory=list)
    """Replaced, because nobody had changed them."""
    kept: dict[str, str] = field(factory=dict)
    """Of which somebody changed a cell, and where the new one was put."""
    same: list[str] = field(factory=list)
    """Left alone: up to date, or changed while the lesson itself is still the one handed out last."""

    def __str__(self) -> str:
        """What became of the lessons; their pictures are not counted."""
        groups = {"new": self.fresh, "brought up to date": self.renewed, "as before": self.same}
        counted = {word: sum(name.endswith(".ipynb") for name in names) for word, names in groups.items()}
        said = [", ".join(f"{number} {word}" for word, number in counted.items() if number)]
        said += [f"{name} is yours and stays, the new one is {other}" for name, other in self.kept.items()]
        return "; ".join(filter(None, said))


def hand_out(folder: Path, version: str) -> HandedOut:
    """Put the lessons of this `version` of vmalab into `folder`, which is made.

    Where `folder` is the lessons' own (a checkout's `notebooks`), nothing is copied.  Raises UsageError where there are
    no lessons, or the folder can't be written.
    """
    source = data.lessons()
    names = _lessons(source)
    if folder.resolve() == source.resolve():
        return HandedOut(same=names)
    if source.resolve() in folder.resolve().parents:
        raise UsageError(f"{folder} lies within the lessons' own folder: choose one outside of it")
    done = HandedOut()
    try:
        known = _remembered(folder)
        for name in names:
            _hand_out_one(source / name, folder, name, version, known, done)
        folder.mkdir(parents=True, exist_ok=True)
        record = {"handed out": dict(sorted(known.items()))}
        write_whole(folder / RECORD, (json.dumps(record, indent=1) + "\n").encode())
    except OSError as error:
        raise UsageError(f"the lessons can't be put into {folder}: {(error.strerror or str(error)).lower()}") from None
    return done


def untouched(content: bytes) -> bool:
    """Whether these bytes are a lesson of this version of vmalab."""
    return sha256(content).hexdigest() in {line.split()[0] for line in DIGESTS.read_text(encoding="ascii").splitlines()}


def digests(paths: Iterable[Path]) -> str:
    """The text of `DIGESTS` for these lessons."""
    return "".join(f"{sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in sorted(paths))


def _lessons(source: Path) -> list[str]:
    """The lessons and their pictures, without what Jupyter keeps for itself in hidden folders."""
    found = [path.relative_to(source) for path in source.rglob("*") if path.is_file()]
    names = sorted(path.as_posix() for path in found if not any(part.startswith(".") for part in path.parts))
    if not names:
        raise UsageError(f"this installation of vmalab has no lessons: there is nothing in {source}")
    return names


def _remembered(folder: Path) -> dict[str, str]:
    """File → hash of what was handed out.  With no record that can be read, every file counts as somebody's work."""
    try:
        known = json.loads((folder / RECORD).read_text(encoding="utf-8"))["handed out"]
        return {str(name): str(value) for name, value in known.items()}
    except (FileNotFoundError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def _hand_out_one(
    lesson: Path, folder: Path, name: str, version: str, known: dict[str, str], done: HandedOut
) -> None:  # fmt: skip
    content = lesson.read_bytes()
    new = _hashes(content)
    there = _hash(folder / name)
    old = known.get(name)
    if there is None:
        done.fresh.append(name)
        _write(folder / name, content)
    elif new in (there, old) or (_alike(there, new) and not _alike(there, old)):
        done.same.append(name)
    elif _alike(there, old):
        done.renewed.append(name)
        _write(folder / name, content)
    else:
        beside = _beside(folder, name, version, new, known)
        done.kept[name] = beside
        known[beside] = new
        _write(folder / beside, content)
    known[name] = new


def _beside(folder: Path, name: str, version: str, new: str, known: dict[str, str]) -> str:
    """A name near `name` that is free, or at which nothing stands that somebody changed."""
    path = Path(name)
    for number in count(1):
        again = "" if number == 1 else f"-{number}"
        other = path.with_name(f"{path.stem}-from-vmalab-{version}{again}{path.suffix}").as_posix()
        there = _hash(folder / other)
        if there is None or _alike(there, new) or _alike(there, known.get(other)):
            return other
    raise AssertionError("unreachable: count never ends")


def _hash(path: Path) -> str | None:
    """The hashes of a file; None where there is none."""
    try:
        return _hashes(path.read_bytes())
    except FileNotFoundError:
        return None


def _hashes(content: bytes) -> str:
    """The hash of all bytes, and of a notebook behind it that of its cells without what a run leaves in them."""
    whole = sha256(content).hexdigest()
    try:
        cells = [[cell["cell_type"], "".join(cell["source"])] for cell in json.loads(content)["cells"]]
    except (ValueError, KeyError, TypeError):
        return whole
    return f"{whole} {sha256(json.dumps(cells).encode()).hexdigest()}"


def _alike(one: str, other: str | None) -> bool:
    """Whether two files have all bytes in common, or two notebooks all cells."""
    return other is not None and not set(one.split()).isdisjoint(other.split())


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, content)
