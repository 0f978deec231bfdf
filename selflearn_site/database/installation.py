"""PostgreSQL's programs and data folder: found, copied where the server's user cannot reach, initialised, run."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from kernel.errors import Unavailable
from selflearn_site.database.places import Places

SUPERUSER = "postgres"

# The socket's folder lets in the server's user and us; `peer` then asks the kernel who connects.
ACCESS = "local all all peer map=selflearn\n"


def run(places: Places, command: Sequence[str | Path], *, data: Path, check: bool = True) -> str:
    """Run one of PostgreSQL's programs as the server's user. Returns what it printed."""
    user = places.user
    environment = {"PATH": os.defpath, "LC_ALL": "C", "PGDATA": str(data)}
    as_user: dict[str, Any] = {"user": user.uid, "group": user.gid, "extra_groups": []} if user.other else {}
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
        **as_user,
    )
    if check and result.returncode:
        raise Unavailable(f"{Path(command[0]).name} failed: {result.stdout.strip() or result.returncode}")
    return str(result.stdout).strip()


def readable_programs(places: Places) -> Path:
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


def initialise(places: Places, programs: Path) -> None:
    """`initdb` elsewhere, then rename: a start killed half-way leaves no half-made data folder."""
    draft = Path(tempfile.mkdtemp(dir=places.home, prefix="initdb."))
    try:
        if places.user.other:
            os.chown(draft, places.user.uid, places.user.gid)
        locale = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C.UTF-8", "--encoding=UTF8"]
        command: list[str | Path] = [
            programs / "bin" / "initdb",
            "-U",
            SUPERUSER,
            "-A",
            "peer",
            "--no-sync",
            "--no-instructions",
        ]
        run(places, [*command, *locale], data=draft)
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


def write(places: Places, name: str, text: str) -> None:
    path = places.data / name
    path.write_text(text)
    if places.user.other:
        os.chown(path, places.user.uid, places.user.gid)
