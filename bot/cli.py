"""The command line for operators: each command is a few lines around a use case."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bot import cli_admin, cli_blobs, cli_holidays, cli_learning, cli_privacy, cli_read_aloud, cli_reading, cli_sealed
from bot.cli_base import built, explained, ready_to_keep, settings_from_env

if TYPE_CHECKING:
    from bot.config import Settings
    from bot.runtime import Runtime


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="haichieu", prog_name="haichieu")
def main() -> None:
    """Hai Chiều: the two-way gateway between a commune and its people.

    Settings come from HAICHIEU_… variables; README.md lists them all.
    """


# ---- running -------------------------------------------------------------------------------------------------------


@main.command()
@click.option(
    "--demo", is_flag=True, help="Rehearsal: a pretend Zalo, Telegram and SMS, a commune, officials and followers."
)
@explained
def up(demo: bool) -> None:
    """Run everything in one process: pages, webhooks, workers, clock."""
    if demo:
        os.environ["HAICHIEU_SANDBOX"] = "1"
    from bot.queue import LocalNudge
    from bot.runtime import Runtime
    from bot.usecases.setup import prepare_database

    settings = settings_from_env()
    runtime = Runtime.build(settings, nudge=LocalNudge())
    prepare_database(runtime)
    ready_to_keep(runtime)
    if demo:
        _welcome(settings, runtime)
    else:
        _say_setup(settings, runtime)
    runtime.database.close()
    _serve(settings, "bot.web.serve:everything", workers=1)


@main.command()
@explained
def web() -> None:
    """Serve pages and webhooks; run `worker` and `clock` beside it."""
    runtime = built()
    ready_to_keep(runtime)
    settings = runtime.settings
    _say_setup(settings, runtime)
    _serve(settings, "bot.web.serve:web_only", workers=settings.web_workers)


class JobName(click.ParamType[str]):
    """One of the jobs; their module is imported only when one is named."""

    name = "job"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The name itself, when there is such a job."""
        from bot.queue import JOBS

        if value not in JOBS:
            self.fail(f"{value!r} is not one of {', '.join(JOBS)}.", param, ctx)
        return str(value)


@main.command()
@click.argument("jobs", nargs=-1, type=JobName())
@explained
def worker(jobs: tuple[str, ...]) -> None:
    """Handle events, send answers, fetch media, send announcements (or only the JOBS named).

    JOBS: replies, inbox, media, broadcast.
    """
    from bot.jobs import Engine, work_on_redis
    from bot.queue import JOBS

    runtime = built()
    ready_to_keep(runtime)
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


@main.command()
@click.option(
    "--host", default="127.0.0.1", show_default=True, help="Whoever reaches it may act for citizens: keep it close."
)
@click.option("--port", default=5055, show_default=True)
@click.option("--token", envvar="HAICHIEU_ACTIONS_TOKEN", default="", help="What callers must send as ?token=…")
@explained
def actions(host: str, port: int, token: str) -> None:
    """Serve our abilities to a Rasa server on its action-server protocol."""
    import logging
    import threading

    from werkzeug.serving import make_server

    from bot.web.action_server import create_action_server

    if not token and host not in {"127.0.0.1", "::1", "localhost"}:
        raise click.UsageError("--token is needed when others than this machine can reach it")
    runtime = built()
    runtime.warm_up()
    logging.getLogger("werkzeug").setLevel(logging.WARNING)  # its request lines would show the token
    server = make_server(host, port, create_action_server(runtime, token=token), threaded=True)
    click.echo(f"actions at http://{host}:{port}/webhook")
    _call_when_stopped(lambda: threading.Thread(target=server.shutdown).start())
    server.serve_forever()


def _call_when_stopped(stop: Callable[[], None]) -> None:
    import signal

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop())


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


def _say_setup(settings: Settings, runtime: Runtime) -> None:
    """Where nothing is set up yet, show where to begin, and the code that only this terminal shows."""
    from bot.usecases.first_setup import announce

    code = announce(runtime)
    if code:
        click.echo(
            f"""
  Hai Chiều chưa được thiết lập. Mở trang này và nhập mã:

    {settings.base_url}/setup
    mã: {code}

  Mã chỉ hiện ở đây và đổi mỗi lần khởi động.
"""
        )


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
               {settings.base_url}/sandbox/telegram/      cũng vậy trên Telegram, có nút trả lời
               {settings.base_url}/sandbox/zalo-bot/      cũng vậy với bot Zalo
               {settings.base_url}/sandbox/sms/      cũng vậy bằng SMS, trên máy điện thoại cũ
               {settings.base_url}{demo.page}      trang phản ánh, không cần tài khoản

  Dừng: Ctrl-C. Dữ liệu nằm trong {settings.data_dir}/ và còn nguyên khi chạy lại.
"""
    )


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
@click.argument("channel_slug", metavar="SLUG")
@explained
def smpp(channel_slug: str) -> None:
    """Keep the SMPP link of a channel: send what is owed, take in what comes. One process for each account."""
    import signal
    import threading

    from bot.usecases.smpp import keep_link

    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    keep_link(built(), channel_slug, ended.is_set)


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


@main.group()
def audit() -> None:
    """The chain of digests over what officials did and saw, and what was sent."""


@audit.command("verify")
@click.option("--expect", default="", help="An anchor that was written down earlier; it must be in the chain.")
def audit_verify(expect: str) -> None:
    """Check that no row of the history was changed, removed or slipped in. Exit 1 and the rows' names if one was."""
    from bot.usecases.chain import verify

    found = verify(built(), expect=expect.strip())
    for problem in found.problems:
        click.echo(f"PROBLEM  {problem}")
    click.echo(f"{found.links} links over {found.rows} rows; {found.waiting} newer rows are not under the chain yet")
    click.echo(f"{found.erased} rows without their words, erased at their writers' wish")
    click.echo(f"anchor   {found.anchor or '0:'}")
    click.echo("whole" if found.is_whole else "NOT whole")
    sys.exit(0 if found.is_whole else 1)


@audit.command("anchor")
def audit_anchor() -> None:
    """Print the last link, to be kept where nobody who can write the database can: in print, with the province."""
    from bot.usecases.chain import anchor

    click.echo(anchor(built()))


for command in (
    *cli_admin.COMMANDS,
    *cli_reading.COMMANDS,
    *cli_read_aloud.COMMANDS,
    cli_blobs.blobs,
    cli_sealed.sealed,
    cli_learning.train,
    cli_learning.models,
    cli_holidays.holidays,
    cli_privacy.retention,
    cli_privacy.contact,
):
    main.add_command(command)


if __name__ == "__main__":
    main()
