"""Starts the embedded PostgreSQL when the first connection needs it. Any number of processes may ask at once.

Alive means that a socket connects; files left by a killed server prove nothing.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg
from psycopg import errors, sql

from kernel.errors import Unavailable
from selflearn_site.database.configuration import DATABASE_NAMES, OWNER_ROLE
from selflearn_site.database.installation import SUPERUSER, initialise, readable_programs, run, write
from selflearn_site.database.places import Places, find_places
from selflearn_site.database.roles import roles_create

START_SECONDS = 60.0

# `synchronous_commit` is off: a crash may lose the last third of a second, never tear or reorder what is committed.
CONFIGURATION = """\
# Written at each start by selflearn_site/database/launcher.py.
listen_addresses = ''
unix_socket_permissions = 0777
max_connections = 200
shared_buffers = 256MB
random_page_cost = 1.1
synchronous_commit = off
max_wal_size = 2GB
log_min_messages = warning
timezone = 'UTC'
"""


class EmbeddedServer:
    def __init__(self, var: Path):
        self.var = var

    def places(self) -> Places:
        return find_places(self.var)

    def connect(self, *, user: str = SUPERUSER, dbname: str = "postgres") -> psycopg.Connection[Any]:
        """In autocommit. Raises `psycopg.OperationalError` when there is no server."""
        return psycopg.connect(
            host=str(self.places().socket), user=user, dbname=dbname, connect_timeout=10, autocommit=True
        )

    def is_alive(self) -> bool:
        try:
            self.connect().close()
        except psycopg.OperationalError:
            return False
        return True

    def ensure_ready(self) -> Path:
        """Server up, roles and databases there. Returns the socket's folder. Raises `Unavailable` saying why not."""
        places = self.places()
        try:
            self._make_folders(places)
        except OSError as error:
            raise Unavailable(f"the embedded PostgreSQL cannot use {places.home}: {error.strerror}") from error
        with _locked(places.lock):
            if not self.is_alive():
                programs = readable_programs(places)
                if not (places.data / "PG_VERSION").exists():
                    initialise(places, programs)
                self._start(places, programs)
            with self.connect() as connection:
                self._provision(connection)
        return places.socket

    def stop(self) -> None:
        """Disconnect everyone and shut down; nothing happens where no server runs."""
        places = self.places()
        if not places.lock.parent.exists():
            return
        with _locked(places.lock):
            self._stop(places)

    def stop_when_idle(self, *, patience: float = 2.0) -> bool:
        """Shut down unless somebody else is connected. Returns whether the server is down.

        `patience` (seconds): how long the connections of processes that just ended may take to vanish.
        """
        places = self.places()
        if not places.lock.parent.exists():
            return True
        deadline = time.monotonic() + patience
        with _locked(places.lock):
            try:
                with self.connect() as connection:
                    while self._others(connection):
                        if time.monotonic() > deadline:
                            return False
                        time.sleep(0.1)
            except psycopg.OperationalError:
                return True
            self._stop(places)
        return True

    @staticmethod
    def _others(connection: psycopg.Connection[Any]) -> bool:
        row = connection.execute(
            "SELECT count(*) FROM pg_catalog.pg_stat_activity"
            " WHERE backend_type = 'client backend' AND pid <> pg_catalog.pg_backend_pid()"
        ).fetchone()
        return bool(row and row[0])

    @staticmethod
    def _stop(places: Places) -> None:
        if (places.data / "postmaster.pid").exists():
            command: list[str | Path] = [readable_programs(places) / "bin" / "pg_ctl", "stop", "-s", "-m", "fast", "-w"]
            run(places, command, data=places.data)

    @staticmethod
    def _make_folders(places: Places) -> None:
        user = places.user
        for folder in dict.fromkeys((places.home, places.socket.parent)):
            folder.mkdir(parents=True, exist_ok=True)
            # Of the link itself: in a public folder somebody may have laid one for us.
            if folder.lstat().st_uid != os.getuid():
                raise Unavailable(f"{folder} belongs to another user: remove it, or run as that user")
            folder.chmod(0o711 if user.other else 0o700)
        places.socket.mkdir(exist_ok=True)
        places.socket.chmod(0o700)
        if user.other:
            os.chown(places.socket, user.uid, user.gid)

    def _start(self, places: Places, programs: Path) -> None:
        """Right after a kill -9 the old server's children still leave; PostgreSQL refuses until they are gone."""
        write(places, "selflearn.conf", f"{CONFIGURATION}unix_socket_directories = '{_quoted(places.socket)}'\n")
        deadline = time.monotonic() + START_SECONDS
        while True:
            _forget_dead_postmaster(places)
            _prepare_log(places)
            command: list[str | Path] = [
                programs / "bin" / "pg_ctl",
                "start",
                "-s",
                "-w",
                "-t",
                "30",
                "-l",
                "server.log",
            ]
            result = run(places, command, data=places.data, check=False)
            if self.is_alive():
                return
            if time.monotonic() > deadline:
                raise Unavailable(
                    f"the embedded PostgreSQL does not start: {_last_line(places.log) or result}; see {places.log}"
                )
            time.sleep(0.1)

    def _provision(self, connection: psycopg.Connection[Any]) -> None:
        """Roles, `vector` for every database made later (test databases too), and the two databases."""
        roles_create(connection, login=True)
        with self.connect(dbname="template1") as template:
            template.execute("CREATE EXTENSION IF NOT EXISTS vector")
        there = {row[0] for row in connection.execute("SELECT datname FROM pg_catalog.pg_database").fetchall()}
        for name in DATABASE_NAMES.values():
            if name not in there:
                statement = sql.SQL("CREATE DATABASE {} OWNER {}").format(
                    sql.Identifier(name), sql.Identifier(OWNER_ROLE)
                )
                with suppress(errors.DuplicateDatabase):
                    connection.execute(statement)


def _quoted(path: Path) -> str:
    """A folder as an item of a list inside a single-quoted value of `postgresql.conf`."""
    return '"' + str(path).replace('"', '""').replace("\\", "\\\\").replace("'", "''") + '"'


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """One starter at a time; the kernel drops the lock of a killed process."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _prepare_log(places: Places) -> None:
    """Its folder belongs to us: the server's user may write the file, not make it."""
    places.log.touch(mode=0o600)
    if places.user.other:
        os.chown(places.log, places.user.uid, places.user.gid)


def _forget_dead_postmaster(places: Places) -> None:
    """Remove the pid file of a killed server that nobody reaped.

    In a container whose first process reaps nothing, a killed server stays a zombie: its pid exists, and PostgreSQL
    would refuse to start forever. The file goes only when no process works in the data folder any more.
    """
    pid_file = places.data / "postmaster.pid"
    try:
        pid = int(pid_file.read_text().split("\n", 1)[0])
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (OSError, ValueError, IndexError):
        return
    if state == "Z" and not any(_works_in(process, places.data) for process in Path("/proc").glob("[0-9]*")):
        pid_file.unlink(missing_ok=True)


def _works_in(process: Path, folder: Path) -> bool:
    try:
        return (process / "cwd").readlink() == folder.resolve()
    except OSError:
        return False


def _last_line(path: Path) -> str:
    try:
        lines = path.read_text(errors="replace").strip().splitlines()
    except OSError:
        return ""
    return lines[-1] if lines else ""
