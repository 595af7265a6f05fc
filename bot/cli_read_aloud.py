"""The command that turns an announcement into what is read aloud; it needs no database and no settings."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from bot.rules.read_aloud import Script

_FILE = click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path)


@click.command("read-aloud")
@click.argument("file", type=_FILE, default="-")
@click.option("--commune", default="", help='Greet its people, as in "xã Đức Huệ", and say time and place twice.')
@click.option("--title", default="", help="The title, read first and shown on the board.")
@click.option("--board", is_flag=True, help="Also show what a public board has room for: two lines of 60 signs.")
def read_aloud(file: Path, commune: str, title: str, board: bool) -> None:
    """Write FILE (or standard input) as it is read aloud in Vietnamese: no digit and no abbreviation is left.

    The script goes to standard output; how long it takes, and which words are a guess, to standard error.
    With --commune or --title the script has greeting, repetition and close, as on the commune's loudspeakers.
    """
    from bot.rules.read_aloud import board_lines, script_of
    from bot.rules.read_aloud import read_aloud as as_read

    body = _text_of(file)
    script = script_of(title, body, commune) if commune or title else as_read(body)
    click.echo(script.text)
    if board:
        click.echo("\n".join(board_lines(title, body)))
    _tell(script)


def _text_of(file: Path) -> str:
    written = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    try:
        return written.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise click.BadParameter("is not UTF-8 text: save it as UTF-8 and try again", param_hint="FILE") from None


def _tell(script: Script) -> None:
    """The reading time, and each guess with where it stands in the script."""
    from bot.rules.read_aloud import reading_time

    time = reading_time(script)
    click.echo(f"time: {time.shortest}–{time.longest} s, {script.syllables} syllables", err=True)
    for one in script.unsure:
        guess = script.text[one.start : one.end]
        click.echo(f'unsure: "{one.words}" read as "{guess}" at {one.start}–{one.end}', err=True)


COMMANDS = (read_aloud,)
