"""Abilities: what a dialogue may have us do — open a ticket, look up, choose news, call a person — as rasa_sdk actions.

An action reads slots, calls one use case and gives back events; it keeps nothing. Validation is pure: Rasa may run it
twice. The sender's id is "<channel>|<address>", as the channel's driver sends it.
"""

from __future__ import annotations

import hashlib
from typing import Any

from rasa_sdk import Action, FormValidationAction, Tracker
from rasa_sdk.events import EventType, SlotSet
from rasa_sdk.executor import CollectingDispatcher

from bot.rules.commands import code_in
from bot.runtime import Runtime
from bot.usecases.told import Heard, UnknownSender, hear
from nlp.normalise import fold

Domain = dict[str, Any]
_SKIPS = frozenset({"bo qua", "gui luon", "khong biet", "khong", "thoi", "skip"})
SKIPPED = "-"
_FEWEST_WORDS = 2
_AWAY = "Xin lỗi ông/bà, kênh này chưa nối với hệ thống tiếp nhận. Việc khẩn xin gọi 113 / 114 / 115 / 112."


class Ability(Action):
    """An action over our use cases."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime

    def hear(
        self,
        dispatcher: CollectingDispatcher,
        tracker: Tracker,
        words: str,
        *,
        what: str,
        intent: str | None = None,
    ) -> Heard | None:
        """Handle words as the citizen's own and say what comes back; None when the sender is not ours."""
        try:
            heard = hear(self.runtime, tracker.sender_id, words, _message_id(tracker), intent=intent, what=what)
        except UnknownSender:
            dispatcher.utter_message(text=_AWAY)
            return None
        for one in heard.words:
            dispatcher.utter_message(text=one)
        return heard


class OpenTicket(Ability):
    """Open a ticket from the slots `what` and `where`; sets `ticket_code`."""

    def name(self) -> str:
        """What Rasa calls it."""
        return "action_open_ticket"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Domain) -> list[EventType]:  # noqa: ARG002
        """Open it once for each message, however often Rasa asks."""
        what, where = _slot(tracker, "what"), _slot(tracker, "where")
        words = what or str(tracker.latest_message.get("text") or "")
        if where and where != SKIPPED and fold(where) not in fold(words):
            words = f"{words}, {where}"
        heard = self.hear(dispatcher, tracker, words, what="open", intent="feedback")
        return [SlotSet("ticket_code", heard.code if heard else None), SlotSet("what", None), SlotSet("where", None)]


class LookUp(Ability):
    """Say how a ticket stands: of the code in the slot `ticket_code` or in the message, else the latest."""

    def name(self) -> str:
        """What Rasa calls it."""
        return "action_look_up"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Domain) -> list[EventType]:  # noqa: ARG002
        """Answer."""
        code = code_in(str(tracker.latest_message.get("text") or "")) or _slot(tracker, "ticket_code")
        self.hear(dispatcher, tracker, f"tra cứu {code}" if code else "tra cứu", what="look_up")
        return []


class Subscribe(Ability):
    """Begin with announcements, of the slot `news` (a topic or a village) or of all kinds."""

    def name(self) -> str:
        """What Rasa calls it."""
        return "action_subscribe"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Domain) -> list[EventType]:  # noqa: ARG002
        """Do it and say so."""
        news = _slot(tracker, "news")
        self.hear(dispatcher, tracker, f"nhận tin {news}" if news else "nhận tin", what="subscribe")
        return [SlotSet("news", None)]


class Unsubscribe(Ability):
    """No more announcements."""

    def name(self) -> str:
        """What Rasa calls it."""
        return "action_unsubscribe"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Domain) -> list[EventType]:  # noqa: ARG002
        """Do it and say so."""
        self.hear(dispatcher, tracker, "ngừng nhận tin", what="unsubscribe")
        return []


class HandOver(Ability):
    """Let a person answer."""

    def name(self) -> str:
        """What Rasa calls it."""
        return "action_hand_over"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Domain) -> list[EventType]:  # noqa: ARG002
        """File the wish and say when somebody will answer."""
        heard = self.hear(dispatcher, tracker, "gặp cán bộ", what="hand_over")
        return [SlotSet("ticket_code", heard.code if heard else None)]


class ValidateReportForm(FormValidationAction):
    """A report's slots: `what` is more than a word, `where` may be skipped."""

    def name(self) -> str:
        """What Rasa calls it."""
        return "validate_report_form"

    def validate_what(self, value: Any, dispatcher: CollectingDispatcher, *_rest: Any) -> dict[str, Any]:
        """Something an official can act on."""
        words = " ".join(str(value or "").split())
        if len(words.split()) >= _FEWEST_WORDS:
            return {"what": words[:2_000]}
        dispatcher.utter_message(text="Xin ông/bà cho biết rõ hơn: sự việc gì, từ khi nào?")
        return {"what": None}

    def validate_where(self, value: Any, *_rest: Any) -> dict[str, Any]:
        """A place in words, or nothing if they do not know."""
        words = " ".join(str(value or "").split())
        if not words or fold(words) in _SKIPS:
            return {"where": SKIPPED}
        return {"where": words[:300]}


def abilities(runtime: Runtime) -> list[Action]:
    """All of them, ready to be registered."""
    return [
        OpenTicket(runtime),
        LookUp(runtime),
        Subscribe(runtime),
        Unsubscribe(runtime),
        HandOver(runtime),
        ValidateReportForm(),
    ]


def _slot(tracker: Tracker, name: str) -> str:
    return str(tracker.get_slot(name) or "").strip()


def _message_id(tracker: Tracker) -> str:
    """The channel's own id of the message, or one that is the same when Rasa asks again."""
    latest = tracker.latest_message
    given = (latest.get("metadata") or {}).get("message_id") or latest.get("message_id")
    if given:
        return str(given)
    turns = sum(1 for event in tracker.events if event.get("event") == "user")
    return hashlib.sha256(f"{tracker.sender_id}:{turns}:{latest.get('text')}".encode()).hexdigest()[:40]
