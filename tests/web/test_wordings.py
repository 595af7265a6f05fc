"""The pages of texts, as a browser without JavaScript sees them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bot.usecases import intake
from storage.messages import Message
from storage.wording import CommuneText
from tests.builders import World, all_rows
from tests.web.pages import Browser

Open = Callable[[str], Browser]
THANKS = "/texts/vi/thanks"


def said(world: World, text: str) -> list[str]:
    before = len(all_rows(world.runtime, Message))
    world.says(text, user=f"30000000000000{before:05d}")
    intake.drain(world.runtime)
    return [m.text for m in all_rows(world.runtime, Message)[before:] if m.template]


@pytest.mark.parametrize(
    ("who", "status"), [("an", 200), ("mai", 200), ("tuan", 200), ("lan", 403), ("hung", 403), ("hoa", 403)]
)
@pytest.mark.parametrize("path", ["/texts", "/texts?lang=en", THANKS, "/texts/en/ack"])
def test_only_those_who_keep_the_texts_see_them(browser: Open, path: str, who: str, status: int) -> None:
    assert browser(who).client.get(path).status_code == status


@pytest.mark.parametrize("path", ["/texts/vi/khong-co", "/texts/fr/thanks", "/texts/vi/announcement"])
def test_what_is_not_there_is_not_found(browser: Open, path: str) -> None:
    assert browser("an").client.get(path).status_code == 404


def test_a_text_is_previewed_then_saved_and_citizens_get_it(world: World, browser: Open) -> None:
    an = browser("an")
    page = an.open(THANKS)
    form = page.form(THANKS)
    seen = an.send(form, words="Cảm ơn bà con đã nhắn. {xa}", sms="Cam on ba con. {xa}", what="preview")
    assert "Cảm ơn bà con đã nhắn. UBND xã Đức Huệ" in seen.html
    assert all_rows(world.runtime, CommuneText) == []
    an.send(seen.form(THANKS), what="save")
    assert said(world, "cảm ơn xã nhiều") == ["Cảm ơn bà con đã nhắn. UBND xã Đức Huệ"]
    assert "của địa phương" in an.open("/texts").html


@pytest.mark.parametrize(
    ("path", "words", "problem"),
    [
        (THANKS, "", "đang trống"),
        (THANKS, "Cảm ơn {ten}", "Không có chỗ điền {ten}"),
        (THANKS, "Cảm ơn {xa", "chưa khớp"),
        (THANKS, "Cảm ơn {xa.__class__}", "Không có chỗ điền"),
        (THANKS, "Cảm ơn {xa!r}", "Chỗ điền chỉ viết tên"),
        ("/texts/vi/ack", "Đã nhận.", "phải có chỗ điền {ma}"),
        ("/texts/vi/emergency", "Gọi {so} nhé", "phải có chỗ điền {sdttruc}"),
    ],
)
def test_a_text_that_would_lose_something_is_refused_and_kept_in_the_form(
    world: World, browser: Open, path: str, words: str, problem: str
) -> None:
    an = browser("an")
    form = an.open(path).form(path)
    page = an.send(form, status=422, words=words, what="save")
    assert any(problem in alert for alert in page.alerts), page.alerts
    assert page.form(path).fields["words"].strip() == words
    assert all_rows(world.runtime, CommuneText) == []


def test_an_sms_that_is_too_long_is_refused(browser: Open) -> None:
    an = browser("an")
    page = an.send(an.open(THANKS).form(THANKS), status=422, sms="Cam on {xa} " * 20, what="save")
    assert any("Bản SMS dài" in alert for alert in page.alerts)


def test_two_who_write_at_once_do_not_overwrite_each_other(browser: Open) -> None:
    an, mai = browser("an"), browser("mai")
    first, second = an.open(THANKS).form(THANKS), mai.open(THANKS).form(THANKS)
    an.send(first, words="Cảm ơn. {xa}", what="save")
    page = mai.send(second, status=422, words="Cám ơn. {xa}", what="save")
    assert any("vừa được người khác sửa" in alert for alert in page.alerts)


def test_the_shipped_text_comes_back_and_the_versions_stay(world: World, browser: Open) -> None:
    an = browser("an")
    an.send(an.open(THANKS).form(THANKS), words="Cảm ơn. {xa}", what="save")
    page = an.open(THANKS)
    an.send(page.form(f"{THANKS}/restoration"))
    assert said(world, "cảm ơn xã nhiều") == ["UBND xã Đức Huệ cảm ơn ông/bà. Chúc ông/bà và gia đình mạnh khỏe."]
    assert [(t.version, t.words) for t in all_rows(world.runtime, CommuneText)] == [(1, "Cảm ơn. {xa}"), (2, "")]
    assert "trở lại bản mẫu" in an.open(THANKS).html
