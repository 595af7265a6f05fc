"""Reads SMS profiles from JSON, field by field, and names every mistake in one at once."""

from __future__ import annotations

import json
import re
from functools import cache
from importlib.resources import files
from string import Formatter
from typing import Any

from adapters.sms_profile import Asking, Incoming, Profile, Receipts, Reply, Sending, Signature

SHIPPED = ("esms", "kannel", "speedsms")
PLACEHOLDERS = frozenset(
    {
        "to", "to_plus", "to_local", "text", "id", "sender", "number", "unicode", "coding", "receipt_url", "sandbox",
        "sms_type", "api_key", "api_secret",
    }
)  # fmt: skip
ANSWER_PLACEHOLDERS = frozenset({"id", "from", "to", "answer"})
SECRETS = ("api_key", "api_secret", "callback_key")
OUTCOMES = (
    "sent_before", "balance", "template", "unreachable", "number", "network", "account", "repeated", "too_long",
    "unicode", "throttled", "busy", "refused", "unknown",
)  # fmt: skip
RECEIPT_WORDS = ("delivered", "failed", "pending")
SIGNATURES = ("none", "digest", "header", "field", "basic")


@cache
def shipped(name: str) -> Profile:
    """A profile that comes with the gateway."""
    text = (files("adapters") / "sms_profiles" / f"{name}.json").read_text(encoding="utf-8")
    return profile_from(json.loads(text))


def profile_from(data: object) -> Profile:
    """Read a profile; ValueError names every mistake in it."""
    form = _Form(data, "profile")
    found = Profile(
        name=form.word("name"),
        send=_sending(form.part("send", required=True)),
        methods=form.words("methods", ("GET", "POST"), one_of=("GET", "POST")),
        types=form.words("types", ("json", "form"), one_of=("json", "form")),
        needs=form.words("needs", ("api_key",), one_of=SECRETS),
        receipt=_receipts(form.part("receipt")) if form.has("receipt") else None,
        mo=_incoming(form.part("mo")) if form.has("mo") else None,
        signature=_signature(form.part("signature")),
        reply=_reply(form.part("reply")),
        callback_query=form.text("callback_query"),
        check=_asking(form.part("check")) if form.has("check") else None,
    )
    form.finish()
    if form.problems:
        raise ValueError("; ".join(form.problems))
    return found


def _sending(form: _Form) -> Sending:
    found = Sending(
        url=form.address("url"),
        fields=form.template("fields"),
        method=form.one_of("method", ("POST", "GET")),
        body=form.one_of("body", ("json", "form", "query")),
        auth=form.one_of("auth", ("none", "basic", "bearer", "header")),
        user=form.text("user", template=True),
        password=form.text("password", template=True),
        header=form.text("header"),
        reads=form.one_of("reads", ("json", "text")),
        ok_statuses=form.numbers("ok_statuses", (200,)),
        ok_at=form.text("ok_at"),
        ok_values=form.words("ok_values", ()),
        code_at=form.text("code_at"),
        id_at=form.text("id_at"),
        invalid_at=form.text("invalid_at"),
        is_repeatable=form.flag("is_repeatable", default=False),
        codes=form.table("codes", OUTCOMES),
        statuses=form.table("statuses", OUTCOMES),
        text_max_parts=form.number("text_max_parts", 4),
        takes_unicode=form.flag("takes_unicode", default=True),
        sms_type=form.text("sms_type") or "2",
    )
    if found.auth == "header" and not found.header:
        form.wrong("header", "is missing: it names the header that carries {password}")
    if found.ok_at and not found.ok_values:
        form.wrong("ok_values", "is missing: say which values of ok_at mean that the message was taken")
    if found.is_repeatable and "sent_before" not in found.codes.values():
        form.wrong("is_repeatable", "needs a code that means sent_before: how else would a repeat be recognised")
    if found.is_repeatable and "{id}" not in json.dumps(found.fields):
        form.wrong("is_repeatable", "needs {id} among the fields")
    if found.reads == "text":
        form.patterns("ok_at", "code_at", "id_at", "invalid_at")
    form.finish()
    return found


def _receipts(form: _Form) -> Receipts:
    found = Receipts(
        id_at=form.word("id_at"),
        status_at=form.word("status_at"),
        statuses=form.table("statuses", RECEIPT_WORDS),
        phone_at=form.text("phone_at"),
        when=form.conditions("when"),
        failed_when=form.conditions("failed_when"),
        reason_at=form.text("reason_at"),
        part_at=form.text("part_at"),
        parts_at=form.text("parts_at"),
    )
    if not found.statuses:
        form.wrong("statuses", "is missing: say which status means delivered, failed or pending")
    form.finish()
    return found


def _incoming(form: _Form) -> Incoming:
    found = Incoming(
        from_at=form.word("from_at"),
        text_at=form.word("text_at"),
        to_at=form.text("to_at"),
        id_at=form.text("id_at"),
        time_at=form.text("time_at"),
        time_format=form.text("time_format"),
        time_zone=form.number("time_zone", 0),
        charset_at=form.text("charset_at"),
        when=form.conditions("when"),
        reference_at=form.text("reference_at"),
        total_at=form.text("total_at"),
        part_at=form.text("part_at"),
    )
    if len({bool(found.reference_at), bool(found.total_at), bool(found.part_at)}) > 1:
        form.wrong("reference_at", "total_at and part_at belong together: give all three or none")
    if found.time_at and not found.time_format:
        form.wrong("time_format", 'is missing: "unix", "unix_ms", "iso" or a pattern such as %Y-%m-%d %H:%M:%S')
    form.finish()
    return found


def _signature(form: _Form) -> Signature:
    found = Signature(
        kind=form.one_of("kind", SIGNATURES),
        at=form.text("at"),
        algorithm=form.one_of("algorithm", ("md5", "sha1", "sha256")),
        over=form.words("over", ()),
        covers=form.one_of("covers", ("mo", "everything")),
    )
    if found.kind in {"digest", "header", "field"} and not found.at:
        form.wrong("at", "is missing: say which field or header carries the proof")
    if found.kind == "digest" and not found.over:
        form.wrong("over", "is missing: say which fields are signed, in order")
    form.finish()
    return found


def _reply(form: _Form) -> Reply:
    found = Reply(
        body=form.text("body", template=True, known=ANSWER_PLACEHOLDERS),
        type=form.text("type") or "text/plain; charset=utf-8",
    )
    form.finish()
    return found


def _asking(form: _Form) -> Asking:
    found = Asking(
        url=form.address("url"),
        method=form.one_of("method", ("POST", "GET")),
        body=form.one_of("body", ("json", "form", "query")),
        fields=form.template("fields"),
        ok_at=form.text("ok_at"),
        ok_values=form.words("ok_values", ()),
        balance_at=form.text("balance_at"),
    )
    form.finish()
    return found


class _Form:
    """Reads one object of a profile, field by field, and remembers what is wrong with each."""

    def __init__(self, data: object, where: str, problems: list[str] | None = None) -> None:
        self.problems: list[str] = [] if problems is None else problems
        self._where = where
        self._read: set[str] = set()
        if not isinstance(data, dict):
            self.problems.append(f"{where} must be an object")
        self._data: dict[str, Any] = data if isinstance(data, dict) else {}

    def wrong(self, name: str, what: str) -> None:
        self.problems.append(f"{self._where}.{name} {what}")

    def finish(self) -> None:
        """Whatever was not read is a word we do not know."""
        for name in sorted(self._data.keys() - self._read):
            if not name.startswith("_"):  # notes to the reader
                self.wrong(name, "is unknown")

    def has(self, name: str) -> bool:
        return name in self._data

    def part(self, name: str, *, required: bool = False) -> _Form:
        self._read.add(name)
        if required and name not in self._data:
            self.wrong(name, "is missing")
        return _Form(self._data.get(name, {}), f"{self._where}.{name}", self.problems)

    def text(self, name: str, *, template: bool = False, known: frozenset[str] = PLACEHOLDERS) -> str:
        value = self._get(name, "")
        if not isinstance(value, str):
            self.wrong(name, "must be a text")
            return ""
        if template:
            self._placeholders(name, value, known)
        return value

    def word(self, name: str) -> str:
        value = self.text(name)
        if not value and isinstance(self._data.get(name, ""), str):
            self.wrong(name, "is missing")
        return value

    def address(self, name: str) -> str:
        value = self.word(name)
        if value and not value.startswith(("https://", "http://")):
            self.wrong(name, "must begin with https:// (or http:// on this machine)")
        return value

    def one_of(self, name: str, choices: tuple[str, ...]) -> str:
        value = self._get(name, choices[0])
        if value not in choices:
            self.wrong(name, f"must be one of {', '.join(choices)}")
            return choices[0]
        return str(value)

    def flag(self, name: str, *, default: bool) -> bool:
        value = self._get(name, default)
        if not isinstance(value, bool):
            self.wrong(name, "must be true or false")
        return value is True

    def number(self, name: str, usual: int) -> int:
        value = self._get(name, usual)
        if isinstance(value, bool) or not isinstance(value, int):
            self.wrong(name, "must be a whole number")
            return usual
        return value

    def numbers(self, name: str, usual: tuple[int, ...]) -> tuple[int, ...]:
        value = self._get(name, list(usual))
        if not isinstance(value, list) or not all(isinstance(v, int) and not isinstance(v, bool) for v in value):
            self.wrong(name, "must be a list of numbers")
            return usual
        return tuple(value)

    def words(self, name: str, usual: tuple[str, ...], one_of: tuple[str, ...] = ()) -> tuple[str, ...]:
        value = self._get(name, list(usual))
        if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
            self.wrong(name, "must be a list of texts")
            return usual
        if one_of and not set(value) <= set(one_of):
            self.wrong(name, f"may hold {', '.join(one_of)} only")
        return tuple(value)

    def table(self, name: str, meanings: tuple[str, ...]) -> dict[str, str]:
        value = self._get(name, {})
        if not isinstance(value, dict):
            self.wrong(name, "must be an object")
            return {}
        for key, meaning in value.items():
            if meaning not in meanings:
                self.wrong(f"{name}.{key}", f"must be one of {', '.join(meanings)}")
        return {str(key): str(meaning) for key, meaning in value.items()}

    def conditions(self, name: str) -> dict[str, tuple[str, ...]]:
        value = self._get(name, {})
        if not isinstance(value, dict) or not all(isinstance(v, list) for v in value.values()):
            self.wrong(name, 'must be an object such as {"type": ["report"]}')
            return {}
        return {key: tuple(map(str, values)) for key, values in value.items()}

    def template(self, name: str) -> dict[str, Any]:
        value = self._get(name, {})
        if not isinstance(value, dict):
            self.wrong(name, "must be an object")
            return {}
        for text in texts_in(value):
            self._placeholders(name, text, PLACEHOLDERS)
        return value

    def patterns(self, *names: str) -> None:
        for name in names:
            try:
                groups = re.compile(self._data.get(name) or "()").groups
            except (re.error, TypeError):
                self.wrong(name, "is no regular expression")
            else:
                if groups < 1:
                    self.wrong(name, "needs a group in parentheses")

    def _get(self, name: str, usual: Any) -> Any:
        self._read.add(name)
        return self._data.get(name, usual)

    def _placeholders(self, name: str, text: str, known: frozenset[str]) -> None:
        try:
            used = {word for _, word, _, _ in Formatter().parse(text) if word is not None}
        except ValueError:
            self.wrong(name, "has braces that do not match")
            return
        for word in sorted(used - known):
            self.wrong(name, f"names {{{word}}}, which is unknown; there are {', '.join(sorted(known))}")


def texts_in(value: Any) -> list[str]:
    """Every text inside a template, however deep."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for one in value.values() for text in texts_in(one)]
    return [text for one in value for text in texts_in(one)] if isinstance(value, list) else []
