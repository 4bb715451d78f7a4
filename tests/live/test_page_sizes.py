"""Pages of 16 and 64 KiB: there is no live machine there, and its arithmetic would hold.

(Model and recordings work there as everywhere: their pages are numbers, see tests/test_addr.py.)
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vmalab.machines.live import availability, why_unavailable
from vmalab.machines.live.driver import limits, proc, program
from vmalab.machines.live.driver import server as driver_server

SIZES = (4096, 16384, 65536)
WORD = (1 << 64) - 1


@pytest.mark.parametrize("size", SIZES[1:])
def test_it_says_so(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    monkeypatch.setattr(availability.os, "sysconf", lambda name: size)
    monkeypatch.setattr(availability.sys, "platform", "linux")
    monkeypatch.setattr(availability.platform, "machine", lambda: "x86_64")
    monkeypatch.delenv("VMALAB_LIVE", raising=False)
    assert why_unavailable() == f"the live machine needs pages of 4096 bytes, and here they have {size}"
    assert driver_server.why_not() == f"its pages have {size} bytes, and scenarios are made of pages of 4096"


@pytest.mark.parametrize("size", SIZES)
@given(address=st.integers(0, WORD), length=st.integers(0, WORD))
def test_a_range_stands_for_whole_pages(size: int, address: int, length: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(program, "PAGE", size)
        start, end = program.span(address, length)
    assert (start % size, end % size) == (0, 0)
    assert start <= address < start + size
    assert end - address - length < size


@pytest.mark.parametrize("size", SIZES)
@given(pages=st.integers(-(1 << 40), 1 << 40), half=st.booleans())
def test_steps_in_pages(size: int, pages: int, half: bool) -> None:
    number = pages + 0.5 if half and abs(pages) < 1 << 30 else pages
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(program, "PAGE", size)
        step = program.in_bytes({"call": "munmap", "addr": number, "pages": number})
    assert step["addr"] == (program.BASE + int(number * size)) & WORD
    assert step["pages"] == int(number * size) & WORD


@pytest.mark.parametrize("size", SIZES)
def test_lines_of_proc(size: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        for module in (proc, limits):
            patch.setattr(module, "PAGE", size)
        area = proc._area(b"%x-%x rw-s %08x 00:01 5 /memfd:f0 (deleted)" % (16 * size, 18 * size, 3 * size))
    assert (area.start, area.end, area.backing, area.pgoff) == (16 * size, 18 * size, "f0", 3)
