"""Commands for learning from officials: train a model, list those there are, and go back to an earlier one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot.cli_base import built, explained

if TYPE_CHECKING:
    from bot.rules.promotion import Batch
    from bot.runtime import Runtime
    from bot.usecases.learning import Outcome


@click.command()
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), help="Write the trained model to this file, too."
)
@click.option("--dry-run", is_flag=True, help="Train and compare, but change nothing.")
@click.option("--again", is_flag=True, help="Promote even if the model of the same corrections was rolled back.")
@explained
def train(out: Path | None, dry_run: bool, again: bool) -> None:
    """Learn from what officials corrected; the new model is used only if it reads no worse than the one in use."""
    from bot.usecases.learning import Overtaken, learn

    runtime = built()
    try:
        outcome = learn(runtime, is_dry=dry_run, is_again=again, say=lambda words: click.echo(words, err=True))
    except Overtaken:
        raise click.ClickException(
            "another training or a rollback changed the model in use meanwhile; nothing was changed. Run train again."
        ) from None
    for line in told(runtime, outcome):
        click.echo(line)
    if outcome.is_forgotten:
        click.echo("forgotten: the model in use had learned what was erased, sealed or taken back since; the one that")
        click.echo("ships with the program reads again")
    if out is not None and outcome.model is not None:
        out.write_bytes(outcome.model.to_bytes())
        click.echo(f"written to {out}")
    if outcome.state == "refused":
        raise click.exceptions.Exit(1)


def told(runtime: Runtime, outcome: Outcome) -> list[str]:
    """What came of a training, line by line."""
    if outcome.state == "nothing":
        return ["nothing new to learn; the model in use stays"]
    lines = [_batch_line(runtime, batch) for batch in outcome.batches]
    for trial in outcome.figures.get("trials", ()):
        lines += [_figure_line(one) for one in trial["differences"] if one["of"]]
    lines += [f"lost: {one}" for one in outcome.lost]
    model = outcome.model.version if outcome.model else ""
    return (
        lines
        + {
            "promoted": [f"promoted: model {model}, learned from {outcome.learned_from} messages"],
            "passed": [
                f"would be promoted: model {model}, learned from {outcome.learned_from} messages; nothing was changed"
            ],
            "rolled_back": [
                f"nothing new to learn: model {outcome.rolled_back} of the same corrections was rolled back",
                "The model in use stays until officials correct more. To use it all the same: haichieu train --again",
            ],
            "refused": [
                "refused: the model in use stays, nothing was changed",
                "Look at the corrections named above in the inbox: the last word on a ticket counts. Then train again.",
            ],
        }[outcome.state]
    )


def _batch_line(runtime: Runtime, batch: Batch) -> str:
    from storage.officials import Official

    what = f'{batch.kind} "{batch.label}"' if batch.label else batch.kind
    who = ", whoever gave them"
    if batch.official_id is not None:
        with runtime.database.reading() as session:
            official = session.get(Official, batch.official_id)
        who = f" by {official.name} ({official.username})" if official else f" by official {batch.official_id}"
    return (
        f"left out: corrections of {what}{who}: {batch.contradicting} of {batch.of} contradict both the reader, "
        "where it is sure, and the nearest messages that ship"
    )


def _figure_line(one: dict[str, float]) -> str:
    return (
        f"{one['name']:<58} {100 * one['before']:6.2f} -> {100 * one['after']:6.2f}  "
        f"({100 * one['low']:+.2f} … {100 * one['high']:+.2f}, n={one['of']})"
    )


@click.group()
def models() -> None:
    """The models there are, and the way back to an earlier one."""


@models.command("list")
@explained
def list_() -> None:
    """The latest models promoted here and the one that ships; a star marks the one in use."""
    from bot.usecases.trained import list_models

    for one in list_models(built()):
        when = one.promoted_at.strftime("%Y-%m-%d %H:%MZ") if one.promoted_at else "-"
        click.echo(f"{'*' if one.is_active else ' '} {one.version:<14} {when:<18} {one.note}")


@models.command()
@click.argument("version")
@explained
def rollback(version: str) -> None:
    """Read with model VERSION again; workers take it up within a minute."""
    from bot.usecases.trained import NoSuchModel
    from bot.usecases.trained import rollback as go_back

    try:
        go_back(built(), version)
    except NoSuchModel as error:
        raise click.ClickException(str(error)) from None
    click.echo(f"model {version} is in use again")
