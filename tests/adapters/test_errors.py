"""Errors: each says what to do next, and none tells what it must not."""

from __future__ import annotations

import inspect
import random
import re
from datetime import UTC, datetime, timedelta

import pytest

from adapters import errors
from adapters._zalo_errors import next_morning, send_error, until_next_minute
from adapters.errors import (
    ChannelError,
    DoorError,
    NotNow,
    SendError,
    TemporarilyRefused,
    TokenRefreshFailed,
)
from adapters.secret import Secret

CLASSES = [c for _, c in inspect.getmembers(errors, inspect.isclass) if issubclass(c, ChannelError)]


def test_the_tree_in_the_docstring_is_the_tree() -> None:
    drawn = set(re.findall(r"[├└]── (\w+)", errors.__doc__ or ""))
    assert drawn == {c.__name__ for c in CLASSES} - {"ChannelError"}


def test_a_door_error_is_never_mistaken_for_a_send_error() -> None:
    assert not [c for c in CLASSES if issubclass(c, DoorError) and issubclass(c, SendError)]


@pytest.mark.parametrize("kind", [c for c in CLASSES if c not in {NotNow, TokenRefreshFailed}])
def test_an_error_without_a_sentence_shows_its_code(kind: type[ChannelError]) -> None:
    error = kind("some_code")
    assert (error.code, error.shown, str(error)) == ("some_code", "some_code", "some_code")


def test_a_temporary_refusal_gives_up_some_day() -> None:
    error = TemporarilyRefused("busy")
    assert (error.retry_after, error.tries, error.whole_channel) == (30.0, 8, False)


@pytest.mark.parametrize(
    ("hour", "opens"),
    [
        ("07T15:30", "07T23:00"),
        ("07T22:59", "07T23:00"),
        ("07T23:00", "08T23:00"),
        ("08T01:00", "08T23:00"),
    ],
)
def test_the_night_ends_at_six_in_vietnam(hour: str, opens: str) -> None:
    assert next_morning(datetime.fromisoformat(f"2026-10-{hour}:00+00:00")) == datetime.fromisoformat(
        f"2026-10-{opens}:00+00:00"
    )


def test_nobody_returns_before_the_minute_is_over() -> None:
    random.seed(1)
    for second in range(60):
        now = datetime(2026, 10, 7, 5, 0, second, 999_999, tzinfo=UTC)
        assert now + timedelta(seconds=until_next_minute(now)) > datetime(2026, 10, 7, 5, 1, tzinfo=UTC)


@pytest.mark.parametrize("code", [-(10**12), 10**30, -1])
def test_a_number_of_any_size_is_a_code_that_can_be_kept(code: int) -> None:
    assert len(send_error(code).code) <= 60


def test_a_secret_gives_itself_only_when_asked() -> None:
    secret = Secret("a-very-secret-word")
    assert secret.reveal() == "a-very-secret-word"
    for shown in (repr(secret), str(secret), f"{secret}", f"{[secret]}", f"{ {'k': secret} }"):
        assert "a-very-secret-word" not in shown


def test_secrets_are_equal_by_what_they_are() -> None:
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert len({Secret("a"), Secret("a")}) == 1
    assert not Secret("")
