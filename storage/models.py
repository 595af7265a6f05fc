"""Every table in one place, for migrations and tests."""

from storage.agencies import Agency, RoutingRule
from storage.alerts import Alert
from storage.announcements import Announcement
from storage.audit import AuditEntry
from storage.base import Base
from storage.channels import Channel, ChannelPoll, ChannelToken
from storage.communes import Commune, Counter, Holiday, Locality, Place
from storage.contacts import Contact, Conversation, Urn
from storage.corrections import Correction
from storage.deliveries import Attempt, Delivery
from storage.faq import FaqRow
from storage.heads import VillageHead
from storage.messages import Attachment, InboundEvent, Message
from storage.officials import Official, SignInAttempt, SignInSession
from storage.subscriptions import Subscription
from storage.tickets import Ticket, TicketEvent
from storage.trained import TrainedModel
from storage.wording import CommuneText

__all__ = [
    "Agency",
    "Alert",
    "Announcement",
    "Attachment",
    "Attempt",
    "AuditEntry",
    "Base",
    "Channel",
    "ChannelPoll",
    "ChannelToken",
    "Commune",
    "CommuneText",
    "Contact",
    "Conversation",
    "Correction",
    "Counter",
    "Delivery",
    "FaqRow",
    "Holiday",
    "InboundEvent",
    "Locality",
    "Message",
    "Official",
    "Place",
    "RoutingRule",
    "SignInAttempt",
    "SignInSession",
    "Subscription",
    "Ticket",
    "TicketEvent",
    "TrainedModel",
    "Urn",
    "VillageHead",
]
