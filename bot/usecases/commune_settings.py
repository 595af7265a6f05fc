"""What a commune may set about itself, each with its meaning, its limits and what is usual."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from bot.access import audit
from bot.rules import editions, loudspeakers, publishing, undoing
from bot.rules.fallback import UNSEEN_HOURS, USUAL_UNSEEN_HOURS, USUAL_WAIT_MINUTES, WAIT_MINUTES
from bot.rules.results import AFTER_PHOTO
from bot.rules.retention import LEADERS_DAYS, LIMITS_OF_LEADERS
from bot.runtime import Runtime
from bot.usecases import silence, slips, transfers
from bot.usecases.administering import commune_for_change, must_administer
from bot.usecases.communes import INSPECTORATE, POLICE, USUAL_INSPECTORATE, USUAL_POLICE
from bot.usecases.setup import SetupError
from storage.communes import Commune
from storage.officials import Official

_PHONE = re.compile(r"\+?[0-9][0-9 .]{1,18}")


@dataclass(frozen=True)
class Setting:
    """One thing that can be set; `read` turns what was typed into its value or raises ValueError with a reason."""

    meaning: str
    usual: str
    read: Callable[[str], Any]


class NotAccepted(ValueError):
    """A value that cannot be; `sentence` with its `values` says so in Vietnamese."""

    def __init__(self, reason: str, sentence: str, **values: object) -> None:
        super().__init__(reason)
        self.sentence = sentence
        self.values = values


@dataclass(frozen=True)
class Number:
    """A whole number within limits."""

    low: int
    high: int

    def __call__(self, raw: str) -> int:
        """The number. NotAccepted."""
        if not (raw.isascii() and raw.isdecimal()) or not self.low <= int(raw[:9]) <= self.high or len(raw) > 9:
            raise NotAccepted(
                f"must be a whole number from {self.low} to {self.high}",
                "Cần một số nguyên từ %(it)s đến %(nhieu)s.",
                it=self.low,
                nhieu=self.high,
            )
        return int(raw)


def _yes_or_no(raw: str) -> bool:
    if raw.lower() not in {"yes", "no"}:
        raise NotAccepted("must be yes or no", "Cần chọn có hoặc không.")
    return raw.lower() == "yes"


def _phone(raw: str) -> str:
    if not _PHONE.fullmatch(raw):
        raise NotAccepted("must be a telephone number", "Cần một số điện thoại, ví dụ 0236 3 123 456.")
    return raw


def _words(raw: str) -> str:
    if not raw.strip() or len(raw) > 200:
        raise NotAccepted("must be 1 to 200 characters", "Cần từ 1 đến 200 ký tự.")
    return " ".join(raw.split())


YES_OR_NO, PHONE, WORDS = _yes_or_no, _phone, _words
_number = Number


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
    editions.DAY: Setting(
        "weekday on which the week's questions and answers are proposed, 2 (Monday) to 8 (Sunday); 0: never",
        str(editions.USUAL_DAY),
        _number(0, 8),
    ),
    editions.HOUR: Setting("hour at which they are proposed", str(editions.USUAL_HOUR), _number(0, 23)),
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
    loudspeakers.SESSIONS: Setting(
        "sessions a day in which loudspeakers may read bulletins out, emergencies aside; 0: any number",
        str(loudspeakers.Limits().sessions),
        _number(0, loudspeakers.MOST_SLOTS),
    ),
    loudspeakers.MINUTES: Setting(
        "minutes that such a session may take", str(loudspeakers.Limits().minutes), _number(1, 180)
    ),
    loudspeakers.WEEKDAYS_ONLY: Setting(
        "whether loudspeakers are silent on Saturdays and Sundays, emergencies aside: yes or no", "no", _yes_or_no
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


# What is said of, and done with, words that accuse the commune's leaders: only the operator of the server sets it.
OF_OPERATOR = frozenset({INSPECTORATE, POLICE, LEADERS_DAYS})


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


def change_by(runtime: Runtime, official: Official, given: dict[str, str]) -> dict[str, NotAccepted]:
    """An administrator sets what is given, all or nothing; gives what is wrong, by name. Forbidden."""
    must_administer(official)
    values: dict[str, Any] = {}
    problems: dict[str, NotAccepted] = {}
    for name, setting in SETTINGS.items():
        raw = given.get(name)
        if raw is None or name in OF_OPERATOR:
            continue
        try:
            values[name] = setting.read(raw.strip()) if raw.strip() else None
        except NotAccepted as problem:
            problems[name] = problem
    if problems:
        return problems
    with runtime.database.transaction() as session:
        commune = commune_for_change(session, official)
        before = {name: commune.settings.get(name) for name in values}
        changed = {name: value for name, value in values.items() if value != before[name]}
        kept = {name: value for name, value in commune.settings.items() if name not in changed}
        commune.settings = kept | {name: value for name, value in changed.items() if value is not None}
        if changed:
            audit(
                session, official, "commune.settings", f"commune:{commune.id}", runtime.now(),
                before={name: before[name] for name in changed}, after=changed,
            )  # fmt: skip
    return {}


def _no_commune(slug: str) -> SetupError:
    return SetupError(f"no commune {slug!r} is in service; see: haichieu commune list")
