"""The addresses of a pretend source system, one set for each village; values are refused in a foreign convention."""

from __future__ import annotations

import hmac
import sqlite3
from typing import Any

import flask

from bot.web.sandbox import faults
from bot.web.sandbox.loudspeakers import memory, village
from bot.web.sandbox.loudspeakers.entry import ACCOUNT, BAD, GONE, Asked, Refused, as_faulty, guarded, once
from bot.web.sandbox.loudspeakers.memory import BROKEN, SILENT, Received
from bot.web.sandbox.store import now_ms

pages = flask.Blueprint("loudspeaker_api", __name__, url_prefix="/httttn/<username>/api")


@pages.post("/dang-nhap")
def log_in(username: str) -> flask.Response:
    """Name and password for a token."""
    return guarded("login", _log_in, username, needs_token=False)


@pages.post("/ban-tin")
def take_bulletin(username: str) -> flask.Response:
    """A bulletin for loudspeakers."""
    return guarded("bulletin", _take, username)


@pages.post("/lich-phat")
def take_schedule(username: str) -> flask.Response:
    """When a bulletin plays."""
    return guarded("schedule", _plan, username)


@pages.post("/lich-phat/huy")
def take_cancel(username: str) -> flask.Response:
    """That it plays no more."""
    return guarded("cancel", _cancel, username)


@pages.post("/ban-tin-cong-cong")
def take_board(username: str) -> flask.Response:
    """A bulletin for boards."""
    return guarded("board", _show, username)


@pages.get("/nhat-ky")
def tell_logs(username: str) -> flask.Response:
    """What devices reported."""
    return guarded("logs", _logs, username)


@pages.get("/cum-loa")
def tell_clusters(username: str) -> flask.Response:
    """How each cluster is, by its last heartbeat."""
    return guarded("clusters", _clusters, username)


def _log_in(asked: Asked) -> dict[str, Any]:
    name, password = str(asked.body.get("Username", "")), str(asked.body.get("Password", ""))
    is_right = hmac.compare_digest(password.encode(), asked.village.password.encode())
    if name != asked.account or not is_right:
        raise Refused(ACCOUNT, "Sai tên đăng nhập hoặc mật khẩu")
    seconds = asked.village.token_seconds
    with asked.box.store.writing(quietly=True) as db:
        token = memory.new_token(db, asked.account, now_ms() + seconds * 1000)
    return {"Token": token, **({"ThoiHan": seconds} if asked.convention.name == "epoch" else {})}


def _take(asked: Asked) -> dict[str, Any]:
    one = _received(asked)
    return once(asked, "bulletin", one.key, lambda db: village.take(db, asked.account, one, now_ms()), "Bản tin đã có")


def _received(asked: Asked) -> Received:
    body, convention = asked.body, asked.convention
    for name in ("LoaiBanTin", "LoaiLinhVuc", "TiepAm"):
        convention.check_code(body[name])
    for name in ("ThoiGianSanXuat", "ThoiDiemBatDau"):
        convention.read_instant(body[name])
    details = {one["Ten"]: one["GiaTri"] for one in body["ThongTinChiTietBanTin"]}
    key, title = str(body["BanTinID"]), str(body["TieuDe"])
    if not key or not title or not (body["NoiDung"] or details.get("KichBan")) or not body["DanhSachDiaBanNhan"]:
        raise Refused(BAD, "Bản tin thiếu nội dung")
    return Received(
        key,
        convention.read_urgency(body["MucDoUuTien"]),
        title,
        details.get("KichBan", ""),
        str(body["NoiDung"]),
        convention.read_length(body["ThoiLuong"]),
        tuple(body["DanhSachThietBi"]["CumLoaID"]),
        body,
    )


def _plan(asked: Asked) -> dict[str, Any]:
    body, convention = asked.body, asked.convention
    days = [convention.read_day(day) for day in body["DanhSachNgayPhat"]]
    slots = [
        (convention.read_clock(one["ThoiGianBatDau"]), convention.read_clock(one["ThoiGianKetThuc"]))
        for one in body["ThoiDiemPhat"]
    ]
    [key] = body["DanhSachBanTin"]

    def planned(db: sqlite3.Connection) -> bool:
        question = "SELECT 1 FROM loa_bulletins WHERE account = ? AND key = ? AND cancelled_ms = 0"
        if not days or not slots or db.execute(question, (asked.account, key)).fetchone() is None:
            raise Refused(BAD, "Lịch phát không có bản tin hoặc thời điểm")
        return village.plan(db, asked.account, key, days, slots) > 0

    return once(asked, "schedule", key, planned, "Lịch phát đã có")


def _cancel(asked: Asked) -> dict[str, Any]:
    key = str(asked.body["LichPhatID"])
    return once(
        asked, "cancel", key, lambda db: memory.cancel(db, asked.account, key, now_ms()), "Không có lịch phát này", GONE
    )


def _show(asked: Asked) -> dict[str, Any]:
    body, convention, now = asked.body, asked.convention, now_ms()
    for name in ("LoaiBanTin", "LoaiLinhVuc", "PhanVungManHinh", "VungPhat"):
        convention.check_code(body[name])
    convention.read_urgency(body["MucDoUuTien"])
    until = convention.read_instant(body["ThoiGianSanXuat"]) + convention.read_length(body["ThoiLuong"]) * 1000
    key, title, text = (str(body[name]) for name in ("BanTinCongCongID", "TieuDe", "NoiDung"))
    return once(
        asked, "board", key, lambda db: village.show(db, asked.account, key, title, text, until, now), "Bảng tin đã có"
    )


def _logs(asked: Asked) -> dict[str, Any]:
    after = flask.request.args.get("sau", 0, int)
    convention = asked.convention
    fault = faults.take(asked.box.store, asked.village.account_id, "told")
    with asked.box.store.writing(quietly=True) as db:
        village.play_due(db, asked.account, now_ms())
        rows = memory.after(db, "loa_logs", asked.account, after)
    told: list[Any] = [
        {
            convention.names["source"]: row["cluster"],
            convention.names["bulletin"]: row["key"],
            "ThoiDiemGui": convention.instant(row["at_ms"]),
            "LoaiNhatKy": convention.played if row["kind"] == village.PLAYED else convention.shown,
            "GiaTri": convention.flag(is_so=bool(row["is_success"])),
            "MoTa": row["reason"],
        }
        for row in rows
    ]
    following = rows[-1]["id"] if rows else after
    return {"DanhSachNhatKy": as_faulty(told, fault), "TiepTheo": str(following)}


def _clusters(asked: Asked) -> dict[str, Any]:
    convention, now = asked.convention, now_ms()
    with asked.box.store.writing(quietly=True) as db:
        village.play_due(db, asked.account, now)
        memory.beat(db, asked.account, now)
        rows = memory.clusters(db, asked.account)
        on_air = village.playing(db, asked.account, now)
    told = []
    for row in rows:
        plays = on_air if on_air and row["fate"] not in {BROKEN, SILENT} else None
        told.append({
            "NguonID": row["id"], "TenNguon": row["name"], "DichID": asked.account, "TenDich": row["area"],
            "CumLoaID": row["id"], "TenThietBi": row["name"], "TenLoaiThietBi": "Cụm loa tập dượt",
            "MaNhaCungCap": "TD", "TenNhaCungCap": "Tập dượt", "AmLuong": row["volume"],
            "TrangThaiHoatDong": convention.broken if row["fate"] == BROKEN
            else convention.playing if plays else convention.idle,
            "TrangThaiKetNoi": convention.cut_off if row["fate"] == SILENT else convention.connected,
            "ThoiDiemGui": convention.instant(row["beat_ms"]), "NoiDungPhat": plays["title"] if plays else "",
            "PhienBanUngDung": "1.0", "ThongTinThietBi": {"CongSuat": 50, "NhietDo": 41, "DungLuongSuDung": 12},
        })  # fmt: skip
    return {"DanhSachCumLoa": told}
