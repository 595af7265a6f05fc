"""Announcement pages, as a browser sees them."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
import sqlalchemy as sa
from werkzeug.test import TestResponse

from adapters.errors import ContactUnreachable
from bot.rules.audience import CHECKLIST
from bot.usecases import announcements
from bot.usecases.broadcast import fingerprint
from storage.announcements import Announcement
from storage.articles import Article
from storage.contacts import Contact, Urn
from storage.enums import AnnouncementState, ArticleState
from tests.builders import World, all_rows
from tests.usecases.telling import (
    BODY,
    TITLE,
    Phone,
    a_draft,
    approved,
    followers,
    phone,
    run,
    submitted,
)
from tests.web import pages

__all__ = ["phone"]


class Browser(pages.Browser):
    """A browser of one official that sends forms without looking for them, and still inspects each whole page."""

    def __init__(self, world: World, who: str) -> None:
        super().__init__(world, pages.app_on(world.runtime))
        self.sign_in(who)

    def get(self, path: str) -> TestResponse:
        """Go to a page."""
        return inspected(self.client.get(path))

    def post(self, path: str, **fields: object) -> TestResponse:
        """Send a form, with the token that forms of this browser carry."""
        return inspected(self.client.post(path, data={"csrf_token": self.token(), **fields}))

    def typed(self, path: str, target: str, **fields: object) -> TestResponse:
        """What htmx gets for the element with this id while somebody types."""
        headers = {"HX-Request": "true", "HX-Target": target}
        return self.client.post(path, data={"csrf_token": self.token(), **fields}, headers=headers)

    def token(self) -> str:
        """The token of the form on any page."""
        return pages.Page(self.client.get("/announcements/0").text).form("/sign-out").fields["csrf_token"]


def inspected(answer: TestResponse) -> TestResponse:
    if answer.mimetype == "text/html" and "<html" in answer.text and answer.status_code != 303:
        pages.Page(answer.text).inspect()
    return answer


def only(world: World) -> Announcement:
    [found] = all_rows(world.runtime, Announcement)
    return found


def test_an_announcement_is_written_submitted_approved_and_seen_going_out(world: World, phone: Phone) -> None:
    followers(world, 3)
    tuan, hoa = Browser(world, "tuan"), Browser(world, "hoa")
    answer = tuan.post("/announcements", channel_id=world.channel_id, title=TITLE, body=BODY)
    assert answer.status_code == 303
    where = answer.headers["Location"]
    page = tuan.get(where).text
    assert "Bản nháp" in page
    version = re.search(r'name="version" value="(\d+)"', page)
    assert version
    tuan.post(f"{where}/submission", version=version[1], confirmed=list(CHECKLIST))
    page = hoa.get(where).text
    assert "Duyệt và gửi" in page
    seen = re.search(r'name="seen_hash" value="([0-9a-f]{64})"', page)
    assert seen
    assert hoa.post(f"{where}/approval", seen_hash=seen[1]).status_code == 303
    assert only(world).state is AnnouncementState.APPROVED
    assert 'hx-trigger="every 3s"' in hoa.get(where).text
    run(world)
    page = tuan.get(where).text
    assert "Đã gửi xong" in page
    assert "3 / 3 người" in page
    assert "every 3s" not in page


def test_the_list_shows_states_and_counts(world: World, phone: Phone) -> None:
    [blocked, *_] = followers(world, 3)
    phone.failures[blocked] = [ContactUnreachable("blocked", "Người dân đã chặn kênh.")]
    a_draft(world, "Tin nháp")
    approved(world, "Tin đã gửi")
    run(world)
    page = Browser(world, "mai").get("/announcements").text
    assert "Tin nháp" in page
    assert "Bản nháp" in page
    assert "Đã gửi 2 / 3" in page
    assert "Không gửi được: 1 · Không rõ: 0" in page


def test_an_empty_list_says_what_to_do(world: World) -> None:
    assert "Chưa có thông báo nào." in Browser(world, "tuan").get("/announcements").text


def test_a_long_list_has_older_pages(world: World) -> None:
    for n in range(22):
        a_draft(world, f"Tin số {n:02d}")
    tuan = Browser(world, "tuan")
    page = tuan.get("/announcements").text
    older = re.search(r"/announcements\?before=\d+", page)
    assert older
    assert page.count('class="row"') == 20
    assert tuan.get(older[0]).text.count('class="row"') == 2


@pytest.mark.parametrize(("who", "status"), [("tuan", 200), ("hoa", 200), ("mai", 200), ("an", 200), ("lan", 403)])
def test_who_may_see_announcements(world: World, who: str, status: int) -> None:
    number = a_draft(world)
    browser = Browser(world, who)
    assert browser.get("/announcements").status_code == status
    assert browser.get(f"/announcements/{number}").status_code == status


@pytest.mark.parametrize("who", ["hoa", "an", "lan"])
def test_only_an_author_gets_the_form(world: World, who: str) -> None:
    browser = Browser(world, who)
    assert browser.get("/announcements/new").status_code == 403
    assert browser.post("/announcements", channel_id=world.channel_id, title=TITLE, body=BODY).status_code == 403
    assert all_rows(world.runtime, Announcement) == []


def test_the_preview_without_scripts_keeps_what_was_typed(world: World) -> None:
    followers(world, 4)
    answer = Browser(world, "tuan").post(
        "/announcements", channel_id=world.channel_id, title=TITLE, body=BODY, preview="1"
    )
    assert answer.status_code == 200
    assert "Hiện có 4 người sẽ nhận." in answer.text
    assert f'value="{TITLE}"' in answer.text
    assert all_rows(world.runtime, Announcement) == []


def test_whom_it_is_for_is_chosen_in_the_form_and_shown_to_the_approver(world: World) -> None:
    followers(world, 3)
    tuan = Browser(world, "tuan")
    village = announcements.villages_for(world.runtime, world.official("tuan"))[0]
    form = tuan.get("/announcements/new").text
    assert f'value="{village.id}"' in form
    answer = tuan.post(
        "/announcements", channel_id=world.channel_id, title=TITLE, body=BODY, topic="dien", place=str(village.id)
    )
    page = answer.headers["Location"]
    assert f"tại {village.name}" in tuan.get(page).text
    assert "người nhận tin về Điện" in tuan.get(page).text
    assert 'value="dien" selected' in tuan.get(f"{page}/edit").text
    assert re.search(rf'value="{village.id}" checked', tuan.get(f"{page}/edit").text)


def test_the_preview_while_typing_is_a_part_of_the_page(world: World) -> None:
    followers(world, 1)
    part = Browser(world, "tuan").typed(
        "/announcements/preview", "preview", channel_id=world.channel_id, title=TITLE, body="x" * 1000
    )
    assert "<html" not in part.text
    assert "badge-late" in part.text
    assert re.search(r"1\d\d\d / 1000 ký tự", part.text)
    assert "Vui lòng rút ngắn." in part.text


def test_what_is_typed_is_shown_as_words_never_as_markup(world: World) -> None:
    followers(world, 1)
    part = Browser(world, "tuan").typed(
        "/announcements/preview", "preview", channel_id=world.channel_id, title=TITLE, body="<b onclick=x>{{ 7*7 }}</b>"
    )
    assert "&lt;b onclick=x&gt;{{ 7*7 }}&lt;/b&gt;" in part.text


def test_a_draft_with_nothing_in_it_is_refused_in_words(world: World) -> None:
    answer = Browser(world, "tuan").post("/announcements", channel_id=world.channel_id, title=" ", body="")
    assert answer.status_code == 422
    assert "Chưa có gì để lưu" in answer.text


def test_a_draft_is_changed_in_its_form(world: World) -> None:
    number = a_draft(world)
    tuan = Browser(world, "tuan")
    page = tuan.get(f"/announcements/{number}/edit").text
    assert BODY in page
    tuan.post(f"/announcements/{number}", version=1, channel_id=world.channel_id, title="Mới", body=BODY)
    assert only(world).title == "Mới"


def test_a_stale_form_keeps_the_words_and_says_so(world: World) -> None:
    number = a_draft(world)
    tuan = Browser(world, "tuan")
    fields = {"version": 1, "channel_id": world.channel_id, "body": BODY}
    tuan.post(f"/announcements/{number}", title="Một", **fields)
    answer = tuan.post(f"/announcements/{number}", title="Hai", **fields)
    assert answer.status_code == 422
    assert "cửa sổ khác" in answer.text
    assert 'value="Hai"' in answer.text
    assert only(world).title == "Một"


def test_a_submission_without_ticks_says_what_is_missing(world: World) -> None:
    followers(world, 1)
    number = a_draft(world)
    answer = Browser(world, "tuan").post(f"/announcements/{number}/submission", version=1, confirmed=CHECKLIST[0])
    assert answer.status_code == 422
    assert "Chưa đánh dấu đủ các mục" in answer.text


def test_the_author_is_not_offered_to_approve(world: World) -> None:
    followers(world, 1)
    number = submitted(world)
    page = Browser(world, "tuan").get(f"/announcements/{number}").text
    assert "Duyệt và gửi" not in page
    assert "Rút lại để sửa" in page


def test_an_author_who_posts_an_approval_is_refused(world: World) -> None:
    followers(world, 1)
    number = submitted(world)
    assert Browser(world, "tuan").post(f"/announcements/{number}/approval", seen_hash="x").status_code == 403
    assert only(world).state is AnnouncementState.SUBMITTED


def test_an_approval_of_other_words_is_refused_in_words(world: World) -> None:
    followers(world, 1)
    number = submitted(world)
    answer = Browser(world, "hoa").post(f"/announcements/{number}/approval", seen_hash="0" * 64)
    assert answer.status_code == 422
    assert "Nội dung đã thay đổi" in answer.text


def test_the_author_reads_why_it_was_returned(world: World) -> None:
    followers(world, 1)
    number = submitted(world)
    Browser(world, "hoa").post(f"/announcements/{number}/return", note="Ghi rõ ngày giờ.")
    assert "Người duyệt trả lại: Ghi rõ ngày giờ." in Browser(world, "tuan").get(f"/announcements/{number}").text


def test_a_running_announcement_can_be_stopped(world: World) -> None:
    followers(world, 2)
    number = approved(world)
    announcements.expand_due(world.runtime)
    hoa = Browser(world, "hoa")
    assert "Dừng hẳn" in hoa.get(f"/announcements/{number}").text
    hoa.post(f"/announcements/{number}/stop")
    page = hoa.get(f"/announcements/{number}").text
    assert "Đã dừng" in page
    assert "Dừng hẳn" not in page
    assert "đã dừng thì không gửi tiếp được" in page


def test_the_progress_is_asked_for_in_parts_until_it_is_finished(world: World, phone: Phone) -> None:
    followers(world, 2)
    number = approved(world)
    hoa = Browser(world, "hoa")
    part = hoa.fragment(f"/announcements/{number}?poll=1", "progress")
    assert part.text.lstrip().startswith("<section")
    assert "0 / 2 người" in part.text
    assert "HX-Refresh" not in part.headers
    run(world)
    done = hoa.fragment(f"/announcements/{number}?poll=1", "progress")
    assert done.headers["HX-Refresh"] == "true"


def test_results_can_be_filtered_by_outcome(world: World, phone: Phone) -> None:
    [blocked, _] = followers(world, 2)
    phone.failures[blocked] = [ContactUnreachable("blocked", "Người dân đã chặn kênh.")]
    number = approved(world)
    run(world)
    tuan = Browser(world, "tuan")
    everybody, refused = (
        tuan.get(f"/announcements/{number}").text,
        tuan.get(f"/announcements/{number}?group=refused").text,
    )
    assert ("zalo …0000" in everybody, "zalo …0001" in everybody) == (True, True)
    assert ("zalo …0000" in refused, "zalo …0001" in refused) == (True, False)
    assert "Người dân đã chặn kênh." in refused
    assert blocked not in everybody


def test_a_refused_delivery_can_be_sent_again(world: World, phone: Phone) -> None:
    [blocked] = followers(world, 1)
    phone.failures[blocked] = [ContactUnreachable("blocked", "Người dân đã chặn kênh.")]
    number = approved(world)
    run(world)
    tuan = Browser(world, "tuan")
    again = re.search(rf"/announcements/{number}/deliveries/\d+/resend", tuan.get(f"/announcements/{number}").text)
    assert again
    assert tuan.post(again[0]).status_code == 303
    run(world)
    assert phone.readers == [blocked]


def test_results_can_be_taken_away_as_a_table(world: World, phone: Phone) -> None:
    followers(world, 1)
    with world.runtime.database.transaction() as session:
        for contact in session.query(Contact):
            contact.name = "=1+1"
    number = approved(world)
    run(world)
    answer = Browser(world, "tuan").get(f"/announcements/{number}/results.csv")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert "attachment" in answer.headers["Content-Disposition"]
    assert '"\'=1+1"' in answer.text


@pytest.mark.parametrize("path", ["", "/edit", "/results.csv"])
def test_an_announcement_that_is_not_there_is_not_found(world: World, path: str) -> None:
    assert Browser(world, "tuan").get(f"/announcements/999999{path}").status_code == 404


def test_pages_speak_english_to_who_wants_it(world: World) -> None:
    tuan = Browser(world, "tuan")
    tuan.post("/language", locale="en", next="/announcements")
    assert "Announcements" in tuan.get("/announcements").text


def test_every_sentence_of_these_pages_has_its_english(world: World) -> None:
    followers(world, 1)
    waiting = submitted(world, "Title one", "Text one")
    running = approved(world, "Title two", "Text two")
    seen = ""
    for who, paths in {
        "tuan": ["/announcements", "/announcements/new", f"/announcements/{waiting}", f"/announcements/{running}"],
        "hoa": [f"/announcements/{waiting}", f"/announcements/{running}"],
        "an": ["/channels"],
    }.items():
        browser = Browser(world, who)
        browser.post("/language", locale="en", next="/announcements")
        for path in paths:
            page = browser.get(path).text
            main = page[page.index("<h1>") : page.index("</main>")]
            seen += re.sub(r'<p class="words">.*?</p>|<code>.*?</code>|<[^>]+>', " ", main, flags=re.DOTALL)
    for name in ("Phạm Anh Tuấn", "Võ Thị Hoa", "Zalo OA Đức Huệ"):
        seen = seen.replace(name, "")
    assert re.findall(r"\S*[ạảậầấẩẫằắẳẵọỏộổỗồốơờớợởỡẻẹẽệềếểễúùụủũưựữửừứỉịĩỳỷỵỹđĐ]\S*", seen) == []


def test_an_approver_publishes_the_approved_text_as_an_article(world: World) -> None:
    followers(world, 2)
    tuan, hoa = Browser(world, "tuan"), Browser(world, "hoa")
    where = tuan.post("/announcements", channel_id=world.channel_id, title=TITLE, body=BODY).headers["Location"]
    assert "Bài viết gửi mọi người theo dõi" not in hoa.get(where).text
    tuan.post(f"{where}/submission", version=1, confirmed=list(CHECKLIST))
    hoa.post(f"{where}/approval", seen_hash=fingerprint(only(world)))
    page = hoa.get(where).text
    assert "Zalo không cho loại trừ ai" in page
    assert "Tháng này đã gửi 0 / 1 bài viết" in page
    assert "Đăng đúng nội dung đã duyệt" not in tuan.get(where).text
    assert tuan.post(f"{where}/article").status_code == 403
    assert hoa.post(f"{where}/article").status_code == 303
    page = tuan.get(where).text
    assert "Chờ gửi bài cho Zalo" in page
    with world.runtime.database.transaction() as session:
        session.execute(sa.update(Article).values(state=ArticleState.SENT, sent_at=world.clock()))
    page = hoa.get(where).text
    assert "Zalo đã nhận để gửi" in page
    assert "lúc 12:00 07/10/2026" in page
    assert "không cho biết ai đã nhận" in page
    assert "Tháng này đã gửi 1 / 1 bài viết" in page


def test_an_approver_sees_what_it_costs_and_agrees_or_not(world: World) -> None:
    followers(world, 3)
    with world.runtime.database.transaction() as session:
        last = world.clock() - timedelta(hours=60)
        session.execute(sa.update(Urn).where(Urn.id > session.scalar(sa.select(sa.func.min(Urn.id)))).values(
            last_interaction_at=last))  # fmt: skip
    tuan, hoa = Browser(world, "tuan"), Browser(world, "hoa")
    where = tuan.post("/announcements", channel_id=world.channel_id, title=TITLE, body=BODY).headers["Location"]
    tuan.post(f"{where}/submission", version=1, confirmed=list(CHECKLIST))
    page = hoa.get(where).text
    assert "Miễn phí: 1 người" in page
    assert "Kênh tính phí từng tin: 2 người" in page
    assert "Trả phí để gửi cả 2 người ngoài 48 giờ" in page
    hoa.post(f"{where}/approval", seen_hash=fingerprint(only(world)), pays="1")
    assert only(world).pays
