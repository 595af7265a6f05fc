"""The page of one ticket: what it shows to this official, and what they may do there."""

from __future__ import annotations

import secrets
from typing import Any

from flask import g, request, session
from werkzeug.wrappers import Response

from bot.access import may_direct, may_reply, may_reveal, may_unseal, roles_on, sees_names
from bot.rules.clocks import LONGEST_EXTENSION_DAYS, Calendar
from bot.rules.fallback import best_way
from bot.rules.lifecycle import MOVES, WITH_REPLY, may_answer, moves_from
from bot.rules.publishing import ENDED
from bot.rules.results import AFTER_PHOTO, wants_photo
from bot.rules.revealing import TO_REVEAL
from bot.rules.snoozing import choices, may_snooze
from bot.usecases import costs, extending, legal_holds, presence, publishing, slips, snoozing, transfers
from bot.usecases.confirming import may_confirm
from bot.usecases.earlier_answers import Earlier, may_suggest
from bot.usecases.incidents import PART_TIME
from bot.usecases.ticket_page import Part, TicketPage, open_page
from bot.usecases.triage import may_be_restored, may_be_spam
from bot.web import fate, history, marked_text, ready_words, words
from bot.web.language import N_
from bot.web.probable import probable
from bot.web.security import client_address, is_poll, wants_fragment
from bot.web.shell import current_commune, current_official, render, row_number, runtime
from bot.web.ticket_list import beside
from bot.web.window_words import plan_words
from nlp.topics import TOPICS
from storage.drafts import DraftKind
from storage.enums import Direction, EventKind, TicketState, Urgency
from storage.publications import is_open

MOST_CUES = 6
# Domain §8.2 (5): who is accused must not be the one who reads it.
NOBODY_LEFT = N_(
    "Khi không còn ai ở địa phương được xem phản ánh, người dân cần gửi tố cáo đến Thanh tra tỉnh hoặc Công an tỉnh."
)
# Goes to the citizen, so it is not translated.
DEFAULT_NEXT_STEP = "nếu sự việc còn tái diễn, xin ông/bà nhắn lại tại đây để chúng tôi kiểm tra tiếp."


def show_ticket(
    number: int,
    *,
    status: int = 200,
    problem: str = "",
    form: str = "",
    kept: dict[str, str] | None = None,
    priced: costs.Priced | None = None,
    link: str = "",
    asks_anyway: bool = False,
    earlier: list[Earlier] | None = None,
) -> Response:
    """The page of a ticket; after a refusal with the problem named and what was typed kept in the form.

    `link`: the address of a transfer's new link, shown this once. `asks_anyway`: the answer goes once it is ticked.
    `earlier`: answers of other reports that fit, when they were looked for.
    """
    official = current_official()
    part = Part(row_number(request.args.get("older", "")), row_number(request.args.get("since", "")))
    page = open_page(runtime(), official, current_commune(), number, address=client_address(), part=part)
    until = session.get("revealed", {}).get(str(number), 0)
    is_revealed = until > runtime().now().timestamp() and may_reveal(official, page.ticket)
    presence.beat(runtime(), official, number, page.was_here)
    g.undoable = page.undoable
    g.beside = {"others": page.others, "masked": marked_text.masked, **_drafts(page)}
    seen = request.args.get("seen", type=int)
    return render(
        "tickets/show.html",
        blocks=("live", "older_part"),
        status=status,
        page=page,
        part=part,
        oldest=page.talk[0].message.id if page.talk else None,
        ticket=page.ticket,
        problem=problem,
        problem_form=form,
        kept=kept or {},
        **g.beside,
        priced=priced,
        is_paid=costs.is_paid(runtime(), page.channel),
        takes_images=costs.takes_images(runtime(), page.channel),
        token=secrets.token_hex(16),
        is_revealed=is_revealed,
        link=link,
        asks_anyway=asks_anyway,
        earlier=earlier,
        had_image=bool(request.files.get("image")),
        others_changed=seen is not None and page.last_event_by_official > seen,
        **_rights(page),
        **_hold(page),
        **_snooze(page),
        **ready_words.offered(page),
        **({} if is_poll() and wants_fragment() else _around(page)),  # the part that refreshes itself has none
        **shown(page, is_revealed=is_revealed),
    )


def _around(page: TicketPage) -> dict[str, Any]:
    return {**_transfers(page), **beside(page.ticket, page.holidays)}


def _drafts(page: TicketPage) -> dict[str, Any]:
    """What the official was writing, by the names of the form's fields, and what colleagues are."""
    mine = {draft.kind: draft for draft, _ in page.drafts if draft.official_id == current_official().id}
    reply, note = mine.get(DraftKind.REPLY), mine.get(DraftKind.NOTE)
    return {
        "own_reply": reply,
        "own_note": note,
        "reply_draft": {**reply.fields, "text": reply.text} if reply else {},
        "note_draft": {"text": note.text} if note else {},
        "colleagues_drafts": [(one, name) for one, name in page.drafts if one.official_id != current_official().id],
    }


def _rights(page: TicketPage) -> dict[str, Any]:
    official, ticket = current_official(), page.ticket
    roles = roles_on(official, ticket)
    moves = [m for m in moves_from(ticket.state, roles) if m.target not in WITH_REPLY and not ticket.is_spam]
    if any(m.target is TicketState.RECEIVED and ticket.state is TicketState.NEW for m in moves):
        moves.append(MOVES[TicketState.RECEIVED, TicketState.WAITING_CITIZEN])  # who asks takes it in
    return {
        "moves": [m for m in moves if m.source is not TicketState.NEW or m.target is not TicketState.RECEIVED],
        "may_receive": any(m.target is TicketState.RECEIVED and ticket.state is TicketState.NEW for m in moves),
        "may_reply": may_reply(official, ticket),
        "may_hold": may_reply(official, ticket) and not page.contact.erased_at,
        "may_answer": may_answer(ticket.state, roles),
        "may_confirm": may_confirm(official, ticket),
        "may_approve": ticket.state is TicketState.WAITING_APPROVAL
        and any(m.target is TicketState.ANSWERED for m in moves_from(ticket.state, roles)),
        "may_suggest": may_suggest(ticket),
        "may_direct": may_direct(official) and (not ticket.is_sealed or bool(roles)),
        "may_take": not (may_direct(official) or ticket.is_spam)
        and official.agency_id is not None
        and ticket.official_id != official.id,
        "may_unseal": may_unseal(official, ticket),
        "may_publish": is_open(current_commune())
        and ticket.state in ENDED
        and publishing.may_publish(official, ticket),
        "nobody_left": NOBODY_LEFT,
        "may_be_spam": may_be_spam(ticket),
        "may_be_restored": may_be_restored(ticket),
        "may_reveal": may_reveal(official, ticket),
        "sees_names": sees_names(official, ticket),
        "may_part": may_direct(official),
        "wants_photo": not ticket.is_sealed
        and wants_photo(ticket.topic)
        and bool(current_commune().settings.get(AFTER_PHOTO, True)),
        "other_way": best_way(page.other_ways, {page.conversation.urn_id}),
        "may_part_off": may_direct(official)
        and page.joining is not None
        and page.joining.at >= runtime().now() - PART_TIME,
        "may_extend": extending.may_ask(official, ticket, runtime().now()),
        "may_decide": extending.may_decide(official, ticket),
        "may_apologise": extending.may_apologise(official, ticket, runtime().now()),
        "longest_extension": LONGEST_EXTENSION_DAYS,
    }


def _transfers(page: TicketPage) -> dict[str, Any]:
    """What was handed to bodies outside, what may be, and the answer that is being passed on."""
    official, ticket = current_official(), page.ticket
    was_handed = any(event.kind is EventKind.TRANSFER_SENT for event, _ in page.events)
    handed = transfers.handed(runtime(), official, ticket) if was_handed else []
    chosen = request.args.get("passing", type=int)
    passed = next((one for one in handed if one.transfer.id == chosen and one.answer), None)
    answer = passed.answer if passed else None
    may_transfer = transfers.may_send(official, ticket)
    bodies, neighbours = transfers.receivers(runtime(), official) if may_transfer else ([], [])
    return {
        "handed": handed,
        "may_transfer": may_transfer,
        "may_name": transfers.may_name(official, ticket),
        "bodies": bodies,
        "neighbours": neighbours,
        "slip_summary": slips.masked(ticket.summary) if may_transfer else "",
        "transfer_states": words.TRANSFER_STATES,
        "passing": {"text": answer.text, "body": passed.transfer.body, "line": answer.id if answer.image_blob else None}
        if passed and answer
        else None,
    }


def _snooze(page: TicketPage) -> dict[str, Any]:
    """Until when it is put aside, by whom and why; until when it may be."""
    official, ticket, now = current_official(), page.ticket, runtime().now()
    calendar = Calendar(page.hours, page.holidays)
    how = snoozing.standing(official, ticket, calendar, now)
    event, by = next(((e, n) for e, n in reversed(page.events) if e.kind is EventKind.SNOOZED), (None, None))
    return {
        "may_snooze": may_snooze(how, now),
        "may_wake": bool(how.roles),
        "snooze_choices": choices(now, calendar, how.latest),
        "snooze_latest": how.latest,
        "snooze_word": words.snooze_word,
        "snoozed": {
            "is_over": ticket.snoozed_until is not None and ticket.snoozed_until <= now,
            "by": by,
            "reason": event.note if event else None,
        },
    }


def _hold(page: TicketPage) -> dict[str, Any]:
    """Whether the ticket must stay, and who may say so."""
    official = current_official()
    return {
        "hold": page.hold if legal_holds.may_hold(official, page.ticket) else None,
        "may_hold_back": legal_holds.may_hold(official, page.ticket),
        "may_release": legal_holds.may_release(official),
    }


def shown(page: TicketPage, *, is_revealed: bool) -> dict[str, Any]:
    """The words and helpers that templates of a ticket use."""
    now = runtime().now()
    due = page.ticket.due_at if page.ticket.is_open else None
    return {
        "deadline": words.deadline(due, now, page.hours, page.holidays),
        "window": words.window_words(page.window, now),
        "window_lines": plan_words(page.ways, page.channel, has_phone=bool(page.contact.phone)),
        "urgencies": [(one.value, words.urgency_word(one)) for one in Urgency],
        "topics": [(slug, words.topic_word(slug)) for slug in TOPICS],
        "pieces": lambda said: marked_text.marked(said.message.text, said.reading, is_revealed=is_revealed),
        "proposed_words": _cues(page),
        "probable": probable(page.talk, is_revealed=is_revealed),
        "has_masked": any(marked_text.has_masked(s.message.text, s.reading) for s in page.talk),
        "masked_phone": marked_text.masked_phone,
        "visible": marked_text.visible if is_revealed else marked_text.masked,
        "written_elsewhere": words.written_elsewhere,
        "speaker": words.speaker,
        "rating_words": words.ratings(),
        "missing_word": words.missing_word,
        "playing_word": words.playing_word,
        "length_word": words.length_word,
        "attachment_words": words.ATTACHMENTS,
        "fate": fate.fate,
        "summary": marked_text.summary,
        "because": words.because,
        "told": history.told,
        "deeds": history.deeds,
        "next_step": DEFAULT_NEXT_STEP,
        "today": words.today(now),
        "reveal_reasons": words.reasons(TO_REVEAL),
    }


def _cues(page: TicketPage) -> list[str]:
    """The words the reader went by, each once, the first few."""
    pieces = (
        piece.text.strip()
        for said in page.talk
        if said.message.direction is Direction.IN
        for piece in marked_text.marked(said.message.text, said.reading, is_revealed=False)
        if piece.kind == "evidence"
    )
    return list({piece.casefold(): piece for piece in pieces if piece}.values())[:MOST_CUES]
