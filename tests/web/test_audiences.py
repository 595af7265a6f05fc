"""Pages of saved audiences, groups and prices, and how a bulletin takes them up."""

from __future__ import annotations

import re

import pytest
import sqlalchemy as sa

from bot.usecases import groups, prices, saved_audiences
from bot.usecases.announcing import AnnouncementError
from bot.usecases.saved_audiences import Asked
from storage.audiences import About, Narrowing
from storage.bulletins import Bulletin
from storage.contacts import Urn
from storage.groups import Membership
from storage.prices import Price
from storage.saved_audiences import SavedAudience
from tests.builders import World, all_rows
from tests.sms import an_sms_channel
from tests.usecases.bulletins import a_bulletin, approve, bulletin, on, submitted
from tests.usecases.telling import Phone, followers, phone, run
from tests.web.test_announcements import Browser
from tests.web.test_bulletins import fields, version_on

__all__ = ["phone"]
HERE, GROUPS, PRICES = "/announcements/audiences", "/announcements/groups", "/announcements/prices"


def a_group(world: World, *members: str, name: str = "Hộ nuôi lợn") -> int:
    number = groups.add(world.runtime, world.official("tuan"), name)
    with world.runtime.database.transaction() as session:
        for value in members:
            urn_id = session.scalars(sa.select(Urn.id).where(Urn.value == value)).one()
            session.add(Membership(commune_id=world.commune_id, group_id=number, urn_id=urn_id, since=world.clock()))
    return number


def saved(world: World, about: About, name: str = "Hộ nuôi lợn thôn 3") -> int:
    asked = Asked(name, (world.channel_id,), about)
    return saved_audiences.save(world.runtime, world.official("tuan"), asked)


def test_a_question_is_saved_counted_changed_and_forgotten(world: World) -> None:
    inside, _ = followers(world, 2)
    group = a_group(world, inside)
    tuan = Browser(world, "tuan")
    answer = tuan.post(HERE, name="Hộ nuôi lợn", channel=[str(world.channel_id)], group=[str(group)], seen_within="90")
    assert answer.status_code == 303
    where = answer.headers["Location"]
    page = tuan.get(where).text
    assert "nhóm Hộ nuôi lợn; liên hệ trong 90 ngày" in page
    assert "Cộng: 1 lượt nhận" in page
    form = tuan.get(f"{where}/edit").text
    changed = {"name": "Cả xã", "channel": [str(world.channel_id)], "version": version_on(form)}
    assert tuan.post(where, **changed).status_code == 303
    assert "Cộng: 2 lượt nhận" in tuan.get(where).text
    assert tuan.post(where, **changed).status_code == 422  # written from a page that is out of date
    assert tuan.post(f"{where}/removal").status_code == 303
    assert all_rows(world.runtime, SavedAudience) == []
    assert tuan.get(where).status_code == 404


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"name": ""}, "Tên đối tượng"),
        ({"channel": []}, "Chưa chọn kênh"),
        ({"group": ["987654"]}, "Có nhóm không còn"),
        ({"language": ["xx"]}, "Không có ngôn ngữ"),
        ({"seen_within": "99999"}, "Số ngày liên hệ"),
        ({"seen_within": "hai"}, "Số ngày liên hệ"),
        ({"seen_within": "10", "unseen_for": "20"}, "chọn một trong hai"),
        ({"also_topic": ["khong-co"]}, "Không có lĩnh vực"),
    ],
)
def test_what_cannot_be_asked_is_said_and_nothing_is_kept(world: World, change: dict[str, object], words: str) -> None:
    typed = {"name": "Ai đó", "channel": [str(world.channel_id)], **change}
    answer = Browser(world, "tuan").post(HERE, **typed)
    assert answer.status_code == 422
    assert words in answer.text
    assert all_rows(world.runtime, SavedAudience) == []


def test_a_bulletin_takes_a_copy_that_later_changes_do_not_touch(world: World, phone: Phone) -> None:
    inside, outside = followers(world, 2)
    group = a_group(world, inside)
    number = saved(world, About("", (), Narrowing(group_ids=(group,))))
    tuan = Browser(world, "tuan")
    page = tuan.post("/announcements/bulletins", **fields(world), audience=str(number), use="1").text
    assert re.search(rf'name="group" type="checkbox" value="{group}" checked', page)
    assert "Cộng: 1 lượt nhận" in page
    assert f'value="{group}" checked' in tuan.get(f"/announcements/bulletins/new?audience={number}").text
    made = submitted(world, about=About("", (), Narrowing(group_ids=(group,))))
    everybody = Asked("Cả xã", (world.channel_id,), About())
    saved_audiences.change(world.runtime, world.official("tuan"), number, everybody, version=1)
    page = Browser(world, "hoa").get(f"/announcements/bulletins/{made}").text
    assert "nhóm Hộ nuôi lợn" in page
    approve(world, made)
    phone.sent.clear()
    run(world)
    assert phone.readers == [inside]
    assert outside not in phone.readers


def test_an_audience_that_was_changed_is_not_what_was_read(world: World, phone: Phone) -> None:
    followers(world, 1)
    number = submitted(world, about=About("", (), Narrowing(seen_within=90)))
    with world.runtime.database.transaction() as session:
        seen = session.get_one(Bulletin, number)
        before = dict(seen.narrowing)
        seen.narrowing = {"seen_within": 30}
    assert before == {"seen_within": 90}
    from bot.rules.bulletins import Plan
    from bot.usecases.bulletins import plan_of

    now = plan_of(bulletin(world, number))
    was = Plan(**{**now.__dict__, "narrowing": before})
    assert was.digest != now.digest


def test_prices_are_said_by_administrators_and_shown_with_their_sum(world: World) -> None:
    sms = an_sms_channel(world)
    followers(on(world, sms), 2, values=["tel:+84912345678", "tel:+84912345679"])
    tuan = Browser(world, "tuan")
    page = tuan.post("/announcements/bulletins", **fields(world, sms), preview="1").text
    assert "chưa khai giá: SMS kannel" in page
    assert tuan.post(f"{PRICES}/{sms}", dong="350").status_code == 403
    an = Browser(world, "an")
    assert an.post(f"{PRICES}/{sms}", dong="abc").status_code == 422
    assert an.post(f"{PRICES}/{sms}", dong="350").status_code == 303
    page = tuan.post("/announcements/bulletins", **fields(world, sms), preview="1").text
    charged = re.search(r"Giá: (\d+) × 350 đồng = ([\d.]+) đồng", page)
    assert charged
    assert int(charged[2].replace(".", "")) == int(charged[1]) * 350 > 0
    assert f"Dự tính: {charged[2]} đồng" in page
    assert an.post(f"{PRICES}/{sms}", dong="").status_code == 303
    assert all_rows(world.runtime, Price) == []


def test_a_price_changed_meanwhile_must_be_read_before_it_is_approved(world: World, phone: Phone) -> None:
    followers(world, 1)
    number = submitted(world)
    from bot.usecases import bulletins
    from bot.usecases.bulletins import plan_of

    seen = plan_of(bulletin(world, number)).digest
    prices.set_price(world.runtime, world.official("an"), world.channel_id, 165)
    with pytest.raises(AnnouncementError, match="đã thay đổi"):
        bulletins.approve(world.runtime, world.official("hoa"), number, seen_hash=seen)
    approve(world, number)
    assert bulletin(world, number).prices == {str(world.channel_id): 165}


def test_what_was_really_spent_is_what_the_channel_charged_for(world: World, phone: Phone) -> None:
    from datetime import timedelta

    prices.set_price(world.runtime, world.official("an"), world.channel_id, 165)
    followers(world, 1)
    followers(world, 2, last_interaction_at=world.clock() - timedelta(hours=72))
    number = submitted(world)
    from bot.usecases import bulletins
    from bot.usecases.bulletins import plan_of

    page = Browser(world, "hoa").get(f"/announcements/bulletins/{number}").text
    assert "Giá: 2 × 165 đồng = 330 đồng" in page
    seen = plan_of(bulletin(world, number)).digest
    bulletins.approve(world.runtime, world.official("hoa"), number, seen_hash=seen, pays=True)
    run(world)
    page = Browser(world, "hoa").get(f"/announcements/bulletins/{number}").text
    assert "Đã tiêu: 330 đồng" in page


def test_groups_are_made_on_their_page(world: World) -> None:
    tuan = Browser(world, "tuan")
    assert tuan.post(GROUPS, name="Phụ huynh").status_code == 303
    assert tuan.post(GROUPS, name="Phụ huynh").status_code == 422
    page = tuan.get(GROUPS).text
    assert "1. Phụ huynh" in page
    [number] = re.findall(r"/announcements/groups/(\d+)/end", page)
    assert tuan.post(f"{GROUPS}/{number}", name="Phụ huynh lớp 1").status_code == 303
    assert tuan.post(f"{GROUPS}/{number}/end").status_code == 303
    assert "chưa lập nhóm nào" in tuan.get(GROUPS).text


@pytest.mark.parametrize(("who", "status"), [("tuan", 200), ("hoa", 200), ("mai", 200), ("an", 200), ("lan", 403)])
def test_who_may_look(world: World, who: str, status: int) -> None:
    number = saved(world, About())
    for path in (HERE, f"{HERE}/{number}", GROUPS, PRICES):
        assert Browser(world, who).get(path).status_code == status, path


@pytest.mark.parametrize("who", ["hoa", "an", "lan"])
def test_only_an_author_writes(world: World, who: str) -> None:
    number = saved(world, About())
    browser = Browser(world, who)
    assert browser.get(f"{HERE}/new").status_code == 403
    assert browser.get(f"{HERE}/{number}/edit").status_code == 403
    assert browser.post(HERE, name="x").status_code == 403
    assert browser.post(f"{HERE}/{number}/removal").status_code == 403
    assert browser.post(GROUPS, name="x").status_code == 403


def test_numbers_of_nobody_are_not_found(world: World) -> None:
    tuan, an = Browser(world, "tuan"), Browser(world, "an")
    assert tuan.get(f"{HERE}/999").status_code == 404
    assert tuan.post(f"{HERE}/999", name="x", channel=[str(world.channel_id)]).status_code == 404
    assert tuan.post(f"{GROUPS}/999", name="x").status_code == 404
    assert an.post(f"{PRICES}/999", dong="1").status_code == 404
    assert a_bulletin(world)
