"""The pretend SMSC, spoken to by a library that others wrote: what it accepts, tells, and how it fails on demand."""

from __future__ import annotations

import select
import socket
import struct
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("smpplib", reason="the extra [smpp] is not installed")

import smpplib.client
import smpplib.consts
import smpplib.exceptions
import smpplib.smpp

from bot.web.sandbox.sms import memory, pdu
from tests.sandbox.networks import NUMBER, Networks, an_account, networks
from tests.sandbox.running import running, until

LONG = "Kính gửi UBND xã, đèn đường thôn Đông hỏng ba hôm nay, mong cán bộ cử người sửa sớm, xin cảm ơn nhiều."
USER, PASSWORD = "xa", "smppword"
CUT = (LONG[:60], LONG[60:])


@pytest.fixture
def net(tmp_path: Path) -> Iterator[Networks]:
    account = an_account("smpp", key=USER, secret=PASSWORD)
    with networks(tmp_path, account, smsc_port=0) as found:
        found.box.start()
        yield found


class Esme:
    """A gateway made with smpplib."""

    def __init__(self, port: int, password: str = PASSWORD, user: str = USER) -> None:
        self.client = smpplib.client.Client("127.0.0.1", port, timeout=5, allow_unknown_opt_params=True)
        self.client.set_message_received_handler(lambda pdu: self.status)
        self.client.connect()
        self.heard: list[Any] = []
        self.status = 0
        try:
            self.client.bind_transceiver(system_id=user, password=password)
        except Exception:
            self.close()
            raise

    def submit(self, to: str, text: str | bytes, **more: Any) -> int:
        data = text.encode("utf-16-be") if isinstance(text, str) else text
        made = smpplib.smpp.make_pdu(
            "submit_sm", client=self.client, source_addr=NUMBER, destination_addr=to, short_message=data,
            **{"data_coding": 8, "registered_delivery": 1, **more},
        )  # fmt: skip
        self.client.send_pdu(made)
        return int(made.sequence)

    def hear(self, seconds: float = 5.0) -> Any:
        """The next PDU; a delivery is acknowledged with `status`. None when nothing comes."""
        if not select.select([self.client._socket], [], [], seconds)[0]:
            return None
        heard = self.client.read_pdu()
        if heard.command == "deliver_sm":
            self.client._message_received(heard)
        self.heard.append(heard)
        return heard

    def answer(self) -> Any:
        """The answer to what was submitted, whatever else comes before it."""
        return self._first(lambda heard: heard.command == "submit_sm_resp")

    def delivery(self) -> Any:
        """The next delivery, whatever else comes before it."""
        return self._first(lambda heard: heard.command == "deliver_sm")

    def _first(self, is_it: Callable[[Any], bool]) -> Any:
        while True:
            heard = self.hear()
            assert heard is not None, "nothing came"
            if is_it(heard):
                return heard

    def close(self) -> None:
        if self.client._socket is not None:
            self.client._socket.close()
            self.client._socket = None


@pytest.fixture
def esme(net: Networks) -> Iterator[Esme]:
    one = Esme(net.smsc.port)
    yield one
    one.close()


# ---- sessions -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("keys", "status"), [({"password": "wrong"}, 0x0E), ({"user": "nobody"}, 0x0F)])
def test_wrong_keys_are_not_let_in(net: Networks, keys: dict[str, str], status: int) -> None:
    with pytest.raises(smpplib.exceptions.PDUError) as raised:
        Esme(net.smsc.port, **keys)
    assert raised.value.args[1] == status
    assert net.smsc.binds == 0


def test_a_session_is_kept_alive_and_ended_politely(net: Networks, esme: Esme) -> None:
    esme.client.send_pdu(smpplib.smpp.make_pdu("enquire_link", client=esme.client))
    assert esme.hear().command == "enquire_link_resp"
    esme.client.send_pdu(smpplib.smpp.make_pdu("unbind", client=esme.client))
    assert esme.hear().command == "unbind_resp"
    esme.close()
    until(lambda: net.smsc.sessions == [])


@pytest.mark.parametrize(
    ("command", "answer", "status"),
    [(0x04, 0x80000004, 4), (0x03, 0x80000000, 3)],
    ids=["submitted before the bind", "a command it does not know"],
)
def test_what_is_out_of_place_is_refused(net: Networks, command: int, answer: int, status: int) -> None:
    with socket.create_connection(("127.0.0.1", net.smsc.port), timeout=5) as line:
        line.sendall(pdu.Pdu(command, 0, 7).bytes())
        assert struct.unpack(">IIII", line.recv(16)) == (16, answer, status, 7)


@pytest.mark.parametrize("raw", [b"\0\0\0\7" + b"x" * 12, b"\xff\xff\xff\xff" + b"x" * 12])
def test_what_is_no_pdu_ends_the_session(net: Networks, raw: bytes) -> None:
    with socket.create_connection(("127.0.0.1", net.smsc.port), timeout=5) as line:
        line.sendall(raw)
        assert line.recv(16) == b""


def test_there_is_none_unless_it_is_asked_for(tmp_path: Path) -> None:
    with running(tmp_path) as zalo:
        zalo.box.start()
        assert zalo.box.smsc is None


# ---- out ------------------------------------------------------------------------------------------------------------


def test_a_message_arrives_and_is_reported_by_its_id(net: Networks, esme: Esme) -> None:
    hoa = net.phone()
    esme.submit(hoa, "Đã sửa xong")
    assert esme.answer().message_id == b"ABC1"
    told = esme.delivery()
    assert (told.receipted_message_id, told.esm_class & 0x3C) == (b"ABC1", 4)
    assert b"id:ABC1" in told.short_message
    assert b"stat:DELIVRD" in told.short_message
    assert net.heard(hoa) == ["Đã sửa xong"]
    [row] = net.ledger()
    assert (row["account"], row["sender"], row["answered"]) == ("smpp:8088", NUMBER, True)


@pytest.mark.parametrize("reason", ["nobody", "off", "fault"])
def test_what_does_not_arrive_is_reported_so(net: Networks, esme: Esme, reason: str) -> None:
    hoa = net.phone()
    if reason == "off":
        net.control("switch", number=hoa)
    if reason == "fault":
        net.fault("failed", applies_to="receipt")
    esme.submit("84999999999" if reason == "nobody" else hoa, "a")
    assert b"stat:UNDELIV" in esme.delivery().short_message
    assert net.heard(hoa) == []


def test_nobody_reports_unasked(net: Networks, esme: Esme) -> None:
    esme.submit(net.phone(), "a", registered_delivery=0)
    esme.answer()
    assert net.calls() == []


@pytest.mark.parametrize("header", [lambda n: bytes([5, 0, 3, 9, 2, n]), lambda n: bytes([6, 8, 4, 1, 9, 2, n])])
def test_pieces_are_one_message_on_the_telephone(net: Networks, esme: Esme, header: Callable[[int], bytes]) -> None:
    hoa = net.phone()
    esme.submit(hoa, header(2) + CUT[1].encode("utf-16-be"), esm_class=0x40)
    esme.answer()
    assert net.heard(hoa) == [], "a telephone shows a message when it is whole"
    esme.submit(hoa, header(1) + CUT[0].encode("utf-16-be"), esm_class=0x40)
    until(lambda: net.heard(hoa) == [LONG])
    assert [(row["piece"], row["total"]) for row in net.ledger()] == [(2, 2), (1, 2)]
    assert f"2 tin, có dấu (UCS-2), {len(LONG)} ký tự" in net.client.get(f"/sms/{hoa}").text


def test_two_telephones_with_one_reference_are_not_mixed(net: Networks, esme: Esme) -> None:
    phones = [net.phone(), net.phone()]
    for n in (1, 2):
        for phone in phones:
            esme.submit(phone, bytes([5, 0, 3, 9, 2, n]) + CUT[n - 1].encode("utf-16-be"), esm_class=0x40)
    until(lambda: [net.heard(phone) for phone in phones] == [[LONG], [LONG]])
    assert net.repeats() == []


def test_the_narrow_alphabet_is_read(net: Networks, esme: Esme) -> None:
    hoa = net.phone()
    esme.submit(hoa, b"Da sua \x1b<1\x1b>", data_coding=0)
    esme.answer()
    assert net.heard(hoa) == ["Da sua [1]"]
    assert net.ledger()[0]["alphabet"] == "GSM-7"


def test_a_short_code_is_nobody(net: Networks, esme: Esme) -> None:
    esme.submit("113", "a")
    assert esme.answer().status == 0x0B
    assert net.ledger() == []


# ---- faults ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "status"),
    [({"kind": "throttle"}, 0x58), ({"kind": "error", "code": 0x410}, 0x410), ({"kind": "error"}, 8)],
)
def test_a_refusal_accepts_nothing_and_is_over_after_its_count(
    net: Networks, esme: Esme, fault: dict[str, Any], status: int
) -> None:
    hoa = net.phone()
    net.control("faults", **fault)
    esme.submit(hoa, "a")
    assert esme.answer().status == status
    assert net.ledger() == []
    esme.submit(hoa, "a")
    assert esme.answer().status == 0
    assert len(net.ledger()) == 1


@pytest.mark.parametrize(("when", "accepted"), [("before", 0), ("after", 1)])
def test_the_link_drops_before_or_after_the_message_was_taken(
    net: Networks, esme: Esme, when: str, accepted: int
) -> None:
    net.fault("drop", when=when)
    esme.submit(net.phone(), "a")
    with pytest.raises(smpplib.exceptions.ConnectionError):
        esme.answer()
    assert [row["answered"] for row in net.ledger()] == [False] * accepted


def test_a_message_is_taken_and_never_answered(net: Networks, esme: Esme) -> None:
    net.fault("mute")
    hoa = net.phone()
    first, second = esme.submit(hoa, "a"), esme.submit(hoa, "b")
    assert esme.answer().sequence == second != first
    assert [row["answered"] for row in net.ledger()] == [False, True]
    assert net.heard(hoa) == ["a", "b"]


def test_a_slow_answer_holds_up_nobody_else(net: Networks, esme: Esme) -> None:
    net.fault("slow", seconds=1.0)
    hoa = net.phone()
    first, second = esme.submit(hoa, "a"), esme.submit(hoa, "b")
    assert [esme.answer().sequence, esme.answer().sequence] == [second, first]


def test_an_answer_is_no_pdu(net: Networks, esme: Esme) -> None:
    net.fault("malformed")
    esme.submit(net.phone(), "a")
    with pytest.raises((struct.error, smpplib.exceptions.PDUError)):
        esme.answer()
    assert len(net.ledger()) == 1


@pytest.mark.parametrize("fault", [{"kind": "key"}, {"kind": "error", "code": 0x0E}])
def test_a_key_that_was_good_is_refused(net: Networks, fault: dict[str, Any]) -> None:
    net.control("faults", applies_to="bind", **fault)
    with pytest.raises(smpplib.exceptions.PDUError) as raised:
        Esme(net.smsc.port)
    assert raised.value.args[1] == 0x0E
    Esme(net.smsc.port).close()


@pytest.mark.parametrize("kind", ["drop", "malformed"])
def test_a_bind_may_fail_without_a_word(net: Networks, kind: str) -> None:
    net.fault(kind, applies_to="bind")
    with pytest.raises((smpplib.exceptions.ConnectionError, struct.error)):
        Esme(net.smsc.port)
    Esme(net.smsc.port).close()


# ---- in -------------------------------------------------------------------------------------------------------------


def test_a_citizens_words_are_delivered(net: Networks, esme: Esme) -> None:
    hoa = net.phone()
    net.says(hoa, "Đèn hỏng 😀")
    told = esme.delivery()
    assert (told.source_addr, told.destination_addr, told.data_coding) == (hoa.encode(), NUMBER.encode(), 8)
    assert told.short_message.decode("utf-16-be") == "Đèn hỏng 😀"
    until(lambda: [call["state"] for call in net.calls()] == ["told"])
    net.says(hoa, "[den hong]")
    assert esme.delivery().short_message == b"\x1b<den hong\x1b>"


def test_what_is_acknowledged_while_the_network_looks_what_is_due_is_not_told_again(
    net: Networks, esme: Esme, monkeypatch: pytest.MonkeyPatch
) -> None:
    due, session = memory.due, net.smsc.sessions[0]

    def slowly(*args: Any) -> list[Any]:
        rows = due(*args)
        if session._unanswered:  # what was read is acknowledged before it is looked at
            until(lambda: not session._unanswered)
        return rows

    monkeypatch.setattr(memory, "due", slowly)
    net.says(net.phone(), "a")
    assert select.select([esme.client._socket], [], [], 5)[0]
    time.sleep(0.1)  # the network looks again
    assert esme.delivery().short_message == b"a"
    until(lambda: [call["state"] for call in net.calls()] == ["told"])
    assert esme.hear(0.3) is None


@pytest.mark.parametrize("shuffled", [False, True])
def test_a_long_text_comes_in_pieces(net: Networks, esme: Esme, shuffled: bool) -> None:
    if shuffled:
        net.fault("shuffle", applies_to="message")
    net.says(net.phone(), LONG)
    told = [esme.delivery().short_message for _ in range(2)]
    assert [data[5] for data in told] == ([2, 1] if shuffled else [1, 2])
    assert told[0][:5] == told[1][:5] == bytes([5, 0, 3, told[0][3], 2])
    assert b"".join(data[6:] for data in sorted(told, key=lambda data: data[5])).decode("utf-16-be") == LONG


def test_a_message_comes_twice(net: Networks, esme: Esme) -> None:
    net.fault("repeat", applies_to="message")
    net.says(net.phone(), "a")
    assert [esme.delivery().short_message for _ in range(2)] == [b"a", b"a"]
    until(lambda: [call["state"] for call in net.calls()] == ["told", "told"])
    net.control("again")
    assert esme.delivery().short_message == b"a"


def test_what_the_gateway_could_not_keep_comes_again(net: Networks, esme: Esme) -> None:
    esme.status = 0x64
    net.says(net.phone(), "a")
    esme.delivery()
    esme.status = 0
    assert esme.delivery().short_message == b"a"
    until(lambda: [(call["state"], call["attempts"]) for call in net.calls()] == [("told", 2)])


def test_what_was_never_acknowledged_comes_again_in_the_next_session(net: Networks, esme: Esme) -> None:
    net.says(net.phone(), "a")
    assert select.select([esme.client._socket], [], [], 5)[0]
    esme.close()
    again = Esme(net.smsc.port)
    assert again.delivery().short_message == b"a"
    again.close()


def test_messages_wait_for_a_session(net: Networks) -> None:
    net.says(net.phone(), "a")
    late = Esme(net.smsc.port)
    assert late.delivery().short_message == b"a"
    late.close()


def test_no_more_deliveries_are_out_than_its_window(net: Networks, esme: Esme) -> None:
    hoa = net.phone()
    for n in range(15):
        net.says(hoa, f"{n}")
    first = [esme.client.read_pdu() for _ in range(10)]  # and none of them is acknowledged
    assert esme.hear(0.2) is None
    for one in first:
        esme.client._message_received(one)
    new: list[bytes] = []
    while len(new) < 5:  # what was acknowledged late may come once more in between
        said = esme.delivery().short_message
        new += [said] if int(said) >= 10 and said not in new else []
    assert new == [f"{n}".encode() for n in range(10, 15)]
