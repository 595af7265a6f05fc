"""Quotas as channels report them with a receipt, in words an official understands."""

from __future__ import annotations

from collections.abc import Mapping

from bot.web.language import N_, gettext

_KINDS = {
    "reply": N_("tin trả lời người dân (miễn phí)"),
    "welcome_msg": N_("tin chào người mới quan tâm"),
    "sub_quota": N_("tin trong gói đã đăng ký"),
    "purchase_quota": N_("tin đã mua thêm"),
    "reward_quota": N_("tin được tặng"),
}
_OWNERS = {"OA": N_("tài khoản OA"), "App": N_("ứng dụng")}
_SHOWN = frozenset({"quota_type", "remain", "total", "owner_type", "owner_id", "expired_date"})


def quota_words(quota: Mapping[str, str]) -> str:
    """What is left of what, until when; names of a channel's own that nobody here knows are counted, not shown."""
    parts = []
    kind = quota.get("quota_type", "")
    if kind:
        known = gettext(_KINDS[kind]) if kind in _KINDS else gettext("loại khác")
        parts.append(gettext("Loại: %(loai)s", loai=known))
    left, total = quota.get("remain"), quota.get("total")
    if left and total:
        parts.append(gettext("còn %(con)s trên %(tong)s tin", con=left, tong=total))
    elif left:
        parts.append(gettext("còn %(con)s tin", con=left))
    owner = _OWNERS.get(quota.get("owner_type", ""))
    if owner:
        parts.append(gettext("tính cho %(ai)s", ai=gettext(owner)))
    if quota.get("expired_date"):
        parts.append(gettext("dùng đến %(ngay)s", ngay=quota["expired_date"]))
    unknown = sum(name not in _SHOWN for name in quota)
    if unknown:
        parts.append(gettext("và %(n)s mục khác của kênh", n=unknown))
    return " · ".join(parts)
