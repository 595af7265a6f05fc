"""A citizen's words in pieces: nothing lost, nothing revealed, nothing hidden."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bot.web.marked_text import has_masked, marked, masked_phone, summary, visible
from nlp.reading import Reading, Span


def spans() -> st.SearchStrategy[tuple[Span, ...]]:
    one = st.builds(Span, st.integers(0, 40), st.integers(0, 40), st.just("topic"), st.text(max_size=3))
    return st.lists(one, max_size=5).map(tuple)


@given(st.text(max_size=60), spans())
def test_a_revealed_text_loses_nothing_whatever_the_spans_say(text: str, evidence: tuple[Span, ...]) -> None:
    pieces = marked(text, Reading("feedback", evidence=evidence), is_revealed=True)
    assert "".join(piece.text for piece in pieces) == text
    assert all(piece.text for piece in pieces)


@given(st.text(max_size=60), spans())
def test_hidden_characters_stand_alone_and_are_named(text: str, evidence: tuple[Span, ...]) -> None:
    for piece in marked(text, Reading("feedback", evidence=evidence), is_revealed=False):
        assert (piece.kind == "hidden") or not any(c in "\u200b\u202e\u2066\ufeff\u0000" for c in piece.text)


def test_evidence_and_masked_numbers_are_told_apart() -> None:
    text = "Ổ gà ở Xóm 5, gọi 0912345678"
    reading = Reading("feedback", evidence=(Span(0, 4, "topic", "giao-thong-duong-sa"),))
    pieces = {piece.kind: piece for piece in marked(text, reading, is_revealed=False)}
    assert pieces["evidence"].text == "Ổ gà"
    assert pieces["masked"].text == "09******78"


def test_a_number_the_reader_missed_is_masked_all_the_same() -> None:
    shown = "".join(p.text for p in marked("gọi 0912345678", Reading("feedback"), is_revealed=False))
    assert "0912345678" not in shown


def test_names_are_shown_to_officials() -> None:
    text = "Tôi tên là Nguyễn Văn A, sđt 0912345678"
    name = Span(11, 23, "name")
    for reading in (None, Reading("feedback", personal_data=(name,))):
        shown = {piece.kind: piece.text for piece in marked(text, reading, is_revealed=False)}
        assert shown == {"text": "Tôi tên là Nguyễn Văn A, sđt ", "masked": "09******78"}
        assert has_masked(text, reading)
    assert not has_masked(text[:23], Reading("feedback", personal_data=(name,)))


def test_families_of_emoji_are_not_taken_for_tricks() -> None:
    assert all(piece.kind == "text" for piece in marked("cảm ơn 👨‍👩‍👧 nhé", None, is_revealed=False))


def test_a_summary_shows_no_number_and_no_trick() -> None:
    assert summary("gọi 0912345678\u202e nhé") == "gọi 09******78  nhé"


def test_names_lose_their_invisible_parts() -> None:
    assert visible("Ông\u202e Ba") == "Ông� Ba"
    assert visible(None) == ""


def test_of_a_phone_only_the_end_is_shown() -> None:
    assert masked_phone("0912345678") == "•••••••678"
    assert masked_phone(None) == ""
