"""Where a photo was taken is a proposal: an official takes it with a click, and nobody else does."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from bot.access import NotFound
from bot.rules.lifecycle import NotAllowed
from bot.usecases import tickets
from bot.usecases.desk import Changed
from bot.usecases.media import fetch_due
from bot.usecases.photos import clean, thumbnail
from bot.usecases.spots import take
from bot.usecases.ticket_page import open_page
from storage.communes import Commune, Locality
from storage.enums import EventKind
from storage.messages import Attachment
from storage.tickets import Ticket, TicketEvent
from tests.adapters.channels import answer, behaving
from tests.builders import COMMUNE_CODE, World, all_rows, text_event
from tests.conftest import Clock
from tests.usecases.looking import BRIBE, LIGHT, OTHER, take_in, the_ticket
from tests.usecases.test_erasing import HOA, withdraws
from tests.usecases.test_media import allow

FAR = (21.0285, 105.8542)  # Hà Nội


def centre(world: World) -> tuple[float, float]:
    """A point inside the commune."""
    with world.runtime.database.reading() as session:
        here = session.get_one(Locality, COMMUNE_CODE)
        assert here.latitude is not None
        assert here.longitude is not None
        return here.latitude, here.longitude


def taken_at(latitude: float, longitude: float, colour: str = "green", kind: str = "JPEG") -> bytes:
    """A photo in which the camera wrote where it was."""

    def degrees(value: float) -> tuple[float, float, float]:
        return (int(value), int(value % 1 * 60), round(value * 60 % 1 * 60, 4))

    exif, out = Image.Exif(), io.BytesIO()
    exif.get_ifd(0x8825).update({1: "N", 2: degrees(latitude), 3: "E", 4: degrees(longitude)})
    Image.new("RGB", (64, 48), colour).save(out, kind, exif=exif.tobytes())
    return out.getvalue()


def reports(world: World, *photos: bytes, text: str = LIGHT, user: str = HOA) -> Ticket:
    """A citizen reports with photos, and they are fetched."""
    for number, photo in enumerate(photos):
        with behaving(answer(photo)) as channel:
            image = {"type": "image", "payload": {"url": allow(world, channel), "thumbnail": ""}}
            words = "" if number else text
            world.event(text_event(words, user=user, attachments=[image]) | {"event_name": "user_send_image"})
            take_in(world)
            fetch_due(world.runtime)
    return max(all_rows(world.runtime, Ticket), key=lambda ticket: ticket.id)


def proposed(world: World, who: str = "lan") -> list:
    with world.runtime.database.reading() as session:
        commune = session.get_one(Commune, world.commune_id)
    return open_page(world.runtime, world.official(who), commune, the_ticket(world).id).spots


def take_first(world: World, who: str = "lan", *, version: int | None = None, number: int = 0) -> None:
    ticket = the_ticket(world)
    attachment = [row for row in all_rows(world.runtime, Attachment) if row.latitude is not None][number]
    take(
        world.runtime,
        world.official(who),
        ticket.id,
        version=ticket.version if version is None else version,
        attachment_id=attachment.id,
    )


def test_a_photo_proposes_where_it_was_taken_and_decides_nothing(morning: World) -> None:
    where = centre(morning)
    reports(morning, taken_at(*where))
    (spot,) = proposed(morning)
    assert (spot.latitude, spot.longitude) == pytest.approx(where, abs=1e-5)
    assert (spot.commune, spot.is_here, spot.is_pin) == ("xã Đức Huệ", True, False)
    assert (the_ticket(morning).latitude, the_ticket(morning).longitude) == (None, None)


def test_one_click_takes_it(morning: World) -> None:
    where = centre(morning)
    reports(morning, taken_at(*where))
    take_first(morning)
    ticket = the_ticket(morning)
    assert (ticket.latitude, ticket.longitude) == pytest.approx(where, abs=1e-5)
    assert ticket.locality_code == COMMUNE_CODE
    assert proposed(morning) == []
    (event,) = [e for e in all_rows(morning.runtime, TicketEvent) if e.kind is EventKind.PLACE_CHANGED]
    assert "xã Đức Huệ" in event.data["to"]
    assert event.official_id == morning.official("lan").id


def test_a_photo_from_elsewhere_is_marked_so(morning: World) -> None:
    reports(morning, taken_at(*FAR))
    (spot,) = proposed(morning)
    assert not spot.is_here
    assert spot.commune


def test_photos_of_one_spot_are_one_proposal(morning: World) -> None:
    latitude, longitude = centre(morning)
    reports(
        morning,
        taken_at(latitude, longitude),
        taken_at(latitude + 0.00001, longitude, "red"),
        taken_at(latitude + 0.002, longitude, "blue"),
    )
    assert len(proposed(morning)) == 2


def test_a_photo_without_a_position_proposes_nothing(morning: World) -> None:
    out = io.BytesIO()
    Image.new("RGB", (8, 8)).save(out, "JPEG")
    reports(morning, out.getvalue())
    assert proposed(morning) == []


def test_a_pin_that_gave_way_to_a_photo_can_be_taken_back(morning: World) -> None:
    latitude, longitude = centre(morning)
    pin = {"type": "location", "payload": {"coordinates": {"latitude": str(latitude), "longitude": str(longitude)}}}
    morning.event(text_event(LIGHT, attachments=[pin]) | {"event_name": "user_send_location"})
    take_in(morning)
    reports(morning, taken_at(latitude + 0.003, longitude), text="")
    assert the_ticket(morning).latitude == pytest.approx(latitude)
    take_first(morning, number=1)
    (spot,) = proposed(morning)
    assert spot.is_pin
    take_first(morning, number=0)
    assert the_ticket(morning).latitude == pytest.approx(latitude)


def test_who_does_not_direct_may_not_take_it(morning: World) -> None:
    reports(morning, taken_at(*centre(morning)))
    ticket = the_ticket(morning)
    hung = morning.official("hung")
    tickets.assign(
        morning.runtime, morning.official("lan"), ticket.id, version=ticket.version, agency_id=hung.agency_id or 0,
        official_id=hung.id,
    )  # fmt: skip
    with pytest.raises(NotAllowed):
        take_first(morning, "hung")
    assert the_ticket(morning).latitude is None


def test_it_is_not_taken_over_a_newer_version(morning: World) -> None:
    reports(morning, taken_at(*centre(morning)))
    with pytest.raises(Changed):
        take_first(morning, version=the_ticket(morning).version - 1)


def test_a_photo_of_another_report_gives_no_position(morning: World) -> None:
    reports(morning, taken_at(*centre(morning)))
    first = the_ticket(morning)
    second = reports(morning, taken_at(*FAR), text="Rác ở chợ Đình không ai thu gom cả tuần nay", user=OTHER)
    theirs = all_rows(morning.runtime, Attachment)[-1]
    assert second.id != first.id
    with pytest.raises(NotAllowed):
        take(
            morning.runtime, morning.official("lan"), first.id, version=first.version, attachment_id=theirs.id
        )  # fmt: skip


def test_a_photo_of_a_sealed_report_is_not_there_for_others(morning: World) -> None:
    reports(morning, taken_at(*centre(morning)))
    first = the_ticket(morning)
    reports(morning, taken_at(*FAR), text=BRIBE, user=OTHER)
    theirs = all_rows(morning.runtime, Attachment)[-1]
    with pytest.raises(NotFound):
        take(
            morning.runtime, morning.official("lan"), first.id, version=first.version, attachment_id=theirs.id
        )  # fmt: skip


def test_the_position_goes_with_the_data_of_who_sent_it(morning: World, clock: Clock) -> None:
    reports(morning, taken_at(*centre(morning)))
    take_first(morning)
    clock.move(minutes=5)
    withdraws(morning, HOA)
    (row,) = all_rows(morning.runtime, Attachment)
    assert (row.latitude, row.longitude, row.locality_code) == (None, None, None)
    assert (the_ticket(morning).latitude, the_ticket(morning).longitude) == (None, None)
    assert not [e for e in all_rows(morning.runtime, TicketEvent) if "Đức Huệ" in str(e.data)]


@pytest.mark.parametrize(
    ("kind", "mime"), [("JPEG", "image/jpeg"), ("HEIF", "image/heic"), ("PNG", "image/png"), ("WEBP", "image/webp")]
)
def test_the_position_is_read_of_every_kind_and_shown_to_nobody(morning: World, kind: str, mime: str) -> None:
    """What officials open, and what thumbnails are made of, tells nothing of place, HEIC of iPhones included."""
    where = centre(morning)
    data = taken_at(*where, kind=kind)
    reports(morning, data)
    (row,) = all_rows(morning.runtime, Attachment)
    assert (row.mime, row.locality_code) == (mime, COMMUNE_CODE)
    assert (row.latitude, row.longitude) == pytest.approx(where, abs=1e-5)
    for shown in (clean(data), thumbnail(data)):
        assert shown is not None
        with Image.open(io.BytesIO(shown)) as picture:
            assert (picture.format, dict(picture.getexif())) == ("JPEG", {})
            assert picture.getpixel((10, 10))[1] > 100  # still green
