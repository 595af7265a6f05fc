"""Commands for personal data: how long it is kept, and what is held on one person."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from bot.cli_base import built, explained

if TYPE_CHECKING:
    from bot.runtime import Runtime
    from storage.officials import Official


@click.group()
def retention() -> None:
    """How long data is kept. Rules are decided on the page "Thời hạn lưu"; without a decision nothing goes."""


@retention.command("show")
@click.argument("commune")
@explained
def retention_show(commune: str) -> None:
    """Show the rules of COMMUNE: kind, days, whether it is applied, and within which limits it may be set."""
    from bot.rules.retention import LIMITS
    from bot.usecases.retention import days_of

    runtime = built()
    days = days_of(runtime, _commune_id(runtime, commune))
    for kind, limits in LIMITS.items():
        state = "applied" if kind in days else "not decided: nothing goes"
        click.echo(f"{kind.value}\t{days.get(kind, limits.usual)}\t{state}\t({limits.least}-{limits.most})")


@retention.command("dry-run")
@click.argument("commune")
@explained
def retention_dry_run(commune: str) -> None:
    """Count what of COMMUNE would go now, by the rules applied or else the usual ones. Changes nothing.

    What is sealed is not counted here: its readers see it on the page.
    """
    from bot.rules.retention import LIMITS, OF_SEALED, rule_of
    from bot.usecases.expiring import WAYS
    from bot.usecases.retention import count_due, days_of

    runtime = built()
    number = _commune_id(runtime, commune)
    known = days_of(runtime, number)
    days = {kind: known.get(rule_of(kind), LIMITS[rule_of(kind)].usual) for kind in WAYS if kind not in OF_SEALED}
    for line in count_due(runtime, number, days):
        span = f"{line.oldest_at:%Y-%m-%d}..{line.newest_at:%Y-%m-%d}" if line.oldest_at and line.newest_at else "-"
        state = "" if rule_of(line.kind) in known else "\tnot decided: stays"
        click.echo(f"{line.kind.value}\t{line.days}\t{line.count}\t{span}{state}")


@retention.command("run")
@click.argument("commune")
@click.option("--yes", is_flag=True, help="Do not ask; what goes cannot be brought back.")
@explained
def retention_run(commune: str, yes: bool) -> None:
    """Let everything of COMMUNE go now that is over by the rules applied; the clock does the same each day."""
    from bot.rules.retention import OF_SEALED
    from bot.usecases.erasing import erase_let_go
    from bot.usecases.retention import run_all

    runtime = built()
    number = _commune_id(runtime, commune)
    if not yes:
        click.confirm("Delete what is over, for good?", abort=True)
    found = run_all(runtime, number)
    erase_let_go(runtime)
    sealed = {kind.value for kind in OF_SEALED}
    for run in (one for one in found if one.kind not in sealed):
        click.echo(f"run {run.id}\t{run.kind}\t{run.count}\t{run.digest}")
    click.echo("done")


def _commune_id(runtime: Runtime, slug: str) -> int:
    import sqlalchemy as sa

    from bot.usecases.setup import SetupError
    from storage.communes import Commune

    with runtime.database.reading() as session:
        number = session.scalar(sa.select(Commune.id).where(Commune.slug == slug))
    if number is None:
        raise SetupError(f"no commune {slug!r} is in service; see: haichieu commune list")
    return number


@click.group()
def contact() -> None:
    """What is held on one person, at their wish. The NUMBER stands on the page "Hồ sơ người dân" of a ticket."""


_WHO = click.option("--as", "username", required=True, help="In whose name; what they may not see is not in it.")
_WHY = click.option(
    "--why", default="nguoi_dan_yeu_cau", show_default=True, help="nguoi_dan_yeu_cau, co_quan_yeu_cau or viec_khac."
)
_WORDS = click.option("--words", default="", help="More about the reason; required with viec_khac.")


@contact.command("export")
@click.argument("number", type=click.IntRange(1))
@_WHO
@_WHY
@_WORDS
@click.option("--out", type=click.Path(dir_okay=False, writable=True), required=True, help="The ZIP to write.")
@explained
def contact_export(number: int, username: str, why: str, words: str, out: str) -> None:
    """Write everything held on a person into a ZIP: to read, for spreadsheets, as JSON, with files. It is logged."""
    import os
    import shutil

    from bot.usecases.contact_export import export

    runtime = built()
    with _refused():
        found = export(runtime, _official(runtime, username), number, why=why, words=words, address="cli")
    descriptor = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with found, os.fdopen(descriptor, "wb") as file:
        shutil.copyfileobj(found, file)
    click.echo(f"written to {out}, readable by you alone")


@contact.command("erase")
@click.argument("number", type=click.IntRange(1))
@_WHO
@_WHY
@_WORDS
@click.option("--asked-on", required=True, metavar="YYYY-MM-DD", help="The day on which the citizen asked.")
@click.option("--yes", is_flag=True, help="Do not ask; what goes cannot be brought back.")
@explained
def contact_erase(number: int, username: str, why: str, words: str, asked_on: str, yes: bool) -> None:
    """Say what would go and what stays, ask, and erase what is held on a person on all their channels."""
    from bot.usecases import contact_erasure
    from bot.usecases.contact_files import due_on, open_file
    from bot.usecases.erasing import erase_let_go

    runtime = built()
    official = _official(runtime, username)
    with _refused():
        day = contact_erasure.asked_on(runtime, asked_on)
        found = open_file(runtime, official, number)
        click.echo(f"answer due: {due_on(runtime, official, day):%Y-%m-%d %H:%M} UTC")
        click.echo(f"goes: {found.held.said} messages in, {found.held.told} out, {found.held.files} files, "
                   f"words of {len(found.tickets) - len(found.stays)} tickets, name, phone, address")  # fmt: skip
        click.echo(f"told afterwards by: {contact_erasure.tells_by(runtime, number) or 'nothing; tell them before'}")
        click.echo(f"stays: codes, states and times; {len(found.stays)} tickets on hold")
        if not yes:
            click.confirm("Erase it, for good?", abort=True)
        contact_erasure.erase_contact(
            runtime,
            official,
            number,
            why=why,
            words=words,
            day=day,
            seal=contact_erasure.seal_of(runtime, found),
            address="cli",
        )
    erase_let_go(runtime)
    click.echo("erased")


@contextmanager
def _refused() -> Iterator[None]:
    """What the rules refuse, in one line."""
    from bot.access import Forbidden, NotFound
    from bot.rules.lifecycle import NotAllowed

    try:
        yield
    except NotAllowed as refusal:
        raise click.ClickException(refusal.sentence % refusal.values if refusal.values else refusal.sentence) from None
    except (NotFound, Forbidden):
        raise click.ClickException("this official has no such contact, or may not do this with it") from None


def _official(runtime: Runtime, username: str) -> Official:
    import sqlalchemy as sa

    from bot.usecases.setup import SetupError
    from storage.officials import Official

    with runtime.database.reading() as session:
        found = session.scalar(sa.select(Official).where(Official.username == username, Official.is_active))
    if found is None:
        raise SetupError(f"no official {username!r} is active")
    return found
