"""The embedded server: comes up from any state, once, for as many processes as ask."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from kernel.errors import Unavailable
from selflearn_site.database import launcher
from selflearn_site.database.launcher import EmbeddedServer
from selflearn_site.database.places import find_places
from tests.site.servers import own_server, postmaster, python

pytestmark = pytest.mark.processes


@pytest.fixture
def server() -> Iterator[EmbeddedServer]:
    with own_server() as one:
        yield one


def _names(server: EmbeddedServer, query: str) -> set[str]:
    with server.connect() as connection:
        return {row[0] for row in connection.execute(query.encode()).fetchall()}


def test_ensure_ready__fresh_folder__makes_databases_roles_and_private_folders(server: EmbeddedServer) -> None:
    server.ensure_ready()
    assert {"selflearn", "maas"} <= _names(server, "SELECT datname FROM pg_database")
    roles = {"sl_owner", "selflearn_app", "maas_app", "maas_request", "maas_service"}
    assert roles <= _names(server, "SELECT rolname FROM pg_roles")
    places = server.places()
    assert places.data.stat().st_mode & 0o777 == 0o700
    assert places.socket.stat().st_mode & 0o777 == 0o700


def test_ensure_ready__fresh_folder__gives_no_role_power_over_others(server: EmbeddedServer) -> None:
    server.ensure_ready()
    powerful = _names(server, "SELECT rolname FROM pg_roles WHERE rolsuper OR rolbypassrls OR rolcreaterole")
    assert powerful == {"postgres"}
    inherited = (
        "SELECT roleid::regrole::text FROM pg_auth_members WHERE member = 'maas_app'::regrole AND inherit_option"
    )
    assert _names(server, inherited) == set()


def test_ensure_ready__running__starts_nothing(server: EmbeddedServer) -> None:
    server.ensure_ready()
    before = postmaster(server)
    server.ensure_ready()
    assert postmaster(server) == before


def test_ensure_ready__after_stop__finds_its_data(server: EmbeddedServer) -> None:
    server.ensure_ready()
    with server.connect() as connection:
        connection.execute("CREATE TABLE kept (id int)")
    server.stop()
    assert not server.is_alive()
    server.ensure_ready()
    assert _names(server, "SELECT relname FROM pg_class WHERE relname = 'kept'") == {"kept"}


def test_ensure_ready__postmaster_killed__comes_back_over_stale_files(server: EmbeddedServer) -> None:
    server.ensure_ready()
    os.kill(postmaster(server), signal.SIGKILL)
    server.ensure_ready()
    assert server.is_alive()


def test_ensure_ready__killed_postmaster_never_reaped__comes_back(server: EmbeddedServer) -> None:
    """In a container whose first process reaps nothing, the old pid goes on existing as a zombie."""
    server.ensure_ready()
    server.stop()
    zombie = subprocess.Popen(["true"])
    os.waitid(os.P_PID, zombie.pid, os.WEXITED | os.WNOWAIT)
    pid_file = server.places().data / "postmaster.pid"
    pid_file.write_text(f"{zombie.pid}\n{server.places().data}\n1\n5432\n")
    os.chown(pid_file, server.places().user.uid, server.places().user.gid)
    server.ensure_ready()
    assert server.is_alive()
    zombie.wait()


def test_ensure_ready__data_folder_half_made__makes_it_anew(server: EmbeddedServer) -> None:
    (server.places().data).mkdir(parents=True)
    (server.places().data / "base").mkdir()
    server.ensure_ready()
    assert server.is_alive()


def test_ensure_ready__several_processes_at_once__start_one_server(server: EmbeddedServer) -> None:
    code = (
        "import sys; from pathlib import Path; from selflearn_site.database.launcher import EmbeddedServer;"
        "EmbeddedServer(Path(sys.argv[1])).ensure_ready()"
    )
    starters = [python(code, str(server.var)) for _ in range(3)]
    assert [(starter.communicate(timeout=60)[1], starter.returncode) for starter in starters] == [("", 0)] * 3
    log = server.places().log.read_text()
    assert log.count("ready to accept connections") == 1


def test_ensure_ready__server_cannot_start__says_why_and_where_to_look(
    server: EmbeddedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.ensure_ready()
    server.stop()
    monkeypatch.setattr(launcher, "CONFIGURATION", "max_connections = many\n")
    monkeypatch.setattr(launcher, "START_SECONDS", 0)
    with pytest.raises(Unavailable, match=r"does not start: .*; see .*server\.log"):
        server.ensure_ready()


def test_stop_when_idle__somebody_connected__leaves_the_server(server: EmbeddedServer) -> None:
    server.ensure_ready()
    with server.connect():
        assert not server.stop_when_idle(patience=0)
        assert server.is_alive()
    assert server.stop_when_idle()
    assert not server.is_alive()


def test_places__path_too_long_for_a_socket__puts_the_socket_elsewhere(tmp_path: Path) -> None:
    places = find_places(Path("/tmp") / ("x" * 90) / "var")  # noqa: S108  nothing is made
    assert len(bytes(places.socket / ".s.PGSQL.5432")) < 100
    assert places.home not in places.socket.parents


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the server as somebody else")
def test_places__checkout_in_a_closed_folder__moves_data_to_a_private_one(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    places = find_places(closed / "checkout" / "var")
    assert closed not in places.home.parents
    assert find_places(closed / "another" / "var").home != places.home
