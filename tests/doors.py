"""Knocking at the door of a test's own gateway, as a channel does over HTTP."""

from __future__ import annotations

import io
from typing import Any

from bot.web.door import Door
from tests.builders import signature


def knock(
    door: Door,
    body: bytes,
    *,
    slug: str = "zalo-duc-hue",
    method: str = "POST",
    sign: bool = True,
    secret: str | None = None,
    **environ: Any,
) -> str:
    """Send one request through the door; gives the status line. Keyword arguments override the WSGI environment."""
    return heard(door, body, slug=slug, method=method, sign=sign, secret=secret, **environ)[0]


def heard(
    door: Door,
    body: bytes,
    *,
    slug: str = "zalo-duc-hue",
    method: str = "POST",
    sign: bool = True,
    secret: str | None = None,
    **environ: Any,
) -> tuple[str, dict[str, str], bytes]:
    """Send one request through the door; gives the status line, the headers and the body of the answer."""
    answered: list[Any] = []
    request: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "PATH_INFO": f"/webhooks/{slug}",
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": io.BytesIO(body),
    }
    if sign:
        request["HTTP_X_ZEVENT_SIGNATURE"] = signature(body, **({"secret": secret} if secret else {}))
    request |= environ
    request = {name: value for name, value in request.items() if value is not None}
    said = b"".join(door(request, lambda status, headers, _error=None: answered.extend([status, dict(headers)])))
    return answered[0], answered[1], said
