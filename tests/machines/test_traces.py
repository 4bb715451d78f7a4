"""What ftrace says, made into a trace, and the tracer that is set up and put back: on a tracefs of files."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from vmalab.__main__ import run
from vmalab.errors import RecordingError
from vmalab.machines.live import tracing
from vmalab.machines.live.driver import ftrace
from vmalab.machines.live.driver.ftrace import Ftrace, NoTrace, text, tree
from vmalab.machines.live.driver.functions import FUNCTIONS, RETURNING
from vmalab.machines.traces import Traced, read_traces, recorded_for, traced_calls
from vmalab.programs.data import folder

LINES = """\
 python3-7     |   __x64_sys_mprotect() {
 python3-7     |     mprotect_fixup.isra.0() {
 python3-7     |       __split_vma() {
 python3-7     |         vm_area_dup();
 python3-7     |       } /* __split_vma */
 python3-7     |       /* __split_vma: (vma_modify+0x4c5/0x5c0 <- __split_vma) value=0 */
 python3-7     |       __split_vma() {
 other-8       |   __x64_sys_munmap() {
 python3-7     |         vm_area_dup();
 python3-7     |       }
 other-8       |   }
 python3-7     |     } /* mprotect_fixup.isra.0 */
 python3-7     |     /* mprotect_fixup: (do_mprotect_pkey+0x1/0x2 <- mprotect_fixup.isra.0) value=-12 */
 ------------------------------------------
 python3-7     |   }
 python3-7     |   /* at_handle_mm_fault: (handle_mm_fault+0x4/0x2e0) address=4096 */
 python3-7     |   handle_mm_fault();
 python3-7     |   /* at_handle_mm_fault: (handle_mm_fault+0x4/0x2e0) address=8192 */
 python3-7     |   handle_mm_fault();
""".splitlines()
MADE = "__x64_sys_mprotect(mprotect_fixup=ENOMEM(2*__split_vma(vm_area_dup)))"


def test_lines_of_ftrace_become_calls():
    roots = tree(LINES, 7)
    assert MADE == text(roots[:1])
    assert [4096, 8192] == [root[3] for root in roots[1:]]
    assert "__x64_sys_munmap" == text(tree(LINES, 8))


def test_an_address_may_stand_behind_the_name_too():
    lines = [" p-7 | handle_mm_fault() {", " p-7 | /* at_handle_mm_fault: (x) address=5 */", " p-7 | }"] * 2
    assert [5, 5] == [root[3] for root in tree(lines, 7)]


def test_a_trace_is_read_call_by_call():
    assert (
        Traced("__x64_sys_mprotect", 0),
        Traced("mprotect_fixup", 1, "ENOMEM"),
        Traced("__split_vma", 2, times=2),
        Traced("vm_area_dup", 3),
    ) == traced_calls(MADE)
    assert "    2 × __split_vma()" == str(traced_calls(MADE)[2])
    assert () == traced_calls("")


@pytest.mark.parametrize("wrong", ["a(b=)", "2*", "a))b"])
def test_what_is_no_trace_is_refused(wrong: str):
    with pytest.raises(RecordingError, match="not a trace"):
        traced_calls(wrong)


def test_a_series_is_spoken_for_by_its_recorded_release():
    known = ["6.1.0", "6.12.107", "6.18.15"]
    assert ["6.18.15", "6.18.15", "6.1.0", None, None] == [
        recorded_for(release, known) for release in ("6.18.44", "6.18", "6.1.176", "6.13", "v3")
    ]


def test_a_recording_without_traces_is_refused():
    with pytest.raises(RecordingError, match=r"6\.16\.12\.json\.xz: no recording with traces"):
        read_traces(folder("recordings") / "6.16.12.json.xz")


# --- the tracer, on files ---


@pytest.fixture
def tracefs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    files = {
        "available_tracers": "function_graph nop", "current_tracer": "nop", "tracing_on": "1", "buffer_size_kb": "1408",
        "available_filter_functions": "other\nmprotect_fixup.isra.0\n__split_vma [some module]\nhandle_mm_fault",
        "set_ftrace_filter": "", "kprobe_events": "", "trace_pipe": "", "options/funcgraph-proc": "0",
        f"events/{ftrace.GROUP}/enable": "0",
    }  # fmt: skip
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content)
    monkeypatch.setattr(ftrace, "FOLDERS", (str(tmp_path),))
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    return tmp_path


def test_the_tracer_is_set_up_and_put_back(tracefs: Path):
    tracer = Ftrace()
    assert ["__split_vma", "handle_mm_fault", "mprotect_fixup"] == tracer.traceable
    assert ["__split_vma", "mprotect_fixup"] == tracer.returning
    assert ["function_graph", "2 3 4"] == [
        (tracefs / name).read_text() for name in ("current_tracer", "set_ftrace_filter")
    ]
    assert "r:vmalab/mprotect_fixup mprotect_fixup.isra.0 value=$retval:s32" in (tracefs / "kprobe_events").read_text()
    assert "p:vmalab/at_handle_mm_fault handle_mm_fault address=%si:u64" in (tracefs / "kprobe_events").read_text()
    (tracefs / "trace_pipe").write_text("\n".join(LINES) + "\n")
    tracer.begin()
    assert MADE == tracer.end("mprotect", 7)
    os.lseek(tracer._pipe, 0, os.SEEK_SET)
    assert "handle_mm_fault" == tracer.end((8192, 12288), 7)
    tracer.close()
    names = ("current_tracer", "tracing_on", "options/funcgraph-proc", "set_ftrace_filter")
    assert ["nop", "1", "0", ""] == [(tracefs / name).read_text() for name in names]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("available_tracers", "nop", "no function graph tracer"),
        ("current_tracer", "function", "ftrace is in use here"),
        ("kprobe_events", None, "no probes for its tracer"),
    ],
)
def test_what_is_missing_is_named(tracefs: Path, name: str, content: str | None, words: str):
    (tracefs / name).unlink() if content is None else (tracefs / name).write_text(content)
    with pytest.raises(NoTrace, match=words):
        Ftrace()


def test_without_tracefs_or_root_nothing_is_traced(tracefs: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(ftrace, "FOLDERS", ())
    with pytest.raises(NoTrace, match="there is no tracefs"):
        Ftrace()
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(NoTrace, match="a trace needs root"):
        Ftrace()


def test_every_function_that_tells_its_errno_is_one_that_matters():
    assert RETURNING <= FUNCTIONS


def test_the_command_says_in_one_line_why_nothing_was_traced(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(tracing, "why_unavailable", lambda: None)
    monkeypatch.setattr(tracing, "BOOT", "import sys; print('a trace needs root', file=sys.stderr); sys.exit(2)")
    scenario = str(folder("scenarios") / "never-heals.json")
    assert run(["record", "--trace", scenario, "-o", str(tmp_path / "out.json")]) == 2
    assert "nothing was traced: a trace needs root" in capsys.readouterr().err
    assert [] == list(tmp_path.iterdir())
