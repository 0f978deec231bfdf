"""`DATABASE_URL` points to a server: the same roles, taken by its one login."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import psycopg
import pytest

from selflearn_site.database.launcher import EmbeddedServer
from tests.site.servers import ROOT, manage, own_server

pytestmark = pytest.mark.processes

SETUP = [
    "CREATE ROLE keeper LOGIN CREATEROLE",
    "CREATE ROLE guest LOGIN",
    "CREATE ROLE invited LOGIN",
    *(f"CREATE DATABASE {login}_{half} OWNER {login}" for login in ("keeper", "guest", "invited") for half in "dm"),
]


class ForeignServer(EmbeddedServer):
    """A server that somebody else runs: it knows nothing of our roles and databases."""

    def _provision(self, connection: psycopg.Connection[object]) -> None:
        with self.connect(dbname="template1") as template:
            template.execute("CREATE EXTENSION IF NOT EXISTS vector")
        for statement in SETUP:
            connection.execute(statement.encode())


@pytest.fixture
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


def test_prepare__statements_of_the_decision_run_by_an_administrator__are_enough(server: EmbeddedServer) -> None:
    text = (ROOT / "docs" / "decisions" / "0003-two-databases-and-roles.md").read_text()
    block = re.search(r"```sql\n(.*?)```", text, re.DOTALL)
    assert block is not None
    for_all, for_each = block[1].replace("the_login", "invited").split("-- in each of the two databases")
    with server.connect() as connection:
        connection.execute(for_all.encode())
    for name in ("invited_d", "invited_m"):
        with server.connect(dbname=name) as connection:
            connection.execute(for_each.replace("the_database", name).encode())
    result = manage("prepare", "--json", environment=_environment(server, "invited"))
    assert (result.stderr, result.returncode) == ("", 0)
