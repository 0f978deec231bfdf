"""Checks of an experiment that its samples cannot show: that all of it was recorded, under the parameters of its arms,
and judged by one judge."""

from __future__ import annotations

from collections.abc import Mapping

from django.db import connection

from contracts.evaluation import HealthCheck
from experiments.models import EvaluationPass

NAMES = ("complete_record", "arm_parameters", "judge_version")
"""What is checked here; a replay takes these from the stored evaluation, for it measures nothing anew."""

_RUNS = """
    SELECT variant, parameter_version, judge_version, failed, count(*)
    FROM teacher_run_metrics WHERE batch = %s GROUP BY 1, 2, 3, 4
"""


def checks(*, batch: str, arm_versions: Mapping[str, int], judge_version: str) -> list[HealthCheck]:
    """Look at what the Sensor recorded of a batch, after it was judged.

    `arm_versions`: arm → parameter version; empty when none were bound, and then they are not checked. A failed run
    has no judgement, and none to be checked.
    """
    with connection.cursor() as cursor:
        cursor.execute(_RUNS, [batch])
        rows = cursor.fetchall()
    recorded = sum(row[4] for row in rows)
    strange = sum(n for arm, version, _, _, n in rows if arm_versions and version not in (None, arm_versions.get(arm)))
    unlike = sum(n for _, _, judge, failed, n in rows if not failed and judge != judge_version)
    return [
        _complete(batch, recorded),
        HealthCheck(
            name="arm_parameters",
            ok=strange == 0,
            detail=f"{strange} runs used other parameters than their arm's" if strange else "each run used its arm's",
        ),
        HealthCheck(
            name="judge_version",
            ok=unlike == 0,
            detail=f"{unlike} runs were not judged by {judge_version}"
            if unlike
            else f"all were judged by {judge_version}",
        ),
    ]


def _complete(batch: str, recorded: int) -> HealthCheck:
    planned = EvaluationPass.objects.filter(batch=batch).values_list("planned", flat=True).first()
    if planned is None:
        return HealthCheck(name="complete_record", ok=True, blocks=False, detail="not checked: no pass was planned")
    return HealthCheck(
        name="complete_record", ok=recorded == planned, detail=f"{recorded} of {planned} runs were recorded"
    )
