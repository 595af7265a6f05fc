"""States and kinds, plain Python: rules and web may use them without touching a database."""

from __future__ import annotations

from enum import StrEnum


class TicketState(StrEnum):
    """Where a ticket stands (domain §7); the codes are the field's own."""

    NEW = "moi"
    RECEIVED = "da_tiep_nhan"
    WAITING_CITIZEN = "cho_bo_sung"
    ASSIGNED = "da_chuyen"
    IN_PROGRESS = "dang_xu_ly"
    WAITING_APPROVAL = "cho_duyet"
    ANSWERED = "da_tra_loi"
    CLOSED = "da_dong"
    REOPENED = "mo_lai"
    DECLINED = "khong_tiep_nhan"
    FORWARDED = "chuyen_cap_tren"
    MERGED = "trung_lap"
    WITHDRAWN = "rut"

    @property
    def is_open(self) -> bool:
        """Whether somebody still owes the citizen something."""
        return self not in _ENDED

    @property
    def takes_more(self) -> bool:
        """Whether a later message of the citizen may still be added to it."""
        return self not in {
            TicketState.DECLINED,
            TicketState.MERGED,
            TicketState.WITHDRAWN,
            TicketState.CLOSED,
        }


_ENDED = {
    TicketState.ANSWERED,
    TicketState.CLOSED,
    TicketState.DECLINED,
    TicketState.MERGED,
    TicketState.WITHDRAWN,
}


class EventKind(StrEnum):
    """One fact in a ticket's life."""

    OPENED = "opened"
    MESSAGE_ADDED = "message_added"
    ROUTED = "routed"
    STATE_CHANGED = "state_changed"
    ASSIGNED = "assigned"
    TOPIC_CHANGED = "topic_changed"
    PLACE_CHANGED = "place_changed"
    REPLIED = "replied"
    NOTED = "noted"
    MERGED = "merged"
    PARTED = "parted"
    DIFFERED = "differed"
    SEALED = "sealed"
    UNSEALED = "unsealed"
    ACCUSED = "accused"
    WITHDRAWN = "withdrawn"
    URGENCY_CHANGED = "urgency_changed"
    MARKED_SPAM = "marked_spam"
    RESTORED = "restored"
    RATED = "rated"
    SPLIT = "split"
    HELD = "held"
    HANDED_BACK = "handed_back"
    ANONYMITY_CHANGED = "anonymity_changed"
    EXTENSION_ASKED = "extension_asked"
    EXTENDED = "extended"
    EXTENSION_REFUSED = "extension_refused"
    APOLOGISED = "apologised"
    TRANSFER_SENT = "transfer_sent"
    TRANSFER_ACKNOWLEDGED = "transfer_acknowledged"
    TRANSFER_ASKED = "transfer_asked"
    TRANSFER_TOLD = "transfer_told"
    TRANSFER_ANSWERED = "transfer_answered"
    TRANSFER_RECALLED = "transfer_recalled"
    PUBLICITY = "publicity"
    PUBLISHED = "published"
    UNPUBLISHED = "unpublished"
    UNDONE = "undone"
    SNOOZED = "snoozed"
    WOKEN = "woken"
    CALENDAR_MOVED = "calendar_moved"


# Where an event's data say how the ticket stood after it.
THEN = "then"


class BulkDeed(StrEnum):
    """What is done with each of them."""

    RECEIVE = "receive"
    ASSIGN = "assign"
    TOPIC = "topic"
    SNOOZE = "snooze"
    SPAM = "spam"
    JOIN = "join"


class ItemState(StrEnum):
    """What became of one report: not come to it yet, done, left out; then taken back, or kept as others went on."""

    WAITING = "waiting"
    DONE = "done"
    LEFT_OUT = "left_out"
    UNDONE = "undone"
    KEPT = "kept"


class AlertKind(StrEnum):
    """Why an official must look now."""

    EMERGENCY = "emergency"
    TEXT_NOT_SENT = "text_not_sent"
    CHANNEL_SILENT = "channel_silent"
    DEADLINE = "deadline"
    EXTENSION = "extension"
    RETURNED = "returned"
    TRANSFER = "transfer"
    SURGE = "surge"
    WEEK = "week"
    LOUDSPEAKERS = "loudspeakers"
    EMERGENCY_OPEN = "emergency_open"
    FROM_ABOVE = "from_above"


class TransferState(StrEnum):
    """How far a body outside is with what was handed to it."""

    SENT = "da_gui"
    ACKNOWLEDGED = "da_nhan"
    ANSWERED = "da_tra_loi"
    RECALLED = "da_thu_hoi"

    @property
    def is_open(self) -> bool:
        """Whether its answer is still to come."""
        return self in {TransferState.SENT, TransferState.ACKNOWLEDGED}


class TransferLineKind(StrEnum):
    """What was said about a transfer: the body asks, we tell, the body answers."""

    QUESTION = "question"
    TOLD = "told"
    ANSWER = "answer"


class Consent(StrEnum):
    """What a citizen said about keeping their name; nothing said is no consent."""

    GIVEN = "given"
    REFUSED = "refused"


class CorrectionKind(StrEnum):
    """Which answer of a reading an official corrected or confirmed."""

    TOPIC = "topic"
    URGENCY = "urgency"
    SEAL = "seal"
    SPAM = "spam"
    PLACE = "place"


class Urgency(StrEnum):
    """How soon a person must look."""

    EMERGENCY = "khan_cap"
    URGENT = "khan"
    NORMAL = "thuong"


class InboundState(StrEnum):
    """What became of an event a channel sent us."""

    WAITING = "waiting"
    DONE = "done"
    IGNORED = "ignored"
    PARKED = "parked"


class Direction(StrEnum):
    """Who said it."""

    IN = "in"
    OUT = "out"


class Origin(StrEnum):
    """Where a message was written."""

    CITIZEN = "citizen"
    OFFICIAL = "official"
    BOT = "bot"
    CHANNEL_APP = "channel_app"
    ANNOUNCEMENT = "announcement"


class AttachmentState(StrEnum):
    """Whether we hold the bytes."""

    NONE = "none"
    WAITING = "waiting"
    STORED = "stored"
    MISSING = "missing"


class Playing(StrEnum):
    """Whether a recording can be heard or seen in a browser, as far as we have looked."""

    NONE = "none"  # no recording
    WAITING = "waiting"
    READY = "ready"
    UNPLAYABLE = "unplayable"
    TOO_LONG = "too_long"


class DeliveryState(StrEnum):
    """The truth about one message owed to one person."""

    WAITING = "waiting"
    SENDING = "sending"
    SENT = "sent"
    DELIVERED = "delivered"
    READ = "read"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    CANCELLED = "cancelled"

    @property
    def reached_channel(self) -> bool:
        """Whether the channel surely took it."""
        return self in {DeliveryState.SENT, DeliveryState.DELIVERED, DeliveryState.READ}


class DeliveryKind(StrEnum):
    """Why it is owed; decides who goes first."""

    REPLY = "reply"
    ACK = "ack"
    ANNOUNCEMENT = "announcement"


class AnnouncementState(StrEnum):
    """Where an announcement stands."""

    APPROVED = "approved"
    SENDING = "sending"
    SENT = "sent"
    STOPPED = "stopped"


class BulletinState(StrEnum):
    """Where a bulletin stands; how far it has gone out, its announcements know."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    APPROVED = "approved"
    STOPPED = "stopped"


class BulletinKind(StrEnum):
    """Whether a bulletin says something new, or puts right, takes back or ends what an earlier one said."""

    FIRST = "first"
    CORRECTION = "correction"
    RECALL = "recall"
    END = "end"


class Safety(StrEnum):
    """What somebody answered to an emergency."""

    SAFE = "safe"
    HELP = "help"


class Importance(StrEnum):
    """The class of an announcement (domain §13): how much it may disturb people, and how often."""

    ROUTINE = "thong_thuong"
    PRIORITY = "uu_tien"
    EMERGENCY = "khan_cap"


class ArticleState(StrEnum):
    """Where an article that goes to all followers of a channel stands."""

    WAITING = "waiting"
    VERIFYING = "verifying"
    READY = "ready"
    SENDING = "sending"
    SENT = "sent"
    UNKNOWN = "unknown"
    REFUSED = "refused"
    STOPPED = "stopped"


class SourceStep(StrEnum):
    """What the source system is to be told next of a bulletin."""

    HAND_OVER = "hand_over"
    SCHEDULE = "schedule"
    SHOW = "show"
    CANCEL = "cancel"


class SourceState(StrEnum):
    """Where a bulletin for loudspeakers and boards stands; `sent`: the source system has taken all of it."""

    WAITING = "waiting"
    SENDING = "sending"
    SENT = "sent"
    UNKNOWN = "unknown"
    REFUSED = "refused"
    EXPIRED = "expired"
    RECALLED = "recalled"


class ReportState(StrEnum):
    """Where a month's figures stand that a source system is to have."""

    WAITING = "waiting"
    SENDING = "sending"
    SENT = "sent"
    UNKNOWN = "unknown"
    REFUSED = "refused"


class CatchUpState(StrEnum):
    """Whether a channel has told what was said while it could not bring it."""

    WAITING = "waiting"
    DONE = "done"
    STOPPED = "stopped"


class TokenState(StrEnum):
    """Whether an account's tokens work."""

    OK = "ok"
    NEEDS_CONSENT = "needs_consent"


class Role(StrEnum):
    """What an official may do (domain §3)."""

    RECEIVER = "tiep_nhan"
    HANDLER = "xu_ly"
    LEADER = "lanh_dao"
    SEALED_READER = "giao_mat"
    AUTHOR = "soan_tin"
    APPROVER = "duyet_tin"
    ADMIN = "quan_tri"
