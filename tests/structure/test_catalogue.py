"""Every sentence officials read has an English twin, with the same named values in it."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

ROOT = Path(__file__).parent.parent.parent
KEYWORDS = {
    "_": None,
    "N_": None,
    "gettext": None,
    "notice": None,
    "ngettext": (1, 2),
    "NotAllowed": (2,),
    "AnnouncementError": None,
    "ChannelProblem": None,
    "PlaceProblem": None,
    "FaqProblem": None,
    "RowProblem": (2,),
    "RoutingProblem": None,
    "AnswerProblem": None,
    "AdminProblem": None,
    "HoursProblem": None,
    "PracticeProblem": None,
    "LineProblem": (2,),
    "NotAccepted": (2,),
}
VALUE = re.compile(r"%\((\w+)\)s")
Sentence = tuple[str, str]


@cache
def sentences() -> dict[str, str]:
    """Every sentence marked for translation, with the file where it is first said."""
    found: dict[str, str] = {}
    code = ("**.py", "python")
    for folder, methods in (
        ("bot/web", [code, ("**/templates/**.html", "jinja2")]),
        ("bot/rules", [code]),
        ("bot/usecases", [code]),
    ):
        for name, _line, message, _comments, _context in extract_from_dir(
            str(ROOT / folder), methods, keywords=KEYWORDS, options_map={"**.html": {"silent": "false"}}
        ):
            if "sandbox/" in name:
                continue
            for one in [message] if isinstance(message, str) else message:
                if one and re.search(r"\w", one):
                    found.setdefault(one, f"{folder}/{name}")
    return found


@cache
def english() -> dict[str, str]:
    """The English sentences by their Vietnamese originals."""
    known: dict[str, str] = {}
    for path in sorted((ROOT / "bot/locale/en").glob("*.po")):
        with path.open("rb") as file:
            for message in read_po(file, locale="en"):
                one = message.id[0] if isinstance(message.id, tuple) else message.id
                text = message.string[0] if isinstance(message.string, tuple) else message.string
                if one and not message.fuzzy and text:
                    known[one] = text
    return known


def test_the_extraction_sees_templates_and_code() -> None:
    found = sentences()
    assert "Đăng nhập" in found
    assert "Cần chọn đơn vị xử lý." in found
    assert len(found) > 150


@pytest.mark.parametrize("room", ["announcements", "channels", "inbox"])
def test_every_sentence_is_said_in_english_too(room: str) -> None:
    def is_of(where: str) -> bool:
        where = where.replace("results", "announcements").replace("audience", "announcements")
        return room == next((r for r in ("announcements", "channels") if r in where), "inbox")

    missing = {one: where for one, where in sentences().items() if is_of(where) and one not in english()}
    assert not missing, "\n".join(f"{where}: {one}" for one, where in sorted(missing.items(), key=lambda i: i[1]))


def test_named_values_are_the_same_in_both_languages() -> None:
    differ = {
        vi: en for vi, en in english().items() if sorted(set(VALUE.findall(vi))) != sorted(set(VALUE.findall(en)))
    }
    assert not differ


def test_no_translation_is_left_without_its_sentence() -> None:
    path = ROOT / "bot/locale/en/inbox.po"
    with path.open("rb") as file:
        ids = [m.id for m in read_po(file, locale="en") if m.id]
    stale = [one for one in ids if (one[0] if isinstance(one, tuple) else one) not in sentences()]
    assert not stale


def test_no_sentence_calls_every_place_a_xa() -> None:
    narrow = [one for one in sentences() if re.search(r"\b[Xx]ã\b(?! hội)", one)]
    assert not narrow, "a phường reads it, too: say địa phương"
