"""The stage: plays a conversation on a channel and checks what the script says about it."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from datetime import UTC
from typing import Any

import sqlalchemy as sa

from adapters.messages import Attachment, AttachmentKind
from bot import texts
from bot.rules.dialogue import lacks_place
from bot.rules.lifecycle import Given
from bot.runtime import Runtime
from bot.usecases import holding, intake, replies, tickets
from bot.usecases.replies import Written
from nlp.characters import fold
from storage.agencies import Agency
from storage.alerts import Alert
from storage.communes import Place
from storage.contacts import Contact, Conversation, Urn
from storage.deliveries import Delivery
from storage.enums import Direction, InboundState, TicketState
from storage.messages import InboundEvent, Message
from storage.officials import Official
from storage.sealing import open_words
from storage.subscriptions import Subscription
from storage.tickets import Ticket
from tests.bots import HOA, Bot, a_bot, a_photo
from tests.builders import World
from tests.conftest import Clock
from tests.scenarios.script import Script, Step, facts_of
from tests.sms import an_sms_channel
from tests.sms import texts as sms_says

_TIME = re.compile(r"(\d+)\s*([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_PIN = re.compile(r"\(pin ([\d.]+) ([\d.]+)\)\s*(.*)")
_PHOTO = re.compile(r"\(photo\)\s*(.*)")
_CHOICE = re.compile(r"\[(.+)\]")
# What has no short form: a commune's own answers and officials' own words.
_LONG = {"faq", "result", "refused", "reply"}
_numbers = itertools.count(1)


class Stage:
    """A commune with one channel, its citizens and officials, and the time of day."""

    def __init__(self, world: World, clock: Clock, channel: str, script: Script) -> None:
        self.world, self.clock, self.channel, self.script = world, clock, channel, script
        self.runtime: Runtime = world.runtime
        self.bot = a_bot(world) if channel == "telegram" else None
        self.channel_id = self._channel_of(channel)
        self.tapped: int | None = None
        self.speaker = "D"
        self.heard: dict[str, int] = {}
        self.turns = 0
        self.turns_to_code: int | None = None
        if script.begins is not None:
            clock.now = script.begins.astimezone(UTC)

    def _channel_of(self, channel: str) -> int:
        if self.bot is not None:
            return self.bot.channel_id
        return an_sms_channel(self.world) if channel == "sms" else self.world.channel_id

    def play(self) -> None:
        """Do every step; AssertionError names the line that does not hold."""
        doers: dict[str, Callable[[str], None]] = {
            "B": self._bot, "C": self._colleague, "T": self._ticket, "N": self._count, "A": self._citizen,
            "E": self._alerts, "S": self._subscriptions, "Q": self._question, "+": self._wait,
        }  # fmt: skip
        for step in self.script.steps:
            try:
                if step.who.startswith("D"):
                    self._says(step)
                else:
                    doers[step.who](step.what)
            except AssertionError as error:
                raise AssertionError(f"{self.channel} {step.line}\n    {error}") from None

    # ---- doing ------------------------------------------------------------------------------------------------------

    def urn(self, who: str) -> str:
        number = int(who[1:] or 1)
        if self.bot is not None:
            return f"telegram:{HOA + number}"
        value = f"300000000000000000{number}"
        if self.channel == "sms":
            return f"tel:+8490000000{number}"
        return f"zalo:{value}" if self.channel == "zalo" else f"{self.channel}:{value}"

    def _says(self, step: Step) -> None:
        self.speaker, words = step.who, step.what
        sent: tuple[Attachment, ...] = ()
        if found := _PIN.fullmatch(words):
            sent = (Attachment(AttachmentKind.LOCATION, latitude=float(found[1]), longitude=float(found[2])),)
            words = found[3]
        elif found := _PHOTO.fullmatch(words):
            sent, words = (Attachment(AttachmentKind.IMAGE, url="https://photo.zdn.vn/a.jpg"),), found[1]
        elif found := _CHOICE.fullmatch(words):
            words = self._chosen(found[1])
        if self.channel == "sms":
            words = texts.plain(words)
        self._arrive(words, sent)
        self.clock.move(seconds=1)
        assert intake.drain(self.runtime) > 0, "nothing was taken in"
        parked = self._all(InboundEvent, InboundEvent.state == InboundState.PARKED)
        assert not parked, f"parked: {[row.outcome for row in parked]}"
        if step.who == "D":
            self.turns += 1
            self._look_for_code()

    def _arrive(self, words: str, sent: tuple[Attachment, ...]) -> None:
        urn, number = self.urn(self.speaker), next(_numbers)
        if self.channel == "zalo":
            self._arrive_on_zalo(urn.removeprefix("zalo:"), words, sent, number)
        elif self.channel == "sms":
            assert not sent, "an SMS is words"
            sms_says(self.world, self.channel_id, words, sender=urn.removeprefix("tel:"))
        elif self.bot is not None:
            self._arrive_on_telegram(self.bot, int(urn.removeprefix("telegram:")), words, sent)
        if self.script.phone and self.speaker == "D":
            self._know_phone(urn)

    def _arrive_on_zalo(self, user: str, words: str, sent: tuple[Attachment, ...], number: int) -> None:
        if not sent:
            self.world.says(words, user=user)
            return
        base = {
            "sender": {"id": user},
            "recipient": {"id": "2000000000000000001"},
            "user_id_by_app": "4000000000000000004",
        }
        message: dict[str, Any] = {"msg_id": f"att{number:08d}"} | ({"text": words} if words else {})
        if sent[0].latitude is not None:
            spot = {"latitude": str(sent[0].latitude), "longitude": str(sent[0].longitude)}
            message["attachments"] = [{"type": "location", "payload": {"coordinates": spot}}]
            self.world.event({**base, "event_name": "user_send_location", "message": message})
        else:
            message["attachments"] = [{"type": "image", "payload": {"url": sent[0].url, "thumbnail": sent[0].url}}]
            self.world.event({**base, "event_name": "user_send_image", "message": message})

    def _arrive_on_telegram(self, bot: Bot, who: int, words: str, sent: tuple[Attachment, ...]) -> None:
        tapped, self.tapped = self.tapped, None
        if tapped is not None:
            bot.taps(words, who=who, on=tapped)
        elif sent and sent[0].latitude is not None:
            bot.says("", who=who, location={"latitude": sent[0].latitude, "longitude": sent[0].longitude})
            if words:  # there a pin has no words of its own
                bot.says(words, who=who)
        elif sent:
            bot.says("", who=who, photo=a_photo(), **({"caption": words} if words else {}))
        else:
            bot.says(words, who=who)

    def _know_phone(self, urn: str) -> None:
        with self.runtime.database.transaction() as session:
            row = session.scalar(sa.select(Urn).where(Urn.value == urn))
            if row is not None:
                session.get_one(Contact, row.contact_id).phone = self.script.phone

    def _chosen(self, label: str) -> str:
        """The label where there are buttons, its number where there are none."""
        for message in reversed(self._said()):
            key = (message.template or "").split("+")[-1]
            labels = [choice.label for choice in texts.template_of(key).choices] if key in texts.catalogue("vi") else []
            if label in labels:
                if self.channel == "telegram":
                    shown = self._shown(message)
                    assert label in shown, f"no button {label!r} was shown, but {shown}"
                    self.tapped = self._as_sent(message)
                    return label
                return str(labels.index(label) + 1)
        raise AssertionError(f"no answer {label!r} was offered")

    def _shown(self, message: Message) -> list[str]:
        sent = self._all(Delivery, Delivery.message_id == message.id)
        return [label for delivery in sent for label in delivery.choices or []]

    def _as_sent(self, message: Message) -> int:
        """The number Telegram gave the message with the buttons: a tap quotes it."""
        chat = self.urn(self.speaker).removeprefix("telegram:")
        with self.runtime.database.transaction() as session:
            sent = sa.update(Delivery).where(Delivery.message_id == message.id, Delivery.external_id.is_(None))
            session.execute(sent.values(external_id=f"{chat}:{90_000 + message.id}"))
        return 90_000 + message.id

    def _wait(self, what: str) -> None:
        found = _TIME.fullmatch(what)
        assert found, f"no time: {what!r}"
        self.clock.move(**{_UNITS[found[2]]: int(found[1])})

    def _colleague(self, what: str) -> None:
        if what == "clock":
            holding.hand_back_due(self.runtime)
            return
        name, verb, code, *rest = what.split(" ", 3)
        official = self.world.official(name)
        ticket, words = self._of_code(code), " ".join(rest)
        deed = {
            "receives": self._receives, "replies": self._replies, "answers": self._answers, "takes": self._takes,
            "returns": self._returns, "gives": self._gives,
        }[verb]  # fmt: skip
        deed(official, ticket, words)
        self.clock.move(seconds=1)

    def _receives(self, official: Official, ticket: Ticket, words: str) -> None:
        assert tickets.receive(self.runtime, official, ticket.id, version=ticket.version)

    def _replies(self, official: Official, ticket: Ticket, words: str) -> None:
        written = Written(words)
        replies.reply(
            self.runtime, official, ticket.id, version=ticket.version, token=f"t{next(_numbers)}", written=written
        )

    def _answers(self, official: Official, ticket: Ticket, words: str) -> None:
        if ticket.agency_id is None:
            self._gives(official, ticket, "kinh-te")
            ticket = self._of_code(ticket.code)
        written = Written(words, is_result=True, next_step="xin nhắn lại nếu còn tái diễn.")
        replies.reply(
            self.runtime, official, ticket.id, version=ticket.version, token=f"t{next(_numbers)}", written=written
        )

    def _takes(self, official: Official, ticket: Ticket, words: str) -> None:
        holding.take_over(self.runtime, official, ticket.id, version=ticket.version)

    def _returns(self, official: Official, ticket: Ticket, words: str) -> None:
        holding.hand_back(self.runtime, official, ticket.id, version=ticket.version)

    def _gives(self, official: Official, ticket: Ticket, words: str) -> None:
        agency = self._all(Agency, Agency.slug == words, Agency.commune_id == self.world.commune_id)[0]
        if ticket.state is TicketState.NEW:
            self._receives(official, ticket, "")
            ticket = self._of_code(ticket.code)
        given = Given(agency_id=agency.id)
        tickets.change_state(
            self.runtime, official, ticket.id, version=ticket.version, target=TicketState.ASSIGNED, given=given
        )

    # ---- looking ----------------------------------------------------------------------------------------------------

    def _all(self, table: type, *where: Any) -> list[Any]:
        with self.runtime.database.reading() as session:
            open_words(session)  # what is sealed is looked at, too
            return list(session.scalars(sa.select(table).where(*where).order_by(table.id)))

    def _conversation(self, who: str) -> Conversation | None:
        with self.runtime.database.reading() as session:
            return session.scalar(
                sa.select(Conversation).join(Urn, Urn.id == Conversation.urn_id).where(Urn.value == self.urn(who))
            )

    def _said(self, who: str = "") -> list[Message]:
        conversation = self._conversation(who or self.speaker)
        assert conversation is not None, "nobody has spoken yet"
        return self._all(Message, Message.conversation_id == conversation.id, Message.direction == Direction.OUT)

    def _of_code(self, code: str) -> Ticket:
        found = self._all(Ticket, Ticket.code == code)
        assert found, f"there is no {code}, but {[t.code for t in self._all(Ticket)]}"
        return found[0]

    def _look_for_code(self) -> None:
        if self.turns_to_code is None and any(re.search(r"PA\d\d-\d{4}", m.text) for m in self._said("D")):
            self.turns_to_code = self.turns

    def _bot(self, what: str) -> None:
        wanted, *words = [part.strip() for part in what.split("|")]
        all_said = self._said()
        said = all_said[self.heard.get(self.speaker, 0) :]
        self.heard[self.speaker] = len(all_said)
        keys = [key for m in said for key in (m.template or "reply").split("+")]
        asked = [] if wanted in ("-", "") else wanted.split()
        assert keys == asked, f"said {' '.join(keys) or '-'}: {[m.text for m in said]}"
        spoken = fold("\n".join(m.text for m in said))
        for part in words:
            assert fold(part) in spoken, f"{part!r} is not in {spoken!r}"
        if self.channel == "sms":
            self._short(said)

    def _short(self, said: list[Message]) -> None:
        for message in said:
            if (message.template or "reply") in _LONG:
                continue
            assert message.text.isascii(), f"accents in an SMS: {message.text!r}"
            assert len(message.text) <= texts.SMS_LENGTH, f"{len(message.text)} characters: {message.text!r}"

    def _ticket(self, what: str) -> None:
        code, _, rest = what.partition(" ")
        ticket = self._of_code(code)
        for key, value in facts_of(rest).items():
            found = self._fact(ticket, key)
            assert fold(found) == fold(value), f"{key} is {found!r}"

    def _fact(self, ticket: Ticket, key: str) -> str:
        simple: dict[str, Callable[[], object]] = {
            "topic": lambda: ticket.topic or "",
            "state": lambda: ticket.state.value,
            "urgency": lambda: ticket.urgency.value,
            "place": lambda: ticket.place_text or "",
            "sealed": lambda: ticket.is_sealed,
            "open": lambda: ticket.is_open,
            "anonymous": lambda: ticket.is_anonymous,
            "rating": lambda: ticket.rating or "",
            "reopened": lambda: ticket.reopened_count,
            "pin": lambda: ticket.latitude is not None,
            "incomplete": lambda: lacks_place(ticket.topic, has_place=ticket.has_place),
            "into": lambda: self._all(Ticket, Ticket.id == ticket.merged_into_id)[0].code,
            "agency": lambda: self._all(Agency, Agency.id == ticket.agency_id)[0].slug,
            "intent": lambda: (self._messages(ticket)[0].reading or {}).get("intent", ""),
            "messages": lambda: len(self._messages(ticket)),
        }
        found = simple[key]()
        return {True: "yes", False: "no"}.get(found, str(found)) if isinstance(found, bool) else str(found)

    def _messages(self, ticket: Ticket) -> list[Message]:
        return self._all(Message, Message.ticket_id == ticket.id, Message.direction == Direction.IN)

    def _count(self, what: str) -> None:
        codes = [t.code for t in self._all(Ticket)]
        assert len(codes) == int(what), f"there are {codes}"

    def _citizen(self, what: str) -> None:
        conversation = self._conversation(self.speaker)
        assert conversation is not None
        contact = self._all(Contact, Contact.id == conversation.contact_id)[0]
        for key, value in facts_of(what).items():
            found = getattr(contact, key) or ""
            assert fold(found) == fold(value), f"{key} is {found!r}"

    def _alerts(self, what: str) -> None:
        found = []
        for alert in self._all(Alert, Alert.seen_at.is_(None)):
            code = self._all(Ticket, Ticket.id == alert.ticket_id)[0].code if alert.ticket_id else "-"
            found.append(f"{alert.kind.value} {code}")
        wanted = [] if what == "-" else [part.strip() for part in what.split(",")]
        assert found == wanted, f"alerts are {found}"

    def _subscriptions(self, what: str) -> None:
        conversation = self._conversation(self.speaker)
        assert conversation is not None
        urn = self._all(Urn, Urn.id == conversation.urn_id)[0]
        rows = self._all(Subscription, Subscription.urn_id == urn.id)
        names = {p.id: p.name for p in self._all(Place)}
        found = [(row.topic, names.get(row.place_id, "")) for row in rows]
        if what in {"all", "none"}:
            assert (urn.opted_out_at is None) == (what == "all"), f"opted out: {urn.opted_out_at}"
            assert not found, f"subscribed to {found}"
            return
        facts = facts_of(what)
        wanted = (facts.get("topic", ""), facts.get("place", ""))
        assert wanted in found, f"subscribed to {found}"

    def _question(self, what: str) -> None:
        conversation = self._conversation(self.speaker)
        asked = (conversation.asked if conversation else None) or "-"
        assert asked == what, f"{asked} waits"
