"""The settings of one Zalo bot, checked all at once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from adapters._zalo_config import Form
from adapters.secret import Secret

API_BASE = "https://bot-api.zaloplatforms.com"
RECEIVE = ("", "webhook", "polling")

_TOKEN = re.compile(r"([0-9]{3,30}):[A-Za-z0-9_-]{7,200}", re.ASCII)
_SECRET = re.compile(r"[A-Za-z0-9_-]{16,256}", re.ASCII)


@dataclass(frozen=True)
class ZaloBotConfig:
    """One bot. `receive`: how its events come, "webhook", "polling" or "" for what suits our own address."""

    token: Secret
    webhook_secret: Secret
    username: str = ""
    api_base: str = API_BASE
    receive: str = ""
    extra_media_hosts: tuple[str, ...] = ()
    is_sandbox: bool = False

    @property
    def account(self) -> str:
        """The bot's own number, the first half of its token."""
        return self.token.reveal().partition(":")[0]

    def method_url(self, method: str) -> Secret:
        """The address of a method; it holds the token."""
        return Secret(f"{self.api_base}/bot{self.token.reveal()}/{method}")


def configured(settings: Mapping[str, Any], secrets: Mapping[str, str]) -> ZaloBotConfig:
    """Build the configuration; ValueError names every missing or malformed field and repeats no secret."""
    form = Form(settings, secrets)
    is_sandbox = form.flag("is_sandbox")
    receive = settings.get("receive") or ""
    config = ZaloBotConfig(
        token=form.secret("token"),
        webhook_secret=form.secret("webhook_secret"),
        username=str(settings.get("username") or "").strip()[:64],
        api_base=form.base("api_base", API_BASE, is_sandbox=is_sandbox),
        receive=str(receive),
        extra_media_hosts=form.hosts("extra_media_hosts"),
        is_sandbox=is_sandbox,
    )
    if config.token and not _TOKEN.fullmatch(config.token.reveal()):
        form.problems.append("token is not a bot's: digits, a colon, then letters and digits, as Zalo sent it")
    if config.webhook_secret and not _SECRET.fullmatch(config.webhook_secret.reveal()):
        form.problems.append("webhook_secret must be 16 to 256 letters, digits, - and _")
    if receive not in RECEIVE:
        form.problems.append("receive must be webhook or polling")
    if form.problems:
        raise ValueError("zalo_bot: " + "; ".join(form.problems))
    return config
