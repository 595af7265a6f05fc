"""Calls: alerts answered from the list, and conversations an official takes into their own hands or gives back."""

from __future__ import annotations

from flask import Blueprint, redirect
from werkzeug.wrappers import Response

from bot.access import OF_TICKETS
from bot.usecases import alerts, holding
from bot.web.deeds import back, deed, version
from bot.web.shell import current_official, notice, require, runtime

pages = Blueprint("calls", __name__)


@pages.post("/alerts/<int:number>/seen")
@require(*OF_TICKETS)
def seen(number: int) -> Response:
    """Say that somebody is looking after it."""
    alerts.seen(runtime(), current_official(), number)
    notice("Đã ghi: Anh/Chị nhận cảnh báo này.")
    return redirect("/tickets", 303)


@pages.post("/tickets/<int:number>/holding")
@deed("holding")
def take_over(number: int) -> Response:
    """Answer the citizen in person."""
    holding.take_over(runtime(), current_official(), number, version=version())
    notice("Anh/Chị đang trực tiếp trả lời; trả lời tự động tạm dừng và người dân đã được báo.")
    return back(number)


@pages.post("/tickets/<int:number>/handing-back")
@deed("handing-back")
def hand_back(number: int) -> Response:
    """Let the bot answer again."""
    holding.hand_back(runtime(), current_official(), number, version=version())
    notice("Trả lời tự động hoạt động trở lại; người dân đã được báo.")
    return back(number)
