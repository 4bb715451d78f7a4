"""The site where only its own extra is installed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

CODE = r"""
import sys
from pathlib import Path

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "nbgrader":
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, Absent())
from vmalab.editions.reference import reference_pages
from vmalab.editions.site import absent, sphinx

assert absent("nbgrader", "json") == ["nbgrader"]
source = Path(sys.argv[1], "source")
(source / "_static").mkdir(parents=True)
(source / "index.md").write_text("# All\n\n```{toctree}\neditions\n```\n")
(source / "editions.rst").write_text(reference_pages()["editions"])
print(sphinx(source, Path(sys.argv[1], "html"), Path(sys.argv[1], "trees"), {}))
"""


def test_the_reference_needs_no_other_extra(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", CODE, str(tmp_path)], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("[]\n", "")
    assert "JudgeApart" in (tmp_path / "html" / "editions.html").read_text(encoding="utf-8")
