"""What all commands share: settings, the runtime, and refusals said in one line. Starts fast: heavy imports wait."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from bot.config import Settings
    from bot.runtime import Runtime

F = TypeVar("F", bound=Callable[..., Any])


def settings_from_env() -> Settings:
    """Settings, or every problem with them at once."""
    from bot import logs
    from bot.config import Settings, SettingsError

    try:
        settings = Settings.from_env(os.environ)
    except SettingsError as error:
        raise click.ClickException("the settings are not usable:\n  " + "\n  ".join(error.problems)) from None
    logs.configure(settings.log_format, settings.log_level)
    return settings


def built() -> Runtime:
    """The runtime of this installation; refuses a database that is not up to date."""
    from bot.runtime import Runtime
    from storage.upgrade import current, head

    runtime = Runtime.build(settings_from_env())
    if current(runtime.database) != head():
        raise click.ClickException("the database is not up to date. Run: haichieu db upgrade")
    return runtime


def ready_to_keep(runtime: Runtime) -> None:
    """Refuse to start where files cannot be kept until somebody mends the settings.

    A store that is only away is said and waited for: words of citizens are taken in meanwhile, photos fetched later.
    """
    from bot.stores import StoreAway, StoreUnusable

    for store in filter(None, (runtime.blobs.store, runtime.blobs.former)):
        try:
            store.check()
        except StoreUnusable as error:
            raise click.ClickException(f"files cannot be kept: {error}\nThen try: haichieu blobs check") from None
        except StoreAway as error:
            click.echo(f"WARNING: {error}. Started all the same; photos wait. Try: haichieu blobs check", err=True)


def explained(command: F) -> F:
    """Turn what a use case refuses into one clear line instead of a traceback."""

    @functools.wraps(command)
    def run(*args: Any, **kwargs: Any) -> Any:
        from bot.runtime import VaultError
        from bot.stores import StoreAway
        from bot.usecases.moving import NothingToMove
        from bot.usecases.officials import OfficialError
        from bot.usecases.setup import SetupError

        try:
            return command(*args, **kwargs)
        except (SetupError, OfficialError, VaultError, StoreAway, NothingToMove) as error:
            raise click.ClickException(str(error)) from None

    return run  # type: ignore[return-value]
