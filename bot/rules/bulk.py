"""Bulk: which of many reports a deed may be done with, and why the others are left out."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.rules import snoozing
from bot.rules.lifecycle import DESK, NotAllowed
from storage.enums import BulkDeed, Role, TicketState, Urgency

MOST = 100
UNDO_TIME = timedelta(seconds=30)
S = TicketState
_WORKED_ON = frozenset({S.NEW, S.RECEIVED, S.WAITING_CITIZEN, S.ASSIGNED, S.IN_PROGRESS, S.REOPENED})
_LOUD = frozenset({Urgency.EMERGENCY, Urgency.URGENT})


@dataclass(frozen=True)
class Standing:
    """What the rule needs to know of a report and of who asks. `leads`: others wait for its result."""

    state: TicketState
    urgency: Urgency
    roles: Set[Role]
    may_direct: bool
    topic: str | None = None
    topic_is_confirmed: bool = False
    agency_id: int | None = None
    shut_out: Set[int] = frozenset()
    latest: datetime | None = None
    is_sealed: bool = False
    is_restricted: bool = False
    is_spam: bool = False
    leads: bool = False


@dataclass(frozen=True)
class Given:
    """What goes with a deed."""

    agency_id: int | None = None
    topic: str | None = None
    until: datetime | None = None


def check(deed: BulkDeed, one: Standing, given: Given, now: datetime) -> None:
    """NotAllowed with the sentence why this report is left out."""
    if one.is_sealed:
        raise NotAllowed("sealed", "Niêm phong: chỉ xử lý từng phản ánh, không làm hàng loạt.")
    if one.is_spam or one.state not in _WORKED_ON:
        raise NotAllowed("ended", "Đã có kết quả, đang chờ duyệt, đã chuyển đi hoặc đã kết thúc.")
    if deed is not BulkDeed.SNOOZE and not one.may_direct:
        raise NotAllowed("not_yours", "Tài khoản của Anh/Chị không được phép thực hiện bước này.")
    _CHECKS[deed](one, given, now)


def _receive(one: Standing, _given: Given, _now: datetime) -> None:
    if one.state is not S.NEW:
        raise NotAllowed("received", "Đã tiếp nhận trước đó.")
    if not one.roles & DESK:
        raise NotAllowed("not_yours", "Tài khoản của Anh/Chị không được phép thực hiện bước này.")


def _assign(one: Standing, given: Given, _now: datetime) -> None:
    if given.agency_id in one.shut_out:
        raise NotAllowed("accused", "Đơn vị này có thể là bên bị phản ánh; Anh/Chị xem riêng phản ánh này.")
    if one.agency_id == given.agency_id and one.state not in {S.NEW, S.RECEIVED}:
        raise NotAllowed("there_already", "Đơn vị này đang xử lý rồi.")


def _topic(one: Standing, given: Given, _now: datetime) -> None:
    if one.topic == given.topic and one.topic_is_confirmed:
        raise NotAllowed("same_topic", "Đã đúng lĩnh vực này.")


def _snooze(one: Standing, given: Given, now: datetime) -> None:
    snoozing.check(
        snoozing.Standing(one.state, one.urgency, one.roles, one.latest, is_sealed=one.is_sealed, is_spam=one.is_spam),
        given.until,
        now,
    )


def _spam(one: Standing, _given: Given, _now: datetime) -> None:
    if one.urgency in _LOUD:
        raise NotAllowed("urgent", "Phản ánh khẩn: Anh/Chị mở xem riêng rồi mới quyết định là tin rác.")
    if one.leads:
        raise NotAllowed("leads", "Có người khác cùng chờ kết quả của phản ánh này; Anh/Chị mở xem riêng.")


def _join(one: Standing, _given: Given, _now: datetime) -> None:
    if one.is_restricted:
        raise NotAllowed("restricted", "Phản ánh hạn chế người xem không ghép chung với phản ánh khác.")


_CHECKS = {
    BulkDeed.RECEIVE: _receive,
    BulkDeed.ASSIGN: _assign,
    BulkDeed.TOPIC: _topic,
    BulkDeed.SNOOZE: _snooze,
    BulkDeed.SPAM: _spam,
    BulkDeed.JOIN: _join,
}
