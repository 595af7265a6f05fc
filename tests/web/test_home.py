"""Pages that anybody may open."""

from __future__ import annotations

from flask import Flask

from storage.channels import Channel
from tests.builders import World


def test_the_console_finds_the_page_that_proves_the_domain(world: World, app: Flask) -> None:
    with world.runtime.database.transaction() as session:
        channel = session.get_one(Channel, world.channel_id)
        channel.settings = {**channel.settings, "verifier": "Abc123"}
    answer = app.test_client().get("/zalo_verifierAbc123.html")
    assert answer.status_code == 200
    assert 'content="Abc123"' in answer.text


def test_a_code_of_no_channel_proves_nothing(app: Flask) -> None:
    for code in ("Other1", "", "%22%3E%3Cscript%3E"):
        assert app.test_client().get(f"/zalo_verifier{code}.html").status_code in {302, 303, 404}


def test_health_says_only_that_all_is_well(app: Flask) -> None:
    answer = app.test_client().get("/health")
    assert (answer.status_code, answer.text) == (200, "ok\n")
