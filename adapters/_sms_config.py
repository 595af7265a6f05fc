"""The settings of one SMS channel: a number or sender name, one gateway or two, and who may call us back."""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

from adapters.secret import Secret
from adapters.sms_profile import Profile
from adapters.sms_profile_form import SHIPPED, profile_from, shipped

ACCENTS = ("drop", "keep")
GATEWAYS = ("main", "backup")
SLOW_SECONDS = 8.0
_TOKEN = re.compile(r"[0-9A-Za-z_-]{16,128}", re.ASCII)
_WORD = re.compile(r"[0-9A-Z]{2,20}", re.ASCII)
# What operators allow in a sender name; a short code or a long number is digits, perhaps with a plus.
_SENDER = re.compile(r"\+?\d{3,15}|(?=.*[A-Za-z])[0-9A-Za-z ._-]{1,11}", re.ASCII)
_LOCAL_NAMES = {"localhost"}

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True)
class Gateway:
    """One account at one provider."""

    profile: Profile
    api_key: Secret
    api_secret: Secret
    callback_key: Secret
    sender: str
    send_url: str
    sms_type: str


@dataclass(frozen=True)
class SmsConfig:
    """One SMS channel. `unit`: its own word on a shared number; `codes`: the words of all who share it."""

    gateways: tuple[Gateway, ...]
    callback_token: Secret
    previous_callback_token: Secret
    number: str = ""
    keyword: str = ""
    unit: str = ""
    codes: tuple[str, ...] = ()
    accents: str = "drop"
    source_addresses: tuple[Network, ...] = ()
    mo_answer: str = ""
    is_sandbox: bool = False
    slow_seconds: float = SLOW_SECONDS
    in_use: int = 0

    @property
    def gateway(self) -> Gateway:
        """The one that messages go through."""
        return self.gateways[self.in_use]

    @property
    def account(self) -> str:
        """The account this channel is: its number, and its word on it when others share the number."""
        return self.account_of(self.unit)

    @property
    def app_id(self) -> str:
        """What channels that share a number have in common."""
        return f"{self.gateways[0].profile.name}:{self.number or self.gateways[0].sender}"

    def account_of(self, unit: str) -> str:
        """The account of whoever has this word on our number."""
        number = self.number or self.gateways[0].sender
        return f"{number}/{unit}" if unit else number

    def through(self, name: str) -> SmsConfig:
        """The same channel, sending through its "main" or "backup" gateway; the main one when it has no other."""
        return replace(self, in_use=min(GATEWAYS.index(name), len(self.gateways) - 1))


def configured(settings: Mapping[str, Any], secrets: Mapping[str, str]) -> SmsConfig:
    """Build the configuration; ValueError names every missing or malformed field."""
    form = Form(settings, secrets)
    is_sandbox = form.flag("is_sandbox")
    main = form.gateway("", is_sandbox=is_sandbox)
    backup = form.gateway("backup_", is_sandbox=is_sandbox) if settings.get("backup_profile") else None
    number = form.text("number")
    if number and not re.fullmatch(r"\+?\d{3,15}", number, re.ASCII):
        form.problems.append("number is not a short code or telephone number: digits only")
    if not number and not main.sender:
        form.problems.append("number and sender are missing: give the number citizens write to, or the sender name")
    config = SmsConfig(
        gateways=tuple(gateway for gateway in (main, backup) if gateway is not None),
        callback_token=form.token("callback_token"),
        previous_callback_token=form.token("previous_callback_token", optional=True),
        number=number,
        keyword=form.keyword("keyword"),
        unit=form.keyword("unit"),
        codes=form.codes("codes"),
        accents=form.one_of("accents", ACCENTS),
        source_addresses=form.networks("source_addresses"),
        mo_answer=form.text("mo_answer")[:160],
        is_sandbox=is_sandbox,
        slow_seconds=form.seconds("slow_seconds", SLOW_SECONDS),
    )
    if form.problems:
        raise ValueError("sms: " + "; ".join(form.problems))
    return config


class Form:
    """Reads one field at a time and remembers what is wrong with each; never repeats a secret."""

    def __init__(self, settings: Mapping[str, Any], secrets: Mapping[str, str]) -> None:
        self.problems: list[str] = []
        self._settings = settings
        self._secrets = secrets

    def gateway(self, prefix: str, *, is_sandbox: bool) -> Gateway:
        profile = self._profile(f"{prefix}profile")
        needs = profile.needs if profile else ()
        sender = self.text(f"{prefix}sender") or self.text("number")
        if sender and not is_sender(sender):
            self.problems.append(
                f"{prefix}sender must be a number, or a name of at most 11 letters, digits, dots, hyphens, underscores"
            )
        return Gateway(
            profile=profile or shipped("esms"),
            api_key=self.secret(f"{prefix}api_key", needed="api_key" in needs),
            api_secret=self.secret(f"{prefix}api_secret", needed="api_secret" in needs),
            callback_key=self.secret(
                f"{prefix}callback_key", needed="callback_key" in needs and bool(profile and self._hears(prefix))
            ),
            sender=sender,
            send_url=self._address(f"{prefix}send_url", profile, is_sandbox=is_sandbox),
            sms_type=self.text(f"{prefix}sms_type") or (profile.send.sms_type if profile else ""),
        )

    def text(self, field: str) -> str:
        value = self._settings.get(field) or ""
        if not isinstance(value, str | int) or isinstance(value, bool):
            self.problems.append(f"{field} must be a text")
            return ""
        return str(value).strip()

    def flag(self, field: str) -> bool:
        value = self._settings.get(field) or False
        if not isinstance(value, bool):
            self.problems.append(f"{field} must be true or false")
        return value is True

    def seconds(self, field: str, usual: float) -> float:
        value = self._settings.get(field) or usual
        try:
            found = float(value) if isinstance(value, str | int | float) else 0.0
        except ValueError:
            found = 0.0
        if not 0.1 <= found <= 60:
            self.problems.append(f"{field} must be seconds from 0.1 to 60")
        return found

    def whole(self, field: str, usual: int, least: int, most: int) -> int:
        value = self._settings.get(field)
        text = str(usual) if value in {None, ""} else str(value)
        if not (text.isascii() and text.isdecimal() and least <= int(text[:9]) <= most):
            self.problems.append(f"{field} must be a whole number from {least} to {most}")
            return usual
        return int(text)

    def one_of(self, field: str, choices: tuple[str, ...]) -> str:
        value = self._settings.get(field) or choices[0]
        if value not in choices:
            self.problems.append(f"{field} must be one of {', '.join(choices)}")
            return choices[0]
        return str(value)

    def secret(self, field: str, *, needed: bool) -> Secret:
        value = self._secrets.get(field)
        text = value.strip() if isinstance(value, str) else ""
        if not text and needed:
            self.problems.append(f"{field} is missing")
        elif not text.isprintable():
            self.problems.append(f"{field} contains characters that cannot be sent")
        return Secret(text)

    def token(self, field: str, *, optional: bool = False) -> Secret:
        found = self.secret(field, needed=not optional)
        if found and not _TOKEN.fullmatch(found.reveal()):
            self.problems.append(f"{field} must be 16 to 128 letters, digits, - and _: it stands in an address")
        return found

    def keyword(self, field: str) -> str:
        word = self.text(field).upper()
        if word and not _WORD.fullmatch(word):
            self.problems.append(f"{field} must be one word of 2 to 20 letters and digits without marks")
        return word

    def codes(self, field: str) -> tuple[str, ...]:
        value = self._settings.get(field) or ()
        names = re.split(r"[\s,;]+", value.strip()) if isinstance(value, str) else value
        if not isinstance(names, list | tuple) or not all(
            isinstance(name, str) and _WORD.fullmatch(name.upper()) for name in names
        ):
            self.problems.append(f"{field} must be words of 2 to 20 letters and digits without marks, with commas")
            return ()
        return tuple(dict.fromkeys(name.upper() for name in names))

    def networks(self, field: str) -> tuple[Network, ...]:
        value = self._settings.get(field) or ()
        names = re.split(r"[\s,;]+", value.strip()) if isinstance(value, str) else value
        try:
            return tuple(ipaddress.ip_network(str(name), strict=False) for name in names)
        except (ValueError, TypeError):
            self.problems.append(f"{field} must be addresses or networks such as 203.0.113.7 or 203.0.113.0/24")
            return ()

    def _hears(self, prefix: str) -> bool:
        # A sender name cannot be answered: without a number of ours nobody signs anything.
        return not prefix and bool(self._settings.get("number"))

    def _profile(self, field: str) -> Profile | None:
        value = self._settings.get(field)
        if isinstance(value, str) and value.strip().startswith("{"):
            try:
                value = json.loads(value)
            except ValueError:
                self.problems.append(f"{field} is not JSON")
                return None
        if isinstance(value, dict):
            try:
                return profile_from(value)
            except ValueError as error:
                self.problems.append(str(error))
                return None
        if value in SHIPPED:
            return shipped(str(value))
        what = "is missing" if not value else "is unknown"
        self.problems.append(f"{field} {what}: one of {', '.join(SHIPPED)}, or a profile of your own (a JSON file)")
        return None

    def _address(self, field: str, profile: Profile | None, *, is_sandbox: bool) -> str:
        text = self.text(field) or (profile.send.url if profile else "")
        try:
            address = urlsplit(text)
            host, _ = address.hostname or "", address.port
        except ValueError:
            host = ""
        if not text:
            return ""
        if not host or address.scheme not in {"http", "https"} or address.query or address.fragment or "@" in text:
            self.problems.append(f"{field} is not an http(s) address")
        elif address.scheme == "http" and not (is_sandbox or is_inside(host)):
            self.problems.append(f"{field} must be https: keys and citizens' words would travel in the open")
        return text


def is_sender(name: str) -> bool:
    """Whether operators take this as the sender of a message: a number, or a short name."""
    return _SENDER.fullmatch(name) is not None


def is_inside(host: str) -> bool:
    """Whether a host is this machine or one of its own network, where Kannel runs."""
    try:
        return ipaddress.ip_address(host).is_private
    except ValueError:
        return host in _LOCAL_NAMES or "." not in host
