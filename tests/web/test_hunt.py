"""The canary: sealed words, planted by every way in and hunted for everywhere they must not be (domain §8.2)."""

from __future__ import annotations

import io
import itertools
import json
import random
import re
import secrets
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import pytest
import structlog
from flask import Flask
from PIL import Image

from bot import jobs
from bot.queue import RedisNudge
from bot.usecases import bulk, chain, comparing, drafts, intake, ledger, lessons, sealed_files, sweep
from bot.usecases.bulk_preview import Wish
from bot.usecases.erasing import erase_let_go
from bot.usecases.media import fetch_due
from bot.usecases.replies import Written, reply
from bot.usecases.sending import PERSONAL, send_due
from bot.usecases.setup import add_channel
from bot.usecases.tickets import add_note, seal, set_place, unseal
from storage.audit import AuditEntry
from storage.bulk import BulkRun
from storage.channels import Channel
from storage.communes import Commune
from storage.deliveries import Delivery
from storage.drafts import DraftKind
from storage.enums import AttachmentState, BulkDeed, Role
from storage.messages import Attachment, Message
from storage.sealing import Seals
from storage.tickets import Ticket
from tests.bots import HOA, Bot, a_bot
from tests.builders import World, all_rows
from tests.conftest import Clock
from tests.hunting import at_rest, found_in, in_redis
from tests.servers import redis_or_skip
from tests.sms import an_sms_channel, texts
from tests.web.pages import Browser
from tests.web.test_who_sees_what import official

CANARY, NAME, ASIDE = "bachtuyetcanary", "Ngọc Kỳ Lân", "quán Gió Đông Bắc"
# Whole walks over all pages: minutes on a busy machine.
pytestmark = pytest.mark.timeout(400)

NEEDLES = (CANARY, NAME, ASIDE, "Lân nhận phong bì")
ON_ZALO = f"Tôi tố cáo ông {NAME} {CANARY} cán bộ địa chính, ông Lân nhận phong bì hối lộ hai mươi triệu của dân"
FOLLOWED = f"tôi có ảnh chụp ở {ASIDE} làm bằng chứng, giữ kín giúp tôi"
BY_SMS = f"TO CAO ong {CANARY} dia chinh voi tien dan 20tr moi lam so do"
ON_THE_PAGE = f"Tố cáo bà {NAME} {CANARY} ăn chặn tiền hỗ trợ của hộ nghèo"
BY_HAND = f"Đèn đường trước nhà ông {CANARY} hỏng ba hôm rồi, hỏi {NAME} ở {ASIDE} là biết"
EDITED = f"Tôi tố cáo bà {NAME} {CANARY} nhận tiền làm sổ đỏ, ông Lân nhận phong bì"
EDITED_AGAIN = f"{EDITED}, ở {ASIDE}"
LINKED_ONE = "3000000000000000044"
ON_ANOTHER = f"Tố cáo ông {NAME} {CANARY} nhận hối lộ, gặp nhau ở {ASIDE}"
OPEN_WORDS = "Rác ở chợ Đình không ai thu gom, hỏi bà thocanary là biết"
PAGE = "/phan-anh/duc-hue-online"


@dataclass
class Planted:
    """The world with its secrets; `photo`: bytes of the picture that came with one; `logged`: all that was logged."""

    world: World
    app: Flask
    photo: bytes
    logged: list[object] = field(default_factory=list)
    addresses: list[str] = field(default_factory=list)


def a_noisy_photo() -> bytes:
    out = io.BytesIO()
    noise = random.Random(7).randbytes(64 * 48 * 3)
    Image.frombytes("RGB", (64, 48), noise).save(out, "JPEG", quality=90)
    return out.getvalue()


def settle(world: World, clock: Clock) -> None:
    """What workers and the sweep do, until nothing is left to do."""
    intake.drain(world.runtime)
    send_due(world.runtime, PERSONAL)
    fetch_due(world.runtime)
    comparing.compare_due(world.runtime)
    sealed_files.settle_due(world.runtime)
    clock.move(minutes=3)
    erase_let_go(world.runtime)
    chain.extend(world.runtime)
    sweep.waiting_jobs(world.runtime)
    world.runtime.database.forget_traces()


@pytest.fixture
def planted(world: World, clock: Clock, app: Flask, capsys: pytest.CaptureFixture[str]) -> Planted:
    """Secrets said on Zalo, by SMS and on the page, with a photo and its name; and a report sealed by hand later."""
    runtime = world.runtime
    add_channel(
        runtime, commune="duc-hue", type="web_form", slug="duc-hue-online", name="Trang", settings={}, secrets={}
    )
    sms = an_sms_channel(world)
    official(world, "dao", world.commune_id, Role.SEALED_READER, agency="tiep-cong-dan")
    official(world, "soan", world.commune_id, Role.AUTHOR)
    official(world, "duyet", world.commune_id, Role.APPROVER)
    found = Planted(world, app, a_noisy_photo())
    with structlog.testing.capture_logs() as logged:
        world.says(ON_ZALO)
        settle(world, clock)
        world.says(FOLLOWED)
        texts(world, sms, BY_SMS)
        citizen = app.test_client(use_cookies=False)
        for words in (ON_THE_PAGE, BY_HAND, OPEN_WORDS):
            photos = (
                io.BytesIO(found.photo + words.encode()),
                f"{CANARY}-don.jpg" if words != OPEN_WORDS else "rac.jpg",
            )
            sent = citizen.post(PAGE, data={"text": words, "once": secrets.token_urlsafe(12), "photos": photos})
            assert sent.status_code == 303, sent.text
            found.addresses.append(sent.headers["Location"])
            settle(world, clock)
        _work_on_them(world, clock)
        settle(world, clock)
    found.logged = [*logged]
    out = capsys.readouterr()
    found.logged.append(out.out + out.err)
    return found


@pytest.fixture
def planted_wider(planted: Planted, clock: Clock, capsys: pytest.CaptureFixture[str]) -> Planted:
    """And on Telegram, by edits and by a citizen whom a code joined to their Zalo."""
    bot = a_bot(planted.world)
    with structlog.testing.capture_logs() as logged:
        _edited_and_linked(planted.world, bot, clock)
    out = capsys.readouterr()
    planted.logged += [*logged, out.out + out.err]
    return planted


def _edited_and_linked(world: World, bot: Bot, clock: Clock) -> None:
    """On Telegram an ordinary report is put right into a secret, twice; another citizen, who is known on Zalo by a
    code, tells a secret there and asks on Zalo what is kept and where it stands."""
    said = bot.says("Đèn đường xóm 7 hỏng mấy hôm nay", who=HOA)
    settle(world, clock)
    for words in (EDITED, EDITED_AGAIN):
        bot.edits(said, words)
        settle(world, clock)
    world.says("liên kết", user=LINKED_ONE)
    settle(world, clock)
    told = next(m.text for m in all_rows(world.runtime, Message) if m.template == "link_code")
    (code,) = re.findall(r"LK (\d{4} \d{4})", told)
    bot.says(f"LK {code}", who=HOA + 1)
    settle(world, clock)
    bot.says(ON_ANOTHER, who=HOA + 1)
    settle(world, clock)
    for words in ("dữ liệu của tôi", "tra cứu", "hủy liên kết"):
        world.says(words, user=LINKED_ONE)
        settle(world, clock)


def _work_on_them(world: World, clock: Clock) -> None:
    """Officials note and answer; the ordinary report gets words everywhere before somebody seals it."""
    by_hand = ticket_with(world, BY_HAND)
    lan, mai = world.official("lan"), world.official("mai")
    set_place(world.runtime, lan, by_hand.id, version=by_hand.version, place_id=None, words=ASIDE)
    add_note(world.runtime, lan, by_hand.id, version=version_of(world, by_hand), text=f"Đã gọi {NAME}.")
    _reply(world, "lan", by_hand, f"Chào ông/bà, xã đã hỏi {NAME} {CANARY}.")
    settle(world, clock)
    _can_undo(world, 10)
    _reply(world, "lan", by_hand, f"Xã hẹn gặp {NAME}.")  # still waits in the house when it is sealed
    _can_undo(world, 0)
    for kind in DraftKind:
        _write(world, "lan", by_hand, kind)
    _in_bulk(world, by_hand)
    seal(world.runtime, lan, by_hand.id, version=version_of(world, by_hand), reason=f"Có tên {NAME}, sợ lộ người báo")
    on_zalo = ticket_with(world, ON_ZALO)
    _reply(world, "mai", on_zalo, f"Xã mời ông/bà gặp riêng về việc {NAME} {CANARY}.")
    add_note(world.runtime, mai, on_zalo.id, version=version_of(world, on_zalo), text=f"Hẹn gặp ở {ASIDE}.")
    for kind in DraftKind:
        _write(world, "mai", on_zalo, kind)


def _in_bulk(world: World, ticket: Ticket) -> None:
    """A run in which it was, and in which it is no more for who began it."""
    wish = Wish(BulkDeed.TOPIC, (ticket.id,), topic="chieu-sang")
    number = bulk.begin(world.runtime, world.official("lan"), "a-form", wish, {ticket.id: version_of(world, ticket)})
    bulk.carry_on(world.runtime, world.official("lan"), number)


def _can_undo(world: World, seconds: int) -> None:
    with world.runtime.database.transaction() as session:
        commune = session.get_one(Commune, world.commune_id)
        commune.settings = {**commune.settings, "undo_seconds": seconds}


def _write(world: World, who: str, ticket: Ticket, kind: DraftKind) -> None:
    words, more = f"Đã hỏi {NAME} {CANARY}", {"next_step": f"gặp ở {ASIDE}"}
    drafts.save(world.runtime, world.official(who), ticket.id, kind, text=words, fields=more)


def _reply(world: World, who: str, ticket: Ticket, words: str) -> None:
    reply(
        world.runtime,
        world.official(who),
        ticket.id,
        version=version_of(world, ticket),
        token=secrets.token_hex(16),
        written=Written(words),
    )


def ticket_with(world: World, words: str) -> Ticket:
    """The ticket in which these words were said."""
    (number,) = {m.ticket_id for m in all_rows(world.runtime, Message) if m.text == words}
    return next(t for t in all_rows(world.runtime, Ticket) if t.id == number)


def a_sealed_photo(world: World) -> Attachment:
    """The photo that came with the denunciation on the page."""
    said = {m.id for m in all_rows(world.runtime, Message) if m.text == ON_THE_PAGE}
    return next(a for a in all_rows(world.runtime, Attachment) if a.message_id in said)


def version_of(world: World, ticket: Ticket) -> int:
    return next(t.version for t in all_rows(world.runtime, Ticket) if t.id == ticket.id)


def test_nothing_of_it_stands_at_rest(planted_wider: Planted) -> None:
    planted = planted_wider
    world = planted.world
    sealed = [t for t in all_rows(world.runtime, Ticket) if t.is_sealed]
    assert len(sealed) >= 6
    kept = at_rest(world)
    assert {where: found for where, data in kept.items() if (found := found_in(data, NEEDLES))} == {}
    inside = planted.photo[300:364]
    assert sum(inside in data for data in kept.values()) == 1, "only the photo of the ordinary report is readable"
    # The same hunt finds what is not sealed: in its rows, in the event that waits no more it is locked as well.
    places = {where.split()[0] for where, data in kept.items() if found_in(data, ["thocanary"])}
    assert {"messages", "tickets"} <= places
    assert ("haichieu.db" in places) is world.runtime.database.is_sqlite
    assert "inbound_events" not in places


@pytest.mark.redis
def test_nothing_of_it_stands_in_redis(planted_wider: Planted, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """What rang so far rings through a real Redis, and its worker takes in, answers and settles one more secret."""
    nudge = RedisNudge(redis_or_skip(7), prefix=f"test-hunt-{secrets.token_hex(6)}")
    world = planted_wider.world
    monkeypatch.setattr(jobs, "_runtime", replace(world.runtime, nudge=nudge))
    try:
        for job in (*world.runtime.nudge.jobs, *jobs.JOBS):  # type: ignore[attr-defined]
            nudge(job)
        nudge.connection.hset(f"{nudge.prefix}:control", "said", zlib.compress(OPEN_WORDS.encode()))
        waiting = in_redis(nudge.connection)
        world.says(ON_ANOTHER, user=LINKED_ONE)
        clock.move(minutes=3)
        jobs._rq_worker(nudge, list(jobs.JOBS)).work(burst=True, logging_level="ERROR")
        done = in_redis(nudge.connection)
    finally:
        for key in nudge.connection.scan_iter(f"*{nudge.prefix}*"):
            nudge.connection.delete(key)
    assert ON_ANOTHER in [m.text for m in all_rows(world.runtime, Message) if m.is_sealed]
    assert any(f"rq:queue:{nudge.prefix}" in key for key in waiting)
    assert any(found_in(part, ["thocanary"]) for part in waiting[f"{nudge.prefix}:control"])
    for kept in (waiting, done):
        assert {key: found for key, parts in kept.items() for part in parts if (found := found_in(part, NEEDLES))} == {}


def test_no_page_and_no_export_shows_it_to_whom_it_does_not_concern(planted: Planted) -> None:
    paths = list(every_path(planted))
    assert len(paths) > 150
    control = walked(planted, ("lan", "hung", "tuan", None), paths)
    ordinary = ticket_with(planted.world, OPEN_WORDS)
    assert {("lan", "/tickets?view=all"), ("lan", f"/tickets/{ordinary.id}")} <= control


def test_nor_to_those_who_work_with_no_tickets(planted: Planted) -> None:
    """Authors, approvers and administrators, each with that role alone."""
    walked(planted, ("hoa", "an", "soan", "duyet"), list(every_path(planted)))


def test_nor_what_was_edited_into_it_or_told_on_a_linked_channel(planted_wider: Planted) -> None:
    paths = [path for path in every_path(planted_wider) if len(re.findall(r"\d+", path)) <= 1]
    assert any(path.startswith("/contacts/") for path in paths)
    control = walked(planted_wider, ("lan", "soan", "duyet"), paths)
    assert ("lan", "/tickets?view=all") in control


def walked(planted: Planted, officials: tuple[str | None, ...], paths: list[str]) -> set[tuple[str | None, str]]:
    """Ask for every path as each of them; gives where the words of the ordinary report were found."""
    control = set()
    for who in officials:
        client = Browser(planted.world, planted.app).sign_in(who).client if who else planted.app.test_client()
        for path in paths:
            answer = client.get(path)  # wherever it leads on to is asked for, too
            assert answer.status_code < 500, (who, path)
            assert found_in(answer.data, NEEDLES) == [], (who, path)
            if found_in(answer.data, ["thocanary"]):
                control.add((who, path))
    return control


def test_a_search_for_it_finds_nothing_for_anybody(planted: Planted) -> None:
    world = planted.world
    codes = [t.code for t in all_rows(world.runtime, Ticket) if t.is_sealed]
    for who, words in itertools.product(("lan", "hung", "an", "mai", "dao"), (*NEEDLES, "Ngoc Ky Lan", "phong bi")):
        answer = (
            Browser(world, planted.app)
            .sign_in(who)
            .client.get("/tickets", query_string={"view": "all", "q": words}, follow_redirects=True)
        )
        assert [code for code in codes if code in answer.text] == [], (who, words)


def every_path(planted: Planted) -> Iterator[str]:
    """Every address of the application that can be asked for, with every number and word that fits it."""
    world = planted.world
    kinds = (Ticket, Message, Attachment, Delivery, Channel, BulkRun)
    numbers = [str(n) for n in sorted({row.id for kind in kinds for row in all_rows(world.runtime, kind)})]
    words = {
        "slug": ["duc-hue-online"], "lang": ["vi"], "key": ["ack"], "link": ["x"], "token": ["x"], "code": ["x"],
        "filename": ["inbox.css"], "year": ["2026"], "month": ["10"], "line": ["1"], "paper": ["1", "2"],
    }  # fmt: skip
    for rule in planted.app.url_map.iter_rules():
        if "GET" not in (rule.methods or ()):
            continue
        names = sorted(rule.arguments)
        fitting = [words.get(name, numbers) for name in names]
        # An announcement belongs to no report: of two numbers below it, each one once is enough.
        is_told = rule.rule.startswith("/announcements") and len(names) > 1
        for values in zip(*fitting, strict=False) if is_told else itertools.product(*fitting):
            with planted.app.test_request_context():
                yield planted.app.url_for(rule.endpoint, **dict(zip(names, values, strict=True)))
    yield from ("/tickets?view=all", "/tickets?view=spam", "/quality?days=30", "/tickets?view=all&q=PA26")
    yield from (
        "/map?view=all",
        "/map/tickets.json?view=all",
        "/tickets?view=all&figure=open",
        "/tickets?view=all&topic=to-cao",
    )


def test_the_link_of_who_told_it_shows_the_answers_and_not_what_was_told(planted: Planted) -> None:
    on_the_page, by_hand, ordinary = (planted.app.test_client().get(address).text for address in planted.addresses)
    assert found_in(on_the_page.encode(), NEEDLES) == []
    assert BY_HAND not in by_hand
    assert OPEN_WORDS in ordinary
    assert "đã được niêm phong" in on_the_page


def test_logs_commands_and_lessons_hold_nothing_of_it(planted_wider: Planted) -> None:
    runtime = planted_wider.world.runtime
    told = [*planted_wider.logged, ledger.outbox_rows(runtime, None, 500), ledger.balance(runtime).in_words()]
    told += [lessons.gather(runtime.database), chain.verify(runtime), [e.data for e in all_rows(runtime, AuditEntry)]]
    assert found_in(repr(told).encode(), NEEDLES) == []


def test_its_named_readers_read_it_and_each_look_is_written_down(planted: Planted) -> None:
    world = planted.world
    for who, words in itertools.product(("mai", "dao"), (ON_ZALO, ON_THE_PAGE, BY_HAND)):
        page = Browser(world, planted.app).sign_in(who).open(f"/tickets/{ticket_with(world, words).id}")
        assert words in page.text
    looks = [e for e in all_rows(world.runtime, AuditEntry) if e.action == "ticket.sealed_viewed"]
    assert len(looks) == 6
    photo = a_sealed_photo(world)
    assert photo.state is AttachmentState.STORED
    shown = Browser(world, planted.app).sign_in("dao").client.get(f"/files/{photo.id}")
    assert shown.data.startswith(b"\xff\xd8")
    assert "file.sealed_viewed" in {e.action for e in all_rows(world.runtime, AuditEntry)}


def test_without_the_key_the_page_says_so(planted: Planted) -> None:
    world = planted.world
    ticket, photo = ticket_with(world, ON_ZALO), a_sealed_photo(world)
    world.runtime.database.seals = Seals(lambda: ["another-key-" + "z" * 30], world.runtime.vault.derived("door"))
    browser = Browser(world, planted.app).sign_in("mai")
    page = browser.open(f"/tickets/{ticket.id}")
    assert "máy chủ không có khóa niêm phong" in page.text
    assert found_in(page.html.encode(), NEEDLES) == []
    assert browser.client.get(f"/files/{photo.id}").status_code == 503
    assert chain.verify(world.runtime).problems == []


def test_what_was_sealed_in_error_comes_back_whole(planted: Planted, clock: Clock) -> None:
    world = planted.world
    before = json.dumps([found_in(data, NEEDLES) for data in at_rest(world).values()])
    assert CANARY not in before
    ticket = ticket_with(world, BY_HAND)
    unseal(world.runtime, world.official("mai"), ticket.id, version=ticket.version, reason="Không phải tố cáo, mở lại")
    settle(world, clock)
    browser = Browser(world, planted.app).sign_in("lan")
    page = browser.open(f"/tickets/{ticket.id}")
    assert BY_HAND in page.text
    assert ASIDE in page.text
    assert ticket.code in browser.open(f"/tickets?view=all&q={CANARY}").text
    photos = [a for a in all_rows(world.runtime, Attachment) if a.blob and not a.is_file_sealed]
    assert {world.runtime.blobs.read(a.blob or "")[-9:] for a in photos} >= {BY_HAND.encode()[-9:]}
    assert chain.verify(world.runtime).problems == []
