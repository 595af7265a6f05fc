"""What a commune may set about itself, each with its meaning, its limits and what is usual."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from bot.rules import publishing, undoing
from bot.rules.fallback import UNSEEN_HOURS, USUAL_UNSEEN_HOURS, USUAL_WAIT_MINUTES, WAIT_MINUTES
from bot.rules.results import AFTER_PHOTO
from bot.rules.retention import LEADERS_DAYS, LIMITS_OF_LEADERS
from bot.runtime import Runtime
from bot.usecases import silence, slips, transfers
from bot.usecases.communes import INSPECTORATE, POLICE, USUAL_INSPECTORATE, USUAL_POLICE
from bot.usecases.setup import SetupError
from storage.communes import Commune

_PHONE = re.compile(r"\+?[0-9][0-9 .]{1,18}")


@dataclass(frozen=True)
class Setting:
    """One thing that can be set; `read` turns what was typed into its value or raises ValueError with a reason."""

    meaning: str
    usual: str
    read: Callable[[str], Any]


def _number(low: int, high: int) -> Callable[[str], int]:
    def read(raw: str) -> int:
        if not raw.isdecimal() or not low <= int(raw) <= high:
            raise ValueError(f"must be a whole number from {low} to {high}")
        return int(raw)

    return read


def _yes_or_no(raw: str) -> bool:
    if raw.lower() not in {"yes", "no"}:
        raise ValueError("must be yes or no")
    return raw.lower() == "yes"


def _phone(raw: str) -> str:
    if not _PHONE.fullmatch(raw):
        raise ValueError("must be a telephone number")
    return raw


def _words(raw: str) -> str:
    if not raw.strip() or len(raw) > 200:
        raise ValueError("must be 1 to 200 characters")
    return " ".join(raw.split())


SETTINGS: dict[str, Setting] = {
    "duty_phone": Setting("the phone of the official on duty, said in emergencies", "113", _phone),
    "reception": Setting("where citizens are received, as texts say it", "the commune's seat", _words),
    INSPECTORATE: Setting(
        "the province's inspectorate, with its address and phone, said to who denounces the commune's leaders",
        USUAL_INSPECTORATE,
        _words,
    ),
    POLICE: Setting(
        "the province's police, with its address and phone, said to who denounces the commune's leaders",
        USUAL_POLICE,
        _words,
    ),
    LEADERS_DAYS: Setting(
        "days after which words that accuse the commune's leaders, which nobody there opens, are erased",
        str(LIMITS_OF_LEADERS.usual),
        _number(LIMITS_OF_LEADERS.least, LIMITS_OF_LEADERS.most),
    ),
    "needs_approval": Setting("whether a leader must approve each result: yes or no", "no", _yes_or_no),
    AFTER_PHOTO: Setting("whether what is done on site needs a photo of afterwards: yes or no", "yes", _yes_or_no),
    publishing.SETTING: Setting(
        "whether results may stand on a public list, each with the citizen's yes: yes or no", "no", _yes_or_no
    ),
    undoing.SETTING: Setting(
        "seconds for which what officials send can be taken back before it leaves; 0: it leaves at once",
        str(undoing.USUAL_SECONDS),
        _number(0, undoing.MOST_SECONDS),
    ),
    silence.SETTING: Setting(
        "working hours without an event before somebody is called; 0: never", str(silence.USUAL_HOURS), _number(0, 500)
    ),
    slips.OFFICE: Setting(
        "the office that signs papers, its lines parted by ;", slips.USUAL_OFFICE.replace("\n", "; "), _words
    ),
    slips.SIGNER: Setting("who signs papers, under the room for the signature", "nobody: the name is written", _words),
    transfers.LINK_DAYS: Setting(
        "days for which the link of a body outside opens a transfer", str(transfers.USUAL_LINK_DAYS), _number(1, 180)
    ),
    WAIT_MINUTES: Setting(
        "minutes a reply may wait before it takes another channel of the citizen; 0: for ever",
        str(USUAL_WAIT_MINUTES),
        _number(0, 10_000),
    ),
    UNSEEN_HOURS: Setting(
        "hours a sent reply may stay without a sign of arrival before it takes another channel, too; 0: for ever",
        str(USUAL_UNSEEN_HOURS),
        _number(0, 70),
    ),
}


def settings_of(runtime: Runtime, slug: str) -> dict[str, Any]:
    """What the commune has set. SetupError when there is none of this name."""
    with runtime.database.reading() as session:
        commune = session.scalar(sa.select(Commune).where(Commune.slug == slug))
        if commune is None:
            raise _no_commune(slug)
        return {name: value for name, value in commune.settings.items() if name in SETTINGS}


def change(runtime: Runtime, slug: str, given: dict[str, str]) -> None:
    """Set what is given, all or nothing; an empty value goes back to what is usual. SetupError names every problem."""
    values: dict[str, Any] = {}
    problems = []
    for name, raw in given.items():
        setting = SETTINGS.get(name)
        if setting is None:
            problems.append(f"{name}: no such setting; there are {', '.join(sorted(SETTINGS))}")
            continue
        try:
            values[name] = setting.read(raw) if raw else None
        except ValueError as error:
            problems.append(f"{name}: {error}, not {raw!r}")
    if problems:
        raise SetupError("; ".join(problems))
    with runtime.database.transaction() as session:
        commune = session.scalar(sa.select(Commune).where(Commune.slug == slug).with_for_update())
        if commune is None:
            raise _no_commune(slug)
        kept = {name: value for name, value in commune.settings.items() if name not in values}
        commune.settings = kept | {name: value for name, value in values.items() if value is not None}


def _no_commune(slug: str) -> SetupError:
    return SetupError(f"no commune {slug!r} is in service; see: haichieu commune list")
