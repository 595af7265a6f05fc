"""Messages to learn from are checked line by line, so that a wrong label is found when it is written."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from nlp.examples import INTENTS, MESSAGES, BadExample, parse, read_examples, shipped_examples
from nlp.normalise import fold
from tests.nlp.worlds import development, labelled, second, third, unseen

GOOD = "feedback\to-nhiem,vat-nuoi\tkhan\t-\ttrại heo xả thẳng ra mương\\nhôi lắm"


def test_a_line_says_what_a_message_means() -> None:
    example = parse(GOOD)
    assert example.text == "trại heo xả thẳng ra mương\nhôi lắm"
    assert (example.intent, example.topic, example.topics) == ("feedback", "o-nhiem", ("o-nhiem", "vat-nuoi"))
    assert (example.urgency, example.sealed) == ("khan", False)


def test_a_message_may_be_about_nothing() -> None:
    example = parse("thanks\t-\tthuong\t-\tcảm ơn ạ")
    assert (example.topic, example.topics) == ("", ())


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("feedback\to-nhiem\tkhan\tmùi hôi", "5 fields"),
        (GOOD.replace("feedback", "report"), "unknown intent 'report'"),
        (GOOD.replace("o-nhiem", "mui-hoi"), "unknown topic"),
        (GOOD.replace("khan", "gap"), "unknown urgency 'gap'"),
        (GOOD.replace("\t-\t", "\tyes\t"), "not 'yes'"),
        ("feedback\t-\tthuong\t-\t ", "no text"),
        (GOOD.replace("khan", "khan_cap"), "emergency and khan_cap go together"),
        ("denunciation\tto-cao-tham-nhung\tthuong\t-\tăn chặn", "a denunciation is sealed"),
    ],
)
def test_a_wrong_line_says_what_is_wrong(line: str, reason: str) -> None:
    with pytest.raises(BadExample, match=reason):
        parse(line)


def test_a_file_is_read_without_its_comments_and_names_the_wrong_line(tmp_path: Path) -> None:
    file = tmp_path / "voice.tsv"
    file.write_text(f"# a voice\n\n{GOOD}\n{GOOD}\n", encoding="utf-8")
    assert [example.source for example in read_examples(file)] == ["voice.tsv:3", "voice.tsv:4"]
    file.write_text(f"{GOOD}\nnothing\n", encoding="utf-8")
    with pytest.raises(BadExample, match=r"voice\.tsv:2"):
        list(read_examples(file))


def test_the_command_counts_messages_and_names_wrong_and_repeated_lines(tmp_path: Path) -> None:
    file = tmp_path / "voice.tsv"
    file.write_text(f"# a voice\n{GOOD}\n{GOOD}\nnothing\n", encoding="utf-8")
    told = subprocess.run([sys.executable, "-m", "nlp.examples", str(file)], capture_output=True, encoding="utf-8")
    assert told.returncode == 1
    assert "voice.tsv:4: 5 fields" in told.stdout
    assert "written 2 times: trại heo" in told.stdout
    assert "2 messages, 1 wrong lines" in told.stdout
    file.write_text(f"{GOOD}\n", encoding="utf-8")
    assert subprocess.run([sys.executable, "-m", "nlp.examples", str(file)], capture_output=True).returncode == 0


def test_the_guide_explains_every_intent() -> None:
    guide = (MESSAGES / "README.md").read_text(encoding="utf-8")
    assert [intent for intent in INTENTS if f"| `{intent}` |" not in guide] == []


def test_what_ships_is_right_and_written_once() -> None:
    texts = [example.text for example in shipped_examples()]
    assert len(texts) == len(set(texts))


def test_what_is_learned_from_is_not_tested_with() -> None:
    tested = {fold(message.text) for name in ("messages.tsv", "held_out.tsv") for message in labelled(name)}
    tested |= {fold(message.text) for message in (*development(), *second(), *third(), *unseen())}
    assert [example.source for example in shipped_examples() if fold(example.text) in tested] == []
