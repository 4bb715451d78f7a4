#!/bin/sh
# Writes constraints.txt anew (`make lock`): resolves pyproject.toml's extra "test" in a fresh environment made with the
# interpreter given ($1), without the old constraints, and keeps names and versions only. Give it the oldest Python
# supported (`make lock PYTHON=python3.11`): what it chooses then installs on newer ones too.
set -eu
python=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$python" -m venv "$work/env"
"$work/env/bin/python" -m pip install --quiet --disable-pip-version-check -e '.[test]'
{
    echo "# Exact versions of the whole environment, written by \`make lock\`: names and versions only."
    "$work/env/bin/python" -m pip freeze --exclude-editable --disable-pip-version-check | grep -E '^[A-Za-z0-9._-]+=='
} > "$work/constraints.txt"
cp "$work/constraints.txt" constraints.txt
echo "constraints.txt holds $(grep -c == constraints.txt) versions; try them with make test"
