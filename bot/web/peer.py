"""Who is at the other end of a request."""

from __future__ import annotations

import ipaddress


def peer_address(peer: str, forwarded: str) -> str:
    """Where a request comes from; a proxy on this machine is believed, anybody else is not."""
    told = forwarded.rsplit(",", 1)[-1].strip()
    try:
        if told and ipaddress.ip_address(peer).is_loopback:
            return str(ipaddress.ip_address(told))
    except ValueError:
        return peer[:64]
    return peer[:64]
