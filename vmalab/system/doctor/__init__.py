"""What this installation and this machine can show, what that means for the lessons, and how to mend it.

    examine()               looks at everything; shows itself in a notebook, as text and as JSON

host.py          what is asked of the machine, and where tests put another one
behaviours.py    which named behaviours the kernel shows, by running a small program for each
findings.py      what is looked at, what it means, how to mend it
report.py        the findings as text, as a table and as data
"""

from __future__ import annotations

from functools import cache

from vmalab.errors import LiveUnavailable
from vmalab.system.doctor.behaviours import probe_behaviours
from vmalab.system.doctor.findings import MAX_MAP_COUNT, SECTIONS, Checked
from vmalab.system.doctor.host import Host
from vmalab.system.doctor.report import Report

__all__ = ["Host", "Report", "examine"]


def examine(host: Host | None = None) -> Report:
    """Look at this machine.  Nothing is changed; the kernel is asked in a process of its own, for a second or two."""
    host = host or Host()
    checked = _checked(host)
    findings = tuple(finding for section in SECTIONS for finding in section(host, checked))
    return Report(findings, checked, host.executable)


def _checked(host: Host) -> Checked:
    why_not = host.why_not_live()
    if why_not is not None:
        return Checked(why_not)
    try:
        with host.live() as live:
            limit = host.read(MAX_MAP_COUNT) or ""
            full = cache(lambda: live.headroom(int(limit))) if limit.isdigit() else None
            return Checked(None, live.release, live.abilities(), tuple(probe_behaviours(live, full)))
    except LiveUnavailable as error:
        return Checked(str(error))
