"""Embedded servers of a test's own, each in a folder that the server's user can reach."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from selflearn_site.database.launcher import EmbeddedServer

ROOT = Path(__file__).resolve().parents[2]


@contextmanager
def own_server() -> Iterator[EmbeddedServer]:
    """Not started yet. Stopped and removed at the end."""
    folder = Path(tempfile.mkdtemp(prefix="sl", dir="/tmp"))
    folder.chmod(0o755)
    server = EmbeddedServer(folder / "var")
    try:
        yield server
    finally:
        server.stop()
        home = server.places().home
        shutil.rmtree(folder)
        if folder not in home.parents:
            shutil.rmtree(home, ignore_errors=True)


def postmaster(server: EmbeddedServer) -> int:
    return int((server.places().data / "postmaster.pid").read_text().split("\n")[0])


def python(code: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def manage(*arguments: str, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """`manage.py` in a process of its own, with nothing but these variables."""
    return subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), *arguments],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "LANGUAGE_CODE": "en", **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
