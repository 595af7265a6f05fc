"""The page of charts: every bar and figure opens exactly its reports, and stands beside what it means."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from flask import Blueprint, abort, request
from werkzeug.wrappers import Response

from bot.rules.deadlines import VIETNAM
from bot.rules.periods import Closing, Span, between, month_of
from bot.usecases import charts
from bot.usecases.charts import DRAWN_AT_MOST, RANKED_FROM, By, Charts, Line, Number, Part
from bot.usecases.month_book import FIRST_YEAR, READERS
from bot.web import filters, words
from bot.web.language import N_, gettext, locale
from bot.web.shell import current_official, render, require, runtime
from storage.figures import WITHOUT_TOPIC, Figure, Timing
from storage.tickets import View

pages = Blueprint("charts", __name__)

LONGEST_DAYS = 400
BY = {
    By.TOPIC: (N_("Theo lĩnh vực"), N_("Lĩnh vực")),
    By.PLACE: (N_("Theo thôn, xóm, địa danh"), N_("Nơi")),
    By.AGENCY: (N_("Theo đơn vị xử lý"), N_("Đơn vị")),
    By.CHANNEL: (N_("Theo kênh"), N_("Kênh")),
}
NAMELESS = {By.PLACE: N_("Chưa rõ nơi"), By.AGENCY: N_("Chưa phân công"), By.CHANNEL: N_("Chưa rõ kênh")}
TIMINGS = {
    Timing.IN_TIME: N_("Đúng hạn"),
    Timing.LATE: N_("Quá hạn"),
    Timing.RUNNING: N_("Đang xử lý"),
    Timing.WITHOUT: N_("Không phải trả lời"),
}


@dataclass(frozen=True)
class Kpi:
    """A figure with what it means; `number` is what it opens, `beside` further counts that belong to it."""

    name: str
    value: str
    meaning: str
    number: Number
    beside: list[tuple[str, Number]]


@dataclass(frozen=True)
class Course:
    """One row of bars over time: their highest value, and for each part its own."""

    kind: str
    title: str
    meaning: str
    highest: int
    numbers: list[Number]


@pages.get("/reports/charts")
@require(*READERS)
def show() -> Response:
    """The charts of this month, of the one that was chosen, or of any days."""
    span, chosen = _asked()
    found = charts.charts(runtime(), current_official(), span)
    return render(
        "charts/show.html",
        charts=found,
        chosen=chosen,
        kpis=_kpis(found),
        courses=_courses(found.parts),
        by=BY,
        timings=TIMINGS,
        drawn_at_most=DRAWN_AT_MOST,
        ranked_from=RANKED_FROM,
        opens=lambda number: filters.address(View.ALL.value, number.of),
        on_map=filters.address(View.ALL.value, found.total.received.of, "/map"),
        name_of=_name,
        part_name=lambda part: _part_name(part.span),
        percent=percent,
        last_day=_last_day(span),
        before=_step(chosen, -1),
        after=_step(chosen, 1),
    )


# ---- the time -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Chosen:
    """What was asked for: a month and how it closes, or days of one's own."""

    month: str
    closing: Closing
    first: str = ""
    last: str = ""


def _asked() -> tuple[Span, Chosen]:
    given = request.args
    closing = Closing(given["closing"]) if given.get("closing") in list(Closing) else Closing.MONTH_END
    today = runtime().now().astimezone(VIETNAM).date()
    if given.get("from") or given.get("to"):
        first, last = _day(given.get("from", "")), _day(given.get("to", ""))
        if first is None or last is None or not 0 <= (last - first).days < LONGEST_DAYS or first.year < FIRST_YEAR:
            abort(400)
        return between(first, last), Chosen("", closing, first.isoformat(), last.isoformat())
    month = _day(f"{given['month']}-01") if given.get("month") else today.replace(day=1)
    if month is None or month.year < FIRST_YEAR or month > today:
        abort(404)
    return month_of(month.year, month.month, closing), Chosen(f"{month:%Y-%m}", closing)


def _day(given: str) -> date | None:
    try:
        return date.fromisoformat(given)
    except ValueError:
        return None


def _step(chosen: Chosen, by: int) -> str | None:
    """The month before or after, as part of an address; None where there is none."""
    if not chosen.month:
        return None
    year, month = map(int, chosen.month.split("-"))
    at = year * 12 + month - 1 + by
    today = runtime().now().astimezone(VIETNAM)
    if not FIRST_YEAR * 12 <= at <= today.year * 12 + today.month - 1:
        return None
    return f"month={at // 12}-{at % 12 + 1:02}" + ("&closing=25" if chosen.closing is Closing.NOON_OF_25TH else "")


def _last_day(span: Span) -> str:
    """The last moment as people write it: a whole day, or the hour at which the books close."""
    return _part_name(span).rpartition(" – ")[2] or _part_name(span)


def _part_name(span: Span) -> str:
    named = filters.said(span.begins), filters.said(span.ends, is_end=True)
    return named[0] if named[0] == named[1] else " – ".join(named)


# ---- figures --------------------------------------------------------------------------------------------------------


def percent(share: float | None) -> str:
    """A share in words; a dash while there is nothing to share."""
    if share is None:
        return "–"
    told = f"{share * 100:.1f}"
    return f"{told if locale() == 'en' else told.replace('.', ',')} %"


def _kpis(found: Charts) -> list[Kpi]:
    total, of = found.total, found.figures
    came = total.received
    return [
        Kpi(
            gettext("Tiếp nhận"), str(found.taken.many),
            gettext("tồn từ trước cộng mới nhận trong kỳ"), found.taken,
            [(gettext("tồn từ trước"), found.carried), (gettext("mới nhận"), came)],
        ),
        Kpi(
            gettext("Trả lời đúng hạn"), percent(total.share_in_time),
            gettext("trả lời đúng hạn ÷ (đã trả lời + quá hạn chưa trả lời), trong số mới nhận; giờ làm việc"),
            total.timings[Timing.IN_TIME], [(gettext("đúng hạn"), total.timings[Timing.IN_TIME])],
        ),
        Kpi(
            gettext("Quá hạn"), str(total.timings[Timing.LATE].many),
            gettext("mới nhận trong kỳ, trả lời sau hạn hoặc qua hạn chưa trả lời; không kể lúc chờ người dân bổ sung"),
            total.timings[Timing.LATE], [(gettext("chưa trả lời"), of[Figure.LATE_OPEN])],
        ),
        Kpi(
            gettext("Trung vị giờ trả lời"), _hours(found.minutes_to_answer),
            gettext("một nửa số phản ánh mới nhận có kết quả nhanh hơn số này; giờ làm việc từ lúc nhận"),
            of[Figure.ANSWERED], [(gettext("đã có kết quả"), of[Figure.ANSWERED])],
        ),
        _share(gettext("Không tiếp nhận"), gettext("bị từ chối ÷ mới nhận trong kỳ"), of[Figure.DECLINED], came),
        _share(gettext("Mở lại"), gettext("từng mở lại ÷ đã từng có kết quả, trong số mới nhận"),
               of[Figure.REOPENED], of[Figure.HAD_RESULT]),
        Kpi(
            gettext("Hài lòng"), percent(_ratio(of[Figure.CONTENT], of[Figure.RATED])),
            gettext("(hài lòng + chấp nhận) ÷ có đánh giá; tỷ lệ đánh giá %(share)s của số đã từng có kết quả",
                    share=percent(_ratio(of[Figure.RATED], of[Figure.HAD_RESULT]))),
            of[Figure.CONTENT], [(gettext("có đánh giá"), of[Figure.RATED])],
        ),
    ]  # fmt: skip


def _share(name: str, meaning: str, part: Number, whole: Number) -> Kpi:
    return Kpi(name, percent(_ratio(part, whole)), meaning, part, [(gettext("phản ánh"), part)])


def _ratio(part: Number, whole: Number) -> float | None:
    return part.many / whole.many if whole.many else None


def _hours(minutes: int | None) -> str:
    if minutes is None:
        return "–"
    told = f"{minutes / 60:.1f}"
    return gettext("%(n)s giờ", n=told if locale() == "en" else told.replace(".", ","))


def _courses(parts: list[Part]) -> list[Course]:
    picked: list[tuple[str, str, str, Callable[[Part], Number]]] = [
        ("received", gettext("Mới nhận"), gettext("theo ngày nhận"), lambda part: part.received),
        ("answered", gettext("Có kết quả"),
         gettext("theo ngày người dân có kết quả hoặc lời từ chối, nhận lúc nào cũng tính"),
         lambda part: part.answered),
        ("late", gettext("Thành quá hạn"), gettext("theo ngày đến hạn: trả lời sau hạn đó hoặc chưa trả lời"),
         lambda part: part.late),
    ]  # fmt: skip
    rows = [(kind, title, meaning, [pick(part) for part in parts]) for kind, title, meaning, pick in picked]
    return [Course(*row[:3], max(number.many for number in row[3]), row[3]) for row in rows]


def _name(by: By, line: Line) -> str:
    if by is By.TOPIC:
        return words.topic_word(None if line.key == WITHOUT_TOPIC else str(line.key))
    return line.name or gettext(NAMELESS[by])
