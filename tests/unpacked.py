"""What pages and widgets carry, opened."""

from __future__ import annotations

import json
import zlib
from base64 import b64decode
from typing import Any


def unpacked(text: str) -> Any:
    """The data that `vmalab.pictures.frames.packed` made `text` of."""
    return json.loads(zlib.decompress(b64decode(text)))
