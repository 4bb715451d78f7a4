"""Students of a hub that runs: each starts a server, fetches a lesson from his home and runs it over the websocket."""

from __future__ import annotations

import asyncio
import json
import re
import statistics
import threading
import time
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from attrs import Factory, define
from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPRequest
from tornado.websocket import WebSocketClientConnection, websocket_connect

from tests.hub.hub import Hub
from tests.patience import PATIENCE

LESSON = "04-mremap-many-vmas.ipynb"


@define
class Session:
    """What one student met: seconds, memory in MiB, errors.  `lessons`: what lay in his folder."""

    name: str
    ready: float = 0
    first_cell: float = 0
    cells: list[float] = Factory(list)
    server: float = 0
    kernel: float = 0
    uids: set[int] = Factory(set)
    lessons: list[str] = Factory(list)
    errors: list[str] = Factory(list)

    @property
    def memory(self) -> float:
        """MiB of the server, its kernel and the live machine's drivers (PSS)."""
        return self.server + self.kernel


class Student:
    """One of them."""

    def __init__(self, hub: Hub, name: str, lesson: str = LESSON) -> None:
        self.hub, self.name, self.lesson = hub, name, lesson
        self.session = Session(name)

    async def attend(self) -> Session:
        """Everything but leaving; what goes wrong is in the session."""
        try:
            began = time.monotonic()
            pid = await self._start()
            self.session.ready = time.monotonic() - began
            folder = await self._ask(f"/user/{self.name}/api/contents/vmalab-lessons")
            self.session.lessons = sorted(one["name"] for one in folder["content"] if one["type"] == "notebook")
            await self._run_lesson(began, pid)
        except (TimeoutError, AssertionError, OSError, HTTPClientError, KeyError, ValueError) as error:
            self.session.errors.append(f"{type(error).__name__}: {error}")
        return self.session

    async def leave(self) -> None:
        """Stop the server."""
        await self._ask(f"/hub/api/users/{self.name}/server", "DELETE")
        await self._until(lambda user: not user["servers"])

    async def _ask(self, path: str, method: str = "GET", body: object = None) -> Any:
        request = HTTPRequest(
            self.hub.url + path, method, {"Authorization": f"token {self.hub.token}"}, request_timeout=PATIENCE,
            connect_timeout=PATIENCE, body=None if method in ("GET", "DELETE") else json.dumps(body or {}),
        )  # fmt: skip
        answer = await AsyncHTTPClient().fetch(request)
        return json.loads(answer.body) if answer.body else None

    async def _until(self, holds: Any) -> Any:
        for _ in range(PATIENCE * 5):  # the hub is asked; it tells nobody by itself
            user = await self._ask(f"/hub/api/users/{self.name}")
            if holds(user):
                return user
            await asyncio.sleep(0.2)
        raise AssertionError(f"{self.name}: the hub did not come to it")

    async def _start(self) -> int:
        """Have the hub start a server; the number of its process."""
        await self._ask(f"/hub/api/users/{self.name}/server", "POST")
        user = await self._until(lambda user: user["servers"].get("", {}).get("ready"))
        return int(user["servers"][""]["state"]["pid"])

    async def _run_lesson(self, began: float, pid: int) -> None:
        found = await self._ask(f"/user/{self.name}/api/contents/vmalab-lessons/{self.lesson}")
        cells = ["".join(cell["source"]) for cell in found["content"]["cells"] if cell["cell_type"] == "code"]
        kernel = await self._ask(f"/user/{self.name}/api/kernels", "POST", {"path": "vmalab-lessons"})
        url = f"{self.hub.url.replace('http', 'ws')}/user/{self.name}/api/kernels/{kernel['id']}/channels"
        socket = await websocket_connect(
            HTTPRequest(
                url,
                headers={"Authorization": f"token {self.hub.token}"},
                connect_timeout=PATIENCE,
                request_timeout=PATIENCE,
            )
        )
        for number, code in enumerate(cells):
            at = time.monotonic()
            await asyncio.wait_for(self._run(socket, number, code), PATIENCE)
            self.session.cells.append(time.monotonic() - at)
            if not number:
                self.session.first_cell = time.monotonic() - began
        family = tree(pid)
        self.session.server = pss(pid)
        self.session.kernel = sum(pss(one) for one in family if one != pid)
        self.session.uids = {Path(f"/proc/{one}").stat().st_uid for one in family}
        socket.close()

    async def _run(self, socket: WebSocketClientConnection, number: int, code: str) -> None:
        asked = uuid.uuid4().hex
        header = {"msg_id": asked, "msg_type": "execute_request", "username": "", "session": asked, "version": "5.3"}
        content = {"code": code, "silent": False, "store_history": True, "allow_stdin": False, "stop_on_error": False}
        message = {"header": header, "parent_header": {}, "metadata": {}, "content": content, "channel": "shell"}
        await socket.write_message(json.dumps(message))
        while True:
            text = await socket.read_message()
            assert text is not None, f"the connection ended in cell {number}"
            told = json.loads(text)
            if told["parent_header"].get("msg_id") != asked:
                continue
            if told["msg_type"] == "error":
                self.session.errors.append(f"cell {number}: {told['content']['ename']}: {told['content']['evalue']}")
            if told["msg_type"] == "status" and told["content"]["execution_state"] == "idle":
                return


async def attend(hub: Hub, every: float = 0, lesson: str = LESSON) -> list[Session]:
    """All students of the hub, one each `every` seconds; they stay until the last has finished, and then leave."""
    await _up(hub)
    AsyncHTTPClient.configure(None, max_clients=10 * len(hub.uids) + 10)
    students = [Student(hub, name, lesson) for name in hub.uids]

    async def later(number: int, one: Student) -> Session:
        await asyncio.sleep(every * number)
        return await one.attend()

    sessions = await asyncio.gather(*(later(number, one) for number, one in enumerate(students)))
    await asyncio.gather(*(one.leave() for one in students))
    return list(sessions)


async def _up(hub: Hub) -> None:
    while hub.process.poll() is None:
        try:
            await AsyncHTTPClient().fetch(f"{hub.url}/hub/api/")
            return
        except (OSError, HTTPClientError):
            await asyncio.sleep(0.2)
    raise AssertionError(f"the hub did not start:\n{hub.log.read_text()}")


def tree(pid: int) -> list[int]:
    """A process and all that come from it."""
    children: dict[int, list[int]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(path.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
        children.setdefault(parent, []).append(int(path.parent.name))
    found = [pid]
    for one in found:
        found += children.get(one, [])
    return found


def pss(pid: int) -> float:
    """MiB of a process: its own pages, and its part of those that it shares."""
    told = re.search(r"^Pss:\s+(\d+) kB", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE)
    assert told is not None
    return int(told[1]) / 1024


def left_behind(hub: Hub) -> list[str]:
    """Processes of the students' numbers that do not end."""
    uids = {uid for uid in hub.uids.values() if uid is not None}
    until = time.monotonic() + PATIENCE
    while (found := _processes_of(uids)) and time.monotonic() < until:
        threading.Event().wait(0.2)  # a kernel ends itself when its server has gone
    return found


def _processes_of(uids: set[int]) -> list[str]:
    """Their command lines; one that has ended may wait for its parent (a zombie)."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            if path.stat().st_uid in uids and "\nState:\tZ" not in (path / "status").read_text():
                found.append((path / "cmdline").read_text().replace("\0", " "))
        except OSError:
            continue
    return found


def summary(sessions: Sequence[Session]) -> str:
    """One line of a table, as the guide has it."""
    ready, first = ([getattr(one, what) for one in sessions] for what in ("ready", "first_cell"))
    cells = sorted(second for one in sessions for second in one.cells)
    p95 = cells[int(len(cells) * 0.95)] * 1000 if cells else 0
    memory = statistics.median(one.memory for one in sessions)
    server, kernel = (statistics.median(getattr(one, what) for one in sessions) for what in ("server", "kernel"))
    errors = sum(len(one.errors) for one in sessions)
    return (
        f"| {len(sessions)} | {statistics.median(ready):.1f} / {max(ready):.1f} s | {statistics.median(first):.1f} / "
        f"{max(first):.1f} s | {p95:.0f} ms | {memory:.0f} MiB ({server:.0f} + {kernel:.0f}) | {errors} |"
    )
