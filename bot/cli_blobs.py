"""Commands for files: whether they can be kept, and moving them between a disk and a bucket."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from bot.cli_base import built, explained

if TYPE_CHECKING:
    from bot.usecases.moving import Moved

EVERY = 100


@click.group()
def blobs() -> None:
    """Photos, recordings and files: where they are kept (HAICHIEU_BLOBS)."""


@blobs.command("check")
@explained
def blobs_check() -> None:
    """Write, read and remove a small file; say whether all machines see the same files. Exit 1 if something fails."""
    from bot.usecases.moving import check_blobs

    report = check_blobs(built())
    for line in report.lines:
        click.echo(line)
    sys.exit(0 if report.is_fine else 1)


@blobs.command("move")
@explained
def blobs_move() -> None:
    """Move files from HAICHIEU_BLOBS_FORMER to HAICHIEU_BLOBS while everything runs; safe to stop and run again.

    Set both on every machine and restart first: files are then read from both, and new ones kept in the new place.
    """
    from bot.usecases.moving import move

    def note(moved: Moved) -> None:
        if moved.files % EVERY == 0:
            click.echo(f"{moved.files} files, {moved.size / 1e6:.1f} MB")

    moved = move(built(), note)
    click.echo(f"moved {moved.files} files, {moved.size / 1e6:.1f} MB; each was compared before its old copy went")
    if moved.unknown:
        click.echo(f"left {moved.unknown} files that this installation does not know")
    click.echo("Run it once more until it moves nothing, then leave HAICHIEU_BLOBS_FORMER out and restart.")
