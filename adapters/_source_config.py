"""A commune's account on its province's source information system."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from adapters.secret import Secret
from adapters.source_profile import Profile, profile_of
from adapters.text import printable

_ID = re.compile(r"[0-9A-Za-z._-]{1,60}", re.ASCII)


@dataclass(frozen=True)
class SourceConfig:
    """Where the system is, how it writes, who we are there, and for which place we speak."""

    base_url: str
    username: str
    password: Secret
    profile: Profile
    source_id: str
    source_name: str
    area_id: str
    area_name: str

    @property
    def account(self) -> str:
        """Whose account it is."""
        return f"{self.username}@{urlsplit(self.base_url).netloc}"[:80]


def configured(settings: dict[str, Any], secrets: dict[str, str]) -> SourceConfig:
    """The typed configuration; ValueError names every missing or malformed field."""
    problems = []
    base_url = str(settings.get("base_url", "")).rstrip("/")
    if not _is_address(base_url, is_sandbox=bool(settings.get("is_sandbox"))):
        problems.append("base_url: an https address such as https://httttn.tinh.gov.vn (http only in the sandbox)")
    problems += [
        f"{name}: the identifier such as H24.18, letters, digits, dots and hyphens"
        for name in ("source_id", "area_id")
        if not _ID.fullmatch(str(settings.get(name, "")))
    ]
    words = {
        name: printable(str(settings.get(name, "")), 120).strip() for name in ("username", "source_name", "area_name")
    }
    problems += [f"{name} is missing" for name, value in words.items() if not value]
    if not secrets.get("password"):
        problems.append("password is missing")
    profile = None
    try:
        profile = profile_of(settings.get("profile", ""))
    except ValueError as error:
        problems.append(str(error))
    if problems or profile is None:
        raise ValueError("source_system: " + "; ".join(problems))
    return SourceConfig(
        base_url=base_url,
        username=words["username"],
        password=Secret(secrets["password"]),
        profile=profile,
        source_id=str(settings["source_id"]),
        source_name=words["source_name"],
        area_id=str(settings["area_id"]),
        area_name=words["area_name"],
    )


def _is_address(url: str, *, is_sandbox: bool) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    is_safe = parts.scheme == "https" or (is_sandbox and parts.scheme == "http")
    return is_safe and bool(parts.hostname) and not (parts.username or parts.query or parts.fragment)
