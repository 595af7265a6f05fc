"""Ready words on the page of a ticket: their names for officials, and what a form with them says."""

from __future__ import annotations

from typing import Any

from flask import request

from bot.rules.ready_words import EVERYTHING_TO_ASK, composed, to_ask, to_decline
from bot.usecases.ticket_page import TicketPage
from bot.web.language import N_
from storage.enums import TicketState

LABELS = {
    "what": N_("Việc gì"),
    "where": N_("Chính xác ở đâu"),
    "photo": N_("Ảnh"),
    "since": N_("Từ khi nào"),
    "hours": N_("Vào giờ nào"),
    "homes": N_("Một nhà hay cả khu"),
    "file": N_("Mã hồ sơ"),
    "complaint": N_("Khiếu nại: cần gửi đơn"),
    "civil": N_("Tranh chấp dân sự"),
    "answered": N_("Đã trả lời, không có gì mới"),
    "unclear": N_("Không đủ thông tin để xử lý"),
    "no_matter": N_("Không phải việc của địa phương"),
    "elsewhere": N_("Không thuộc thẩm quyền"),
}


def offered(page: TicketPage) -> dict[str, Any]:
    """Wordings to ask for more, and not to take the report."""
    ticket = page.ticket
    has_photo = any(a.kind == "image" for said in page.talk for a in said.attachments)
    return {
        "to_ask": to_ask(ticket.topic, has_place=ticket.has_place, has_photo=has_photo),
        "to_decline": to_decline(ticket.topic),
        "ready_labels": LABELS,
        "kept_ready": request.form.getlist("ready"),
    }


def words_given(target: TicketState) -> str:
    """What was typed, behind the ready words that were ticked."""
    typed, chosen = request.form.get("words", ""), request.form.getlist("ready")
    if target is TicketState.WAITING_CITIZEN:
        return composed(EVERYTHING_TO_ASK, chosen, typed, between="; ")
    if target is TicketState.DECLINED:
        return composed(to_decline(request.form.get("topic")), chosen, typed, between=" ")
    return typed
