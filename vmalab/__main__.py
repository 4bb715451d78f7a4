"""The command `vmalab`, also `python -m vmalab`: runs a command of `vmalab.cli`; every end becomes an exit status.

0: it did what was asked; 1: it found a difference; 2: it could not understand or could not go on, with one clear line
on standard error; 130: the keyboard interrupted it; 141: nobody reads its output any more.  A traceback is a bug.
"""

from __future__ import annotations

import contextlib
import os
import sys


def main() -> None:
    """Run the command line and exit."""
    _open_closed_streams()
    sys.exit(run(sys.argv[1:]))


def _open_closed_streams() -> None:
    """Let a standard stream that was closed before the start (`>&-`) lead nowhere, as `>/dev/null` does.

    Otherwise it is None in Python, and the next file to be opened takes its number.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:  # in this order each gets the lowest free number, which is its own
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115


def run(arguments: list[str]) -> int:
    """Run the command line with `arguments`; the exit status."""
    try:
        import click

        from vmalab.cli import cli
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("click", "rich"):
            raise
        return _fail("the command line needs click and rich: pip install 'vmalab[cli]'")
    from vmalab.errors import VmalabError

    try:
        status = cli.main(arguments, prog_name="vmalab", standalone_mode=False)
        sys.stdout.flush()
    except click.exceptions.Exit as end:
        return end.exit_code
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.ctx.get_help())
        return 0
    except click.UsageError as error:
        command = error.ctx.command_path if error.ctx else "vmalab"
        return _fail(f"{error.format_message()} (see {command} --help)")
    except click.ClickException as error:
        return _fail(error.format_message())
    except VmalabError as error:
        return _fail(str(error))
    except (click.Abort, KeyboardInterrupt):
        return _fail("interrupted", 130)
    except (BrokenPipeError, SystemExit):  # click's own way to say the same
        _drop_output()  # whoever was reading has gone, and wants nothing more
        return 141
    except OSError as error:
        _drop_output()
        return _fail(f"{error.filename}: {(error.strerror or '').lower()}" if error.filename
                     else (error.strerror or str(error)).lower())  # fmt: skip
    except MemoryError:
        return _fail("there is not enough memory for this")
    return status if isinstance(status, int) else 0


def _drop_output() -> None:
    """Send nowhere what is still to be written: Python would complain about it at its very end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def _fail(sentence: str, status: int = 2) -> int:
    line = "".join(letter if letter.isprintable() else "?" for letter in " ".join(sentence.split()))
    with contextlib.suppress(OSError):
        sys.stderr.write(f"vmalab: {line}\n")
    return status


if __name__ == "__main__":
    main()
