"""The link to an SMSC, against one that behaves badly: nothing is lost, nothing is sent twice on a guess."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

import pytest

pytest.importorskip("smpplib", reason="the extra [smpp] is not installed")

from adapters._smpp_link import Link, LinkDown
from adapters.smpp import SmppConfig, configured
from tests.adapters.channels import free_port
from tests.adapters.smsc import THROTTLED, VENDOR, Smsc, an_smsc, pieces

LONG = "Kính gửi UBND xã, đèn đường thôn Đông hỏng ba hôm nay, mong cán bộ cử người sửa sớm, xin cảm ơn nhiều."
ROT = "Rác thải chất đống ở đầu chợ, bốc mùi hôi thối, đề nghị xã xử lý gấp giúp bà con ạ, đã nhiều ngày rồi."


@dataclass
class Heard:
    """Remembers what the link tells; `breaks`: storing fails."""

    events: list[tuple[Any, ...]] = field(default_factory=list)
    told: list[tuple[Any, ...]] = field(default_factory=list)
    kept: list[int] = field(default_factory=list)
    breaks: bool = False

    def message(self, *what: Any) -> None:
        self._note("message", *what)

    def receipt(self, *what: Any) -> None:
        self._note("receipt", *what)

    def keep(self) -> Future[None]:
        kept: Future[None] = Future()
        self.kept.append(len(self.told))
        if self.breaks:
            kept.set_exception(OSError("disk full"))
        else:
            self.events += self.told
            kept.set_result(None)
        self.told.clear()
        return kept

    def accepted(self, *what: Any) -> None:
        self.events.append(("accepted", *what))

    def rejected(self, *what: Any) -> None:
        self.events.append(("rejected", *what))

    def unknown(self, key: int) -> None:
        self.events.append(("unknown", key))

    def returned(self, key: int) -> None:
        self.events.append(("returned", key))

    def _note(self, *what: Any) -> None:
        self.told.append(what)


@pytest.fixture
def smsc() -> Iterator[Smsc]:
    with an_smsc() as found:
        yield found


def config(port: int, **changes: Any) -> SmppConfig:
    settings = {"host": "127.0.0.1", "port": port, "system_id": "xa", "sender": "UBND-ANBINH", "number": "8088"}
    return configured({**settings, **changes}, {"password": "smppword"})


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def link(smsc: Smsc, heard: Heard) -> Iterator[Link]:
    one = Link(config(smsc.port), heard)
    one.connect()
    yield one
    one.close()


def turns(link: Link, until: Callable[[], bool], most: int = 200) -> None:
    for _ in range(most):
        if until():
            return
        link.turn(0.02)
    raise AssertionError("it did not happen")


def meanwhile(link: Link, deed: Callable[[], int]) -> int:
    """Let the SMSC do something while the link is at work; gives the status it was answered with."""
    found: list[int] = []
    thread = threading.Thread(target=lambda: found.append(deed()))
    thread.start()
    turns(link, lambda: not thread.is_alive())
    return found[0]


# --- out --------------------------------------------------------------------------------------------------------------


def test_a_short_message_is_one_submit(smsc: Smsc, link: Link, heard: Heard) -> None:
    link.submit(1, "84912345678", "Da sua xong [1]")
    turns(link, lambda: bool(heard.events))
    (sent,) = smsc.submitted
    assert (sent.source, sent.destination, sent.coding, sent.registered) == ("UBND-ANBINH", "84912345678", 0, 1)
    assert sent.data == b"Da sua xong \x1b<1\x1b>"
    assert heard.events == [("accepted", 1, "ABC1")]


def test_only_the_last_piece_asks_for_a_receipt(smsc: Smsc, link: Link, heard: Heard) -> None:
    link.submit(1, "84912345678", LONG)
    turns(link, lambda: bool(heard.events))
    assert [sent.registered for sent in smsc.submitted] == [0, 1]
    assert {(sent.coding, sent.esm_class) for sent in smsc.submitted} == {(8, 0x40)}
    assert b"".join(sent.body for sent in smsc.submitted).decode("utf-16-be") == LONG
    assert [sent.data[:6] for sent in smsc.submitted] == [
        bytes([5, 0, 3, smsc.submitted[0].data[3], 2, n]) for n in (1, 2)
    ]
    assert heard.events == [("accepted", 1, "ABC2")]


@pytest.mark.parametrize(
    ("form", "known"), [("same", "ABC1"), ("hex_then_decimal", "43969"), ("decimal_then_hex", "ABC1")]
)
def test_ids_are_those_that_receipts_will_use(smsc: Smsc, heard: Heard, form: str, known: str) -> None:
    link = Link(config(smsc.port, receipt_ids=form), heard)
    link.connect()
    link.submit(1, "84912345678", "a")
    turns(link, lambda: bool(heard.events))
    link.close()
    assert heard.events == [("accepted", 1, known)]


def test_no_more_are_out_than_the_window_allows(smsc: Smsc, heard: Heard) -> None:
    smsc.is_silent()
    link = Link(config(smsc.port, window=3), heard)
    link.connect()
    for key in range(5):
        link.submit(key, "84912345678", "a")
    for _ in range(10):
        link.turn(0.02)
    assert len(smsc.submitted) == 3
    assert link.waiting == 2
    link.close()


def test_a_throttled_message_waits_and_keeps_its_place(smsc: Smsc, link: Link, heard: Heard) -> None:
    smsc.answers_with(THROTTLED, 0, 0)
    times = itertools.count()
    link.clock = lambda: next(times) * 0.05
    link._heard = link._asked = 0.0
    link.submit(1, "84912345678", "a")
    turns(link, lambda: len(heard.events) == 1)
    assert [sent.data for sent in smsc.submitted] == [b"a", b"a"]
    assert heard.events == [("accepted", 1, "ABC1")]


def test_no_more_goes_out_than_the_pace_allows(smsc: Smsc, link: Link, heard: Heard) -> None:
    now = [100.0]
    link.clock = lambda: now[0]
    link._heard = link._asked = now[0]
    link.pace = 10.0
    for key in range(30):
        link.submit(key, "84912345678", "a")
    out = []
    for _ in range(20):
        link.turn(0.0)
        out.append(30 - link.waiting)
        now[0] += 0.105
        turns(link, lambda: not link._sent)
    assert out == list(range(1, 21))


def test_a_link_that_was_held_up_does_not_make_up_for_all_of_it(smsc: Smsc, heard: Heard) -> None:
    now = [100.0]
    link = Link(config(smsc.port, window=50), heard, clock=lambda: now[0])
    link.connect()
    link.pace = 100.0
    for key in range(50):
        link.submit(key, "84912345678", "a")
    link.turn(0.0)
    before = link.waiting
    now[0] += 2.0
    link.turn(0.0)
    assert before - link.waiting == 1, "what was missed is made up for little by little, not at once"
    link.close()


def test_a_piece_takes_a_slot_of_its_own(smsc: Smsc, link: Link, heard: Heard) -> None:
    now = [100.0]
    link.clock = lambda: now[0]
    link._heard = link._asked = now[0]
    link.pace = 10.0
    link.submit(1, "84912345678", LONG)
    link.turn(0.0)
    assert (len(link._sent), link.waiting) == (1, 1)
    now[0] += 0.105
    turns(link, lambda: bool(heard.events))
    assert len(smsc.submitted) == 2


def test_waiting_ends_when_something_may_be_sent(smsc: Smsc, link: Link, heard: Heard) -> None:
    link.pace = 20.0
    for key in range(4):
        link.submit(key, "84912345678", "a")
    turns_needed = 0
    while len(heard.events) < 4:
        link.turn(30.0)  # an answer, or the next slot, comes long before
        turns_needed += 1
    assert turns_needed < 30


def test_an_answer_that_is_no_pdu_ends_the_session(smsc: Smsc, link: Link, heard: Heard) -> None:
    smsc.fault("malformed")
    link.submit(1, "84912345678", "a")
    with pytest.raises(LinkDown, match="unreadable"):
        turns(link, lambda: False)
    assert heard.events == [("unknown", 1)]


def test_a_bind_that_is_answered_with_rubbish_is_told(smsc: Smsc, heard: Heard) -> None:
    smsc.fault("malformed", applies_to="bind")
    with pytest.raises(LinkDown, match="unreadable"):
        Link(config(smsc.port), heard).connect()


def test_a_command_that_nobody_knows_is_passed_over(smsc: Smsc, link: Link, heard: Heard) -> None:
    smsc.tell(0x1234)
    link.submit(1, "84912345678", "a")
    turns(link, lambda: bool(heard.events))
    assert heard.events == [("accepted", 1, "ABC1")]


def test_what_the_smsc_does_not_even_understand_was_not_sent(smsc: Smsc, link: Link, heard: Heard) -> None:
    smsc.is_silent()
    link.submit(1, "84912345678", "a")
    turns(link, lambda: len(smsc.submitted) == 1)
    [sequence] = link._sent
    smsc.nack(sequence, 0x02)
    turns(link, lambda: bool(heard.events))
    assert heard.events == [("rejected", 1, 0x02)]


def test_a_vendors_own_refusal_is_told(smsc: Smsc, link: Link, heard: Heard) -> None:
    smsc.answers_with(VENDOR)
    link.submit(1, "84912345678", "a")
    link.submit(2, "84912345678", "b")
    turns(link, lambda: len(heard.events) == 2)
    assert heard.events == [("rejected", 1, VENDOR), ("accepted", 2, "ABC1")]


def test_a_message_whose_piece_is_refused_is_refused_once(smsc: Smsc, heard: Heard) -> None:
    link = Link(config(smsc.port, window=1), heard)
    link.connect()
    smsc.answers_with(0, VENDOR)
    link.submit(1, "84912345678", LONG * 2)
    turns(link, lambda: bool(heard.events))
    assert heard.events == [("rejected", 1, VENDOR)]
    assert len(smsc.submitted) == 2
    link.close()


def test_when_the_link_breaks_what_was_sent_is_unknown_and_the_rest_goes_back(smsc: Smsc, heard: Heard) -> None:
    smsc.is_silent()
    link = Link(config(smsc.port, window=2), heard)
    link.connect()
    for key in (1, 2, 3):
        link.submit(key, "84912345678", "a")
    turns(link, lambda: len(smsc.submitted) == 2)
    smsc.hang_up()
    with pytest.raises(LinkDown):
        turns(link, lambda: False)
    assert sorted(heard.events) == [("returned", 3), ("unknown", 1), ("unknown", 2)]


def test_a_message_nobody_answers_is_unknown(smsc: Smsc, heard: Heard) -> None:
    smsc.is_silent()
    link = Link(config(smsc.port), heard, idle=9, dead=0.3)
    link.connect()
    link.submit(1, "84912345678", "a")
    with pytest.raises(LinkDown, match="silent"):
        turns(link, lambda: False)
    assert heard.events == [("unknown", 1)]


def test_silence_is_asked_about_before_it_is_called_dead(smsc: Smsc, heard: Heard) -> None:
    link = Link(config(smsc.port), heard, idle=0.1, dead=5)
    link.connect()
    turns(link, lambda: smsc.enquired >= 2)
    link.close()


def test_the_smsc_may_ask_too(smsc: Smsc, link: Link) -> None:
    answer = smsc.enquire()
    turns(link, lambda: answer() is not None)
    assert answer() == 0


def test_a_polite_end_is_an_end(smsc: Smsc, link: Link) -> None:
    smsc.unbind()
    with pytest.raises(LinkDown, match="unbound"):
        turns(link, lambda: False)


@pytest.mark.parametrize(("status", "code"), [(0xE, "bind_0xe"), (0xD, "bind_0xd")])
def test_wrong_keys_are_told_by_their_number(smsc: Smsc, heard: Heard, status: int, code: str) -> None:
    smsc.refuses_binds(status)
    with pytest.raises(LinkDown, match=code):
        Link(config(smsc.port), heard).connect()


def test_nobody_listening_is_unreachable(heard: Heard) -> None:
    with pytest.raises(LinkDown, match="unreachable"):
        Link(config(free_port()), heard).connect()


# --- in ---------------------------------------------------------------------------------------------------------------


def test_a_message_is_acknowledged_after_it_was_kept(smsc: Smsc, link: Link, heard: Heard) -> None:
    status = meanwhile(link, lambda: smsc.deliver("84912345678", "Đèn hỏng 😀".encode("utf-16-be")))
    assert (status, heard.events) == (0, [("message", "84912345678", "8088", "Đèn hỏng 😀", None)])


def test_a_message_that_could_not_be_kept_stays_with_the_smsc(smsc: Smsc, link: Link, heard: Heard) -> None:
    heard.breaks = True
    assert meanwhile(link, lambda: smsc.deliver("84912345678", b"\0a")) == 0x64
    heard.breaks = False
    assert meanwhile(link, lambda: smsc.deliver("84912345678", b"\0a")) == 0
    assert [event[3] for event in heard.events] == ["a"]


def test_what_comes_together_is_kept_together(smsc: Smsc, link: Link, heard: Heard) -> None:
    answers = [smsc.tells("84912345678", f"{n}".encode()) for n in range(5)]
    for _ in answers:
        link._read_one()
    assert heard.kept == []
    turns(link, lambda: all(answer() is not None for answer in answers))
    assert [answer() for answer in answers] == [0] * 5
    assert (heard.kept, len(heard.events)) == ([5], 5)


def test_what_was_told_before_the_link_broke_comes_again(smsc: Smsc, link: Link, heard: Heard) -> None:
    smsc.tells("84912345678", b"\0a")
    smsc.tell(0x06)
    with pytest.raises(LinkDown, match="unbound"):
        turns(link, lambda: False)
    assert heard.events == [], "nothing is acknowledged that was not kept"


@pytest.mark.parametrize("wide", [False, True])
def test_pieces_say_which_they_are(smsc: Smsc, link: Link, heard: Heard, wide: bool) -> None:
    reference = 0x1234 if wide else 7
    for data in pieces(LONG, reference, wide=wide)[::-1]:
        assert meanwhile(link, lambda data=data: smsc.deliver("84912345678", data, esm=0x40)) == 0
    assert [event[4] for event in heard.events] == [(reference, 2, 2), (reference, 2, 1)]
    assert "".join(event[3] for event in heard.events[::-1]) == LONG


def test_pieces_may_be_told_beside_the_words(smsc: Smsc, link: Link, heard: Heard) -> None:
    more = b"\x02\x0c\x00\x02\x00\x09" + b"\x02\x0e\x00\x01\x03" + b"\x02\x0f\x00\x01\x02"
    meanwhile(link, lambda: smsc.deliver("84912345678", b"den hong", coding=0, more=more))
    assert heard.events == [("message", "84912345678", "8088", "den hong", (9, 3, 2))]


def test_a_long_message_may_come_whole_beside_the_words(smsc: Smsc, link: Link, heard: Heard) -> None:
    data = LONG.encode("utf-16-be")
    more = b"\x04\x24" + len(data).to_bytes(2, "big") + data
    meanwhile(link, lambda: smsc.deliver("84912345678", b"", more=more))
    assert heard.events[0][3] == LONG


@pytest.mark.parametrize(
    ("coding", "data", "text"),
    [
        (0, b"\x1be 5\x1b<", "€ 5["),
        (1, b"den", "den"),
        (3, b"caf\xe9", "café"),
        (0, b"\xff", "\ufffd"),
        (8, b"\0", "\ufffd"),
    ],
)
def test_every_alphabet_is_read(smsc: Smsc, link: Link, heard: Heard, coding: int, data: bytes, text: str) -> None:
    assert meanwhile(link, lambda: smsc.deliver("84912345678", data, coding=coding)) == 0
    assert heard.events[0][3] == text


def test_a_receipt_names_its_message(smsc: Smsc, link: Link, heard: Heard) -> None:
    assert meanwhile(link, lambda: smsc.receipt("ABC1", "UNDELIV")) == 0
    assert heard.events == [("receipt", "84912345678", "ABC1", "UNDELIV", "001")]


def test_what_stands_beside_the_words_of_a_receipt_counts_first(smsc: Smsc, link: Link, heard: Heard) -> None:
    more = b"\x00\x1e\x00\x05XYZ1\0" + b"\x04\x27\x00\x01\x02"
    words = b"id:other stat:EXPIRED err:000"
    meanwhile(link, lambda: smsc.deliver("84912345678", words, esm=0x04, coding=0, more=more))
    assert heard.events == [("receipt", "84912345678", "XYZ1", "DELIVRD", "000")]
