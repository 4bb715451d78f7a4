"""Three students on a real hub: each his own user, his lessons there, a lesson run without an error, nothing left."""

from __future__ import annotations

import asyncio
import socket
from urllib.parse import urlsplit

import pytest

from tests.hub.hub import HOW_PROXY, hub, numbered, proxy
from tests.hub.students import attend, left_behind, summary
from vmalab.editions.source import lesson_paths

MOST_MEMORY = 180
"""MiB of a student: server, kernel with a lesson run, the live machine's drivers (PSS)."""


@pytest.mark.hub
@pytest.mark.slow
@pytest.mark.skipif(proxy() is None, reason=HOW_PROXY)
def test_three_students_run_a_lesson() -> None:
    with hub([f"student{number}" for number in range(3)]) as running:
        sessions = asyncio.run(attend(running))
        said = running.log.read_text(errors="replace")
        left = left_behind(running)
    print(summary(sessions))
    assert [] == [error for one in sessions for error in one.errors], said[-4000:]
    lessons = [path.name for path in lesson_paths()]
    for one in sessions:
        assert lessons == one.lessons
        assert one.cells
        if numbered():
            assert {running.uids[one.name]} == one.uids
        assert one.memory <= MOST_MEMORY, "what was loaded in a server or kernel that was not before?"
    assert [] == left
    where = urlsplit(running.url)
    with socket.socket() as asked, pytest.raises(ConnectionRefusedError):
        asked.connect((where.hostname, where.port))
