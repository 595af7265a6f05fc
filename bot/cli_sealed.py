"""Commands for what is sealed: who reads it, and the keys."""

from __future__ import annotations

import sys

import click

from bot.cli_base import built, explained


@click.group()
def sealed() -> None:
    """Sealed reports: their two named readers and their keys."""


@sealed.command("readers")
@click.argument("commune_slug", metavar="COMMUNE")
@explained
def readers(commune_slug: str) -> None:
    """Say who reads what is sealed in a COMMUNE."""
    from bot.usecases.sealed_readers import MOST_READERS, list_readers

    found = list_readers(built(), commune_slug)
    for one in found:
        click.echo(f"{one.username}\t{one.name}")
    click.echo(f"{len(found)} of {MOST_READERS} named")


@sealed.command("name")
@click.argument("username")
@explained
def name(username: str) -> None:
    """Name an official to read what is sealed; a commune names two at most, its leader only if named."""
    from bot.usecases.sealed_readers import name_reader

    name_reader(built(), username)
    click.echo(f"{username} reads what is sealed")


@sealed.command("unname")
@click.argument("username")
@explained
def unname(username: str) -> None:
    """Take back that an official reads what is sealed."""
    from bot.usecases.sealed_readers import withdraw_reader

    withdraw_reader(built(), username)
    click.echo(f"{username} does not read what is sealed")


@sealed.command("rewrap")
@explained
def rewrap() -> None:
    """Lock the communes' keys with HAICHIEU_SEALED_KEY; afterwards HAICHIEU_OLD_SEALED_KEYS may be left out."""
    from bot.usecases.sealed_rows import rewrap_keys

    done, lost = rewrap_keys(built())
    click.echo(f"{done} keys are locked with today's key; {lost} cannot be opened with any key given")
    if lost:
        sys.exit(1)
