"""What a source system is told of feedback and of a month: fields of our own convention, as there is no other."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from adapters._source_config import SourceConfig
from adapters._source_types import Wire
from adapters.exchange import Figures, Statistics


def answer_body(config: SourceConfig, ref: str, key: str, text: str, at: datetime) -> dict[str, Any]:
    """Something said to the citizen who wrote in the app."""
    return {
        "PhanAnhID": ref,
        "TraLoiID": key,
        "NoiDung": text,
        "ThoiDiemGui": Wire(config.profile).instant(at),
        **_origin(config),
    }


def state_body(config: SourceConfig, ref: str, state: str, code: str) -> dict[str, Any]:
    """How a feedback stands with us, and the code under which its citizen finds it here."""
    wire = Wire(config.profile)
    return {
        "PhanAnhID": ref,
        "TrangThai": wire.code(config.profile.feedback_states[state]),
        "MaTiepNhan": code,
        **_origin(config),
    }


def statistics_body(config: SourceConfig, told: Statistics) -> dict[str, Any]:
    """A month's figures: sums only."""
    wire = Wire(config.profile)
    return {
        "ThongKeID": told.key,
        "ThayThe": told.replaces,
        "TuNgay": wire.day(told.first),
        "DenNgay": wire.day(told.last),
        "ThoiDiemChot": wire.instant(told.as_of),
        "DiaBanID": config.area_id,
        "TenDiaBan": config.area_name,
        "TongHop": _figures(told.total),
        "SoHanChe": told.sealed,
        "TheoLinhVuc": [{"Ma": slug, "Ten": words, **_figures(one)} for slug, words, one in told.topics],
        "TheoKenh": [{"Ma": slug, "Ten": words, **_figures(one)} for slug, words, one in told.channels],
        **_origin(config),
    }


def _figures(one: Figures) -> dict[str, int]:
    return {
        "TiepNhan": one.received,
        "DungHan": one.in_time,
        "QuaHan": one.late,
        "TrongHan": one.running,
        "KhongTiepNhan": one.declined,
        "ChuyenCapTren": one.forwarded,
        "DanhGia": one.rated,
        "HaiLong": one.content,
    }


def _origin(config: SourceConfig) -> dict[str, str]:
    return {"NguonID": config.source_id, "TenNguon": config.source_name}
