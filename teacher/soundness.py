"""Checks of an experiment that its samples cannot show: that all of it was recorded, under the parameters of its arms,
and judged by one judge."""

from __future__ import annotations

from collections.abc import Mapping

from django.db import connection

from contracts.evaluation import HealthCheck
from experiments.models import EvaluationPass
from teacher.judges import judgings_of

NAMES = ("complete_record", "arm_parameters", "judge_version", "time_limit")
"""What is checked here; a replay takes these from the stored evaluation, for it measures nothing anew."""

_RUNS = """
    SELECT variant, parameter_version, judge_version, failed OR left_out, count(*)
    FROM teacher_run_metrics WHERE batch = %s GROUP BY 1, 2, 3, 4
"""


def checks(*, batch: str, arm_versions: Mapping[str, int], judge_version: str) -> list[HealthCheck]:
    """Look at what the Sensor recorded of a batch, after it was judged.

    `arm_versions`: arm → parameter version; empty when none were bound, and then they are not checked. A failed run
    has no judgement, and none to be checked; nor has a run outside the sample of a judge that judges a sample.
    """
    with connection.cursor() as cursor:
        cursor.execute(_RUNS, [batch])
        rows = cursor.fetchall()
    recorded = sum(row[4] for row in rows)
    strange = sum(n for arm, version, _, _, n in rows if arm_versions and version not in (None, arm_versions.get(arm)))
    unlike = sum(n for _, _, judge, unjudged, n in rows if not unjudged and judge != judge_version)
    return [
        _complete(batch, recorded),
        HealthCheck(
            name="arm_parameters",
            ok=strange == 0,
            detail=f"{strange} runs used other parameters than their arm's" if strange else "each run used its arm's",
        ),
        _one_judge(batch, judge_version, unlike),
    ]


def _one_judge(batch: str, version: str, unlike: int) -> HealthCheck:
    """One judge from before the first run to the verdict. What it left out or could not tell is no other judge."""
    judgings = [row for row in judgings_of(batch) if row.repeat == 0]
    others = [row.judge_version for row in judgings if row.judge_version != version]
    own = next((row for row in judgings if row.judge_version == version), None)
    if others:
        detail = f"the judge changed during the experiment: {', '.join(others)} before {version}"
    elif unlike:
        detail = f"{unlike} runs were not judged by {version}"
    elif own is not None and own.sampled:
        ended = f"; it ended early: {own.stopped}" if own.stopped else ""
        detail = f"{own.judged} of {own.runs} runs were judged by {version}, {own.missing} could not be{ended}"
    else:
        detail = f"all were judged by {version}"
    return HealthCheck(name="judge_version", ok=not others and unlike == 0, detail=detail)


def _complete(batch: str, recorded: int) -> HealthCheck:
    """As many runs as were planned; as many as were run, where the experiment ended at a look before."""
    found = EvaluationPass.objects.filter(batch=batch).values_list("planned", "done").first()
    planned = None if found is None else found[1] or found[0]
    if planned is None:
        return HealthCheck(name="complete_record", ok=True, blocks=False, detail="not checked: no pass was planned")
    return HealthCheck(
        name="complete_record", ok=recorded == planned, detail=f"{recorded} of {planned} runs were recorded"
    )
