"""What else a pretend source system does: it hands bulletins down, brings feedback of its app, and takes figures.

Feedback and figures are in the convention that the gateway's profiles name as our own: nobody has published one.
"""

from __future__ import annotations

import json
import sqlite3
from typing import Any

import flask

from bot.web.sandbox import faults
from bot.web.sandbox.loudspeakers import memory
from bot.web.sandbox.loudspeakers.conventions import Convention
from bot.web.sandbox.loudspeakers.entry import BAD, Asked, Refused, as_faulty, guarded, once
from bot.web.sandbox.store import now_ms

SUMS = ("TiepNhan", "DungHan", "QuaHan", "TrongHan", "KhongTiepNhan", "ChuyenCapTren", "DanhGia", "HaiLong")

pages = flask.Blueprint("loudspeaker_exchange", __name__, url_prefix="/httttn/<username>/api")


@pages.get("/ban-tin-den")
def tell_notices(username: str) -> flask.Response:
    """Bulletins of the province and the centre."""
    return guarded("notices", _notices, username)


@pages.get("/phan-anh")
def tell_feedback(username: str) -> flask.Response:
    """What citizens wrote in the central app."""
    return guarded("feedback", _feedback, username)


@pages.post("/phan-anh/tra-loi")
def take_answer(username: str) -> flask.Response:
    """Something said to one of them."""
    return guarded("answers", _answer, username)


@pages.post("/phan-anh/trang-thai")
def take_state(username: str) -> flask.Response:
    """How a feedback stands."""
    return guarded("states", _state, username)


@pages.post("/thong-ke-phan-anh")
def take_statistics(username: str) -> flask.Response:
    """A month's figures."""
    return guarded("statistics", _statistics, username)


def _notices(asked: Asked) -> dict[str, Any]:
    rows = _rows(asked, "loa_notices")
    told: list[Any] = [_notice(asked.convention, row) for row in rows]
    return {"DanhSachBanTin": _spoilt(asked, "notices_told", told), "TiepTheo": _following(rows)}


def _notice(convention: Convention, row: sqlite3.Row) -> dict[str, Any]:
    details = {"PhienBan": str(row["revision"]), "KichBan": row["text"], "ThuHoi": row["cancelled"]}
    if row["until_ms"]:
        details["HieuLucDen"] = convention.instant(row["until_ms"])
    return {
        convention.names["bulletin"]: row["ref"],
        "MucDoUuTien": convention.code_of(row["urgency"]),
        "TieuDe": row["title"],
        "NoiDungTomTat": row["text"][:100],
        "ThoiGianSanXuat": convention.instant(row["at_ms"]),
        "NguonTin": row["source"],
        "DanhSachDiaBanNhan": [{"DichID": area} for area in row["areas"].split(",")],
        "ThongTinChiTietBanTin": [{"Ten": name, "GiaTri": value} for name, value in details.items() if value],
    }


def _feedback(asked: Asked) -> dict[str, Any]:
    rows = _rows(asked, "loa_feedback")
    told: list[Any] = [
        {
            "PhanAnhID": row["ref"],
            "TinNhanID": row["said"],
            "NoiDung": row["text"],
            "ThoiDiemGui": asked.convention.instant(row["at_ms"]),
            "DichID": row["area"],
            "HoTen": row["name"],
            "SoDienThoai": row["phone"],
            "DongYLuu": asked.convention.flag(is_so=bool(row["name"] or row["phone"])),
            "DanhSachAnh": json.loads(row["photos"]),
        }
        for row in rows
    ]
    return {"DanhSachPhanAnh": _spoilt(asked, "feedback_told", told), "TiepTheo": _following(rows)}


def _answer(asked: Asked) -> dict[str, Any]:
    body = asked.body
    ref, key, text = (str(body[name]) for name in ("PhanAnhID", "TraLoiID", "NoiDung"))
    asked.convention.read_instant(body["ThoiDiemGui"])
    return once(asked, "answers", key, lambda db: _told(db, asked, "answer", ref, key, text), "Trả lời đã có")


def _state(asked: Asked) -> dict[str, Any]:
    ref, state = str(asked.body["PhanAnhID"]), asked.convention.read_feedback_state(asked.body["TrangThai"])
    words = f"{state} {asked.body['MaTiepNhan']}".strip()
    key = f"{ref}.{state}"
    return once(asked, "states", key, lambda db: _told(db, asked, "state", ref, key, words), "Trạng thái đã có")


def _told(db: sqlite3.Connection, asked: Asked, kind: str, ref: str, key: str, text: str) -> bool:
    question = "SELECT 1 FROM loa_feedback WHERE account = ? AND ref = ?"
    if not text or db.execute(question, (asked.account, ref)).fetchone() is None:
        raise Refused(BAD, "Không có phản ánh này")
    return memory.keep_told(db, asked.account, kind, ref, key, text, now_ms())


def _statistics(asked: Asked) -> dict[str, Any]:
    body, convention = asked.body, asked.convention
    first, last = convention.read_day(body["TuNgay"]), convention.read_day(body["DenNgay"])
    convention.read_instant(body["ThoiDiemChot"])
    parts = [body["TongHop"], *body["TheoLinhVuc"], *body["TheoKenh"]]
    if first > last or any(type(part[name]) is not int or part[name] < 0 for part in parts for name in SUMS):
        raise Refused(BAD, "Số liệu không hợp lệ")
    key = str(body["ThongKeID"])
    once(
        asked, "statistics", key, lambda db: memory.keep_statistics(db, asked.account, key, body, now_ms()),
        "Thống kê đã có",
    )  # fmt: skip
    return {"LoiNhan": f"Đã nhận thống kê tháng {first:%m/%Y}"}


def _rows(asked: Asked, table: str) -> list[sqlite3.Row]:
    with asked.box.store.reading() as db:
        return memory.after(db, table, asked.account, flask.request.args.get("sau", 0, int))


def _following(rows: list[sqlite3.Row]) -> str:
    return str(rows[-1]["id"]) if rows else str(flask.request.args.get("sau", 0, int))


def _spoilt(asked: Asked, kind: str, told: list[Any]) -> list[Any]:
    return as_faulty(told, faults.take(asked.box.store, asked.village.account_id, kind))
