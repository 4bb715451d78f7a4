"""Everything but charts, used in a process where numpy, pandas and matplotlib can't be imported.

    python -m tests.without_numpy

So it is in a browser (JupyterLite), and on a machine that has only what pyproject.toml calls the core and the widgets.
"""

from __future__ import annotations

import importlib
import inspect
import json
import os
import pkgutil
import sys
import tempfile
from pathlib import Path

BLOCKED = ("numpy", "pandas", "matplotlib")


def block() -> None:
    """Whoever imports one of them gets ImportError."""
    assert not set(BLOCKED) & sys.modules.keys()
    for name in BLOCKED:
        sys.modules[name] = None  # type: ignore[assignment]


def import_all() -> int:
    import vmalab

    found = [found.name for found in pkgutil.walk_packages(vmalab.__path__, "vmalab.")]
    wanted = [name for name in found if ".live.driver" not in name and not name.endswith("__main__")]
    for name in wanted:
        importlib.import_module(name)
    return len(wanted)


def use_model() -> None:
    from tests.sample_outcomes import gap_model, gap_move
    from vmalab.differences.compare import compare
    from vmalab.machines import machine_from_name
    from vmalab.machines.recorded import Recorded
    from vmalab.words.advice import advise
    from vmalab.words.explain import reason, story

    refused = gap_move("6.16")
    assert reason(refused) and [line for depth in (1, 2, 3) for line in story(refused, depth)]
    assert advise(gap_model("6.16"), refused)
    scenario = Recorded("6.17").scenarios[0]
    model, recorded = (machine_from_name(name).run(scenario) for name in ("model:6.17", "recorded:6.17"))
    assert compare(model, recorded).agrees
    for shown in (refused, gap_model(), compare(model, recorded)):
        assert "<svg" in shown._repr_html_()


def use_command(folder: Path) -> None:
    from vmalab.__main__ import run

    file = "data/scenarios/gap-keeps-what-was-there.json"
    page = folder / "page.html"
    assert 0 == run(["run", file, "--on", "model:6.18"])
    assert 1 == run(["compare", file, "--on", "model:6.16", "--on", "model:6.17"])
    assert 0 == run(["export", file, "--on", "model:6.17", "--output", str(page)])
    assert "<svg" in page.read_text(encoding="utf-8")
    assert 0 == run(["doctor"])


def use_teach() -> None:
    from tests.teach.test_answers import two_with_gap
    from vmalab import teach
    from vmalab.teach.exercises import exercises

    vm = two_with_gap("6.17")
    for answer in (
        teach.side_by_side(vm, "6.16", "6.17"), teach.same_calls(vm, "6.16"), teach.real_kernels(vm, "6.16", "6.17"),
        teach.rules_that_differ("v3", "6.17"), teach.snapshot_table(vm.snapshot()),
        teach.counters(vm, "6.17"), teach.on_this_machine(vm),
    ):  # fmt: skip
        assert answer._repr_html_() and repr(answer)
    # a chart, and what runs every recording, which takes seconds
    for name in sorted(set(teach.__all__) - {"measure_here", "agreement_table", "charts", "recorded"}):
        function = getattr(teach, name)
        if all(one.default is not one.empty for one in inspect.signature(function).parameters.values()):
            assert function()._repr_html_(), name
    for name in exercises():
        teach.exercise(name)
        assert not teach.check(name, ...).solved


def use_widgets() -> None:
    from tests.widget_states import SHOWN
    from vmalab import widgets

    assert set(widgets.__all__) == {name.partition(",")[0] for name in SHOWN}
    for name, make in SHOWN.items():
        widget = make()
        bundle, _ = widget._repr_mimebundle_()
        assert repr(widget) == bundle["text/plain"]
        assert ("<svg" in bundle["text/html"]) == (name.partition(",")[0] not in {"Question", "MyPredictions"})
    cost = SHOWN["MoveCost"]()
    cost._handle_custom_msg({"do": "set", "name": "pages", "value": 4096, "n": 1}, [])
    assert 4096 == json.loads(cost.state)["pages"]
    builder = SHOWN["CallBuilder"]()
    builder._handle_custom_msg({"do": "run", "n": 1}, [])
    assert builder.outcome is not None


if __name__ == "__main__":
    block()
    os.environ["VMALAB_LIVE"] = "off"
    number = import_all()
    use_model()
    use_teach()
    use_widgets()
    with tempfile.TemporaryDirectory() as scratch:
        use_command(Path(scratch))
    assert all(sys.modules[name] is None for name in BLOCKED)
    print(f"{number} modules")
