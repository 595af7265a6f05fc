"""Where the files of Zalo's products may be fetched from."""

from __future__ import annotations

import httpx

from adapters._zalo_config import is_within

MEDIA_DOMAINS = ("zdn.vn", "zadn.vn", "zalo.me", "zaloapp.com")


def is_media_address(url: str, extra_hosts: tuple[str, ...]) -> bool:
    """Whether an address is on one of Zalo's own hosts or on one that an operator added."""
    try:
        address = httpx.URL(url)
    except (httpx.InvalidURL, ValueError, TypeError):
        return False
    if address.scheme not in {"http", "https"} or address.userinfo:
        return False
    host = address.raw_host.decode("ascii").lower()
    port = address.port or (443 if address.scheme == "https" else 80)
    extra = {name.lower() for name in extra_hosts}
    if f"{host}:{port}" in extra or (address.port is None and host in extra):
        return True
    return address.port is None and is_within(host, MEDIA_DOMAINS)
