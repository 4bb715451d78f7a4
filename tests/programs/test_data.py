"""Where the data files are, in a checkout and in an installed package."""

from __future__ import annotations

from pathlib import Path

import pytest

from vmalab.programs import data


def test_in_a_checkout_they_lie_beside_the_package() -> None:
    assert data.folder("recordings") == Path(data.__file__).parents[2] / "data" / "recordings"
    assert (data.folder("recordings") / "README.md").is_file()


def test_an_installed_package_has_them_inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "vmalab"
    (package / "_data" / "recordings").mkdir(parents=True)
    monkeypatch.setattr(data, "_HERE", package)
    assert data.folder("recordings") == package / "_data" / "recordings"
