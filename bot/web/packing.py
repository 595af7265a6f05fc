"""Packing: style sheets and scripts travel compressed; pages do not, as they hold secrets beside what others wrote.

Compressing a form's token together with words that somebody else chose would tell them of it by its length (BREACH).
"""

from __future__ import annotations

import gzip
from functools import lru_cache
from pathlib import Path

from flask import Flask, current_app, request
from werkzeug.security import safe_join
from werkzeug.wrappers import Response

PACKED = frozenset({"text/css", "text/javascript", "application/javascript", "image/svg+xml"})


def install(app: Flask) -> None:
    """Pack what is static and grows smaller by it."""
    app.after_request(_pack)


def _pack(answer: Response) -> Response:
    if request.endpoint != "static" or answer.mimetype not in PACKED:
        return answer
    answer.headers["Vary"] = "Accept-Encoding"
    etag, _ = answer.get_etag()
    if etag:
        answer.set_etag(etag, weak=True)  # the same file, in one form or the other
    if answer.status_code != 200 or request.method != "GET" or "Range" in request.headers:
        return answer
    if request.accept_encodings.quality("gzip") <= 0:
        return answer
    name = safe_join(str(current_app.static_folder), (request.view_args or {})["filename"])
    if name is None:
        return answer
    path = Path(name)
    answer.direct_passthrough = False
    answer.set_data(_packed(path, path.stat().st_mtime_ns))
    answer.headers["Content-Encoding"] = "gzip"
    return answer


@lru_cache(maxsize=64)
def _packed(path: Path, changed: int) -> bytes:  # noqa: ARG001 - a file that has changed is packed anew
    return gzip.compress(path.read_bytes(), 9, mtime=0)
