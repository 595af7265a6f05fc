"""Training of the frequent questions: makes the model that tells which shipped entry a question means."""

from __future__ import annotations

import hashlib

from nlp.clues import find_clues
from nlp.faq import FAQ, FAQ_MODEL_FILE, HEAD, shipped_entries
from nlp.model import Head, Model
from nlp.normalise import normalise
from nlp.prepared import digest_of_lists
from nlp.training import Question, Sample, Table, fit

_COUNTED, _STRENGTH = 0.6, 30.0


def train_faq() -> Model:
    """The model of the entries and phrasings that ship; the same files give the same model."""
    entries = shipped_entries()
    samples = [
        Sample(tuple(find_clues(normalise(text)).names), {HEAD: entry.key})
        for entry in entries
        for text in entry.phrasings
    ]
    labels = tuple(entry.key for entry in entries)
    table = Table.of(samples, least=1)
    weights, bias = fit(table, samples, Question(HEAD, labels, lambda e: e.topic, _COUNTED, 0.0, _STRENGTH))
    return Model(table.features, table.idf, weights, bias, [Head(HEAD, labels)], f"faq {faq_digest()}")


def faq_digest() -> str:
    """A short digest of the questions and of the word lists that are looked for in them."""
    digest = hashlib.sha256(digest_of_lists().encode())
    for path in sorted(FAQ.glob("*.tsv")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:12]


if __name__ == "__main__":
    FAQ_MODEL_FILE.write_bytes(train_faq().to_bytes())
