"""The fault matrix: every fault on every channel, and what became of the message it befell, on paper and on screen."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bot.usecases.channels import overview
from storage.deliveries import Delivery
from storage.enums import DeliveryKind
from tests.flows.commune import ANSWER, ASKS, LIGHT, OF_FOLLOWERS, SENTENCES, WHERE, Hall
from tests.flows.faults import (
    ASKING_FAILS,
    ASKING_WORKS,
    CASES,
    DOWN,
    OF_ALL,
    PAUSED,
    SENT,
    UNKNOWN,
    WAITING,
    Expected,
)
from tests.flows.rigs import SendsByItself
from tests.flows.rigs.bots import BotRig

Open = Callable[[str], Hall]
OF_EVENTS = {"duplicate", "reordered"}


@pytest.mark.parametrize(
    ("fault", "channel", "path", "expected"), CASES, ids=[f"{c[1]}: {c[0]}: {c[2]}" for c in CASES]
)
def test_a_fault_leaves_the_truth(fault: str, channel: str, path: str, expected: Expected, hall: Open) -> None:
    {"message in": _message_in, "reply": _reply, "announcement": _announcement}[path](hall(channel), fault, expected)


def _message_in(hall: Hall, fault: str, expected: Expected) -> None:
    """A citizen reports; the fault befalls the event, or the answer with the code."""
    who = hall.greets()
    before = len(hall.deliveries(DeliveryKind.ACK))
    said = _says(hall, who, fault)
    hall.rig.bring()
    if fault not in OF_EVENTS:
        hall.rig.fault(fault)
    hall.work()
    ticket = hall.ticket()
    answer = hall.deliveries(DeliveryKind.ACK)[before]
    assert ticket.code in answer.text
    _is_told(hall, answer, expected.shown, lambda one: hall.shown(one, ticket))
    _came_out(hall, answer, expected)
    hall.audit()
    _afterwards(hall, answer, expected, lambda one: hall.shown(one, ticket))
    heard = hall.said(who)
    assert heard == said if hall.rig.tells_order else sorted(heard) == sorted(said)
    assert hall.ticket().id == ticket.id


def _reply(hall: Hall, fault: str, expected: Expected) -> None:
    """An official answers; the fault befalls the answer, or what the citizen says meanwhile."""
    who = hall.greets()
    ticket = hall.reports(who)
    hall.takes_over(ticket)
    if fault not in OF_EVENTS:
        hall.rig.fault(fault)
    hall.replies(hall.ticket())
    hall.work()
    if fault in OF_EVENTS:  # other words: where messages have no id, the same ones are soon taken for a repetition
        _says(hall, who, fault, ASKS)
        hall.rig.bring()
        hall.work()
    [answer] = hall.deliveries(DeliveryKind.REPLY)
    assert hall.rig.as_sent(answer.text).endswith(hall.rig.as_sent(ANSWER))
    _is_told(hall, answer, expected.shown, lambda one: hall.shown(one, ticket))
    _came_out(hall, answer, expected)
    hall.audit()
    _afterwards(hall, answer, expected, lambda one: hall.shown(one, ticket))
    assert hall.ticket().id == ticket.id
    if expected.shown == UNKNOWN and not expected.later:
        hall.sends_again(answer, ticket)
        hall.work()
        _is_told(hall, answer, SENT, lambda one: hall.shown(one, ticket))
        assert len(_platform_has(hall, answer)) == expected.accepted + 1
        hall.audit(decided=1)


def _announcement(hall: Hall, fault: str, expected: Expected) -> None:
    """Two followers are told; the fault befalls the first of them, and what is about the whole channel both."""
    followers = [hall.rig.citizen(), hall.rig.citizen()]
    hall.settle()
    if fault not in OF_EVENTS:  # both leave together, and what is about the account meets both
        hall.rig.fault(fault, 2 if expected.shown in OF_ALL else 1)
    announcement = hall.announces()
    hall.work()
    if fault == "token expired" and expected.shown == SENT:  # one renews it for both, the other comes back for it
        hall.clock.move(seconds=10)
        hall.work()
    if fault in OF_EVENTS:
        _says(hall, followers[0], fault)
        hall.rig.bring()
        hall.work()
    first, second = hall.deliveries(DeliveryKind.ANNOUNCEMENT)
    words, page = hall.shown_of(announcement)
    other = expected.beside or (expected.shown if expected.shown in OF_ALL else SENT)
    assert all(word in OF_FOLLOWERS[expected.shown] + OF_FOLLOWERS[other] for word in words), words
    assert sum(word in OF_FOLLOWERS[expected.shown] for word in words) == (1 if other != expected.shown else 2)
    if expected.shown == PAUSED:
        assert (hall.channel().paused_reason or "?") in page.text
    if expected.shown == WAITING and hall.channel().hold_until is not None:
        assert "tự gửi tiếp lúc" in page.text
    if expected.shown == DOWN:
        assert _trouble(hall) in page.text
    on_platform = sum(len(_platform_has(hall, one)) for one in (first, second))
    assert on_platform // 2 == expected.accepted + (other == SENT), "both have the same words, so each counts both"
    hall.audit()
    if expected.later or expected.beside:
        _time_passes(hall, expected)
        words, _ = hall.shown_of(announcement)
        last = expected.later or expected.shown
        assert all(word in OF_FOLLOWERS[SENT] + OF_FOLLOWERS[last] for word in words), words
        assert sum(word in OF_FOLLOWERS[SENT] for word in words) == (2 if last == SENT else 1), words
        assert len(_platform_has(hall, first)) == (2 if last == SENT else expected.accepted + 1)
        hall.audit()


def _says(hall: Hall, who: str, fault: str, words: str = LIGHT) -> list[str]:
    """What the citizen says, and how the fault disturbs it; gives the words in their true order."""
    hall.rig.says(who, words)
    if fault == "duplicate":
        hall.rig.bring()
        hall.rig.again(who)
    if fault == "reordered":
        hall.rig.says(who, WHERE)
        hall.rig.swap(who)
        return [words, WHERE]
    return [words]


def _is_told(hall: Hall, delivery: Delivery, shown: str, look: Callable[[Delivery], str]) -> None:
    """The page says so, with what an official needs to act on it."""
    words = look(delivery)
    assert words.startswith(SENTENCES[shown]), words
    channel = hall.channel()
    if shown == UNKNOWN:
        assert "không biết người dân đã nhận chưa" in words
    if shown == WAITING:
        assert "tự gửi lại lúc" in words
        assert ("Tạm chờ" in hall.channel_page()) == (channel.hold_until is not None)
    if shown == PAUSED:
        assert channel.paused_reason
        assert channel.paused_reason in words
        assert "tự gửi lại" not in words, "nothing goes out by itself"
        assert channel.paused_reason in hall.channel_page()
    if shown == DOWN:
        assert _trouble(hall) in words
        assert _trouble(hall) in (page := hall.channel_page())
        assert f"({hall.rig.code})" in page
    assert (channel.paused_at is not None) == (shown == PAUSED)


def _trouble(hall: Hall) -> str:
    """Why the link is down, as officials read it."""
    assert isinstance(hall.rig, SendsByItself)
    assert hall.rig.trouble
    return hall.rig.trouble


def _came_out(hall: Hall, delivery: Delivery, expected: Expected) -> None:
    assert len(_platform_has(hall, delivery)) == expected.accepted


def _platform_has(hall: Hall, delivery: Delivery) -> list[str]:
    return [one.external_id for one in hall.rig.accepted() if one.text_sha256 == hall.digest(delivery)]


def _afterwards(hall: Hall, delivery: Delivery, expected: Expected, look: Callable[[Delivery], str]) -> None:
    """The channel's own events come, time passes, whoever can mend it does; the message is there once, or unknown."""
    _time_passes(hall, expected)
    _is_told(hall, delivery, expected.later or expected.shown, look)
    is_sent_later = expected.later == SENT and not expected.accepted
    assert len(_platform_has(hall, delivery)) == expected.accepted + is_sent_later
    if expected.shown == DOWN:
        assert "đường nối" not in hall.channel_page().lower()
    hall.audit()


def _time_passes(hall: Hall, expected: Expected) -> None:
    if expected.shown == PAUSED:
        hall.resumes()
    if expected.shown == DOWN:
        hall.rig.mend()
    hall.clock.move(seconds=80)
    hall.settle()


@pytest.mark.parametrize("fault", ["key refused", "network away"])
def test_what_is_written_while_there_is_no_link_comes_with_the_next(fault: str, hall: Open) -> None:
    commune = hall("smpp")
    who = commune.greets()
    commune.rig.fault(fault)
    commune.rig.says(who, LIGHT)
    commune.work()
    assert commune.said(who) == []
    commune.rig.mend()
    commune.settle()
    assert commune.said(who) == [LIGHT]
    assert commune.ticket().code in commune.deliveries(DeliveryKind.ACK)[1].text
    commune.audit()


@pytest.mark.parametrize("fault", ASKING_FAILS + ASKING_WORKS)
def test_a_fault_of_asking_loses_no_update(fault: str, hall: Open) -> None:
    commune = hall("telegram_asked")
    who = commune.greets()
    if fault not in OF_EVENTS:
        commune.rig.fault(fault)
    said = _says(commune, who, fault)
    if fault in ASKING_FAILS:
        _one_question(commune)
        assert "Lần hỏi tin gần nhất không được" in commune.channel_page()
        assert commune.said(who) == []
        commune.rig.mend()
    commune.settle()
    assert commune.said(who) == said
    assert "Lần hỏi tin gần nhất không được" not in commune.channel_page()
    [seen] = [one for one in overview(commune.world.runtime, commune.world.official("an")) if one.is_asked]
    assert seen.poll is not None
    assert seen.poll.error is None
    commune.audit()


def _one_question(hall: Hall) -> None:
    assert isinstance(hall.rig, BotRig)
    assert hall.rig.poll is not None
    hall.rig.poll.once()
    hall.work()
