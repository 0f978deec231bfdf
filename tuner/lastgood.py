"""The last good parameters of production on disk, so that a process that starts without a database can still answer.

A cache and no truth: it is read only when the database cannot be reached and this process never reached it.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog
from django.conf import settings

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Kept:
    version: int
    content_hash: str
    values: dict[str, Any]


def write(version: int, content_hash: str, values: Mapping[str, Any]) -> None:
    """Replace the file as a whole; another process never reads half of it. A full disk costs only this copy."""
    path = _path()
    if path is None:
        return
    body = json.dumps({"version": version, "content_hash": content_hash, "values": dict(values)}, sort_keys=True)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name)
        try:
            with os.fdopen(handle, "w") as file:
                file.write(body)
            Path(name).replace(path)
        except BaseException:
            with suppress(OSError):
                Path(name).unlink()
            raise
    except OSError as error:
        log.warning("last_good_parameters_not_kept", error=str(error))


def read() -> Kept | None:
    """None when nothing was kept, or what was kept cannot be read."""
    path = _path()
    if path is None:
        return None
    try:
        found = json.loads(path.read_text())
        return Kept(int(found["version"]), str(found["content_hash"]), dict(found["values"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _path() -> Path | None:
    return getattr(settings, "LAST_GOOD_PARAMETERS", None)
