"""The settings of one Zalo Official Account, checked all at once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from adapters.base import FORM_WORDS, ApprovedForm
from adapters.secret import Secret

API_BASE = "https://openapi.zalo.me"
OAUTH_BASE = "https://oauth.zaloapp.com"
ZBS_BASE = "https://business.openapi.zalo.me"
SIGNATURE_MODES = ("strict", "drop", "bootstrap")
FILE_KEYS = ("token", "attachment_id")
PAID_REPLIES = ("ask", "always", "never")
TEMPLATE_WAYS = ("uid", "phone")

LONGEST_TEMPLATE = 1_000

_REAL_ZALO = ("zalo.me", "zaloapp.com", "zaloplatforms.com")
_ID = re.compile(r"[0-9A-Za-z_-]{1,64}", re.ASCII)
_PLACE = re.compile(r"\{(?:" + "|".join(FORM_WORDS) + r")\}")
_HOST_AND_PORT = re.compile(r"[0-9a-z.\-]+(?::\d{1,5})?", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True)
class ZaloConfig:
    """One Official Account behind one app. `oa_secret` signs webhooks, `app_secret` buys tokens.

    `paid_replies`: whether an official is asked before a reply that Zalo charges for. `template_…`: the approved
    message (ZBS) that tells of an answer when nothing else may be sent, how it reads, Zalo's name of each place in it.
    `broadcasts_a_month`: how many articles the account's package lets every follower be sent.
    """

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
    zbs_base: str = ZBS_BASE
    paid_replies: str = PAID_REPLIES[0]
    article_cover: str = ""
    broadcasts_a_month: int = 1
    template_id: str = ""
    template_by: str = TEMPLATE_WAYS[0]
    template_text: str = ""
    template_fields: Mapping[str, str] = field(default_factory=dict)

    @property
    def template(self) -> ApprovedForm | None:
        """The approved message, if there is one."""
        if not self.template_id:
            return None
        return ApprovedForm(self.template_id, self.template_text, self.template_fields, self.template_by == "phone")

    @property
    def account(self) -> str:
        """The account this channel is, as webhooks name it."""
        return self.oa_id


def configured(settings: Mapping[str, Any], secrets: Mapping[str, str]) -> ZaloConfig:
    """Build the configuration; ValueError names every missing or malformed field."""
    form = Form(settings, secrets)
    mode = form.one_of("signature_mode", SIGNATURE_MODES)
    is_sandbox = form.flag("is_sandbox")
    api_base = form.base("api_base", API_BASE, is_sandbox=is_sandbox)
    config = ZaloConfig(
        app_id=form.ident("app_id"),
        oa_id=form.ident("oa_id"),
        app_secret=form.secret("app_secret"),
        # The console may show this secret only once the address is saved, which bootstrap makes possible.
        oa_secret=form.secret("oa_secret", optional=mode == "bootstrap"),
        previous_oa_secret=form.secret("previous_oa_secret", optional=True) or None,
        signature_mode=mode,
        api_base=api_base,
        oauth_base=form.base("oauth_base", OAUTH_BASE, is_sandbox=is_sandbox),
        file_key=form.one_of("file_key", FILE_KEYS),
        extra_media_hosts=form.hosts("extra_media_hosts"),
        is_sandbox=is_sandbox,
        appsecret_proof=form.flag("appsecret_proof"),
        zbs_base=form.base("zbs_base", api_base if is_sandbox else ZBS_BASE, is_sandbox=is_sandbox),
        paid_replies=form.one_of("paid_replies", PAID_REPLIES),
        article_cover=form.base("article_cover", "", is_sandbox=False) if settings.get("article_cover") else "",
        broadcasts_a_month=form.number("broadcasts_a_month", 1, most=31),
        **_template(form, settings),
    )
    if form.problems:
        raise ValueError("zalo: " + "; ".join(form.problems))
    return config


def _template(form: Form, settings: Mapping[str, Any]) -> dict[str, Any]:
    if not settings.get("template_id"):
        return {}
    text = settings.get("template_text")
    text = text.strip() if isinstance(text, str) else ""
    if not text or len(text) > LONGEST_TEMPLATE:
        form.problems.append("template_text is missing: the approved text, {ma} {chude} {xa} {lienhe} in its places")
    elif text.count("{") != len(_PLACE.findall(text)) or text.count("}") != len(_PLACE.findall(text)):
        form.problems.append(f"template_text may have these places: {', '.join(f'{{{w}}}' for w in FORM_WORDS)}")
    given = settings.get("template_fields") or {}
    is_map = isinstance(given, dict) and all(isinstance(name, str) and _ID.fullmatch(name) for name in given)
    if not is_map or not all(isinstance(word, str) and word in FORM_WORDS for word in given.values()):
        form.problems.append(f"template_fields must map Zalo's names to {', '.join(FORM_WORDS)}")
        given = {}
    return {
        "template_id": form.ident("template_id"),
        "template_by": form.one_of("template_by", TEMPLATE_WAYS),
        "template_text": text,
        "template_fields": dict(given),
    }


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

    def number(self, field: str, usual: int, *, most: int) -> int:
        value = self._settings.get(field, usual)
        text = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
        if not (text.isascii() and text.isdecimal() and int(text) <= most):
            self.problems.append(f"{field} must be a number from 0 to {most}")
            return usual
        return int(text)

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
