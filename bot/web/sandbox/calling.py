"""Calling gateways: the certificates that are trusted are read once for all threads, for it takes a while."""

from __future__ import annotations

import functools
import ssl

import httpx


@functools.cache
def certificates() -> ssl.SSLContext:
    """Whose word is taken for who a gateway is."""
    return httpx.create_ssl_context(trust_env=False)
