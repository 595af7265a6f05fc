"""`haichieu read` and `haichieu eval` as tools use them: alone, without a database or settings, line by line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from nlp.model import MODEL_FILE, Model
from storage.communes import Commune, Place
from storage.database import Database
from storage.trained import TrainedModel
from tests.operators import Operator

FIELDS = {
    "id", "intent", "topic", "topics", "urgency", "sealed", "places", "spots", "units", "pii", "spam", "parts",
    "abstain", "language", "model",
}  # fmt: skip
PLACES = "name,kind,aliases,parent\nXóm 5,xóm,thôn 5|xóm năm,\nChợ Đình,chợ,,Xóm 5\n"
HAICHIEU = [sys.executable, "-m", "bot.cli"]


@pytest.fixture
def operator(tmp_path: Path) -> Operator:
    """Somebody without any installation."""
    return Operator(tmp_path / "nothing here")


@pytest.fixture
def places(tmp_path: Path) -> str:
    path = tmp_path / "places.csv"
    path.write_text(PLACES, encoding="utf-8")
    return str(path)


def readings(operator: Operator, *lines: Any, options: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    """What comes out for lines; a line that is not bytes is written as JSON."""
    typed = b"".join((line if isinstance(line, bytes) else json.dumps(line).encode()) + b"\n" for line in lines)
    return [json.loads(line) for line in operator.gets("read", *options, typed=typed).splitlines()]


def test_a_reading_has_all_fields_of_the_contract(operator: Operator, places: str) -> None:
    text = "duong vao xom 5 o ga nhieu qua, goi toi so 0912 345 678"
    (line,) = readings(operator, {"id": "a", "text": text, "home": "27925"}, options=("--places", places))
    assert set(line) == FIELDS
    assert (line["id"], line["intent"], line["topic"]) == ("a", "feedback", "giao-thong-duong-sa")
    assert (line["urgency"], line["sealed"], line["spam"], line["language"]) == ("thuong", False, False, "vi")
    assert set(line["topics"][0]) == {"slug", "p", "why"}
    assert {"name": "Xóm 5", "kind": "xóm"}.items() <= line["places"][0].items()
    assert [text[span["start"] : span["end"]] for span in line["pii"]] == ["0912 345 678"]


def test_the_words_that_decided_are_words_of_the_message_once_each(operator: Operator) -> None:
    text = "Ổ  GÀ đầy đường, ổ gà khắp nơi"
    (line,) = readings(operator, {"id": 1, "text": text})
    why = line["topics"][0]["why"]
    assert why
    assert len(set(why)) == len(why)
    assert all(words in text for words in why)


def test_an_intent_without_a_subject_has_no_topic(operator: Operator) -> None:
    (line,) = readings(operator, {"id": 1, "text": "xin chào"})
    assert (line["intent"], line["topic"], line["topics"], line["abstain"]) == ("greeting", "", [], True)


def test_words_that_only_say_where_are_no_places_of_the_list(operator: Operator, places: str) -> None:
    line = {"id": 1, "text": "cống trước nhà văn hóa xóm Đoài bị tắc"}
    (known,) = readings(operator, line, options=("--places", places))
    assert known["places"] == []
    assert known["spots"]
    assert all(spot in line["text"] for spot in known["spots"])


def test_a_former_ward_gives_the_codes_of_today(operator: Operator) -> None:
    text = "phường 15 quận tân bình ngập quá"
    there, elsewhere = readings(operator, {"text": text, "home": "79"}, {"text": text, "home": "27925"})
    (unit,) = there["units"]
    assert (unit["level"], unit["codes"], unit["legacy"]) == ("commune", ["27004", "27007"], True)
    assert set(unit) == {"level", "codes", "name", "legacy", "here"}
    assert elsewhere["units"][0]["here"] is False


def test_two_problems_come_as_two_parts_of_the_text(operator: Operator) -> None:
    text = "đường vào xóm đầy ổ gà, ngoài ra đèn đường hỏng cả tháng nay"
    (line,) = readings(operator, {"id": 1, "text": text})
    assert [part["topic"] for part in line["parts"]] == ["giao-thong-duong-sa", "chieu-sang"]
    assert all(text[part["start"] : part["end"]] == part["text"] for part in line["parts"])


BAD_LINES = {
    b"not json": "not JSON",
    b'{"id":7,"text":"a"': "not JSON",
    b"[1]": "an object",
    b'"text"': "an object",
    b'{"id":7}': '"text"',
    b'{"id":7,"text":7}': '"text"',
    b'{"id":7,"text":null}': '"text"',
    b'{"id":7,"text":"a","home":27925}': '"home"',
    b'{"id":7,"text":"a","home":"00000"}': "'00000'",
    b'{"id":7,"text":"a","home":"00001"}': "former",
    b'{"id":NaN,"text":"a"}': "NaN",
    b'{"id":1e999,"text":"a"}': "1e999 is too large",
    b'{"id":[-1e400],"text":"a"}': "-1e400 is too large",
    b'{"text":"\xff"}': "not UTF-8 (byte 10)",
    b"[" * 100_000: "nested too deeply",
}


@pytest.mark.parametrize("line", BAD_LINES, ids=lambda line: line[:30].decode("latin-1"))
def test_a_bad_line_is_explained(operator: Operator, line: bytes) -> None:
    (answer,) = readings(operator, line)
    assert BAD_LINES[line] in answer["error"]
    assert set(answer) == ({"id", "error"} if line.startswith(b'{"id":7') and line.endswith(b"}") else {"error"})


def test_a_bad_line_does_not_stop_the_run(operator: Operator) -> None:
    out = readings(operator, {"id": 1, "text": "ổ gà"}, *BAD_LINES, {"id": 2, "text": "mất nước từ sáng"})
    assert ["error" in line for line in out] == [False, *[True] * len(BAD_LINES), False]
    assert out[-1]["topic"] == "nuoc-sach"


def test_an_error_names_its_line(operator: Operator) -> None:
    _, bad = readings(operator, {"text": "ổ gà"}, b"not json")
    assert bad["error"].startswith("line 2:")


@pytest.mark.parametrize("text", ["", "  ", "😀", "\ud800 ổ gà", "\x00", "ổ gà " * 20_000, "ا" * 50, "<b>x</b>"])
def test_any_string_is_read(operator: Operator, text: str) -> None:
    (line,) = readings(operator, {"id": text[:3], "text": text})
    assert set(line) == FIELDS
    assert line["id"] == text[:3]


def test_a_byte_order_mark_does_no_harm(operator: Operator) -> None:
    (line,) = readings(operator, b'\xef\xbb\xbf{"id":1,"text":"\xe1\xbb\x95 g\xc3\xa0"}')
    assert line["topic"] == "giao-thong-duong-sa"


def test_empty_lines_are_passed_over(operator: Operator) -> None:
    assert len(readings(operator, b"", {"text": "ổ gà"}, b"   ", b"")) == 1


def test_lines_without_a_home_are_for_the_commune_given(operator: Operator) -> None:
    line = {"text": "ngập ở xã Đức Huệ"}
    (bare,) = readings(operator, line)
    (here,) = readings(operator, line, options=("--commune", "27925"))
    assert [line["units"][0]["here"] for line in (bare, here)] == [False, True]


@pytest.mark.parametrize(("code", "why"), [("99999", "99999"), ("00001", "00097")])
def test_a_commune_that_does_not_exist_is_refused(operator: Operator, code: str, why: str) -> None:
    result = operator.types("read", "--commune", code)
    assert result.exit_code == 2
    assert why in result.output


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"ten,loai\nA,b\n", 'no column "name"'),
        (b"name;kind\nA;b\n", "separated by commas"),
        (b"", 'no column "name"'),
        ("name\nXóm 5\n".encode("utf-16"), "not UTF-8"),
        ("name\nXóm Hạ\n".encode("cp1258", "replace"), "not UTF-8"),
        (b'name\n"' + b"a" * 200_000 + b'"\n', "no CSV"),
    ],
    ids=["no name", "semicolons", "empty", "UTF-16", "Windows-1258", "endless field"],
)
def test_a_list_of_places_that_cannot_be_used_is_refused(
    operator: Operator, tmp_path: Path, content: bytes, why: str
) -> None:
    path = tmp_path / "list.csv"
    path.write_bytes(content)
    result = operator.types("read", "--places", str(path), typed='{"text":"ổ gà"}\n')
    assert result.exit_code == 2
    assert "list.csv" in result.output
    assert why in result.output
    assert "Traceback" not in result.output


def test_a_list_of_places_from_a_spreadsheet_is_taken(operator: Operator, tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_bytes(PLACES.replace("\n", "\r\n").encode("utf-8-sig"))
    (line,) = readings(operator, {"text": "đèn ở chợ Đình hỏng"}, options=("--places", str(path)))
    assert [place["name"] for place in line["places"]] == ["Chợ Đình"]


# ---- with and without an installation ------------------------------------------------------------------------------


def served(operator: Operator) -> None:
    """A commune in service with one place of its own."""
    operator.gets("db", "upgrade")
    operator.gets("commune", "add", "27925", "--slug", "duc-hue")
    with kept(operator) as session:
        commune = session.scalars(sa.select(Commune)).one()
        session.add(Place(commune_id=commune.id, name="Xóm 9", kind="xóm", aliases=["xóm chín"]))


def put_to_use(operator: Operator, version: str, content: bytes) -> None:
    """A trained model of the operator's installation."""
    now = datetime(2026, 7, 1, tzinfo=UTC)
    with kept(operator) as session:
        session.add(TrainedModel(version=version, created_at=now, content=content, promoted_at=now, is_active=True))


@contextmanager
def kept(operator: Operator) -> Iterator[Session]:
    """A transaction in the operator's database."""
    database = Database(f"sqlite:///{operator.env['HAICHIEU_DATA_DIR']}/haichieu.db")
    with database.transaction() as session:
        yield session
    database.close()


def test_the_places_of_a_commune_served_here_are_known(operator: Operator) -> None:
    served(operator)
    line = {"text": "đèn đường xóm chín hỏng"}
    (read,) = readings(operator, line, options=("--commune", "27925"))
    assert [(place["name"], place["kind"]) for place in read["places"]] == [("Xóm 9", "xóm")]


def test_a_list_of_places_comes_before_those_served_here(operator: Operator, places: str) -> None:
    served(operator)
    line = {"text": "đèn đường xóm 5 tới xóm 9 hỏng"}
    (read,) = readings(operator, line, options=("--commune", "27925", "--places", places))
    assert [place["name"] for place in read["places"]] == ["Xóm 5"]


def test_the_model_in_use_here_reads(operator: Operator) -> None:
    served(operator)
    line = {"text": "ổ gà"}
    (before,) = readings(operator, line)
    shipped = Model.load(MODEL_FILE)
    ours = Model(shipped.features, shipped._idf, shipped.weights, shipped.bias, shipped.heads, "taught here")
    put_to_use(operator, ours.version, ours.to_bytes())
    (after,) = readings(operator, line)
    assert (before["model"], after["model"]) == (shipped.version, ours.version)


def test_a_damaged_model_is_told_and_the_one_that_ships_reads(operator: Operator) -> None:
    served(operator)
    put_to_use(operator, "0123", b"nothing")
    result = operator.types("read", typed='{"text":"ổ gà"}\n')
    assert "damaged" in result.stderr
    assert json.loads(result.stdout)["model"] == Model.load(MODEL_FILE).version


def test_settings_that_are_wrong_are_told_but_do_not_stop_reading(operator: Operator) -> None:
    result = operator.types("read", typed='{"text":"ổ gà"}\n', HAICHIEU_PORT="high")
    assert "HAICHIEU_PORT" in result.stderr
    assert json.loads(result.stdout)["topic"] == "giao-thong-duong-sa"


def test_a_database_that_is_not_set_up_is_told_but_does_not_stop_reading(operator: Operator, tmp_path: Path) -> None:
    (tmp_path / "haichieu.db").touch()
    result = operator.types("read", "--commune", "27925", typed='{"text":"ổ gà"}\n', HAICHIEU_DATA_DIR=str(tmp_path))
    assert "database" in result.stderr
    assert json.loads(result.stdout)["topic"] == "giao-thong-duong-sa"


def test_a_database_that_is_not_there_is_told_and_not_made(operator: Operator, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/not/here.db"
    result = operator.types("read", "--commune", "27925", typed='{"text":"ổ gà"}\n', HAICHIEU_DATABASE_URL=url)
    assert "not there" in result.stderr
    assert json.loads(result.stdout)["topic"] == "giao-thong-duong-sa"
    assert not (tmp_path / "not").exists()


@pytest.mark.parametrize(
    "url", ["postgresql://localhost:port/x", "postgresql://localhost:99999999/x", "mariadb", "x://y"]
)
def test_an_address_of_no_database_is_told_but_does_not_stop_reading(operator: Operator, url: str) -> None:
    result = operator.types("read", typed='{"text":"ổ gà"}\n', HAICHIEU_DATABASE_URL=url)
    assert "database" in result.stderr
    assert json.loads(result.stdout)["topic"] == "giao-thong-duong-sa"


def test_reading_needs_no_settings_and_leaves_nothing_behind(tmp_path: Path) -> None:
    typed = json.dumps({"id": 1, "text": "đường đầy ổ gà", "home": "27925"}).encode()
    run = subprocess.run([*HAICHIEU, "read"], input=typed, env={}, cwd=tmp_path, capture_output=True, check=True)
    assert json.loads(run.stdout)["topic"] == "giao-thong-duong-sa"
    assert run.stderr == b""
    assert list(tmp_path.iterdir()) == []


def test_reading_loads_no_database_and_no_web(tmp_path: Path) -> None:
    script = (
        "import sys; from bot.cli import main; main(['read'], standalone_mode=False); "
        "print(sorted({'sqlalchemy', 'flask', 'redis', 'httpx', 'cryptography', 'sklearn'} & set(sys.modules)))"
    )
    run = subprocess.run(
        [sys.executable, "-c", script], input=b"", env={}, cwd=tmp_path, capture_output=True, check=True
    )
    assert run.stdout.decode().splitlines()[-1] == "[]"


def test_a_tool_may_write_one_line_and_wait_for_its_answer(tmp_path: Path) -> None:
    env = {**os.environ, "HAICHIEU_DATA_DIR": str(tmp_path)}
    with subprocess.Popen([*HAICHIEU, "read"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=env) as process:
        assert process.stdin
        assert process.stdout
        for number in (1, 2):
            process.stdin.write(json.dumps({"id": number, "text": "mất điện"}).encode() + b"\n")
            process.stdin.flush()
            assert json.loads(process.stdout.readline())["id"] == number
        process.stdin.close()
        assert process.wait(10) == 0


# ---- measuring -----------------------------------------------------------------------------------------------------

GOLD: list[dict[str, Any]] = [
    {"id": "g1", "text": "đường vào xóm 5 đầy ổ gà", "topics": ["giao-thong-duong-sa"], "places": ["Xóm 5"]},
    {"id": "g2", "text": "mất nước từ sáng đến giờ", "topics": ["nuoc-sach"]},
    {"id": "g3", "text": "mất điện cả xóm từ tối qua", "topics": ["giao-duc"]},
    {"id": "g4", "text": "đường đầy ổ gà, sụt lún", "topics": ["cay-xanh", "giao-thong-duong-sa"]},
]
USUAL = {"home": "27925", "intent": "feedback", "urgency": "thuong", "sealed": False}


@pytest.fixture
def gold(tmp_path: Path) -> Path:
    path = tmp_path / "gold.jsonl"
    path.write_text("".join(json.dumps({**USUAL, **row}) + "\n" for row in GOLD), encoding="utf-8")
    return path


def test_the_figures_of_a_small_file_are_those_counted_by_hand(operator: Operator, gold: Path, places: str) -> None:
    told = json.loads(operator.gets("eval", str(gold), "--places", places, "--json"))
    assert (told["messages"], set(told["forms"])) == (
        4,
        {"as written", "without accents", "chat", "misspelt", "telex"},
    )
    written = {name: figure["value"] for name, figure in told["forms"]["as written"].items()}
    # Three of four are right; roads (two of two) and water count 1, schools 0.
    assert written["topic accuracy"] == 0.75
    assert written["topic macro-F1"] == pytest.approx(2 / 3)
    assert (told["figures"]["places recall"]["value"], told["figures"]["places precision"]["value"]) == (1, 1)
    assert told["figures"]["false place"] == {"value": 0, "low": 0, "high": 0, "of": 3}
    assert 0 < told["latency_ms"]["p50"]["value"] <= told["latency_ms"]["p99"]["value"]
    assert told["risk_coverage"][-1] == {"answered": 1, "right": 0.75, "probability": pytest.approx(0.5, abs=0.5)}


def test_misread_messages_are_listed_when_asked_for(operator: Operator, gold: Path, places: str) -> None:
    said = operator.gets("eval", str(gold), "--places", places, "--errors", "5")
    assert "g3\ttopic\tgiao-duc\tdien" in said
    assert "g1\t" not in said
    assert "g3\t" not in operator.gets("eval", str(gold), "--places", places)


def test_places_that_nobody_could_find_are_explained(operator: Operator, gold: Path, places: str) -> None:
    assert "--places" in operator.types("eval", str(gold)).stderr
    assert operator.types("eval", str(gold), "--places", places).stderr == ""


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"intent": "wish"}, "unknown intent 'wish'"),
        ({"topics": ["roads"]}, "unknown topic 'roads'"),
        ({"topics": "dien"}, '"topics" cannot be "dien"'),
        ({"urgency": "high"}, "unknown urgency 'high'"),
        ({"sealed": "no"}, '"sealed" cannot be "no"'),
        ({"pii": [{"kind": "phone", "text": "0900"}]}, "'0900' does not stand in the text"),
        ({"home": "00001"}, "former unit"),
        ({"text": 5}, '"text" cannot be 5'),
    ],
    ids=lambda value: "" if isinstance(value, str) else next(iter(value)),
)
def test_a_wrong_label_is_named_with_its_line(operator: Operator, gold: Path, wrong: dict[str, Any], why: str) -> None:
    row = {key: value for key, value in {**USUAL, **GOLD[0], **wrong}.items() if key != "id"}
    gold.write_text(gold.read_text() + json.dumps(row, ensure_ascii=False) + "\n", encoding="utf-8")
    result = operator.types("eval", str(gold))
    assert result.exit_code == 2
    assert "gold.jsonl:5" in result.output
    assert why in result.output


def test_all_wrong_lines_are_named_at_once(operator: Operator, tmp_path: Path) -> None:
    path = tmp_path / "gold.jsonl"
    path.write_bytes(b'{"text":"a"}\nnot json\n\xff\n[]\n')
    result = operator.types("eval", str(path))
    assert result.exit_code == 2
    for place in ('gold.jsonl:1: "intent" is missing', "gold.jsonl:2", "gold.jsonl:3: not UTF-8", "gold.jsonl:4"):
        assert place in result.output


def test_a_file_without_messages_is_refused(operator: Operator, tmp_path: Path) -> None:
    path = tmp_path / "none.jsonl"
    path.write_text("\n")
    result = operator.types("eval", str(path))
    assert result.exit_code == 2
    assert "no messages" in result.output
