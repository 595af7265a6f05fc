"""Files that passed through pretend Zalo, served again under random names, and samples a citizen can send."""

from __future__ import annotations

import hashlib
import io
import math
import secrets
import sqlite3
import struct
import wave
from dataclasses import dataclass
from functools import cache
from pathlib import PurePosixPath

import flask
from PIL import Image, ImageDraw

from bot.web.sandbox.sandbox import current
from bot.web.sandbox.store import now_ms

HANDLE_LIFE_MS = 7 * 24 * 3600 * 1000
CONTENT_TYPES = {
    "jpg": "image/jpeg",
    "png": "image/png",
    "gif": "image/gif",
    "webp": "image/webp",
    "amr": "audio/amr",
    "wav": "audio/wav",
    "pdf": "application/pdf",
    "csv": "text/csv",
    "doc": "application/msword",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
}
SHOWN_IN_PAGE = ("image/", "audio/")
STICKERS = {"46981": "vui", "46982": "cảm ơn", "46983": "buồn"}

pages = flask.Blueprint("media", __name__)


@dataclass(frozen=True)
class Media:
    """A stored file; `handle` is the attachment_id or file token, `name` the end of its address."""

    name: str
    handle: str
    kind: str
    title: str
    size: int
    md5: str
    created_ms: int

    @property
    def has_expired(self) -> bool:
        """Whether the handle is too old to be sent."""
        return now_ms() - self.created_ms > HANDLE_LIFE_MS

    @property
    def extension(self) -> str:
        """The file's type as the platform names it."""
        return extension_of(self.title)


def extension_of(title: str) -> str:
    """The lower-case ending of a file name, without the dot."""
    ending = PurePosixPath(title).suffix.lstrip(".").lower()
    return "jpg" if ending == "jpeg" else ending


def image_type(data: bytes) -> str:
    """The true type of a picture, from its first bytes; empty when it is none we know."""
    if data.startswith(b"\xff\xd8\xff"):
        return "jpg"
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if data.startswith((b"GIF87a", b"GIF89a")):
        return "gif"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "webp"
    return ""


def keep(db: sqlite3.Connection, oa_id: str, kind: str, title: str, data: bytes) -> Media:
    """Store a file under a random name."""
    ending = extension_of(title)
    name = secrets.token_urlsafe(18) + (f".{ending}" if ending in CONTENT_TYPES else "")
    digest = hashlib.md5(data, usedforsecurity=False).hexdigest()
    media = Media(name, secrets.token_urlsafe(32), kind, title, len(data), digest, now_ms())
    content_type = CONTENT_TYPES.get(ending, "application/octet-stream")
    db.execute(
        "INSERT INTO media (name, handle, oa_id, kind, title, content_type, size, md5, created_ms, data)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (name, media.handle, oa_id, kind, title, content_type, media.size, digest, media.created_ms, data),
    )
    return media


def by_handle(db: sqlite3.Connection, oa_id: str, handle: str) -> Media | None:
    """The upload an attachment_id or token stands for."""
    row = db.execute(
        "SELECT name, handle, kind, title, size, md5, created_ms FROM media WHERE oa_id = ? AND handle = ?",
        (oa_id, handle),
    ).fetchone()
    return Media(**dict(row)) if row else None


def address(name: str) -> str:
    """Where anybody can fetch this file, as an absolute address."""
    return f"{current().base_url()}/media/{name}"


def sticker_address(sticker_id: str) -> str:
    """Where the picture of a sticker is."""
    return address(f"sticker-{sticker_id}.png")


@pages.get("/media/<name>")
def serve(name: str) -> flask.Response:
    """Hand out a file; only pictures and sound may open inside the browser."""
    sticker = name.removeprefix("sticker-").removesuffix(".png")
    if sticker in STICKERS and name == f"sticker-{sticker}.png":
        return flask.Response(sample_sticker(sticker), content_type="image/png")
    with current().store.reading() as db:
        row = db.execute("SELECT title, content_type, data FROM media WHERE name = ?", (name,)).fetchone()
    if row is None:
        flask.abort(404)
    return flask.send_file(
        io.BytesIO(row["data"]),
        mimetype=row["content_type"],
        download_name=row["title"] or name,
        as_attachment=not row["content_type"].startswith(SHOWN_IN_PAGE),
    )


@cache
def sample_photo() -> bytes:
    """A drawn pothole in a road."""
    image = Image.new("RGB", (960, 720), "#9aa7a0")
    draw = ImageDraw.Draw(image)
    draw.polygon([(300, 0), (660, 0), (960, 720), (0, 720)], fill="#5b6063")
    for top in range(20, 720, 140):
        draw.rectangle((474, top, 488, top + 70), fill="#e9e2c8")
    draw.ellipse((250, 390, 640, 590), fill="#2d2b29")
    draw.ellipse((300, 440, 560, 560), fill="#6f5b45")
    draw.text((24, 668), "ANH TAP DUOT", fill="#ffffff", font_size=36)
    out = io.BytesIO()
    image.save(out, "JPEG", quality=85)
    return out.getvalue()


@cache
def sample_sticker(sticker_id: str) -> bytes:
    """A round face: glad, grateful or sad."""
    image = Image.new("RGBA", (256, 256), (0, 0, 0, 0))
    draw = ImageDraw.Draw(image)
    draw.ellipse((16, 16, 240, 240), fill="#f2b84b", outline="#7a5310", width=6)
    draw.ellipse((80, 84, 104, 116), fill="#3d2a08")
    draw.ellipse((152, 84, 176, 116), fill="#3d2a08")
    if sticker_id == "46983":
        draw.arc((84, 150, 172, 220), 200, 340, fill="#3d2a08", width=9)
    else:
        draw.arc((72, 96, 184, 196), 20, 160, fill="#3d2a08", width=9)
    if sticker_id == "46982":
        draw.ellipse((44, 124, 84, 152), fill="#e58a5c")
        draw.ellipse((172, 124, 212, 152), fill="#e58a5c")
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


@cache
def sample_voice(ending: str) -> bytes:
    """Two seconds of sound: an AMR file of empty frames as a phone labels it, or a WAV tone one can hear."""
    if ending == "amr":
        return b"#!AMR\n" + (b"\x3c" + bytes(31)) * 100
    rate, seconds = 8_000, 2
    tone = (int(9_000 * math.sin(2 * math.pi * 440 * i / rate) * (1 - i / rate / seconds)) for i in range(rate * 2))
    out = io.BytesIO()
    with wave.open(out, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(rate)
        sound.writeframes(b"".join(struct.pack("<h", value) for value in tone))
    return out.getvalue()
