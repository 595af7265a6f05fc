"""The public list: who puts what on it, with whose yes; what everybody sees; and that it is gone at once."""

from __future__ import annotations

import secrets
import xml.etree.ElementTree as ET
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from adapters.messages import Withdrawal
from bot.usecases import publishing
from bot.usecases.citizens import take_withdrawal
from bot.usecases.communes import commune_book
from bot.usecases.publishing import Edited
from bot.usecases.replies import Written, reply
from bot.usecases.work import Work
from storage.audit import AuditEntry
from storage.channels import Channel
from storage.communes import Commune, Place
from storage.contacts import Conversation, Urn
from storage.enums import EventKind, TicketState
from storage.messages import InboundEvent
from storage.publications import PublicAnswer, Publication, Publicity
from storage.tickets import Ticket, TicketEvent
from tests.builders import World, all_rows
from tests.conftest import Clock
from tests.usecases.looking import BRIBE, LIGHT, RUBBISH, texts_of
from tests.usecases.test_replies import a_photo
from tests.web.pages import Browser, Page
from tests.web.test_public import PAGE, citizen, report, work

__all__ = ["citizen"]

Open = Callable[[str], Browser]
LIST = f"{PAGE}/da-giai-quyet"
SUMMARY, RESULT = "Đèn đường ở xóm 5 không sáng.", "Điện lực đã thay hai bóng đèn và kiểm tra cả tuyến."


@pytest.fixture
def is_on(world: World) -> None:
    """The commune has a public list."""
    switch(world, on=True)


def switch(world: World, *, on: bool) -> None:
    with world.runtime.database.transaction() as session:
        commune = session.get_one(Commune, world.commune_id)
        commune.settings = {**commune.settings, "public_list": on}


def change(world: World, table: type, **values: Any) -> None:
    with world.runtime.database.transaction() as session:
        session.execute(sa.update(table).values(**values))


def place(world: World, name: str) -> int:
    with world.runtime.database.reading() as session:
        return session.scalars(sa.select(Place.id).where(Place.name == name)).one()


def latest(world: World) -> Ticket:
    return max(all_rows(world.runtime, Ticket), key=lambda one: one.id)


def answered(world: World, client: FlaskClient, text: str = LIGHT) -> tuple[Ticket, str]:
    """A report by the commune's page that has its result; with the address of its talk."""
    address = report(world, client, text)
    ticket = latest(world)
    written = Written("Đã thay bóng đèn mới.", is_result=True, next_step="theo dõi thêm.", image=a_photo())
    token = secrets.token_hex(8)
    reply(world.runtime, world.official("mai"), ticket.id, version=ticket.version, token=token, written=written)
    work(world)
    return latest(world), address


def says(world: World, client: FlaskClient, address: str, words: str) -> None:
    client.post(address, data={"once": secrets.token_urlsafe(12), "choice": words})
    work(world)


def publish(world: World, ticket: Ticket, who: str = "lan", **changes: Any) -> None:
    """Preview and publish, the citizen having said yes."""
    edited = Edited(SUMMARY, RESULT, place(world, "Xóm 5"), **changes)
    official = world.official(who)
    edited, sign, _ = publishing.preview(world.runtime, official, ticket.id, edited)
    version = latest_of(world, ticket).version
    publishing.publish(world.runtime, official, ticket.id, version=version, edited=edited, sign=sign)


def latest_of(world: World, ticket: Ticket) -> Ticket:
    with world.runtime.database.reading() as session:
        return session.get_one(Ticket, ticket.id)


def public(world: World, client: FlaskClient, **changes: Any) -> tuple[Ticket, str]:
    """A result that stands on the list."""
    ticket, address = answered(world, client)
    says(world, client, address, f"công khai {ticket.code}")
    publish(world, ticket, **changes)
    return latest_of(world, ticket), address


def seen(client: FlaskClient, address: str = LIST, status: int = 200) -> str:
    answer = client.get(address)
    assert answer.status_code == status, answer.text
    assert "Set-Cookie" not in answer.headers
    assert len(answer.data) < 100_000
    if status == 200 and answer.mimetype == "text/html":
        Page(answer.text).inspect()
    return answer.text


# ---- the way there --------------------------------------------------------------------------------------------------


def test_without_the_switch_there_is_no_list_and_nothing_to_publish(
    world: World, citizen: FlaskClient, browser: Open
) -> None:
    ticket, _ = answered(world, citizen)
    for address in (LIST, f"{LIST}.atom", f"{LIST}/1", f"{LIST}/1/anh"):
        assert citizen.get(address).status_code == 404
    assert "da-giai-quyet" not in citizen.get(PAGE).text
    lan = browser("lan")
    assert f"/tickets/{ticket.id}/publication" not in lan.open(f"/tickets/{ticket.id}").links
    assert "chưa mở danh sách" in lan.open(f"/tickets/{ticket.id}/publication").text


@pytest.mark.usefixtures("is_on")
def test_an_official_previews_asks_and_publishes_with_the_citizens_yes(
    world: World, citizen: FlaskClient, browser: Open
) -> None:
    ticket, address = answered(world, citizen)
    lan, here = browser("lan"), f"/tickets/{ticket.id}/publication"
    assert here in lan.open(f"/tickets/{ticket.id}").links
    page = lan.open(here)
    form = page.form(here)
    assert LIGHT not in form.fields["summary"]
    assert form.fields["result"] == "Đã thay bóng đèn mới."
    filled = {"summary": SUMMARY, "result": RESULT, "place": str(place(world, "Xóm 5"))}
    page = lan.send(form, **filled, what="preview")
    assert "Người dân sẽ thấy như sau" in page.text
    assert "Công khai đúng như trên" not in page.text
    page = lan.send(page.form(here, summary=SUMMARY), what="ask")
    assert "Đã hỏi ý kiến" in page.text
    work(world)
    (asked,) = texts_of(world, "publish_ask")
    assert SUMMARY in asked
    assert ticket.code in asked
    page = lan.send(page.form(here), **filled, what="preview")
    assert "Công khai đúng như trên" not in page.text, "asked is not agreed"
    says(world, citizen, address, f"Đồng ý công khai {ticket.code}")
    page = lan.send(lan.open(here).form(here), **filled, what="preview")
    page = lan.send(page.form(here, summary=SUMMARY), what="publish")
    assert "Đang công khai từ" in page.text
    shown = seen(citizen)
    assert SUMMARY in shown
    assert RESULT in shown
    assert "Xóm 5" in shown
    assert ticket.code not in shown
    kinds = [
        e.kind for e in all_rows(world.runtime, TicketEvent) if e.kind in {EventKind.PUBLICITY, EventKind.PUBLISHED}
    ]
    assert kinds == [EventKind.PUBLICITY, EventKind.PUBLICITY, EventKind.PUBLISHED]
    assert "publication.published" in {entry.action for entry in all_rows(world.runtime, AuditEntry)}


@pytest.mark.usefixtures("is_on")
def test_silence_is_no_consent(world: World, citizen: FlaskClient) -> None:
    ticket, _ = answered(world, citizen)
    publishing.ask(
        world.runtime, world.official("lan"), ticket.id, version=ticket.version, edited=Edited(SUMMARY, RESULT)
    )
    with pytest.raises(publishing.NotAllowed) as refused:
        publish(world, ticket)
    assert refused.value.code == "no_consent"
    assert all_rows(world.runtime, Publication) == []


@pytest.mark.usefixtures("is_on")
def test_what_was_not_previewed_is_not_published(world: World, citizen: FlaskClient) -> None:
    ticket, address = answered(world, citizen)
    says(world, citizen, address, f"công khai {ticket.code}")
    lan = world.official("lan")
    edited, sign, _ = publishing.preview(world.runtime, lan, ticket.id, Edited(SUMMARY, RESULT))
    other = Edited(SUMMARY, RESULT + " Và hơn thế.")
    version = latest_of(world, ticket).version
    with pytest.raises(publishing.NotAllowed) as refused:
        publishing.publish(world.runtime, lan, ticket.id, version=version, edited=other, sign=sign)
    assert refused.value.code == "preview_first"
    assert latest_of(world, ticket).version == version
    publishing.publish(world.runtime, lan, ticket.id, version=version, edited=edited, sign=sign)


@pytest.mark.usefixtures("is_on")
@pytest.mark.parametrize(
    ("summary", "result", "shown"),
    [
        (SUMMARY, "Đã gọi chị Nguyễn Thị Hoa và thay bóng đèn.", "Nguyễn Thị Hoa"),
        (SUMMARY, "Đã thay bóng đèn, cần thêm xin gọi 0912345678.", "0912345678"),
        ("Đèn đường trước nhà bà Sáu không sáng.", RESULT, "nhà bà Sáu"),
        (LIGHT, RESULT, "chép nguyên lời"),
    ],
)
def test_words_that_tell_of_somebody_are_refused_with_the_place(
    world: World, citizen: FlaskClient, browser: Open, summary: str, result: str, shown: str
) -> None:
    ticket, _ = answered(world, citizen)
    lan, here = browser("lan"), f"/tickets/{ticket.id}/publication"
    page = lan.send(lan.open(here).form(here), status=422, summary=summary, result=result, what="preview")
    assert shown in " ".join(page.alerts)
    assert page.form(here).fields["summary"] == summary, "what was typed is kept"


@pytest.mark.usefixtures("is_on")
def test_no_place_nearer_than_a_village_is_offered_or_taken(world: World, citizen: FlaskClient, browser: Open) -> None:
    ticket, _ = answered(world, citizen)
    school = place(world, "Trường Tiểu học Lê Lợi")
    page = browser("lan").open(f"/tickets/{ticket.id}/publication")
    assert "Xóm 5" in page.text
    assert "Trường Tiểu học Lê Lợi" not in page.text
    with pytest.raises(publishing.NotAllowed) as refused:
        publishing.preview(world.runtime, world.official("lan"), ticket.id, Edited(SUMMARY, RESULT, school))
    assert refused.value.code == "place"


@pytest.mark.usefixtures("is_on")
@pytest.mark.parametrize(("who", "status"), [("lan", 200), ("mai", 200), ("hung", 403), ("hoa", 403), ("an", 403)])
def test_who_decides_what_is_public(world: World, citizen: FlaskClient, browser: Open, who: str, status: int) -> None:
    ticket, _ = answered(world, citizen)
    change(world, Ticket, official_id=world.officials["hung"])
    assert browser(who).client.get(f"/tickets/{ticket.id}/publication").status_code == status


@pytest.mark.usefixtures("is_on")
def test_what_is_sealed_has_no_such_page_even_for_a_leader(world: World, citizen: FlaskClient, browser: Open) -> None:
    report(world, citizen, BRIBE)
    ticket = latest(world)
    assert ticket.is_sealed
    assert browser("mai").client.get(f"/tickets/{ticket.id}/publication").status_code == 403
    assert browser("lan").client.get(f"/tickets/{ticket.id}/publication").status_code == 404


@pytest.mark.usefixtures("is_on")
def test_an_official_writes_down_what_the_citizen_said_on_the_telephone(
    world: World, citizen: FlaskClient, browser: Open
) -> None:
    ticket, _ = answered(world, citizen)
    lan, here = browser("lan"), f"/tickets/{ticket.id}/publication"
    lan.send(lan.open(here).form(f"{here}/consent"), how="phone", agreed="yes")
    (row,) = all_rows(world.runtime, Publicity)
    assert (row.answer, row.how, row.official_id) == (PublicAnswer.AGREED, "phone", world.officials["lan"])
    publish(world, ticket)
    lan.send(lan.open(here).form(f"{here}/consent"), how="phone", agreed="no")
    assert SUMMARY not in seen(citizen)


# ---- what everybody sees --------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("is_on")
def test_a_photo_stands_there_only_when_it_was_ticked(world: World, citizen: FlaskClient) -> None:
    ticket, _ = public(world, citizen)
    (row,) = all_rows(world.runtime, Publication)
    assert "<img" not in seen(citizen)
    assert citizen.get(f"{LIST}/{row.id}/anh").status_code == 404
    publish(world, ticket, has_photo=True)
    assert "<img" in seen(citizen)
    photo = citizen.get(f"{LIST}/{row.id}/anh")
    assert (photo.status_code, photo.mimetype) == (200, "image/jpeg")


@pytest.mark.usefixtures("is_on")
def test_the_list_is_for_search_engines_and_copies_are_asked_again(world: World, citizen: FlaskClient) -> None:
    public(world, citizen)
    answer = citizen.get(LIST)
    assert "X-Robots-Tag" not in answer.headers
    assert answer.headers["Cache-Control"] == "public, no-cache"
    again = citizen.get(LIST, headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    for words in ('property="og:title"', 'itemtype="https://schema.org/Article"', 'rel="canonical"', "<main>"):
        assert words in answer.text
    (row,) = all_rows(world.runtime, Publication)
    assert RESULT in seen(citizen, f"{LIST}/{row.id}")
    assert f"/da-giai-quyet/{row.id}</loc>" in citizen.get("/sitemap.xml").text
    robots = citizen.get("/robots.txt").text
    assert "Disallow: /\n" in robots
    assert "Allow: /phan-anh/*/da-giai-quyet" in robots
    assert citizen.get(PAGE).headers["X-Robots-Tag"] == "noindex"


@pytest.mark.usefixtures("is_on")
def test_the_feed_is_atom(world: World, citizen: FlaskClient) -> None:
    empty = ET.fromstring(citizen.get(f"{LIST}.atom").text)
    public(world, citizen)
    answer = citizen.get(f"{LIST}.atom")
    assert answer.content_type.startswith("application/atom+xml")
    name = "{http://www.w3.org/2005/Atom}"
    feed = ET.fromstring(answer.text)
    assert empty.findall(f"{name}entry") == []
    assert [entry.findtext(f"{name}title") for entry in feed.findall(f"{name}entry")] == [SUMMARY]


@pytest.mark.usefixtures("is_on")
def test_a_rehearsal_is_in_no_index(world: World, citizen: FlaskClient) -> None:
    public(world, citizen)
    change(world, Commune, is_demo=True)
    assert citizen.get(LIST).headers["X-Robots-Tag"] == "noindex"
    assert "da-giai-quyet" not in citizen.get("/sitemap.xml").text


@pytest.mark.usefixtures("is_on")
def test_it_is_read_page_by_page_by_subject_and_village(world: World, citizen: FlaskClient) -> None:
    public(world, citizen)
    other, address = answered(world, citizen, RUBBISH)
    says(world, citizen, address, f"công khai {other.code}")
    edited, sign, _ = publishing.preview(
        world.runtime, world.official("mai"), other.id, Edited("Rác ở chợ không ai thu gom.", RESULT)
    )
    version = latest_of(world, other).version
    publishing.publish(world.runtime, world.official("mai"), other.id, version=version, edited=edited, sign=sign)
    assert "Rác ở chợ" in seen(citizen)
    assert SUMMARY in seen(citizen)
    assert SUMMARY not in seen(citizen, f"{LIST}?linh-vuc={other.topic}")
    assert "Rác ở chợ" not in seen(citizen, f"{LIST}?thon={place(world, 'Xóm 5')}")
    newest = max(row.id for row in all_rows(world.runtime, Publication))
    assert "Rác ở chợ" not in seen(citizen, f"{LIST}?truoc={newest}")
    for wrong in ("linh-vuc=x", "thon=x", f"truoc={'9' * 30}"):
        assert citizen.get(f"{LIST}?{wrong}").status_code == 404


@pytest.mark.usefixtures("is_on")
def test_the_months_figures_stand_beside_their_definitions(world: World, citizen: FlaskClient) -> None:
    ticket, address = public(world, citizen)
    report(world, citizen, BRIBE)
    says(world, citizen, address, f"DG {ticket.code} 3")
    shown = " ".join(Page(seen(citizen)).text.split())
    assert "Tiếp nhận: số phản ánh nhận trong tháng 1 " in shown, "what is sealed is not counted"
    assert "Đúng hạn: trả lời trước hạn ÷ đã trả lời 100% (1/1)" in shown
    assert "Hài lòng hoặc chấp nhận ÷ số người đã đánh giá trong tháng 100% (1/1)" in shown


@pytest.mark.usefixtures("is_on")
def test_a_full_page_is_light_and_leads_on(world: World, citizen: FlaskClient) -> None:
    from tests.usecases.test_month_book import a_ticket

    for _ in range(25):
        number = a_ticket(world, state=TicketState.ANSWERED, answered_at=world.clock())
        with world.runtime.database.transaction() as session:
            session.add(
                Publicity(commune_id=world.commune_id, ticket_id=number, answer=PublicAnswer.AGREED, how="desk",
                          at=world.clock())
            )  # fmt: skip
            session.add(
                Publication(commune_id=world.commune_id, ticket_id=number, summary="Đ" * 300, result="ô" * 1_500,
                            published_at=world.clock(), published_by_id=world.officials["lan"])
            )  # fmt: skip
    first = Page(seen(citizen))
    (more,) = [link for link in first.links if "truoc=" in link]
    assert seen(citizen).count("<article") == 20
    assert seen(citizen, more).count("<article") == 5


# ---- gone at once ---------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("is_on")
@pytest.mark.parametrize(
    "how",
    ["official", "citizen", "consent back", "erased", "sealed", "restricted", "spam", "reopened", "topic", "switch"],
)
def test_what_may_not_stand_there_any_more_is_gone_at_once(
    world: World, citizen: FlaskClient, how: str, browser: Open, clock: Clock
) -> None:
    ticket, address = public(world, citizen, has_photo=True)
    (row,) = all_rows(world.runtime, Publication)
    kept = citizen.get(LIST).headers["ETag"]
    if how == "official":
        lan, here = browser("lan"), f"/tickets/{ticket.id}/publication"
        lan.send(lan.open(here).form(f"{here}/withdrawal"))
    elif how == "citizen":
        assert f"không công khai {ticket.code}" in citizen.get(f"{address}/tien-do").text
        says(world, citizen, address, f"không công khai {ticket.code}")
    elif how == "consent back":
        says(world, citizen, address, "không cho lưu thông tin của tôi")
    elif how == "erased":
        erase(world)
    elif how == "reopened":
        says(world, citizen, address, f"chưa xong {ticket.code}")
    elif how == "switch":
        switch(world, on=False)
    else:
        changes: dict[str, dict[str, Any]] = {
            "sealed": {"is_sealed": True}, "restricted": {"is_restricted": True}, "spam": {"is_spam": True},
            "topic": {"topic": "to-cao-tham-nhung"},
        }  # fmt: skip
        change(world, Ticket, **changes[how])
    again = citizen.get(LIST, headers={"If-None-Match": kept})
    assert again.status_code == (404 if how == "switch" else 200)
    assert SUMMARY not in again.text
    for one in (f"{LIST}/{row.id}", f"{LIST}/{row.id}/anh"):
        assert citizen.get(one).status_code == 404
    assert SUMMARY not in citizen.get(f"{LIST}.atom").text
    assert f"/{row.id}</loc>" not in citizen.get("/sitemap.xml").text
    if how == "erased":
        (row,) = all_rows(world.runtime, Publication)
        assert (row.summary, row.result) == ("", "")


def erase(world: World) -> None:
    """The writer has their data erased."""
    with world.runtime.database.transaction() as session:
        talk = session.scalars(sa.select(Conversation)).one()
        urn = session.get_one(Urn, talk.urn_id)
        event = session.scalars(sa.select(InboundEvent).order_by(InboundEvent.id)).first()
        assert event is not None
        channel = session.get_one(Channel, event.channel_id)
        book = commune_book(session, world.commune_id)
        take_withdrawal(
            Work(world.runtime, session, channel, book, event, world.clock(), set()),
            Withdrawal(urn.value, world.clock()),
        )


@pytest.mark.usefixtures("is_on")
def test_what_was_sealed_once_is_never_published(world: World, citizen: FlaskClient) -> None:
    from bot.usecases import tickets

    ticket, address = answered(world, citizen)
    mai = world.official("mai")
    tickets.seal(world.runtime, mai, ticket.id, version=ticket.version, reason="nghi có lời tố cáo trong ảnh")
    tickets.unseal(
        world.runtime, mai, ticket.id, version=latest_of(world, ticket).version, reason="đã xem, không phải tố cáo"
    )
    says(world, citizen, address, f"công khai {ticket.code}")
    with pytest.raises(publishing.NotAllowed) as refused:
        publish(world, ticket)
    assert refused.value.code == "never_public"


@pytest.mark.usefixtures("is_on")
def test_another_commune_shows_nothing_of_ours(world: World, citizen: FlaskClient) -> None:
    from bot.usecases.setup import add_channel, add_commune

    public(world, citizen)
    with world.runtime.database.reading() as session:
        code = session.scalar(
            sa.text("SELECT code FROM localities WHERE level = 'commune' AND code <> '27925' ORDER BY code LIMIT 1")
        )
    add_commune(world.runtime, code=str(code), slug="xa-ben", settings={"public_list": True})
    add_channel(
        world.runtime, commune="xa-ben", type="web_form", slug="xa-ben-online", name="Trang", settings={}, secrets={}
    )
    (row,) = all_rows(world.runtime, Publication)
    theirs = "/phan-anh/xa-ben-online/da-giai-quyet"
    assert SUMMARY not in seen(citizen, theirs)
    assert citizen.get(f"{theirs}/{row.id}").status_code == 404


@pytest.mark.usefixtures("is_on")
def test_a_wish_without_a_code_means_what_was_asked_or_asks_for_the_code(world: World, citizen: FlaskClient) -> None:
    ticket, address = answered(world, citizen)
    says(world, citizen, address, "KCK")
    assert len(texts_of(world, "publish_nothing")) == 1
    publishing.ask(
        world.runtime, world.official("lan"), ticket.id, version=latest_of(world, ticket).version,
        edited=Edited(SUMMARY, RESULT),
    )  # fmt: skip
    says(world, citizen, address, "CK")
    (row,) = all_rows(world.runtime, Publicity)
    assert row.answer is PublicAnswer.AGREED
