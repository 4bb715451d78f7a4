"""Without numpy, pandas and matplotlib everything but charts works: `tests/without_numpy.py` in its own process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.patience import PATIENCE

ROOT = Path(__file__).parents[1]


@pytest.mark.slow
def test_everything_but_charts_works_without_numpy_pandas_and_matplotlib():
    done = subprocess.run(
        [sys.executable, "-m", "tests.without_numpy"], cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE
    )
    assert 0 == done.returncode, done.stderr
    modules = int(done.stdout.splitlines()[-1].removesuffix(" modules"))
    assert len(list((ROOT / "vmalab").rglob("*.py"))) * 0.9 < modules


def test_a_chart_is_what_needs_them():
    code = "from tests.without_numpy import block; block(); from vmalab.machines import measure; "
    code += "from vmalab.pictures import charts; "
    code += "charts.by_size(measure.recorded()).svg()"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert "matplotlib" in done.stderr.splitlines()[-1]
