"""Photos: made anew before they leave or are shown, so that nothing hidden in a file goes with it; and made small.

What a camera wrote about where it was is read once, as a hint where the matter is, and goes no further.
"""

from __future__ import annotations

import io
from collections.abc import Iterable
from typing import Any

import pillow_heif
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from bot.rules.lifecycle import NotAllowed

LARGEST_UPLOAD = 8_000_000
MOST_PIXELS = 60_000_000
THUMBNAIL = (384, 384)
_READABLE = ["JPEG", "PNG", "GIF", "WEBP", "HEIF"]
_SHOWN_AT_MOST = (4096, 4096)
_BROKEN = (UnidentifiedImageError, OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError)
_STEPS = ((2048, 85), (1600, 80), (1280, 75), (1024, 70), (800, 60), (640, 50))


pillow_heif.register_heif_opener(thumbnails=False)


def fit(data: bytes, limit: int) -> bytes:
    """The picture as a fresh JPEG under the channel's limit; NotAllowed when it is no photo we can send."""
    if len(data) > LARGEST_UPLOAD:
        raise NotAllowed("image_too_large", "Ảnh lớn hơn 8 MB. Anh/Chị vui lòng chọn ảnh nhỏ hơn.")
    try:
        with Image.open(io.BytesIO(data), formats=["JPEG", "PNG", "WEBP", "HEIF"]) as opened:
            if opened.width * opened.height > MOST_PIXELS:
                raise NotAllowed("image_too_large", "Ảnh có quá nhiều điểm ảnh. Anh/Chị vui lòng chọn ảnh nhỏ hơn.")
            opened.draft("RGB", (_STEPS[0][0], _STEPS[0][0]))
            picture = _on_white(ImageOps.exif_transpose(opened))
    except _BROKEN:
        raise NotAllowed(
            "image_type", "Chỉ gửi được ảnh JPG, PNG, WEBP hoặc HEIC. Anh/Chị vui lòng chọn ảnh khác."
        ) from None
    for longest, quality in _STEPS:
        picture.thumbnail((longest, longest))
        out = io.BytesIO()
        picture.save(out, "JPEG", quality=quality, optimize=True)
        if out.tell() <= limit:
            return out.getvalue()
    raise NotAllowed("image_too_large", "Không thu nhỏ được ảnh tới mức kênh cho phép. Anh/Chị vui lòng chọn ảnh khác.")


def thumbnail(data: bytes) -> bytes | None:
    """A small JPEG to look at; None when the bytes are no picture."""
    return _made_anew(data, THUMBNAIL, 75)


def clean(data: bytes) -> bytes | None:
    """The picture itself as a JPEG, without what the camera wrote about place, time and owner; None for no picture."""
    return _made_anew(data, _SHOWN_AT_MOST, 88)


def taken_at(data: bytes) -> tuple[float, float] | None:
    """Where the camera says it was: latitude and longitude in degrees; None when it does not say, or says nonsense."""
    try:
        with Image.open(io.BytesIO(data), formats=_READABLE) as opened:
            told = opened.getexif().get_ifd(ExifTags.IFD.GPSInfo)
        latitude = _degrees(told[ExifTags.GPS.GPSLatitude], told.get(ExifTags.GPS.GPSLatitudeRef, "N"))
        longitude = _degrees(told[ExifTags.GPS.GPSLongitude], told.get(ExifTags.GPS.GPSLongitudeRef, "E"))
    except (*_BROKEN, KeyError, TypeError, ZeroDivisionError, AttributeError):
        return None
    is_somewhere = abs(latitude) <= 90 and abs(longitude) <= 180 and (latitude, longitude) != (0.0, 0.0)
    return (round(latitude, 6), round(longitude, 6)) if is_somewhere else None


def _degrees(parts: Iterable[Any], side: str) -> float:
    whole, minutes, seconds = (float(part) for part in parts)
    return (whole + minutes / 60 + seconds / 3600) * (-1 if str(side).upper() in {"S", "W"} else 1)


def _made_anew(data: bytes, most: tuple[int, int], quality: int) -> bytes | None:
    try:
        with Image.open(io.BytesIO(data), formats=_READABLE) as opened:
            if opened.width * opened.height > MOST_PIXELS:
                return None
            opened.draft("RGB", most)
            picture = _on_white(ImageOps.exif_transpose(opened))
    except _BROKEN:
        return None
    picture.thumbnail(most)
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=quality)
    return out.getvalue()


def _on_white(picture: Image.Image) -> Image.Image:
    if picture.mode in {"RGBA", "LA", "P", "PA"}:
        clear = picture.convert("RGBA")
        ground = Image.new("RGB", clear.size, "white")
        ground.paste(clear, mask=clear.getchannel("A"))
        return ground
    return picture.convert("RGB")
