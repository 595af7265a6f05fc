"""Templates of answers: kept by those who keep the texts, filled for the ticket at hand, never sent by themselves."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from storage.answers import AnswerTemplate, AnswerVersion
from storage.audit import AuditEntry
from storage.enums import Direction, Origin, Role
from storage.messages import Message
from storage.tickets import Ticket
from tests.builders import World, all_rows
from tests.web.pages import Browser, Page
from tests.web.test_who_sees_what import DENUNCIATION, neighbour

Open = Callable[[str], Browser]
LIST = "/answer-templates"
WORDS = "Phản ánh {ma} tại {diadiem}: {donvi} sửa xong [ngày sửa], trước {han}."


def keep(one: Browser, status: int = 200, *, path: str = LIST, **fields: str) -> Page:
    page = one.open(f"{LIST}/new" if path == LIST else path)
    written = {"name": "Hẹn ngày", "topic": "", "words": WORDS, "what": "save", **fields}
    return one.send(page.form(path), status, **written)


def test_only_those_who_keep_the_texts_see_the_list(world: World, browser: Open) -> None:
    statuses = {who: browser(who).client.get(LIST).status_code for who in world.officials}
    assert statuses == {"an": 200, "mai": 200, "tuan": 200, "lan": 403, "hung": 403, "hoa": 403}
    assert 'href="/answer-templates"' in browser("an").open("/administration").html
    assert "Chưa có mẫu trả lời nào" in browser("an").open(LIST).text


def test_what_ships_is_taken_once_and_all_of_it_can_be_kept(world: World, browser: Open) -> None:
    an = browser("an")
    page = an.send(an.open(LIST).form(f"{LIST}/shipped"))
    many = len(all_rows(world.runtime, AnswerTemplate))
    assert many >= 6
    assert f"Đã thêm {many} mẫu" in page.text
    assert "đã ở trong danh sách" in an.send(page.form(f"{LIST}/shipped")).text
    assert len(all_rows(world.runtime, AnswerTemplate)) == many
    assert "Đèn đường" in an.open(f"{LIST}?search=den duong").text


@pytest.fixture
def keeper(browser: Open) -> Browser:
    return browser("an")


def test_what_cannot_be_kept_is_said_and_stays_in_the_form(world: World, keeper: Browser) -> None:
    keep(keeper)
    for fields, problem in (
        ({"name": "  "}, "không được để trống"),
        ({"words": ""}, "không được để trống"),
        ({"words": "Chào {ten}"}, "Không có chỗ điền {ten}"),
        ({"words": "Chào {ma"}, "chưa khớp"),
        ({"words": "Xong [" + "x" * 39 + "]"}, "dài nhất 38 ký tự"),
        ({"words": "Gọi ông Bảy 0987654321"}, "không phải của cơ quan"),
        ({"name": "hẹn NGÀY"}, "Đã có mẫu tên"),
        ({"topic": "khong-co"}, "không có trong danh sách"),
        ({"name": "a" * 121}, "dài nhất 120"),
    ):
        written = {"name": "Tên khác", **fields}
        page = keep(keeper, 422, **written)
        assert any(problem in alert for alert in page.alerts), (fields, page.alerts)
        assert page.form(LIST).fields["words"].strip() == written.get("words", WORDS)
    assert len(all_rows(world.runtime, AnswerTemplate)) == 1


def test_each_version_says_who_left_it_and_nothing_is_deleted(world: World, keeper: Browser, browser: Open) -> None:
    keep(keeper)
    (row,) = all_rows(world.runtime, AnswerTemplate)
    path = f"{LIST}/{row.id}"
    mai = browser("mai")
    stale = mai.open(path).form(path)
    keep(keeper, path=path, words="Xong rồi. {ma}")
    page = mai.send(stale, 422, words="Của tôi. {ma}", what="save")
    assert any("vừa được người khác sửa" in alert for alert in page.alerts)
    keeper.send(keeper.open(path).form(f"{path}/archiving"))
    assert "Hẹn ngày" not in keeper.open(LIST).text
    assert "Hẹn ngày" in keeper.open(f"{LIST}?archived=1").text
    page = keeper.open(path)
    assert "Mẫu này đã cất" in page.text
    assert WORDS in page.text, "the first version can still be read"
    keeper.send(page.form(f"{path}/restoring"))
    assert "Hẹn ngày" in keeper.open(LIST).text
    versions = [(v.version, v.words, v.is_archived) for v in all_rows(world.runtime, AnswerVersion)]
    assert versions == [(1, WORDS, False), (2, "Xong rồi. {ma}", False), (3, "Xong rồi. {ma}", True),
                        (4, "Xong rồi. {ma}", False)]  # fmt: skip
    done = [entry.action for entry in all_rows(world.runtime, AuditEntry) if entry.target.startswith("answer_template")]
    assert done == ["answer_template.saved"] * 2 + ["answer_template.archived", "answer_template.restored"]


def test_a_preview_keeps_nothing(world: World, keeper: Browser) -> None:
    page = keep(keeper, what="preview")
    assert "Phản ánh PA26-0342 tại Chợ Đình: Phòng Kinh tế sửa xong {ngày sửa}" in page.text
    assert all_rows(world.runtime, AnswerTemplate) == []


def test_another_communes_template_does_not_exist(world: World, keeper: Browser, browser: Open) -> None:
    keep(keeper)
    (row,) = all_rows(world.runtime, AnswerTemplate)
    other = browser(neighbour(world, Role.ADMIN))
    other.open(f"{LIST}/{row.id}", 404)
    token = other.open(f"{LIST}/new").form(LIST).fields["csrf_token"]
    for deed in ("", "/archiving", "/restoring"):
        assert other.client.post(f"{LIST}/{row.id}{deed}", data={"csrf_token": token}).status_code == 404


# ---- for a ticket ---------------------------------------------------------------------------------------------------


def said(world: World) -> list[str]:
    out = [m for m in all_rows(world.runtime, Message) if m.direction is Direction.OUT]
    return [m.text for m in out if m.origin is Origin.OFFICIAL]


def test_it_is_filled_for_this_ticket_behind_what_was_typed_and_waits_for_its_blanks(
    world: World, keeper: Browser, browser: Open, reported: Callable[..., Ticket]
) -> None:
    keep(keeper)
    keep(keeper, name="Riêng rác", topic="rac-thai")
    ticket = reported("Ổ gà to trước Chợ Đình, xe máy ngã")
    row = all_rows(world.runtime, AnswerTemplate)[0]
    action = f"/tickets/{ticket.id}/replies"
    lan = browser("lan")
    page = lan.open(f"/tickets/{ticket.id}")
    assert "Riêng rác" not in page.text, "it is for another subject"
    form = page.form(action)
    form.action = f"/tickets/{ticket.id}/filling"
    page = lan.send(form, text="Chào ông/bà.", answer_template=str(row.id))
    words = page.form(action).fields["text"].strip()
    assert words.startswith(f"Chào ông/bà.\n\nPhản ánh {ticket.code} tại ")
    assert "Chợ Đình" in words
    assert "{ngày sửa}" in words
    assert "{han}" not in words
    page = lan.send(page.form(action), 422, text=words)
    assert "còn chỗ trống {ngày sửa}" in page.alerts[0]
    assert said(world) == []
    done = words.replace("{ngày sửa}", "01/11/2026")
    lan.send(page.form(action), text=done)
    assert said(world) == [done]


def test_who_chose_none_is_told_and_keeps_what_they_typed(
    world: World, keeper: Browser, browser: Open, reported: Callable[..., Ticket]
) -> None:
    keep(keeper)
    ticket, lan = reported("Ổ gà to trước Chợ Đình"), browser("lan")
    form = lan.open(f"/tickets/{ticket.id}").form(f"/tickets/{ticket.id}/replies")
    form.action = f"/tickets/{ticket.id}/filling"
    for chosen in ("", "0", "999"):
        page = lan.send(form, 422, text="Chào.", answer_template=chosen)
        assert "chưa chọn mẫu" in page.alerts[0]
        assert page.form(f"/tickets/{ticket.id}/replies").fields["text"].strip() == "Chào."
    answer = lan.client.post(form.action, data={**form.fields, "text": "Chào."}, headers={"HX-Request": "true"})
    assert answer.status_code == 200
    assert "chưa chọn mẫu" in answer.text
    assert "Chào." in answer.text
    row = all_rows(world.runtime, AnswerTemplate)[0]
    chosen = {**form.fields, "text": "Chào.", "answer_template": str(row.id)}
    answer = lan.client.post(form.action, data=chosen, headers={"HX-Request": "true"})
    assert "Chào.\n\nPhản ánh" in answer.text
    assert "<html" not in answer.text


def test_a_sealed_ticket_is_filled_for_its_readers_alone(
    world: World, keeper: Browser, browser: Open, reported: Callable[..., Ticket]
) -> None:
    keep(keeper)
    ticket = reported(DENUNCIATION)
    row = all_rows(world.runtime, AnswerTemplate)[0]
    mai = browser("mai")
    form = mai.open(f"/tickets/{ticket.id}").form(f"/tickets/{ticket.id}/replies")
    form.action = f"/tickets/{ticket.id}/filling"
    assert (
        ticket.code in mai.send(form, answer_template=str(row.id)).form(f"/tickets/{ticket.id}/replies").fields["text"]
    )
    assert browser("lan").client.post(form.action, data=form.fields).status_code in {400, 404}
