#!/bin/sh
# Writes constraints.txt anew (`make lock`): the newest versions that fit pyproject.toml's extra "test", names and
# versions only. They are resolved for the oldest Python that is supported, to the patch release (some packages ask for
# 3.11.5 where Debian 12 has 3.11.2), so that they install on every newer one too. Nothing is installed.
#
#     $1  a Python 3.11, whatever its patch release: pip evaluates "python_version" in its own interpreter
set -eu
python=$1
"$python" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || {
    echo "the versions are resolved with Python 3.11, and '$python' is not: say where one is with PYTHON=..." >&2
    exit 1
}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$python" -m venv "$work/env"
"$work/env/bin/python" -m pip install --quiet --disable-pip-version-check --dry-run --ignore-installed \
    --python-version 3.11.2 --only-binary=:all: --target "$work/nowhere" --report "$work/report.json" '.[test]'
"$work/env/bin/python" - "$work/report.json" > "$work/constraints.txt" <<'END'
import json, sys
found = {item["metadata"]["name"]: item["metadata"]["version"] for item in json.load(open(sys.argv[1]))["install"]}
del found["vmalab"]
print("# Exact versions of the whole environment, written by `make lock`: names and versions only.")
print(*(f"{name}=={found[name]}" for name in sorted(found, key=str.lower)), sep="\n")
END
cp "$work/constraints.txt" constraints.txt
echo "constraints.txt holds $(grep -c == constraints.txt) versions; try them with make test"
