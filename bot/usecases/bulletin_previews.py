"""Previews: a bulletin as each channel, the loudspeaker and the board bring it, to how many and for how many parts."""

from __future__ import annotations

from dataclasses import dataclass, field

import sqlalchemy as sa
from sqlalchemy.orm import Session

from adapters.base import Cost, Paid
from adapters.text import length
from bot.rules.audience import TEXT_AT_MOST, TITLE_AT_MOST
from bot.rules.bulletins import BOARD, BOARD_LINE, BOARD_LINES, RADIO, Plan, medium_of
from bot.rules.prices import amount
from bot.rules.read_aloud import Script, Seconds, board_lines, reading_time, script_of
from bot.runtime import Runtime
from bot.usecases import bulletin_aloud
from bot.usecases.announcing import AnnouncementError, audience_now, too_long_title
from bot.usecases.broadcast import cap_on, carries_pictures, words_for
from storage.announcements import Announcement
from storage.audiences import About, Audience, Narrowing, Whom
from storage.channels import Channel
from storage.communes import Commune

NO_PICTURE_WORDS = "Chưa ghi trên ảnh có gì. Vui lòng mô tả ảnh cho người không nhìn thấy."


@dataclass(frozen=True)
class ChannelPart:
    """A bulletin on one channel: the messages as they arrive, to how many, and what one of them costs.

    `has_picture`: the bulletin's picture goes with the first message, or alone where that is "". `dong`: the price of
    a paid part or message; None: nobody has said.
    """

    channel: Channel
    parts: list[str]
    length: int
    audience: Audience
    cost: Cost | None = None
    first: Announcement | None = None
    has_picture: bool = False
    repeated: Announcement | None = None
    dong: int | None = None

    @property
    def last_urn_id(self) -> int:
        """The last address it may go to; of what puts something right, the last one that may have got that."""
        frozen = (self.first.frozen_to_urn_id or 0) if self.first else 0
        return max(frozen, self.audience.last_urn_id)

    @property
    def medium(self) -> str:
        """What kind of channel it is."""
        return medium_of(self.channel.type)

    @property
    def paid_parts(self) -> int:
        """How many parts are paid for in all; 0 where it is free."""
        return self.cost.parts * self.audience.count if self.cost else 0

    @property
    def charged(self) -> int:
        """How many times the price is paid: parts by people, or messages outside the channel's free time."""
        return self.paid_parts if self.cost else self.audience.paid * len(self.parts)

    @property
    def price(self) -> int | None:
        """What it costs here in đồng; None: it does, and nobody has said how much."""
        return amount(self.charged, self.dong)


@dataclass(frozen=True)
class Preview:
    """A bulletin as it will arrive everywhere."""

    channels: list[ChannelPart]
    script: Script
    board: list[str]
    problems: list[AnnouncementError] = field(default_factory=list)
    has_picture: bool = False
    picture_words: str = ""

    @property
    def cards(self) -> list[list[ChannelPart]]:
        """The channels on which it reads the same, together."""
        same: dict[tuple[object, ...], list[ChannelPart]] = {}
        for part in self.channels:
            same.setdefault((part.medium, part.has_picture, *part.parts), []).append(part)
        return list(same.values())

    @property
    def count(self) -> int:
        """How many addresses get it now."""
        return sum(part.audience.count for part in self.channels)

    @property
    def left_out(self) -> int:
        """How many more have had enough of its class."""
        return sum(part.audience.left_out for part in self.channels)

    @property
    def paid_parts(self) -> int:
        """How many parts of short messages are paid for."""
        return sum(part.paid_parts for part in self.channels)

    @property
    def price(self) -> int:
        """What it costs in đồng on the channels whose price is known."""
        return sum(part.price or 0 for part in self.channels)

    @property
    def unpriced(self) -> list[str]:
        """The channels that charge and whose price nobody has said."""
        return [part.channel.name for part in self.channels if part.price is None]

    @property
    def paid(self) -> int:
        """To how many a channel lets us write for money only."""
        return sum(part.audience.paid for part in self.channels)

    @property
    def time_aloud(self) -> Seconds:
        """How long the loudspeaker speaks."""
        return reading_time(self.script)

    @property
    def unsure(self) -> list[str]:
        """What was written where the reading is unsure, each once."""
        return list(dict.fromkeys(one.words for one in self.script.unsure))


def preview(runtime: Runtime, commune_id: int, plan: Plan) -> Preview:
    """How it would arrive if it went out now; changes nothing."""
    with runtime.database.reading() as session:
        return preview_of(session, runtime, commune_id, plan)


def preview_of(session: Session, runtime: Runtime, commune_id: int, plan: Plan) -> Preview:
    """The same within a transaction."""
    commune = session.get_one(Commune, commune_id)
    channels = [_part(session, runtime, commune, channel, plan) for channel in _channels(session, commune_id, plan)]
    words = plan.words
    own_board = words.texts.get(BOARD)
    title, name = words.headline or "…", commune.name or "…"
    script = script_of(title, words.on(RADIO) or "…", name)
    board = own_board.split("\n") if own_board else list(board_lines(title, words.body or "…"))
    problems = _problems(commune, plan, channels, own_board)
    if words.picture and not words.picture_words:
        problems.append(AnnouncementError(NO_PICTURE_WORDS))
    problems += bulletin_aloud.problems(session, runtime, plan, script.text, board)
    return Preview(channels, script, board, problems, bool(words.picture), words.picture_words)


def _channels(session: Session, commune_id: int, plan: Plan) -> list[Channel]:
    query = sa.select(Channel).where(Channel.id.in_(plan.channel_ids), Channel.commune_id == commune_id)
    return list(session.scalars(query.order_by(Channel.id)))


def _part(session: Session, runtime: Runtime, commune: Commune, channel: Channel, plan: Plan) -> ChannelPart:
    words, adapter = plan.words, runtime.adapters[channel.type]
    body = words.on(medium_of(channel.type))
    has_picture = bool(words.picture) and carries_pictures(runtime, channel)
    parts = words_for(
        runtime, channel, commune.name or "…", words.headline or "…", body or "…", has_picture=has_picture
    )
    first = _first_on(session, channel, plan.corrects_id)
    repeated = _first_on(session, channel, plan.repeats.of_id)
    if plan.repeats.is_for_silent:
        first = repeated
    cap = cap_on(session, channel.id, plan.importance, runtime.now()) if first is None else None
    about = About(plan.topic, tuple(plan.place_ids), Narrowing.of(plan.narrowing))
    silent_of = plan.repeats.of_id if plan.repeats.is_for_silent else None
    follows_id = first.id if first else None
    whom = Whom(about, plan.importance, follows_id, cap, silent_of=silent_of, at=runtime.now())
    return ChannelPart(
        channel,
        parts,
        sum(length(one, adapter.limits.text_units) for one in parts),
        audience_now(session, runtime, channel, whom),
        _cost(adapter, channel, parts) if isinstance(adapter, Paid) else None,
        first,
        has_picture,
        repeated,
        plan.prices.get(str(channel.id)),
    )


def _cost(adapter: Paid, channel: Channel, parts: list[str]) -> Cost:
    each = [adapter.cost(channel.settings, one) for one in parts]
    return Cost(
        "\n".join(parts),
        sum(one.parts for one in each),
        sum(one.units for one in each),
        any(one.is_unicode for one in each),
        lost_marks=all(part.isascii() for part in parts),
    )


def _first_on(session: Session, channel: Channel, bulletin_id: int | None) -> Announcement | None:
    """Of what is corrected or repeated, the announcement on this channel."""
    if bulletin_id is None:
        return None
    query = sa.select(Announcement).where(
        Announcement.bulletin_id == bulletin_id, Announcement.channel_id == channel.id
    )
    return session.scalars(query.order_by(Announcement.id)).first()


def _problems(
    commune: Commune, plan: Plan, channels: list[ChannelPart], own_board: str | None
) -> list[AnnouncementError]:
    needed = (
        (plan.words.title, "Chưa có tiêu đề. Vui lòng nhập tiêu đề."),
        (plan.words.body, "Chưa có nội dung. Vui lòng nhập nội dung."),
        (commune.name, "Địa phương chưa có tên trong hệ thống. Vui lòng báo người quản trị."),
    )
    problems = [AnnouncementError(sentence) for value, sentence in needed if not value.strip()]
    if len(plan.words.title) > TITLE_AT_MOST:
        problems.append(too_long_title())
    if plan.notice_id is None:  # what comes from above is passed on as it is, in as many parts as it takes
        problems += [_too_long(part) for part in channels if part.length > TEXT_AT_MOST]
    lines = own_board.split("\n") if own_board else []
    if len(lines) > BOARD_LINES or any(len(line) > BOARD_LINE for line in lines):
        problems.append(AnnouncementError("Bảng tin chỉ có 2 dòng, mỗi dòng tối đa 60 ký tự. Vui lòng rút ngắn."))
    if not channels:
        problems.append(AnnouncementError("Chưa chọn kênh nào. Vui lòng chọn ít nhất một kênh."))
    elif not any(part.audience.count for part in channels) and not plan.aloud.channel_ids:
        problems.append(AnnouncementError("Trên các kênh đã chọn chưa có ai nhận thông báo này. Vui lòng chọn thêm."))
    if any(not part.channel.is_active for part in channels) and plan.corrects_id is None:
        problems.append(AnnouncementError("Có kênh đã ngừng dùng. Vui lòng bỏ chọn kênh ấy."))
    return problems


def _too_long(part: ChannelPart) -> AnnouncementError:
    return AnnouncementError(
        "Tin trên kênh %(kenh)s dài %(size)s ký tự, tối đa %(most)s. Vui lòng rút ngắn hoặc viết riêng cho kênh này.",
        kenh=part.channel.name,
        size=part.length,
        most=TEXT_AT_MOST,
    )
