"""Spelling does not change what is read: accents, composition, shorthand, raw keystrokes, old fonts and spacing."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from nlp.normalise import fold, normalise
from tests.growth import grows_evenly

VIETNAMESE = st.text(
    alphabet="aăâbcdđeêghiklmnoôơpqrstuưvxyàáảãạằắẳẵặầấẩẫậòóỏõọừứửữựÀÁĐƯ 0123456789.,!?\n", max_size=60
)
PIECES = st.lists(
    st.sampled_from(
        ["n g ậ p", "n", "g", "a", "p", " ", "  ", "\n", ".", "k.h.ó.i", "quáaaa", "ngapppp", "mấtđiện", "hopdancu",
         "nu+o+'c", "nga^.p", "tie^'ng", "^", "+", "(", "'", "`", "nöôùc", "ñöôøng", "ngaäp", "®­êng", "tr­íc", "nhµ",
         "bển", "ổng", "mần", "ko", "dc", "xóm ", "bảy", "p.", "ddieejn", "duong7", "tp", "12", "ﬁ", "😀", "\u0301"]
    ),
    max_size=25,
).map("".join)  # fmt: skip
ANY = st.one_of(VIETNAMESE, PIECES, st.text(max_size=60), PIECES.map(lambda t: " ".join(t)))


@given(st.text(max_size=80))
def test_folding_twice_is_folding_once(text):
    assert fold(fold(text)) == fold(text)


@given(ANY)
@example("nga^.p nu+o+'c tie^'ng Vie^.t la. gi`? nha^^")
@example("n g e m k")
@example("x.k.h.o.i t h e n q 5")
@example("n g a onhiem")
@example("k . h . o i n g a p n u o c")
def test_normalising_the_folded_view_changes_nothing(text):
    once = normalise(text).folded
    assert normalise(once).folded == once


@given(VIETNAMESE)
def test_composed_and_decomposed_spellings_read_the_same(text):
    composed = normalise(unicodedata.normalize("NFC", text))
    decomposed = normalise(unicodedata.normalize("NFD", text))
    assert fold(unicodedata.normalize("NFD", text)) == fold(unicodedata.normalize("NFC", text))
    assert composed.folded == decomposed.folded
    assert [(t.word, t.accented) for t in composed.tokens] == [(t.word, t.accented) for t in decomposed.tokens]


@given(ANY)
def test_every_token_stands_in_the_original_in_order(text):
    read = normalise(text)
    assert all(0 <= token.start < token.end <= len(text) for token in read.tokens)
    starts = [token.start for token in read.tokens]
    assert starts == sorted(starts)
    assert all(read.tokens[at].word for at in read.line_tokens.values())
    for view, span in ((read.accented, read.accented_span), (read.folded, read.folded_span)):
        ends = [span(at, at + 1) for at in range(len(view))]
        assert all(0 <= start <= end <= len(text) for start, end in ends)


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Đường", "duong"),
        ("dduowngf", "duong"),
        ("ko dc", "khong duoc"),
        ("p. Dĩ An", "phuong di an"),
        ("xóm bảy", "xom 7"),
        ("kp3", "khu pho 3"),
        # letters apart, letters held down, words stuck together
        ("n g ậ p n ư ớ c", "ngap nuoc"),
        ("n g ậ p   n ư ớ c   q u á", "ngap nuoc qua"),
        ("k.h.ó.i đen", "khoi den"),
        ("U.B.N.D xã", "uy ban nhan dan xa"),
        ("ngậpppp quáaaa", "ngap qua"),
        ("mấtđiện cả xóm", "mat dien ca xom"),
        ("ngapnuoc", "ngap nuoc"),
        ("hopdancu", "hop dan cu"),
        ("ônhiễmmôitrường", "o nhiem moi truong"),
        # the old fonts and VIQR
        ("Kính göûi UÛy ban, ñöôøng bò ngaäp nöôùc", "kinh gui uy ban, duong bi ngap nuoc"),
        ("KÝnh göi ñy ban, ®­êng bÞ ngËp n­íc", "kinh gui uy ban, duong bi ngap nuoc"),
        ("Ddu+o+`ng bi. nga^.p nu+o+'c la^u qua'", "duong bi ngap nuoc lau qua"),
        # dialect, where the accents tell
        ("tối mô cũng mần ồn", "toi dau cung lam on"),
        ("cả nhà bị bịnh", "ca nha bi benh"),
        ("nác vô nhà, lả cháy", "nuoc vo nha, lua chay"),
        ("ra đàng mô cũng rứa", "ra duong dau cung the"),
        ("giời mưa to lước ngập", "troi mua to nuoc ngap"),
    ],
)
def test_what_people_type_is_written_out(text, folded):
    assert normalise(text).folded == folded


@pytest.mark.parametrize(
    "text",
    ["facebook", "karaoke", "camera", "internet", "Krông Pắk", "Pleiku", "tư cách đàng hoàng", "đói lả đi", "email",
     "a b c d e", "A B C D", "c++ a^2", "sao?", "ở nhà(số 5)", "hahaha", "www.abc.vn", "Bình Chánh", "Đắk Lắk",
     "déjà vu à la carte", "mèo méo meo mèo meo", "® © · «dấu ngoặc»", "1.2.3", "a.b", "vneid", "zalo"]
)  # fmt: skip
def test_what_is_right_already_stays(text):
    words = [token.word for token in normalise(text).tokens]
    assert words == [w for w in words if w in fold(text)]
    assert len(words) <= len(fold(text).replace(".", " ").replace("(", " ").split()) + 2


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("nhà mấtđiện rồi", ["nhà", "mất", "điện", "rồi"]),
        ("bị n g ậ p", ["bị", "n g ậ p"]),
        ("k.h.ó.i quáaaa", ["k.h.ó.i", "quáaaa"]),
        ("ñöôøng bò ngaäp nöôùc", ["ñöôøng", "bò", "ngaäp", "nöôùc"]),
        ("nha` bi. nga^.p nu+o+'c ddu+o+`ng", ["nha`", "bi.", "nga^.p", "nu+o+'c", "ddu+o+`ng"]),
    ],
)
def test_a_token_points_at_what_was_written(text, pieces):
    assert [text[token.start : token.end] for token in normalise(text).tokens] == pieces


@pytest.mark.parametrize(
    ("text", "accented"),
    [
        ("quáaaa", "quá"),
        ("mấtđiện", "mất điện"),
        ("n g ậ p", "ngập"),
        ("ngaäp nöôùc ñöôøng", "ngập nước đường"),
        ("nga^.p nu+o+'c nha` ddu+o+`ng", "ngập nước nhà đường"),
    ],
)
def test_accents_are_kept_when_spelling_is_put_right(text, accented):
    assert " ".join(token.accented for token in normalise(text).tokens) == accented


@pytest.mark.parametrize(
    "text", ["a " * 3000, "a." * 3000, "ngapnuoc" * 700, "a^" * 3000, "ö" * 6000, "aaaa " * 1200, "nga^.p " * 800,
             "tinhtinhtinh" * 500, "ñöôøng " * 800]
)  # fmt: skip
def test_long_and_odd_texts_take_time_in_proportion(text):
    assert grows_evenly(normalise, text)


def test_work_that_grows_with_the_square_would_be_noticed():
    assert not grows_evenly(lambda text: [sum(map(ord, text)) for _ in text], "ngập nước " * 200)
