"""How a message without diacritics probably reads: what is told is right, and what is unsure is not told."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from nlp.accents import ACCENTS_FILE, ENOUGH, SURE, Accents, BadAccents, shipped
from nlp.accents_training import accented_lines, counted, shipped_lines, to_file_content
from nlp.normalise import fold

HERE = Path(__file__).parent


def told(sets: tuple[str, ...]) -> Iterator[tuple[list[str], list[tuple[str, float]]]]:
    """Lines that others have written with diacritics, and what is made of them without."""
    accents = shipped()
    for path in sorted(path for name in sets for path in (HERE / name).glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            for words in accented_lines(json.loads(line)["text"]):
                if len(words) >= 4:
                    yield words, accents.guess([fold(word) for word in words])


def test_the_file_that_ships_is_of_these_messages_and_lists() -> None:
    assert ACCENTS_FILE.read_bytes() == to_file_content(counted(shipped_lines())), "run make model"


def test_of_the_words_that_are_told_hardly_any_is_wrong() -> None:
    """Measured on messages by other hands, none of which was counted: .977 of 8,816; the floor is a point less."""
    lines = list(told(("unseen", "third")))
    shown = [
        (words, guesses)
        for words, guesses in lines
        if sum(chance >= SURE for _, chance in guesses) >= ENOUGH * len(words)
    ]
    sure = [
        guess == word
        for words, guesses in shown
        for word, (guess, chance) in zip(words, guesses, strict=True)
        if chance >= SURE
    ]
    right, all_words = sum(sure) / len(sure), [w == g for ws, gs in lines for w, (g, _) in zip(ws, gs, strict=True)]
    print(f"told in {len(shown)} of {len(lines)} lines; {len(sure)} words, {right:.4f} of them right")
    print(f"every word guessed, sure or not: {sum(all_words) / len(all_words):.4f} of {len(all_words)} right")
    assert right >= 0.965
    assert len(shown) >= 0.55 * len(lines)


@pytest.mark.parametrize(
    ("written", "reads"),
    [
        ("duong vao xom 5 o ga nhieu qua", "đường vào xóm 5 ổ gà nhiều quá"),
        ("RAC Ở CHO", ""),
        ("Duong vao xom 5 o ga nhieu qua", "Đường vào xóm 5 ổ gà nhiều quá"),
        ("cho em hoi lam giay khai sinh can giay to gi a", "cho em hỏi làm giấy khai sinh cần giấy tờ gì ạ"),
        ("rac nhieu qua", ""),
        ("please help me there is a hole in the road", ""),
        ("Đường vào xóm 5 o ga nhieu qua", ""),
        ("", ""),
        ("12345 !!! 😀", ""),
    ],
)
def test_a_line_without_accents_is_read_and_others_are_left_alone(written: str, reads: str) -> None:
    assert shipped().read(written) == reads


def test_only_the_letters_of_words_change() -> None:
    written = "Den duong truoc cho hong, goi 09*****678 nhe!\nToi om may hom nay roi, nho xa xem giup"
    read = shipped().read(written)
    assert fold(read) == fold(written)
    assert "09*****678 nhé!\n" in read


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    for content in (b"", b"short", ACCENTS_FILE.read_bytes()[:-1] + b"x"):
        (tmp_path / "accents.model").write_bytes(content)
        with pytest.raises(BadAccents):
            Accents.load(tmp_path / "accents.model")
