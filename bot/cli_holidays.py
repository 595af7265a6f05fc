"""Commands for the calendar that deadlines are counted by."""

from __future__ import annotations

from typing import TextIO

import click

from bot.cli_base import built, explained


@click.group()
def holidays() -> None:
    """Days off, and weekend days that are worked instead."""


@holidays.command("list")
@click.argument("year", type=click.IntRange(2020, 2100))
@click.option("--commune", default="", help="As they count for this commune, whose own days win.")
@explained
def holidays_list(year: int, commune: str) -> None:
    """Show the days of a YEAR, in the form that `holidays import` reads."""
    from bot.usecases.holidays import COLUMNS, listing

    click.echo(",".join(COLUMNS))
    for day in listing(built(), year, commune):
        click.echo(f"{day.day},{day.name},{int(day.is_worked)}")


@holidays.command("compute")
@click.argument("year", type=click.IntRange(2020, 2100))
def holidays_compute(year: int) -> None:
    """Show what the law gives for a YEAR before the government has said how Tết and swapped days fall."""
    from bot.usecases.holidays import COLUMNS, computed

    click.echo(",".join(COLUMNS))
    for day in computed(year):
        click.echo(f"{day.day},{day.name},{int(day.is_worked)}")


@holidays.command("import")
@click.argument("file", type=click.File(encoding="utf-8-sig"))
@click.option("--commune", default="", help="For this commune alone; without it for everybody.")
@explained
def holidays_import(file: TextIO, commune: str) -> None:
    """Put the days of a CSV FILE (day,name,is_worked) in place of those of the same years.

    Deadlines that stand already are not moved; those made from now on count by it.
    """
    from bot.usecases.holidays import read_table, replace

    days = read_table(file)
    years = replace(built(), days, commune)
    click.echo(f"{len(days)} days written down for {', '.join(map(str, years))}")
