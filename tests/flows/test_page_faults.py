"""Faults of the commune's own page: no provider can fail, but the database, the files and an impatient finger can."""

from __future__ import annotations

import io
import re
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from bot.stores import StoreAway
from bot.usecases import ledger, web_form
from bot.usecases.broadcast import expand_due
from bot.usecases.replies import Written, reply
from bot.usecases.sending import MANY, send_due
from storage.blobs import Blob
from storage.channels import Channel
from storage.contacts import Urn
from storage.deliveries import Delivery
from storage.enums import DeliveryKind, DeliveryState
from storage.messages import Attachment, InboundEvent, Message
from storage.tickets import Ticket
from tests.builders import World, all_rows
from tests.flows.commune import OF_FOLLOWERS
from tests.flows.faults import SENT, WAITING
from tests.usecases.looking import LIGHT, the_ticket
from tests.usecases.telling import BODY, approved
from tests.usecases.test_replies import a_photo
from tests.web.conftest import app, browser
from tests.web.pages import Browser
from tests.web.test_public import PAGE, citizen, said, work, written

__all__ = ["app", "browser", "citizen"]

ANSWER = "Xã đã cử người sửa đèn xóm 5."


@contextmanager
def away(world: World) -> Iterator[None]:
    """The database cannot be reached meanwhile."""
    database = world.runtime.database
    is_sqlite = database.is_sqlite
    nowhere = "sqlite:////nowhere/at/all.db" if is_sqlite else "postgresql+psycopg://nobody@127.0.0.1:9/none"
    real, database.engine = database.engine, sa.create_engine(nowhere)
    try:
        yield
    finally:
        database.engine.dispose()
        database.engine = real


def a_form(**more: object) -> dict[str, object]:
    """A form as it stands in the browser: sent again, it is the same one."""
    return {**written(), "link": web_form.new_link(), "once": secrets.token_urlsafe(12), **more}


def is_one_report(world: World) -> None:
    work(world)
    assert len(all_rows(world.runtime, InboundEvent)) == len(all_rows(world.runtime, Ticket)) == 1
    assert ledger.balance(world.runtime).problems == []


def test_a_form_sent_while_the_database_is_away_is_said_not_to_be_received(world: World, citizen: FlaskClient) -> None:
    form = a_form()
    with away(world):
        answer = citizen.post(PAGE, data=form)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "60")
    assert "chưa được tiếp nhận" in answer.text
    assert "không bị mất" not in answer.text
    assert all_rows(world.runtime, InboundEvent) == []
    assert citizen.post(PAGE, data=form).status_code == 303
    is_one_report(world)


def test_a_database_that_goes_away_in_between_leaves_nothing_half(
    world: World, citizen: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def photo() -> tuple[io.BytesIO, str]:
        return io.BytesIO(a_photo()), "anh.jpg"

    kept, form = web_form._kept, a_form()

    def kept_and_gone(*args: Any) -> Any:
        done = kept(*args)
        gone.__enter__()
        return done

    gone = away(world)
    with monkeypatch.context() as patch:
        patch.setattr(web_form, "_kept", kept_and_gone)
        answer = citizen.post(PAGE, data={**form, "photos": photo()})
    gone.__exit__(None, None, None)
    assert answer.status_code == 503
    assert "chưa được tiếp nhận" in answer.text
    assert all_rows(world.runtime, InboundEvent) == []
    assert citizen.post(PAGE, data={**form, "photos": photo()}).status_code == 303
    is_one_report(world)
    [attachment] = all_rows(world.runtime, Attachment)
    [blob] = all_rows(world.runtime, Blob)
    assert attachment.blob == blob.name, "the photo that was kept for nothing is this one"


def test_what_was_stored_though_the_answer_was_lost_is_one_report(
    world: World, citizen: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    form, store = a_form(), web_form._store

    def stored_and_gone(*args: Any) -> bool:
        store(*args)
        raise sa.exc.OperationalError("the connection is lost after the commit", {}, Exception())

    with monkeypatch.context() as patch:
        patch.setattr(web_form, "_store", stored_and_gone)
        assert citizen.post(PAGE, data=form).status_code == 503
    assert citizen.post(PAGE, data=form).status_code == 303
    is_one_report(world)


def test_while_files_cannot_be_kept_the_words_can(
    world: World, citizen: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def is_away(*_: object) -> None:
        raise StoreAway("tests")

    form = a_form()
    with monkeypatch.context() as patch:
        patch.setattr(world.runtime.blobs.store, "put", is_away)
        answer = citizen.post(PAGE, data={**form, "photos": (io.BytesIO(a_photo()), "anh.jpg")})
        assert answer.status_code == 422
        assert "gửi ngay bằng lời" in answer.text
        assert LIGHT in answer.text, "what was written stands in the form"
        assert f'value="{form["once"]}"' in answer.text
        assert all_rows(world.runtime, InboundEvent) == []
        assert citizen.post(PAGE, data=form).status_code == 303
    is_one_report(world)


def test_an_answer_is_sent_when_it_stands_on_the_page_and_read_when_it_was_shown(
    world: World, citizen: FlaskClient, browser: Callable[[str], Browser]
) -> None:
    address = citizen.post(PAGE, data=a_form()).headers["Location"]
    work(world)
    said(citizen, address)
    ticket = the_ticket(world)
    reply(
        world.runtime, world.official("lan"), ticket.id, version=ticket.version, token=secrets.token_hex(16),
        written=Written(ANSWER),
    )  # fmt: skip

    def seen() -> tuple[DeliveryState, bool, bool]:
        """Its state, whether the official's page says that it waits, and that it was read."""
        [one] = [d for d in all_rows(world.runtime, Delivery) if d.kind is DeliveryKind.REPLY]
        page = browser("lan").open(f"/tickets/{ticket.id}").html
        mine = page.partition(f'id="message-{one.message_id}"')[2].partition("</li>")[0]
        return one.state, "Đang chờ gửi" in mine, "Người dân đã xem" in mine

    assert seen() == (DeliveryState.WAITING, True, False)
    assert ANSWER not in said(citizen, address), "what waits is not on the page"
    work(world)
    assert seen() == (DeliveryState.SENT, False, False)
    with away(world):
        answer = citizen.get(address)
    assert answer.status_code == 503
    assert "không bị mất" in answer.text
    assert seen() == (DeliveryState.SENT, False, False), "a page that could not be shown was not read"
    assert ANSWER in said(citizen, address)
    assert seen() == (DeliveryState.READ, False, True)
    assert [m.text.count(ANSWER) for m in all_rows(world.runtime, Message) if ANSWER in m.text] == [1]


def test_an_announcement_is_sent_when_it_stands_on_the_page_and_read_when_it_was_shown(
    world: World, citizen: FlaskClient, browser: Callable[[str], Browser]
) -> None:
    address = citizen.post(PAGE, data=a_form()).headers["Location"]
    work(world)
    said(citizen, address)
    [page_id] = [one.id for one in all_rows(world.runtime, Channel) if one.type == "web_form"]
    with world.runtime.database.transaction() as session:
        session.execute(sa.update(Urn).where(Urn.channel_id == page_id).values(is_following=True))
    number = approved(replace(world, channel_id=page_id))
    expand_due(world.runtime)

    def seen() -> str:
        html = browser("hoa").open(f"/announcements/{number}").html
        [word] = re.findall(r'<p class="line">.*?<span class="badge[^>]*>(.*?)</span>', html, re.DOTALL)
        return str(word)

    assert seen() in OF_FOLLOWERS[WAITING]
    assert BODY not in said(citizen, address)
    send_due(world.runtime, MANY)
    assert seen() == OF_FOLLOWERS[SENT][0]
    with away(world):
        assert citizen.get(address).status_code == 503
    assert seen() == OF_FOLLOWERS[SENT][0], "a page that could not be shown was not read"
    assert said(citizen, address).count(BODY) == 1
    assert seen() == OF_FOLLOWERS[SENT][2]
