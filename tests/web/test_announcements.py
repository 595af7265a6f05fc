"""Announcement pages, as a browser sees them."""

from __future__ import annotations

import re

import pytest
import sqlalchemy as sa
from werkzeug.test import TestResponse

from adapters.errors import ContactUnreachable
from bot.usecases import announcements
from storage.announcements import Announcement
from storage.articles import Article
from storage.bulletins import Bulletin
from storage.contacts import Contact
from storage.enums import ArticleState
from tests.builders import World
from tests.usecases.telling import (
    Phone,
    approved,
    followers,
    phone,
    run,
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


def made_before(world: World) -> None:
    """All there is looks as it did before there were bulletins."""
    with world.runtime.database.transaction() as session:
        session.execute(sa.update(Announcement).values(bulletin_id=None))
        session.execute(sa.delete(Bulletin))


def test_the_list_shows_states_and_counts(world: World, phone: Phone) -> None:
    [blocked, *_] = followers(world, 3)
    phone.failures[blocked] = [ContactUnreachable("blocked", "Người dân đã chặn kênh.")]
    approved(world, "Tin đã gửi")
    run(world)
    made_before(world)
    page = Browser(world, "mai").get("/announcements").text
    assert "Tin đã gửi" in page
    assert "Đã gửi 2 / 3" in page
    assert "Không gửi được: 1 · Không rõ: 0" in page


def test_an_empty_list_says_what_to_do(world: World) -> None:
    assert "Chưa có thông báo nào." in Browser(world, "tuan").get("/announcements").text


def test_a_long_list_has_older_pages(world: World) -> None:
    followers(world, 1)
    for n in range(22):
        approved(world, f"Tin số {n:02d}")
    made_before(world)
    tuan = Browser(world, "tuan")
    page = tuan.get("/announcements").text
    older = re.search(r"/announcements\?before=\d+", page)
    assert older
    assert page.count('class="row"') == 20
    assert tuan.get(older[0]).text.count('class="row"') == 2


@pytest.mark.parametrize(("who", "status"), [("tuan", 200), ("hoa", 200), ("mai", 200), ("an", 200), ("lan", 403)])
def test_who_may_see_announcements(world: World, who: str, status: int) -> None:
    followers(world, 1)
    number = approved(world)
    browser = Browser(world, who)
    assert browser.get("/announcements").status_code == status
    assert browser.get(f"/announcements/{number}").status_code == status


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


@pytest.mark.parametrize("path", ["", "/results.csv"])
def test_an_announcement_that_is_not_there_is_not_found(world: World, path: str) -> None:
    assert Browser(world, "tuan").get(f"/announcements/999999{path}").status_code == 404


def test_pages_speak_english_to_who_wants_it(world: World) -> None:
    tuan = Browser(world, "tuan")
    tuan.post("/language", locale="en", next="/announcements")
    assert "Announcements" in tuan.get("/announcements").text


def test_every_sentence_of_these_pages_has_its_english(world: World) -> None:
    followers(world, 1)
    running = approved(world, "Title two", "Text two")
    seen = ""
    for who, paths in {
        "tuan": ["/announcements", "/announcements/bulletins/new", f"/announcements/{running}"],
        "hoa": [f"/announcements/{running}"],
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
    where = f"/announcements/{approved(world)}"
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
