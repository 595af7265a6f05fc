"""Topics are found by phrases, surely on strong ones and unsurely on hints."""

from __future__ import annotations

import pytest

from nlp.phrases import rows
from nlp.topics import TOPICS
from tests.nlp.worlds import read

SURE = 0.7


def test_all_32_topics_are_loaded():
    assert len(TOPICS) == 32
    assert TOPICS["thai-do-can-bo"].restricted
    assert not TOPICS["rac-thai"].restricted
    assert TOPICS["khac"].sla == "S3"


def test_every_phrase_of_the_lexicon_belongs_to_a_topic_or_is_a_trap():
    assert {slug for slug, _, _ in rows("lexicon.tsv")} == {*TOPICS, "-"}


def test_the_example_of_the_brief_is_understood():
    reading = read("duong vao xom 5 o ga nhieu qua")
    assert reading.topics[0].slug == "giao-thong-duong-sa"
    assert reading.topics[0].probability >= 0.75
    assert (reading.places[0].level, reading.places[0].key) == ("place", "1")
    assert (reading.intent, reading.urgency, reading.sealed) == ("feedback", "thuong", False)


@pytest.mark.parametrize(
    ("text", "slug"),
    [
        ("ổ gà", "giao-thong-duong-sa"),
        ("o ga", "giao-thong-duong-sa"),
        ("đèn đường hỏng", "chieu-sang"),
        ("den duong hu het r", "chieu-sang"),
        ("ddefn dduwowngf hongr", "chieu-sang"),
        ("ngập hết rồi", "thoat-nuoc-ngap"),
        ("mất điện", "dien"),
        ("mat nuoc may ngay nay", "nuoc-sach"),
    ],
)
def test_one_deciding_phrase_is_enough(text, slug):
    guess = read(text).topics[0]
    assert guess.slug == slug
    assert guess.probability >= 0.75


@pytest.mark.parametrize("text", ["", "...", "hôm nay trời đẹp", "👍👍"])
def test_a_text_without_a_subject_has_no_topic(text):
    assert read(text).topics == ()


def test_what_the_reader_is_unsure_of_it_abstains_from():
    assert read("nhờ xã xem giúp chỗ đó với").abstains
    assert not read("đèn đường hỏng tối om").abstains


def test_two_subjects_are_both_named():
    slugs = {guess.slug for guess in read("rác không ai thu gom, đèn đường thì hỏng").topics}
    assert slugs == {"rac-thai", "chieu-sang"}


def test_there_are_never_more_than_two_topics():
    assert len(read("rác, đèn đường hỏng, ngập, ổ gà, mất điện, karaoke ồn ào, chó cắn").topics) <= 2


def test_a_landmark_is_not_the_subject():
    assert read("cành cây gãy trước cổng trường").topic == "cay-xanh"


def test_a_wish_has_the_topic_of_its_subject():
    assert read("đề nghị xã sửa đèn đường").topic == "chieu-sang"


def test_a_courtesy_has_no_topic():
    assert read("cảm ơn xã").topics == ()
