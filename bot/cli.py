"""The command line for operators: each command is a few lines around a use case."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from bot import logs
from bot.config import Settings, SettingsError
from bot.queue import JOBS, LocalNudge
from bot.runtime import Runtime

F = TypeVar("F", bound=Callable[..., Any])


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="haichieu", prog_name="haichieu")
def main() -> None:
    """Hai Chiều: the two-way gateway between a commune and its people.

    Settings come from HAICHIEU_… variables; README.md lists them all.
    """


def settings_from_env() -> Settings:
    """Settings, or every problem with them at once."""
    try:
        settings = Settings.from_env(os.environ)
    except SettingsError as error:
        raise click.ClickException("the settings are not usable:\n  " + "\n  ".join(error.problems)) from None
    logs.configure(settings.log_format, settings.log_level)
    return settings


def built() -> Runtime:
    """The runtime of this installation; refuses a database that is not up to date."""
    from storage.upgrade import current, head

    runtime = Runtime.build(settings_from_env())
    if current(runtime.database) != head():
        raise click.ClickException("the database is not up to date. Run: haichieu db upgrade")
    return runtime


def explained(command: F) -> F:
    """Turn what a use case refuses into one clear line instead of a traceback."""
    import functools

    @functools.wraps(command)
    def run(*args: Any, **kwargs: Any) -> Any:
        from bot.runtime import VaultError
        from bot.usecases.officials import OfficialError
        from bot.usecases.setup import SetupError

        try:
            return command(*args, **kwargs)
        except (SetupError, OfficialError, VaultError) as error:
            raise click.ClickException(str(error)) from None

    return run  # type: ignore[return-value]


# ---- running -------------------------------------------------------------------------------------------------------


@main.command()
@click.option("--demo", is_flag=True, help="Rehearsal: a pretend Zalo, a demo commune, officials and followers.")
@explained
def up(demo: bool) -> None:
    """Run everything in one process: pages, webhooks, workers, clock."""
    if demo:
        os.environ["HAICHIEU_SANDBOX"] = "1"
    settings = settings_from_env()
    runtime = Runtime.build(settings, nudge=LocalNudge())
    from bot.usecases.setup import prepare_database

    prepare_database(runtime)
    if demo:
        _welcome(settings, runtime)
    runtime.database.close()
    _serve(settings, "bot.web.serve:everything", workers=1)


@main.command()
def web() -> None:
    """Serve pages and webhooks; run `worker` and `clock` beside it."""
    settings = built().settings
    _serve(settings, "bot.web.serve:web_only", workers=settings.web_workers)


@main.command()
@click.argument("jobs", nargs=-1, type=click.Choice(list(JOBS)))
def worker(jobs: tuple[str, ...]) -> None:
    """Handle events, send answers, fetch media, send announcements (or only the JOBS named)."""
    from bot.jobs import Engine, work_on_redis

    runtime = built()
    chosen = jobs or tuple(JOBS)
    if runtime.settings.redis_url:
        work_on_redis(runtime, chosen)
        return
    _until_stopped(Engine(runtime, chosen, with_clock=False))


@main.command()
def clock() -> None:
    """Sweep every few seconds: what a crash or a lost queue left behind is found here. Several may run."""
    import signal
    import threading

    from bot.jobs import run_clock

    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    run_clock(built(), stopping)


def _serve(settings: Settings, target: str, *, workers: int) -> None:
    from granian import Granian
    from granian.constants import Interfaces

    server = Granian(
        target,
        factory=True,
        address=settings.host,
        port=settings.port,
        interface=Interfaces.WSGI,
        workers=workers,
        blocking_threads=settings.web_threads,
        backlog=4096,
        backpressure=max(64, settings.web_threads * 8),
        respawn_failed_workers=True,
        workers_kill_timeout=25,
        log_enabled=False,
        websockets=False,
    )
    server.serve()


def _until_stopped(engine: Any) -> None:
    import signal
    import threading

    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    engine.start()
    stopping.wait()
    engine.stop()


def _welcome(settings: Settings, runtime: Runtime) -> None:
    from bot.web.demo import prepare_demo

    demo = prepare_demo(runtime)
    people = "\n".join(f"      {p.username:<6} {p.does}" for p in demo.people)
    click.echo(
        f"""
  Hai Chiều đang chạy (tập dượt): {settings.base_url}

    Cán bộ     {settings.base_url}/
      mật khẩu chung: {demo.password}
{people}
    Người dân  {settings.base_url}/sandbox/      điện thoại giả lập, nhắn thử: duong vao xom 5 o ga nhieu qua

  Dừng: Ctrl-C. Dữ liệu nằm trong {settings.data_dir}/ và còn nguyên khi chạy lại.
"""
    )


# ---- database ------------------------------------------------------------------------------------------------------


@main.group()
def db() -> None:
    """The database."""


@db.command("upgrade")
def db_upgrade() -> None:
    """Bring the tables up to date and write down the country's units and holidays. Safe to run again."""
    from bot.usecases.setup import prepare_database

    click.echo(f"database at revision {prepare_database(Runtime.build(settings_from_env()))}")


@db.command("status")
def db_status() -> None:
    """Say where the database stands."""
    from storage.upgrade import current, head

    runtime = Runtime.build(settings_from_env())
    found = current(runtime.database)
    click.echo(
        f"engine {runtime.database.engine.dialect.name}; revision {found or 'none'}; this release needs {head()}"
    )
    if found != head():
        sys.exit(1)


# ---- communes, officials, channels ---------------------------------------------------------------------------------


@main.group()
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


@main.group()
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


@main.group()
def channel() -> None:
    """Channels: Zalo Official Accounts and what follows."""


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
@explained
def channel_add(
    type: str,  # noqa: A002 - the field's own word
    slug: str,
    commune_slug: str,
    name: str,
    pairs: tuple[str, ...],
    secrets_file: Any,
    tokens_file: Any,
) -> None:
    """Connect a channel of this TYPE (zalo) under the address /webhooks/SLUG."""
    from bot.usecases.setup import SetupError, add_channel

    runtime = built()
    adapter = runtime.adapters.get(type)
    if adapter is None:
        raise SetupError(f"no channel type {type!r}; there are: {', '.join(sorted(runtime.adapters))}")
    settings = dict(_pair(pair, adapter.config_fields) for pair in pairs)
    asked = {f: "" for f in adapter.secret_fields if not f.startswith("previous_")}
    secrets = json.load(secrets_file) if secrets_file else {f: click.prompt(f, hide_input=True) for f in asked}
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
    click.echo(f"channel {slug} is connected. Webhook address: {runtime.settings.base_url}/webhooks/{slug}")
    click.echo(f"then: haichieu channel check {slug}")


def _pair(pair: str, fields: tuple[str, ...]) -> tuple[str, Any]:
    from bot.usecases.setup import SetupError

    field, equals, value = pair.partition("=")
    if not equals or field not in (*fields, "bootstrap_until", "verifier"):
        raise SetupError(f"--set {pair!r}: use FIELD=VALUE with FIELD one of {', '.join(fields)}")
    return field, {"true": True, "false": False}.get(value.lower(), value)


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


# ---- looking and replaying -----------------------------------------------------------------------------------------


@main.command()
@click.argument("channel_slug", metavar="CHANNEL")
@click.argument("payload", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--handle/--no-handle", default=True, help="Also handle what is waiting, here and now.")
@explained
def receive(channel_slug: str, payload: Path, handle: bool) -> None:
    """Replay a recorded PAYLOAD through the real door of a CHANNEL, signed with its own secret."""
    from bot.web.replay import replay

    runtime = built()
    status, row = replay(runtime, channel_slug, payload.read_bytes(), handle=handle)
    click.echo(f"door: {status}")
    click.echo(f"event: {row}")
    if not status.startswith("200"):
        sys.exit(1)


@main.command()
@click.option("--commune", "code", help="The official code of the commune whose places mean 'here'.")
@click.option("--places", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="CSV: name,kind,aliases.")
def read(code: str | None, places: Path | None) -> None:
    """Read JSON lines {"id","text","home"} on standard input; write what was understood, a line each."""
    from bot.usecases.reading import Lines

    lines = Lines(built(), code=code, places=places)
    for line in sys.stdin:
        if line.strip():
            click.echo(json.dumps(lines.read(line), ensure_ascii=False))


@main.command()
@click.option("--channel", "channel_slug", help="Only this channel.")
@click.option("--limit", default=50, show_default=True)
def outbox(channel_slug: str | None, limit: int) -> None:
    """Show deliveries that are not finished, or ended badly: state, tries, next try, why. No words of anybody."""
    from bot.usecases.ledger import outbox_rows

    for row in outbox_rows(built(), channel_slug, limit):
        click.echo("\t".join(row))


@main.command()
@click.option("--json", "as_json", is_flag=True, help="As one JSON object.")
def ledger(as_json: bool) -> None:
    """Prove that nothing was lost: every accepted event and every delivery is accounted for. Exit 1 if not."""
    from bot.usecases.ledger import balance

    found = balance(built())
    click.echo(json.dumps(found.to_json(), ensure_ascii=False, indent=2) if as_json else found.in_words())
    sys.exit(0 if found.is_balanced else 1)


if __name__ == "__main__":
    main()
