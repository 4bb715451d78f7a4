"""A real JupyterHub with real unprivileged users who run a lesson: `python -m tests.hub --students 25`."""
