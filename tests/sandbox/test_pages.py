"""The phone page: usable without JavaScript, plainly a rehearsal on every screen, closed to other sites."""

from __future__ import annotations

from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import flask
import flask.testing
import pytest

from bot.web.sandbox import SandboxAccount, SandboxSettings, create_sandbox
from bot.web.sandbox.media import sample_photo
from tests.builders import APP, APP_SECRET, OA, OA_SECRET

HOME = {"REMOTE_ADDR": "127.0.0.1"}
ABROAD = {"REMOTE_ADDR": "203.0.113.9"}


def a_sandbox(folder: Path, **settings: Any) -> flask.Flask:
    account = SandboxAccount(APP, APP_SECRET, OA, OA_SECRET, "Xã Đức Huệ", "http://127.0.0.1:9/", "an-access-token")
    given = {"deliver_webhooks": False, "allow_control": False, **settings}
    return create_sandbox(SandboxSettings(db_path=folder / "sandbox.db", accounts=[account], **given))


@pytest.fixture
def app(tmp_path: Path) -> Iterator[flask.Flask]:
    built = a_sandbox(tmp_path)
    yield built
    built.extensions["sandbox"].stop()


@pytest.fixture
def browser(app: flask.Flask) -> flask.testing.FlaskClient:
    return app.test_client()


class Page(HTMLParser):
    """What a test looks at in a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.labels: set[str] = set()
        self.inputs: list[dict[str, str | None]] = []
        self.forms: list[dict[str, str | None]] = []
        self.images: list[dict[str, str | None]] = []
        self.inline: list[str] = []
        self.lang = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.ids |= {str(found.get("id"))}
        self.inline += [name for name in found if name.startswith("on") or name == "style"]
        if tag == "html":
            self.lang = str(found.get("lang"))
        if tag == "label":
            self.labels.add(str(found.get("for")))
        if tag in {"input", "select", "textarea"} and found.get("type") not in {"hidden", "radio"}:
            self.inputs.append(found)
        if tag == "form":
            self.forms.append(found)
        if tag == "img":
            self.images.append(found)
        if tag == "script" and "src" not in found:
            self.inline.append("script")


def add(browser: flask.testing.FlaskClient, **form: str) -> str:
    answer = browser.post("/phone/", data={"name": "Cô Hoa", **form})
    assert answer.status_code == 303
    return str(answer.headers["Location"]).rsplit("/", 1)[1]


def act(browser: flask.testing.FlaskClient, user: str, **form: Any) -> str:
    """Send a plain form, follow it as a browser without JavaScript does, and give the page."""
    answer = browser.post(f"/phone/{user}/acts", data=form, follow_redirects=True)
    assert answer.status_code == 200
    return answer.text


@pytest.mark.parametrize(
    "path",
    ["/phone/", "/phone/{user}", "/phone/{user}/log", "/control/", "/phone/nobody", "/nothing", "/v4/oa/permission"],
)
def test_every_screen_says_that_it_is_a_rehearsal(path: str, browser: flask.testing.FlaskClient) -> None:
    html = browser.get(path.format(user=add(browser)), environ_base=HOME).text
    assert "MÔI TRƯỜNG TẬP DƯỢT" in html
    assert "Tập dượt" in html.partition("<title>")[2].partition("</title>")[0]


@pytest.mark.parametrize("path", ["/phone/", "/phone/{user}", "/phone/{user}/log", "/control/", "/phone/nobody"])
def test_every_screen_can_be_read_and_used(path: str, browser: flask.testing.FlaskClient) -> None:
    user = add(browser)
    act(browser, user, kind="text", text="Xin chào")
    act(browser, user, kind="image")
    html = browser.get(path.format(user=user), environ_base=HOME).text
    page = Page(html)
    assert page.lang == "vi"
    assert html.count("<h1") == 1
    assert [i for i in page.inputs if i.get("id") not in page.labels and not i.get("aria-label")] == []
    assert [f for f in page.forms if not f.get("action")] == []
    assert [i for i in page.images if i.get("alt") is None] == []
    assert page.inline == []


def test_the_frame_inside_the_phone_shows_no_second_banner(browser: flask.testing.FlaskClient) -> None:
    user = add(browser)
    assert "TẬP DƯỢT</strong>" not in browser.get(f"/phone/{user}/log", headers={"Sec-Fetch-Dest": "iframe"}).text


def test_without_javascript_a_sent_text_is_on_the_page(browser: flask.testing.FlaskClient) -> None:
    html = act(browser, add(browser), kind="text", text="Đường xóm 5\r\ncó ổ gà")
    assert "Đường xóm 5\ncó ổ gà" in html
    assert "<noscript>" in html


@pytest.mark.parametrize(
    ("form", "seen"),
    [
        ({"kind": "image"}, "Ảnh đã gửi"),
        ({"kind": "location", "place": "Cổng chợ (điểm mẫu)"}, "10.7412305"),
        ({"kind": "location", "latitude": "10.5", "longitude": "106.5"}, "10.5, 106.5"),
        ({"kind": "voice", "format": "amr"}, "Ghi âm"),
        ({"kind": "voice", "format": "wav"}, "<audio"),
        ({"kind": "sticker", "sticker_id": "46982"}, "Nhãn dán 46982"),
        ({"kind": "file"}, "don-de-nghi.pdf"),
        ({"kind": "unfollow"}, "chưa quan tâm"),
        ({"kind": "withdraw"}, "xóa dữ liệu"),
        ({"kind": "chatnow"}, "Đã bấm nút Nhắn tin"),
        ({"kind": "submit_info", "name": "Hoa", "phone": "84100000002"}, "Đã gửi thông tin"),
        ({"kind": "text", "text": "  "}, "Tin nhắn còn trống"),
        ({"kind": "location", "latitude": "95", "longitude": "1"}, "Tọa độ chưa đúng"),
        ({"kind": "location", "latitude": "x", "longitude": ""}, "Tọa độ chưa đúng"),
        ({"kind": "fly"}, "Không có thao tác này"),
        ({"kind": "seen"}, "Không có thao tác này"),
    ],
)
def test_each_form_does_what_it_says_or_says_why_not(
    form: dict[str, str], seen: str, browser: flask.testing.FlaskClient
) -> None:
    assert seen in act(browser, add(browser), **form)


def test_a_photo_of_ones_own_is_sent(browser: flask.testing.FlaskClient) -> None:
    import io

    html = act(browser, add(browser), kind="image", text="Ảnh ổ gà", files=(io.BytesIO(sample_photo()), "a.jpg"))
    assert "Ảnh ổ gà" in html


def test_a_file_that_is_no_picture_is_explained(browser: flask.testing.FlaskClient) -> None:
    import io

    html = act(browser, add(browser), kind="image", files=(io.BytesIO(b"<svg/>"), "a.jpg"))
    assert "không phải ảnh" in html


def test_a_visitor_has_fewer_ways_to_speak(browser: flask.testing.FlaskClient) -> None:
    user = add(browser, kind="anonymous")
    assert "Khách chưa đăng nhập chỉ gửi được" in act(browser, user, kind="voice")
    assert "Ghi âm mẫu" not in browser.get(f"/phone/{user}").text


def test_words_of_a_citizen_are_never_markup(browser: flask.testing.FlaskClient) -> None:
    html = act(
        browser, add(browser, name="<b>Hoa</b>"), kind="text", text="<script>alert(1)</script> https://a.vn/?x='y"
    )
    assert "<script>alert" not in html
    assert "<b>Hoa" not in html
    assert 'href="https://a.vn/?x="' in html


def test_an_invented_name_cannot_be_taken_for_a_neighbours(browser: flask.testing.FlaskClient) -> None:
    user = add(browser, name="Nguyễn Văn A")
    assert "Nguyễn Văn A (tập dượt)" in browser.get(f"/phone/{user}").text


def test_a_script_asks_for_news_and_gets_only_that(browser: flask.testing.FlaskClient) -> None:
    user = add(browser)
    act(browser, user, kind="text", text="một")
    first = browser.get(f"/phone/{user}/messages?after=0").json
    act(browser, user, kind="text", text="hai")
    second = browser.get(f"/phone/{user}/messages?after={first['last']}").json
    assert (first["count"], second["count"]) == (1, 1)
    assert "hai" in second["html"]
    assert "một" not in second["html"]
    assert browser.get(f"/phone/{user}/messages?after=x").json["count"] == 2


def test_people_can_be_found_by_name_and_page_by_page(browser: flask.testing.FlaskClient) -> None:
    names = [f"Người {n}" for n in range(60)]
    browser.post("/control/citizens", json={"names": names, "announce": False}, environ_base=HOME)
    assert "Trang sau" in browser.get("/phone/").text
    assert "Trang trước" in browser.get("/phone/?trang=2").text
    assert "Người 33" in browser.get("/phone/?ten=33").text
    assert "Không tìm thấy ai tên" in browser.get("/phone/?ten=zzz").text


def test_an_empty_sandbox_says_how_to_begin(browser: flask.testing.FlaskClient) -> None:
    assert "Thêm một người dân để bắt đầu" in browser.get("/phone/").text


# --- who may do what --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("headers", [{}, {"X-Forwarded-For": "127.0.0.1"}, {"Forwarded": "for=127.0.0.1"}])
def test_the_strings_are_not_for_strangers(headers: dict[str, str], browser: flask.testing.FlaskClient) -> None:
    where = HOME if headers else ABROAD
    for path in ("/control/", "/control/ledger", "/control/faults", "/control/webhooks"):
        assert browser.get(path, environ_base=where, headers=headers).status_code == 403
    for path in ("/control/faults", "/control/say", "/control/citizens", "/control/probe", "/control/redelivery"):
        answer = browser.post(path, json={"kind": "clear"}, environ_base=where, headers=headers)
        assert answer.status_code == 403
        assert answer.json["error"] == 403
    assert "Bảng điều khiển" not in browser.get("/phone/", environ_base=where, headers=headers).text


def test_a_stranger_may_chat(browser: flask.testing.FlaskClient) -> None:
    assert browser.get("/phone/", environ_base=ABROAD).status_code == 200


def test_the_settings_may_let_everybody_pull_the_strings(tmp_path: Path) -> None:
    app = a_sandbox(tmp_path, allow_control=True)
    assert app.test_client().get("/control/", environ_base=ABROAD).status_code == 200
    app.extensions["sandbox"].stop()


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example.vn"},
        {"Origin": "null"},
    ],
)
def test_a_form_of_another_site_does_nothing(headers: dict[str, str], browser: flask.testing.FlaskClient) -> None:
    user = add(browser)
    answer = browser.post(f"/phone/{user}/acts", data={"kind": "text", "text": "giả"}, headers=headers)
    assert answer.status_code == 403
    assert "giả" not in browser.get(f"/phone/{user}").text


def test_a_form_of_this_site_is_welcome(browser: flask.testing.FlaskClient) -> None:
    user = add(browser)
    for headers in ({"Sec-Fetch-Site": "same-origin"}, {"Origin": "http://localhost"}):
        assert (
            browser.post(f"/phone/{user}/acts", data={"kind": "text", "text": "a"}, headers=headers).status_code == 303
        )


def test_pages_load_nothing_from_elsewhere(browser: flask.testing.FlaskClient) -> None:
    answer = browser.get("/phone/")
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(("title", "shown"), [("a.html", False), ("a.svg", False), ("a.pdf", False), ("a.png", True)])
def test_only_pictures_open_inside_the_browser(title: str, shown: bool, app: flask.Flask) -> None:
    from bot.web.sandbox import media

    with app.extensions["sandbox"].store.writing() as db:
        name = media.keep(db, OA, "file", title, b"<script>alert(1)</script>").name
    answer = app.test_client().get(f"/media/{name}")
    assert ("attachment" not in answer.headers["Content-Disposition"]) is shown
    assert not answer.headers["Content-Type"].startswith(("text/html", "image/svg"))


def test_links_are_right_under_a_prefix(tmp_path: Path) -> None:
    app = a_sandbox(tmp_path, public_prefix="/tap-duot", public_url="https://xa.example.vn/tap-duot")
    browser = app.test_client()
    for path in ("/tap-duot/phone/", "/phone/"):
        assert 'action="/tap-duot/phone/"' in browser.get(path).text
    app.extensions["sandbox"].stop()


def test_the_planned_faults_are_named_in_words(browser: flask.testing.FlaskClient) -> None:
    browser.post("/control/faults", data={"kind": "error", "code": "-216"}, environ_base=HOME)
    html = browser.get("/control/", environ_base=HOME).text
    assert "Trả lời lỗi Zalo -216" in html
    assert "khi gửi tin" in html


def test_two_accounts_must_differ(tmp_path: Path) -> None:
    account = SandboxAccount(APP, APP_SECRET, OA, OA_SECRET, "Xã", "")
    for accounts in ([], [account, account]):
        with pytest.raises(ValueError, match="account"):
            SandboxSettings(db_path=tmp_path / "x.db", accounts=accounts)


def test_secrets_of_an_account_are_not_printed() -> None:
    account = SandboxAccount(APP, APP_SECRET, OA, OA_SECRET, "Xã", "", "an-access-token", "a-refresh-token")
    for secret in (APP_SECRET, OA_SECRET, "an-access-token", "a-refresh-token"):
        assert secret not in repr(account)
