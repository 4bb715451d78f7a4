"""What `vmalab build` makes besides the editions, each by a command with options of its own: `bank`, `exam`.

Here stand also the options that they share.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from importlib import import_module
from typing import Any, TypeVar

import click

from vmalab.cli.common import echo
from vmalab.errors import UsageError

F = TypeVar("F", bound=Callable[..., Any])

OWN = ("bank", "exam")
"""Each has its file, `build_NAME.py`."""


class Building(click.Command):
    """`vmalab build EDITION...`, and `vmalab build bank`, whose options are its own."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        if args and args[0] in OWN:
            other: click.Command = import_module(f"vmalab.cli.build_{args[0]}").command
            return other.make_context(f"{info_name} {args[0]}", args[1:], parent, **extra)
        for name in OWN:
            if name in args:
                raise UsageError(f"{name} is made by itself, with options of its own: vmalab build {name} --help")
        return super().make_context(info_name, args, parent, **extra)


def output_option(function: F) -> F:
    """The option --output DIR."""
    return click.option(
        "-o", "--output", metavar="DIR", default="build", show_default=True, help="The folder to build in."
    )(function)


def secret_option(function: F) -> F:
    """The option --seed TEXT."""
    told = "A long text that you keep to yourself: the same one gives the same problems (chance)."
    return click.option("--seed", "secret", metavar="TEXT", help=told)(function)


def secret_of(text: str | None) -> str:
    """The text that problems are drawn from; chance where none was given.  Warns of one that can be found by trying."""
    from vmalab.editions.bank.draw import LEAST_SECRET

    if text is None:
        return secrets.token_hex(LEAST_SECRET)
    if not text.strip():
        raise UsageError("--seed is a text that only you know: leave it out, and chance makes one")
    if len(text) < LEAST_SECRET:
        echo(
            f"note: a seed of {len(text)} characters can be found by trying, and with it the answers: take "
            f"{LEAST_SECRET} or more, or leave --seed out",
            err=True,
        )
    return text


def missing(error: ModuleNotFoundError, what: str) -> Exception:
    """A package of an extra is missing: which to install; anything else that is missing is a fault of ours."""
    if (error.name or "vmalab").partition(".")[0] == "vmalab":
        return error
    return UsageError(f"{what} needs {error.name}: pip install 'vmalab[exam]'")
