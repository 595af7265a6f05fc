"""Settings, the one reader of the environment."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.config import PREFIX, Settings, SettingsError

KEY = "k" * 48


def read(**variables: str) -> Settings:
    return Settings.from_env({f"{PREFIX}{name.upper()}": value for name, value in variables.items()})


def problems(**variables: str) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        read(**variables)
    return caught.value.problems


def test_an_empty_environment_is_a_small_installation_on_sqlite() -> None:
    settings = Settings.from_env({"PATH": "/bin", "HOME": "/root"})
    assert settings == Settings()
    assert settings.is_embedded
    assert settings.effective_database_url == "sqlite:///var/haichieu.db"
    assert settings.base_url == "http://127.0.0.1:8000"


def test_an_empty_variable_is_as_good_as_none() -> None:
    assert read(port="", host=" ") == Settings()


def test_variables_become_typed_values() -> None:
    settings = read(
        database_url="postgresql:///x",
        secret_key=KEY,
        old_secret_keys=" eins , zwei ,",
        sealed_key="s" + KEY,
        data_dir="/srv/haichieu",
        port="8443",
        public_url="https://xa.example.vn/",
        sandbox="yes",
        web_workers="2",
        log_format="json",
    )
    assert settings.old_secret_keys == ("eins", "zwei")
    assert settings.data_dir == Path("/srv/haichieu")
    assert (settings.port, settings.web_workers, settings.sandbox) == (8443, 2, True)
    assert settings.base_url == "https://xa.example.vn"
    assert settings.is_https
    assert not settings.is_embedded


@pytest.mark.parametrize(("word", "is_on"), [("1", True), ("ON", True), ("True", True), ("0", False), ("no", False)])
def test_yes_and_no_have_several_spellings(word: str, is_on: bool) -> None:
    assert read(sandbox=word).sandbox is is_on


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("port", "http"),
        ("port", "0"),
        ("port", "65536"),
        ("port", "8.5"),
        ("web_threads", "1000"),
        ("sandbox", "maybe"),
        ("log_format", "xml"),
        ("log_level", "LOUD"),
        ("public_url", "xa.example.vn"),
        ("database_url", "mysql://x"),
        ("redis_url", "127.0.0.1:6379"),
        ("burst_seconds", "-1"),
    ],
)
def test_a_value_that_makes_no_sense_is_named_with_its_variable(name: str, value: str) -> None:
    (problem,) = problems(**{name: value})
    assert problem.startswith(f"{PREFIX}{name.upper()}: ")


def test_everything_wrong_is_named_at_once() -> None:
    found = problems(port="x", sandbox="x", log_level="x", colour="red")
    assert len(found) == 4
    assert any("COLOUR" in problem and "unknown" in problem for problem in found)


def test_other_peoples_variables_are_left_alone() -> None:
    assert Settings.from_env({"DATABASE_URL": "mysql://x", "PORT": "x"}) == Settings()


def test_a_short_key_is_refused_without_being_repeated() -> None:
    (problem,) = problems(secret_key="short-key-1")
    assert "32" in problem
    assert "short-key-1" not in problem


def test_machines_that_share_a_database_must_share_the_key() -> None:
    secret, sealed = problems(database_url="postgresql:///x")
    assert "SECRET_KEY: missing" in secret
    assert "SEALED_KEY: missing" in sealed


def test_sealed_words_have_a_key_of_their_own() -> None:
    (problem,) = problems(secret_key=KEY, sealed_key=KEY)
    assert "SEALED_KEY: the same" in problem
    (problem,) = problems(sealed_key="short-key-1")
    assert "32" in problem
    assert "short-key-1" not in problem


def test_sqlite_has_one_web_process() -> None:
    (problem,) = problems(web_workers="2")
    assert "WEB_WORKERS" in problem


def test_a_printed_setting_shows_no_key() -> None:
    settings = read(secret_key=KEY, old_secret_keys="earlier-" + KEY)
    assert KEY not in repr(settings)


def test_a_database_password_is_not_printed() -> None:
    settings = read(
        database_url="postgresql://haichieu:a-password@db/x",
        redis_url="redis://:b-password@r/0",
        secret_key=KEY,
        sealed_key="s" + KEY,
    )
    assert "a-password" not in repr(settings)
    assert "b-password" not in repr(settings)
