"""The Sensor: how soon a run is recorded, how fast a backlog is, and what dashboards cost among a million events.

Everything happens in databases of its own, which are dropped afterwards.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from benchmarks import sensor_bulk, sensor_dashboard, sensor_lag
from benchmarks.scratch import scratch_databases


def run(quick: bool = False, say: Callable[[str], None] = print) -> dict[str, Any]:
    """`lag`, `bulk` and `dashboard`, each with `ok`: whether it keeps what the Sensor promises (README)."""
    with scratch_databases("sensor") as names:
        return {
            "lag": sensor_lag.measure(names, seconds=5 if quick else 40, say=say),
            "bulk": sensor_bulk.measure(runs=2000 if quick else 20_000, repeats=1 if quick else 3, say=say),
            "dashboard": sensor_dashboard.measure(events=100_000 if quick else 1_000_000, say=say),
        }
