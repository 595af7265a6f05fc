"""What travels compressed, and what never does."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from flask import Flask

STATIC = Path(__file__).parents[2] / "bot" / "web" / "static"


@pytest.fixture
def engine_name() -> str:
    """Files do not depend on the engine."""
    return "sqlite"


def test_a_style_sheet_travels_packed_to_who_can_unpack_it(app: Flask) -> None:
    client, path = app.test_client(), "/static/inbox.css"
    packed = client.get(path, headers={"Accept-Encoding": "gzip, br"})
    plain = client.get(path, headers={"Accept-Encoding": "identity"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert packed.headers["Vary"] == plain.headers["Vary"] == "Accept-Encoding"
    assert gzip.decompress(packed.data) == plain.data == (STATIC / "inbox.css").read_bytes()
    assert int(packed.headers["Content-Length"]) == len(packed.data) < len(plain.data) / 2
    again = client.get(path, headers={"Accept-Encoding": "gzip", "If-None-Match": packed.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    part = client.get(path, headers={"Accept-Encoding": "gzip", "Range": "bytes=0-9"})
    assert "Content-Encoding" not in part.headers


def test_a_page_never_does(app: Flask) -> None:
    """It holds a form's token beside words that others chose."""
    answer = app.test_client().get("/sign-in", headers={"Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in answer.headers
    assert app.test_client().get("/static/no-such.css", headers={"Accept-Encoding": "gzip"}).status_code == 404
