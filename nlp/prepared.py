"""Prepared: what is worked out from the word lists and takes long, kept in one file that `make model` writes.

The file says which lists it was made from; of other lists nothing of it is used, and everything is worked out anew.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from functools import cache
from pathlib import Path
from typing import Any

DATA = Path(__file__).parent / "data"
PREPARED_FILE = DATA / "prepared.json.z"


def prepared(name: str) -> Any:
    """One part of the file as plain JSON values, once; None when there is none or it was made from other lists.

    Whoever asks keeps what it makes of it; asked again, there is nothing, and it is worked out anew.
    """
    return _content().pop(name, None)


@cache
def _content() -> dict[str, Any]:
    try:
        content = json.loads(zlib.decompress(PREPARED_FILE.read_bytes()))
    except (OSError, ValueError, zlib.error):
        return {}
    is_ours = isinstance(content, dict) and content.get("lists") == digest_of_lists()
    return content if is_ours else {}


def to_file_content(parts: dict[str, Any]) -> bytes:
    """The file for these parts and the lists as they are; the same parts give the same bytes."""
    content = {"lists": digest_of_lists(), **parts}
    return zlib.compress(json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode(), 9)


def digest_of_lists() -> str:
    """A digest of every word list in nlp/data."""
    digest = hashlib.sha256()
    for path in sorted(DATA.glob("*.tsv")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()
