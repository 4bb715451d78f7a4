# Kernel images: which release is meant, which mirror is asked, what is taken out of a package. No network.

import shutil
import subprocess

import pytest

from tests.kernels import debian
from tests.kernels.arch import ARCHES
from tests.kernels.debian import Images, image_in, newer_series, newest, release_key, system_mirror
from tests.kernels.trouble import Trouble

KEPT = ("6.1.0-50", "6.12.107+deb13", "6.16.12+deb13", "6.18.9+deb13", "6.18.15+deb13", "7.1.13+deb13", "7.2.13+deb14")


@pytest.fixture
def cache(tmp_path):
    for release in KEPT:
        (tmp_path / f"vmlinuz-{release}").touch()
    return tmp_path


@pytest.mark.parametrize(
    ("wanted", "release"),
    [
        ("6.1", "6.1.0-50"),  # and not 6.12 or 6.16
        ("6.18", "6.18.15+deb13"),  # 15 is newer than 9
        ("6.18.9", "6.18.9+deb13"),
        ("6.18.9+deb13", "6.18.9+deb13"),
        ("7", "7.2.13+deb14"),
        ("6.18.1", None),
        ("7.3", None),
    ],
)
def test_a_release_means_the_newest_kernel_of_it(wanted, release):
    assert newest(KEPT, wanted) == release


def test_releases_sort_by_number():
    assert sorted(set(KEPT), key=release_key) == list(KEPT)


def test_newer_series_are_found():
    assert [] == newer_series(KEPT, ("6.1", "7.2"))
    assert ["7.1", "7.2"] == newer_series(KEPT, ("6.18", "7.0"))
    assert ["7.10", "8.0"] == newer_series(["8.0.1", "7.10.3+deb14", "7.10.1", "7.3.4"], ("7.3",))


def test_what_is_kept_needs_no_network(cache):
    assert Images(cache, offline=True).image("6.18") == cache / "vmlinuz-6.18.15+deb13"


def test_without_a_network_the_newest_kept_one_will_do(cache, monkeypatch):
    images = Images(cache)
    monkeypatch.setattr(images, "available", lambda: (_ for _ in ()).throw(Trouble("no network")))
    assert images.image("6.18") == cache / "vmlinuz-6.18.15+deb13"
    with pytest.raises(Trouble, match=r"^no kernel 7\.3: no network$"):
        images.image("7.3")


def test_a_release_that_is_nowhere_is_named_with_those_there_are(cache):
    with pytest.raises(Trouble, match=r"^there is no kernel 5\.4 here: there are 6\.1\.0-50, .*7\.2\.13\+deb14$"):
        Images(cache, offline=True).image("5.4")


def test_the_newest_one_is_downloaded(cache, monkeypatch):
    images = Images(cache)
    packages = {"6.18.15+deb13": "old", "6.18.44+deb13": "linux-image-6.18.44+deb13-cloud-amd64"}
    asked = []
    monkeypatch.setattr(images, "available", lambda: packages)
    monkeypatch.setattr(images, "_download", lambda *what: asked.append(what))
    images.image("6.18")
    assert asked == [("6.18.44+deb13", packages["6.18.44+deb13"])]


def test_the_package_with_the_image_is_chosen(tmp_path, monkeypatch):
    names = """linux-image-6.1.0-50-cloud-amd64 linux-image-6.1.0-50-cloud-amd64-dbg linux-image-cloud-amd64
        linux-image-7.2.13+deb14-cloud-amd64 linux-binary-7.2.13+deb14-cloud-amd64
        linux-binary-unsigned-7.2.13+deb14-cloud-amd64 linux-headers-7.2.13+deb14-cloud-amd64"""
    images = Images(tmp_path, mirror="http://mirror.invalid/debian")
    monkeypatch.setattr(images, "_ask", lambda *command, **_: names if command[0] == "apt-cache" else "")
    assert images.available() == {
        "6.1.0-50": "linux-image-6.1.0-50-cloud-amd64",
        "7.2.13+deb14": "linux-binary-7.2.13+deb14-cloud-amd64",
    }
    sources = (tmp_path / "apt" / "sources.list").read_text()
    assert [line.split()[-3:] for line in sources.splitlines()] == [
        ["http://mirror.invalid/debian", suite, "main"] for suite in debian.SUITES
    ]
    settings = (tmp_path / "apt" / "apt.conf").read_text()
    assert f'Dir::Etc::SourceList "{tmp_path}/apt/sources.list";' in settings
    assert f'Dir::State::Lists "{tmp_path}/apt/lists";' in settings


@pytest.mark.parametrize(
    ("targets", "mirror"),
    [
        ("http://one.invalid/x Other Other\nhttp://two.invalid/d Debian Debian", "http://two.invalid/d"),
        ("http://s.invalid/s Debian Debian-Security\nhttp://two.invalid/d Debian Debian", "http://two.invalid/d"),
        ("http://new.invalid/debian/ $(ORIGIN) $(LABEL)", "http://new.invalid/debian/"),
    ],
)
def test_the_mirror_is_the_one_of_this_system(targets, mirror, monkeypatch):
    monkeypatch.setattr(debian, "_run", lambda *_: targets)
    assert system_mirror() == mirror


def test_a_system_without_a_debian_mirror_is_told_what_to_do(monkeypatch):
    monkeypatch.setattr(debian, "_run", lambda *_: "http://one.invalid/ubuntu Ubuntu Ubuntu\n")
    with pytest.raises(Trouble, match="--mirror"):
        system_mirror()


def test_a_failing_command_is_one_line(tmp_path, monkeypatch):
    script = tmp_path / "apt-get"
    script.write_text(
        "#!/bin/sh\necho W: something >&2\necho E: no route to the mirror >&2\necho later >&2\nexit 100\n"
    )
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    with pytest.raises(Trouble, match=r"^apt-get update failed: E: no route to the mirror$"):
        Images(tmp_path / "cache", mirror="http://mirror.invalid").available()


def test_no_apt_is_one_line(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Trouble, match=r"^apt-get is not there"):
        Images(tmp_path / "cache").available()


@pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="there is no dpkg-deb to make a package with")
@pytest.mark.parametrize("path", ["boot/vmlinuz-6.1.0-50", "usr/lib/modules/7.3.4+deb13/vmlinuz"])
def test_the_image_is_taken_out_of_a_package(path, tmp_path):
    root = tmp_path / "root"
    (root / "DEBIAN").mkdir(parents=True)
    (root / "DEBIAN" / "control").write_text(
        "Package: k\nVersion: 1\nArchitecture: all\nMaintainer: n <n@example.org>\nDescription: k\n"
    )
    (root / path).parent.mkdir(parents=True)
    (root / "boot").mkdir(exist_ok=True)
    (root / "boot" / "System.map-6.1.0-50").write_text("not this one")
    (root / path).write_bytes(b"kernel")
    subprocess.run(["dpkg-deb", "-b", str(root), str(tmp_path / "k.deb")], check=True, capture_output=True)
    assert image_in(tmp_path / "k.deb") == b"kernel"
    (root / path).unlink()
    subprocess.run(["dpkg-deb", "-b", str(root), str(tmp_path / "none.deb")], check=True, capture_output=True)
    with pytest.raises(Trouble, match=r"no kernel image in none\.deb"):
        image_in(tmp_path / "none.deb")


@pytest.mark.parametrize(("arch", "package"), [("arm64", "linux-image-6.17.13+deb13-cloud-arm64"),
                                               ("arm64-16k", "linux-image-6.17.13+deb13-arm64-16k")])  # fmt: skip
def test_another_machine_has_its_own_packages_lists_and_images(arch, package, cache, monkeypatch):
    names = " ".join(f"linux-image-6.17.13+deb13-{flavour}" for flavour in ("cloud-amd64", "cloud-arm64", "arm64-16k"))
    images = Images(cache, mirror="http://mirror.invalid/debian", arch=ARCHES[arch])
    monkeypatch.setattr(images, "_ask", lambda *command, **_: names if command[0] == "apt-cache" else "")
    assert images.available() == {"6.17.13+deb13": package}
    assert images.kept() == {}
    settings = (cache / "apt-arm64" / "apt.conf").read_text()
    assert 'APT::Architecture "arm64";' in settings
