"""Signing in: slow for guessers, never closed for the rightful owner for long."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest
import sqlalchemy as sa

from bot.usecases.officials import hash_password
from bot.usecases.sign_in import TooManyTries, WrongPassword, sign_in, sign_out, signed_in
from storage.audit import AuditEntry
from storage.officials import Official, SignInAttempt, SignInSession
from tests.builders import PASSWORD, World, all_rows
from tests.conftest import Clock

HERE, THERE = "192.0.2.1", "198.51.100.7"


def fail(world: World, who: str = "lan", address: str = THERE, times: int = 1) -> None:
    for _ in range(times):
        with pytest.raises(WrongPassword):
            sign_in(world.runtime, who, "not-it", address)


def test_the_right_password_opens_a_session(world: World) -> None:
    secret = sign_in(world.runtime, " LAN ", PASSWORD, HERE)
    found = signed_in(world.runtime, secret)
    assert found is not None
    assert found.official.username == "lan"
    assert found.commune.id == world.commune_id
    assert signed_in(world.runtime, secret + "x") is None


def test_only_the_hash_of_a_secret_is_kept(world: World) -> None:
    secret = sign_in(world.runtime, "lan", PASSWORD, HERE)
    (row,) = all_rows(world.runtime, SignInSession)
    assert secret not in row.token_hash
    assert len(row.token_hash) == 64


def test_a_guesser_waits_longer_and_longer_but_minutes_at_most(world: World, clock: Clock) -> None:
    fail(world, times=5)
    waits = []
    for _ in range(5):
        with pytest.raises(TooManyTries) as wait:
            sign_in(world.runtime, "lan", PASSWORD, THERE)
        waits.append((wait.value.until - clock.now).total_seconds())
        clock.now = wait.value.until
        fail(world)
    assert waits == [30, 60, 120, 240, 300]


def test_waiting_is_not_counted_as_trying(world: World, clock: Clock) -> None:
    fail(world, times=5)
    for _ in range(20):
        with pytest.raises(TooManyTries):
            sign_in(world.runtime, "lan", "not-it", THERE)
    assert len(all_rows(world.runtime, SignInAttempt)) == 5


def test_a_stranger_cannot_lock_the_owner_out(world: World, clock: Clock) -> None:
    sign_in(world.runtime, "lan", PASSWORD, HERE)
    clock.move(minutes=1)
    for n in range(40):
        try:
            sign_in(world.runtime, "lan", "not-it", f"203.0.113.{n}")
        except (WrongPassword, TooManyTries):
            continue
    assert sign_in(world.runtime, "lan", PASSWORD, HERE)


def test_an_owner_at_a_new_place_waits_seconds_at_most(world: World, clock: Clock) -> None:
    for n in range(40):
        try:
            sign_in(world.runtime, "lan", "not-it", f"203.0.113.{n}")
        except (WrongPassword, TooManyTries):
            continue
    with pytest.raises(TooManyTries) as wait:
        sign_in(world.runtime, "lan", PASSWORD, HERE)
    assert wait.value.until - clock.now <= timedelta(seconds=30)


def test_one_address_cannot_try_many_accounts_at_speed(world: World) -> None:
    with world.runtime.database.transaction() as session:
        session.add_all(
            SignInAttempt(account=f"name{n}", address=THERE, at=world.clock(), succeeded=False) for n in range(50)
        )
    with pytest.raises(TooManyTries):
        sign_in(world.runtime, "lan", PASSWORD, THERE)
    assert sign_in(world.runtime, "lan", PASSWORD, HERE)


def test_success_forgives_earlier_mistakes(world: World, clock: Clock) -> None:
    fail(world, address=HERE, times=4)
    clock.move(seconds=1)
    sign_in(world.runtime, "lan", PASSWORD, HERE)
    clock.move(seconds=1)
    fail(world, address=HERE, times=4)
    clock.move(seconds=1)
    assert sign_in(world.runtime, "lan", PASSWORD, HERE)


def test_an_unknown_name_takes_as_long_as_a_wrong_password(world: World) -> None:
    fail(world, "nobody-at-all", HERE)  # the stand-in hash is made once
    real = hash_password(PASSWORD)  # that of the tests' officials is a quick one
    with world.runtime.database.transaction() as session:
        session.execute(sa.update(Official).where(Official.username == "lan").values(password_hash=real))

    def seconds(who: str, address: str) -> float:
        begin = time.perf_counter()
        fail(world, who, address)
        return time.perf_counter() - begin

    known = min(seconds("lan", f"203.0.113.{n}") for n in range(5))
    unknown = min(seconds("nobody", f"203.0.113.{n + 10}") for n in range(5))
    assert 0.5 < unknown / known < 2.0


def test_who_left_cannot_come_in(world: World) -> None:
    with world.runtime.database.transaction() as session:
        session.execute(sa.update(Official).where(Official.username == "lan").values(is_active=False))
    with pytest.raises(WrongPassword):
        sign_in(world.runtime, "lan", PASSWORD, HERE)


def test_a_session_that_was_signed_out_opens_nothing(world: World) -> None:
    secret = sign_in(world.runtime, "lan", PASSWORD, HERE)
    sign_out(world.runtime, secret, HERE)
    sign_out(world.runtime, secret, HERE)
    assert signed_in(world.runtime, secret) is None


def test_coming_and_going_is_written_down(world: World) -> None:
    secret = sign_in(world.runtime, "lan", PASSWORD, HERE)
    fail(world)
    sign_out(world.runtime, secret, HERE)
    facts = [(a.action, a.address) for a in all_rows(world.runtime, AuditEntry) if a.action.startswith("sign_")]
    assert facts == [("sign_in", HERE), ("sign_in.refused", THERE), ("sign_out", HERE)]


def test_old_tries_are_forgotten(world: World, clock: Clock) -> None:
    fail(world)
    clock.move(days=31)
    sign_in(world.runtime, "lan", PASSWORD, HERE)
    assert [a.succeeded for a in all_rows(world.runtime, SignInAttempt)] == [True]
