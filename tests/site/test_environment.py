"""Settings from outside: typed, and named when wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from selflearn_site.database.configuration import database_settings
from selflearn_site.environment import Environment, read_environment


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No variables, no `.env`, a `var/` of the test's own."""
    for name in Environment.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setitem(Environment.model_config, "env_file", None)
    monkeypatch.setenv("SELFLEARN_VAR", str(tmp_path / "var"))


def test_environment__nothing_given__is_local_and_offline() -> None:
    found = read_environment()
    assert (found.debug, found.embedded, found.selflearn_llm, found.language_code) == (False, True, "offline", "ru")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DEBUG", "perhaps"),
        ("TIME_ZONE", "Mars/Base"),
        ("TIME_ZONE", "../etc"),
        ("LANGUAGE_CODE", "de"),
        ("DATABASE_URL", "mysql://host/db"),
        ("MAAS_DATABASE_URL", "sqlite:///x"),
        ("SELFLEARN_LLM", "oracle"),
        ("MAAS_URL", "localhost:9"),
        ("Q_BROKER_URL", "amqp://x"),
        ("LOG_LEVEL", "LOUD"),
    ],
)
def test_environment__wrong_value__names_the_variable(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ImproperlyConfigured, match=f"{name}: "):
        read_environment()


def test_environment__several_wrong__names_all_and_shows_no_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEBUG", "perhaps")
    monkeypatch.setenv("DATABASE_URL", "mysql://u:topsecret@host/db")
    with pytest.raises(ImproperlyConfigured) as caught:
        read_environment()
    assert "DEBUG" in str(caught.value)
    assert "DATABASE_URL" in str(caught.value)
    assert "topsecret" not in str(caught.value)


def test_environment__openai_without_key_or_address__names_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SELFLEARN_LLM", "openai")
    with pytest.raises(ImproperlyConfigured, match="OPENAI_API_KEY"):
        read_environment()
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9999/v1/")
    assert read_environment().openai_base_url == "http://127.0.0.1:9999/v1"


def test_environment__hosts__are_split_at_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALLOWED_HOSTS", "a.example, b.example ,")
    assert read_environment().allowed_hosts == ["a.example", "b.example"]


def test_signing_key__absent_on_a_developers_machine__is_made_once_and_private(tmp_path: Path) -> None:
    first, second = read_environment().signing_key(), read_environment().signing_key()
    assert first == second
    assert len(first) > 50
    assert (tmp_path / "var" / "secret_key").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in (tmp_path / "var").iterdir()] == ["secret_key"]


def test_signing_key__absent_with_a_server__is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://u@host/db")
    with pytest.raises(ImproperlyConfigured, match="SECRET_KEY"):
        read_environment().signing_key()


def test_environment__printed__shows_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", "topsecret")
    monkeypatch.setenv("OPENAI_API_KEY", "topsecret")
    assert "topsecret" not in repr(read_environment())


def test_database_settings__server_address__is_taken_apart() -> None:
    url = "postgresql://anna:p%40ss@db.example:5433/history?sslmode=require"
    found = database_settings(database_url=url, maas_database_url="")
    default, maas = found["default"], found["maas"]
    assert (default["USER"], default["PASSWORD"], default["HOST"], default["PORT"]) == (
        "anna",
        "p@ss",
        "db.example",
        "5433",
    )
    assert default["OPTIONS"]["sslmode"] == "require"
    assert (default["EMBEDDED"], maas["EMBEDDED"], maas["USER"]) == (False, True, "maas_app")


@pytest.mark.parametrize("url", ["postgresql://host", "postgresql://host:many/db"])
def test_database_settings__address_incomplete__names_the_variable(url: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="MAAS_DATABASE_URL"):
        database_settings(database_url="", maas_database_url=url)


def test_signing_key__place_that_cannot_be_written__names_the_variable(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.delenv("SECRET_KEY", raising=False)
    monkeypatch.setenv("SELFLEARN_VAR", str(tmp_path / "file"))
    with pytest.raises(ImproperlyConfigured, match="SELFLEARN_VAR: cannot write to"):
        read_environment().signing_key()


def test_environment__prices__are_kept_as_they_were_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SELFLEARN_PRICES", '{"m": [1, 2]}')
    assert read_environment().selflearn_prices == '{"m": [1, 2]}'
