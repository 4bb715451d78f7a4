"""What vmalab's errors look like where a learner meets them."""

from __future__ import annotations

import pytest
from IPython.core.interactiveshell import InteractiveShell

from vmalab.errors import UsageError, described

TOO_LONG = pytest.param(10**5000, "an int", id="a number too long to be written")


class Unspeakable:
    def __repr__(self) -> str:
        raise RuntimeError("not even that")


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (6.18, "6.18"),
        ("a\nb", repr("a\nb")),
        (Unspeakable(), "an Unspeakable"),
        TOO_LONG,
        ("x" * 99, "a str"),
    ],
)
def test_a_value_in_a_message_is_short_and_on_one_line(value: object, said: str) -> None:
    assert said == described(value)


def test_in_a_notebook_an_error_is_one_line_that_names_the_line_of_the_cell(
    capsys: pytest.CaptureFixture[str],
) -> None:
    shell = InteractiveShell()
    shell.run_cell("from vmalab import Model\nvm = Model()\nvm.mmap('x', 5)")
    shown = capsys.readouterr().out.strip()
    assert "UsageError: mmap: addr is a whole number, not 'x' (line 3 of the cell)" == shown


def test_an_error_that_was_never_raised_shows_its_sentence() -> None:
    assert ["UsageError: too many"] == UsageError("too many")._render_traceback_()
