"""Hunting: where given words stand at rest, in every form that a machine may have given them."""

from __future__ import annotations

import base64
import io
import json
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import pypdfium2
import sqlalchemy as sa

from nlp.normalise import fold
from storage.models import Base
from tests.builders import World


def found_in(data: bytes, needles: Iterable[str]) -> list[str]:
    """Which of the needles stand in these bytes: as written or folded, in JSON, in an address, in base64, packed."""
    told = b"".join(_unpacked(data))
    lowered = told.lower()
    return [n for n in needles if any(form.lower() in lowered for form in _forms(n)) or _encoded(n, told)]


def _unpacked(data: bytes) -> Iterator[bytes]:
    yield data
    if data.startswith(b"PK\x03\x04"):
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            yield from (packed.read(name) for name in packed.namelist())
    if data.startswith(b"%PDF-"):
        document = pypdfium2.PdfDocument(data)
        yield "\n".join(page.get_textpage().get_text_range() for page in document).encode()
    if data.startswith(b"x"):  # as RQ keeps what a job was given and what went wrong
        with suppress(zlib.error):
            yield zlib.decompress(data)


def _forms(needle: str) -> set[bytes]:
    written = {needle, needle.lower(), needle.upper(), fold(needle)}
    told = {form for word in written for form in (word, json.dumps(word)[1:-1], quote(word), quote_plus(word))}
    return {form.encode() for form in told} | {word.encode("utf-16-le") for word in written}


def _encoded(needle: str, told: bytes) -> bool:
    """Base64 of the words, wherever in it they begin."""
    raw = needle.encode()
    return any(base64.b64encode(b"x" * n + raw + b"xx")[4:-8] in told for n in range(3))


def at_rest(world: World) -> dict[str, bytes]:
    """Everything this installation keeps: each row's columns as text, and the raw files, the keys left out."""
    kept: dict[str, bytes] = {}
    with world.runtime.database.engine.connect() as connection:
        for table in Base.metadata.sorted_tables:
            for number, row in enumerate(connection.execute(sa.text(f'SELECT * FROM "{table.name}"'))):
                kept[f"{table.name} {number}"] = b"\n".join(_bytes(value) for value in row)
    database = world.runtime.database.url.database or "" if world.runtime.database.is_sqlite else ""
    beside = Path(database).parent.glob("*") if database else []
    for path in sorted({*world.runtime.settings.data_dir.rglob("*"), *beside}):
        if path.is_file() and path.suffix != ".key":
            kept[path.name] = path.name.encode() + b"\n" + path.read_bytes()
    return kept


def in_redis(connection: Any) -> dict[str, list[bytes]]:
    """Everything that stands in a database of Redis: each key with all its values."""
    reads: dict[bytes, Callable[[bytes], Iterable[bytes]]] = {
        b"string": lambda key: [connection.get(key) or b""],
        b"list": lambda key: connection.lrange(key, 0, -1),
        b"set": connection.smembers,
        b"zset": lambda key: connection.zrange(key, 0, -1),
        b"hash": lambda key: [part for pair in connection.hgetall(key).items() for part in pair],
        b"stream": lambda key: [part for _, said in connection.xrange(key) for pair in said.items() for part in pair],
        b"none": lambda _: [],  # gone meanwhile
    }
    return {key.decode(): [key, *reads[connection.type(key)](key)] for key in connection.scan_iter("*")}


def _bytes(value: object) -> bytes:
    if isinstance(value, bytes | memoryview):
        return bytes(value)
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False).encode()
    return str(value).encode()
