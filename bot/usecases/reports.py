"""Reports: a citizen's message is kept, filed under its ticket, and answered."""

from __future__ import annotations

import re
from datetime import timedelta

import sqlalchemy as sa

from adapters.messages import Attachment as SentAttachment
from adapters.messages import AttachmentKind, InboundMessage
from bot import texts
from bot.queue import MEDIA
from bot.rules.deadlines import is_working_time, next_opening
from bot.rules.dialogue import Answered
from bot.usecases import dialogue
from bot.usecases.citizens import citizen, interacted, opt, say
from bot.usecases.communes import answer_in_words, hours_in_words
from bot.usecases.deliveries import PRIORITY_EMERGENCY
from bot.usecases.filing import Filed, file_message, may_be_filed
from bot.usecases.work import Citizen, Work
from nlp.faq import FaqMatch
from nlp.normalise import fold
from nlp.reading import Reading
from nlp.topics import TOPICS
from storage.agencies import Agency
from storage.enums import AttachmentState, Direction, Origin, Urgency
from storage.messages import Attachment, Message
from storage.tickets import Ticket

WITH_BYTES = {
    AttachmentKind.IMAGE,
    AttachmentKind.GIF,
    AttachmentKind.AUDIO,
    AttachmentKind.VIDEO,
    AttachmentKind.FILE,
}
# What says that an answer was not the one that was asked for, and how soon after it and how shortly.
OBJECTION = re.compile(r"\b(?:(?:chua|khong|hong) (?:dung|phai|ro)|sai roi|hoi cai khac|y khac)\b")
OBJECTION_TIME, OBJECTION_WORDS = timedelta(hours=24), 20
CODE = re.compile(r"\bPA\s?(\d{2})\s?-?\s?(\d{1,6})\b", re.IGNORECASE)


def take_message(work: Work, word: InboundMessage, reading: Reading | None, asked: FaqMatch | None = None) -> str:
    """Keep what a citizen said, file it, and answer as far as a machine may. `asked`: the frequent question it asks."""
    person = citizen(work, word.urn)
    if person.contact.erased_at is not None and word.occurred_at <= person.contact.erased_at:
        work.row.body = b"{}"
        return "message:withdrawn"
    interacted(person, word.occurred_at)
    message = _keep(work, person, word, reading)
    answered = dialogue.hear(work, person, message, reading, has_pin=word.has_pin)
    if answered is Answered.SKIPPED or (
        answered is Answered.NOT and _answer_frequent(work, person, message, word, asked)
    ):
        filed = Filed(None)
    elif answered is Answered.PLACE:
        filed = file_message(work, person, message)
    else:
        unanswered = _take_back_answer(work, person, message, reading)
        needs_filing = may_be_filed(message, reading, has_attachments=bool(word.attachments))
        filed = file_message(work, person, message) if needs_filing else Filed(None)
        if unanswered is not None and filed.ticket is None:
            filed = file_message(work, person, unanswered)
    conversation = person.conversation
    conversation.last_in_at = max(filter(None, (conversation.last_in_at, message.occurred_at)))
    conversation.last_message_at = max(filter(None, (conversation.last_message_at, message.occurred_at)))
    intent = reading.intent if reading else ""
    if intent in {"unsubscribe", "subscribe"}:
        return _opt(work, person, message, out=intent == "unsubscribe")
    if work.is_stale or message.faq_key is not None or answered is Answered.SKIPPED:
        pass
    elif answered is Answered.PLACE and filed.ticket is not None:
        dialogue.thank(work, person, message, filed.ticket, has_pin=word.has_pin)
    else:
        _answer(work, person, message, reading, filed)
    if filed.ticket is None:
        return f"message:{intent or 'nothing_to_do'}"
    return "message:opened" if filed.opened else "message:added"


def _answer_frequent(
    work: Work, person: Citizen, message: Message, word: InboundMessage, asked: FaqMatch | None
) -> bool:
    """Answer a frequent question at once, when it is surely one and comes alone; then it needs no ticket."""
    answer = work.book.faq.answers.get(asked.key) if asked and asked.is_sure else None
    if answer is None or word.attachments or word.quoted_external_id or work.is_stale:
        return False
    words = answer_in_words(work.book, answer)
    text = texts.say("faq", cautraloi=words, nguon=answer.source, ngay=texts.month(answer.as_of))
    message.faq_key = answer.key
    say(work, person, text, f"faq:{message.id}")
    return True


def _take_back_answer(work: Work, person: Citizen, message: Message, reading: Reading | None) -> Message | None:
    """The question whose answer was not what was meant: it goes to an official after all."""
    objects = bool(reading and reading.intent == "human_handoff") or OBJECTION.search(message.text_folded) is not None
    if not objects or len(message.text_folded.split()) > OBJECTION_WORDS:
        return None
    question = work.session.scalar(
        sa.select(Message)
        .where(
            Message.conversation_id == person.conversation.id,
            Message.direction == Direction.IN,
            Message.faq_key.is_not(None),
            Message.occurred_at > message.occurred_at - OBJECTION_TIME,
        )
        .order_by(Message.occurred_at.desc(), Message.id.desc())
        .limit(1)
    )
    if question is not None:
        question.faq_key = None
        work.session.flush()
    return question


def _keep(work: Work, person: Citizen, word: InboundMessage, reading: Reading | None) -> Message:
    message = Message(
        commune_id=work.channel.commune_id,
        channel_id=work.channel.id,
        conversation_id=person.conversation.id,
        inbound_event_id=work.row.id,
        direction=Direction.IN,
        origin=Origin.CITIZEN,
        external_id=word.external_id[:160],
        quoted_external_id=(word.quoted_external_id or "")[:160] or None,
        text=word.text,
        text_folded=fold(word.text),
        reading=reading.to_json() if reading else None,
        is_sealed=bool(reading and reading.sealed),
        # A clock that runs ahead must not push a message to the end of the conversation for hours.
        occurred_at=min(word.occurred_at, work.row.received_at),
        created_at=work.now,
    )
    work.session.add(message)
    work.session.flush()
    if word.attachments:
        work.session.add_all(_attachment(work, message, n, sent) for n, sent in enumerate(word.attachments))
        work.session.flush()
    return message


def _attachment(work: Work, message: Message, position: int, sent: SentAttachment) -> Attachment:
    row = Attachment(
        commune_id=message.commune_id,
        message_id=message.id,
        position=position,
        kind=sent.kind.value,
        url=sent.url,
        name=(sent.name or "")[:255] or None,
        title=sent.title,
        phone=(sent.phone or "")[:40] or None,
        latitude=sent.latitude,
        longitude=sent.longitude,
        declared_size=sent.size,
        declared_md5=(sent.md5 or "")[:32] or None,
        state=AttachmentState.NONE,
    )
    if sent.kind in WITH_BYTES:
        row.state = AttachmentState.WAITING if sent.url else AttachmentState.MISSING
        row.missing_code = None if sent.url else "no_address"
        row.next_try_at = work.now
        work.nudges.add(MEDIA)
    return row


def _opt(work: Work, person: Citizen, message: Message, *, out: bool) -> str:
    changed = opt(work, person, out=out, at=message.occurred_at)
    if changed and not work.is_stale:
        key = "unsubscribed" if out else "subscribed"
        say(work, person, texts.say(key, xa=work.book.name), f"{key}:{message.id}")
    return "message:unsubscribe" if out else "message:subscribe"


def _answer(work: Work, person: Citizen, message: Message, reading: Reading | None, filed: Filed) -> None:
    ticket = filed.ticket
    if ticket is None:
        _answer_without_ticket(work, person, message, reading)
    elif filed.opened:
        _acknowledge(work, person, message, ticket, reading)
        dialogue.ask_about(work, person, ticket, reading)
    elif reading and reading.urgency == Urgency.EMERGENCY.value:
        _emergency(work, person, message, ticket)
    elif filed.is_later:
        say(work, person, texts.say("added", ma=ticket.code), f"added:{message.id}", ticket=ticket)


def _acknowledge(work: Work, person: Citizen, message: Message, ticket: Ticket, reading: Reading | None) -> None:
    book = work.book
    intent = reading.intent if reading else ""
    if ticket.urgency is Urgency.EMERGENCY:
        _emergency(work, person, message, ticket)
    if ticket.is_sealed:
        if intent != "emergency":
            say(
                work,
                person,
                texts.say("denunciation_guide", noitiep=book.reception),
                f"guide:{ticket.id}",
                ticket=ticket,
            )
        return
    if intent == "complaint":
        say(work, person, texts.say("complaint_guide", noitiep=book.reception), f"guide:{ticket.id}", ticket=ticket)
    elif intent == "human_handoff":
        words = texts.say(
            "handoff", xa=book.name, gio=hours_in_words(book.hours), sdttruc=book.duty_phone, ma=ticket.code
        )
        say(work, person, words, f"ack:{ticket.id}", ticket=ticket)
        return
    elif intent == "data_request":
        say(
            work,
            person,
            texts.say("data_rights", ngay=texts.day(work.now), ma=ticket.code),
            f"ack:{ticket.id}",
            ticket=ticket,
        )
        return
    _confirm(work, person, ticket)


def _confirm(work: Work, person: Citizen, ticket: Ticket) -> None:
    book = work.book
    topic = TOPICS.get(ticket.topic or "khac")
    words = texts.say(
        "ack",
        xa=book.name,
        ma=ticket.code,
        gio=texts.moment(ticket.opened_at),
        linhvuc=topic.label_vi if topic else "Khác",
        han=texts.moment(ticket.due_at) if ticket.due_at else "",
    )
    say(work, person, words, f"ack:{ticket.id}", ticket=ticket)
    if not is_working_time(work.now, book.hours, book.holidays) and ticket.urgency is Urgency.NORMAL:
        opening = next_opening(work.now, book.hours, book.holidays)
        words = texts.say(
            "after_hours", gio=hours_in_words(book.hours), mo=texts.moment(opening), sdttruc=book.duty_phone
        )
        say(work, person, words, f"after_hours:{person.urn.id}:{work.now:%Y%m%d}", ticket=ticket)


def _emergency(work: Work, person: Citizen, message: Message, ticket: Ticket) -> None:
    words = texts.say("emergency", so="113 / 114 / 115 / 112", xa=work.book.name, sdttruc=work.book.duty_phone)
    say(work, person, words, f"emergency:{message.id}", ticket=ticket, priority=PRIORITY_EMERGENCY)


def _answer_without_ticket(work: Work, person: Citizen, message: Message, reading: Reading | None) -> None:
    intent = reading.intent if reading else ""
    hour = f"{person.urn.id}:{work.now:%Y%m%d%H}"
    if intent == "status_lookup":
        say(work, person, _status(work, person, message), f"status:{message.id}")
    elif intent in {"thanks", "praise"}:
        say(work, person, texts.say("thanks", xa=work.book.name), f"thanks:{hour}")
    elif intent in {"greeting", "test"}:
        say(work, person, texts.say("welcome", xa=work.book.name), f"hello:{hour}")
    elif intent not in {"spam", "abuse"} and message.text:
        say(work, person, texts.say("not_understood"), f"not_understood:{hour}")


def _status(work: Work, person: Citizen, message: Message) -> texts.Text:
    mine = sa.select(Ticket).where(Ticket.contact_id == person.contact.id, Ticket.commune_id == work.channel.commune_id)
    asked = CODE.search(message.text)
    if asked:
        code = f"PA{asked[1]}-{int(asked[2]):04d}"
        ticket = work.session.scalar(mine.where(Ticket.code == code))
        if ticket is None:
            return texts.say("status_unknown_code", ma=code)
    else:
        ticket = work.session.scalar(mine.order_by(Ticket.is_open.desc(), Ticket.last_in_at.desc()).limit(1))
        if ticket is None:
            return texts.say("status_none")
    if ticket.merged_into_id:
        ticket = work.session.get_one(Ticket, ticket.merged_into_id)
    agency = work.session.get(Agency, ticket.agency_id) if ticket.agency_id and not ticket.is_sealed else None
    return texts.say(
        "status",
        ma=ticket.code,
        trangthai=texts.STATE_WORDS[ticket.state.value],
        donvi=agency.name if agency else work.book.name,
        han=texts.moment(ticket.due_at) if ticket.due_at else "theo quy định",
        ngay=texts.moment(max(filter(None, (ticket.last_in_at, ticket.answered_at, ticket.closed_at)))),
    )
