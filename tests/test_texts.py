"""Texts of the catalogues: complete, short where they must be, and never sent with a blank."""

from __future__ import annotations

import pytest

from bot import texts
from bot.texts import LANGUAGES, SMS_LENGTH, Choice, EmptyVariable, Own, Voice, plain
from bot.usecases.wordings import SAMPLES
from storage.enums import TicketState

# As long as they come in real communes.
LONG = {
    **SAMPLES,
    "xa": "UBND phường Nguyễn Thị Minh Khai",
    "gio": "07:30–11:30, 13:30–17:00",
    "sdttruc": "0901 234 567",
    "so": "113 / 114 / 115 / 112",
    "noitiep": "Bộ phận Tiếp công dân, Trung tâm Phục vụ hành chính công, số 12 đường Lê Lợi",
    "thanhtra": "Thanh tra tỉnh, 61 đường Trương Định",
    "congan": "Công an tỉnh, 76 đường Châu Thị Kim",
    "tieude": "Cắt điện",
    "noidung": "Ngày mai cắt điện.",
    "ma": "PA26-123456",
    "ma0": "PA26-123457",
    "ma2": "PA26-123458",
    "linhvuc": "An sinh: hộ nghèo, trợ cấp, người có công, trẻ em",
    "diadiem": "ngã ba gần trường tiểu học Nguyễn Bỉnh Khiêm đối diện quán cơm chay " * 3,
    "donvi": "Ban Quản lý dự án đầu tư xây dựng khu vực Đức Hòa – Đức Huệ",
    "tomtat": "Đèn đường trước chợ không sáng đã một tuần nay mà chưa thấy ai sửa…",
}
WITH_SMS = [(language, key) for language in LANGUAGES for key, t in texts.catalogue(language).items() if t.sms]


@pytest.mark.parametrize(("language", "key"), WITH_SMS)
def test_every_step_fits_one_sms_without_accents_and_keeps_its_codes(language: str, key: str) -> None:
    text = Voice(language, is_sms=True).say(key, **LONG)
    assert len(text.words) <= SMS_LENGTH, text.words
    assert text.words.isascii()
    for name in ("ma", "ma0", "ma2", "sdttruc"):
        if "{" + name + "}" in texts.template_of(key, language).sms:
            assert LONG[name] in text.words


def test_only_texts_that_carry_other_peoples_words_have_no_short_form() -> None:
    long = {key for key, template in texts.catalogue("vi").items() if not template.sms}
    assert long == {"faq", "refused", "result", "progress", "announcement"}


def test_what_has_no_short_form_goes_without_accents() -> None:
    words = Voice(is_sms=True).say("result", **LONG).words
    assert words.isascii()
    assert "da kiem tra" in words


@pytest.mark.parametrize("key", list(texts.catalogue("en")))
def test_english_names_the_same_things_and_offers_the_same_answers(key: str) -> None:
    english, vietnamese = texts.catalogue("en")[key], texts.catalogue("vi")[key]
    assert english.variables == vietnamese.variables
    assert [c.value for c in english.choices] == [c.value for c in vietnamese.choices]


@pytest.mark.parametrize("key", texts.keys())
def test_every_text_says_when_it_is_said(key: str) -> None:
    assert texts.template_of(key).when


@pytest.mark.parametrize("key", texts.keys())
def test_a_text_with_a_blank_is_not_said(key: str) -> None:
    for name in sorted(texts.template_of(key).variables):
        if name in texts.variables_in(texts.template_of(key).words):
            with pytest.raises(EmptyVariable) as refused:
                texts.say(key, **{**LONG, name: "  "})
            assert (refused.value.key, refused.value.variable) == (key, name)


def test_answers_are_numbered_where_there_are_no_buttons() -> None:
    told = Voice().say("rating", ma="PA26-0001")
    assert told.words.endswith("1) Không hài lòng · 2) Chấp nhận · 3) Hài lòng")
    shown = Voice(has_buttons=True).say("rating", ma="PA26-0001")
    assert "1)" not in shown.words
    assert shown.choices[2] == Choice("good", "Hài lòng")


def test_a_commune_says_it_in_its_own_words() -> None:
    own = {("thanks", "vi"): Own("Cảm ơn bà con. {xa}", "Cam on ba con")}
    assert Voice(own=own).say("thanks", **LONG).words == "Cảm ơn bà con. UBND phường Nguyễn Thị Minh Khai"
    assert Voice(is_sms=True, own=own).say("thanks", **LONG).words == "Cam on ba con"
    assert "thanks you" in Voice("en", own=own).say("thanks", **LONG).words


def test_what_a_language_lacks_is_said_in_vietnamese() -> None:
    assert texts.catalogue("vi").keys() - texts.catalogue("en").keys() == {"announcement"}
    assert Voice("en").say("announcement", **LONG).words == Voice().say("announcement", **LONG).words


@pytest.mark.parametrize("words", [texts.STATE_WORDS, texts.PHRASES])
def test_every_language_has_a_word_for_every_state_and_phrase(words: dict[str, dict[str, str]]) -> None:
    assert set(words) == set(LANGUAGES)
    assert words["en"].keys() == words["vi"].keys()
    assert all(all(values.values()) for values in words.values())


def test_every_state_of_a_ticket_can_be_told() -> None:
    assert set(texts.STATE_WORDS["vi"]) == {state.value for state in TicketState}


def test_braces_of_a_citizen_are_only_words() -> None:
    assert "{xa.__class__}" in texts.say("where_noted", ma="PA26-0001", diadiem="{xa.__class__}").words
    assert "{ma}" in Voice(is_sms=True).say("where_noted", ma="PA26-0001", diadiem="{ma}").words


@pytest.mark.parametrize(
    ("words", "bare"),
    [
        ("Đường số 5 – “ngã ba”…", 'Duong so 5 - "ngã ba"...'.replace("ã", "a")),
        ("🙏 cảm ơn", " cam on"),
        ("ok\nvâng", "ok\nvang"),
    ],
)
def test_accents_are_dropped_and_nothing_else_is_lost(words: str, bare: str) -> None:
    assert plain(words) == bare
