"""A channel's health in words: what is so, and what to do next where it is not well."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.usecases.channels import Overview
from bot.usecases.loudspeaker_page import Speakers
from bot.web.language import N_, gettext
from bot.web.words import moment

FULL_SHARE = 0.1
TRY_IT = N_("Anh/Chị nhắn thử một tin. Nếu tin không tới, kiểm tra địa chỉ webhook ở trang quản lý của kênh.")
_OF_ACCOUNT = {"sub_quota", "purchase_quota"}  # others are counted for one citizen
TRY_ASKED = N_("Anh/Chị nhắn thử một tin. Nếu sau vài phút tin không tới, Anh/Chị báo người vận hành máy chủ.")


@dataclass
class Health:
    """A line of facts, and sentences that say what to do; `level`: "well", "look" or "ill"."""

    level: str = "well"
    facts: list[str] = field(default_factory=list)
    deeds: list[str] = field(default_factory=list)

    def say(self, fact: str, deed: str = "", level: str = "well") -> None:
        """Add a fact, with what to do about it."""
        self.facts.append(fact)
        if deed:
            self.deeds.append(deed)
        ranks = ("well", "look", "ill")
        self.level = max(self.level, level, key=ranks.index)

    @property
    def line(self) -> str:
        """The facts in one line."""
        return ", ".join(self.facts) + "."


def health_of(seen: Overview, now: datetime) -> Health:
    """How a channel is, from what is known of it; nobody is asked."""
    found = Health()
    if not seen.channel.is_active:
        found.say(gettext("không dùng"), level="look")
        return found
    if seen.speakers is not None:
        _speakers(seen.speakers, found)
    else:
        _receiving(seen, now, found)
    _sending(seen, now, found)
    _permission(seen, now, found)
    _quota(seen, found)
    return found


def _speakers(speakers: Speakers, found: Health) -> None:
    if speakers.link is not None and speakers.link.failed_at is not None:
        found.say(
            gettext("không hỏi được hệ thống thông tin nguồn từ %(luc)s", luc=moment(speakers.link.failed_at)),
            gettext("Bấm Kiểm tra để biết lý do. Nếu vẫn vậy, Anh/Chị báo người vận hành máy chủ."), "ill",
        )  # fmt: skip
    elif not speakers.clusters:
        found.say(
            gettext("chưa có cụm loa nào"),
            gettext("Chờ vài phút rồi bấm Kiểm tra; danh sách do hệ thống thông tin nguồn báo."), "look",
        )  # fmt: skip
    elif speakers.out:
        found.say(
            gettext("%(n)s trong %(tong)s cụm loa không hoạt động", n=speakers.out, tong=len(speakers.clusters)),
            gettext("Xem cụm nào ở trang Cụm loa và bản tin, rồi báo người sửa chữa."), "look",
        )  # fmt: skip
    else:
        found.say(gettext("cả %(tong)s cụm loa hoạt động", tong=len(speakers.clusters)))


def _receiving(seen: Overview, now: datetime, found: Health) -> None:
    error = seen.poll.error if seen.poll is not None and seen.is_asked else ""
    if seen.link is not None and seen.link.problem:
        found.say(
            gettext("đường nối đang đứt"),
            gettext("Anh/Chị báo người vận hành máy chủ kiểm tra chương trình giữ đường nối."), "ill",
        )  # fmt: skip
    elif error:
        found.say(
            gettext("lần hỏi tin gần nhất không được"),
            gettext("Chờ vài phút, hệ thống tự hỏi lại. Nếu vẫn vậy, Anh/Chị báo người vận hành máy chủ."), "ill",
        )  # fmt: skip
    elif seen.last_event_at is None and not seen.page_url:
        found.say(
            gettext("chưa nhận tin nào"),
            gettext(TRY_ASKED if seen.is_asked else TRY_IT),
            "look",
        )  # fmt: skip
    elif seen.is_silent and seen.last_event_at is not None:
        found.say(
            gettext("im lặng từ %(luc)s", luc=moment(seen.last_event_at)),
            gettext(TRY_ASKED if seen.is_asked else TRY_IT),
            "look",
        )  # fmt: skip
    elif seen.last_event_at is not None:
        found.say(gettext("nhận tin gần nhất %(truoc)s", truoc=ago(now - seen.last_event_at)))
    else:
        found.say(gettext("chưa ai viết trên trang"))


def _sending(seen: Overview, now: datetime, found: Health) -> None:
    channel = seen.channel
    if channel.paused_at is not None:
        found.say(
            gettext("đang tạm dừng gửi, %(n)s tin chờ", n=seen.waiting),
            gettext("Xem lý do bên dưới; khi đã ổn, bấm Cho hoạt động lại."), "ill",
        )  # fmt: skip
    elif channel.hold_until is not None and channel.hold_until > now:
        found.say(
            gettext("tạm chờ vì gửi quá nhanh, tự gửi tiếp lúc %(luc)s", luc=moment(channel.hold_until)), level="look"
        )
    elif seen.gate.in_use == "backup":
        found.say(
            gettext("gửi được qua cổng dự phòng"),
            gettext("Cổng chính đang hỏng; hệ thống tự thử lại. Anh/Chị báo nhà cung cấp nếu kéo dài."), "look",
        )  # fmt: skip
    elif seen.waiting:
        found.say(gettext("gửi được, %(n)s tin đang chờ lượt", n=seen.waiting))
    else:
        found.say(gettext("gửi được"))


def _permission(seen: Overview, now: datetime, found: Health) -> None:
    if seen.needs_consent:
        found.say(
            gettext("khóa đã hết"),
            gettext("Quản trị viên của tài khoản kênh bấm Cấp quyền lại. Tin chờ sẽ tự gửi sau đó."), "ill",
        )  # fmt: skip
    elif seen.token is not None:
        left = seen.token.expires_at - now
        if left <= timedelta():
            found.say(gettext("khóa đang được làm mới"), level="look")
        else:
            found.say(gettext("khóa còn %(dai)s, hệ thống tự làm mới", dai=length(left)))


def _quota(seen: Overview, found: Health) -> None:
    quota = seen.channel.quota or {}
    total, left = _number(quota.get("total")), _number(quota.get("remain"))
    if quota.get("quota_type") in _OF_ACCOUNT and total and left is not None:
        if left <= 0:
            found.say(
                gettext("đã hết hạn mức"),
                gettext("Chờ kênh cấp hạn mức mới, hoặc mua thêm gói; trả lời quan trọng thì đi kênh khác."),
                "ill",
            )  # fmt: skip
        elif left < total * FULL_SHARE:
            found.say(
                gettext("hạn mức chỉ còn %(n)s", n=left),
                gettext("Anh/Chị hoãn các thông báo chưa gấp cho tới khi có hạn mức mới."), "look",
            )  # fmt: skip


def _number(said: object) -> int | None:
    words = str(said)
    return int(words) if words.isascii() and words.isdecimal() else None


def ago(since: timedelta) -> str:
    """How long ago, in the largest unit that fits."""
    if since < timedelta(minutes=1):
        return gettext("vừa xong")
    return gettext("%(dai)s trước", dai=length(since))


def length(time: timedelta) -> str:
    """A stretch of time in the largest unit that fits."""
    if time >= timedelta(days=2):
        return gettext("%(n)s ngày", n=time.days)
    if time >= timedelta(hours=1):
        return gettext("%(n)s giờ", n=int(time.total_seconds() // 3600))
    return gettext("%(n)s phút", n=max(1, int(time.total_seconds() // 60)))
