"""Photos: made anew before they leave, so that nothing hidden in a file leaves with it, and made small to look at."""

from __future__ import annotations

import io

from PIL import Image, ImageOps, UnidentifiedImageError

from bot.rules.lifecycle import NotAllowed

LARGEST_UPLOAD = 8_000_000
MOST_PIXELS = 60_000_000
THUMBNAIL = (384, 384)
_STEPS = ((2048, 85), (1600, 80), (1280, 75), (1024, 70), (800, 60), (640, 50))


def fit(data: bytes, limit: int) -> bytes:
    """The picture as a fresh JPEG under the channel's limit; NotAllowed when it is no photo we can send."""
    if len(data) > LARGEST_UPLOAD:
        raise NotAllowed("image_too_large", "Ảnh lớn hơn 8 MB. Anh/Chị vui lòng chọn ảnh nhỏ hơn.")
    try:
        with Image.open(io.BytesIO(data), formats=["JPEG", "PNG"]) as opened:
            if opened.width * opened.height > MOST_PIXELS:
                raise NotAllowed("image_too_large", "Ảnh có quá nhiều điểm ảnh. Anh/Chị vui lòng chọn ảnh nhỏ hơn.")
            opened.draft("RGB", (_STEPS[0][0], _STEPS[0][0]))
            picture = _on_white(ImageOps.exif_transpose(opened))
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        raise NotAllowed("image_type", "Chỉ gửi được ảnh JPG hoặc PNG. Anh/Chị vui lòng chọn ảnh khác.") from None
    for longest, quality in _STEPS:
        picture.thumbnail((longest, longest))
        out = io.BytesIO()
        picture.save(out, "JPEG", quality=quality, optimize=True)
        if out.tell() <= limit:
            return out.getvalue()
    raise NotAllowed("image_too_large", "Không thu nhỏ được ảnh tới mức kênh cho phép. Anh/Chị vui lòng chọn ảnh khác.")


def thumbnail(data: bytes) -> bytes | None:
    """A small JPEG to look at; None when the bytes are no picture."""
    try:
        with Image.open(io.BytesIO(data), formats=["JPEG", "PNG", "GIF", "WEBP"]) as opened:
            if opened.width * opened.height > MOST_PIXELS:
                return None
            opened.draft("RGB", THUMBNAIL)
            picture = _on_white(ImageOps.exif_transpose(opened))
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None
    picture.thumbnail(THUMBNAIL)
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=75)
    return out.getvalue()


def _on_white(picture: Image.Image) -> Image.Image:
    if picture.mode in {"RGBA", "LA", "P", "PA"}:
        clear = picture.convert("RGBA")
        ground = Image.new("RGB", clear.size, "white")
        ground.paste(clear, mask=clear.getchannel("A"))
        return ground
    return picture.convert("RGB")
