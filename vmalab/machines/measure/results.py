"""What was measured: medians with quartiles, as records and as a CSV file that says where it comes from."""

from __future__ import annotations

import csv
import io
import re
import statistics
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import attrs
from attrs import frozen

from vmalab.errors import RecordingError
from vmalab.machines.measure.plan import Case, Entries
from vmalab.programs import data

COLUMNS = ("case", "group", "variant", "x", "unit", "samples", "q1_ns", "median_ns", "q3_ns", "calls", "vmas", "pte",
           "pmd", "pud", "tables")  # fmt: skip


@frozen
class Result:
    """One case: how often it was timed, the quartiles in nanoseconds, and what the model counts (None: no move)."""

    case: str
    group: str
    variant: str
    x: int
    unit: str
    samples: int
    q1: int
    median: int
    q3: int
    entries: Entries | None

    @property
    def spread(self) -> float:
        """The middle half of the samples, as a part of the median."""
        return (self.q3 - self.q1) / self.median if self.median else 0.0


@frozen
class Results:
    """Everything of one run, and where it comes from."""

    rows: tuple[Result, ...]
    provenance: Mapping[str, str]

    def group(self, name: str) -> list[Result]:
        """The results of one group, in order of variant and size."""
        return sorted((row for row in self.rows if row.group == name), key=lambda row: (row.variant, row.x))

    def null_ns(self, calls: int) -> float:
        """Nanoseconds that `calls` system calls cost which do nothing: to take off, and to compare with."""
        return calls * min((row.median / row.x for row in self.group("null")), default=0.0)

    def noise(self) -> str:
        """How much the samples scatter, in words."""
        if not self.rows:
            return "nothing was measured"
        usual = statistics.median(row.spread for row in self.rows)
        worst = max(self.rows, key=lambda row: row.spread)
        return (
            f"the middle half of the samples spans {usual:.0%} of the median in a usual case, and {worst.spread:.0%} "
            f"at worst ({worst.case}); smaller differences say nothing"
        )


def summarise(case: Case, samples: Sequence[int]) -> Result:
    """Median and quartiles of the samples of a case.  At least two samples."""
    q1, median, q3 = (round(value) for value in statistics.quantiles(samples, n=4, method="inclusive"))
    return Result(case.name, case.group, case.variant, case.x, case.unit, len(samples), q1, median, q3, case.entries)


def collect(cases: Iterable[Case], rounds: Iterable[Mapping[str, Sequence[int]]]) -> list[Result]:
    """The results of all cases from the child's rounds."""
    told = list(rounds)
    return [summarise(case, [ns for one in told for ns in one[case.name]]) for case in cases]


# --- files ---------------------------------------------------------------------------------------------------


def to_csv(results: Results) -> str:
    """The CSV text: lines `# key: value` that say where it comes from, then a table with a line for each case."""
    out = io.StringIO()
    for key, value in results.provenance.items():
        out.write(f"# {key}: {value}\n")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in results.rows:
        counted = attrs.astuple(row.entries) if row.entries is not None else ("",) * 6
        writer.writerow(
            (row.case, row.group, row.variant, row.x, row.unit, row.samples, row.q1, row.median, row.q3, *counted)
        )
    return out.getvalue()


def from_csv(text: str, where: str = "the measurements") -> Results:
    """What `to_csv` wrote.  Raises RecordingError that names the line that is not understood."""
    lines = text.splitlines()
    provenance = dict(line[2:].split(": ", 1) for line in lines if line.startswith("# ") and ": " in line)
    head = sum(line.startswith("#") for line in lines)
    reader = csv.reader(lines[head:])
    if tuple(next(reader, ())) != COLUMNS:
        raise RecordingError(f"{where}, line {head + 1}: expected the columns {', '.join(COLUMNS)}")
    rows = []
    for number, line in enumerate(reader, head + 2):
        try:
            case, group, variant, x, unit, *numbers = line
            samples, q1, median, q3 = map(int, numbers[:4])
            counted = Entries(*map(int, numbers[4:])) if all(numbers[4:]) else None
            rows.append(Result(case, group, variant, int(x), unit, samples, q1, median, q3, counted))
        except (ValueError, TypeError):
            raise RecordingError(f"{where}, line {number}: expected {len(COLUMNS)} fields, numbers from x on") from None
    return Results(tuple(rows), provenance)


def recorded_file(name: str = "") -> Path:
    """The file of the measurements called `name` in `data/measurements`, or of the newest kernel's."""
    folder = data.folder("measurements")
    found = sorted((path.stem for path in folder.glob("*.csv")), key=_in_order)
    return folder / f"{name or (found[-1] if found else 'none')}.csv"


def _in_order(name: str) -> list[int]:
    """A release as numbers: 6.18 comes after 6.9."""
    return [int(part) for part in re.findall(r"[0-9]+", name)]


def read(path: Path) -> Results:
    """The measurements in a file.  Raises RecordingError if there is none or it is not understood."""
    try:
        return from_csv(path.read_text(encoding="utf-8"), path.name)
    except (OSError, UnicodeDecodeError) as error:
        raise RecordingError(f"{path} can't be read: {error}") from None


def duration(ns: float) -> str:
    """Nanoseconds for a person: `850 ns`, `12.3 µs`, `4.56 ms`.

    >>> duration(850), duration(12_345), duration(4_560_000)
    ('850 ns', '12.3 µs', '4.56 ms')
    """
    for unit, name in ((1e6, "ms"), (1e3, "µs")):
        if ns >= unit:
            return f"{ns / unit:.3g} {name}"
    return f"{ns:.3g} ns"
