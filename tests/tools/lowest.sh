#!/bin/sh
# Runs the tests with the oldest versions that pyproject.toml permits (`make lowest`), in an environment of its own.
# What holds stored outputs is left out: charts and tables are drawn by the newest versions, and look different here.
#
#     $1  a Python 3.11
set -eu
env=build/lowest
"$1" -m venv --clear "$env"
"$env/bin/python" -m pip install --quiet --disable-pip-version-check uv
"$env/bin/uv" pip install --quiet --python "$env/bin/python" --resolution lowest-direct -e '.[test]'
exec "$env/bin/python" -m pytest -n 3 --dist loadfile --no-loadscope-reorder -m "not notebook" -k "not constraints_say" ${OPTS:-}
