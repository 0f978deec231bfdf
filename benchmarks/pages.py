"""Pages of a full house beside those of an empty one: server time of each, and how many statements it asks.

`p95` must stay below 150 ms with 1,000,000 telemetry events, 1,000 experiments and 10,000 rows in the change log. That
no page asks more statements as rows come is a test (`tests/pages/test_queries.py`). All in databases of its own.
"""

from __future__ import annotations

import statistics
import time
import uuid
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.db import connections
from django.test import Client
from django.test.utils import CaptureQueriesContext

from benchmarks.pages_world import SLUG, furnish
from benchmarks.scratch import scratch_databases
from contracts.actor import Role
from sensor.models import SensorEvent
from tests.access.people import client_of, person

TARGET_MS = 150.0
PAGES = (
    "/", "/goals/", "/goals/new/", "/campaigns/1/", "/experiments/", f"/experiments/{SLUG.format(1)}/",
    "/experiments/new/", "/hypotheses/", "/hypotheses/map/", "/knowledge/", "/teacher/", "/approvals/", "/parameters/",
    "/parameters/history/", "/parameters/factors/", "/changes/", "/changes/?only=all", "/reports/", "/reports/1/",
    "/golden/", "/judges/", "/tests/", "/emulations/", "/telemetry/", "/analytics/", "/system/", "/runs/", "/memories/",
    "/scenarios/", "/incidents/", "/chat/",
)  # fmt: skip


def run(quick: bool = False, say: Callable[[str], None] = print) -> dict[str, Any]:
    """By page: p50 and p95 in ms and statements, full, and p50 when empty; `ok`: p95 below 150 ms for each."""
    settings.ALLOWED_HOSTS = [*settings.ALLOWED_HOSTS, "testserver"]
    sizes = {"events": 20_000, "experiments": 20, "audit_rows": 300} if quick else (
        {"events": 1_000_000, "experiments": 1000, "audit_rows": 10_000}
    )  # fmt: skip
    repeats = 5 if quick else 30
    with scratch_databases("pages"):
        client = client_of(person(f"bench-{uuid.uuid4().hex[:8]}", Role.META_USER))
        empty = {path: _timed(client, path, repeats=5) for path in PAGES if not _of_something(path)}
        started = time.perf_counter()
        furnish(**sizes, say=say)
        say(f"  filled in {time.perf_counter() - started:.0f} s")
        one = SensorEvent.objects.order_by("-started_at").values_list("pipeline_run_id", flat=True)[0]
        found = {path: _timed(client, path, repeats=repeats) for path in (*PAGES, f"/runs/{one}/")}
    rows = {path: {**seen, "empty_p50_ms": empty.get(path, {}).get("p50_ms")} for path, seen in found.items()}
    say(f"  {'page':<34}{'p50':>8}{'p95':>8}{'empty':>8}{'statements':>12}   ms; p95 must be < {TARGET_MS:g}")
    for path, seen in rows.items():
        bare = "–" if seen["empty_p50_ms"] is None else f"{seen['empty_p50_ms']:.0f}"
        mark = "" if seen["p95_ms"] < TARGET_MS else "   ABOVE"
        say(f"  {path[:33]:<34}{seen['p50_ms']:>8.0f}{seen['p95_ms']:>8.0f}{bare:>8}{seen['statements']:>12}{mark}")
    return {"pages": rows, "ok": all(seen["p95_ms"] < TARGET_MS for seen in rows.values())}


def _of_something(path: str) -> bool:
    """Pages of one thing, which an empty house does not have."""
    return any(name in path for name in ("/campaigns/", SLUG.format(1), "/reports/1/"))


def _timed(client: Client, path: str, *, repeats: int) -> dict[str, Any]:
    """Once to warm up, once to count, then `repeats` times by the clock."""
    _open(client, path)
    with (
        CaptureQueriesContext(connections["default"]) as own,
        CaptureQueriesContext(connections["maas"]) as students,
    ):
        _open(client, path)
    statements = len(own) + len(students)
    times = []
    for _ in range(repeats):
        started = time.perf_counter()
        _open(client, path)
        times.append((time.perf_counter() - started) * 1000)
    return {
        "p50_ms": statistics.median(times),
        "p95_ms": statistics.quantiles(times, n=20)[-1],
        "statements": statements,
    }


def _open(client: Client, path: str) -> None:
    answer = client.get(path)
    if answer.status_code != 200:
        raise AssertionError(f"{path} answered {answer.status_code}")
