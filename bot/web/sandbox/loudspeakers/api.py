"""The addresses of a pretend source system, one set for each village; values are refused in a foreign convention."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import flask

from bot.web.sandbox import faults
from bot.web.sandbox.answers import as_json
from bot.web.sandbox.faults import Fault
from bot.web.sandbox.loudspeakers import memory, village
from bot.web.sandbox.loudspeakers.conventions import CONVENTIONS, Convention, WrongType
from bot.web.sandbox.loudspeakers.memory import BROKEN, SILENT, Received
from bot.web.sandbox.sandbox import Sandbox, current
from bot.web.sandbox.settings import SandboxVillage
from bot.web.sandbox.store import now_ms

OK, BAD, TOKEN, KNOWN, ACCOUNT, BUSY, GONE = 0, 1, 2, 3, 4, 5, 6
CODES = {"token": TOKEN, "busy": BUSY, "account": ACCOUNT}

pages = flask.Blueprint("loudspeaker_api", __name__, url_prefix="/httttn/<username>/api")


@dataclass(frozen=True)
class Asked:
    """A request that was let in: by whom, how they write, and what they say."""

    box: Sandbox
    village: SandboxVillage
    convention: Convention
    body: dict[str, Any]

    @property
    def account(self) -> str:
        """Whose loudspeakers it is about."""
        return self.village.username


class Refused(Exception):
    """A refusal by its number; it travels as HTTP 200."""

    def __init__(self, code: int, words: str = "") -> None:
        super().__init__(words)
        self.code = code
        self.words = words


Handler = Callable[[Asked], dict[str, Any]]


def _guarded(kind: str, handler: Handler, username: str, *, needs_token: bool = True) -> flask.Response:
    """Let a handler answer only who is signed in, unless the request was chosen to fail."""
    box = current()
    found = box.settings.village_of(username) if username else None
    if found is None:
        flask.abort(404)
    fault = faults.take(box.store, found.account_id, kind)
    refused = _refusal(box, found, fault) if fault else None
    if refused is not None:
        return refused
    body = flask.request.get_json(silent=True)
    asked = Asked(box, found, CONVENTIONS[found.convention], body if isinstance(body, dict) else {})
    try:
        if needs_token:
            _check_token(asked)
        answer = _answer(OK, handler(asked))
    except Refused as refusal:
        answer = _answer(refusal.code, {"LoiNhan": refusal.words})
    except (WrongType, KeyError, TypeError, ValueError) as error:
        answer = _answer(BAD, {"LoiNhan": f"{type(error).__name__}: {error}"[:200]})
    return faults.spoil(fault, answer) if fault else answer


@pages.post("/dang-nhap")
def log_in(username: str) -> flask.Response:
    """Name and password for a token."""
    return _guarded("login", _log_in, username, needs_token=False)


@pages.post("/ban-tin")
def take_bulletin(username: str) -> flask.Response:
    """A bulletin for loudspeakers."""
    return _guarded("bulletin", _take, username)


@pages.post("/lich-phat")
def take_schedule(username: str) -> flask.Response:
    """When a bulletin plays."""
    return _guarded("schedule", _plan, username)


@pages.post("/lich-phat/huy")
def take_cancel(username: str) -> flask.Response:
    """That it plays no more."""
    return _guarded("cancel", _cancel, username)


@pages.post("/ban-tin-cong-cong")
def take_board(username: str) -> flask.Response:
    """A bulletin for boards."""
    return _guarded("board", _show, username)


@pages.get("/nhat-ky")
def tell_logs(username: str) -> flask.Response:
    """What devices reported."""
    return _guarded("logs", _logs, username)


@pages.get("/cum-loa")
def tell_clusters(username: str) -> flask.Response:
    """How each cluster is, by its last heartbeat."""
    return _guarded("clusters", _clusters, username)


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
    with asked.box.store.writing(quietly=True) as db:
        is_new = village.take(db, asked.account, one, now_ms())
        memory.note(db, asked.account, "bulletin", one.key, is_new=is_new)
    if not is_new:
        raise Refused(KNOWN, "Bản tin đã có")
    return {}


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
    with asked.box.store.writing(quietly=True) as db:
        question = "SELECT 1 FROM loa_bulletins WHERE account = ? AND key = ? AND cancelled_ms = 0"
        if not days or not slots or db.execute(question, (asked.account, key)).fetchone() is None:
            raise Refused(BAD, "Lịch phát không có bản tin hoặc thời điểm")
        is_new = village.plan(db, asked.account, key, days, slots) > 0
        memory.note(db, asked.account, "schedule", key, is_new=is_new)
    if not is_new:
        raise Refused(KNOWN, "Lịch phát đã có")
    return {}


def _cancel(asked: Asked) -> dict[str, Any]:
    key = str(asked.body["LichPhatID"])
    with asked.box.store.writing(quietly=True) as db:
        is_new = memory.cancel(db, asked.account, key, now_ms())
        memory.note(db, asked.account, "cancel", key, is_new=is_new)
    if not is_new:
        raise Refused(GONE, "Không có lịch phát này")
    return {}


def _show(asked: Asked) -> dict[str, Any]:
    body, convention, now = asked.body, asked.convention, now_ms()
    for name in ("LoaiBanTin", "LoaiLinhVuc", "PhanVungManHinh", "VungPhat"):
        convention.check_code(body[name])
    convention.read_urgency(body["MucDoUuTien"])
    until = convention.read_instant(body["ThoiGianSanXuat"]) + convention.read_length(body["ThoiLuong"]) * 1000
    key = str(body["BanTinCongCongID"])
    with asked.box.store.writing(quietly=True) as db:
        is_new = village.show(db, asked.account, key, str(body["TieuDe"]), str(body["NoiDung"]), until, now)
        memory.note(db, asked.account, "board", key, is_new=is_new)
    if not is_new:
        raise Refused(KNOWN, "Bảng tin đã có")
    return {}


def _logs(asked: Asked) -> dict[str, Any]:
    after = flask.request.args.get("sau", 0, int)
    convention = asked.convention
    fault = faults.take(asked.box.store, asked.village.account_id, "told")
    with asked.box.store.writing(quietly=True) as db:
        village.play_due(db, asked.account, now_ms())
        rows = memory.logs(db, asked.account, after)
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
    return {"DanhSachNhatKy": _as_faulty(told, fault), "TiepTheo": str(following)}


def _as_faulty(told: list[Any], fault: Fault | None) -> list[Any]:
    """Told twice, in the wrong order, or among lines that say nothing."""
    if fault is None:
        return told
    kinds = {
        "repeat": [*told, *told],
        "shuffle": told[::-1],
        "junk": [None, {}, {"BanTinID": 5, "GiaTri": "x"}, *told, "rác"],
    }
    return kinds.get(fault.kind, told)


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


def _check_token(asked: Asked) -> None:
    scheme, _, token = flask.request.headers.get("Authorization", "").partition(" ")
    with asked.box.store.reading() as db:
        if scheme != "Bearer" or not memory.is_signed_in(db, asked.account, token, now_ms()):
            raise Refused(TOKEN, "Phiên làm việc đã hết hạn")


def _refusal(box: Sandbox, found: SandboxVillage, fault: Fault) -> flask.Response | None:
    """The answer of a request that fails before it is accepted; None when it goes on."""
    if fault.kind == "expired":
        with box.store.writing(quietly=True) as db:
            memory.sign_out(db, found.username)
        return None
    if fault.kind in CODES:
        return _answer(CODES[fault.kind], {})
    if fault.kind == "error":
        return _answer(max(BAD, fault.code), {})
    return faults.refusal(fault)


def _answer(code: int, content: dict[str, Any]) -> flask.Response:
    return as_json({"TrangThaiGui": code, "NoiDung": content})
