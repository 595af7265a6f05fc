"""What a source system promises, the same in both conventions, and with every fault a line or a vendor can have."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest

from adapters._source_config import SourceConfig
from adapters.errors import (
    ChannelRefused,
    MessageRefused,
    OutcomeUnknown,
    SendError,
    TemporarilyRefused,
    TokenRejected,
)
from adapters.http import Exchange, Http
from adapters.loudspeakers import BROKEN, EMERGENCY, IDLE, PLAYED, SHOWN, Bulletin, Loudspeaking, Schedule, Slot
from adapters.secret import Secret
from adapters.source_system import SourceSystem
from tests.sandbox.running import until
from tests.sandbox.villages import VILLAGE_PASSWORD, Villages, villages

MADE = datetime(2026, 10, 7, 5, 0, tzinfo=UTC)
PLAYS = datetime(2026, 10, 8, 10, 0, tzinfo=UTC)  # 17:00 in the village
SCRIPT = "Kính thưa bà con, ngày mai cúp điện từ tám giờ đến mười một giờ tại xóm năm."
BULLETIN = Bulletin(
    key="HC.duc-hue.7.r1",
    urgency="thong_thuong",
    title="Cúp điện ngày mai",
    script=SCRIPT,
    made_at=MADE,
    valid_until=MADE + timedelta(days=2),
    seconds=45,
    author="Phạm Anh Tuấn",
    approver="Võ Thị Hoa",
    schedule=Schedule((date(2026, 10, 8),), (Slot(time(17, 0), time(17, 5)),)),
    lines=("CÚP ĐIỆN 8–11 GIỜ NGÀY MAI", "XÓM 5"),
)
URGENT = replace(BULLETIN, key="HC.duc-hue.8.r1", urgency=EMERGENCY, title="Nước lên nhanh", schedule=None, lines=())


@dataclass
class Line:
    """An adapter in session with a pretend system."""

    villages: Villages
    http: Http
    config: SourceConfig
    token: Secret
    unclear: list[SendError] = field(default_factory=list)

    def do(self, what: str, *given: Any) -> Any:
        """Ask the system something in the session there is."""
        return getattr(SourceSystem(), what)(self.http, self.config, self.token, *given)

    def keep_trying(self, what: str, *given: Any) -> Any:
        """Ask until there is a clear answer, as a worker does: impatiently at first, signing in anew where wanted."""
        patient = self.http
        self.http = Http(connect_seconds=5, read_seconds=0.15, call_seconds=2)
        for _ in range(6):
            try:
                return self.do(what, *given)
            except TokenRejected:
                self.token = SourceSystem().log_in(patient, self.config).token
            except (OutcomeUnknown, TemporarilyRefused) as error:
                self.unclear.append(error)
            finally:
                if self.http is not patient:
                    self.http.close()
                self.http = patient
        raise AssertionError("no clear answer")


@pytest.fixture(params=["epoch", "iso"])
def line(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Line]:
    """A session with a system of each convention."""
    with villages(tmp_path, request.param) as found:
        http = Http()
        config = SourceSystem().config(found.settings, {"password": VILLAGE_PASSWORD})
        token = SourceSystem().log_in(http, config).token
        yield Line(found, http, config, token)
        http.close()


def test_it_speaks_to_villages() -> None:
    assert isinstance(SourceSystem(), Loudspeaking)


def test_a_bulletin_arrives_word_for_word(line: Line) -> None:
    line.do("hand_over", BULLETIN)
    [row] = line.villages.rows("bulletins")
    assert (row["key"], row["urgency"], row["title"], row["script"], row["seconds"]) == (
        BULLETIN.key, "thong_thuong", BULLETIN.title, SCRIPT, 45,
    )  # fmt: skip
    assert '"GiaTri":"Võ Thị Hoa"' in row["body"].replace(": ", ":")


def test_it_plays_at_the_hour_that_was_said(line: Line) -> None:
    line.do("hand_over", BULLETIN)
    line.do("schedule", BULLETIN)
    [play] = line.villages.rows("plays")
    assert play["begin_ms"] == PLAYS.timestamp() * 1000
    assert play["end_ms"] - play["begin_ms"] == 5 * 60 * 1000


def test_fourteen_of_fifteen_clusters_play_and_one_says_why_not(line: Line) -> None:
    line.do("hand_over", BULLETIN)
    line.do("schedule", BULLETIN)
    line.villages.play(PLAYS.timestamp())
    found = line.do("play_logs", "")
    assert len(found.logs) == 15
    assert {(log.bulletin, log.kind, log.at) for log in found.logs} == {(BULLETIN.key, PLAYED, PLAYS)}
    [failed] = [log for log in found.logs if not log.is_success]
    assert failed.reason == "Cụm loa không phát ra tiếng"
    assert line.do("play_logs", found.after).is_all


def test_only_the_clusters_that_are_named_play(line: Line) -> None:
    some = tuple(row["id"] for row in line.villages.rows("clusters")[:3])
    line.do("hand_over", replace(BULLETIN, clusters=some))
    line.do("schedule", replace(BULLETIN, clusters=some))
    line.villages.play(PLAYS.timestamp())
    assert {log.cluster for log in line.do("play_logs", "").logs} == set(some)


def test_an_emergency_plays_as_it_comes(line: Line) -> None:
    line.do("hand_over", URGENT)
    assert len(line.do("play_logs", "").logs) == 15


def test_the_board_shows_its_lines(line: Line) -> None:
    line.do("show", BULLETIN)
    [board] = line.villages.rows("boards")
    assert board["text"] == "CÚP ĐIỆN 8–11 GIỜ NGÀY MAI\nXÓM 5"
    assert board["until_ms"] == BULLETIN.valid_until.timestamp() * 1000
    [log] = line.do("play_logs", "").logs
    assert (log.kind, log.is_success) == (SHOWN, True)


def test_what_is_cancelled_is_not_played(line: Line) -> None:
    for step in ("hand_over", "schedule", "show"):
        line.do(step, BULLETIN)
    line.do("cancel", BULLETIN, "Ngày giờ chưa đúng")
    assert line.villages.play(PLAYS.timestamp()) == 0
    assert all(row["cancelled_ms"] for row in line.villages.rows("boards"))


def test_to_cancel_what_is_not_there_is_no_error(line: Line) -> None:
    line.do("cancel", BULLETIN, "Thôi")
    assert line.villages.accepted("cancel") == []


@pytest.mark.parametrize("step", ["hand_over", "schedule", "show"])
def test_the_same_key_twice_is_once(line: Line, step: str) -> None:
    if step == "schedule":
        line.do("hand_over", BULLETIN)
    line.do(step, BULLETIN)
    line.do(step, BULLETIN)
    path = {"hand_over": "bulletin", "schedule": "schedule", "show": "board"}[step]
    assert line.villages.accepted(path) == [BULLETIN.key]


def test_clusters_tell_how_they_are(line: Line) -> None:
    first = line.villages.rows("clusters")[0]["id"]
    line.villages.control("clusters", ids=[first], fate="silent")
    found = {one.id: one for one in line.do("clusters")}
    assert len(found) == 15
    assert not found[first].is_connected
    last = found[max(found)]
    assert (last.state, last.name, last.volume) == (BROKEN, "Cụm loa số 15", 80)
    assert {one.state for one in found.values()} == {IDLE, BROKEN}
    assert all(one.heard_at for one in found.values())


FAULTS = {
    "slow answer, taken": {"kind": "slow", "when": "after", "seconds": 0.5},
    "slow before it is taken": {"kind": "slow", "seconds": 0.5},
    "server error": {"kind": "status", "status": 500},
    "overloaded": {"kind": "status", "status": 503},
    "too many requests": {"kind": "status", "status": 429, "retry_after": 1},
    "line dropped before": {"kind": "drop"},
    "line dropped after it was taken": {"kind": "drop", "when": "after"},
    "half an answer": {"kind": "malformed"},
    "expired session": {"kind": "expired"},
    "busy": {"kind": "busy"},
}


PLACES_OF_STEPS = {"hand_over": "bulletin", "schedule": "schedule", "show": "board"}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_whatever_fails_it_is_taken_exactly_once(line: Line, fault: dict[str, Any]) -> None:
    for step, path in PLACES_OF_STEPS.items():
        line.villages.fault(applies_to=path, **fault)
        line.keep_trying(step, BULLETIN)
        if fault["kind"] == "slow":  # what was given up is still on its way
            until(lambda path=path: [row["path"] for row in line.villages.rows("calls")].count(path) == 2, 20.0)
        assert line.villages.accepted(path) == [BULLETIN.key]
    assert line.villages.play(PLAYS.timestamp()) == 1
    assert all(error.may_repeat for error in line.unclear if isinstance(error, OutcomeUnknown))


@pytest.mark.parametrize("fault", [f for f in FAULTS.values() if f["kind"] != "slow"], ids=str)
def test_whatever_fails_an_emergency_plays_once_and_nothing_of_its_log_is_lost(
    line: Line, fault: dict[str, Any]
) -> None:
    for path in ("bulletin", "logs", "clusters"):
        line.villages.fault(applies_to=path, **fault)
    line.keep_trying("hand_over", URGENT)
    assert len(line.keep_trying("play_logs", "").logs) == 15
    assert len(line.keep_trying("clusters")) == 15


@pytest.mark.parametrize("fault", [f for f in FAULTS.values() if f["kind"] not in {"slow", "expired"}], ids=str)
def test_a_login_that_fails_is_tried_again(line: Line, fault: dict[str, Any]) -> None:
    line.villages.fault(applies_to="login", **fault)
    with pytest.raises(TemporarilyRefused):
        SourceSystem().log_in(line.http, line.config)
    line.token = SourceSystem().log_in(line.http, line.config).token
    assert line.do("clusters")


@pytest.mark.parametrize(("kind", "lines"), [("repeat", 30), ("shuffle", 15), ("junk", 15)])
def test_a_log_told_badly_is_read_all_the_same(line: Line, kind: str, lines: int) -> None:
    line.do("hand_over", URGENT)
    line.villages.fault(kind, applies_to="told")
    found = line.do("play_logs", "")
    assert (len(found.logs), len({log.cluster for log in found.logs})) == (lines, 15)


def test_a_wrong_password_is_for_people(line: Line) -> None:
    wrong = SourceSystem().config(line.villages.settings, {"password": "example-wrong"})
    with pytest.raises(ChannelRefused) as caught:
        SourceSystem().log_in(line.http, wrong)
    assert "mật khẩu" in caught.value.shown


def test_a_session_that_ended_is_told_apart(line: Line) -> None:
    line.token = Secret("not-a-token")
    with pytest.raises(TokenRejected):
        line.do("hand_over", BULLETIN)


def test_a_bulletin_that_is_refused_is_refused_for_good(line: Line) -> None:
    with pytest.raises(MessageRefused):
        line.do("hand_over", replace(BULLETIN, script=""))
    with pytest.raises(MessageRefused):
        line.do("schedule", BULLETIN)  # of what was never handed over


def test_a_system_that_knows_no_key_again_leaves_the_outcome_to_people(line: Line) -> None:
    line.config = replace(line.config, profile=replace(line.config.profile, is_repeatable=False))
    line.villages.fault("drop", applies_to="bulletin", when="after")
    with pytest.raises(OutcomeUnknown) as caught:
        line.do("hand_over", BULLETIN)
    assert not caught.value.may_repeat


def test_the_other_convention_is_refused(line: Line) -> None:
    other = {"epoch": "iso", "iso": "epoch"}[line.villages.convention]
    config = SourceSystem().config({**line.villages.settings, "profile": other}, {"password": VILLAGE_PASSWORD})
    with pytest.raises(SendError):
        SourceSystem().hand_over(line.http, config, line.token, BULLETIN)


def test_neither_password_nor_token_nor_words_are_recorded(line: Line) -> None:
    with line.http.recording() as exchanges:
        token = SourceSystem().log_in(line.http, line.config).token
        line.do("hand_over", BULLETIN)
        line.villages.fault("error", applies_to="schedule", code=77)
        with pytest.raises(MessageRefused):
            line.do("schedule", BULLETIN)
        line.do("play_logs", "")
        line.do("clusters")
    kept = _text(exchanges)
    assert len(exchanges) == 5
    for secret in (token.reveal(), line.token.reveal(), VILLAGE_PASSWORD, "cúp điện", "Cụm loa"):
        assert secret not in kept
    assert "TrangThaiGui=0" in kept
    assert "TrangThaiGui=77" in kept


def _text(exchanges: list[Exchange]) -> str:
    return " ".join(f"{one} {one.to_json()}" for one in exchanges)
