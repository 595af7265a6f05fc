"""What a source system hands down: bulletins from above and feedback of its app, read without trusting either.

A bulletin has the fields that implementations agree on (domain §11); `PhienBan`, `HieuLucDen` and `ThuHoi` stand among
its details, as in what we send. Of feedback there is no public specification: `PhanAnhID` and what goes with it is a
convention of ours, kept here and in the profile, until a province tells its own.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from adapters._source_config import SourceConfig
from adapters._source_reading import at, lowered, read_code_long, rows_at
from adapters._source_types import Wire, read_code
from adapters.bodies import from_milliseconds
from adapters.exchange import FEEDBACK_SCHEME, Feedbacks, Notice, Notices
from adapters.loudspeakers import ORDINARY
from adapters.messages import Attachment, AttachmentKind, Envelope, Event, Ignored, InboundMessage, ProfileShared
from adapters.text import printable

LONGEST_TITLE, LONGEST_TEXT, LONGEST_RAW = 250, 20_000, 60_000
MOST_PHOTOS, MOST_ROWS, LATEST_REVISION = 6, 1_000, 1_000_000
EVENT = "feedback"


def notices_in(config: SourceConfig, said: object, after: str) -> Notices:
    """The bulletins of an answer, those that make sense."""
    rows = [row for row in _list(at(said, config.profile.notices_at))[:MOST_ROWS] if isinstance(row, dict)]
    found = [_notice(config, row) for row in rows]
    following = read_code_long(at(said, config.profile.after_at))
    kept = tuple(one for one in found if one is not None)
    is_all = not rows or not following or following == after
    return Notices(kept, following or after, is_all, len(found) - len(kept))


def _notice(config: SourceConfig, original: dict[str, Any]) -> Notice | None:
    """A bulletin from above; None when it does not say which it is, or says nothing."""
    row = lowered(original)
    wire, details = Wire(config.profile), _details(row)
    ref, number = read_code_long(row.get("bantinid")), read_code(row.get("phienban") or details.get("phienban") or "1")
    cancelled = _words(details.get("thuhoi"), 300)
    title = _words(row.get("tieude"), LONGEST_TITLE)
    spoken = _words(details.get("kichban"), LONGEST_TEXT)
    text = spoken or _words(row.get("noidungtomtat"), LONGEST_TEXT)
    is_number = number.isascii() and number.isdecimal() and 0 < int(number[:9]) < LATEST_REVISION
    if not ref or not is_number or not (title or cancelled) or not (text or title or cancelled):
        return None
    code = read_code(row.get("mucdouutien"))
    return Notice(
        ref=ref,
        revision=int(number),
        urgency=next((name for name, value in config.profile.urgency.items() if value == code), ORDINARY),
        title=title or text[:LONGEST_TITLE] or ref,
        text=text or title,
        source=_words(row.get("nguontin"), 120) or _words(row.get("tennguon"), 120),
        made_at=wire.read_instant(row.get("thoigiansanxuat")),
        valid_until=wire.read_instant(details.get("hieulucden")),
        is_ours=_is_for(config, row),
        is_cancelled=bool(cancelled),
        reason=cancelled,
        raw=json.dumps(original, ensure_ascii=False)[:LONGEST_RAW],
    )


def feedback_in(config: SourceConfig, said: object, after: str) -> Feedbacks:
    """What citizens wrote, each as an event whose body is our own."""
    rows = rows_at(said, config.profile.feedback_at)
    found = [_event(config, row) for row in rows]
    following = read_code_long(at(said, config.profile.after_at))
    kept = tuple(one for one in found if one is not None)
    is_all = not rows or not following or following == after
    return Feedbacks(kept, following or after, is_all, len(found) - len(kept))


def parsed(body: bytes) -> tuple[Event, ...]:
    """A kept feedback in our words; total."""
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        data = None
    if not isinstance(data, dict) or data.get("event") != EVENT:
        return (Ignored("unreadable", "source_system"),)
    ref, moment = data.get("ref"), from_milliseconds(data.get("at"))
    if not isinstance(ref, str) or not ref or moment is None:
        return (Ignored("unreadable", EVENT),)
    urn = f"{FEEDBACK_SCHEME}:{ref}"
    said = InboundMessage(
        str(data.get("id") or ref), urn, moment, printable(str(data.get("text") or ""), LONGEST_TEXT).strip(),
        _attachments(data),
    )  # fmt: skip
    name, phone = _words(data.get("name"), 120), _words(data.get("phone"), 20)
    if data.get("consent") is True and (name or phone):
        return (ProfileShared(urn, moment, name or None, phone or None, None, True), said)
    return (said,)


def _event(config: SourceConfig, row: dict[str, Any]) -> Envelope | None:
    ref = read_code_long(row.get("phananhid"))[:80]
    moment: datetime | None = Wire(config.profile).read_instant(row.get("thoidiemgui"))
    text = printable(str(row.get("noidung") or ""), LONGEST_TEXT).strip()
    photos = [one for one in _list(row.get("danhsachanh")) if isinstance(one, str)][:MOST_PHOTOS]
    if not ref or moment is None or not (text or photos) or not _is_for(config, row):
        return None
    said = read_code_long(row.get("tinnhanid"))[:80] or "1"
    body = {
        "event": EVENT,
        "ref": ref,
        "id": f"{ref}:{said}",
        "at": int(moment.timestamp() * 1000),
        "text": text,
        "photos": [one[:1_000] for one in photos],
        "pin": [row.get("vido"), row.get("kinhdo")],
        "name": _words(row.get("hoten"), 120),
        "phone": _words(row.get("sodienthoai"), 20),
        "consent": row.get("dongyluu") in (True, 1, "1"),
    }
    key, talk = f"{EVENT}:{ref}:{said}"[:200], f"{FEEDBACK_SCHEME}:{ref}"
    return Envelope(config.account, EVENT, key, talk, moment, body=json.dumps(body, ensure_ascii=False).encode())


def _attachments(data: dict[str, Any]) -> tuple[Attachment, ...]:
    found = [Attachment(AttachmentKind.IMAGE, url=str(url)) for url in _list(data.get("photos"))[:MOST_PHOTOS]]
    pin = _list(data.get("pin"))
    if len(pin) == 2 and all(isinstance(one, int | float) and not isinstance(one, bool) for one in pin):
        latitude, longitude = float(pin[0]), float(pin[1])
        if abs(latitude) <= 90 and abs(longitude) <= 180:
            found.append(Attachment(AttachmentKind.LOCATION, latitude=latitude, longitude=longitude))
    return tuple(found)


def _is_for(config: SourceConfig, row: dict[str, Any]) -> bool:
    """Whether our area is among those that it names; what names nobody is for nobody."""
    rows = rows_at({"in": row.get("danhsachdiabannhan")}, "in")
    named = {read_code_long(one.get("dichid")) for one in rows} | {read_code_long(row.get("dichid"))}
    return bool(named & {config.area_id, *config.profile.everywhere})


def _details(row: dict[str, Any]) -> dict[str, Any]:
    rows = rows_at({"in": row.get("thongtinchitietbantin")}, "in")
    return {str(one.get("ten") or "").lower(): one.get("giatri") for one in rows}


def _words(value: object, most: int) -> str:
    return printable(value, most).strip() if isinstance(value, str) else ""


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
