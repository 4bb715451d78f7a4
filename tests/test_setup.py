"""The set-up holds together: versions, dependencies, the wheel, and what `make` says when it cannot go on."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tomllib
import zipfile
from importlib import metadata
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import vmalab

ROOT = Path(__file__).parents[1]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PROJECT = PYPROJECT["project"]
EXTRAS = PROJECT["optional-dependencies"]


def requirements(extra: str | None) -> dict[str, str]:
    """Name → versions of the core (None) or of an extra, with the extras that it names itself."""
    found = {}
    for line in PROJECT["dependencies"] if extra is None else EXTRAS[extra]:
        requirement = Requirement(line)
        if requirement.name == PROJECT["name"]:
            for inner in requirement.extras:
                found |= requirements(inner)
        else:
            found[canonicalize_name(requirement.name)] = str(requirement.specifier)
    return found


def pins() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    return dict(line.split("==") for line in lines if not line.startswith("#"))


# --- dependencies ----------------------------------------------------------------------------------------------


def test_the_core_needs_three_libraries() -> None:
    assert {"attrs", "cattrs", "sortedcontainers"} == set(requirements(None))


def test_environment_yml_says_the_same_as_the_extra_lab() -> None:
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    assert ["conda-forge", "nodefaults"] == environment["channels"]
    *packages, pip = environment["dependencies"]
    assert {"pip": ["-e .[lab]"]} == pip

    conda = dict(line.partition(" ")[::2] for line in packages)
    named = re.fullmatch(r"=3\.(\d+)", conda.pop("python"))
    assert named, "repo2docker reads only python =3.N, and takes a Python of its own for anything else"
    assert f"Programming Language :: Python :: 3.{named[1]}" in PROJECT["classifiers"]
    assert conda.pop("pip") == ""
    conda["matplotlib"] = conda.pop("matplotlib-base")  # conda's name for matplotlib without a desktop toolkit
    assert requirements(None) | requirements("lab") == conda


def test_constraints_hold_names_and_versions_only() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    assert [] == [line for line in lines[1:] if not re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][A-Za-z0-9.+!]*", line)]


def test_constraints_pin_every_dependency_within_its_bounds() -> None:
    pinned = {canonicalize_name(name): version for name, version in pins().items()}
    wanted = requirements(None) | requirements("test")
    assert [] == [
        (name, bounds)
        for name, bounds in wanted.items()
        if name not in pinned or not Requirement(name + bounds).specifier.contains(pinned[name])
    ]


def test_what_is_installed_here_is_what_the_constraints_say() -> None:
    wrong = {}
    for name, version in pins().items():
        try:
            installed = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue  # needed by another version of Python or on another system
        if installed != version:
            wrong[name] = (installed, version)
    assert {} == wrong, "installed, pinned; `make env` mends it"


WITHOUT_EXTRAS = """
import importlib, json, sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in BLOCKED:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

names = json.loads(sys.argv[1])
BLOCKED = set(json.loads(sys.argv[2]))
sys.meta_path.insert(0, Absent())
for name in names:
    importlib.import_module(name)
"""


def test_the_core_imports_without_any_extra() -> None:
    """Also where numpy, pandas and matplotlib cannot be had, as in a browser; the command line and widgets apart."""
    rooms = {"cli", "__main__", "editions", "widgets", "teach"}
    paths = [path.relative_to(ROOT) for path in sorted((ROOT / "vmalab").rglob("*.py"))]
    names = [
        ".".join(path.with_suffix("").parts).removesuffix(".__init__")
        for path in paths
        if not rooms & {*path.parts, path.stem}
    ]
    blocked = ["numpy", "IPython", "traitlets"]
    blocked += [name.replace("-", "_") for name in set(requirements("lab")) - set(requirements(None))]
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_EXTRAS, json.dumps(names), json.dumps(blocked)],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_every_folder_of_code_is_a_package() -> None:
    """Without its __init__.py the import contract would pass a folder over in silence."""
    folders = {path.parent for path in (ROOT / "vmalab").rglob("*.py")}
    assert [] == [str(folder.relative_to(ROOT)) for folder in folders if not (folder / "__init__.py").exists()]


# --- the package -----------------------------------------------------------------------------------------------


def test_one_version_everywhere() -> None:
    version = PROJECT["version"]
    assert version == metadata.version("vmalab")
    assert version == vmalab.__version__
    assert version == yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))["version"]


def test_the_licence_is_apache_everywhere() -> None:
    assert PROJECT["license"] == "Apache-2.0"
    assert yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))["license"] == "Apache-2.0"
    assert "Apache License\n                           Version 2.0" in (ROOT / "LICENSE").read_text(encoding="utf-8")


def test_the_wheel_holds_code_data_and_lessons(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=ROOT, check=True, capture_output=True,
    )  # fmt: skip
    (wheel,) = tmp_path.glob("*.whl")
    inside = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    tracked = subprocess.run(
        ["git", "ls-files", "-z", "vmalab", "data", "docs", "notebooks"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if tracked.returncode:
        pytest.skip("not a git checkout")
    files = [name for name in tracked.stdout.split("\0") if name and (ROOT / name).exists()]
    moved = {"data": "vmalab/_data", "docs": "vmalab/_docs", "notebooks": "vmalab/_notebooks", "vmalab": "vmalab"}
    expected = {moved[room] + "/" + rest for room, _, rest in (name.partition("/") for name in files)}
    assert set() == expected - inside
    assert set() == {name for name in inside if not name.startswith("vmalab/")}


# --- make ------------------------------------------------------------------------------------------------------


def make(*arguments: str, cwd: Path, path: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run make as a person would: not inside the make that may be running this test."""
    env = {key: value for key, value in os.environ.items() if key not in {"MAKEFLAGS", "MFLAGS", "MAKELEVEL", "PYTHON"}}
    if path is not None:
        env["PATH"] = path
    program = shutil.which("make")
    if program is None:
        pytest.skip("there is no make here")
    return subprocess.run([program, *arguments], cwd=cwd, env=env, capture_output=True, text=True, check=False)


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """The files that `make env` reads, and no environment."""
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path


@pytest.fixture
def made(clone: Path) -> Path:
    """The same with an environment that is up to date: this one."""
    (clone / ".venv").mkdir()
    (clone / ".venv/bin").symlink_to(Path(sys.executable).parent)
    checksum = subprocess.run(
        r"sed '/^\[tool\.pytest/,$d' pyproject.toml | cat - constraints.txt | cksum | tr -d ' '",
        shell=True, cwd=clone, capture_output=True, text=True, check=True,
    ).stdout.strip()  # fmt: skip
    (clone / f".venv/.made-from-{checksum}").touch()
    return clone


def refusal(done: subprocess.CompletedProcess[str]) -> str:
    """The one line that make said, after its own 'Makefile:7: ***'."""
    assert done.returncode != 0
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    return re.sub(r"^Makefile:\d+: \*\*\* |\.  Stop\.$", "", line)


def test_help_lists_every_target(made: Path) -> None:
    done = make(cwd=made)
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert targets == re.findall(r"^make (\w+)", done.stdout, flags=re.MULTILINE)
    assert {"lab", "test", "check", "notebooks", "env", "lock"} <= set(targets)


def test_an_unknown_target_or_option_is_named(clone: Path) -> None:
    assert "there is no 'make lba': `make help` lists what there is" == refusal(make("lba", cwd=clone))
    said = refusal(make("lab", "PROT=8888", cwd=clone))
    assert "make knows no option 'PROT': there are PYTHON PORT NO_BROWSER OPTS LESSONS" == said


def script(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text("#!/bin/sh\n" + text, encoding="utf-8")
    path.chmod(0o755)
    return path


def test_no_python_at_all(clone: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    tools = tmp_path_factory.mktemp("bin")
    for name in ("sh", "sed", "cat", "cksum", "tr", "rm", "test", "touch"):
        (tools / name).symlink_to(shutil.which(name) or pytest.fail(f"no {name} here"))
    said = refusal(make("env", cwd=clone, path=str(tools)))
    assert said.startswith("vmalab needs Python 3.11 or newer and there is no 'python3' here: ")


def test_a_python_that_is_named_but_missing_or_old(clone: Path) -> None:
    said = refusal(make("env", "PYTHON=no-such-python", cwd=clone))
    assert said.startswith("vmalab needs Python 3.11 or newer and there is no 'no-such-python' here: ")
    old = script(clone, "oldpython", "exit 1\n")
    said = refusal(make("test", f"PYTHON={old}", cwd=clone))
    assert said.startswith(f"vmalab needs Python 3.11 or newer and '{old}' is not: ")


def test_a_python_without_venv(clone: Path) -> None:
    bare = script(clone, "barepython", 'case "$2" in *venv*) exit 1;; *) exit 0;; esac\n')
    said = refusal(make("lab", f"PYTHON={bare}", cwd=clone))
    assert said.startswith(f"'{bare}' has no venv and ensurepip to make an environment with: ")
    assert "python3-venv" in said


def test_a_taken_port_is_named(made: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        said = refusal(make("lab", f"PORT={port}", "NO_BROWSER=1", cwd=made))
    assert said.startswith(f"port {port} can not be had: ")


@pytest.mark.parametrize("port", ["x", "70000", "-1"])
def test_a_port_that_is_none(made: Path, port: str) -> None:
    assert refusal(make("lab", f"PORT={port}", "NO_BROWSER=1", cwd=made)).startswith(f"port {port} can not be had: ")


def test_env_does_nothing_the_second_time(made: Path) -> None:
    done = make("env", cwd=made)
    assert (0, "") == (done.returncode, done.stderr)
    assert "Nothing to be done" in done.stdout


@pytest.mark.parametrize(
    ("file", "old", "new", "again"),
    [
        ("constraints.txt", "attrs==", "attrs==1", True),
        ("pyproject.toml", "attrs>=", "attrs>=1", True),
        ("pyproject.toml", "line-length = 120", "line-length = 121", False),
    ],
)
def test_env_is_made_again_when_its_ingredients_change(made: Path, file: str, old: str, new: str, again: bool) -> None:
    text = (made / file).read_text(encoding="utf-8")
    assert old in text
    (made / file).write_text(text.replace(old, new), encoding="utf-8")
    assert again == ("pip install" in make("-n", "env", cwd=made).stdout)


# --- CI --------------------------------------------------------------------------------------------------------


def test_ci_runs_the_command_of_the_readme() -> None:
    ci = ROOT / ".ci/run"
    assert os.access(ci, os.X_OK)
    assert subprocess.run(["bash", "-n", str(ci)], check=False).returncode == 0
    assert "make test" == ci.read_text(encoding="utf-8").splitlines()[-1]
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "make lab" in readme
    assert "make test" in readme
