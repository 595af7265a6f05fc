"""The form of a bulletin: what was typed, the words for its choices, and the page around it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from flask import request
from werkzeug.wrappers import Response

from bot.rules.aloud import Aloud
from bot.rules.audience import TEXT_AT_MOST, TITLE_AT_MOST
from bot.rules.bulletins import BOARD_LINE, BOARD_LINES, MEDIA, MOST_REPEATS, ONCE, Plan, Repeats, Words
from bot.rules.deadlines import VIETNAM
from bot.usecases import bulletin_aloud, edition_words, prices, saved_audiences
from bot.usecases.announcements import channels_for
from bot.usecases.announcing import AnnouncementError
from bot.usecases.bulletin_pictures import MOST_WORDS, Picture
from bot.usecases.bulletin_previews import Preview, preview
from bot.usecases.bulletins import Written, written_in
from bot.web.audience_forms import CHANNELS_AT_MOST, choices, typed_about, typed_channels
from bot.web.audience_words import dong
from bot.web.bulletin_words import IMPORTANCE, IMPORTANCE_HINTS, KIND_WORDS, MEDIUM_WORDS
from bot.web.language import N_, gettext
from bot.web.shell import current_official, render, row_number, runtime
from storage.bulletins import Bulletin, about_bulletin
from storage.enums import BulletinKind, Importance

USUAL_VALIDITY = timedelta(days=3)
LONGEST_HOURS = 200
USUAL_HOURS = "6h45, 17h00"
REPEAT_DAYS = {"1": N_("Mỗi ngày"), "7": N_("Mỗi tuần, cùng thứ")}


def typed() -> Written:
    """What stands in the form that was sent."""
    said = request.form
    return Written(
        said.get("title", ""),
        said.get("body", ""),
        typed_channels(),
        _moment(said.get("valid_until", "")),
        typed_about(),
        _importance(said.get("importance", "")),
        _moment(said.get("send_at", "")),
        {medium: said.get(f"text_{medium}", "") for medium in MEDIA},
        Aloud(
            tuple(row_number(number) or 0 for number in said.getlist("speaker")[:CHANNELS_AT_MOST]),
            _day(said.get("aloud_from", "")),
            _day(said.get("aloud_to", "")),
            said.get("aloud_hours", "")[:LONGEST_HOURS],
        ),
        Picture(said.get("picture_words", ""), _file("picture"), is_dropped="picture_drop" in said),
        "asks_safety" in said,
        int(said["repeat_days"]) if said.get("repeat_days") in REPEAT_DAYS else 0,
        min(max(1, row_number(said.get("repeat_times", "")) or 1), MOST_REPEATS),
    )


def typed_for(bulletin: Bulletin) -> Written:
    """The same for a bulletin that was kept; words that are written elsewhere stay as they are."""
    if bulletin.notice_id is not None:  # of what comes from above words and class stay as they are
        own = written_in(bulletin)
        return replace(typed(), title=own.title, body=own.body, texts={}, importance=own.importance, aloud=own.aloud)
    if edition_words.edition_at(runtime(), bulletin) is None:
        return typed()
    return replace(typed(), title=bulletin.title, body=bulletin.body, texts=bulletin.texts)


def form_page(bulletin: Bulletin | None, *, is_asked: bool = False, error: AnnouncementError | None = None) -> Response:
    """The form, with how it would arrive below."""
    official = current_official()
    channels = channels_for(runtime(), official)
    edition = edition_words.edition_at(runtime(), bulletin) if bulletin is not None else None
    if request.method == "POST":
        written = typed() if bulletin is None else typed_for(bulletin)
        written = _with_saved(written, request.form.get("audience", "") if "use" in request.form else "")
    elif bulletin is not None:
        written = written_in(bulletin)
    else:
        written = _with_saved(_blank(tuple(channel.id for channel in channels)), request.args.get("audience", ""))
    speakers = bulletin_aloud.channels(runtime(), official)
    seen = _preview(bulletin, written, {channel.id for channel in (*channels, *speakers)})
    version = request.form.get("version", type=int) or (bulletin.version if bulletin else 0)
    return render(
        "bulletins/form.html",
        blocks=("preview",),
        status=422 if error else 200,
        bulletin=bulletin,
        edition=edition,
        version=version,
        channels=channels,
        speakers=speakers,
        aloud=written.aloud,
        usual_hours=USUAL_HOURS,
        written=written,
        valid_until=local(written.valid_until),
        send_at=local(written.send_at),
        importances=[(value, words, IMPORTANCE_HINTS[value]) for value, words in IMPORTANCE.items()],
        repeat_days=[(days, gettext(words)) for days, words in REPEAT_DAYS.items()],
        most_repeats=MOST_REPEATS,
        saved_choices=[(one.id, one.name) for one in saved_audiences.listing(runtime(), official)],
        **choices(),
        media=MEDIA,
        most_picture_words=MOST_WORDS,
        has_lost_picture=bool(request.files.get("picture")),
        problems=[said(p) for p in seen.problems] if is_asked else [],
        error=said(error),
        **{name: value for name, value in preview_words(seen).items() if name != "dong"},
    )


def preview_words(seen: Preview | None) -> dict[str, Any]:
    """What the part that shows previews needs."""
    return {
        "seen": seen,
        "medium_words": MEDIUM_WORDS,
        "kind_words": KIND_WORDS,
        "title_at_most": TITLE_AT_MOST,
        "text_at_most": TEXT_AT_MOST,
        "board_lines": BOARD_LINES,
        "board_line": BOARD_LINE,
        "dong": dong,
    }


def said(error: AnnouncementError | None) -> str | None:
    """A problem in the language of the page."""
    return gettext(error.sentence, **error.values) if error else None


def local(at: datetime | None) -> str:
    """A moment as fields for day and hour want it."""
    return at.astimezone(VIETNAM).strftime("%Y-%m-%dT%H:%M") if at else ""


def _preview(bulletin: Bulletin | None, written: Written, known: set[int]) -> Preview:
    kind = bulletin.kind if bulletin else BulletinKind.FIRST
    channel_ids: Collection[int] = known.intersection(written.channel_ids)
    about, corrects_id = written.about, None
    if bulletin is not None and bulletin.corrects_id is not None:
        channel_ids, corrects_id = bulletin.channel_ids, bulletin.corrects_id
        about = about_bulletin(bulletin)
    texts = {medium: words.replace("\r\n", "\n").strip() for medium, words in written.texts.items()}
    picture = (bulletin.picture or "") if bulletin and not written.picture.is_dropped else ""
    words = Words(
        " ".join(written.title.split()),
        written.body.strip(),
        {medium: own for medium, own in texts.items() if own},
        kind,
        picture,
        written.picture.words.strip() if picture else "",
        asks_safety=written.asks_safety and written.importance is Importance.EMERGENCY and kind is not BulletinKind.END,
    )
    plan = Plan(
        words,
        written.importance,
        sorted(channel_ids),
        about.topic,
        about.place_ids,
        written.valid_until,
        written.send_at,
        corrects_id,
        replace(written.aloud, channel_ids=tuple(sorted(known.intersection(written.aloud.channel_ids)))),
        Repeats(written.repeat_times, written.repeat_days) if written.repeat_days else ONCE,
        bulletin.notice_id if bulletin else None,
        about.narrowing.data(),
        prices.known(runtime(), current_official(), channel_ids),
    )
    return preview(runtime(), current_official().commune_id, plan)


def _with_saved(written: Written, number: str) -> Written:
    """With the question of a saved audience in it; of one that is not there, as it was."""
    saved = next((one for one in saved_audiences.listing(runtime(), current_official()) if str(one.id) == number), None)
    return replace(written, about=saved.about, channel_ids=tuple(saved.channel_ids)) if saved else written


def _blank(channel_ids: tuple[int, ...]) -> Written:
    evening = (runtime().now() + USUAL_VALIDITY).astimezone(VIETNAM).replace(hour=17, minute=0, second=0, microsecond=0)
    return Written("", "", channel_ids, evening.astimezone(UTC))


def _file(name: str) -> bytes | None:
    """The bytes of a file that was chosen in the form; None for none."""
    file = request.files.get(name)
    return file.read() or None if file and file.filename else None


def _day(words: str) -> date | None:
    try:
        return date.fromisoformat(words)
    except ValueError:
        return None


def _importance(word: str) -> Importance:
    return next((one for one in Importance if one.value == word), Importance.ROUTINE)


def _moment(words: str) -> datetime | None:
    try:
        return datetime.fromisoformat(words).replace(tzinfo=VIETNAM).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
