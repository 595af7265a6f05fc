"""What a commune begins with."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from bot.runtime import Runtime
from bot.usecases.setup import add_commune
from storage.agencies import Agency


@pytest.mark.parametrize(("code", "name"), [("27925", "Công an xã"), ("00004", "Công an phường")])
def test_the_police_are_called_by_what_the_commune_is(runtime: Runtime, code: str, name: str) -> None:
    number = add_commune(runtime, code=code, slug="noi-nay")
    with runtime.database.reading() as session:
        named = session.scalars(sa.select(Agency.name).where(Agency.commune_id == number, Agency.slug == "cong-an"))
        assert named.one() == name
