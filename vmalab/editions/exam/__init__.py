"""Sheets of problems for a test at the desk: versions of equal kinds and effort, each with a key and its reasons.

    plan.py     which problems: place by place a kind and an effort, for each version another problem
    sheet.py    a sheet and a key as HTML that needs nothing else
    pdf.py      the same as PDF, by WeasyPrint

In the folder, `sheets/` is for students, and `key/` for the lecturer alone: the keys, and what all was drawn from.
"""

from __future__ import annotations

from pathlib import Path

from vmalab.editions import Built
from vmalab.editions.exam.pdf import write_pdf
from vmalab.editions.exam.plan import Plan, versions
from vmalab.editions.exam.sheet import key_html, sheet_html
from vmalab.editions.folder import write_edition

SHEETS, KEY = "sheets", "key"


def build_exam(plan: Plan, output: Path, *, pdf: bool = True) -> Built:
    """Write sheets and keys into `output`/exam.

    The same plan gives the same files, byte for byte.  Raises UsageError where too few problems exist, a package is
    missing, or the folder holds what is not ours.
    """

    def make(folder: Path) -> None:
        (folder / SHEETS).mkdir()
        (folder / KEY).mkdir()
        for letter, problems in versions(plan).items():
            for place, text in ((SHEETS, sheet_html(plan, letter, problems)), (KEY, key_html(plan, letter, problems))):
                (folder / place / f"{letter}.html").write_text(text, encoding="utf-8")
                if pdf:
                    write_pdf(text, folder / place / f"{letter}.pdf")
        secret = folder / KEY / "seed.txt"
        secret.write_text(plan.secret + "\n", encoding="utf-8")
        secret.chmod(0o600)

    folder = output / "exam"
    files, size = write_edition(folder, "exam", make)
    (folder / KEY).chmod(0o700)
    return Built("exam", folder, files, size)
