# Boots with a guest that only pretends: a script in QEMU's place.  And what a guest's file system holds.  No network.

import base64
import json
import shutil
import subprocess
import sys
import zlib

import pytest

from tests.kernels import guest, initramfs, matrix, qemu
from tests.kernels.__main__ import main
from tests.kernels.agree import agreement, difference, read_recording
from tests.kernels.arch import ARCHES, X86_64
from tests.kernels.matrix import Matrix, read_scenarios
from tests.kernels.trouble import Trouble
from vmalab.programs.scenario import load_scenarios

SCENARIOS = [
    {"name": "one", "steps": [{"call": "mmap", "addr": 0, "pages": 2}, {"call": "touch", "addr": 0, "pages": 1}]},
    {"name": "two", "steps": [{"call": "mremap", "addr": 0, "old_pages": 1, "new_pages": 2**52 - 1, "flags": []}]},
]
ROW = {"start": 0, "end": 2, "perms": "rw-p", "backing": None, "pgoff": None}
RESULTS = [
    {
        "name": "one",
        "steps": [{"errno": None, "return": 0, "vmas": [ROW]}, {"errno": None, "return": None, "vmas": [ROW]}],
        "final": [ROW | {"pages": {"0": 2000}, "flags": ["ac"]}],
    },
    {"name": "two", "steps": [{"errno": "EINVAL", "return": None, "vmas": []}], "final": []},
]


def part(results, done=2, total=2):
    return f"part {done} {total} {base64.b64encode(zlib.compress(json.dumps(results).encode())).decode()}"


READY = 'ready {"release": "6.17.13+deb13-cloud-amd64", "machine": {"version": "#1"}}'
GOOD = [READY, part(RESULTS[:1], 1), part(RESULTS[1:], 2), "end 2"]


@pytest.fixture
def files(tmp_path):
    path = tmp_path / "scenarios.json"
    path.write_text(json.dumps(SCENARIOS))
    return path


@pytest.fixture
def pretend(tmp_path, monkeypatch):
    """A QEMU that says what it is told to; its log file gets `console`.  Also busybox and Python, made up."""
    bin_folder = tmp_path / "bin"
    bin_folder.mkdir()

    def make(*talks, console="", then="", complaint=""):
        for number, lines in enumerate(talks, 1):
            (bin_folder / f"talk{number}").write_text("".join(line + "\n" for line in lines))
        script = bin_folder / X86_64.qemu
        script.write_text(
            f"""#!/bin/sh
for word; do case $word in file:*) log=${{word#file:}};; esac; done
echo '{console}' > "$log"
echo boot >> {bin_folder}/boots
n=$(wc -l < {bin_folder}/boots)
cat {bin_folder}/talk$n 2>/dev/null || cat {bin_folder}/talk1
{f"echo {complaint} >&2; exit 1" if complaint else ""}
{then}
"""
        )
        script.chmod(0o755)
        monkeypatch.setenv("PATH", f"{bin_folder}:/usr/bin:/bin")
        kept = tmp_path / "base"
        kept.write_bytes(b"base!")
        monkeypatch.setattr(initramfs, "base", lambda _folder: kept)
        image = tmp_path / "cache" / "vmlinuz-6.17.13+deb13"
        image.parent.mkdir(exist_ok=True)
        image.touch()
        return image

    return make


def boots(tmp_path):
    return (tmp_path / "bin" / "boots").read_text().count("boot")


def record(image, files, tmp_path, **limits):
    scenarios, _ = read_scenarios([files])
    (outcome,) = Matrix(scenarios, tmp_path / "cache", **limits).record([image])
    return outcome


def test_a_guest_that_answers_makes_a_recording(pretend, files, tmp_path):
    recording = record(pretend(GOOD), files, tmp_path)
    assert recording.release == "6.17.13+deb13-cloud-amd64"
    path = recording.write(tmp_path / "out")
    assert path.name == "6.17.13.json.xz"
    document = read_recording(path)
    assert document["results"] == RESULTS
    assert document["machine"] == {"version": "#1"}
    assert "-la57" in document["emulator"]
    assert set(document) == {"release", "machine", "emulator", "date", "tool", "results"}


def test_a_guest_that_crashes_once_is_booted_again(pretend, files, tmp_path):
    recording = record(pretend([READY], GOOD), files, tmp_path)
    assert recording.results == RESULTS
    assert boots(tmp_path) == 2


def test_a_guest_that_crashes_twice_is_trouble_with_its_last_words(pretend, files, tmp_path):
    image = pretend([READY], [READY], console="[ 1.0] Kernel panic - not syncing: no init")
    trouble = record(image, files, tmp_path)
    assert isinstance(trouble, Trouble)
    assert "the guest ended early" in str(trouble)
    assert "Kernel panic - not syncing: no init" in str(trouble)
    assert boots(tmp_path) == 2


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ([], "said nothing for 0 s since it was started"),
        ([READY, part(RESULTS[:1], 1)], "said nothing for 0 s after 1 scenarios"),
    ],
)
def test_a_silent_guest_is_ended(lines, words, pretend, files, tmp_path):
    image = pretend(lines, then="exec tail -f /dev/null")
    trouble = record(image, files, tmp_path, boot_limit=0.4, silence_limit=0.4)
    assert words in str(trouble)


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ([READY, "part 1 2 !!!"], "damaged"),
        ([READY, part(RESULTS[1:], 2)], "missing before scenario 2"),
        ([READY, part(RESULTS[:1], 1), "end 2"], "1 answers came instead of 2"),
        (["trouble the arena is not free"], "the arena is not free"),
    ],
)
def test_answers_that_make_no_sense_are_trouble(lines, words, pretend, files, tmp_path):
    assert words in str(record(pretend(lines), files, tmp_path))


def test_what_qemu_complains_about_is_passed_on(pretend, files, tmp_path):
    assert "no accelerator" in str(record(pretend([], complaint="no accelerator"), files, tmp_path))


def test_noise_between_the_lines_is_ignored(pretend, files, tmp_path):
    assert record(pretend(["", "SeaBIOS", *GOOD]), files, tmp_path).results == RESULTS


# --- the command ---------------------------------------------------------------------------------------------


def command(monkeypatch, tmp_path, *arguments):
    where = ["--cache", str(tmp_path / "cache"), "--offline", "--output", str(tmp_path / "out")]
    monkeypatch.setattr(sys, "argv", ["kernels", *where, *map(str, arguments)])
    return main()


def test_the_command_records_and_compares(pretend, files, tmp_path, monkeypatch, capsys):
    pretend(GOOD)
    assert command(monkeypatch, tmp_path, "--release", "6.17", "--scenarios", files, "--against", "model") == 0
    assert "6.17.13    against model: 2 of 2 scenarios agree" in capsys.readouterr().out
    # The folder is complete: what was asked lies beside the answers.
    assert [one.name for one in load_scenarios(tmp_path / "out" / matrix.SCENARIOS)] == ["one", "two"]

    changed = json.loads(json.dumps(RESULTS))
    changed[1]["steps"][0]["errno"] = "EFAULT"
    (tmp_path / "bin" / "talk1").write_text("\n".join([READY, part(changed), "end 2", ""]))
    shutil.move(tmp_path / "out", tmp_path / "before")
    (tmp_path / "bin" / "boots").unlink()
    assert (
        command(monkeypatch, tmp_path, "--scenarios", files, "--release", "6.17", "--against", tmp_path / "before") == 1
    )
    out = capsys.readouterr().out
    assert "1 of 2 scenarios agree" in out
    assert 'two: step 1, errno: "EFAULT" / "EINVAL"' in out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--scenarios", "nowhere.json"], "nowhere.json: no such file"),
        (["--release", "5.4"], "there is no kernel 5.4 here"),
        (["--against", "nowhere"], "--against nowhere: there is no such folder"),
        (["--jobs", "0"], "--jobs 0"),
    ],
)
def test_what_cannot_be_done_is_one_line(arguments, words, pretend, files, tmp_path, monkeypatch, capsys):
    pretend(GOOD)
    usual = [] if "--scenarios" in arguments else ["--scenarios", files]
    assert command(monkeypatch, tmp_path, *arguments, *usual) == 2
    error = capsys.readouterr().err
    assert error.startswith("kernels: ") and words in error and error.count("\n") == 1


def test_a_newer_series_is_recorded_and_what_the_model_does_not_know_is_told(
    pretend, files, tmp_path, monkeypatch, capsys
):
    new = json.loads(json.dumps(RESULTS))
    new[1]["steps"][0]["errno"] = "E2BIG"
    ready = READY.replace("6.17.13", "7.9.1")
    pretend([ready, part(new), "end 2"])
    monkeypatch.setattr(matrix, "RELEASES", ("6.17",))
    (tmp_path / "cache" / "vmlinuz-7.9.1+deb15").touch()
    assert command(monkeypatch, tmp_path, "--scenarios", files, "--against", "model", "--jobs", "1") == 1
    out = capsys.readouterr().out
    assert "7.9.1      against the model of Linux 7.3.4, since it knows no 7.9 yet: 1 of 2 scenarios agree" in out
    assert "What follows is what the model does not know of Linux 7.9.1:" in out


def test_a_missing_emulator_is_one_line(pretend, files, tmp_path, monkeypatch, capsys):
    pretend(GOOD)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert command(monkeypatch, tmp_path, "--release", "6.17", "--scenarios", files) == 2
    assert "apt install qemu-system-x86" in capsys.readouterr().err


def test_the_list_marks_what_is_kept(pretend, tmp_path, monkeypatch, capsys):
    pretend(GOOD)
    assert command(monkeypatch, tmp_path, "--list") == 0
    assert capsys.readouterr().out == "6.17.13+deb13 *\n"


# --- agreement -----------------------------------------------------------------------------------------------


def test_agreement_is_that_of_the_exchange_format():
    same = json.loads(json.dumps(RESULTS[0]))
    assert difference(RESULTS[0], same) is None
    same["steps"][0]["return_rel"] = 7  # recordings may carry further keys
    assert difference(RESULTS[0], same) is None
    same["final"][0]["flags"] = []
    assert difference(RESULTS[0], same) == "final: [0-2 rw-p {'0': 2000} ac] / [0-2 rw-p {'0': 2000}]"
    same["steps"][1]["values"] = [0]
    assert difference(RESULTS[0], same) == "step 2, values: null / [0]"
    assert difference(RESULTS[0], {"name": "one", "error": "no"}) == "no error / no"
    found = agreement(RESULTS, {"one": same})
    assert (found.total, list(found.differences), found.unknown) == (1, ["one"], ("two",))


# --- the file system of a guest ------------------------------------------------------------------------------


def members(archive):
    """The names and contents of a newc archive."""
    found, position = {}, 0
    while True:
        assert archive[position : position + 6] == b"070701"
        fields = [int(archive[position + 6 + 8 * i : position + 14 + 8 * i], 16) for i in range(13)]
        size, name_size = fields[6], fields[11]
        name = archive[position + 110 : position + 109 + name_size].decode()
        start = position + -(-(110 + name_size) // 4) * 4
        if name == "TRAILER!!!":
            return found
        found[name] = (fields[1], archive[start : start + size])
        position = start + -(-size // 4) * 4


def test_an_archive_has_every_folder_before_its_files():
    found = members(initramfs.cpio({"/a/b/c": (0o644, b"12345"), "init": (0o755, b"#!")}))
    assert found == {
        "a": (0o40755, b""),
        "a/b": (0o40755, b""),
        "a/b/c": (0o100644, b"12345"),
        "init": (0o100755, b"#!"),
    }
    assert list(found) == ["a", "a/b", "a/b/c", "init"]


def test_a_run_carries_the_driver_and_exact_numbers(files):
    scenarios, _ = read_scenarios([files])
    found = members(initramfs.request(scenarios))
    assert "vmalab/driver/server.py" in found and "vmalab/guest.py" in found
    asked = json.loads(found["vmalab/request.json"][1])["scenarios"]
    assert [one["name"] for one in asked] == ["one", "two"]
    assert asked[1]["steps"][0]["new_pages"] == (2**52 - 1) * 4096
    assert asked[0]["bytes"] is True


def test_the_second_archive_starts_at_a_word(files, tmp_path):
    kept = tmp_path / "kept"
    kept.write_bytes(b"12345")
    scenarios, _ = read_scenarios([files])
    whole = initramfs.whole(kept, scenarios, tmp_path / "whole").read_bytes()
    assert whole[:8] == b"12345\0\0\0" and members(whole[8:])


@pytest.mark.live
def test_what_runs_in_a_guest_plays_a_scenario_here(files):
    # Everything but the serial port and vm.max_map_count, which are a guest's.
    scenarios, _ = read_scenarios([files])
    asked = members(initramfs.request(scenarios))["vmalab/request.json"][1]
    code = (
        "import sys, json; sys.path[:0] = sys.argv[1:]; import guest;"
        "from driver import record, server; made = server.settle();"
        "print(json.dumps([guest.play(server, record, made, one) for one in json.load(sys.stdin)['scenarios']]))"
    )
    folders = [str(initramfs.HERE), str(initramfs.DRIVER.parent)]
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code, *folders], input=asked, capture_output=True, check=True
    )
    (one, two) = json.loads(done.stdout)
    assert one == RESULTS[0]
    assert (len(two["steps"]), two["final"]) == (1, [])


def test_a_larger_page_asks_the_same_in_more_bytes():
    base = 0x10_0000_0000
    call = {"call": "mremap", "addr": base + 4096, "old_pages": 8192, "new_pages": 2**63, "new_addr": base - 4096}
    asked = {"name": "one", "steps": [call, {"call": "mmap", "addr": None, "pages": 1}]}
    (move, fresh) = guest.scaled(asked, base, 4)["steps"]
    assert (base + 16384, 32768, 0) == (move["addr"], move["old_pages"], move["new_pages"])
    assert (base - 16384, None, 4) == (move["new_addr"], fresh["addr"], fresh["pages"])
    assert asked["steps"][0]["addr"] == base + 4096


def test_the_command_of_an_arm64_guest(tmp_path, monkeypatch):
    (tmp_path / "qemu-system-aarch64").write_text("#!/bin/sh\n")
    (tmp_path / "qemu-system-aarch64").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    words = qemu.command(tmp_path / "image", tmp_path / "initramfs", tmp_path / "log", ARCHES["arm64-16k"])
    assert words[words.index("-M") + 1] == "virt" and words.count("-serial") == 1
    assert "console=ttyAMA0" in words[-1]
    with pytest.raises(Trouble, match="apt install qemu-system-x86"):
        qemu.qemu()
