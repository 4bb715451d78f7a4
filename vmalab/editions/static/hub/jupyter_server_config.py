"""For every student's server, read by jupyter_server when it starts.

Its place is /etc/jupyter, or an environment's etc/jupyter.  It runs as the student.  What it does,
`vmalab lab` does on a laptop.
"""

import subprocess
import sys
from pathlib import Path

c = get_config()  # noqa: F821

LESSONS = "vmalab-lessons"

# Lessons that nobody has changed are brought up to date, and a student's own work stays.  A home that is full, or a
# slow disk, must not keep a server from starting.
try:
    subprocess.run(
        [sys.executable, "-m", "vmalab", "lab", str(Path.home() / LESSONS), "--copy-only"],
        stdin=subprocess.DEVNULL, timeout=60, check=False,
    )  # fmt: skip
except (OSError, subprocess.TimeoutExpired) as error:
    print(f"vmalab: the lessons were not brought up to date: {error}", file=sys.stderr)  # noqa: T201
if (Path.home() / LESSONS).is_dir():
    c.ServerApp.default_url = f"/lab/tree/{LESSONS}"

# What a kernel says is sent at once; language servers are not used here and cost memory.
c.ServerApp.jpserver_extensions = {"vmalab.cli.nodelay": True, "jupyter_lsp": False}
c.LabApp.extension_manager = "readonly"

# A kernel that nobody has used for an hour is ended: it holds the larger part of a student's memory.
c.MappingKernelManager.cull_idle_timeout = 3600
c.MappingKernelManager.cull_interval = 300
c.MappingKernelManager.cull_connected = True
c.TerminalManager.cull_inactive_timeout = 3600
c.TerminalManager.cull_interval = 300
