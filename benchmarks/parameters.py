"""Reads of the parameters of a run while versions change all the time, beside the same statement sent bare.

In databases of its own. The changes come from another thread over its own connection.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable
from statistics import quantiles
from typing import Any

from django.db import connection, connections

from benchmarks.scratch import scratch_databases
from contracts.actor import component
from contracts.change import ChangeProposal
from contracts.parameters import ParameterChange, ParameterContext
from tuner.selectors import active_version, effective_params, version_values
from tuner.services import change_apply

READS = 20_000
CHANGE_EVERY = 0.02


def run(quick: bool = False, say: Callable[[str], None] = print) -> dict[str, Any]:
    """Milliseconds a read, p50 and p95: production, one of a person, and the bare statement."""
    reads = READS // 20 if quick else READS
    with scratch_databases("parameters"):
        stop, changed = threading.Event(), [0]
        changing = threading.Thread(target=_change, args=(stop, changed))
        changing.start()
        try:
            user = ParameterContext(user_id=uuid.uuid4())
            found = {
                "bare": _timed(_bare, reads),
                "production": _timed(lambda: effective_params(ParameterContext()), reads),
                "of a person": _timed(lambda: effective_params(user), reads),
            }
        finally:
            stop.set()
            changing.join()
    for name, (p50, p95) in found.items():
        say(f"{name:<12} p50 {p50:.3f} ms, p95 {p95:.3f} ms, {p95 / found['bare'][1]:.1f} times the bare p95")
    say(f"{changed[0]} versions became active meanwhile")
    return {"ms": {name: {"p50": p50, "p95": p95} for name, (p50, p95) in found.items()}, "changes": changed[0]}


def _timed(read: Callable[[], Any], reads: int) -> tuple[float, float]:
    took = []
    for _ in range(reads):
        began = time.perf_counter()
        read()
        took.append((time.perf_counter() - began) * 1000)
    cuts = quantiles(took, n=20)
    return cuts[9], cuts[18]


def _bare() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT version, content_hash FROM public.experiment_parameters WHERE is_active")
        cursor.fetchone()


def _change(stop: threading.Event, changed: list[int]) -> None:
    """Keyword counts of 4 and 6 in turn, as a Tuner never would: no factor may swing, so each is approved."""
    try:
        while not stop.wait(CHANGE_EVERY):
            base = active_version().version
            now = version_values(base)["retrieval.keyword_count"]
            change = ParameterChange(param="retrieval.keyword_count", from_value=now, to_value=6 if now < 6 else 4)
            change_apply(
                proposal=ChangeProposal(
                    changes=(change,), reason="benchmark", base_version=base, approved_by="component:benchmark"
                ),
                actor=component("manager"),
            )
            changed[0] += 1
    finally:
        connections.close_all()
