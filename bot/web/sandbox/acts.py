"""One act of a citizen, asked for by a test or by a form of the phone page."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass, field
from typing import Any

from bot.web.sandbox import media, people
from bot.web.sandbox.impossible import ImpossibleAct
from bot.web.sandbox.people import Citizen, Deed, Utterance
from bot.web.sandbox.sandbox import Sandbox
from bot.web.sandbox.settings import SandboxAccount

FILE_LIMIT = 20_000_000
PHOTO_LIMIT = 10
SPOKEN = ("text", "image", "file", "location", "sticker", "voice", "link", "business_card")
KINDS = (*SPOKEN, *people.RELATIONS, "submit_info", "react", "seen")


@dataclass(frozen=True)
class Act:
    """What a citizen does: a kind, words and files, and the fields that kind needs."""

    kind: str
    text: str = ""
    files: list[tuple[str, bytes]] = field(default_factory=list)
    fields: dict[str, Any] = field(default_factory=dict)

    @staticmethod
    def from_json(asked: dict[str, Any]) -> Act:
        """The act a test describes; files are [{"name", "base64"}]."""
        files = []
        for file in asked.get("files", []):
            try:
                files.append((str(file.get("name", "")), base64.b64decode(file["base64"], validate=True)))
            except (AttributeError, KeyError, TypeError, binascii.Error):
                raise ImpossibleAct("bad_file") from None
        return Act(str(asked.get("kind", "text")), str(asked.get("text", "")), files, asked)


def perform(box: Sandbox, account: SandboxAccount, citizen: Citizen, act: Act) -> Deed:
    """Do it: the citizen's message or relation changes and the gateway is told."""
    if act.kind not in KINDS:
        raise ImpossibleAct("bad_kind")
    if act.kind in SPOKEN:
        return _speak(box, account, citizen, act)
    if citizen.is_anonymous and act.kind != "seen":
        raise ImpossibleAct("bad_visitor")
    with box.store.writing() as db:
        if act.kind in people.RELATIONS:
            return people.relate(db, account, citizen, act.kind)
        if act.kind == "submit_info":
            return people.submit_info(db, account, citizen, dict(act.fields.get("info") or {}))
        if act.kind == "react":
            icon = str(act.fields.get("react_icon", "/-heart"))
            return people.react(db, account, citizen, str(act.fields.get("msg_id", "")), icon)
        people.see(db, account, citizen)
        return Deed(0)


def _speak(box: Sandbox, account: SandboxAccount, citizen: Citizen, act: Act) -> Deed:
    if citizen.is_anonymous and act.kind not in people.ANONYMOUS_KINDS:
        raise ImpossibleAct("bad_visitor")
    attachments = _attachments(box, account, act)
    kind = "gif" if attachments and attachments[0]["type"] == "gif" else act.kind
    utterance = Utterance(kind, act.text, attachments, str(act.fields.get("quote_msg_id", "")))
    with box.store.writing() as db:
        return people.say(db, account, citizen, utterance)


def _attachments(box: Sandbox, account: SandboxAccount, act: Act) -> list[dict[str, Any]]:
    if act.kind == "text":
        if not act.text.strip():
            raise ImpossibleAct("bad_empty")
        return []
    if act.kind == "image":
        photos = _photos(act)
        return [people.picture_of(_keep(box, account, "image", title, data)) for title, data in photos]
    if act.kind == "file":
        title, data = act.files[0] if act.files else ("don-de-nghi.pdf", b"%PDF-1.4\n% tap duot\n%%EOF\n")
        return [people.file_of(_keep(box, account, "file", title or "tep.pdf", data))]
    if act.kind == "voice":
        ending = "wav" if act.fields.get("format") == "wav" else "amr"
        data = act.files[0][1] if act.files else media.sample_voice(ending)
        return [people.voice_of(_keep(box, account, "voice", f"ghi-am.{ending}", data))]
    if act.kind == "sticker":
        return [people.sticker_of(str(act.fields.get("sticker_id") or people.any_sticker()))]
    if act.kind == "location":
        return [people.location_of(*_pin(act.fields))]
    return [_link(act)]


def _photos(act: Act) -> list[tuple[str, bytes]]:
    if not act.files:
        return [("anh-mau.jpg", media.sample_photo())]
    if len(act.files) > PHOTO_LIMIT:
        raise ImpossibleAct("bad_count")
    photos = []
    for _, data in act.files:
        ending = media.image_type(data)
        if not ending:
            raise ImpossibleAct("bad_photo")
        photos.append((f"anh.{ending}", data))
    return photos


def _keep(box: Sandbox, account: SandboxAccount, kind: str, title: str, data: bytes) -> media.Media:
    if len(data) > FILE_LIMIT:
        raise ImpossibleAct("bad_size")
    with box.store.writing(quietly=True) as db:
        return media.keep(db, account.oa_id, kind, title, data)


def _pin(fields: dict[str, Any]) -> tuple[str, str]:
    try:
        latitude, longitude = (str(fields.get(name, "")).strip() for name in ("latitude", "longitude"))
        if not (-90 <= float(latitude) <= 90 and -180 <= float(longitude) <= 180):
            raise ImpossibleAct("bad_location")
    except ValueError:
        raise ImpossibleAct("bad_location") from None
    return latitude, longitude


def _link(act: Act) -> dict[str, Any]:
    description = str(act.fields.get("description", ""))
    if act.kind == "business_card":
        phone = str(act.fields.get("phone", "84100000002"))
        description = json.dumps({"phone": phone, "qrCodeUrl": ""})
    url = str(act.fields.get("url", "https://tin.example.vn/bai-viet"))
    return {"type": "link", "payload": {"thumbnail": "", "description": description, "url": url}}
