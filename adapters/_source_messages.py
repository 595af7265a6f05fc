"""The messages of a source system, field by field as implementations agree (domain §11)."""

from __future__ import annotations

from typing import Any

from adapters._source_config import SourceConfig
from adapters._source_types import Wire
from adapters.loudspeakers import Bulletin

LONGEST_TITLE, LONGEST_SUMMARY = 250, 500


def bulletin_body(config: SourceConfig, bulletin: Bulletin) -> dict[str, Any]:
    """A bulletin for loudspeakers: where it is from, how urgent, what is read out, and who answers for it."""
    wire = Wire(config.profile)
    kind = "audio" if bulletin.audio_url else "script"
    return {
        "BanTinID": bulletin.key,
        "LoaiBanTin": wire.code(config.profile.kinds[kind]),
        "MucDoUuTien": wire.urgency(bulletin.urgency),
        "TieuDe": bulletin.title[:LONGEST_TITLE],
        "LoaiLinhVuc": _topic(config, wire, bulletin),
        "NoiDungTomTat": (bulletin.summary or bulletin.title)[:LONGEST_SUMMARY],
        "ThoiGianSanXuat": wire.instant(bulletin.made_at),
        "ThoiDiemBatDau": wire.instant(bulletin.made_at),
        "ThoiLuong": wire.length(bulletin.seconds),
        "TacGia": {"TenDayDu": bulletin.author, "ButDanh": "", "Email": ""},
        "TiepAm": wire.code("0"),
        "NguonTiepAm": "",
        "NoiDung": bulletin.audio_url,
        "NguonTin": config.source_name,
        "ThongTinChiTietBanTin": _details(wire, bulletin),
        **_origin(config),
        **_targets(config, bulletin),
    }


def schedule_body(config: SourceConfig, bulletin: Bulletin) -> dict[str, Any]:
    """When it is played: each of the times on each of the days."""
    wire, schedule = Wire(config.profile), bulletin.schedule
    days = schedule.days if schedule else ()
    slots = schedule.slots if schedule else ()
    return {
        "LichPhatID": bulletin.key,
        "TenLichPhat": bulletin.title[:LONGEST_TITLE],
        "DanhSachBanTin": [bulletin.key],
        "DanhSachNgayPhat": [wire.day(day) for day in days],
        "ThoiDiemPhat": [
            {"ThoiGianBatDau": wire.clock(slot.begin), "ThoiGianKetThuc": wire.clock(slot.end)} for slot in slots
        ],
        **_origin(config),
        **_targets(config, bulletin),
    }


def cancel_body(config: SourceConfig, bulletin: Bulletin, reason: str) -> dict[str, Any]:
    """That it is played and shown no more."""
    return {
        "LichPhatID": bulletin.key,
        "TenLichPhat": bulletin.title[:LONGEST_TITLE],
        "LyDo": reason[:LONGEST_SUMMARY],
        **_origin(config),
        **_targets(config, bulletin),
    }


def board_body(config: SourceConfig, bulletin: Bulletin) -> dict[str, Any]:
    """A bulletin for boards; it stands there as long as it is true."""
    wire = Wire(config.profile)
    seconds = max(0, int((bulletin.valid_until - bulletin.made_at).total_seconds()))
    return {
        "BanTinCongCongID": bulletin.key,
        "PhanVungManHinh": wire.code("1"),
        "VungPhat": wire.code("1"),
        "LoaiBanTin": wire.code(config.profile.kinds["script"]),
        "MucDoUuTien": wire.urgency(bulletin.urgency),
        "TieuDe": bulletin.title[:LONGEST_TITLE],
        "LoaiLinhVuc": _topic(config, wire, bulletin),
        "NoiDungTomTat": (bulletin.summary or bulletin.title)[:LONGEST_SUMMARY],
        "ThoiGianSanXuat": wire.instant(bulletin.made_at),
        "NoiDung": "\n".join(bulletin.lines),
        "DiaBanTao": config.area_id,
        "TenDiaBanTao": config.area_name,
        "NguonTin": config.source_name,
        "ThoiLuong": wire.length(seconds),
    }


def _topic(config: SourceConfig, wire: Wire, bulletin: Bulletin) -> int | str:
    topics = config.profile.topics
    return wire.code(topics.get(bulletin.topic, topics.get("", "0")))


def _details(wire: Wire, bulletin: Bulletin) -> list[dict[str, Any]]:
    """What has no field of its own. `KichBan`: the words to read out."""
    said = {
        "KichBan": bulletin.script,
        "HieuLucDen": str(wire.instant(bulletin.valid_until)),
        "NguoiDuyet": bulletin.approver,
        "ThayThe": bulletin.replaces,
    }
    return [{"Ten": name, "GiaTri": value} for name, value in said.items() if value]


def _origin(config: SourceConfig) -> dict[str, str]:
    return {"NguonID": config.source_id, "TenNguon": config.source_name}


def _targets(config: SourceConfig, bulletin: Bulletin) -> dict[str, Any]:
    return {
        "DanhSachDiaBanNhan": [{"DichID": config.area_id, "TenDich": config.area_name}],
        "DanhSachThietBi": {"CumLoaID": list(bulletin.clusters)},
    }
