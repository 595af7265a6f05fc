"""Commands that understand messages and measure how well; they need no database and no settings."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from bot.usecases.measuring import Quality

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_PLACES = click.option("--places", type=_FILE, help="CSV of the commune's own places: name,kind,aliases,parent.")


@click.command()
@_PLACES
@click.option(
    "--commune", "code", default="", help="The code of the commune or province that lines without a home mean."
)
def read(places: Path | None, code: str) -> None:
    """Read JSON lines {"id","text","home"} on standard input; write what was understood, a line each.

    "home" is the code of the commune or province that owns the channel; without it --commune is meant. Without --places
    the places of a commune served here are used. A line that cannot be read gives {"error": …}, and the run goes on.
    """
    from bot.usecases.reading import Lines, places_from

    with _refusals():
        lines = Lines(places=places_from(places) if places else None, code=code, note=_note)
    out = sys.stdout.buffer
    for number, line in enumerate(sys.stdin.buffer, 1):
        answer = lines.answer(line, number)
        if answer is not None:
            out.write(_as_bytes(answer) + b"\n")
            out.flush()


@click.command("eval")
@click.argument("file", type=_FILE)
@_PLACES
@click.option(
    "--errors",
    "most",
    type=click.IntRange(0),
    default=0,
    metavar="N",
    help="Also list the first N messages that were misread.",
)
@click.option("--json", "as_json", is_flag=True, help="As one JSON object.")
def evaluate(file: Path, places: Path | None, most: int, as_json: bool) -> None:
    """Measure how well the labelled messages of a JSON-lines FILE are read, with 95 % bootstrap intervals.

    A line is {"text","intent","topics","urgency","sealed"} and, when there are any, "id", "home", "places", "units",
    "pii" and "parts". Topic, intent, danger and sealing are measured as written and in four noisier forms.
    """
    from bot.usecases.measuring import measure_quality
    from bot.usecases.reading import places_from
    from nlp.evaluation import BadGold, read_gold

    with _refusals():
        gold = read_gold(file)
        if not gold:
            raise BadGold(f"{file.name} has no messages")
        known = places_from(places) if places else None
        quality = measure_quality(gold, places=known, most_misread=most, note=_note)
    if as_json:
        click.echo(json.dumps(quality.to_json(), ensure_ascii=False))
    else:
        click.echo("\n".join(_told(quality)))


def _told(quality: Quality) -> Iterator[str]:
    """What was measured, as a person reads it."""
    yield f"{quality.messages} messages, model {quality.model}; value (95 % interval, of how many)"
    for form, figures in quality.forms.items():
        yield from ("", form, *(f"  {one}" for one in figures))
    shown = {one.name for one in quality.forms["as written"]}
    yield from ("", "as written, everything else", *(f"  {one}" for one in quality.figures if one.name not in shown))
    yield from ("", "milliseconds a message", *(f"  {one}" for one in quality.latency))
    if quality.risk_coverage:
        yield from ("", "share answered   right of those   topic at least this likely")
    for answered, right, needed in quality.risk_coverage:
        yield f"  {answered:12.3f}   {right:14.3f}   {needed:25.3f}"
    if quality.misread:
        yield from ("", "misread: id, what, wanted, got")
    for message in quality.misread:
        yield from (f"  {one.number}\t{one.what}\t{one.wanted}\t{one.got}" for one in message)


def _note(said: str) -> None:
    click.echo(f"note: {said}", err=True)


def _as_bytes(answer: dict[str, object]) -> bytes:
    """One line of JSON; escaped when a character has no place in UTF-8."""
    try:
        return json.dumps(answer, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return json.dumps(answer).encode()


@contextmanager
def _refusals() -> Iterator[None]:
    """Turn what cannot be used into one clear line instead of a traceback."""
    from bot.usecases.reading import BadPlaces, UnknownCode
    from nlp.evaluation import BadGold
    from nlp.model import BadModel

    try:
        yield
    except BadPlaces as error:
        raise click.BadParameter(str(error), param_hint="--places") from None
    except UnknownCode as error:
        raise click.BadParameter(str(error), param_hint="--commune") from None
    except BadGold as error:
        raise click.BadParameter(f"\n{error}", param_hint="FILE") from None
    except BadModel as error:
        raise click.ClickException(f"the model that ships is damaged ({error}): install the program again") from None


COMMANDS = (read, evaluate)
