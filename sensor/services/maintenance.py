"""What keeps the Sensor's tables in order over the years, without anyone thinking of it. May be repeated."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import structlog

from contracts.actor import component
from kernel.errors import Conflict
from sensor.domain.retention import RetentionReport
from sensor.services.partitions import default_empty, partitions_ensure
from sensor.services.retention import retention_apply, retention_due
from sensor.services.rollups import rollups_fold, rollups_prune
from sensor.storage import StorageState, storage_state

log = structlog.get_logger(__name__)

SENSOR = component("sensor")


@dataclass(frozen=True, slots=True, kw_only=True)
class MaintenanceReport:
    """`made`: partitions made. `moved`: rows that lay in no month. `folded`, `pruned`: rows of rollups.

    `retention`: what went; None when the policy lets nothing go by itself or nothing was due.
    """

    made: int
    moved: int
    folded: int
    pruned: int
    retention: RetentionReport | None
    state: StorageState

    def as_json(self) -> dict[str, Any]:
        return {
            "made": self.made,
            "moved": self.moved,
            "folded": self.folded,
            "pruned": self.pruned,
            "retention": None if self.retention is None else self.retention.as_json(),
            "state": asdict(self.state),
        }


def maintenance_run(*, go_on: Callable[[], bool] | None = None) -> MaintenanceReport:
    """Make months ahead, move rows that lie in none, fold and prune rollups, and let old rows go if they are to.

    In this order, since what comes first matters most. `go_on`: as in `retention_apply`.
    """
    made, moved = partitions_ensure(), default_empty()
    folded, pruned = rollups_fold(), rollups_prune()
    return MaintenanceReport(
        made=made, moved=moved, folded=folded, pruned=pruned, retention=_retention(go_on), state=storage_state()
    )


def _retention(go_on: Callable[[], bool] | None) -> RetentionReport | None:
    if not retention_due():
        return None
    try:
        report = retention_apply(actor=SENSOR, reason="the policy lets it be applied automatically", go_on=go_on)
    except Conflict:
        log.info("sensor_retention_is_under_way")
        return None
    log.info("sensor_retention_applied", rows=report.rows, complete=report.complete)
    return report
