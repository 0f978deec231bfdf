"""`DATABASE_URL` points to a server: the same roles, taken by its one login."""

from __future__ import annotations

import json
from collections.abc import Iterator

import psycopg
import pytest

from selflearn_site.database.launcher import EmbeddedServer
from tests.site.servers import manage, own_server

pytestmark = pytest.mark.processes

SETUP = [
    "CREATE ROLE keeper LOGIN CREATEROLE",
    "CREATE ROLE guest LOGIN",
    *(f"CREATE DATABASE {name} OWNER {name.split('_')[0]}" for name in ("keeper_d", "keeper_m", "guest_d", "guest_m")),
]


class ForeignServer(EmbeddedServer):
    """A server that somebody else runs: it knows nothing of our roles and databases."""

    def _provision(self, connection: psycopg.Connection[object]) -> None:
        with self.connect(dbname="template1") as template:
            template.execute("CREATE EXTENSION IF NOT EXISTS vector")
        for statement in SETUP:
            connection.execute(statement.encode())


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedServer]:
    with own_server() as one:
        foreign = ForeignServer(one.var)
        foreign.ensure_ready()
        yield foreign


def _environment(server: EmbeddedServer, login: str) -> dict[str, str]:
    socket = server.places().socket
    return {
        "SECRET_KEY": "0123456789abcdefghijklmnopqrstuvwxyzABC",
        "DATABASE_URL": f"postgresql://{login}@/{login}_d?host={socket}",
        "MAAS_DATABASE_URL": f"postgresql://{login}@/{login}_m?host={socket}",
    }


def test_prepare__login_without_createrole__says_what_it_needs(server: EmbeddedServer) -> None:
    result = manage("prepare", environment=_environment(server, "guest"))
    assert result.returncode == 1
    assert len(result.stderr.splitlines()) == 1
    assert "CREATEROLE" in result.stderr
    assert "0003-two-databases-and-roles.md" in result.stderr


def test_prepare__login_with_createrole__migrates_as_owner_and_runs_as_runtime_roles(server: EmbeddedServer) -> None:
    result = manage("prepare", "--json", environment=_environment(server, "keeper"))
    assert (result.stderr, result.returncode) == ("", 0)
    assert set(json.loads(result.stdout)["databases"]) == {"default", "maas"}
    with server.connect(dbname="keeper_d") as connection:
        owners = connection.execute("SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'").fetchall()
        assert owners == [("sl_owner",)]
        rights = "SELECT has_table_privilege('selflearn_app', 'django_session', 'INSERT')"
        assert connection.execute(rights).fetchone() == (True,)
