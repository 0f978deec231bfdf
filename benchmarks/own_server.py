"""An embedded server of a run's own, so that it may be killed and restarted while the real one serves on."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal

from django.conf import settings
from django.db import connections

from selflearn_site.database.configuration import database_settings
from selflearn_site.database.launcher import EmbeddedServer

StopMode = Literal["fast", "immediate", "kill"]
_SIGNALS: dict[StopMode, signal.Signals] = {
    "fast": signal.SIGINT,
    "immediate": signal.SIGQUIT,
    "kill": signal.SIGKILL,
}
_CONNECTING = ("EMBEDDED", "NAME", "USER", "PASSWORD", "HOST", "PORT", "OPTIONS")
_OWN_SETTINGS = {"SELFLEARN_LLM": "offline", "MAAS_URL": ""}
STOP_SECONDS = 60.0


@contextmanager
def own_server() -> Iterator[tuple[EmbeddedServer, dict[str, str]]]:
    """Both aliases of this process point to a new, empty server meanwhile; stopped and removed at the end.

    Yields it with the environment of child processes that shall use it too. For a process that does nothing else:
    connections of all its threads change.
    """
    folder = Path(tempfile.mkdtemp(prefix="selflearn-own-"))
    folder.chmod(0o711)  # when we are root, the server runs as somebody else and must get in
    var = folder / "var"
    var.mkdir()
    server = EmbeddedServer(var)
    given = {**_OWN_SETTINGS, "SELFLEARN_VAR": str(var), "DATABASE_URL": "", "MAAS_DATABASE_URL": ""}
    fresh = database_settings(database_url="", maas_database_url="")
    before = {alias: dict(connections.settings[alias]) for alias in fresh}
    kept = {name: getattr(settings, name) for name in (*_OWN_SETTINGS, "SELFLEARN_VAR_DIR")}
    connections.close_all()
    try:
        for alias, chosen in fresh.items():
            connections.settings[alias].update({name: chosen[name] for name in _CONNECTING})
        for name, value in {**_OWN_SETTINGS, "SELFLEARN_VAR_DIR": var}.items():
            setattr(settings, name, value)
        yield server, {**os.environ, **given}
    finally:
        connections.close_all()
        home = server.places().home
        server.stop()
        for alias, chosen in before.items():
            connections.settings[alias].update(chosen)
        for name, value in kept.items():
            setattr(settings, name, value)
        shutil.rmtree(folder, ignore_errors=True)
        if folder not in home.parents:
            shutil.rmtree(home, ignore_errors=True)


def server_restart(server: EmbeddedServer, mode: StopMode) -> float:
    """Stop it as an administrator (`fast`) or as a crash (`immediate`) would, or by SIGKILL of it and its children
    (`kill`), and start it. Returns seconds it took.

    Whoever connects first starts it, so by the time this looks it may be up again. Raises `TimeoutError`.
    """
    pid_file = server.places().data / "postmaster.pid"
    postmaster = _pid(pid_file)
    assert postmaster is not None, "no server runs"
    started = time.monotonic()
    children = _children(postmaster) if mode == "kill" else []
    for process in (postmaster, *children):
        with suppress(ProcessLookupError):  # a child that ended by itself meanwhile
            os.kill(process, _SIGNALS[mode])
    while _pid(pid_file) == postmaster and (mode != "kill" or _alive(postmaster)):
        if time.monotonic() - started > STOP_SECONDS:
            raise TimeoutError(f"the server does not stop within {STOP_SECONDS:g} s")
        time.sleep(0.01)
    server.ensure_ready()
    return time.monotonic() - started


def _pid(path: Path) -> int | None:
    with suppress(OSError, ValueError, IndexError):
        return int(path.read_text().split("\n", 1)[0])
    return None


def _children(parent: int) -> list[int]:
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError, IndexError, ValueError):
            if int(_state(int(process.name))[1]) == parent:
                found.append(int(process.name))
    return found


def _alive(process: int) -> bool:
    try:
        return _state(process)[0] != "Z"
    except OSError:
        return False


def _state(process: int) -> list[str]:
    """State and parent first, as in `proc(5)` after the name."""
    return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
