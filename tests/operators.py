"""Operators: people who type commands into an installation of their own."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner, Result

from bot.cli import main
from bot.config import Settings
from bot.runtime import Runtime

KEY = "a-key-for-tests-only-" + "z" * 20


class Operator:
    """Types commands into an installation of its own."""

    def __init__(self, folder: Path) -> None:
        self.env = {"HAICHIEU_DATA_DIR": str(folder), "HAICHIEU_SECRET_KEY": KEY, "HAICHIEU_LOG_LEVEL": "error"}

    def types(self, *words: str, typed: str | bytes | None = None, **env: str) -> Result:
        """Run a command; `typed` is what comes on standard input."""
        return CliRunner().invoke(main, words, input=typed, env={**self.env, **env})

    def runtime(self) -> Runtime:
        """The installation itself, for what no command makes."""
        return Runtime.build(Settings.from_env(self.env))

    def gets(self, *words: str, typed: str | bytes | None = None) -> str:
        """Run a command that must succeed; gives what it printed."""
        result = self.types(*words, typed=typed)
        assert result.exit_code == 0, result.output
        return result.output
