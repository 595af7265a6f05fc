"""Scripts: reads conversations from files; see README.md beside this file for their form."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from bot import texts
from bot.rules.deadlines import VIETNAM

SCRIPTS = Path(__file__).parent / "scripts"
CHANNELS = ("zalo", "telegram", "sms")
_NAMES_A_CODE = {key for key, text in texts.catalogue("vi").items() if "ma" in text.variables}
_STEP = re.compile(r"(?P<who>D\d?|B|C|T|N|A|E|S|Q|\+)\s*:?\s*(?P<what>.*)")


class BadScript(ValueError):
    """A line that cannot be read: where it stands and what is wrong with it."""


@dataclass(frozen=True)
class Step:
    """One line of a conversation: who does what, and where it stands."""

    who: str
    what: str
    line: str


@dataclass
class Script:
    """One conversation."""

    name: str
    title: str
    file: str
    channels: tuple[str, ...] = CHANNELS
    begins: datetime | None = None
    is_report: bool = False
    phone: str = ""
    steps: list[Step] = field(default_factory=list)

    @property
    def turns_to_code(self) -> int | None:
        """How often the first citizen writes until a text that names the report's code; None when none does."""
        turns, speaker = 0, ""
        for step in self.steps:
            if step.who.startswith("D"):
                speaker = step.who
                turns += speaker == "D"
            elif step.who == "B" and speaker == "D" and _NAMES_A_CODE & set(step.what.split("|")[0].split()):
                return turns
        return None


def all_scripts() -> list[Script]:
    """Every conversation of every file; BadScript when two bear one name."""
    found = [script for path in sorted(SCRIPTS.glob("*.txt")) for script in read_scripts(path)]
    names = [script.name for script in found]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise BadScript(f"names borne twice: {', '.join(sorted(twice))}")
    return found


def read_scripts(path: Path) -> Iterator[Script]:
    """The conversations of one file."""
    script: Script | None = None
    for number, raw in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        line = raw.strip()
        where = f"{path.name}:{number}: {line}"
        if not line or line.startswith("#"):
            continue
        if line.startswith("=="):
            if script is not None:
                yield script
            name, colon, title = line.removeprefix("==").partition(":")
            if not colon:
                raise BadScript(f"{where}: a conversation begins with == name: title")
            script = Script(name.strip(), title.strip(), path.name)
        elif script is None:
            raise BadScript(f"{where}: before the first conversation")
        elif line.startswith("@"):
            _setting(script, line.removeprefix("@").strip(), where)
        else:
            script.steps.append(_step(line, where))
    if script is not None:
        yield script


def _setting(script: Script, words: str, where: str) -> None:
    key, _, rest = words.partition(" ")
    if key == "at":
        script.begins = datetime.strptime(rest.strip(), "%Y-%m-%d %H:%M").replace(tzinfo=VIETNAM)
    elif key == "report":
        script.is_report = True
    elif key == "phone":
        script.phone = rest.strip()
    elif set(words.split()) <= set(CHANNELS):
        script.channels = tuple(words.split())
    else:
        raise BadScript(f"{where}: no such setting")


def _step(line: str, where: str) -> Step:
    found = _STEP.fullmatch(line)
    if found is None:
        raise BadScript(f"{where}: a line begins with D: B: C: T: N: A: E: S: Q: or +")
    return Step(found["who"], found["what"].strip(), where)


def facts_of(words: str) -> dict[str, str]:
    """`key=value key="two words"` as a dictionary."""
    return dict(part.partition("=")[::2] for part in shlex.split(words))
