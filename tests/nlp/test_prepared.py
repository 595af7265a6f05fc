"""What is kept of the word lists is what would be worked out anew, and nothing of another state of them is used."""

from __future__ import annotations

import json
import zlib
from pathlib import Path

import pytest

from nlp import prepared, spacing, word_lists
from nlp.phrases import spelled
from nlp.prepared import PREPARED_FILE, to_file_content
from nlp.training import prepare_lists


@pytest.fixture
def _unread(monkeypatch: pytest.MonkeyPatch):
    """Nothing of the file has been read, and nothing of what was read in the test stays."""
    prepared._content.cache_clear()
    yield
    prepared._content.cache_clear()


def test_the_file_that_ships_is_of_these_lists_and_this_program() -> None:
    assert PREPARED_FILE.read_bytes() == prepare_lists(), "run make model: the word lists or how they are read changed"


@pytest.mark.usefixtures("_unread")
def test_what_is_kept_is_what_would_be_worked_out() -> None:
    fresh = spelled(*map(word_lists.phrases_of, word_lists._LISTS))
    assert word_lists._from_kept(prepared.prepared("phrases")) == fresh
    kept = prepared.prepared("vocabulary")
    assert (frozenset(kept["words"]), frozenset(map(tuple, kept["pairs"]))) == spacing._read_vocabulary()
    assert prepared.prepared("vocabulary") is None


@pytest.mark.usefixtures("_unread")
@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not compressed",
        zlib.compress(b"not JSON"),
        zlib.compress(b"[]"),
        zlib.compress(json.dumps({"lists": "of other lists", "phrases": {}}).encode()),
    ],
)
def test_a_file_that_is_missing_damaged_or_of_other_lists_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes
) -> None:
    file = tmp_path / "prepared.json.z"
    if content:
        file.write_bytes(content)
    monkeypatch.setattr(prepared, "PREPARED_FILE", file)
    assert prepared.prepared("phrases") is None


@pytest.mark.usefixtures("_unread")
def test_the_file_is_used_when_it_is_of_these_lists(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "prepared.json.z"
    file.write_bytes(to_file_content({"phrases": {"values": [], "keys": []}}))
    monkeypatch.setattr(prepared, "PREPARED_FILE", file)
    assert prepared.prepared("phrases") == {"values": [], "keys": []}
