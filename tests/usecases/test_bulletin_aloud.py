"""What the loudspeakers read of a bulletin: approved, put right and taken back with it, and seen on its page."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from adapters import ADAPTERS
from bot.rules.aloud import Aloud
from bot.rules.bulletins import FULL_CHECKLIST
from bot.rules.deadlines import VIETNAM
from bot.usecases import bulletin_aloud, bulletin_following, bulletins
from bot.usecases.announcing import AnnouncementError
from bot.usecases.commune_settings import change_by
from storage.audit import AuditEntry
from storage.bulletins import Bulletin
from storage.enums import BulletinKind, Importance
from storage.loudspeakers import SourceBulletin
from tests.builders import World, all_rows
from tests.loudspeakers import connect
from tests.sandbox.villages import Villages, villages
from tests.usecases.bulletins import a_bulletin, approve, approved, bulletin, submit, submitted, tried, written
from tests.usecases.telling import Phone, followers, phone, run
from tests.web.test_announcements import Browser

__all__ = ["phone"]
HERE = "/announcements/bulletins"


@pytest.fixture
def loa(tmp_path: Path) -> Iterator[Villages]:
    with villages(tmp_path) as found:
        yield found


@pytest.fixture
def speakers(world: World, loa: Villages, phone: Phone) -> int:
    """The commune's loudspeakers, by the clock of these tests; and one who follows the commune."""
    world.runtime.adapters = {**ADAPTERS, **world.runtime.adapters}
    clock = world.runtime.now
    number = connect(world, loa)
    world.runtime.now = clock
    followers(world, 1)
    return number


def in_days(world: World, many: int) -> date:
    return (world.clock() + timedelta(days=many)).astimezone(VIETNAM).date()


def aloud(world: World, *channels: int, hours: str = "6h45, 17h00", ends: date | None = None) -> Aloud:
    return Aloud(channels, in_days(world, 1), ends, hours)


def told(world: World) -> list[SourceBulletin]:
    return sorted(all_rows(world.runtime, SourceBulletin), key=lambda row: row.id)


def test_what_is_approved_is_read_out_at_its_hours_and_shown_on_the_board(world: World, speakers: int) -> None:
    number = approved(world, body="Ngày mai 7h30 cắt điện xóm 5.", aloud=aloud(world, speakers, ends=in_days(world, 2)))
    [row] = told(world)
    assert (row.bulletin_id, row.channel_id, row.urgency) == (number, speakers, "thong_thuong")
    assert "bảy giờ ba mươi" in row.script
    assert row.days == [in_days(world, 1).isoformat(), in_days(world, 2).isoformat()]
    assert [begin for begin, _ in row.slots] == ["06:45", "17:00"]
    assert 1 <= len(row.lines) <= 2
    assert (row.author, row.approver) == (world.official("tuan").name, world.official("hoa").name)


def test_an_emergency_needs_no_hours(world: World, speakers: int) -> None:
    approved(world, importance=Importance.EMERGENCY, aloud=Aloud((speakers,)))
    [row] = told(world)
    assert (row.urgency, row.days, row.slots) == ("khan_cap", [], [])


def test_an_emergency_is_not_heard_before_its_hour(world: World, speakers: int) -> None:
    later = world.clock() + timedelta(hours=2)
    number = a_bulletin(world, importance=Importance.EMERGENCY, send_at=later, aloud=Aloud((speakers,)))
    tried(world, number)
    with pytest.raises(AnnouncementError, match="ngay khi duyệt"):
        submit(world, number)
    assert told(world) == []


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"hours": "sáng sớm"}, "Giờ phát chưa đọc được"),
        ({"hours": ""}, "Chưa có lịch phát"),
        ({"hours": "22h00"}, "giờ yên tĩnh"),
    ],
)
def test_what_could_not_be_read_out_is_not_handed_on(
    world: World, speakers: int, changes: dict[str, Any], sentence: str
) -> None:
    number = a_bulletin(world, aloud=aloud(world, speakers, **changes))
    tried(world, number)
    with pytest.raises(AnnouncementError, match=sentence):
        submit(world, number)
    assert told(world) == []


def test_other_hours_are_another_bulletin_to_approve(world: World, speakers: int) -> None:
    number = submitted(world, aloud=aloud(world, speakers))
    seen = bulletins.plan_of(bulletin(world, number)).digest
    with world.runtime.database.transaction() as session:
        session.get_one(Bulletin, number).aloud = aloud(world, speakers, hours="11h00").data()
    with pytest.raises(AnnouncementError, match="đã thay đổi"):
        bulletins.approve(world.runtime, world.official("hoa"), number, seen_hash=seen)
    assert told(world) == []


def test_loudspeakers_of_others_and_channels_of_people_read_nothing(world: World, speakers: int) -> None:
    number = a_bulletin(world, aloud=aloud(world, world.channel_id, 999_999))
    assert bulletin(world, number).aloud == {}


def follow_up(world: World, first: int, kind: BulletinKind, **changes: Any) -> int:
    number = bulletin_following.follow_up(world.runtime, world.official("tuan"), first, kind)
    row = bulletin(world, number)
    text = written(world, body="Sửa lại: 8h cắt điện.", **changes)
    bulletins.edit(world.runtime, world.official("tuan"), number, version=row.version, written=text)
    tried(world, number)
    version = bulletin(world, number).version
    bulletins.submit(world.runtime, world.official("tuan"), number, version=version, confirmed=FULL_CHECKLIST)
    approve(world, number)
    return number


def test_a_correction_takes_the_place_of_what_was_wrong(world: World, speakers: int) -> None:
    first = approved(world, aloud=aloud(world, speakers))
    run(world)
    follow_up(world, first, BulletinKind.CORRECTION, aloud=aloud(world, speakers))
    before, after = told(world)
    assert (after.replaces_id, after.ref, after.revision) == (before.id, before.ref, 2)
    assert before.recall_asked_at is not None
    assert after.recall_asked_at is None
    assert after.title.startswith("ĐÍNH CHÍNH")


@pytest.mark.parametrize("kind", [BulletinKind.CORRECTION, BulletinKind.RECALL])
def test_what_is_put_right_in_writing_only_is_read_out_no_more(world: World, speakers: int, kind: BulletinKind) -> None:
    first = approved(world, aloud=aloud(world, speakers))
    run(world)
    follow_up(world, first, kind)
    [row] = told(world)
    assert row.recall_asked_at is not None


def test_who_stops_a_bulletin_stops_the_loudspeakers(world: World, speakers: int) -> None:
    number = approved(world, aloud=aloud(world, speakers))
    bulletins.stop(world.runtime, world.official("hoa"), number)
    [row] = told(world)
    assert row.recall_asked_at is not None


def test_loudspeakers_are_silenced_on_their_own_once(world: World, speakers: int) -> None:
    number = approved(world, aloud=aloud(world, speakers))
    bulletin_aloud.recall(world.runtime, world.official("hoa"), number)
    [row] = told(world)
    assert row.recall_asked_at is not None
    assert bulletin(world, number).stopped_at is None
    assert "bulletin.silenced" in [entry.action for entry in all_rows(world.runtime, AuditEntry)]
    with pytest.raises(AnnouncementError, match="không còn phát"):
        bulletin_aloud.recall(world.runtime, world.official("hoa"), number)


def test_its_page_asks_when_and_says_how_far_the_loudspeakers_are(world: World, speakers: int) -> None:
    tuan, hoa = Browser(world, "tuan"), Browser(world, "hoa")
    assert f'id="f-speaker-{speakers}"' in tuan.get(f"{HERE}/new").text
    number = submitted(world, aloud=aloud(world, speakers))
    assert "6h45, 17h00; " in hoa.get(f"{HERE}/{number}").text
    approve(world, number)
    page = hoa.get(f"{HERE}/{number}").text
    assert "Loa truyền thanh Đức Huệ" in page
    assert "Phát lúc 06:45, 17:00" in page
    hoa.post(f"{HERE}/{number}/silence")
    assert "Thu hồi trước khi phát." in hoa.get(f"{HERE}/{number}").text
    assert f"{HERE}/{number}/silence" not in hoa.get(f"{HERE}/{number}").text


def test_the_form_keeps_what_was_typed_for_the_loudspeakers(world: World, speakers: int) -> None:
    tuan = Browser(world, "tuan")
    until = (world.clock() + timedelta(days=3)).astimezone(VIETNAM).strftime("%Y-%m-%dT%H:%M")
    sent = {"title": "Cắt điện", "body": "Mai cắt điện.", "channel": [str(world.channel_id)], "valid_until": until}
    page = tuan.post(
        HERE, **sent, speaker=[str(speakers)], aloud_from=in_days(world, 1), aloud_hours="sớm mai", preview="1"
    ).text
    assert "Giờ phát chưa đọc được" in page
    assert 'value="sớm mai"' in page
    answer = tuan.post(HERE, **sent, speaker=[str(speakers)], aloud_from=in_days(world, 1), aloud_hours="6h45")
    number = int(answer.headers["Location"].rsplit("/", 1)[1])
    assert bulletin(world, number).aloud["hours"] == "6h45"


def limit(world: World, **settings: str) -> None:
    given = {f"loudspeaker_{name}": value for name, value in settings.items()}
    assert change_by(world.runtime, world.official("an"), given) == {}


def test_hours_beyond_what_the_commune_lets_loudspeakers_speak_are_refused(world: World, speakers: int) -> None:
    limit(world, sessions="2", minutes="15", weekdays="yes")
    approved(world, aloud=aloud(world, speakers, hours="6h45, 17h00"))
    number = a_bulletin(world, aloud=aloud(world, speakers, hours="11h00"))
    tried(world, number)
    with pytest.raises(AnnouncementError) as refused:
        submit(world, number)
    assert "nhiều nhất %(buoi)s buổi" in refused.value.sentence
    assert refused.value.values["buoi"] == 2
    form = Browser(world, "tuan").post(
        f"{HERE}/preview", title="Tin", body="Nội dung", channel=world.channel_id, speaker=speakers,
        aloud_from=in_days(world, 1).isoformat(), aloud_hours="11h00", valid_until="2026-10-20T17:00",
    )  # fmt: skip
    assert "phát loa nhiều nhất 2 buổi" in form.text


def test_a_weekend_is_refused_where_loudspeakers_are_silent_on_it(world: World, speakers: int) -> None:
    limit(world, weekdays="yes")
    number = a_bulletin(world, aloud=aloud(world, speakers, ends=in_days(world, 4)))
    tried(world, number)
    with pytest.raises(AnnouncementError, match="thứ Hai đến thứ Sáu"):
        submit(world, number)


def test_an_emergency_knows_no_limits(world: World, speakers: int) -> None:
    limit(world, sessions="1", minutes="1", weekdays="yes")
    approved(world, importance=Importance.EMERGENCY, aloud=Aloud((speakers,)))
    assert len(told(world)) == 1


def test_a_correction_may_take_the_hours_of_what_it_puts_right(world: World, speakers: int) -> None:
    limit(world, sessions="2")
    first = approved(world, aloud=aloud(world, speakers))
    number = bulletin_following.follow_up(world.runtime, world.official("tuan"), first, BulletinKind.CORRECTION)
    row = bulletin(world, number)
    again = bulletins.written_in(row)
    changed = type(again)(again.title, "Dời sang 8 giờ.", again.channel_ids, again.valid_until,
                          aloud=aloud(world, speakers))  # fmt: skip
    bulletins.edit(world.runtime, world.official("tuan"), number, version=row.version, written=changed)
    tried(world, number)
    submit(world, number)
    approve(world, number)
    assert [one.revision for one in told(world)] == [1, 2]


def test_what_warned_aloud_goes_on_and_ends_aloud(world: World, speakers: int) -> None:
    number = approved(world, importance=Importance.EMERGENCY, aloud=Aloud((speakers,)))
    run(world)
    approve(world, bulletin_following.repeat(world.runtime, world.official("tuan"), number, only_silent=False))
    run(world)
    assert [(row.bulletin_id is not None, row.recall_asked_at) for row in told(world)] == [(True, None)] * 2
    end = bulletin_following.follow_up(world.runtime, world.official("tuan"), number, BulletinKind.END)
    tried(world, end)
    submit(world, end)
    approve(world, end)
    last = told(world)[-1]
    assert last.bulletin_id == end
    assert "hết hiệu lực" in last.script.lower()
    assert (last.days, last.slots) == ([], [])
