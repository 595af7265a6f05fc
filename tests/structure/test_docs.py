"""The documents say what the code does."""

from __future__ import annotations

import re
from pathlib import Path

import click

from bot.cli import main
from bot.config import PREFIX, Settings

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
TABLE = README.split("## Configuration")[1].split("## ")[0]


def test_every_setting_stands_in_the_configuration_table() -> None:
    wanted = {f"{PREFIX}{name.upper()}" for name in Settings.__dataclass_fields__}
    assert set(re.findall(rf"`({PREFIX}[A-Z_]+)`", TABLE)) == wanted


def test_the_defaults_in_the_table_are_the_codes() -> None:
    for names, default in re.findall(r"^\| (`HAICHIEU[^|]*) \| ([^|]*) \|", TABLE, re.MULTILINE):
        shown = re.findall(r"`([^`]+)`", default)
        for variable, value in zip(re.findall(r"`([^`]+)`", names), shown, strict=False):
            field = getattr(Settings(), variable.removeprefix(PREFIX).lower())
            assert str(int(field) if isinstance(field, bool) else field) == value, variable


def test_every_command_in_the_readme_exists() -> None:
    commands = re.findall(r"^(?:\| `)?haichieu ((?:[a-z]+(?:-[a-z]+)* ?)+)", README, re.MULTILINE)
    assert commands
    for words in commands:
        group: click.Command = main
        for word in words.split():
            if not isinstance(group, click.Group):
                break
            assert word in group.commands, f"haichieu {words}"
            group = group.commands[word]


def test_the_house_has_only_the_agreed_rooms() -> None:
    import subprocess

    names = subprocess.run(
        ["git", "ls-tree", "--name-only", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    agreed = {
        ".ci", ".gitignore", ".npmrc", "ARCHITECTURE.md", "CHANGELOG.md", "Makefile", "Procfile", "README.md",
        "adapters", "bot", "nlp", "package-lock.json", "package.json", "pyproject.toml", "requirements-dev.lock",
        "requirements.lock",
        "storage", "tests",
    }  # fmt: skip
    assert set(names.stdout.split()) <= agreed


def test_lock_files_carry_no_address_of_an_index() -> None:
    for name in ("requirements.lock", "requirements-dev.lock"):
        text = (ROOT / name).read_text()
        assert "index-url" not in text
        assert "://" not in text
        assert "find-links" not in text
        assert "were not pinned" not in text
    assert '"resolved"' not in (ROOT / "package-lock.json").read_text()


def test_yardsticks_of_the_benchmark_are_in_no_lock_file() -> None:
    import tomllib

    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    yardsticks = [requirement.partition("==")[0] for requirement in extras["bench"]]
    assert yardsticks
    for name in ("requirements.lock", "requirements-dev.lock"):
        locked = (ROOT / name).read_text()
        assert [one for one in yardsticks if f"\n{one}==" in locked] == []
