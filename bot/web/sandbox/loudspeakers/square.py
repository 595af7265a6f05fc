"""The village square: what each cluster of loudspeakers plays and has played, and what the board shows."""

from __future__ import annotations

import json
import sqlite3
from datetime import datetime
from typing import Any

import flask

from bot.web.sandbox import guard
from bot.web.sandbox.loudspeakers import memory, village
from bot.web.sandbox.loudspeakers.conventions import EMERGENCY, ORDINARY, PRIORITY, VIETNAM
from bot.web.sandbox.sandbox import current
from bot.web.sandbox.settings import SandboxVillage
from bot.web.sandbox.store import now_ms

CLASS_WORDS = {ORDINARY: "Thông thường", PRIORITY: "Ưu tiên", EMERGENCY: "KHẨN CẤP"}
FATE_WORDS = {memory.WELL: "Tốt", memory.BROKEN: "Hỏng loa", memory.SILENT: "Mất liên lạc"}
STATE_WORDS = {"accepted": "Đã tiếp nhận", "refused": "Không tiếp nhận", "answered": "Đã trả lời"}
MOST_SHOWN = 20

pages = flask.Blueprint("loudspeaker_square", __name__, url_prefix="/loa")


@pages.get("/")
def villages() -> flask.typing.ResponseReturnValue:
    """The villages there are; the only one is opened at once."""
    found = current().settings.villages
    if not found:
        flask.abort(404, "Buổi tập dượt này không có loa truyền thanh.")
    if len(found) == 1:
        return flask.redirect(flask.url_for(".square", username=found[0].username))
    return flask.render_template("sandbox/loudspeakers/villages.html", found=found)


@pages.get("/<username>/")
def square(username: str) -> str:
    """One village: its clusters, its bulletins and its board."""
    found, now = _village(username), now_ms()
    with current().store.writing(quietly=True) as db:
        village.play_due(db, found.username, now)
    with current().store.reading() as db:
        on_air = village.playing(db, found.username, now)
        logs = memory.of_account(db, "loa_logs", found.username)
        return flask.render_template(
            "sandbox/loudspeakers/square.html",
            village=found,
            on_air=on_air,
            clusters=[_cluster(row, on_air, logs) for row in memory.clusters(db, found.username)],
            bulletins=[_bulletin(row, logs) for row in memory.of_account(db, "loa_bulletins", found.username)][
                : -MOST_SHOWN - 1 : -1
            ],
            boards=[
                row for row in memory.of_account(db, "loa_boards", found.username)
                if not row["cancelled_ms"] and row["until_ms"] > now
            ],
            plays=[row for row in memory.of_account(db, "loa_plays", found.username) if not row["played"]],
            notices=memory.of_account(db, "loa_notices", found.username)[: -MOST_SHOWN - 1 : -1],
            feedback=_talks(db, found.username),
            statistics=[_statistics(row) for row in memory.of_account(db, "loa_statistics", found.username)],
            class_words=CLASS_WORDS,
            fate_words=FATE_WORDS,
        )  # fmt: skip


@pages.post("/<username>/province/notices")
def hand_down(username: str) -> flask.typing.ResponseReturnValue:
    """The province hands a bulletin down, revises it or takes it back."""
    guard.only_from_here()
    found, form = _village(username), flask.request.form
    urgency, ref = form.get("urgency", ORDINARY), form.get("ref", "")
    title, text = form.get("title", "").strip()[:250], form.get("text", "").strip()[:5_000]
    if urgency not in CLASS_WORDS:
        flask.abort(400)
    with current().store.writing(quietly=True) as db:
        before = memory.latest_notice(db, found.username, ref) if ref else None
        one = memory.Handed(
            ref or f"T.{now_ms()}",
            urgency,
            title or (before["title"] if before else "Tin của tỉnh"),
            text or (before["text"] if before else "Nội dung tin của tỉnh."),
            (found.area,),
            before["revision"] + 1 if before else 1,
            cancelled="Tỉnh đã hủy tin này." if "cancel" in form else "",
        )
        memory.hand_down(db, found.username, one, now_ms())
    return flask.redirect(flask.url_for(".square", username=username) + "#province", 303)


@pages.post("/<username>/app/feedback")
def write(username: str) -> flask.typing.ResponseReturnValue:
    """A citizen writes in the central app."""
    guard.only_from_here()
    found, text = _village(username), flask.request.form.get("text", "").strip()[:4_000]
    if text:
        with current().store.writing(quietly=True) as db:
            memory.write(db, found.username, memory.Written(f"PA.{now_ms()}", text, found.area), now_ms())
    return flask.redirect(flask.url_for(".square", username=username) + "#app", 303)


@pages.post("/<username>/<cluster>")
def change(username: str, cluster: str) -> flask.typing.ResponseReturnValue:
    """Break, cut off or mend a cluster."""
    guard.only_from_here()
    found, fate = _village(username), flask.request.form.get("fate", "")
    if fate not in memory.FATES:
        flask.abort(400)
    with current().store.writing(quietly=True) as db:
        if not memory.set_fate(db, found.username, cluster, fate):
            flask.abort(404)
    return flask.redirect(flask.url_for(".square", username=username) + f"#loa-{cluster}", 303)


def moment(milliseconds: int) -> str:
    """A moment of the village's clock."""
    return datetime.fromtimestamp(milliseconds / 1000, VIETNAM).strftime("%H:%M:%S %d/%m")


def _village(username: str) -> SandboxVillage:
    found = current().settings.village_of(username)
    if found is None:
        flask.abort(404, "Không có xã tập dượt này.")
    return found


def _cluster(row: sqlite3.Row, on_air: dict[str, Any] | None, logs: list[dict[str, Any]]) -> dict[str, Any]:
    own = [log for log in logs if log["cluster"] == row["id"]]
    targets = json.loads(on_air["targets"]) if on_air else []
    plays = on_air is not None and row["fate"] == memory.WELL and (not targets or row["id"] in targets)
    return {**dict(row), "plays": plays, "last": own[-1] if own else None}


def _bulletin(row: dict[str, Any], logs: list[dict[str, Any]]) -> dict[str, Any]:
    own = [log for log in logs if log["key"] == row["key"] and log["kind"] == village.PLAYED]
    played = {log["cluster"] for log in own if log["is_success"]}
    return {**row, "played": len(played), "asked": len({log["cluster"] for log in own})}


def _talks(db: sqlite3.Connection, account: str) -> list[dict[str, Any]]:
    """What was written in the app with what came back to it, the latest first."""
    told = [{**one, "words": _words(one)} for one in memory.of_account(db, "loa_told", account)]
    written = memory.of_account(db, "loa_feedback", account)[: -MOST_SHOWN - 1 : -1]
    return [{**row, "told": [one for one in told if one["ref"] == row["ref"]]} for row in written]


def _words(told: dict[str, Any]) -> str:
    state, _, code = str(told["text"]).partition(" ")
    return f"{STATE_WORDS.get(state, state)} {code}".strip() if told["kind"] == "state" else str(told["text"])


def _statistics(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "body": json.loads(row["body"])}
