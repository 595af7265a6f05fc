"""Tokens: one refresh for everybody, both kept before either is used, a person asked only when nothing else helps."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from adapters.errors import TokenRefreshFailed
from adapters.messages import Tokens
from adapters.secret import Secret
from adapters.zalo import Zalo
from bot.runtime import Runtime
from bot.usecases import tokens
from bot.usecases.tokens import NoToken, access_for, keep_first_tokens
from storage.channels import ChannelToken
from storage.database import Database
from storage.enums import TokenState
from tests.builders import World, all_rows
from tests.conftest import Clock


class Office(Zalo):
    """Zalo's token office, which spends each refresh token once."""

    def __init__(self) -> None:
        self.valid = "a-refresh-token"
        self.asked: list[str] = []
        self.failure: TokenRefreshFailed | None = None
        self.while_asked: Callable[[], None] = lambda: None
        self.clock: Callable[[], datetime]

    def refresh(self, http: Any, config: Any, refresh_token: Secret) -> Tokens:
        """Trade an unspent token for a pair."""
        self.asked.append(refresh_token.reveal())
        self.while_asked()
        if self.failure:
            raise self.failure
        if refresh_token.reveal() != self.valid:
            raise TokenRefreshFailed("zalo_oauth_-14014", needs_consent=True)
        self.valid = f"refresh-{len(self.asked)}"
        return Tokens(f"access-{len(self.asked)}", self.valid, self.clock() + timedelta(hours=25))


TRANSIENT = TokenRefreshFailed("zalo_oauth_http_503", needs_consent=False)


@pytest.fixture
def office(world: World, clock: Clock) -> Office:
    """The office, and a channel whose access token lasts 25 hours from now."""
    built = Office()
    built.clock = clock
    world.runtime.adapters = {"zalo": built}
    change(world, expires_at=clock.now + timedelta(hours=25))
    return built


def change(world: World, **values: Any) -> None:
    with world.runtime.database.transaction() as session:
        session.execute(sa.update(ChannelToken).values(**values))


def the_row(world: World) -> ChannelToken:
    (row,) = all_rows(world.runtime, ChannelToken)
    return row


def access(world: World, **more: Any) -> str:
    return access_for(world.runtime, world.channel, **more).token.reveal()


def test_a_fresh_token_is_used_as_it_is(world: World, office: Office) -> None:
    assert access(world) == "an-access-token"
    assert office.asked == []


def test_a_token_is_renewed_some_hours_before_it_ends(world: World, office: Office, clock: Clock) -> None:
    clock.move(hours=19, minutes=59)
    assert access(world) == "an-access-token"
    clock.move(minutes=2)
    assert access(world) == "access-1"
    assert access(world) == "access-1"
    assert office.asked == ["a-refresh-token"]


def test_each_refresh_spends_the_newest_token(world: World, office: Office, clock: Clock) -> None:
    for _ in range(3):
        clock.move(hours=21)
        access(world)
    assert office.asked == ["a-refresh-token", "refresh-1", "refresh-2"]
    assert the_row(world).generation == 4


def test_a_refused_token_is_renewed_at_once(world: World, office: Office) -> None:
    assert access(world, rejected_generation=1) == "access-1"


def test_a_refusal_of_an_older_token_needs_no_refresh(world: World, office: Office) -> None:
    access(world, rejected_generation=1)
    assert access(world, rejected_generation=1) == "access-1"
    assert len(office.asked) == 1


def test_both_tokens_are_kept_before_the_first_use(world: World, office: Office) -> None:
    access(world, rejected_generation=1)
    row = the_row(world)
    vault = world.runtime.vault
    assert (vault.open(row.access), vault.open(row.refresh)) == ("access-1", "refresh-1")
    assert vault.open(row.previous_refresh or b"") == "a-refresh-token"
    assert (row.generation, row.lease_id, row.lease_until, row.state) == (2, None, None, TokenState.OK)


def test_no_token_is_kept_in_the_open(world: World, office: Office) -> None:
    access(world, rejected_generation=1)
    kept = str(vars(the_row(world)))
    for secret in ("access-1", "refresh-1", "a-refresh-token"):
        assert secret not in kept


def test_two_workers_at_once_refresh_once(world: World, office: Office) -> None:
    office.while_asked = lambda: time.sleep(0.3)
    results: list[str] = []

    def work() -> None:
        try:
            results.append(access(world, rejected_generation=1))
        except TokenRefreshFailed as error:
            results.append(error.code)

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert office.asked == ["a-refresh-token"]
    assert sorted(set(results)) == ["access-1", "refresh_elsewhere"]
    assert access(world) == "access-1"


def test_while_another_refreshes_the_old_token_still_serves(world: World, office: Office, clock: Clock) -> None:
    clock.move(hours=21)
    change(world, lease_id="another", lease_until=clock.now + timedelta(seconds=40))
    assert access(world) == "an-access-token"
    assert office.asked == []


def test_a_dead_workers_lease_runs_out(world: World, office: Office, clock: Clock) -> None:
    clock.move(hours=21)
    change(world, lease_id="a dead worker", lease_until=clock.now + timedelta(seconds=40))
    clock.move(seconds=41)
    assert access(world) == "access-1"


def test_a_worker_that_died_before_zalo_answered_costs_nothing(world: World, office: Office, clock: Clock) -> None:
    def die() -> None:
        raise KeyboardInterrupt

    clock.move(hours=21)
    office.while_asked = die
    with pytest.raises(KeyboardInterrupt):
        access(world)
    office.while_asked = lambda: None
    clock.move(seconds=46)
    assert access(world) == "access-2"
    assert the_row(world).state is TokenState.OK


def test_a_pair_lost_between_answer_and_commit_needs_a_person(
    world: World, office: Office, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock.move(hours=21)
    with monkeypatch.context() as patch:
        patch.setattr(tokens, "_keep", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt()))
        with pytest.raises(KeyboardInterrupt):
            access(world)
    assert the_row(world).state is TokenState.OK
    clock.move(seconds=46)
    assert access(world) == "an-access-token"  # asked once more and refused, but it lasts a few hours yet
    assert the_row(world).state is TokenState.NEEDS_CONSENT
    assert the_row(world).last_error == "zalo_oauth_-14014"


def test_while_people_act_the_old_token_serves_to_its_end(world: World, office: Office, clock: Clock) -> None:
    office.valid = "spent"
    clock.move(hours=21)
    for _ in range(3):
        assert access(world) == "an-access-token"
    assert len(office.asked) == 1, "a dead refresh token is not asked with again"
    clock.move(hours=5)
    with pytest.raises(NoToken):
        access(world)


def test_a_refused_token_and_a_dead_refresh_token_need_a_person(world: World, office: Office) -> None:
    office.valid = "spent"
    with pytest.raises(NoToken):
        access(world, rejected_generation=1)
    with pytest.raises(NoToken):
        access(world, rejected_generation=1)
    assert len(office.asked) == 1


def test_a_bad_hour_of_the_token_office_stops_nothing(world: World, office: Office, clock: Clock) -> None:
    office.failure = TRANSIENT
    clock.move(hours=21)
    for _ in range(20):
        assert access(world) == "an-access-token"
        clock.move(seconds=1)
    assert len(office.asked) == 1, "each send would wait for another failing refresh"
    clock.move(seconds=30)
    office.failure = None
    assert access(world) == "access-2"


def test_a_token_that_ended_waits_for_the_office_to_recover(world: World, office: Office, clock: Clock) -> None:
    office.failure = TRANSIENT
    clock.move(hours=26)
    with pytest.raises(TokenRefreshFailed) as caught:
        access(world)
    assert not caught.value.needs_consent
    assert the_row(world).state is TokenState.OK
    clock.move(seconds=31)
    office.failure = None
    assert access(world) == "access-2"


def test_a_channel_nobody_authorised_has_no_token(world: World, office: Office) -> None:
    with world.runtime.database.transaction() as session:
        session.execute(sa.delete(ChannelToken))
    with pytest.raises(NoToken, match="never authorised"):
        access(world)


def test_consent_replaces_whatever_was_there(world: World, office: Office, clock: Clock) -> None:
    change(world, state=TokenState.NEEDS_CONSENT, last_error="zalo_oauth_-14014", lease_id="x")
    keep_first_tokens(
        world.runtime, world.channel, Tokens("new-access", "new-refresh", clock.now + timedelta(hours=25))
    )
    row = the_row(world)
    assert access(world) == "new-access"
    assert (row.state, row.last_error, row.lease_id, row.generation) == (TokenState.OK, None, None, 2)


def test_a_refresh_is_logged_without_tokens(
    world: World, office: Office, clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    access(world, rejected_generation=1)
    office.valid = "spent"
    with pytest.raises(NoToken):
        access(world, rejected_generation=2)
    shown = capsys.readouterr().out
    assert "token.refreshed" in shown
    assert "token.refresh_failed" in shown
    for secret in ("access-1", "refresh-1", "a-refresh-token"):
        assert secret not in shown


def test_two_processes_at_once_refresh_once(world: World, office: Office) -> None:
    office.while_asked = lambda: time.sleep(0.3)
    url = world.runtime.database.url.render_as_string(hide_password=False)
    others = [replace(world.runtime, database=Database(url)) for _ in range(2)]
    channel, results = world.channel, []

    def work(runtime: Runtime) -> None:
        try:
            results.append(access_for(runtime, channel, rejected_generation=1).token.reveal())
        except TokenRefreshFailed as error:
            results.append(error.code)

    workers = [threading.Thread(target=work, args=(other,)) for other in others]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    for other in others:
        other.database.close()
    assert office.asked == ["a-refresh-token"]
    assert sorted(results) == ["access-1", "refresh_elsewhere"]
