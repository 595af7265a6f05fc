"""The settings of one Zalo Official Account, checked all at once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from adapters.secret import Secret

API_BASE = "https://openapi.zalo.me"
OAUTH_BASE = "https://oauth.zaloapp.com"
SIGNATURE_MODES = ("strict", "drop", "bootstrap")
FILE_KEYS = ("token", "attachment_id")

_REAL_ZALO = ("zalo.me", "zaloapp.com", "zaloplatforms.com")
_ID = re.compile(r"[0-9A-Za-z_-]{1,64}", re.ASCII)
_HOST_AND_PORT = re.compile(r"[0-9a-z.\-]+(?::\d{1,5})?", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True)
class ZaloConfig:
    """One Official Account behind one app. `oa_secret` signs webhooks, `app_secret` buys tokens."""

    app_id: str
    oa_id: str
    app_secret: Secret
    oa_secret: Secret
    previous_oa_secret: Secret | None = None
    signature_mode: str = "strict"
    api_base: str = API_BASE
    oauth_base: str = OAUTH_BASE
    file_key: str = "token"
    extra_media_hosts: tuple[str, ...] = ()
    is_sandbox: bool = False
    appsecret_proof: bool = False

    @property
    def account(self) -> str:
        """The account this channel is, as webhooks name it."""
        return self.oa_id


def configured(settings: Mapping[str, Any], secrets: Mapping[str, str]) -> ZaloConfig:
    """Build the configuration; ValueError names every missing or malformed field."""
    form = Form(settings, secrets)
    mode = form.one_of("signature_mode", SIGNATURE_MODES)
    is_sandbox = form.flag("is_sandbox")
    config = ZaloConfig(
        app_id=form.ident("app_id"),
        oa_id=form.ident("oa_id"),
        app_secret=form.secret("app_secret"),
        # The console may show this secret only once the address is saved, which bootstrap makes possible.
        oa_secret=form.secret("oa_secret", optional=mode == "bootstrap"),
        previous_oa_secret=form.secret("previous_oa_secret", optional=True) or None,
        signature_mode=mode,
        api_base=form.base("api_base", API_BASE, is_sandbox=is_sandbox),
        oauth_base=form.base("oauth_base", OAUTH_BASE, is_sandbox=is_sandbox),
        file_key=form.one_of("file_key", FILE_KEYS),
        extra_media_hosts=form.hosts("extra_media_hosts"),
        is_sandbox=is_sandbox,
        appsecret_proof=form.flag("appsecret_proof"),
    )
    if form.problems:
        raise ValueError("zalo: " + "; ".join(form.problems))
    return config


def is_within(host: str, domains: tuple[str, ...]) -> bool:
    """Whether a host is one of the domains or inside one."""
    return any(host == domain or host.endswith("." + domain) for domain in domains)


class Form:
    """Reads one field at a time and remembers what is wrong with each; never repeats a secret."""

    def __init__(self, settings: Mapping[str, Any], secrets: Mapping[str, str]) -> None:
        self.problems: list[str] = []
        self._settings = settings
        self._secrets = secrets

    def ident(self, field: str) -> str:
        value = self._settings.get(field)
        text = str(value).strip() if isinstance(value, str | int) else ""
        if not text:
            self.problems.append(f"{field} is missing")
        elif not _ID.fullmatch(text):
            self.problems.append(f"{field} is not an id: letters, digits, - and _ only")
        return text

    def secret(self, field: str, *, optional: bool = False) -> Secret:
        value = self._secrets.get(field)
        text = value.strip() if isinstance(value, str) else ""
        if not text and not optional:
            self.problems.append(f"{field} is missing")
        elif not (text.isascii() and text.isprintable()):
            self.problems.append(f"{field} contains characters that no Zalo secret has")
        return Secret(text)

    def one_of(self, field: str, choices: tuple[str, ...]) -> str:
        value = self._settings.get(field) or choices[0]
        if value not in choices:
            self.problems.append(f"{field} must be one of {', '.join(choices)}")
            return choices[0]
        return str(value)

    def flag(self, field: str) -> bool:
        value = self._settings.get(field) or False
        if not isinstance(value, bool):
            self.problems.append(f"{field} must be true or false")
        return value is True

    def base(self, field: str, usual: str, *, is_sandbox: bool) -> str:
        value = self._settings.get(field) or usual
        text = value.strip().rstrip("/") if isinstance(value, str) else ""
        try:
            address = urlsplit(text)
            host, _ = address.hostname or "", address.port
        except ValueError:
            host = ""
        if not host or address.scheme not in {"http", "https"} or address.query or address.fragment or "@" in text:
            self.problems.append(f"{field} is not an http(s) address")
        elif is_sandbox and is_within(host, _REAL_ZALO):
            self.problems.append(f"{field} is the real Zalo, but is_sandbox is on: give the sandbox's address")
        elif not is_sandbox and address.scheme != "https":
            self.problems.append(f"{field} must be https")
        return text

    def hosts(self, field: str) -> tuple[str, ...]:
        value = self._settings.get(field) or ()
        names = re.split(r"[\s,]+", value.strip()) if isinstance(value, str) else value
        if not isinstance(names, list | tuple) or not all(
            isinstance(name, str) and _HOST_AND_PORT.fullmatch(name) for name in names
        ):
            self.problems.append(f"{field} must be a list of host or host:port")
            return ()
        return tuple(names)
