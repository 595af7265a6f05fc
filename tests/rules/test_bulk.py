"""Which of many reports a deed may be done with, as a table."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.rules.bulk import Given, Standing, check
from bot.rules.lifecycle import NotAllowed
from storage.enums import BulkDeed, Role, TicketState, Urgency
from tests.rules.test_deadlines import local

D, S = BulkDeed, TicketState
NOW = local("07/10 09:00")
USUALLY = Standing(
    S.NEW, Urgency.NORMAL, frozenset({Role.RECEIVER}), may_direct=True, topic="dien", agency_id=1,
    latest=local("14/10 08:00"),
)  # fmt: skip
GIVEN = Given(agency_id=2, topic="rac-thai", until=local("08/10 07:30"))


@pytest.mark.parametrize(
    ("deed", "change", "code"),
    [
        *((deed, {}, None) for deed in BulkDeed),
        *((deed, {"is_sealed": True}, "sealed") for deed in BulkDeed),
        *((deed, {"is_spam": True, "state": S.CLOSED}, "ended") for deed in BulkDeed),
        *((deed, {"state": S.WAITING_APPROVAL}, "ended") for deed in BulkDeed),
        *((deed, {"may_direct": False}, "not_yours") for deed in BulkDeed if deed is not D.SNOOZE),
        (D.RECEIVE, {"state": S.RECEIVED}, "received"),
        (D.RECEIVE, {"roles": frozenset()}, "not_yours"),
        (D.ASSIGN, {"agency_id": 2}, None),
        (D.ASSIGN, {"agency_id": 2, "state": S.ASSIGNED}, "there_already"),
        (D.ASSIGN, {"shut_out": {2}}, "accused"),
        (D.TOPIC, {"topic": "rac-thai"}, None),
        (D.TOPIC, {"topic": "rac-thai", "topic_is_confirmed": True}, "same_topic"),
        (D.SNOOZE, {"urgency": Urgency.URGENT}, "urgent"),
        (D.SNOOZE, {"latest": local("08/10 07:00")}, "past_deadline"),
        (D.SPAM, {"urgency": Urgency.EMERGENCY}, "urgent"),
        (D.SPAM, {"leads": True}, "leads"),
        (D.JOIN, {"is_restricted": True}, "restricted"),
        (D.JOIN, {"leads": True, "urgency": Urgency.EMERGENCY}, None),
    ],
)
def test_what_is_left_out_and_why(deed: BulkDeed, change: dict[str, object], code: str | None) -> None:
    standing = replace(USUALLY, **change)  # type: ignore[arg-type]
    if code is None:
        check(deed, standing, GIVEN, NOW)
        return
    with pytest.raises(NotAllowed) as refused:
        check(deed, standing, GIVEN, NOW)
    assert refused.value.code == code
