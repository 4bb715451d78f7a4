"""How the house is built, read from its files: who imports whom, also inside functions, and what is public."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from importlib import import_module
from pathlib import Path

import pytest

import vmalab
from vmalab.linux.repr_html import SHOWN_BY

PACKAGE = Path(vmalab.__file__).parent
ROOT = PACKAGE.parent
DOOR = "vmalab.linux.repr_html"
"""The only file that may name files above it (in `SHOWN_BY`)."""
FACES = ("vmalab", "vmalab.teach", "vmalab.widgets")
"""The public interface: packages that load what they export when it is first used."""
WINGS = "linux programs machines words pictures differences system teach widgets editions cli".split()
"""From the ground floor up."""


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


MODULES = {module_name(path): path for path in sorted(PACKAGE.rglob("*.py"))}


def imported(name: str) -> Iterator[str]:
    """The modules of this package that a module names in an import anywhere in its code, or to `import_module`.

    What stands under `if TYPE_CHECKING:` of a face is what it exports lazily; nothing is run by it.
    """
    path = MODULES[name]
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in MODULES)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            base = ".".join([*above, *filter(None, [node.module])])
            for alias in node.names:
                full = f"{base}.{alias.name}"
                yield from [full] if full in MODULES else [base] if base in MODULES else []
        elif isinstance(node, ast.Call) and getattr(node.func, "id", "") == "import_module":
            argument = node.args[0]
            text = argument.value if isinstance(argument, ast.Constant) else ""
            yield from [text] if text in MODULES else []


def wing(name: str) -> str:
    return [*name.split("."), ""][1]


def test_there_are_eleven_wings_and_no_loose_file() -> None:
    entries = {path.name for path in PACKAGE.iterdir() if path.name != "__pycache__"}
    assert {*WINGS, "__init__.py", "__main__.py", "errors.py", "py.typed"} == entries


def test_imports_made_when_a_function_runs_are_seen() -> None:
    assert "vmalab.machines.live" in set(imported("vmalab.machines"))
    assert "vmalab.machines.live.driver.record" in set(imported("vmalab.machines.live.driver.start"))


def test_no_import_goes_up_also_none_that_is_made_when_a_function_runs() -> None:
    floor = {"errors": -1, "__main__": len(WINGS)} | {name: number for number, name in enumerate(WINGS)}
    upward = [
        (name, other)
        for name in MODULES
        if name != "vmalab"
        for other in imported(name)
        if wing(other) and floor[wing(other)] > floor[wing(name)]
    ]
    assert [] == upward


def test_no_circle_of_imports() -> None:
    graph = {name: {other for other in imported(name) if other != name} for name in MODULES if name not in FACES}
    try:
        order = list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        pytest.fail(" → ".join(error.args[1]))
    assert set(graph) <= set(order)


def test_the_one_door_upwards_leads_to_functions_that_exist() -> None:
    for target in SHOWN_BY.values():
        module, _, function = target.partition(":")
        assert callable(getattr(import_module(module), function))
    assert {
        "vmalab.linux.mm.space", "vmalab.linux.mm.trace", "vmalab.machines.outcome", "vmalab.differences.compare",
    } == {name for name in MODULES if DOOR in imported(name)}  # fmt: skip


@pytest.mark.parametrize("face", FACES)
def test_what_is_public_is_exported_and_written_down(face: str) -> None:
    package = import_module(face)
    listed = (ROOT / "docs" / "interface.md").read_text(encoding="utf-8")
    section = listed.partition(f"## `{face}`:")[2].partition("\n## ")[0]
    assert sorted(package.__all__) == list(package.__all__)
    for name in package.__all__:
        assert getattr(package, name) is not None
        assert f"`{name}`" in section
