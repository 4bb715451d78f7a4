"""What `vmalab build hub` makes, held against what reads it: the chart's schema, JupyterHub, the sign-in by LTI 1.3."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

import vmalab
from vmalab.editions import build

SCHEMA = json.loads(Path(__file__).with_name("values.schema.json").read_text(encoding="utf-8"))
LTI = {
    "LTI13_CLIENT_ID": "7", "LTI13_ISSUER": "https://lms.example.edu",
    "LTI13_AUTHORIZE_URL": "https://lms.example.edu/auth", "LTI13_JWKS_ENDPOINT": "https://lms.example.edu/certs",
}  # fmt: skip


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build("hub", tmp_path_factory.mktemp("hub")).folder


def mistakes(values: Any) -> list[str]:
    """What the schema finds; keys that are required but not given have the chart's own defaults."""
    errors = jsonschema.Draft7Validator(SCHEMA).iter_errors(values)
    return [error.message for error in errors if error.validator != "required"]


def test_the_values_are_what_the_chart_takes(made: Path) -> None:
    values = yaml.safe_load((made / "values.yaml").read_text(encoding="utf-8"))
    assert [] == mistakes(values)
    assert vmalab.__version__ == values["singleuser"]["image"]["tag"]
    compile(values["hub"]["extraConfig"]["uids"], "uids", "exec")


def test_the_schema_finds_a_misspelt_key(made: Path) -> None:
    values = yaml.safe_load((made / "values.yaml").read_text(encoding="utf-8"))
    values["singleuser"]["memmory"] = values["singleuser"].pop("memory")
    (said,) = mistakes(values)
    assert "'memmory' was unexpected" in said


def test_no_file_has_a_place_left_to_fill_in(made: Path) -> None:
    assert {"Dockerfile", "README.md", "jupyter_server_config.py", "jupyterhub_config.py", "values.yaml"} == {
        path.name for path in made.iterdir() if not path.name.startswith(".")
    }
    for path in made.iterdir():
        assert "@VERSION@" not in path.read_text(encoding="utf-8")


def test_the_dockerfile_copies_and_installs_what_is_there(made: Path) -> None:
    text = (made / "Dockerfile").read_text(encoding="utf-8")
    for name in re.findall(r"/hub/(\S+\.py)", text):
        assert (made / name).is_file()
    assert ["student", "lecturer"] == re.findall(r"^FROM \S+ AS (\S+)$", text, re.MULTILINE)
    student = text[: text.index("# Who grades")]
    assert "pip install" in student and "nbgrader" not in student


LOAD = """
import json, sys
from jupyterhub.app import JupyterHub
hub = JupyterHub()
hub.load_config_file(sys.argv[1])
found = hub.authenticator_class
name = getattr(found, "normalize_username", None)
told = {
    "class": found.__name__, "bases": [one.__name__ for one in found.__mro__],
    "services": [one["name"] for one in hub.services], "roles": [one["name"] for one in hub.load_roles],
}
if "LTI13Authenticator" in told["bases"]:
    one = found(config=hub.config)
    names = ["Ada.Lovelace@example.edu", "ada-lovelace@example.edu", "ada.lovelace@other.edu", "1 \\u00e9@x"]
    told["names"] = [one.normalize_username(name) for name in names]
    told["again"] = [one.normalize_username(name) for name in told["names"]]
    told["issuer"], told["client"] = one.issuer, sorted(one.client_id)
print(json.dumps(told))
"""


def loaded(made: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    env = {name: value for name, value in os.environ.items() if not name.startswith("LTI13")} | environment
    command = [sys.executable, "-W", "ignore", "-c", LOAD, str(made / "jupyterhub_config.py")]
    return subprocess.run(command, env=env, cwd=made, capture_output=True, text=True, check=False)


def test_jupyterhub_reads_its_configuration(made: Path) -> None:
    done = loaded(made, {})
    assert 0 == done.returncode, done.stderr
    told = json.loads(done.stdout)
    assert ["idle-culler"] == told["services"] and ["idle-culler"] == told["roles"]
    assert "PAMAuthenticator" == told["class"]


def test_with_the_addresses_of_an_lms_it_signs_in_by_lti(made: Path) -> None:
    done = loaded(made, LTI)
    assert 0 == done.returncode, done.stderr
    told = json.loads(done.stdout)
    assert {"LTI13Authenticator", "LocalAuthenticator"} <= set(told["bases"])
    assert (LTI["LTI13_ISSUER"], [LTI["LTI13_CLIENT_ID"]]) == (told["issuer"], told["client"])
    # names that Linux takes, each person's own, and the same when a name comes back
    assert 4 == len(set(told["names"])) and told["names"] == told["again"]
    assert all(re.fullmatch("[a-z][a-z0-9-]{1,31}", name) for name in told["names"])


def test_half_of_the_addresses_is_refused(made: Path) -> None:
    done = loaded(made, {"LTI13_ISSUER": "https://lms.example.edu"})
    assert 0 != done.returncode
    assert "there is no LTI13_CLIENT_ID, LTI13_AUTHORIZE_URL, LTI13_JWKS_ENDPOINT" in done.stderr
