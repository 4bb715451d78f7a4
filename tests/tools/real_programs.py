"""The model against real programs of this machine: `python -m tests.tools.real_programs [NAME ...] [--keep FOLDER]`.

Traces each program with `vmalab trace`, once as it is and once with `setarch -R`, replays it, and prints the table of
docs/real-programs.md.  A program that is not installed is told and left out: on Debian,
`apt install git sqlite3 redis-server postgresql ruby default-jre-headless nodejs perl gcc qemu-system-x86 chromium vim
gdb tcl`.
Not part of `make test`: it takes some minutes.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

from vmalab.errors import VmalabError
from vmalab.machines.replay.program import Replayed, replay_with_accesses
from vmalab.programs.strace import read_log
from vmalab.system.strace import trace

THREADS = """
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
static void *work(void *x) {
  for (int i = 0; i < 200; i++) { char *p = malloc(1000 + i * 700); memset(p, 1, 1000); free(p); }
  return malloc(300000); }
int main(void) { pthread_t t[8]; for (int i = 0; i < 8; i++) pthread_create(t + i, 0, work, 0);
  for (int i = 0; i < 8; i++) pthread_join(t[i], 0); return 0; }
"""
DONTUNMAP = """
#define _GNU_SOURCE
#include <sys/mman.h>
#include <string.h>
int main(void) { enum { N = 64 << 12 };
  char *heap = mmap(0, N, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0); memset(heap, 1, N);
  for (int i = 0; i < 20; i++) { char *old = mremap(heap, N, N, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, 0);
    for (int page = 0; page < 64; page += 8) mprotect(old + page * 4096, 4096, PROT_READ);
    memset(heap, 2, N); munmap(old, N); } return 0; }
"""
PROGRAMS: dict[str, str] = {
    "cat": "cat /etc/passwd",
    "CPython with json": "/usr/bin/python3 -c 'import json, decimal, re; json.dumps([1])'",
    "CPython with pandas": f"{sys.executable} -c 'import pandas; pandas.DataFrame(dict(a=range(9999))).sum()'",
    "CPython with numpy": f"{sys.executable} -c 'import matplotlib.figure, numpy; numpy.ones((500, 500)).sum()'",
    "gcc": "gcc -O2 -o DIR/threads DIR/threads.c -lpthread",
    "git": "git -C /usr/share init DIR/repository",
    "sqlite3": "sqlite3 DIR/x.db 'create table t(a); insert into t select value from generate_series(1,20000);'",
    "redis-server": "timeout -s INT 2 redis-server --port 0 --unixsocket DIR/redis.sock --save ''",
    "PostgreSQL's initdb": "runuser -u nobody -- /usr/lib/postgresql/15/bin/initdb -D DIR/pg --no-sync",
    "node": "node -e 'let a=[]; for (let i=0;i<1e5;i++) a.push({i}); console.log(a.length)'",
    "JVM": "java -Xmx256m -version",
    "ruby": "ruby -e 'require \"json\"; puts (1..100000).map(&:to_s).join.size'",
    "perl": "perl -MData::Dumper -MPOSIX -e '@a=map{$_ x 100}1..20000; print scalar @a'",
    "qemu": "timeout -s TERM 3 qemu-system-x86_64 -display none -machine q35 -m 128 -serial none",
    "chromium headless": "chromium --headless --no-sandbox --disable-gpu --dump-dom about:blank",
    "threads in C": "DIR/threads",
    "MREMAP_DONTUNMAP in C": "DIR/dontunmap",
    "bash": "bash -c 'for i in 1 2 3; do x=$(echo $i); done; declare -A a; for i in {1..20000}; do a[$i]=$i; done'",
    "vim": "vim -u NONE -es -c 'put =range(1,5000)' -c 'qa!'",
    "gdb": "gdb -batch -ex 'info line main' DIR/threads",
    "tcl": "tclsh DIR/x.tcl",
    "make and cc1": "make -C DIR -f DIR/Makefile objects",
    "openssl": "openssl speed -seconds 1 sha256",
}
"""Name → the shell's words for it; DIR is a fresh folder that holds what they need."""


def prepared(folder: Path) -> None:
    (folder / "threads.c").write_text(THREADS)
    (folder / "dontunmap.c").write_text(DONTUNMAP)
    (folder / "x.tcl").write_text("for {set i 0} {$i < 50000} {incr i} { lappend a $i }\n")
    (folder / "Makefile").write_text("objects:\n\tgcc -c -O2 threads.c -o a.o\n\tgcc -c -O1 dontunmap.c -o b.o\n")
    for name in ("threads", "dontunmap"):
        subprocess.run(["gcc", "-O1", "-o", folder / name, folder / f"{name}.c", "-lpthread"], check=True)


def record(name: str, folder: Path, kept: Path, *, fixed: bool) -> Path:
    """Trace one program; `fixed`: without randomised addresses."""
    words = PROGRAMS[name].replace("DIR", str(folder))
    slug = "".join(letter if letter.isalnum() else "-" for letter in name.lower())
    path = kept / f"{slug}{'-R' if fixed else ''}.strace"
    for left in ("pg", "repository", "x.db"):
        there = folder / left
        shutil.rmtree(there, ignore_errors=True)
        there.unlink(missing_ok=True) if there.is_file() else None
    command = ["sh", "-c", f"exec {words}"]
    if fixed:
        command = ["setarch", "-R", *command]
    if not path.exists():
        trace(command, path, hold=0.1)
    return path


def table_row(name: str, plain: Replayed, fixed: Replayed | None) -> tuple[str, Counter[str]]:
    real, exact = plain.real, plain.exact
    alone = plain.at_once if plain.at_once is not None else exact
    alone -= sum(end.layout.exact - end.layout.from_calls for end in plain.ends if end.layout)
    reasons = Counter(pair.reason for end in plain.ends if end.layout for pair in end.layout.pairs if not pair.same)
    calls = plain.counts.total() - plain.counts["aside"]
    share = f"{100 * exact / real:.2f}" if real else "–"
    predicted = f"{fixed.predicted} of {fixed.placed}" if fixed and fixed.placed else "–"
    percent = f"{100 * fixed.predicted / fixed.placed:.1f}" if fixed and fixed.placed else "–"
    why = ", ".join(f"{reason} {count}" for reason, count in reasons.most_common()) or "–"
    cells = [name, len(plain.ends), calls, plain.counts["differs"], real, alone, exact, share, why, predicted, percent]
    counts = Counter(real=real, exact=exact, alone=alone, calls=calls, differs=plain.counts["differs"])
    if fixed:
        counts += Counter(placed=fixed.placed, predicted=fixed.predicted)
    return f"| {' | '.join(map(str, cells))} |", counts


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--keep", type=Path, help="where the traces stay; those that are there are used again")
    given = parser.parse_args()
    total: Counter[str] = Counter()
    print("| program | processes | calls | answered otherwise | VMAs at the end | exact by calls alone | exact | % |"
          " what differs | addresses predicted | % |")  # fmt: skip
    print("|---|---|---|---|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        here.chmod(0o777)
        prepared(here)
        kept = given.keep or here
        kept.mkdir(exist_ok=True)
        for name in given.names or PROGRAMS:
            try:
                plain = replay_with_accesses(read_log(record(name, here, kept, fixed=False)))
                fixed = replay_with_accesses(read_log(record(name, here, kept, fixed=True)), predict=True)
            except VmalabError as error:
                print(f"{name}: {error}", file=sys.stderr)
                continue
            row, counts = table_row(name, plain, fixed)
            total += counts
            print(row, flush=True)
    print(f"| all | | {total['calls']} | {total['differs']} | {total['real']} | {total['alone']} | {total['exact']} | "
          f"{100 * total['exact'] / max(total['real'], 1):.2f} | | {total['predicted']} of {total['placed']} | "
          f"{100 * total['predicted'] / max(total['placed'], 1):.1f} |")  # fmt: skip


if __name__ == "__main__":
    main()
