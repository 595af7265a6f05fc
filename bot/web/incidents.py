"""One piece of work that many reported: joining what is proposed, saying what is another matter, parting again."""

from __future__ import annotations

from flask import Blueprint, request
from werkzeug.wrappers import Response

from bot.usecases import incidents
from bot.web.deeds import back, deed, version
from bot.web.shell import current_official, notice, row_number, runtime

pages = Blueprint("incidents", __name__)


@pages.post("/tickets/<int:number>/joining")
@deed("joining")
def join(number: int) -> Response:
    """Make one incident of this report and those that are ticked."""
    lead = incidents.join(runtime(), current_official(), number, version=version(), others=_chosen())
    notice("Đã ghép thành một vụ việc. Mỗi người phản ánh được báo và sẽ nhận kết quả với mã của mình.")
    return back(lead)


@pages.post("/tickets/<int:number>/differences")
@deed("joining")
def differ(number: int) -> Response:
    """Those that are ticked are another matter; nobody is asked about them again."""
    incidents.differ(runtime(), current_official(), number, version=version(), others=_chosen())
    notice("Đã ghi: không phải cùng một việc. Hệ thống không đề xuất ghép lại các phản ánh này.")
    return back(number)


@pages.post("/tickets/<int:number>/parting")
@deed("parting")
def part(number: int) -> Response:
    """Take a report out of the incident again."""
    incidents.part(runtime(), current_official(), number, version=version())
    notice("Đã tách phản ánh ra xử lý riêng, với trạng thái và hạn của nó; người gửi được báo.")
    return back(number)


def _chosen() -> list[int]:
    return [number for one in request.form.getlist("other") if (number := row_number(one)) is not None]
