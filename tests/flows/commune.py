"""A commune whose channel runs at a pretend platform: what its people do, what its screens say, and the audit."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from dataclasses import dataclass, replace

import sqlalchemy as sa
from markupsafe import Markup

from bot.usecases import broadcast, channels, holding, intake, ledger, media
from bot.usecases.sending import MANY, PERSONAL, channels_with_due, send_batch
from storage.announcements import Announcement
from storage.channels import Channel
from storage.contacts import Urn
from storage.deliveries import Delivery
from storage.enums import DeliveryKind, DeliveryState, Direction
from storage.messages import InboundEvent, Message
from storage.sealing import open_words
from storage.tickets import Ticket
from tests.builders import World, all_rows
from tests.flows.faults import DOWN, PAUSED, SENT, UNKNOWN, WAITING
from tests.flows.rigs import MovedClock, Rig, SendsByItself
from tests.usecases.telling import approved
from tests.web.pages import Browser, Page

LIGHT = "Đèn đường xóm 5 tối om mấy hôm nay, mong xã sửa giúp"
WHERE = "ở đoạn trước chợ Đình đó xã"
ASKS = "Khoảng mấy ngày thì xong vậy xã?"
ANSWER = "Xã đã cử người đến thay bóng đèn trong sáng mai."
# What a ticket's page says, and that of an announcement, where a follower is a line.
SENTENCES = {
    SENT: ("Đã giao cho kênh", "Người dân đã nhận", "Người dân đã xem"),
    UNKNOWN: ("Không rõ đã gửi được chưa",),
    WAITING: ("Đang chờ gửi",),
    PAUSED: ("Đang chờ gửi",),
    DOWN: ("Đang chờ gửi",),
}
OF_FOLLOWERS = {
    SENT: ("Đã gửi", "Đã đến máy", "Đã xem"),
    UNKNOWN: ("Không rõ kết quả",),
    WAITING: ("Đang chờ gửi",),
    PAUSED: ("Đang chờ gửi",),
    DOWN: ("Đang chờ gửi",),
}
REACHED = {DeliveryState.SENT, DeliveryState.DELIVERED, DeliveryState.READ}


@dataclass
class Hall:
    """The commune at work on one channel."""

    world: World
    rig: Rig
    clock: MovedClock
    browser: Browser

    # ---- what people do ---------------------------------------------------------------------------------------------

    def work(self) -> None:
        """Let the gateway work until nothing is due; a second passes between its rounds."""
        runtime = self.world.runtime
        for _ in range(40):
            done = intake.drain(runtime) + broadcast.expand_due(runtime) + media.fetch_due(runtime)
            for kinds in (PERSONAL, MANY):
                done += sum(send_batch(runtime, number, kinds) for number in channels_with_due(runtime, kinds))
            if isinstance(self.rig, SendsByItself):
                done += self.rig.rested()
            if not done:
                return
            if self.channel().hold_until is None:  # a citizen is left alone for a second after each message
                self.clock.move(seconds=1.1)
        raise AssertionError("the gateway never rests")

    def settle(self) -> None:
        """Bring what the channel has to say, and work, until both are at rest."""
        heard = -1
        while heard != (heard := self.rig.acknowledged()):
            self.rig.bring()
            self.work()

    def greets(self) -> str:
        """Somebody who follows the channel and has been welcomed."""
        who = self.rig.citizen()
        self.settle()
        return who

    def reports(self, who: str) -> Ticket:
        """A report that was answered by its code."""
        self.rig.says(who, LIGHT)
        self.settle()
        return self.ticket()

    def takes_over(self, ticket: Ticket) -> None:
        """An official answers in person from now on, and the citizen has heard who."""
        holding.take_over(self.world.runtime, self.world.official("lan"), ticket.id, version=ticket.version)
        self.settle()

    def replies(self, ticket: Ticket) -> None:
        """The official answers by the form of the page."""
        page = self.browser.open(f"/tickets/{ticket.id}")
        self.browser.send(page.form(f"/tickets/{ticket.id}/replies"), text=ANSWER)

    def sends_again(self, delivery: Delivery, ticket: Ticket) -> None:
        """A person decides: the button beside the message."""
        page = self.browser.open(f"/tickets/{ticket.id}")
        self.browser.send(page.form(f"/deliveries/{delivery.id}/resending"))

    def announces(self) -> Announcement:
        """Two people let an announcement go out."""
        approved(replace(self.world, channel_id=self.rig.channel_id))
        [found] = all_rows(self.world.runtime, Announcement)
        return found

    def resumes(self) -> None:
        """The administrator mends the channel's account and lets the channel go on."""
        self.rig.mend()
        channels.resume(self.world.runtime, self.world.official("an"), self.rig.channel_id)

    # ---- what there is ----------------------------------------------------------------------------------------------

    def ticket(self) -> Ticket:
        """The only ticket."""
        [found] = all_rows(self.world.runtime, Ticket)
        return found

    def deliveries(self, kind: DeliveryKind) -> list[Delivery]:
        """Everything of this kind that is owed."""
        return [one for one in all_rows(self.world.runtime, Delivery) if one.kind is kind]

    def channel(self) -> Channel:
        """The channel as it stands now."""
        with self.world.runtime.database.reading() as session:
            return session.get_one(Channel, self.rig.channel_id)

    def said(self, who: str) -> list[str]:
        """What is kept of this person's words, in their order."""
        query = (
            sa.select(Message)
            .join(Urn, Urn.id == sa.select(Urn.id).where(Urn.value == self.rig.urn(who)).scalar_subquery())
            .where(Message.direction == Direction.IN, Message.ticket_id.is_not(None))
        )
        with self.world.runtime.database.reading() as session:
            open_words(session)
            return [m.text for m in session.scalars(query.order_by(Message.occurred_at, Message.id))]

    # ---- what the screens say ---------------------------------------------------------------------------------------

    def shown(self, delivery: Delivery, ticket: Ticket) -> str:
        """What the ticket's page says of a message."""
        page = self.browser.open(f"/tickets/{ticket.id}")
        mine = page.html.partition(f'id="message-{delivery.message_id}"')[2]
        found = re.search(r'class="fate.*?<span>(.*?)</span>', mine, re.DOTALL)
        assert found, "the page says nothing of the message"
        return " ".join(Markup(found[1]).striptags().split())

    def shown_of(self, announcement: Announcement) -> tuple[list[str], Page]:
        """What the announcement's page says of each of its people, and the page."""
        page = self.browser.open(f"/announcements/{announcement.id}")
        lines = re.findall(r'<p class="line">.*?<span class="badge[^>]*>(.*?)</span>', page.html, re.DOTALL)
        return [Markup(one).striptags() for one in lines], page

    def channel_page(self) -> str:
        """The words of the page of channels about this one."""
        page = self.browser.open("/channels")
        start = page.html.index(f'id="channel-{self.rig.channel_id}"')
        return str(Markup(page.html[start:].split("</section>")[0]).striptags())

    # ---- the audit --------------------------------------------------------------------------------------------------

    def audit(self, *, decided: int = 0) -> None:
        """Nothing is lost, nothing went out twice but by a person's decision, every state is what the platform knows.

        `decided`: how many messages of unknown fate an official has sent once more.
        """
        runtime = self.world.runtime
        assert ledger.balance(runtime).problems == []
        events = [e for e in all_rows(runtime, InboundEvent) if e.channel_id == self.rig.channel_id]
        assert len(events) == len({event.key for event in events}) == self.rig.acknowledged()
        with runtime.database.reading() as session:
            people = dict(session.execute(sa.select(Urn.id, Urn.value)).tuples().all())
        platform = self.rig.accepted()
        accepted = Counter(one.text_sha256 for one in platform)
        owed = [one for one in all_rows(runtime, Delivery) if one.channel_id == self.rig.channel_id]
        by_text = self._by_text(owed)
        for digest, mine in by_text.items():
            surely = [one for one in mine if one.state in REACHED]
            perhaps = [one for one in mine if one.state is DeliveryState.UNKNOWN]
            assert len(surely) <= accepted[digest] <= len(surely) + len(perhaps) + decided, [one.state for one in mine]
        assert set(accepted) <= set(by_text), "the platform has what nobody owed"
        known = {one.external_id for one in platform}
        assert {one.external_id for one in owed if one.state in REACHED} <= known
        assert len(people) == len(set(people.values()))
        repeats = sum(count - len(by_text[digest]) for digest, count in accepted.items())
        assert repeats <= decided, "something went out twice"

    def digest(self, delivery: Delivery) -> str:
        """What the platform calls the words of this delivery."""
        return hashlib.sha256(self.rig.as_sent(delivery.text).encode()).hexdigest()

    def _by_text(self, owed: list[Delivery]) -> dict[str, list[Delivery]]:
        found: dict[str, list[Delivery]] = {}
        for one in owed:
            found.setdefault(self.digest(one), []).append(one)
        return found
