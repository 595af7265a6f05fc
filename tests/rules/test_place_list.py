"""Tables of places as offices save them are read, or refused by line; comparing tells what would change."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.rules import place_list
from bot.rules.place_list import (
    BYTES_AT_MOST,
    COLUMNS,
    ROWS_AT_MOST,
    Entry,
    clean_entry,
    compare,
    problem_of,
    read_table,
)
from bot.rules.spreadsheet import table

NAMES = "name,kind,aliases,parent\nThôn Đông,thôn,xóm Đông|làng Đông,\nTổ 3,tổ,,Khu phố 1\n"
BOTH = (Entry("Thôn Đông", "thôn", ("xóm Đông", "làng Đông")), Entry("Tổ 3", "tổ", (), "Khu phố 1"))


def told(data: bytes) -> list[tuple[int, str]]:
    """The problems of a file as lines and sentences."""
    return [(problem.line, problem.sentence % problem.values) for problem in read_table(data).problems]


def windows_1258(text: str) -> bytes:
    """As Windows saves Vietnamese: letters with their tones apart."""
    decomposed = "".join(
        unicodedata.normalize("NFC", first) + tone
        for first, tone in ((_base_and_tone(c)) for c in unicodedata.normalize("NFC", text))
    )
    return decomposed.encode("cp1258")


def _base_and_tone(char: str) -> tuple[str, str]:
    decomposed = unicodedata.normalize("NFD", char)
    tones = "".join(c for c in decomposed if c in "\u0300\u0301\u0303\u0309\u0323")
    return "".join(c for c in decomposed if c not in tones), tones


@pytest.mark.parametrize(
    ("label", "data"),
    [
        ("UTF-8", NAMES.encode()),
        ("UTF-8 with a mark", NAMES.encode("utf-8-sig")),
        ("UTF-16 with a mark", NAMES.replace(",", "\t").encode("utf-16")),
        ("UTF-16 without one", NAMES.replace(",", "\t").encode("utf-16-le")),
        ("UTF-16, big end first", b"\xfe\xff" + NAMES.encode("utf-16-be")),
        ("Windows-1258", windows_1258(NAMES)),
        ("semicolons", NAMES.replace(",", ";").encode()),
        ("tabs", NAMES.replace(",", "\t").encode()),
        ("Excel's own word for the delimiter", ("sep=;\n" + NAMES.replace(",", ";")).encode()),
        ("lines of Windows", NAMES.replace("\n", "\r\n").encode()),
        ("lines of an old Mac", NAMES.replace("\n", "\r").encode()),
        ("empty lines and columns", NAMES.replace("\n", ",,\n,,,,,\n").encode()),
        ("headings in Vietnamese", NAMES.replace("name,kind,aliases,parent", "Tên,Loại,Tên khác,Thuộc").encode()),
        ("headings in capitals", NAMES.replace("name,kind,aliases,parent", "NAME,Kind , ALIASES,Parent").encode()),
        ("aliases with semicolons", NAMES.replace("|", ";").encode()),
        ("aliases with commas", NAMES.replace("xóm Đông|làng Đông", '"xóm Đông, làng Đông"').encode()),
        ("letters with tones apart", unicodedata.normalize("NFD", NAMES).encode()),
        (
            "columns in another order",
            "parent,name,kind,aliases\n,Thôn Đông,thôn,xóm Đông|làng Đông\nKhu phố 1,Tổ 3,tổ,\n".encode(),
        ),
    ],
)
def test_a_file_is_read_however_it_was_saved(label, data):
    found = read_table(data)
    assert found.problems == ()
    assert found.entries == BOTH


@pytest.mark.parametrize(
    ("data", "problems"),
    [
        ("name,kind\n,thôn\nThôn A,thôn\n---,x\n", [(2, "Chưa có tên địa danh."), (4, "Chưa có tên địa danh.")]),
        ("name,kind\nThôn A,thôn\n\nTHÔN A,Thôn\n", [(4, "Trùng với dòng 2.")]),
        (f"name\n{'a' * 161}\n", [(2, "Tên dài hơn 160 ký tự.")]),
        (f"name,kind\na,{'b' * 41}\n", [(2, "Loại dài hơn 40 ký tự.")]),
        (f"name,parent\na,{'b' * 161}\n", [(2, "Tên nơi trực thuộc dài hơn 160 ký tự.")]),
        (f"name,aliases\na,{'b' * 161}\n", [(2, "Có tên gọi khác dài hơn 160 ký tự.")]),
        (f"name,aliases\na,{'|'.join(map(str, range(21)))}\n", [(2, "Có hơn 20 tên gọi khác.")]),
        ("name,ghi chú\na,b\n", [(1, "Không có cột tên “ghi chú”. Các cột dùng được: name, kind, aliases, parent.")]),
        ("\n\nname,name\na,b\n", [(3, "Cột “name” có hai lần.")]),
        ("kind,parent\na,b\n", [(1, "Dòng đầu phải là tiêu đề và có cột name.")]),
        (
            "name,kind\nThôn A, Thôn B,thôn\n",
            [(2, "Dòng có nhiều ô hơn số cột; tên có dấu phân cách cần đặt trong ngoặc kép.")],
        ),
        ("name\n", [(0, "Tệp chỉ có dòng tiêu đề, chưa có địa danh nào.")]),
        ("", [(0, "Tệp không có dòng nào. Vui lòng chọn tệp có dòng tiêu đề và ít nhất một địa danh.")]),
        ('name\n"a\n' + "b" * 140_000, [(2, "Có ô quá dài, thường do thiếu dấu ngoặc kép đóng.")]),
        (
            'name,kind\nThôn A,thôn\n"Thôn B,thôn\nThôn C,thôn\n',
            [(3, "Dấu ngoặc kép không khớp: thiếu dấu đóng hoặc đặt giữa ô.")],
        ),
        (
            'name,kind\n"Thôn B,thôn\n"Thôn C",thôn\n',
            [(2, "Dấu ngoặc kép không khớp: thiếu dấu đóng hoặc đặt giữa ô.")],
        ),
        ('name,kind\n"Thôn\nA",thôn\n,x\n', [(4, "Chưa có tên địa danh.")]),
    ],
)
def test_what_is_wrong_is_told_by_its_line(data, problems):
    assert told(data.encode()) == problems


def test_a_list_that_is_too_long_or_too_large_is_refused():
    rows = "".join(f"Tổ {n}\n" for n in range(ROWS_AT_MOST + 1))
    assert told(("name\n" + rows).encode()) == [(0, "Tệp có hơn 5.000 dòng. Vui lòng chia thành nhiều tệp nhỏ hơn.")]
    assert len(read_table(("name\n" + rows).encode().rsplit(b"\n", 2)[0]).entries) == ROWS_AT_MOST
    assert "1 MB" in told(b"name\n" + b"a" * BYTES_AT_MOST)[0][1]


@pytest.mark.parametrize(
    ("label", "data"),
    [
        ("UTF-8 with a byte too many", NAMES.encode() + b"\xe1\n"),
        ("UTF-8 cut in the middle of a letter", "name\nThôn Hạ\nThôn Xê".encode()[:-1]),
        ("TCVN3", b"name,kind\nTh\xabn \xa7\xabng,th\xabn\n"),
        ("VISCII", b"name,kind\nTh\xf4n Ch\xae,th\xf4n\n"),
    ],
)
def test_letters_that_only_look_like_some_are_refused(label, data):
    assert told(data) == [(0, "Không đọc được chữ trong tệp. Vui lòng lưu lại ở dạng CSV UTF-8 rồi tải lên.")], label


def test_what_cannot_be_seen_parts_no_word():
    data = "name,kind\nThôn\u200b Đô\u00adng,thôn\n\u202eCh\u2060ợ Mo\u00ad\u0301i,chợ\n".encode()
    assert [entry.name for entry in read_table(data).entries] == ["Thôn Đông", "Chợ Mói"]


@pytest.mark.parametrize("data", [b"\x00" * 300, b"\xff\xfe\x00", b"PK\x03\x04\x00\x00\xff\xd2\xd2"])
def test_a_file_that_is_no_text_is_refused(data):
    found = read_table(data)
    assert found.problems
    assert not found.entries


def test_a_long_file_is_read_no_further_than_a_list_may_be(monkeypatch):
    read = []
    monkeypatch.setattr("bot.rules.place_list._entry_of", lambda cells, _columns: read.append(cells))
    assert read_table(b"name\n" + b"a\n" * 400_000).problems
    assert read == []
    rows = place_list._rows("name\n" + "a\n" * 400_000)
    monkeypatch.setattr("bot.rules.place_list._rows", lambda _text: (read.append(row) or row for row in rows))
    assert read_table(b"name\n").problems
    assert len(read) == ROWS_AT_MOST + 2


@given(st.binary(max_size=400) | st.text(max_size=200).map(str.encode))
def test_any_file_is_read_or_refused(data):
    found = read_table(data)
    assert found.entries or found.problems


LINE = st.text(st.characters(codec="utf-8"), max_size=40)


@given(st.lists(st.tuples(LINE, LINE, LINE, LINE), max_size=8))
def test_a_list_that_was_downloaded_is_the_same_when_it_is_uploaded(rows):
    entries = [clean_entry(*(field.replace("'", "") for field in row)) for row in rows]
    kept = {entry.key: entry for entry in entries if problem_of(entry) is None}
    cells = [(e.name, e.kind, "|".join(e.aliases), e.parent) for e in kept.values()]
    made = table([COLUMNS, *cells])
    assert read_table(made.encode()).entries == tuple(kept.values())


def test_comparing_tells_new_changed_unchanged_and_missing_places():
    present = {
        1: Entry("Thôn Đông", "thôn"),
        2: Entry("Thôn Tây", "thôn"),
        3: Entry("Chợ Cũ", "chợ"),
        4: Entry("Cầu Đá", "cầu"),
        5: Entry("Tổ 3", "tổ", (), "Khu phố 1"),
    }
    found = compare(
        [
            Entry("Thôn Đông", "thôn"),
            Entry("thôn tây", "thôn", ("xóm Tây",)),
            Entry("Chợ Cũ", "chợ phiên"),
            Entry("Cầu Đá", "cầu"),
            Entry("Tổ 3", "tổ", (), "Khu phố 2"),
            Entry("Tổ 3", "tổ", (), "Khu phố 1"),
        ],
        present,
        frozenset({4}),
    )
    assert found.new == [Entry("Tổ 3", "tổ", (), "Khu phố 2")]
    assert [number for number, _ in found.changed] == [2, 3, 4]
    assert found.unchanged == [1, 5]
    assert found.missing == []
    assert compare([Entry("Thôn Bắc")], present, frozenset({4})).missing == [1, 2, 3, 5]


def test_a_place_keeps_its_number_when_only_its_kind_or_parent_changes():
    found = compare([Entry("Tổ 3", "tổ dân phố", (), "Khu phố 9")], {7: Entry("Tổ 3", "tổ")}, frozenset())
    assert found.changed == [(7, Entry("Tổ 3", "tổ dân phố", (), "Khu phố 9"))]


def test_of_places_that_differ_in_capitals_a_list_means_the_one_written_alike():
    present = {1: Entry("XÓM 5", "xóm"), 2: Entry("Xóm 5", "xóm")}
    found = compare([Entry("Xóm 5", "xóm", ("thôn 5",))], present, frozenset())
    assert found.changed == [(2, Entry("Xóm 5", "xóm", ("thôn 5",)))]
    assert (found.new, found.missing) == ([], [1])
    assert compare([Entry("xóm 5", "xóm")], present, frozenset()).changed == [(1, Entry("xóm 5", "xóm"))]
