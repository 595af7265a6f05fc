"""Every table in one place, for migrations and tests."""

from storage.agencies import Agency, ProvinceRule, RoutingRule
from storage.alerts import Alert
from storage.announcements import Announcement
from storage.answers import AnswerTemplate, AnswerVersion
from storage.articles import Article
from storage.audit import AuditEntry
from storage.base import Base
from storage.blobs import Blob
from storage.bulk import BulkItem, BulkRun
from storage.bulletins import Bulletin, BulletinTest, Telling, Tester
from storage.catching_up import CatchUp
from storage.chain import ChainLink
from storage.channels import Channel, ChannelPoll, ChannelToken
from storage.communes import Commune, Counter, Holiday, Locality, Place
from storage.contacts import Contact, Conversation, Urn
from storage.corrections import Correction
from storage.deliveries import Attempt, Delivery, DeliveryCount
from storage.drafts import Draft
from storage.editions import Edition, EditionItem
from storage.exchange import SourceFeedback, SourceReport
from storage.faq import FaqRow
from storage.groups import Group, Membership
from storage.heads import VillageHead
from storage.incidents import Difference, Joining, Likeness
from storage.links import Link, LinkCode
from storage.loudspeakers import LoudspeakerCluster, PlayLog, SourceBulletin, SourceLink
from storage.messages import Attachment, InboundEvent, Message
from storage.notices import SourceNotice
from storage.officials import Official, SignInAttempt, SignInSession
from storage.papers import Paper, Transfer, TransferLine
from storage.practices import Practice
from storage.presence import Presence
from storage.prices import Price
from storage.publications import Publication, Publicity
from storage.retention import Hold, RetentionRule, RetentionRun
from storage.safety import SafetyAnswer
from storage.saved_audiences import SavedAudience
from storage.sealing import SealedKey
from storage.search_index import SearchBacklog, SearchPart
from storage.setups import Setup
from storage.subscriptions import Subscription
from storage.tickets import Ticket, TicketEvent
from storage.trained import TrainedModel
from storage.undo import Undoable
from storage.uploads import Upload
from storage.wording import CommuneText

__all__ = [
    "Agency",
    "Alert",
    "Announcement",
    "AnswerTemplate",
    "AnswerVersion",
    "Article",
    "Attachment",
    "Attempt",
    "AuditEntry",
    "Base",
    "Blob",
    "BulkItem",
    "BulkRun",
    "Bulletin",
    "BulletinTest",
    "CatchUp",
    "ChainLink",
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
    "DeliveryCount",
    "Difference",
    "Draft",
    "Edition",
    "EditionItem",
    "FaqRow",
    "Group",
    "Hold",
    "Holiday",
    "InboundEvent",
    "Joining",
    "Likeness",
    "Link",
    "LinkCode",
    "Locality",
    "LoudspeakerCluster",
    "Membership",
    "Message",
    "Official",
    "Paper",
    "Place",
    "PlayLog",
    "Practice",
    "Presence",
    "Price",
    "ProvinceRule",
    "Publication",
    "Publicity",
    "RetentionRule",
    "RetentionRun",
    "RoutingRule",
    "SafetyAnswer",
    "SavedAudience",
    "SealedKey",
    "SearchBacklog",
    "SearchPart",
    "Setup",
    "SignInAttempt",
    "SignInSession",
    "SourceBulletin",
    "SourceFeedback",
    "SourceLink",
    "SourceNotice",
    "SourceReport",
    "Subscription",
    "Telling",
    "Tester",
    "Ticket",
    "TicketEvent",
    "TrainedModel",
    "Transfer",
    "TransferLine",
    "Undoable",
    "Upload",
    "Urn",
    "VillageHead",
]
