"""A program in a link: compressed into the part of an address behind `#`, which no browser sends to a server.

play.html#p=eJy…    JSON {"on": release, "scenario": scenario as in a file}, deflate (RFC 1951), base64url without =
"""

from __future__ import annotations

import binascii
import json
import zlib
from base64 import urlsafe_b64decode, urlsafe_b64encode

from vmalab.errors import ScenarioError
from vmalab.programs.scenario import Scenario, parse_json, scenario_from_json, scenario_to_json

KEY = "p="

MOST_BYTES = 200_000
"""Of a program in a link, unpacked: nobody's link may take a machine's memory."""


def fragment(scenario: Scenario, release: str) -> str:
    """What stands behind `#` for this program on this release.

    >>> from vmalab.linux.call import Mmap
    >>> from vmalab.linux.addr import PAGE, page
    >>> opened(fragment(Scenario("one", (Mmap(page(0), PAGE),)), "6.17"))[1]
    '6.17'
    """
    text = json.dumps({"on": release, "scenario": scenario_to_json(scenario)}, separators=(",", ":"))
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = packer.compress(text.encode()) + packer.flush()
    return KEY + urlsafe_b64encode(packed).decode().rstrip("=")


def opened(text: str) -> tuple[Scenario, str]:
    """The program and the release that `text` holds, with or without `#`.  Raises ScenarioError for what holds none."""
    where = "the program in the link"
    code = text.removeprefix("#").removeprefix(KEY)
    try:
        packed = urlsafe_b64decode(code + "=" * (-len(code) % 4))
        unpacker = zlib.decompressobj(-15)
        data = unpacker.decompress(packed, MOST_BYTES)
    except (ValueError, binascii.Error, zlib.error):
        raise ScenarioError(f"{where} can't be read: the link is not whole") from None
    if len(data) == MOST_BYTES:
        raise ScenarioError(f"{where} is too long: {MOST_BYTES} bytes are the most")
    if not unpacker.eof:
        raise ScenarioError(f"{where} can't be read: the link is not whole")
    value = parse_json(data, where)
    if not isinstance(value, dict) or not isinstance(value.get("on"), str):
        raise ScenarioError(f"{where} can't be read: it does not say on which release")
    return scenario_from_json(value.get("scenario"), where), value["on"]
