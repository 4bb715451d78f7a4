"""A real Jupyter kernel, restarted or interrupted while it waits for the live machine: no process stays behind."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from typing import Any

import pytest

from tests.live.hostility import in_session
from tests.live.test_hostile import gone
from tests.patience import PATIENCE
from vmalab.machines.live import Live

jupyter_client = pytest.importorskip("jupyter_client")
pytestmark = [pytest.mark.notebook, pytest.mark.slow]

START = """
from vmalab.machines.live import Live
from vmalab.programs.scenario import Scenario
from vmalab.linux.call import Fork, Mmap
from vmalab.linux.addr import PAGE, page
live = Live(time_limit=600)
live.run(Scenario("x", (Mmap(page(0), PAGE), Fork())))
session = live.session()
session.do(Mmap(page(0), PAGE))
print(*[driver.pid for driver in live._drivers.values()], session._driver.pid)
"""
WAIT = """
answer = session._driver.answer
session._driver.answer = lambda seconds: (print("waiting", flush=True), answer(seconds))[1]
session.do(Mmap(page(0), PAGE))
"""
AFTER = "print(session.do(Mmap(page(0), PAGE)).errno, live.run(Scenario('x', (Fork(),))).error)"


class Kernel:
    """A kernel of the interpreter that runs the tests."""

    def __init__(self) -> None:
        self.manager: Any = jupyter_client.KernelManager(kernel_name="python3")
        self.manager.start_kernel()
        self.client = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=PATIENCE)

    def start(self, text: str) -> str:
        """Run a cell as far as its first output, which is returned."""
        self.asked = self.client.execute(text, stop_on_error=False)
        while (printed := self._heard()) == "":
            pass
        return printed or ""

    def rest(self) -> str:
        """What the running cell says until it is done; of an exception its name."""
        said = ""
        while (printed := self._heard()) is not None:
            said += printed
        return said

    def said(self, text: str) -> str:
        """Run a cell; what it prints."""
        self.asked = self.client.execute(text, stop_on_error=False)
        return self.rest()

    def _heard(self) -> str | None:
        """One message of the running cell: what it prints, None if it is done."""
        message = self.client.get_iopub_msg(timeout=PATIENCE)
        if message["parent_header"].get("msg_id") != self.asked:
            return ""
        content = message["content"]
        if content.get("execution_state") == "idle":
            return None
        return str(content["text"] if message["msg_type"] == "stream" else content.get("ename", ""))

    def stop(self) -> None:
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)


@pytest.fixture
def kernel(machine: Live) -> Iterator[Kernel]:
    """A kernel, shut down in the end."""
    one = Kernel()
    yield one
    one.stop()


def stand_still(kernel: Kernel) -> tuple[set[int], set[int]]:
    """Start a machine and a session in the kernel, and let a call of the session wait; the ids of their processes."""
    machine, session = (in_session(int(word)) for word in kernel.said(START).split())
    assert (len(machine), len(session)) == (1, 2)
    for member in session:
        os.kill(member, signal.SIGSTOP)
    assert kernel.start(WAIT) == "waiting\n"
    return machine, session


def test_restarted_in_the_middle_of_a_call(kernel: Kernel) -> None:
    machine, session = stand_still(kernel)
    kernel.manager.restart_kernel(now=True)
    assert gone(machine | session)
    kernel.client.wait_for_ready(timeout=PATIENCE)
    assert len(kernel.said(START).split()) == 2


def test_interrupted_in_the_middle_of_a_call(kernel: Kernel) -> None:
    machine, session = stand_still(kernel)
    kernel.manager.interrupt_kernel()
    assert gone(session)
    assert kernel.rest() == "KeyboardInterrupt"
    assert kernel.said(AFTER) == "None None\n"
    assert in_session(min(machine)) == machine
