"""Commands for the database, communes, officials and channels: each a few lines around a use case."""

from __future__ import annotations

import json
import secrets as random_secrets
import sys
from pathlib import Path
from typing import Any

import click

from bot.cli_base import built, explained, settings_from_env

# ---- database ------------------------------------------------------------------------------------------------------


@click.group()
def db() -> None:
    """The database."""


@db.command("upgrade")
def db_upgrade() -> None:
    """Bring the tables up to date and write down the country's units and holidays. Safe to run again."""
    from bot.runtime import Runtime
    from bot.usecases.setup import prepare_database

    click.echo(f"database at revision {prepare_database(Runtime.build(settings_from_env()))}")


@db.command("status")
def db_status() -> None:
    """Say where the database stands."""
    from bot.runtime import Runtime
    from storage.upgrade import current, head

    runtime = Runtime.build(settings_from_env())
    found = current(runtime.database)
    click.echo(
        f"engine {runtime.database.engine.dialect.name}; revision {found or 'none'}; this release needs {head()}"
    )
    if found != head():
        sys.exit(1)


# ---- communes, officials, channels ---------------------------------------------------------------------------------


@click.group()
def commune() -> None:
    """Communes served here."""


@commune.command("add")
@click.argument("code")
@click.option("--slug", required=True, help="Short name in commands, for example tan-huong.")
@click.option("--name", help='As citizens read it; without it "UBND xã …".')
@click.option("--duty-phone", help="The phone of the official on duty, said in emergencies.")
@explained
def commune_add(code: str, slug: str, name: str | None, duty_phone: str | None) -> None:
    """Take the commune with this official CODE into service, with the usual agencies."""
    from bot.usecases.setup import add_commune

    settings = {"duty_phone": duty_phone} if duty_phone else {}
    add_commune(built(), code=code, slug=slug, name=name, settings=settings)
    click.echo(f"commune {slug} is in service. Next: haichieu official add {slug} …, haichieu channel add …")


@commune.command("list")
def commune_list() -> None:
    """List communes in service."""
    import sqlalchemy as sa

    from storage.communes import Commune

    with built().database.reading() as session:
        for row in session.scalars(sa.select(Commune).order_by(Commune.slug)):
            click.echo(f"{row.slug}\t{row.locality_code}\t{row.name}{'  (rehearsal)' if row.is_demo else ''}")


@commune.command("set")
@click.argument("slug")
@click.argument("given", metavar="[NAME=VALUE]...", nargs=-1)
@explained
def commune_set(slug: str, given: tuple[str, ...]) -> None:
    """Change what the commune SLUG has set about itself; without NAME=VALUE, show everything and what it means.

    An empty value goes back to what is usual: fallback_wait_minutes=
    """
    from bot.usecases.commune_settings import SETTINGS, change, settings_of

    pairs = dict(part.partition("=")[::2] for part in given)
    if any("=" not in part for part in given):
        raise click.ClickException("settings are given as NAME=VALUE, for example fallback_wait_minutes=30")
    runtime = built()
    if pairs:
        change(runtime, slug, pairs)
    own = settings_of(runtime, slug)
    for name, setting in SETTINGS.items():
        value = own.get(name)
        shown = {True: "yes", False: "no"}.get(value, value) if value is not None else f"({setting.usual})"
        click.echo(f"{name}\t{shown}\t{setting.meaning}")


@click.group()
def official() -> None:
    """Officials and their passwords."""


@official.command("add")
@click.argument("commune_slug", metavar="COMMUNE")
@click.argument("username")
@click.option("--name", required=True, help="As colleagues and citizens read it.")
@click.option("--role", "roles", multiple=True, required=True, help="tiep_nhan, xu_ly, lanh_dao, soan_tin, duyet_tin…")
@click.option("--agency", help="The slug of the official's unit, for example kinh-te.")
@click.option("--phone")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input instead of asking.")
@explained
def official_add(
    commune_slug: str,
    username: str,
    name: str,
    roles: tuple[str, ...],
    agency: str | None,
    phone: str | None,
    password_stdin: bool,
) -> None:
    """Give a person an account in a COMMUNE."""
    from bot.usecases.officials import OfficialError, add_official
    from storage.enums import Role

    known = {role.value for role in Role}
    wrong = [role for role in roles if role not in known]
    if wrong:
        raise OfficialError(f"Không có vai trò {', '.join(wrong)}. Các vai trò: {', '.join(sorted(known))}.")
    add_official(
        built(),
        commune=commune_slug,
        username=username,
        name=name,
        password=_password(password_stdin),
        roles=[Role(role) for role in roles],
        agency=agency,
        phone=phone,
    )
    click.echo(f"official {username} may sign in")


@official.command("password")
@click.argument("username")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input instead of asking.")
@explained
def official_password(username: str, password_stdin: bool) -> None:
    """Give an official a new password; all their browsers are signed out."""
    from bot.usecases.officials import set_password

    set_password(built(), username, _password(password_stdin))
    click.echo(f"official {username} has a new password")


def _password(from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\n")
    return str(click.prompt("password", hide_input=True, confirmation_prompt=True))


@click.group()
def channel() -> None:
    """Channels: Zalo Official Accounts, Zalo and Telegram bots, SMS numbers, loudspeakers, the commune's own page."""


@channel.command("add")
@click.argument("type", metavar="TYPE")
@click.argument("slug")
@click.option("--commune", "commune_slug", required=True, help="The slug of the commune it belongs to.")
@click.option("--name", required=True, help="As officials read it.")
@click.option("--set", "pairs", multiple=True, metavar="FIELD=VALUE", help="A setting, such as app_id=… or oa_id=…")
@click.option(
    "--secrets-file", type=click.File(), help="JSON with the secret fields; without it each one is asked for."
)
@click.option(
    "--tokens-file", type=click.File(), help='JSON {"access_token","refresh_token","expires_in"}, if you have a pair.'
)
@click.option("--token", help="A bot's token; without it you are asked, and no shell remembers it.")
@explained
def channel_add(
    type: str,  # noqa: A002 - the field's own word
    slug: str,
    commune_slug: str,
    name: str,
    pairs: tuple[str, ...],
    secrets_file: Any,
    tokens_file: Any,
    token: str | None,
) -> None:
    """Connect a channel under the address /webhooks/SLUG.

    TYPE: zalo, zalo_bot, telegram, sms, smpp, web_form, or source_system for loudspeakers.

    FIELD=@FILE reads a setting from a JSON file, for example profile=@our-provider.json.
    """
    from adapters.base import Asked, Fetching, Linked
    from adapters.loudspeakers import Loudspeaking
    from bot.usecases.connecting import completed
    from bot.usecases.setup import SetupError, add_channel

    runtime = built()
    adapter = runtime.adapters.get(type)
    if adapter is None:
        raise SetupError(f"no channel type {type!r}; there are: {', '.join(sorted(runtime.adapters))}")
    settings = dict(_pair(pair, adapter.config_fields) for pair in pairs)
    fetches = isinstance(adapter, Fetching)
    is_own = type == "web_form"  # its key is made here
    asked = ["token"] if fetches else [f for f in adapter.secret_fields if not f.startswith("previous_") and not is_own]
    given = {"token": token} if token else json.load(secrets_file) if secrets_file else None
    secrets: dict[str, str] = given if given is not None else {f: _secret(f) for f in asked}
    if "callback_token" in asked and not secrets.get("callback_token"):
        secrets["callback_token"] = random_secrets.token_urlsafe(24)
    settings, secrets = completed(runtime, adapter, settings, secrets)
    add_channel(
        runtime,
        commune=commune_slug,
        type=type,
        slug=slug,
        name=name,
        settings=settings,
        secrets=secrets,
        tokens=_tokens(json.load(tokens_file)) if tokens_file else None,
    )
    if is_own:
        click.echo(f"page {slug} is open: {runtime.settings.base_url}/phan-anh/{slug}")
        return
    if fetches:
        _connect(runtime, slug)
    elif isinstance(adapter, Linked):
        click.echo(f"channel {slug} is connected. Keep its link running: haichieu smpp {slug}")
    elif isinstance(adapter, Loudspeaking):
        click.echo(f"channel {slug} is connected. Its system is asked every few minutes; nobody calls us.")
    elif isinstance(adapter, Asked):
        click.echo(f"channel {slug} is connected. The address for the provider holds a secret; the check shows it.")
    else:
        click.echo(f"channel {slug} is connected. Webhook address: {runtime.settings.base_url}/webhooks/{slug}")
    click.echo(f"then: haichieu channel check {slug}")


@channel.command("connect")
@click.argument("slug")
@explained
def channel_connect(slug: str) -> None:
    """Tell a channel anew where to bring events (bots): after HAICHIEU_PUBLIC_URL or its settings have changed."""
    _connect(built(), slug)


@channel.command("token")
@click.argument("slug")
@explained
def channel_token(slug: str) -> None:
    """Give a bot's channel the new token that @BotFather or Bot Creator made; asked for, and what waited is sent."""
    from bot.usecases.connecting import replace_token

    _say_connected(slug, replace_token(built(), slug, click.prompt("token", hide_input=True)).url)


def _connect(runtime: Any, slug: str) -> None:
    from bot.usecases.connecting import connect

    _say_connected(slug, connect(runtime, slug).url)


def _say_connected(slug: str, url: str) -> None:
    how = f"events are brought to {url}" if url else "our workers ask for events; nothing needs to reach this machine"
    click.echo(f"channel {slug} is connected: {how}")


@channel.command("drive")
@click.argument("slug")
@click.option(
    "--rasa", "url", default="", metavar="URL", help="The address of the Rasa server, such as http://127.0.0.1:5005."
)
@click.option("--embedded", is_flag=True, help="Let our own dialogue lead the talk again.")
@explained
def channel_drive(slug: str, url: str, embedded: bool) -> None:
    """Say who leads the talk on a channel: a Rasa server, or our own dialogue (the default).

    Danger and denunciations are always answered here, and so is whatever the server does not answer within 2.5 seconds.
    """
    from bot.usecases.setup import SetupError, set_driver

    if bool(url) == embedded:
        raise SetupError("use either --rasa URL or --embedded")
    set_driver(built(), slug, url or None)
    click.echo(f"channel {slug}: " + (f"talk led by {url}" if url else "our own dialogue"))


def _pair(pair: str, fields: tuple[str, ...]) -> tuple[str, Any]:
    from bot.usecases.setup import SetupError

    field, equals, value = pair.partition("=")
    if not equals or field not in (*fields, "bootstrap_until", "verifier"):
        raise SetupError(f"--set {pair!r}: use FIELD=VALUE with FIELD one of {', '.join(fields)}")
    if value.startswith("@"):
        return field, _json_file(value.removeprefix("@"))
    return field, {"true": True, "false": False}.get(value.lower(), value)


def _json_file(path: str) -> Any:
    from bot.usecases.setup import SetupError

    try:
        with Path(path).open(encoding="utf-8") as file:
            return json.load(file)
    except OSError as error:
        raise SetupError(f"cannot read {path}: {error.strerror}") from None
    except ValueError as error:
        raise SetupError(f"{path} is not JSON: {error}") from None


def _secret(field: str) -> str:
    hint = " (empty: one is made)" if field == "callback_token" else ""
    return str(click.prompt(f"{field}{hint}", hide_input=True, default="", show_default=False))


def _tokens(data: dict[str, Any]) -> Any:
    from datetime import UTC, datetime, timedelta

    from adapters.messages import Tokens
    from bot.usecases.setup import SetupError

    try:
        life = int(data.get("expires_in", 3600))
        return Tokens(
            str(data["access_token"]), str(data["refresh_token"]), datetime.now(UTC) + timedelta(seconds=life)
        )
    except (KeyError, TypeError, ValueError):
        raise SetupError("the tokens file needs access_token, refresh_token and expires_in (seconds)") from None


@channel.command("list")
def channel_list() -> None:
    """List channels and whether they may send."""
    import sqlalchemy as sa

    from storage.channels import Channel

    with built().database.reading() as session:
        for row in session.scalars(sa.select(Channel).order_by(Channel.slug)):
            state = f"paused: {row.paused_reason}" if row.paused_at else "open" if row.is_active else "closed"
            click.echo(f"{row.slug}\t{row.type}\t{row.account}\t{'sandbox' if row.is_sandbox else 'live'}\t{state}")


@channel.command("check")
@click.argument("slug")
def channel_check(slug: str) -> None:
    """Ask the channel whether our settings and tokens work."""
    from bot.usecases.channels import check

    report = check(built(), slug)
    for line in report.lines:
        click.echo(line)
    sys.exit(0 if report.is_fine else 1)


@channel.command("set")
@click.argument("slug")
@click.argument("pairs", nargs=-1, required=True, metavar="FIELD=VALUE…")
@explained
def channel_set(slug: str, pairs: tuple[str, ...]) -> None:
    """Change settings of a channel: FIELD=VALUE, FIELD=@file.json, or FIELD= to take one away."""
    import sqlalchemy as sa

    from bot.usecases.setup import SetupError, set_settings
    from storage.channels import Channel

    runtime = built()
    with runtime.database.reading() as session:
        type_ = session.scalar(sa.select(Channel.type).where(Channel.slug == slug))
    if type_ is None:
        raise SetupError(f"no channel {slug!r}; see: haichieu channel list")
    changes = dict(_pair(pair, runtime.adapters[type_].config_fields) for pair in pairs)
    set_settings(runtime, slug, {field: None if value == "" else value for field, value in changes.items()})
    click.echo(f"channel {slug}: {', '.join(sorted(changes))} changed; see: haichieu channel check {slug}")


@channel.command("catch-up")
@click.argument("slug")
@click.option("--hours", default=24, show_default=True, help="How far back, at most 168.")
@explained
def channel_catch_up(slug: str, hours: int) -> None:
    """Ask a channel what was said lately and take in what is missing, as after an outage; safe to repeat."""
    from bot.usecases.outages import catch_up_now, in_words
    from storage.enums import CatchUpState

    row = catch_up_now(built(), slug, hours)
    click.echo(f"channel {slug}: {in_words(row)}")
    sys.exit(0 if row.state is CatchUpState.DONE else 1)


COMMANDS = (db, commune, official, channel)
