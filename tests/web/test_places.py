"""The pages of the commune's own places, as a browser without JavaScript sees them."""

from __future__ import annotations

import csv
import io
import json
import zlib
from base64 import b64encode
from collections.abc import Callable

import pytest

from bot.usecases import intake
from bot.usecases.setup import PlaceRow, add_commune
from storage.audit import AuditEntry
from storage.communes import Place
from storage.tickets import Ticket
from tests.builders import World, all_rows
from tests.web.pages import Browser, Page

Open = Callable[[str], Browser]
FIRST = ["Xóm 5", "Xóm 7", "Chợ Đình", "Trường Tiểu học Lê Lợi"]


def places(world: World) -> dict[str, Place]:
    """The commune's places by name."""
    return {p.name: p for p in all_rows(world.runtime, Place) if p.commune_id == world.commune_id}


def in_use(world: World) -> set[str]:
    """The names in use."""
    return {name for name, place in places(world).items() if place.is_active}


def actions(world: World) -> list[str]:
    """What the audit says was done to places."""
    return [e.action for e in all_rows(world.runtime, AuditEntry) if e.action.startswith("place")]


def upload(an: Browser, text: str | bytes, status: int = 200) -> Page:
    """Choose a file and ask for the preview."""
    data = text.encode() if isinstance(text, str) else text
    an.open("/places/upload")
    return an.send(an.page.form("/places/upload"), status=status, file=(io.BytesIO(data), "dia-danh.csv"))


def say_yes(an: Browser, status: int = 200, **fields: str) -> Page:
    """Confirm what the preview shows."""
    return an.send(an.page.form("/places/upload/confirmation"), status=status, **fields)


def reported_place(world: World, text: str) -> str | None:
    """The place of the report that comes of a message."""
    world.says(text, user=f"30000000000000{len(all_rows(world.runtime, Ticket)):05d}")
    intake.drain(world.runtime)
    newest = max(all_rows(world.runtime, Ticket), key=lambda ticket: ticket.id)
    return next((p.name for p in all_rows(world.runtime, Place) if p.id == newest.place_id), None)


@pytest.mark.parametrize(
    ("who", "status"), [("an", 200), ("mai", 200), ("lan", 403), ("hung", 403), ("tuan", 403), ("hoa", 403)]
)
@pytest.mark.parametrize("path", ["/places", "/places/new", "/places/upload", "/places/template.csv"])
def test_only_those_who_administer_the_commune_see_its_list(browser: Open, path: str, who: str, status: int) -> None:
    assert browser(who).client.get(path).status_code == status


def test_the_way_there_is_shown_to_those_who_may_go(browser: Open) -> None:
    assert "/places" in browser("an").open("/administration").links
    assert "/places" not in browser("lan").open("/tickets").links


def test_a_handler_cannot_change_the_list_by_hand(world: World, browser: Open) -> None:
    lan = browser("lan")
    token = lan.open("/tickets").form("/sign-out").fields["csrf_token"]
    number = places(world)["Xóm 5"].id
    for path in ("/places", f"/places/{number}", f"/places/{number}/retirement", "/places/upload/confirmation"):
        assert lan.client.post(path, data={"csrf_token": token, "name": "X"}).status_code == 403
    assert in_use(world) == set(FIRST)


@pytest.mark.parametrize(
    ("words", "found"), [("dinh", {"Chợ Đình"}), ("thôn 5", {"Xóm 5"}), ("XOM", {"Xóm 5", "Xóm 7"}), ("bay", {"Xóm 7"})]
)
def test_a_place_is_found_with_or_without_accents(browser: Open, words: str, found: set[str]) -> None:
    page = browser("an").open(f"/places?search={words}")
    assert {name for name in FIRST if f"<strong>{name}</strong>" in page.html} == found
    assert f"Tìm thấy {len(found)} địa danh." in page.text


def test_a_search_without_result_says_so(browser: Open) -> None:
    assert "Tìm thấy 0 địa danh." in browser("an").open("/places?search=khong-co").text


def test_a_commune_without_places_is_told_how_to_begin(world: World, browser: Open) -> None:
    an = browser("an")
    for place in places(world).values():
        an.open("/places")
        an.send(an.page.form(f"/places/{place.id}/retirement"))
    assert "Địa phương chưa có địa danh nào đang dùng" in an.page.text
    assert "/places/places.csv" not in an.page.links


def test_a_place_is_added_and_messages_are_read_with_it_at_once(world: World, browser: Open) -> None:
    assert reported_place(world, "thôn Khe Ngang bị ngập nặng") is None
    an = browser("an")
    an.open("/places/new")
    page = an.send(
        an.page.form("/places"),
        name=" Thôn  Khe Ngang ",
        kind="thôn",
        aliases="làng Ngang\nxóm Vực, xóm Vực",
        parent="",
    )
    assert "Đã thêm địa danh." in page.text
    place = places(world)["Thôn Khe Ngang"]
    assert place.aliases == ["làng Ngang", "xóm Vực"]
    assert reported_place(world, "o khe ngang bi ngap nang") == "Thôn Khe Ngang"
    assert actions(world) == ["place.added"]


def test_a_place_is_corrected_and_what_was_written_before_stays_on_the_form(world: World, browser: Open) -> None:
    an = browser("an")
    number = places(world)["Xóm 7"].id
    form = an.open(f"/places/{number}/edit").form(f"/places/{number}")
    assert (form.fields["name"], form.fields["aliases"]) == ("Xóm 7", "xóm bảy")
    page = an.send(form, status=422, name="", parent="Khu A")
    assert "Chưa có tên địa danh." in page.alerts
    assert page.form(f"/places/{number}").fields["parent"] == "Khu A"
    an.send(page.form(f"/places/{number}"), name="Xóm Bảy")
    assert places(world)["Xóm Bảy"].parent == "Khu A"
    assert actions(world) == ["place.edited"]


def test_a_place_that_another_official_changed_meanwhile_is_not_overwritten(world: World, browser: Open) -> None:
    number = places(world)["Xóm 7"].id
    an, mai = browser("an"), browser("mai")
    form = an.open(f"/places/{number}/edit").form(f"/places/{number}")
    mai.send(mai.open(f"/places/{number}/edit").form(f"/places/{number}"), name="Xóm 7 Trên")
    page = an.send(form, status=422, name="Xóm 7 Dưới")
    assert "vừa được người khác sửa" in page.text
    assert "Xóm 7 Trên" in places(world)


def test_two_places_that_cannot_be_told_apart_are_refused(world: World, browser: Open) -> None:
    an = browser("an")
    form = an.open("/places/new").form("/places")
    assert "Đã có địa danh" in an.send(form, status=422, name="XÓM 5", kind="xóm").text
    an.send(form, name="Xóm 5", kind="xóm", parent="Khu A")
    assert sum(p.name == "Xóm 5" for p in all_rows(world.runtime, Place)) == 2


def test_a_retired_place_is_no_longer_read_until_it_is_used_again(world: World, browser: Open) -> None:
    an = browser("an")
    number = places(world)["Xóm 5"].id
    an.open("/places")
    an.send(an.page.form(f"/places/{number}/retirement"))
    assert reported_place(world, "xóm 5 bị ngập nặng") is None
    an.open("/places?view=retired")
    assert "Xóm 5" in an.page.text
    an.send(an.page.form(f"/places/{number}/restoration"))
    assert reported_place(world, "xóm 5 bị cúp điện") == "Xóm 5"
    assert actions(world) == ["place.retired", "place.restored"]


def test_another_communes_place_is_not_found(world: World, browser: Open) -> None:
    add_commune(world.runtime, code="00004", slug="ba-dinh", places=(PlaceRow("Chợ Hôm", "chợ"),))
    other = next(p for p in all_rows(world.runtime, Place) if p.name == "Chợ Hôm")
    an = browser("an")
    assert "Chợ Hôm" not in an.open("/places").text
    an.open(f"/places/{other.id}/edit", status=404)
    token = an.open("/places/new").form("/places").fields["csrf_token"]
    for path in (f"/places/{other.id}", f"/places/{other.id}/retirement"):
        assert an.client.post(path, data={"csrf_token": token, "name": "X"}).status_code == 404


# ---- tables ---------------------------------------------------------------------------------------------------------

LIST = "name,kind,aliases,parent\nXóm 5,xóm,thôn 5,\nXóm 7,xóm,xóm bảy|xóm Vườn,\nThôn Khe Ngang,thôn,,\n"


def test_a_table_is_shown_before_anything_is_saved(world: World, browser: Open) -> None:
    page = upload(browser("an"), LIST)
    for words in ("Mới: 1", "Thay đổi: 1", "Giữ nguyên: 1", "Không có trong tệp: 2", "Chưa lưu gì."):
        assert words in page.text
    assert in_use(world) == set(FIRST)
    assert actions(world) == []


def test_a_confirmed_table_is_the_list_and_what_it_leaves_out_stays(world: World, browser: Open) -> None:
    an = browser("an")
    before = {name: place.id for name, place in places(world).items()}
    upload(an, LIST)
    assert "Đã lưu danh sách: thêm 1, sửa 1." in say_yes(an).text
    assert in_use(world) == {*FIRST, "Thôn Khe Ngang"}
    assert places(world)["Xóm 7"].id == before["Xóm 7"]
    assert places(world)["Xóm 7"].aliases == ["xóm bảy", "xóm Vườn"]
    assert reported_place(world, "xom vuon mat dien ca dem") == "Xóm 7"
    entry = next(e for e in all_rows(world.runtime, AuditEntry) if e.action == "places.uploaded")
    assert entry.data == {"new": 1, "changed": 1, "unchanged": 1, "retired": 0}
    assert entry.official_id == world.officials["an"]


def test_what_a_table_leaves_out_is_retired_when_that_is_ticked(world: World, browser: Open) -> None:
    an = browser("an")
    upload(an, LIST)
    say_yes(an, retire_missing="1")
    assert in_use(world) == {"Xóm 5", "Xóm 7", "Thôn Khe Ngang"}
    assert set(places(world)) == {*FIRST, "Thôn Khe Ngang"}


def test_a_table_brings_retired_places_back(world: World, browser: Open) -> None:
    an = browser("an")
    number = places(world)["Xóm 5"].id
    an.open("/places")
    an.send(an.page.form(f"/places/{number}/retirement"))
    assert "Đang ngừng dùng:" in upload(an, LIST).text
    say_yes(an)
    assert places(world)["Xóm 5"].is_active


def test_a_table_with_mistakes_is_refused_by_line(world: World, browser: Open) -> None:
    an = browser("an")
    page = upload(an, "name,kind\nThôn A,thôn\n,thôn\nthôn a,THÔN\n", status=422)
    assert "Dòng 3: Chưa có tên địa danh." in page.text
    assert "Dòng 4: Trùng với dòng 2." in page.text
    assert not page.has_form("/places/upload/confirmation")
    assert in_use(world) == set(FIRST)


def test_a_form_without_a_file_is_refused(browser: Open) -> None:
    an = browser("an")
    an.open("/places/upload")
    assert "Chưa chọn tệp" in an.send(an.page.form("/places/upload"), status=422).text


def test_a_file_that_is_too_large_is_refused_in_words(browser: Open) -> None:
    assert "1 MB" in upload(browser("an"), b"name\n" + b"a" * 1_100_000, status=422).text


def test_a_table_confirmed_after_somebody_else_changed_the_list_saves_nothing(world: World, browser: Open) -> None:
    an, mai = browser("an"), browser("mai")
    upload(an, LIST)
    mai.open("/places/new")
    mai.send(mai.page.form("/places"), name="Cầu Đá", kind="cầu")
    assert "vừa được người khác sửa" in say_yes(an, status=422).text
    assert in_use(world) == {*FIRST, "Cầu Đá"}


def test_a_table_is_saved_where_two_places_differ_only_in_capitals(world: World, browser: Open) -> None:
    with world.runtime.database.transaction() as session:
        session.add(Place(commune_id=world.commune_id, name="XÓM 5", kind="xóm", aliases=[], parent=""))
    an = browser("an")
    page = upload(an, LIST)
    assert "Mới: 1" in page.text
    say_yes(an)
    assert places(world)["Xóm 5"].aliases == ["thôn 5"]
    assert in_use(world) == {*FIRST, "XÓM 5", "Thôn Khe Ngang"}


@pytest.mark.parametrize("rows", ["", "xxx", "eJyrVgIAAXUA+Q==", "eJyLjq6OBQAE8AGe"])
def test_rows_that_were_tampered_with_save_nothing(world: World, browser: Open, rows: str) -> None:
    an = browser("an")
    upload(an, LIST)
    assert "không còn dùng được" in say_yes(an, status=422, rows=rows).text
    assert in_use(world) == set(FIRST)


def test_rows_that_are_more_than_a_list_holds_are_not_looked_at(world: World, browser: Open, monkeypatch) -> None:
    an = browser("an")
    form = upload(an, LIST).form("/places/upload/confirmation")
    monkeypatch.setattr("bot.usecases.places.clean_entry", lambda *_: pytest.fail("cleaned before it was counted"))
    for many in ([["a", "", [], ""]] * 5_001, [["a", "", ["b"] * 21, ""]]):
        rows = b64encode(zlib.compress(json.dumps(many).encode())).decode()
        assert "không còn dùng được" in an.send(form, status=422, rows=rows).text


def test_the_largest_list_is_previewed_and_saved(world: World, browser: Open) -> None:
    an = browser("an")
    rows = "".join(f"Tổ {n},tổ,nhóm {n * 7919 % 99991} {n * 104729 % 1299709},Khu phố {n % 97}\n" for n in range(5_000))
    page = upload(an, "name,kind,aliases,parent\n" + rows)
    assert "Mới: 5000" in page.text
    assert "và 4800 địa danh khác" in page.text
    form = page.form("/places/upload/confirmation")
    assert "chỉ được có 5.000 địa danh đang dùng" in say_yes(an, status=422).text
    assert in_use(world) == set(FIRST)
    an.send(form, retire_missing="1")
    assert len(in_use(world)) == 5_000
    page = an.send(an.open("/places/new").form("/places"), status=422, name="Thôn Khe Ngang")
    assert "chỉ được có 5.000 địa danh đang dùng" in page.text
    an.open("/places?view=retired")
    page = an.send(an.page.form(f"/places/{places(world)['Xóm 5'].id}/restoration"))
    assert "chỉ được có 5.000 địa danh đang dùng" in page.text
    assert len(in_use(world)) == 5_000
    assert "Trang sau" in an.open("/places").text
    assert "Trang trước" in an.open("/places?page=2").text


def test_the_list_comes_back_as_it_went_out(world: World, browser: Open) -> None:
    an = browser("an")
    upload(an, 'name,kind,aliases,parent\n"=1+1, cầu",cầu,@nick|+84,-x\n')
    say_yes(an)
    made = an.client.get("/places/places.csv")
    assert made.headers["Content-Disposition"] == 'attachment; filename="dia-danh.csv"'
    rows = list(csv.reader(io.StringIO(made.data.decode("utf-8-sig"))))
    assert rows[0] == ["name", "kind", "aliases", "parent"]
    assert rows[-1] == ["'=1+1, cầu", "cầu", "'@nick|+84", "'-x"]
    page = upload(an, made.data)
    assert "Giữ nguyên: 5" in page.text
    assert "Thay đổi: 0" in page.text


def test_the_template_is_a_table_that_can_be_uploaded(browser: Open) -> None:
    an = browser("an")
    page = upload(an, an.client.get("/places/template.csv").data)
    assert "Mới: 5" in page.text


def test_the_pages_are_told_in_english_too(world: World, browser: Open) -> None:
    an = browser("an")
    an.open("/places")
    an.send(an.page.form("/language"), locale="en")
    assert "Add a place" in an.open("/places").text
    assert "Line 2: The name of the place is missing." in upload(an, "name,kind\n,x\n", status=422).text
    assert "Save the list" in upload(an, LIST).text
