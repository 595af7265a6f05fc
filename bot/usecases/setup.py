"""Setting up: a database with the country's units, communes with their agencies, and their channels."""

from __future__ import annotations

import json
import re
import secrets as random_secrets
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import sqlalchemy as sa
import structlog

from adapters.messages import Tokens
from adapters.web_form import WebForm
from bot.runtime import Runtime
from bot.usecases.driven import SETTING
from bot.usecases.sealed_rows import lock_old_rows
from bot.usecases.tokens import keep_first_tokens
from nlp.normalise import fold
from storage.agencies import Agency
from storage.audit import AuditEntry
from storage.channels import Channel
from storage.communes import Commune, Locality, Place
from storage.seeding import seed_holidays, seed_localities
from storage.upgrade import upgrade

log = structlog.get_logger()

SLUG = re.compile(r"[a-z0-9][a-z0-9-]{1,58}[a-z0-9]", re.ASCII)

# Every commune starts with these (domain §5) and then edits them; the last column marks bodies outside the commune.
# {type}: xã, phường or đặc khu.
AGENCIES: tuple[tuple[str, str, bool], ...] = (
    ("van-phong", "Văn phòng HĐND và UBND", False),
    ("kinh-te", "Phòng Kinh tế", False),
    ("van-hoa-xa-hoi", "Phòng Văn hóa – Xã hội", False),
    ("hcc", "Trung tâm Phục vụ hành chính công", False),
    ("cong-an", "Công an {type}", False),
    ("quan-su", "Ban Chỉ huy quân sự", False),
    ("tram-y-te", "Trạm Y tế", False),
    ("lanh-dao", "Lãnh đạo UBND", False),
    ("tiep-cong-dan", "Bộ phận tiếp công dân", False),
    ("dien-luc", "Điện lực", True),
    ("cap-nuoc", "Đơn vị cấp nước", True),
    ("moi-truong", "Đơn vị thu gom rác", True),
    ("vien-thong", "Doanh nghiệp viễn thông", True),
)


class SetupError(Exception):
    """Something cannot be set up as asked; the message says why and what to do."""


@dataclass(frozen=True)
class PlaceRow:
    """A line of a commune's places list."""

    name: str
    kind: str
    aliases: tuple[str, ...] = ()


def prepare_database(runtime: Runtime) -> str:
    """Bring the tables up to date and write down the country's units and holidays; gives the revision."""
    revision = upgrade(runtime.database)
    with runtime.database.transaction() as session:
        new = seed_localities(session, fold)
        holidays = seed_holidays(session)
    lock_old_rows(runtime)
    log.info("database.ready", revision=revision, new_localities=new, new_holidays=holidays)
    return revision


def add_commune(
    runtime: Runtime,
    *,
    code: str,
    slug: str,
    name: str | None = None,
    settings: dict[str, Any] | None = None,
    places: tuple[PlaceRow, ...] = (),
    is_demo: bool = False,
) -> int:
    """Take a commune into service by its official code, with the usual agencies; gives its id."""
    if not SLUG.fullmatch(slug):
        raise SetupError(f"slug {slug!r}: use 3 to 60 lower-case letters, digits and hyphens")
    with runtime.database.transaction() as session:
        unit = session.get(Locality, code)
        if unit is None or unit.level != "commune":
            raise SetupError(f"no commune has the official code {code!r}; run haichieu db upgrade first")
        if session.scalar(
            sa.select(Commune.id).where(sa.or_(Commune.slug == slug, Commune.locality_code == code)).limit(1)
        ):
            raise SetupError(f"commune {slug!r} ({code}) is in service already")
        commune = Commune(
            locality_code=code,
            slug=slug,
            name=name or f"UBND {unit.type} {unit.name}",
            settings=settings or {},
            is_demo=is_demo,
        )
        session.add(commune)
        session.flush()
        session.add_all(
            Agency(commune_id=commune.id, slug=s, name=n.format(type=unit.type), is_external=external)
            for s, n, external in AGENCIES
        )
        session.add_all(Place(commune_id=commune.id, name=p.name, kind=p.kind, aliases=list(p.aliases)) for p in places)
        session.add(
            AuditEntry(
                commune_id=commune.id, at=runtime.now(), action="commune.added", target=f"commune:{commune.id}", data={}
            )
        )
        return commune.id


def add_channel(
    runtime: Runtime,
    *,
    commune: str,
    type: str,  # noqa: A002 - the field's own word
    slug: str,
    name: str,
    settings: dict[str, Any],
    secrets: dict[str, str],
    tokens: Tokens | None = None,
    rate_per_second: float | None = None,
) -> int:
    """Connect a channel to a commune; gives its id. SetupError names every field that is missing or malformed."""
    adapter = runtime.adapters.get(type)
    if adapter is None:
        raise SetupError(f"no channel type {type!r}; there are: {', '.join(sorted(runtime.adapters))}")
    if not SLUG.fullmatch(slug):
        raise SetupError(f"slug {slug!r}: use 3 to 60 lower-case letters, digits and hyphens")
    if type == WebForm.type:  # our own page: nobody else gives it a name or a key
        settings = {"account": slug, **settings}
        secrets = {"signing_key": random_secrets.token_urlsafe(32), **secrets}
    try:
        config = adapter.config(settings, secrets)
    except ValueError as error:
        raise SetupError(str(error)) from None
    with runtime.database.transaction() as session:
        found = session.scalar(sa.select(Commune).where(Commune.slug == commune))
        if found is None:
            raise SetupError(f"no commune has the slug {commune!r}; see: haichieu commune list")
        if session.scalar(
            sa.select(Channel.id).where(
                sa.or_(Channel.slug == slug, sa.and_(Channel.type == type, Channel.account == config.account))
            )
        ):
            raise SetupError(f"channel {slug!r}, or one for the same account, exists already")
        channel = Channel(
            commune_id=found.id,
            slug=slug,
            type=type,
            name=name,
            account=config.account,
            settings=settings,
            secrets=runtime.vault.seal(json.dumps(secrets)),
            is_sandbox=bool(settings.get("is_sandbox")),
            rate_per_second=rate_per_second or adapter.limits.default_rate,
        )
        session.add(channel)
        session.flush()
        session.add(
            AuditEntry(
                commune_id=found.id, at=runtime.now(), action="channel.added", target=f"channel:{channel.id}", data={}
            )
        )
    if tokens is not None:
        keep_first_tokens(runtime, channel, tokens)
    return channel.id


def set_driver(runtime: Runtime, slug: str, url: str | None) -> None:
    """Let a Rasa server at this address lead the talk on a channel, or our own dialogue again. SetupError."""
    parts = urlsplit(url or "")
    if url is not None and (parts.scheme not in {"http", "https"} or not parts.hostname):
        raise SetupError(f"{url!r} is no address; write something like http://127.0.0.1:5005")
    with runtime.database.transaction() as session:
        channel = session.scalar(sa.select(Channel).where(Channel.slug == slug))
        if channel is None:
            raise SetupError(f"no channel {slug!r}")
        settings = {key: value for key, value in channel.settings.items() if key != SETTING}
        channel.settings = {**settings, SETTING: url} if url else settings
        session.add(
            AuditEntry(
                commune_id=channel.commune_id,
                at=runtime.now(),
                action="channel.driver",
                target=f"channel:{channel.id}",
                data={"rasa": url is not None},
            )
        )


def set_settings(runtime: Runtime, slug: str, changes: dict[str, Any]) -> None:
    """Change settings of a channel, None taking one away; all are checked together. SetupError."""
    with runtime.database.transaction() as session:
        channel = session.scalar(sa.select(Channel).where(Channel.slug == slug).with_for_update())
        if channel is None:
            raise SetupError(f"no channel {slug!r}; see: haichieu channel list")
        adapter = runtime.adapters[channel.type]
        if unknown := sorted(set(changes) - set(adapter.config_fields)):
            raise SetupError(f"a {channel.type} channel has no {', '.join(unknown)}")
        settings = {k: v for k, v in {**channel.settings, **changes}.items() if v is not None}
        try:
            config = adapter.config(settings, json.loads(runtime.vault.open(channel.secrets)))
        except ValueError as error:
            raise SetupError(str(error)) from None
        if config.account != channel.account:
            raise SetupError(f"channel {slug}: its account stays {channel.account}; another one is another channel")
        channel.settings = settings
        session.add(
            AuditEntry(
                commune_id=channel.commune_id,
                at=runtime.now(),
                action="channel.settings",
                target=f"channel:{channel.id}",
                data={"fields": sorted(changes)},
            )
        )
