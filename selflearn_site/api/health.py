# ruff: noqa: ARG001 - ninja calls every route with `request`
"""Is it up, and is what it needs up: `GET /health`, without login."""

import logging
import time
from collections.abc import Callable
from typing import Any, Literal

from django.conf import settings
from django.db import connections
from django.http import HttpRequest
from django_q.status import Stat
from ninja import Router, Schema, Status

from sensor.storage import storage_state

logger = logging.getLogger(__name__)
router = Router(tags=["health"])


class Dependency(Schema):
    status: Literal["ok", "down", "absent"]
    """`absent`: not running, and the web process can do without."""
    detail: str = ""
    latency_ms: float | None = None


class Health(Schema):
    status: Literal["ok", "degraded", "down"]
    live: bool
    ready: bool
    dependencies: dict[str, Dependency]


@router.get("/health", auth=None, response={200: Health, 503: Health}, summary="Live and ready, per dependency")
def health(request: HttpRequest) -> Status[dict[str, Any]]:
    """Ready while both databases answer; `degraded` while background work rests. 503 when not ready."""
    found = {
        "database": _timed(lambda: _database("default")),
        "maas_database": _timed(lambda: _database("maas")),
        "worker": _timed(_worker),
        "sensor": _timed(_sensor),
        "llm": {"status": "ok", "detail": settings.SELFLEARN_LLM},
    }
    ready = all(found[name]["status"] == "ok" for name in ("database", "maas_database"))
    whole = all(item["status"] == "ok" for item in found.values())
    status = "down" if not ready else "ok" if whole else "degraded"
    return Status(200 if ready else 503, {"status": status, "live": True, "ready": ready, "dependencies": found})


def _timed(look: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """What went wrong stands in the log; outside only that it did, since nobody has signed in."""
    began = time.perf_counter()
    try:
        found = look()
    except Exception:
        logger.warning("a dependency is down", exc_info=True)
        return {"status": "down", "detail": "cannot be reached"}
    return {**found, "latency_ms": round((time.perf_counter() - began) * 1000, 2)}


def _database(alias: str) -> dict[str, Any]:
    with connections[alias].cursor() as cursor:
        cursor.execute("SELECT 1")
    return {"status": "ok"}


def _sensor() -> dict[str, Any]:
    """A Sensor that runs makes months ahead and puts every row into one; without it the rows are kept all the same."""
    concerns = storage_state().concerns
    return {"status": "absent", "detail": "; ".join(concerns)} if concerns else {"status": "ok"}


def _worker() -> dict[str, Any]:
    """Each cluster of django-q leaves a heartbeat that ends after three seconds."""
    clusters = Stat.get_all()
    if not clusters:
        return {"status": "absent", "detail": "no worker is running"}
    workers = sum(len(cluster.workers) for cluster in clusters)
    return {"status": "ok", "detail": f"{len(clusters)} cluster(s), {workers} worker(s)"}
