"""The settings of a machine: what may be set, where it decides, and how this machine's are read."""

from __future__ import annotations

from typing import Any

import pytest

from vmalab.errors import NotModelled, UsageError
from vmalab.linux.addr import PAGE, page
from vmalab.linux.settings import ANY_MEMORY, Settings
from vmalab.machines.live import settings as here
from vmalab.machines.live.settings import held_together, settings_here
from vmalab.machines.model import Model
from vmalab.machines.recorded import Recorded


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"mmap_min_addr": -1}, "mmap_min_addr is a whole number from 0 on, not -1"),
        ({"max_map_count": "many"}, "max_map_count is a whole number from 0 on, not 'many'"),
        (
            {"transparent_hugepage": "sometimes"},
            "transparent_hugepage is one of always, madvise, never, not 'sometimes'",
        ),
        ({"overcommit_memory": 3}, "overcommit_memory is 0 or 1, not 3"),
    ],
)
def test_what_can_not_be_set(given: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        Settings(**given)


def test_strict_overcommit_is_refused_by_name() -> None:
    with pytest.raises(NotModelled, match="the model does not know overcommit_memory 2: what is promised"):
        Settings(overcommit_memory=2)


def test_the_lowest_address_belongs_to_the_machine() -> None:
    low = 0x8000
    assert "EPERM" == Model("6.18").mmap(low, PAGE).errno
    vm = Model("6.18", settings=Settings(mmap_min_addr=4096))
    assert [None, "EPERM"] == [vm.mmap(low, PAGE).errno, vm.mmap(0, PAGE).errno]
    assert None is vm.copy().mmap(low + PAGE, PAGE).errno
    vm.undo()
    assert None is vm.mmap(low, PAGE).errno


def test_the_number_of_vmas() -> None:
    vm = Model("6.18", settings=Settings(max_map_count=3))
    assert [None] * 4 + ["ENOMEM"] == [vm.mmap(page(2 * number), PAGE, "r").errno for number in range(5)]


@pytest.mark.parametrize(("mode", "errno"), [(0, "ENOMEM"), (1, None)])
def test_overcommit(mode: int, errno: str | None) -> None:
    vm = Model("6.18", settings=Settings(overcommit_memory=mode, memory=1000))
    assert [None, errno] == [vm.mmap(page(0), 1000 * PAGE).errno, vm.mmap(page(2000), 1001 * PAGE).errno]


@pytest.mark.parametrize(("setting", "pages"), [("always", 512), ("madvise", 1), ("never", 1)])
def test_huge_pages(setting: str, pages: int) -> None:
    vm = Model("6.18", settings=Settings(transparent_hugepage=setting))
    vm.mmap(page(0), 512 * PAGE)
    vm.touch(page(0))
    assert pages == sum(run.end - run.start for row in vm.snapshot() for run in row.runs)


def test_how_this_machine_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    files = {
        "/proc/sys/vm/mmap_min_addr": "4096\n",
        "/proc/sys/vm/max_map_count": "1048576\n",
        "/proc/sys/vm/overcommit_memory": "2\n",  # not modelled: as Linux has it by itself
        "/proc/meminfo": "MemTotal:       16 kB\nMemFree: 1 kB\nSwapTotal:      8 kB\n",
        here.ENABLED: "[always] madvise never\n",
    }
    monkeypatch.setattr(here, "_read", lambda path: files.get(path, ""))
    assert Settings(4096, 1048576, 0, 6, "always") == settings_here()
    files.clear()
    assert Settings(memory=ANY_MEMORY) == settings_here()


def test_only_a_model_beside_the_live_machine_gets_its_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(here, "settings_here", lambda: Settings(mmap_min_addr=0))

    class Stub:
        name, release = "live", "6.18"

        def run(self, scenario: Any) -> Any: ...

    model, recorded = Model("6.18"), Recorded("6.18")
    assert (model, recorded) == held_together(model, recorded)
    beside, _ = held_together(model, Stub())
    assert isinstance(beside, Model) and 0 == beside.settings.mmap_min_addr
