"""The channel's window in whole sentences: what an official can do for this citizen now, and what else there is."""

from __future__ import annotations

from bot.rules.window import Way, Why
from bot.usecases.windows import Ways
from bot.web.language import gettext
from bot.web.words import moment
from storage.channels import Channel


def plan_words(ways: Ways, channel: Channel, *, has_phone: bool) -> list[str]:
    """Sentences from what is possible to what is left; none on a channel that never closes."""
    found = ways.plan
    if found.way is Way.FREE:
        if found.until is None:
            return []
        free = gettext("Trả lời miễn phí đến %(luc)s.", luc=moment(found.until))
        if found.then_until is None or found.then_until == found.until:
            return [free]
        return [free + " " + gettext("Sau đó kênh tính phí, được đến %(luc)s.", luc=moment(found.then_until))]
    if found.way is Way.PAID and found.until is not None:
        return [
            gettext("Đã quá 48 giờ từ lần cuối người dân liên hệ: kênh tính phí tin này.")
            + " "
            + gettext("Trả lời được đến %(luc)s.", luc=moment(found.until)),
            *_quota(channel),
        ]
    lines = [_why(found.why, is_zalo=ways.can_ask)]
    if found.way is Way.TEMPLATE:
        return [*lines, gettext("Chỉ gửi được tin mẫu báo là đã có trả lời.")]
    if has_phone:
        return [*lines, gettext("Trả lời vẫn được ghi lại. Cách khác: gọi điện hoặc nhắn SMS theo số trong hồ sơ.")]
    return [*lines, gettext("Trả lời vẫn được ghi lại; khi người dân nhắn tin lại, Anh/Chị bấm Gửi lại.")]


def _why(why: Why, *, is_zalo: bool) -> str:
    if why is Why.TOO_LONG_AGO and not is_zalo:
        return gettext("Không gửi được qua kênh: đã quá lâu từ lần cuối người dân liên hệ.")
    known = {
        Why.NOT_FREE: gettext("Đã quá 48 giờ từ lần cuối người dân liên hệ, và kênh này không gửi tin mất phí."),
        Why.TOO_LONG_AGO: gettext("Không gửi được qua kênh: người dân đã hơn 7 ngày không liên hệ."),
        Why.NEVER_THERE: gettext("Không gửi được qua kênh: người dân chưa liên hệ lần nào."),
        Why.REFUSED: gettext("Không gửi được qua kênh: lần gửi trước kênh báo người dân lâu không liên hệ."),
        Why.BLOCKED: gettext("Không gửi được qua kênh: người dân đã chặn hoặc hạn chế tin của kênh."),
    }
    return known[why]


def _quota(channel: Channel) -> list[str]:
    left, total = channel.quota.get("remain"), channel.quota.get("total")
    if channel.quota.get("quota_type") not in {"sub_quota", "purchase_quota", "reward_quota"} or not left:
        return []
    return [gettext("Hạn mức tin mất phí còn lại theo kênh: %(con)s / %(tong)s.", con=left, tong=total or "?")]
