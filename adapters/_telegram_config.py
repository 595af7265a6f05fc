"""The settings of one Telegram bot, checked all at once."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from adapters.secret import Secret

API_BASE = "https://api.telegram.org"
RECEIVE = ("", "webhook", "polling")

_TOKEN = re.compile(r"([1-9]\d{2,19}):[A-Za-z0-9_-]{20,100}", re.ASCII)
_SECRET = re.compile(r"[A-Za-z0-9_-]{16,256}", re.ASCII)


@dataclass(frozen=True)
class TelegramConfig:
    """One bot. `receive`: how its updates come, "webhook", "polling" or "" for what suits our own address."""

    token: Secret
    webhook_secret: Secret
    username: str = ""
    api_base: str = API_BASE
    receive: str = ""
    is_sandbox: bool = False

    @property
    def account(self) -> str:
        """The bot's own number, the first half of its token."""
        return self.token.reveal().partition(":")[0]

    @property
    def is_own_server(self) -> bool:
        """Whether an operator has named another Bot API server than Telegram's."""
        return self.api_base != API_BASE

    def method_url(self, method: str) -> Secret:
        """The address of a method; it holds the token."""
        return Secret(f"{self.api_base}/bot{self.token.reveal()}/{method}")

    @property
    def file_base(self) -> Secret:
        """What every file's address begins with; it holds the token."""
        return Secret(f"{self.api_base}/file/bot{self.token.reveal()}/")


def configured(settings: Mapping[str, Any], secrets: Mapping[str, str]) -> TelegramConfig:
    """Build the configuration; ValueError names every missing or malformed field and repeats no secret."""
    problems: list[str] = []
    token, secret = _text(secrets.get("token")), _text(secrets.get("webhook_secret"))
    if not token:
        problems.append("token is missing; @BotFather gives it")
    elif not _TOKEN.fullmatch(token):
        problems.append("token is not a bot's: digits, a colon, then letters and digits, as @BotFather wrote it")
    if not secret:
        problems.append("webhook_secret is missing")
    elif not _SECRET.fullmatch(secret):
        problems.append("webhook_secret must be 16 to 256 letters, digits, - and _")
    receive = _text(settings.get("receive"))
    if receive not in RECEIVE:
        problems.append("receive must be webhook or polling")
    is_sandbox = settings.get("is_sandbox") or False
    if not isinstance(is_sandbox, bool):
        problems.append("is_sandbox must be true or false")
    api_base = _text(settings.get("api_base")).rstrip("/") or API_BASE
    problems += _problems_of(api_base, is_sandbox=is_sandbox is True)
    if problems:
        raise ValueError("telegram: " + "; ".join(problems))
    username = _text(settings.get("username"))[:64]
    return TelegramConfig(Secret(token), Secret(secret), username, api_base, receive, is_sandbox is True)


def _text(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""


def _problems_of(api_base: str, *, is_sandbox: bool) -> list[str]:
    try:
        address = urlsplit(api_base)
        host, _ = address.hostname or "", address.port
    except ValueError:
        host = ""
    if not host or address.scheme not in {"http", "https"} or address.query or address.fragment or "@" in api_base:
        return ["api_base is not an http(s) address"]
    is_telegrams = host == "telegram.org" or host.endswith(".telegram.org")
    if is_sandbox and is_telegrams:
        return ["api_base is the real Telegram, but is_sandbox is on: give the sandbox's address"]
    if not is_sandbox and address.scheme != "https" and not _is_near(host):
        return ["api_base must be https: the token is part of each address"]
    return []


def _is_near(host: str) -> bool:
    """Whether a Bot API server there is in our own network, where it usually speaks plain http."""
    if host == "localhost" or ("." not in host and ":" not in host):
        return True  # the name of a neighbouring container
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address.is_private or address.is_loopback
