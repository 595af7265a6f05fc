"""How an audience and a price read on officials' screens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bot.web.language import N_, gettext
from bot.web.words import topic_word
from storage.audiences import About

LANGUAGE_WORDS = {"vi": N_("Tiếng Việt"), "en": N_("Tiếng Anh")}


def in_words(about: About, villages: Sequence[str], groups: Mapping[int, str]) -> str:
    """Whom it is for, as an author says it and an approver reads it."""
    asked = about.narrowing
    said = [gettext("Bà con %(thon)s", thon=", ".join(villages)) if villages else gettext("Mọi người theo dõi")]
    if about.topics:
        topics = ", ".join(topic_word(topic) for topic in about.topics)
        said.append(gettext("nhận tin về %(linhvuc)s", linhvuc=topics))
    if asked.group_ids:
        names = [groups.get(number) or gettext("(nhóm đã bỏ)") for number in asked.group_ids]
        said.append(gettext("nhóm %(nhom)s", nhom=", ".join(names)))
    if asked.languages:
        spoken = ", ".join(gettext(LANGUAGE_WORDS[one]) for one in asked.languages if one in LANGUAGE_WORDS)
        said.append(gettext("dùng %(ngonngu)s", ngonngu=spoken))
    if asked.seen_within:
        said.append(gettext("liên hệ trong %(n)s ngày", n=asked.seen_within))
    if asked.unseen_for:
        said.append(gettext("không liên hệ từ %(n)s ngày trở lên", n=asked.unseen_for))
    return "; ".join(said)


def dong(amount: int | None) -> str:
    """An amount of money; that nobody has said the price is no amount."""
    if amount is None:
        return gettext("chưa khai giá")
    return gettext("%(n)s đồng", n=f"{amount:,}".replace(",", "."))
