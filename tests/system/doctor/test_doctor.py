"""The doctor on machines that a student may have: each is a `Host`, put in the place of this one."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import nullcontext

import pytest

from tests.system.doctor.test_behaviours import full
from vmalab.__main__ import run
from vmalab.errors import LiveUnavailable
from vmalab.linux.profile import profile
from vmalab.linux.scope import NOT_MODELLED
from vmalab.machines.live import Abilities
from vmalab.machines.model import Model
from vmalab.programs.scenario import Scenario
from vmalab.system.doctor import Host, Report, examine
from vmalab.system.doctor.findings import FINE, LACKS, NOTE


class Kernel:
    """A live machine whose kernel is a model."""

    name = "live"

    def __init__(
        self, release: str, follows: str = "", refused: tuple[str, ...] = (), missing: dict[str, str] | None = None
    ) -> None:
        self.release, self.followed, self.refused = release, profile(follows or release), refused
        self.missing = missing or {}

    def run(self, scenario: Scenario):
        return Model(self.followed, trace=False).run(scenario)

    def headroom(self, limit: int) -> dict[str, str | None]:
        return full(self.followed)

    def abilities(self) -> Abilities:
        can = {
            "multi_vma_move": self.followed.multi_vma_move, "userfaultfd": True, "mseal": self.followed.mseal,
            "guard_regions": self.followed.guard_regions,
        }  # fmt: skip
        can |= dict.fromkeys(self.refused, False)
        return Abilities(self.release, **can, notes=dict.fromkeys(self.refused, "EPERM") | self.missing)


class Laptop(Host):
    """An ordinary Linux machine with everything installed; a test takes something away."""

    system, release, processor, python, executable = "Linux", "6.18.44", "x86_64", (3, 12, 1), "/usr/bin/python3"

    def __init__(self, **changed) -> None:
        self.env: dict[str, str] = {}
        self.packages: dict[str, str | None] = {}
        self.files = {
            "/sys/kernel/mm/transparent_hugepage/enabled": "always [madvise] never",
            "/proc/sys/vm/max_map_count": "65530", "/proc/version": "Linux version 6.18.44",
        }  # fmt: skip
        self.there = {
            "/share/labextensions/anywidget/package.json", "/share/kernels/python3/kernel.json",
            "/share/labextensions/@jupyter-widgets/jupyterlab-manager/package.json",
        }  # fmt: skip
        self.kernel: Kernel | None = Kernel("6.18.44")
        self.page, self.lock, self.opens = 4096, 8 << 20, "firefox"
        for name, value in changed.items():
            setattr(self, name, value)

    @property
    def environ(self):
        return self.env

    def package(self, name):
        return self.packages.get(name, "1.0")

    def read(self, path):
        return self.files.get(path)

    def exists(self, path):
        return path in self.there

    def page_size(self):
        return self.page

    def memlock(self):
        return self.lock

    def browser(self):
        return self.opens

    def jupyter_data(self):
        return ["/share"]

    def why_not_live(self):
        return None if self.kernel else f"the live machine needs Linux, and this is {self.system}"

    def live(self):
        return nullcontext(self.kernel)


def odd(report: Report) -> dict[str, tuple[str, str]]:
    """What is not as it should be: its state, and what was found."""
    return {finding.what: (finding.state, finding.found) for finding in report.findings if finding.state != FINE}


def test_where_all_is_there_nothing_is_odd():
    report = examine(Laptop())
    assert {} == odd(report)
    assert report.headline.startswith("All is there: this machine's kernel, Linux 6.18.44, can be asked")


CASES: list[tuple[str, Callable[[], Host], dict[str, tuple[str, str]], str]] = [
    ("macOS", lambda: Laptop(system="Darwin", release="24.1.0", processor="arm64", kernel=None, page=16384, files={}),
     {"live machine": (NOTE, "no: the live machine needs Linux, and this is Darwin"),
      "page size": (NOTE, "16384 bytes")},
     "The lessons run here; this machine's kernel can't be asked"),
    ("Windows", lambda: Laptop(system="Windows", release="11", kernel=None, page=None, lock=None, files={}),
     {"live machine": (NOTE, "no: the live machine needs Linux, and this is Windows")},
     "The lessons run here; this machine's kernel can't be asked"),
    ("before 6.17", lambda: Laptop(release="6.12.107", kernel=Kernel("6.12.107")),
     {"one mremap moves several VMAs": (NOTE, "no"), "madvise installs guard regions": (NOTE, "no")},
     "The lessons run here; for what Linux 6.12.107 can't show there are recordings"),
    ("a container",
     lambda: Laptop(there={*Laptop().there, "/.dockerenv"}, kernel=Kernel("6.18.44", refused=("userfaultfd",))),
     {"userfaultfd may be opened": (NOTE, "no (EPERM)")}, "The lessons run here; for what"),
    ("no mseal", lambda: Laptop(kernel=Kernel("6.18.44", refused=("mseal",))),
     {"VMAs can be sealed with mseal": (NOTE, "no (EPERM)")}, "The lessons run here; for what"),
    ("no seccomp", lambda: Laptop(kernel=Kernel("6.18.44", missing={"sandbox": "no filters here"})),
     {"system calls can be taken away": (NOTE, "no: no filters here")},
     "The lessons run here, and Linux 6.18.44 can be asked, with the limits noted below."),
    ("no pagemap", lambda: Laptop(kernel=Kernel("6.18.44", missing={"pages": "no pages here"})),
     {"present pages are shown": (NOTE, "no: no pages here")}, "The lessons run here, and Linux 6.18.44 can be asked"),
    ("a kernel nobody measured", lambda: Laptop(release="7.9.0", kernel=Kernel("7.9.0", "7.3")),
     {"model of this release": (NOTE, "none: the model knows 6.1, 6.12, 6.16, 6.17, 6.18, 6.19, 7.0, 7.1, 7.2, 7.3")},
     "All is there"),
    ("no JupyterLab", lambda: Laptop(packages={"jupyterlab": None, "matplotlib": None}),
     {"packages of the lessons": (LACKS, "missing: jupyterlab, matplotlib")},
     "Something is missing: packages of the lessons."),
    ("no widgets", lambda: Laptop(there={"/share/kernels/python3/kernel.json"}),
     {"extensions for widgets": (LACKS, "not found: anywidget, @jupyter-widgets/jupyterlab-manager")},
     "Something is missing: extensions for widgets."),
    ("no kernelspec", lambda: Laptop(there=Laptop().there - {"/share/kernels/python3/kernel.json"}),
     {"the kernel python3": (LACKS, "not found")}, "Something is missing"),
    ("no browser", lambda: Laptop(opens=None), {"browser": (NOTE, "none found")}, "All is there"),
    ("an old Python", lambda: Laptop(python=(3, 9, 2)), {"Python": (LACKS, "3.9.2")}, "Something is missing: Python."),
    ("strict overcommit", lambda: Laptop(files={"/proc/sys/vm/overcommit_memory": "2"}),
     {"vm.overcommit_memory": (NOTE, "2")}, "All is there"),
    ("few VMAs", lambda: Laptop(files={"/proc/sys/vm/max_map_count": "1000"}),
     {"vm.max_map_count": (NOTE, "1000")}, "All is there"),
    ("little to lock", lambda: Laptop(lock=0), {"RLIMIT_MEMLOCK": (NOTE, "0 KiB")}, "All is there"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("host", "expected", "headline"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_a_machine_with_something_taken_away(host, expected, headline):
    report = examine(host())
    assert expected == odd(report)
    assert report.headline.startswith(headline)
    for finding in report.findings:
        if finding.state != FINE:
            assert finding.means, finding
            assert f"{finding.what}: {finding.found}" in repr(report)


def test_gvisor_answers_as_an_old_kernel_and_that_is_said():
    host = Laptop(
        release="4.4.0", files={"/proc/version": "Linux version 4.4.0 #1 SMP (gVisor)"}, kernel=Kernel("4.4.0", "6.12"),
    )  # fmt: skip
    found = odd(examine(host))
    assert (NOTE, "signs of it") == found["gVisor"]
    assert (NOTE, "no") == found["one mremap moves several VMAs"]


def test_a_kernel_that_was_changed_is_pointed_out():
    report = examine(Laptop(kernel=Kernel("6.18.44", "6.17")))
    surprising = {probed.behaviour.name for probed in report.checked.probed if probed.surprising}
    assert surprising
    assert surprising <= set(odd(report))
    assert "is known for the opposite" in repr(report)


def test_a_live_machine_that_does_not_start_is_a_finding():
    class Broken(Laptop):
        def live(self):
            raise LiveUnavailable("its interpreter did not start")

    assert (NOTE, "no: its interpreter did not start") == odd(examine(Broken()))["live machine"]


def test_in_a_notebook_it_is_tables_with_a_sign_for_every_state():
    html = examine(Laptop(packages={"matplotlib": None}, opens=None))._repr_html_()
    assert "<td>✕</td><th scope=row>packages of the lessons</th>" in html
    assert "<td>!</td><th scope=row>browser</th>" in html
    assert "<td>✓</td><th scope=row>vmalab</th>" in html


# --- the command -----------------------------------------------------------------------------------------------


def test_the_command_names_what_is_not_modelled(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["doctor", "--all"]) == 0
    said = capsys.readouterr().out
    for name, why in NOT_MODELLED.items():
        assert f"{name}: {why}" in said


def test_a_live_machine_that_is_switched_off_is_said_so(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VMALAB_LIVE", "off")
    assert run(["doctor", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    (live,) = [finding for finding in found["findings"] if finding["what"] == "live machine"]
    assert "switched off" in live["found"]
    assert "unset VMALAB_LIVE" == live["mend"]
    assert "6.18.44" in found["recordings"]


@pytest.mark.live
def test_this_machine(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["doctor"]) == 0
    said = capsys.readouterr().out
    assert "live machine: yes, Linux" in said
    assert "named behaviours are as this release is known for" in said
