"""Wordings: a commune's own versions of what citizens are told, previewed, checked, and kept version by version."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from bot import texts
from bot.access import Forbidden, NotFound, audit
from bot.runtime import Runtime
from bot.texts import LANGUAGES, SMS_LENGTH, EmptyVariable, Own, Voice
from bot.usecases.problems import Problem
from nlp.normalise import fold
from storage.communes import one_change_at_a_time
from storage.enums import Role
from storage.officials import Official
from storage.wording import CommuneText, own_texts

log = structlog.get_logger()

KEEPERS = (Role.ADMIN, Role.LEADER, Role.AUTHOR)
WORDS_AT_MOST, SMS_AT_MOST = 1_500, 300
# What a text may not lose: codes, numbers to call, deadlines.
_MUST_KEEP = frozenset(
    {"ma", "ma0", "ma2", "so", "sdttruc", "han", "ketqua", "tieptheo", "cautraloi", "nguon", "noidung", "malk"}
)
# Texts that are pieces of others or bring their own form.
_NOT_OFFERED = frozenset({"announcement"})
# What stands in for a citizen's particulars in a preview.
SAMPLES = {
    "nhom": "Hộ nuôi lợn",
    "ma": "PA26-0342", "ma0": "PA26-0317", "ma2": "PA26-0343", "linhvuc": "Chiếu sáng công cộng",
    "han": "16:30 ngày 02/12/2026", "diadiem": "Chợ Đình", "ngay": "28/11/2026", "ten": "Nguyễn Văn Bình",
    "nguoi": "Trần Văn Hùng", "donvi": "Phòng Kinh tế", "xa2": "xã Mỹ Quý", "danhsach": "PA26-0342, PA26-0317",
    "trangthai": "Đang xử lý", "tomtat": "Đèn đường trước chợ không sáng", "gi": "Điện lực; Xóm 5",
    "con": "Y tế, dịch bệnh",
    "can": "ảnh chụp chỗ hư hỏng", "mo": "07:30 ngày 30/11/2026", "dt": "0272 3 000 000", "viec1": "Rác thải",
    "viec2": "Chiếu sáng công cộng", "diachi": "Xóm 5", "dongy": "đã đồng ý ngày 20/11/2026",
    "nhantin": "tất cả thông báo", "malk": "4830 2917", "kenh": "Zalo OA (…0003)",
    "lydo": "việc này đã được trả lời trong phản ánh trước.", "coquan": "Sở Xây dựng",
    "tieptheo": "theo dõi thêm một tuần.",
    "ketqua": "đã thay bóng đèn mới.", "cautraloi": "Hồ sơ gồm tờ khai và giấy chứng sinh.", "nguon": "Luật Hộ tịch",
}  # fmt: skip


_SAMPLES_OF = {"ack": {"gio": "09:15 ngày 28/11/2026"}}


class WordingProblem(Problem):
    """A text that cannot be kept as it is written."""


@dataclass(frozen=True)
class Wording:
    """A text as citizens get it; `version` 0: as it ships. `variables`: what it may name, `needed`: must."""

    key: str
    language: str
    words: str
    sms: str
    shipped_words: str
    shipped_sms: str
    variables: tuple[str, ...]
    needed: tuple[str, ...]
    when: str = ""
    version: int = 0

    @property
    def is_own(self) -> bool:
        """Whether the commune says it in its own words."""
        return self.words != self.shipped_words or self.sms != self.shipped_sms


@dataclass(frozen=True)
class Change:
    """A version somebody wrote; `is_shipped`: they went back to the shipped text."""

    version: int
    author: str
    at: datetime
    is_shipped: bool


@dataclass(frozen=True)
class Preview:
    """How a text reads with invented particulars, where there is room and as an SMS; `sms_length` in characters."""

    words: str
    sms: str

    @property
    def sms_length(self) -> int:
        """How long the SMS is."""
        return len(self.sms)


def listing(runtime: Runtime, official: Official, language: str = "vi", *, search: str = "") -> list[Wording]:
    """All texts that hold these words, with or without accents, in the order of the catalogue."""
    _must(official)
    with runtime.database.reading() as session:
        found = list(_all(session, official, language))
    words = fold(search).split()
    return [w for w in found if all(word in fold(f"{w.key} {w.words} {w.sms}") for word in words)]


def find(runtime: Runtime, official: Official, key: str, language: str = "vi") -> Wording:
    """One text; NotFound when there is none such."""
    _must(official)
    with runtime.database.reading() as session:
        return _one(session, official, key, language)


def changes(runtime: Runtime, official: Official, key: str, language: str = "vi") -> list[Change]:
    """Who wrote which version, the latest first."""
    _must(official)
    query = (
        sa.select(CommuneText, Official.name)
        .join(Official, Official.id == CommuneText.official_id)
        .where(CommuneText.commune_id == official.commune_id, CommuneText.key == key, CommuneText.language == language)
        .order_by(CommuneText.version.desc())
    )
    with runtime.database.reading() as session:
        return [Change(t.version, name, t.at, not (t.words or t.sms)) for t, name in session.execute(query)]


def preview(runtime: Runtime, official: Official, key: str, language: str, *, words: str, sms: str) -> Preview:
    """How citizens would read it. Raises WordingProblem with what is wrong."""
    wording = find(runtime, official, key, language)
    own = _checked(wording, words, sms)
    return Preview(*_rendered(runtime, official, wording, own))


def save(runtime: Runtime, official: Official, key: str, language: str, *, version: int, words: str, sms: str) -> int:
    """Keep a new version, written on top of `version`; gives its number. Raises WordingProblem."""
    _must(official)
    with runtime.database.transaction() as session:
        one_change_at_a_time(session, official.commune_id)
        wording = _one(session, official, key, language)
        if wording.version != version:
            raise WordingProblem("Lời nhắn này vừa được người khác sửa nên chưa lưu. Vui lòng mở lại, xem bản mới.")
        own = _checked(wording, words, sms)
        _rendered(runtime, official, wording, own)
        return _keep(session, runtime, official, wording, own)


def restore(runtime: Runtime, official: Official, key: str, language: str) -> None:
    """Say it in the shipped words again; what the commune wrote stays in the list of versions."""
    _must(official)
    with runtime.database.transaction() as session:
        one_change_at_a_time(session, official.commune_id)
        wording = _one(session, official, key, language)
        if wording.version and wording.is_own:
            _keep(session, runtime, official, wording, Own())


def _keep(session: Session, runtime: Runtime, official: Official, wording: Wording, own: Own) -> int:
    version = wording.version + 1
    session.add(
        CommuneText(
            commune_id=official.commune_id,
            key=wording.key,
            language=wording.language,
            version=version,
            words=own.words,
            sms=own.sms,
            official_id=official.id,
            at=runtime.now(),
        )
    )
    audit(session, official, "text.saved", f"text:{wording.language}:{wording.key}", runtime.now(), version=version)
    log.info("text.saved", commune_id=official.commune_id, official_id=official.id, key=wording.key)
    return version


def _checked(wording: Wording, words: str, sms: str) -> Own:
    words = "\n".join(line.rstrip() for line in words.replace("\r\n", "\n").replace("\0", "").strip().splitlines())
    sms = " ".join(texts.plain(sms.replace("\0", "")).split())
    if not words:
        raise WordingProblem("Lời nhắn đang trống. Muốn dùng lại bản mẫu, bấm “Trở lại bản mẫu”.")
    if len(words) > WORDS_AT_MOST or len(sms) > SMS_AT_MOST:
        raise WordingProblem("Lời nhắn dài nhất %(n)s ký tự, bản SMS dài nhất %(m)s.", n=WORDS_AT_MOST, m=SMS_AT_MOST)
    for written in (words, sms):
        _check_variables(wording, written)
    missing = [name for name in wording.needed if "{" + name + "}" not in words]
    if missing:
        raise WordingProblem("Lời nhắn phải có chỗ điền %(cho)s.", cho="{" + missing[0] + "}")
    return Own("" if words == wording.shipped_words else words, "" if sms == wording.shipped_sms else sms)


def _check_variables(wording: Wording, written: str) -> None:
    try:
        names = texts.variables_in(written)
    except ValueError:
        raise WordingProblem("Dấu ngoặc { } chưa khớp. Mỗi chỗ điền viết như {ma}.") from None
    unknown = [name for name in names if name not in wording.variables]
    if unknown:
        known = ", ".join("{" + name + "}" for name in wording.variables)
        raise WordingProblem(
            "Không có chỗ điền %(sai)s. Dùng được: %(dung)s.", sai="{" + unknown[0] + "}", dung=known or "–"
        )
    if any("{" + name + "}" not in written for name in names):
        raise WordingProblem("Chỗ điền chỉ viết tên trong ngoặc, như {ma}.")


def _rendered(runtime: Runtime, official: Official, wording: Wording, own: Own) -> tuple[str, str]:
    from bot.usecases.communes import commune_book
    from bot.usecases.telling import usual

    with runtime.database.reading() as session:
        known = usual(commune_book(session, official.commune_id)) | SAMPLES | _SAMPLES_OF.get(wording.key, {})
    spoken = {(wording.key, wording.language): own}
    try:
        long = Voice(wording.language, own=spoken).say(wording.key, **known)
        short = Voice(wording.language, is_sms=True, own=spoken).say(wording.key, **known)
    except EmptyVariable as error:
        raise WordingProblem("Chỗ điền %(cho)s đang trống.", cho="{" + error.variable + "}") from None
    if own.sms and len(short.words) > SMS_LENGTH:
        raise WordingProblem("Bản SMS dài %(n)s ký tự khi điền đủ; nhiều nhất %(m)s.", n=len(short.words), m=SMS_LENGTH)
    return long.words, short.words


def _all(session: Session, official: Official, language: str) -> Iterator[Wording]:
    if language not in LANGUAGES:
        raise NotFound
    own = {t.key: t for t in own_texts(session, official.commune_id) if t.language == language}
    for key, shipped in texts.catalogue(language).items():
        if key not in _NOT_OFFERED:
            yield _wording(key, language, shipped, own.get(key))


def _one(session: Session, official: Official, key: str, language: str) -> Wording:
    for wording in _all(session, official, language):
        if wording.key == key:
            return wording
    raise NotFound


def _wording(key: str, language: str, shipped: texts.Template, own: CommuneText | None) -> Wording:
    names = tuple(dict.fromkeys((*texts.variables_in(shipped.words), *texts.variables_in(shipped.sms))))
    return Wording(
        key,
        language,
        (own.words if own else "") or shipped.words,
        (own.sms if own else "") or shipped.sms,
        shipped.words,
        shipped.sms,
        names,
        tuple(dict.fromkeys(name for name in texts.variables_in(shipped.words) if name in _MUST_KEEP)),
        texts.template_of(key).when,
        own.version if own else 0,
    )


def _must(official: Official) -> None:
    if not official.has(*KEEPERS):
        raise Forbidden
