"""What a source system hands down and takes besides bulletins, the same in both conventions, whatever breaks."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from adapters.errors import MessageRefused
from adapters.exchange import ACCEPTED, ANSWERED, Exchanging, Figures, Statistics
from adapters.messages import Attachment, AttachmentKind, InboundMessage, OutboundMessage, ProfileShared
from adapters.secret import Secret
from adapters.source_profile import profile_of
from adapters.source_system import SourceSystem
from tests.adapters.test_source_system import Line, line

__all__ = ["line"]
MADE = datetime(2026, 10, 7, 5, 0, tzinfo=UTC)
SOME = Figures(received=9, in_time=5, late=2, running=2, declined=1, forwarded=1, rated=3, content=2)
OCTOBER = Statistics(
    "HC.TK.1.202610.r1", date(2026, 10, 1), date(2026, 10, 31), MADE, SOME,
    (("rac-thai", "Rác thải", SOME),), (("zalo", "Zalo", SOME),), sealed=1,
)  # fmt: skip
BROKEN_LINE: list[dict[str, Any]] = [
    {"kind": "drop", "when": "after"},
    {"kind": "drop"},
    {"kind": "slow", "when": "after", "seconds": 0.4},
    {"kind": "malformed"},
    {"kind": "status", "status": 500},
    {"kind": "status", "status": 503},
    {"kind": "busy"},
    {"kind": "expired"},
]


def test_it_exchanges_more_than_bulletins() -> None:
    assert isinstance(SourceSystem(), Exchanging)


def test_a_system_that_does_none_of_it_is_asked_nothing(line: Line) -> None:
    config = replace(line.config, profile=replace(line.config.profile, exchange={}))
    assert not any(SourceSystem().offers(config, one) for one in ("notices", "feedback", "statistics"))
    with pytest.raises(MessageRefused):
        SourceSystem().send(line.http, config, Secret("x"), OutboundMessage("httttn:PA.1", "Đã nhận"))


def test_a_profile_says_what_is_wrong_with_its_exchange() -> None:
    given = {"name": "x", "exchange": {"gossip": "/x"}, "feedback_states": {"accepted": "1"}}
    with pytest.raises(ValueError, match=r"exchange: no gossip.*feedback_states\.refused is missing"):
        profile_of(given)


def test_a_bulletin_from_above_arrives_word_for_word(line: Line) -> None:
    until = MADE + timedelta(days=1)
    line.villages.hand_down(urgency="khan_cap", revision=3, until=int(until.timestamp()) * 1000)
    [one] = line.do("notices", "").notices
    assert (one.ref, one.revision, one.urgency, one.source) == ("T.1", 3, "khan_cap", "UBND tỉnh Tập Dượt")
    assert (one.title, one.text, one.valid_until) == ("Lịch tiêm chủng", "Tiêm chủng thứ Bảy.", until)
    assert (one.is_ours, one.is_cancelled) == (True, False)


def test_it_goes_on_where_it_stood(line: Line) -> None:
    line.villages.hand_down()
    page = line.do("notices", "")
    line.villages.hand_down(ref="T.2", cancelled="Nhầm")
    [one] = line.do("notices", page.after).notices
    assert (one.ref, one.is_cancelled, one.reason) == ("T.2", True, "Nhầm")
    assert line.do("notices", line.do("notices", page.after).after).notices == ()


def test_what_names_other_areas_is_not_ours(line: Line) -> None:
    line.villages.hand_down(areas=["00001"])
    line.villages.hand_down(areas=["00001", "27925"])
    assert [one.is_ours for one in line.do("notices", "").notices] == [False, True]
    everywhere = replace(line.config, profile=replace(line.config.profile, everywhere=("00001",)))
    found = SourceSystem().notices(line.http, everywhere, line.token, "")
    assert [one.is_ours for one in found.notices] == [True, True]


@pytest.mark.parametrize("kind", ["repeat", "shuffle", "junk"])
def test_however_lists_are_told_all_of_it_is_read(line: Line, kind: str) -> None:
    for number in (1, 2):
        line.villages.hand_down(ref=f"T.{number}")
        line.villages.feedback("Rác chưa ai lấy", f"PA.{number}")
    line.villages.fault(kind, applies_to="notices_told")
    line.villages.fault(kind, applies_to="feedback_told")
    assert {one.ref for one in line.do("notices", "").notices} == {"T.1", "T.2"}
    assert {one.key for one in line.do("feedback", "").events} == {"feedback:PA.1:1", "feedback:PA.2:1"}


def test_feedback_is_read_as_a_citizens_message(line: Line) -> None:
    photo = f"{line.config.base_url}/anh/1.jpg"
    line.villages.feedback("Rác chưa ai lấy", name="Cô Hoa", phone="0912345678", photos=[photo])
    [event] = line.do("feedback", "").events
    profile, said = SourceSystem().parse(event.body or b"")
    assert isinstance(profile, ProfileShared)
    assert (profile.name, profile.phone, profile.has_consented) == ("Cô Hoa", "0912345678", True)
    assert isinstance(said, InboundMessage)
    assert (said.urn, said.text, event.conversation) == ("httttn:PA.1", "Rác chưa ai lấy", "httttn:PA.1")
    assert said.attachments == (Attachment(AttachmentKind.IMAGE, url=photo),)


def test_without_consent_no_name_is_kept(line: Line) -> None:
    line.villages.feedback("Rác chưa ai lấy")
    [event] = line.do("feedback", "").events
    [said] = SourceSystem().parse(event.body or b"")
    assert isinstance(said, InboundMessage)


@pytest.mark.parametrize(
    ("url", "is_allowed"),
    [
        ("{base}/anh/1.jpg", True), ("https://anh.tinh.gov.vn/1.jpg", True), ("http://anh.tinh.gov.vn/1.jpg", False),
        ("https://evil.example/1.jpg", False), ("http://169.254.169.254/latest", False), ("file:///etc/passwd", False),
        ("https://anh.tinh.gov.vn.evil.example/1.jpg", False),
    ],
)  # fmt: skip
def test_photos_are_fetched_from_the_system_only(line: Line, url: str, *, is_allowed: bool) -> None:
    config = replace(line.config, profile=replace(line.config.profile, photo_hosts=("anh.tinh.gov.vn",)))
    assert SourceSystem().may_fetch(url.format(base=config.base_url), config) is is_allowed


@pytest.mark.parametrize("fault", BROKEN_LINE, ids=str)
def test_an_answer_is_taken_once_whatever_breaks(line: Line, fault: dict[str, Any]) -> None:
    line.villages.feedback("Rác chưa ai lấy")
    line.villages.fault(**{**fault, "applies_to": "answers"})
    message = OutboundMessage("httttn:PA.1", "Xã đã cho xe đến lấy rác.", id="d7")
    line.keep_trying("send", message)
    line.keep_trying("send", message)
    assert line.villages.told("answer") == [("PA.1", "Xã đã cho xe đến lấy rác.")]


@pytest.mark.parametrize("fault", BROKEN_LINE, ids=str)
def test_states_are_taken_once_whatever_breaks(line: Line, fault: dict[str, Any]) -> None:
    line.villages.feedback("Rác chưa ai lấy")
    line.villages.fault(**{**fault, "applies_to": "states"})
    for state in (ACCEPTED, ANSWERED, ANSWERED):
        line.keep_trying("tell_state", "PA.1", state, "PA26-0001")
    assert line.villages.told("state") == [("PA.1", "accepted PA26-0001"), ("PA.1", "answered PA26-0001")]


@pytest.mark.parametrize("fault", BROKEN_LINE, ids=str)
def test_a_month_is_taken_once_whatever_breaks(line: Line, fault: dict[str, Any]) -> None:
    line.villages.fault(**{**fault, "applies_to": "statistics"})
    line.keep_trying("hand_in", OCTOBER)
    assert line.villages.accepted("statistics") == [OCTOBER.key]


def test_it_says_what_it_took(line: Line) -> None:
    assert line.do("hand_in", OCTOBER) == "Đã nhận thống kê tháng 10/2026"
    [row] = line.villages.rows("statistics")
    assert '"TiepNhan": 9' in row["body"]
    assert '"HaiLong": 2' in row["body"]


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"event":"feedback"}', b'{"event":"feedback","ref":5,"at":"x"}', b"\xff"]
)
def test_what_makes_no_sense_is_passed_over(body: bytes) -> None:
    [event] = SourceSystem().parse(body)
    assert not isinstance(event, InboundMessage)
