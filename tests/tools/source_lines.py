"""Where the functions that steps name stand in the kernel's source, for those that a release cannot trace.

    python -m tests.tools.source_lines FOLDER

FOLDER holds unpacked sources, `linux-source-VERSION` each, as Debian's packages of that name unpack.  Written is
`data/traces/lines.json`: release → function → the line that defines it and the lines that call it, or null where that
release has no such function.  `docs/traces.md` prints it.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

from vmalab.linux.functions import PLACES
from vmalab.machines.traces import load, releases
from vmalab.programs.files import write_whole

ROOT = Path(__file__).parents[2]
LINES = ROOT / "data" / "traces" / "lines.json"
FOLDERS = ("mm", "fs", "kernel", "include/linux", "arch/x86/mm")
MOST_CALLS = 3
"""So many calling lines are told."""


def version_of(folder: Path) -> str:
    """`6.12.107` from the Makefile of a source tree."""
    found = dict(
        re.findall(r"^(VERSION|PATCHLEVEL|SUBLEVEL) = (\d+)$", (folder / "Makefile").read_text(), re.MULTILINE)
    )
    return ".".join(found[name] for name in ("VERSION", "PATCHLEVEL", "SUBLEVEL"))


def files_of(folder: Path) -> dict[str, list[str]]:
    """Path → lines, of the files where an address space is made."""
    paths = [path for part in FOLDERS for path in sorted((folder / part).glob("*.[ch]"))
             if path.name != "nommu.c"]  # fmt: skip
    return {str(path.relative_to(folder)): path.read_text(errors="replace").splitlines() for path in paths}


def where(func: str, files: dict[str, list[str]]) -> dict[str, object] | None:
    """The line that defines a function, what it says before the name, and lines that call it."""
    word = re.compile(rf"\b{func}\(")
    system_call = re.compile(rf"^SYSCALL_DEFINE\d\({func}\b")
    hits = [(path, at, line) for path, lines in files.items() for at, line in enumerate(lines)
            if func in line and (word.search(line) or system_call.search(line))]  # fmt: skip
    defined: tuple[str, int] | None = None
    kind = ""
    for path, at, line in hits:
        if line[:1] in " \t/*#" or not _is_body(files[path], at):
            continue
        before = files[path][at - 1] if line.startswith(func) else ""
        words = f"{before} {line}".split("(")[0].split()
        kind = " ".join(word for word in ("static", "inline", "noinline", "__always_inline") if word in words)
        if system_call.search(line):
            kind = "a system call"
        defined = path, at
        break
    if defined is None:
        return None
    calls = [f"{path}:{at + 1}" for path, at, line in hits if line[:1] in " \t" and not line.lstrip().startswith("*")]
    if system_call.search(files[defined[0]][defined[1]]):
        calls = []
    elif not calls:  # it is handed to another function
        calls = [f"{path}:{at + 1}" for path, lines in files.items() for at, line in enumerate(lines)
                 if re.search(rf"[(,\t ]{func}[,)]", line) and "*" not in line]  # fmt: skip
    near = [one for one in calls if one.startswith(f"{defined[0]}:")] or calls
    return {"defined": f"{defined[0]}:{defined[1] + 1}", "as": kind, "called": near[:MOST_CALLS]}


def _is_body(lines: list[str], at: int) -> bool:
    """Whether what is declared in line `at` has a body, and is no declaration alone."""
    for line in lines[at : at + 12]:
        if line.startswith("{"):
            return True
        if line.rstrip().endswith(";"):
            return False
    return False


def main(folder: Path) -> int:
    """Write the file."""
    names = sorted({name.partition(".")[0] for name in PLACES})
    traces = {one.release: one for one in map(load, releases())}
    found: dict[str, dict[str, object]] = {}
    for tree in sorted(folder.glob("linux-source-*/")):
        version = version_of(tree)
        # Debian names all its 6.1 kernels 6.1.0
        trace = traces.get(version) or traces.get("6.1.0" if version.startswith("6.1.") else "")
        if trace is None:
            print(f"no trace of {version}", file=sys.stderr)
            continue
        files = files_of(tree)
        found[version] = {name: where(name, files) for name in names if name not in trace.traceable}
    write_whole(LINES, json.dumps(dict(sorted(found.items())), indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
