"""Filters in addresses: which tickets a list shows, said in words as chips that can each be taken away."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode

from bot.rules.deadlines import VIETNAM
from bot.usecases.ticket_filters import Names, choices, names_of
from bot.web import words
from bot.web.language import N_, gettext
from bot.web.shell import current_official, row_number, runtime
from nlp.topics import TOPICS
from storage.figures import NOTHING, WITHOUT_TOPIC, Dated, Figure, Filters

MOST_IDS = 400  # an address must stay one
FIGURES = {
    Figure.IN_TIME: N_("Trả lời đúng hạn"),
    Figure.LATE: N_("Quá hạn"),
    Figure.RUNNING: N_("Đang xử lý, còn hạn"),
    Figure.WITHOUT: N_("Không phải trả lời"),
    Figure.LATE_OPEN: N_("Quá hạn chưa trả lời"),
    Figure.OPEN: N_("Đang mở"),
    Figure.LOUD: N_("Khẩn, đang mở"),
    Figure.ANSWERED: N_("Đã có kết quả"),
    Figure.HAD_RESULT: N_("Đã từng có kết quả"),
    Figure.DECLINED: N_("Không tiếp nhận"),
    Figure.REOPENED: N_("Đã mở lại"),
    Figure.RATED: N_("Có đánh giá"),
    Figure.CONTENT: N_("Hài lòng hoặc chấp nhận"),
}


@dataclass(frozen=True)
class Chip:
    """One thing that narrows the list, in words, and the address of the list without it."""

    label: str
    without: str


def filters_of(given: Mapping[str, str]) -> Filters:
    """What an address or a form asks for; what is not understood narrows nothing, what cannot be finds nothing."""
    topic = given.get("topic", "")[:40]
    dated, figure = given.get("on", ""), given.get("figure", "")
    return Filters(
        topic=topic,
        place=_number(given.get("place", "")),
        agency=_number(given.get("agency", "")),
        channel=_number(given.get("channel", "")),
        since=_moment(given.get("from", ""), is_end=False),
        until=_moment(given.get("to", ""), is_end=True),
        dated=Dated(dated) if dated in list(Dated) else Dated.OPENED,
        figure=Figure(figure) if figure in list(Figure) else None,
        ids=_numbers(given.get("ids", "")),
    )


def fields(filters: Filters) -> dict[str, str]:
    """The same as the values of an address, none of them empty."""
    numbers = {"place": filters.place, "agency": filters.agency, "channel": filters.channel}
    given = {
        "topic": filters.topic,
        **{name: "-" if number == NOTHING else str(number) for name, number in numbers.items() if number is not None},
        "from": _written(filters.since),
        "to": _written(filters.until, is_end=True),
        "on": "" if filters.dated is Dated.OPENED else filters.dated.value,
        "figure": filters.figure.value if filters.figure else "",
        "ids": ",".join(map(str, filters.ids)),
    }
    return {name: value for name, value in given.items() if value}


def address(view: str, filters: Filters, path: str = "/tickets") -> str:
    """The list of exactly these tickets, or another page about them."""
    return f"{path}?" + urlencode({"view": view, **fields(filters)}, safe=",:")


def chips(view: str, filters: Filters, path: str = "/tickets") -> list[Chip]:
    """What narrows a page, one after another."""
    if not filters:
        return []
    names = names_of(runtime(), current_official(), filters)
    return [Chip(label, address(view, without, path)) for label, without in _parts(filters, names)]


def form_values(filters: Filters) -> dict[str, Any]:
    """What the form needs with which an official narrows a list."""
    known = choices(runtime(), current_official())
    return {
        "filters": fields(filters),
        "topic_choices": [
            (slug, words.topic_word(slug if slug in TOPICS else None)) for slug in (WITHOUT_TOPIC, *TOPICS)
        ],
        "place_choices": [("-", gettext("Chưa rõ nơi")), *known.places.items()],
        "agency_choices": [("-", gettext("Chưa phân công")), *known.agencies.items()],
    }


def _parts(filters: Filters, names: Names) -> Iterator[tuple[str, Filters]]:
    unknown = gettext("không có ở đây")
    if filters.ids:
        yield gettext("%(n)s phản ánh đã chọn", n=len(filters.ids)), replace(filters, ids=())
    if filters.figure:
        yield gettext(FIGURES[filters.figure]), replace(filters, figure=None)
    if filters.topic:
        topic = filters.topic if filters.topic in TOPICS else None
        is_known = topic or filters.topic == WITHOUT_TOPIC
        label = words.topic_word(topic) if is_known else gettext("Lĩnh vực: %(name)s", name=unknown)
        yield label, replace(filters, topic="")
    if filters.place is not None:
        name = gettext("chưa rõ") if filters.place == NOTHING else names.places.get(filters.place, unknown)
        yield gettext("Nơi: %(name)s", name=name), replace(filters, place=None)
    if filters.agency is not None:
        name = gettext("chưa phân công") if filters.agency == NOTHING else names.agencies.get(filters.agency, unknown)
        yield gettext("Đơn vị: %(name)s", name=name), replace(filters, agency=None)
    if filters.channel is not None:
        name = names.channels.get(filters.channel, unknown)
        yield gettext("Kênh: %(name)s", name=name), replace(filters, channel=None)
    if filters.since or filters.until:
        yield _span(filters), replace(filters, since=None, until=None, dated=Dated.OPENED)


def _span(filters: Filters) -> str:
    since, until = said(filters.since), said(filters.until, is_end=True)
    if filters.dated is Dated.CARRIED:
        return gettext("Nhận trước %(since)s, khi đó chưa xong", since=since)
    label = {
        Dated.OPENED: N_("Nhận: %(span)s"),
        Dated.ENDED: N_("Có kết quả: %(span)s"),
        Dated.DUE: N_("Đến hạn: %(span)s"),
        Dated.TAKEN: N_("Tồn và mới nhận: %(span)s"),
    }[filters.dated]
    if since and until:
        span = since if since == until else f"{since} – {until}"
    else:
        span = gettext("từ %(day)s", day=since) if since else gettext("đến %(day)s", day=until)
    return gettext(label, span=span)


# ---- words and values -----------------------------------------------------------------------------------------------


def _number(given: str) -> int | None:
    if given.strip() == "-":
        return NOTHING
    number = row_number(given)
    return -1 if number == 0 else number  # what cannot be a number is no row's


def _numbers(given: str) -> tuple[int, ...]:
    if not given:
        return ()
    found = [number for one in given[:8_000].split(",")[:MOST_IDS] if (number := row_number(one))]
    return tuple(dict.fromkeys(found)) or (-1,)


def _moment(given: str, *, is_end: bool) -> datetime | None:
    try:
        if "T" in given:
            return datetime.fromisoformat(given[:16]).replace(tzinfo=VIETNAM)
        day = date.fromisoformat(given)
        return datetime.combine(day + timedelta(days=is_end), time(), VIETNAM)
    except (ValueError, OverflowError):
        return None


def _written(at: datetime | None, *, is_end: bool = False) -> str:
    if at is None:
        return ""
    local = at.astimezone(VIETNAM)
    if local.time() != time():
        return f"{local:%Y-%m-%dT%H:%M}"
    return (local.date() - timedelta(days=is_end)).isoformat()


def said(at: datetime | None, *, is_end: bool = False) -> str:
    """A moment that bounds a span, in words: the day, or the hour where it is not midnight."""
    if at is None:
        return ""
    local = at.astimezone(VIETNAM)
    return words.moment(at) if local.time() != time() else words.day(local.date() - timedelta(days=is_end))
