"""The week's "Hỏi – đáp cùng bà con": which results are proposed, and what they become (domain §11, §13).

Every word comes from what an official wrote for the public list; a machine chooses and puts together, nothing more.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from bot.rules.bulletins import BOARD_LINE
from bot.rules.deadlines import VIETNAM

DAY, HOUR = "editions_day", "editions_hour"  # of the commune: when the week's proposal is made
USUAL_DAY, USUAL_HOUR = 6, 9  # as weekdays are counted here: 2 is Monday, 8 is Sunday; 0: no proposals
LEAST, MOST = 3, 8
A_WEEK = timedelta(days=7)
FILLED_FROM = timedelta(days=35)  # a small commune's week is filled up from results of these days that were never told
UNHAPPY, ACCEPTABLE = 1, 2

ASKED, ANSWERED = "Hỏi", "Đáp"
_MORE = "Còn %(n)s câu hỏi nữa, mời bà con xem tại: %(link)s"
_MORE_HERE = "Còn %(n)s câu hỏi nữa, mời bà con nhắn hỏi tại đây."
_READ = "%(n)s câu hỏi của bà con đã được trả lời. Xem tại: %(link)s"
_READ_NOWHERE = "%(n)s câu hỏi của bà con đã được trả lời. Mời bà con nhắn hỏi tại đây."
_TURN = re.compile(rf"(?:(?<=^)|(?<=[.!?…] ))({ASKED}|{ANSWERED}):")


@dataclass(frozen=True)
class Candidate:
    """A result that may be told; `is_of_week`: it was published since the last proposal could have held it."""

    id: int
    topic: str
    place_id: int | None
    rating: int | None
    published_at: datetime
    is_of_week: bool = True


@dataclass(frozen=True)
class Pair:
    """A question and its answer, in an official's words; `topic` as people read it."""

    question: str
    answer: str
    topic: str = ""


@dataclass(frozen=True)
class Turn:
    """What one voice says of a script: 1 asks (and greets), 2 answers."""

    voice: int
    words: str


def week_of(now: datetime) -> date:
    """The Monday of this moment's week in Vietnam."""
    today = now.astimezone(VIETNAM).date()
    return today - timedelta(days=today.weekday())


def due_at(settings: Mapping[str, object], monday: date) -> datetime | None:
    """When this week's proposal is made; None for a commune that wants none."""
    day, hour = _number(settings, DAY, USUAL_DAY), _number(settings, HOUR, USUAL_HOUR)
    if not day:
        return None
    day = max(day, 2)  # there is no first day: weeks begin on "thứ hai"
    return datetime.combine(monday + timedelta(days=day - 2), time(hour), VIETNAM)


def choose(candidates: Sequence[Candidate]) -> list[int]:
    """The results to propose, in the order they are told: each time a subject and a village not heard yet, best rated
    first. Whoever was not content is not held up as an example."""
    fit = [one for one in candidates if one.rating is None or one.rating > UNHAPPY]
    chosen = _varied([one for one in fit if one.is_of_week], MOST, [])
    if len(chosen) < LEAST:
        chosen = _varied([one for one in fit if not one.is_of_week], LEAST, chosen)
    return [one.id for one in chosen]


def title_of(monday: date) -> str:
    """What an edition is called."""
    return f"Hỏi – đáp cùng bà con, tuần {monday:%d/%m} – {monday + timedelta(days=6):%d/%m/%Y}"


def chat_text(pairs: Sequence[Pair], room: int, link: str) -> str:
    """What followers read: whole questions and answers while there is room, the others at `link`.

    Nothing is cut in the middle; where not one answer has room, the questions alone are told.
    """
    told = [f"{n}. {ASKED}: {one.question}\n{ANSWERED}: {one.answer}" for n, one in enumerate(pairs, 1)]
    asked = [f"{n}. {ASKED}: {one.question}" for n, one in enumerate(pairs, 1)]
    for parts, is_enough in ((told, True), (asked, False)):
        for count in range(len(parts), 0, -1):
            is_all = count == len(parts) and is_enough
            left = [] if is_all else [_more(len(pairs) - count if is_enough else len(pairs), link, is_enough)]
            words = "\n\n".join([*parts[:count], *left])
            if len(words) <= room:
                return words
    return _more(len(pairs), link, False) if pairs else ""


def sms_text(pairs: Sequence[Pair], link: str) -> str:
    """What a short message says: how much there is, and where."""
    return _more(len(pairs), link, False) if pairs else ""


def radio_text(pairs: Sequence[Pair]) -> str:
    """What is read aloud: each voice on a line of its own."""
    return "\n".join(f"{ASKED}: {one.question}\n{ANSWERED}: {one.answer}" for one in pairs)


def board_text(pairs: Sequence[Pair], monday: date) -> str:
    """What the board shows: which week, and about what, as far as its lines go."""
    if not pairs:
        return ""
    topics = list(dict.fromkeys(one.topic for one in pairs if one.topic))
    line = f"{len(pairs)} câu trả lời"
    for count in range(len(topics), 0, -1):
        longer = f"{line}: {', '.join(topics[:count])}"
        if len(longer) <= BOARD_LINE:
            line = longer
            break
    return f"Hỏi – đáp cùng bà con, tuần {monday:%d/%m/%Y}\n{line}"


def turns_of(script: str) -> list[Turn]:
    """A script by voices, as an announcer's sheet shows it."""
    found = list(_TURN.finditer(script))
    starts = [0, *(one.start() for one in found)]
    voices = [1, *(1 if one[1] == ASKED else 2 for one in found)]
    ends = [*starts[1:], len(script)]
    turns = [Turn(v, script[a:b].strip()) for v, a, b in zip(voices, starts, ends, strict=True)]
    return [turn for turn in turns if turn.words]


def _varied(candidates: Sequence[Candidate], most: int, chosen: Sequence[Candidate]) -> list[Candidate]:
    told, left = list(chosen), list(candidates)
    while left and len(told) < most:
        topics = Counter(one.topic for one in told)
        places = Counter(one.place_id for one in told if one.place_id is not None)
        best = min(
            left,
            key=lambda one: (
                topics[one.topic] + (places[one.place_id] if one.place_id is not None else 0),
                -(one.rating or ACCEPTABLE),
                -one.published_at.timestamp(),
                one.id,
            ),
        )
        told.append(best)
        left.remove(best)
    return told


def _more(count: int, link: str, is_rest: bool) -> str:
    with_link, without = (_MORE, _MORE_HERE) if is_rest else (_READ, _READ_NOWHERE)
    return (with_link if link else without) % {"n": count, "link": link}


def _number(settings: Mapping[str, object], name: str, usual: int) -> int:
    value = settings.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) else usual
