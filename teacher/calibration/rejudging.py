"""Let a judge judge what people have labelled, so that a new version is compared on the same cases from the start."""

from __future__ import annotations

from contracts.telemetry import Judgement
from sensor.models import RunJudgement
from sensor.services import judgements_record
from teacher.calibration.frame import rows_shown
from teacher.calibration.monitor import agreement_watch
from teacher.calibration.selectors import REPEAT, labelled_cases
from teacher.judges.choice import judge_of
from teacher.judges.orchestrator import case_of
from teacher.judges.protocol import OFFLINE, Judging
from teacher.judges.purse import Purse


def labelled_judge(*, judging: Judging = OFFLINE, free_only: bool = False) -> int:
    """Judge labelled cases that this judge has not judged, for at most the money of one batch; then watch agreement.

    Returns how many it judged. `free_only`: a judge that costs money judges nothing. What fails is tried again next
    time. Raises `InvalidInput` when a model is to judge and none is configured.
    """
    judge = judge_of(judging, repeat=REPEAT, purse=Purse(judging.usd_per_batch))
    if free_only and judge.samples:
        agreement_watch()
        return 0
    cases = labelled_cases()
    runs = {case.run_id for case in cases if case.drawn_by != judge.version}
    known = RunJudgement.objects.filter(judge_version=judge.version, run_id__in=runs)
    rows = rows_shown(run_ids=sorted(runs - set(known.values_list("run_id", flat=True))))
    said = zip(rows, judge.judge([case_of(row) for row in rows]), strict=True) if rows else ()
    judged = judgements_record(
        [
            Judgement(
                run_id=row.pipeline_run_id,
                judge_version=judge.version,
                retrieval_relevant=marks.retrieval_relevant,
                context_utilized=marks.context_utilized,
                hallucination_detected=marks.hallucination,
                reasons=marks.reasons,
            )
            for row, marks in said
            if not marks.missing
        ],
        repeat=REPEAT,
    )
    agreement_watch()
    return judged
