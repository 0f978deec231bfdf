"""Starts the embedded PostgreSQL when the first connection needs it. Any number of processes may ask at once.

Alive means that a socket connects; files left by a killed server prove nothing.
"""

from __future__ import annotations

import fcntl
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg
from psycopg import errors, sql

from kernel.errors import Unavailable
from selflearn_site.database.configuration import DATABASE_NAMES, OWNER_ROLE
from selflearn_site.database.places import Places, find_places
from selflearn_site.database.roles import roles_create

START_SECONDS = 60.0
SUPERUSER = "postgres"

# `synchronous_commit` is off: a crash may lose the last third of a second, never tear or reorder what is committed.
CONFIGURATION = """\
# Written at each start by selflearn_site/database/launcher.py.
listen_addresses = ''
unix_socket_permissions = 0777
max_connections = 200
shared_buffers = 256MB
synchronous_commit = off
max_wal_size = 2GB
log_min_messages = warning
timezone = 'UTC'
"""
# The socket's folder lets in the server's user and us; `peer` then asks the kernel who connects.
ACCESS = "local all all peer map=selflearn\n"


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
                programs = _readable_programs(places)
                if not (places.data / "PG_VERSION").exists():
                    _initialise(places, programs)
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
            if (places.data / "postmaster.pid").exists():
                command = [_readable_programs(places) / "bin" / "pg_ctl", "stop", "-s", "-m", "fast", "-w"]
                _run(places, command, data=places.data)

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
        _write(places, "selflearn.conf", f"{CONFIGURATION}unix_socket_directories = '{_quoted(places.socket)}'\n")
        deadline = time.monotonic() + START_SECONDS
        while True:
            _forget_dead_postmaster(places)
            _prepare_log(places)
            command = [programs / "bin" / "pg_ctl", "start", "-s", "-w", "-t", "30", "-l", "server.log"]
            result = _run(places, command, data=places.data, check=False)
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


def _run(places: Places, command: Sequence[str | Path], *, data: Path, check: bool = True) -> str:
    """Run one of PostgreSQL's programs as the server's user. Returns what it printed."""
    user = places.user
    environment = {"PATH": os.defpath, "LC_ALL": "C", "PGDATA": str(data)}
    result = subprocess.run(
        [str(part) for part in command],
        cwd=places.home,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
        **({"user": user.uid, "group": user.gid, "extra_groups": []} if user.other else {}),
    )
    if check and result.returncode:
        raise Unavailable(f"{Path(command[0]).name} failed: {result.stdout.strip() or result.returncode}")
    return result.stdout.strip()


def _readable_programs(places: Places) -> Path:
    """The wheel's programs, or a copy beside the data where the server's user cannot reach the wheel."""
    if not places.copy_programs:
        return places.programs
    package = places.programs.parent
    target = places.home / f"programs-{places.programs.name}"
    copied = target / package.name / places.programs.name
    if not copied.exists():
        draft = Path(tempfile.mkdtemp(dir=places.home, prefix="programs."))
        shutil.copytree(
            places.programs,
            draft / package.name / places.programs.name,
            ignore=shutil.ignore_patterns("*.a", "include"),
        )
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.exists():
            shutil.copytree(libraries, draft / libraries.name)
        for path in (draft, *draft.rglob("*")):
            if not path.is_symlink():
                path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
        shutil.rmtree(target, ignore_errors=True)
        draft.rename(target)
    return copied


def _initialise(places: Places, programs: Path) -> None:
    """`initdb` elsewhere, then rename: a start killed half-way leaves no half-made data folder."""
    draft = Path(tempfile.mkdtemp(dir=places.home, prefix="initdb."))
    try:
        if places.user.other:
            os.chown(draft, places.user.uid, places.user.gid)
        locale = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C.UTF-8", "--encoding=UTF8"]
        command = [programs / "bin" / "initdb", "-U", SUPERUSER, "-A", "peer", "--no-sync", "--no-instructions"]
        _run(places, [*command, *locale], data=draft)
        us = pwd.getpwuid(os.geteuid()).pw_name
        (draft / "pg_hba.conf").write_text(ACCESS)
        (draft / "pg_ident.conf").write_text(f'selflearn "{us}" all\n')
        with (draft / "postgresql.conf").open("a") as file:
            file.write("\ninclude_if_exists = 'selflearn.conf'\n")
        if places.data.exists():
            shutil.rmtree(places.data)
        draft.rename(places.data)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise


def _write(places: Places, name: str, text: str) -> None:
    path = places.data / name
    path.write_text(text)
    if places.user.other:
        os.chown(path, places.user.uid, places.user.gid)


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
