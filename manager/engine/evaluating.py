"""EVALUATING: what the dialogues showed, how the active version stands, and whether the last change must go back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from contracts.change import AppliedChange
from contracts.metric import METRICS
from goals.models import Campaign
from goals.services import campaign_record
from hypotheses.services import hypotheses_outdate
from maas.client import answers_found_right
from manager.domain.golden import averaged, degradations, failures_priced
from manager.domain.lifecycle import CycleState
from manager.engine.context import MANAGER, TEACHER, Note, Step, StepContext
from manager.engine.gate import gate_look
from manager.engine.passes import golden_batch, judged, judging_of, judging_shown, monitor
from manager.services.degradation import degradation_act, offline_signals
from manager.services.judging import judge_distrusted, judging_current
from manager.services.safety import rollback_protect
from teacher.aggregator import Aggregate
from teacher.calibration.rejudging import labelled_judge
from teacher.rightness import answers_right
from teacher.services import batch_measure
from tuner.models import ParameterVersion
from tuner.selectors import active_version
from tuner.services import version_confirm_stable


@dataclass(frozen=True, slots=True)
class Standing:
    """How the active version does on validation and golden, and what was found out about it."""

    version: int
    validation: Aggregate
    golden: Aggregate
    notes: tuple[Note, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {"validation": self.validation.to_json(), "golden": self.golden.to_json(), "version": self.version}

    def record(self, campaign: Campaign) -> None:
        """Write the campaign's "after", and its "before" when this is the first look."""
        measured = self.to_json()
        if campaign.metrics_before is None:
            campaign_record(
                campaign_id=campaign.id,
                metrics_before=measured["validation"],
                golden_before=measured["golden"],
                start_version=self.version,
            )
        campaign_record(
            campaign_id=campaign.id,
            metrics_after=measured["validation"],
            golden_after=measured["golden"],
            end_version=self.version,
        )


def step(context: StepContext) -> Step:
    """Judge and aggregate the batch, and see how the active version stands.

    Questions of real users count in it as train too, in what needs no truth: no recall, no precision, no category.
    """
    data = context.cycle.data
    judging = judging_of(context, data["train_batch"])
    train = batch_measure(
        batch=data["train_batch"],
        also=[data["online_batch"]] if "online_batch" in data else [],
        judging=judging,
        on_progress=judging_shown(context),
    )
    for name in ("train_batch", "online_batch"):
        if name in data:
            judged(context, data[name], judging)
    right_answers_tell(data["train_batch"])
    standing = settle(context)
    labelled_judge(judging=judging_current(), free_only=True)

    def write() -> None:
        standing.record(context.campaign)
        hypotheses_outdate(campaign=context.campaign, active=standing.version, actor=TEACHER)

    return Step(
        state=CycleState.ANALYZING,
        data={"train": train.to_json(), **standing.to_json()},
        notes=standing.notes,
        within=write,
    )


def right_answers_tell(batch: str) -> int:
    """Let the student know which answers of a judged batch were right: the memories behind them helped.

    Comes before the step's commit and is safe to repeat, for the student counts a run once. Returns how many were new.
    """
    return answers_found_right(run_ids=answers_right(batch=batch), actor=MANAGER)


def settle(context: StepContext) -> Standing:
    """Measure the active version on validation and golden; monitoring only, once per version.

    A version that was activated and not confirmed yet is compared with its parent on golden, over this look and the
    gate's own at the same two sets of parameters: worse beyond the gate's limits → rollback at once; else it is
    confirmed as stable, and later rollbacks may end there. One that is stable is held to the degradation rules over the
    cycles so far. A judge that does not count rolls nothing back.
    """
    active = active_version()
    standing = _measured(context, active.version)
    if active.parent_version is None:
        return standing
    if active.stable_since is not None:
        signals = offline_signals(active, dataset=context.campaign.dataset)
        undone = degradation_act(
            version=active, signals=signals, where="degradation over its cycles", campaign=context.campaign
        )
        return standing if undone is None else _measured(context, undone.version)
    before = monitor(context, split="golden", version=active.parent_version)
    looks = [
        *gate_look(experiment=active.experiment, base=active.parent_version),
        (before.metrics, failures_priced(standing.golden.metrics, standing.golden.counts)),
    ]
    distrusted = judge_distrusted(batch=golden_batch(context, version=active.version))
    broken = degradations(
        before=averaged([before for before, _ in looks]),
        after=averaged([after for _, after in looks]),
        distrusted=distrusted,
    )
    if not broken:
        apart = "".join(f"; {METRICS[name].title.lower()} does not count: {why}" for name, why in distrusted.items())
        version_confirm_stable(
            version=active.version, actor=MANAGER, reason=f"the golden set is not worse after activation{apart}"
        )
        text = f"version {active.version} is stable: the golden set is not worse after its activation{apart}"
        return Standing(standing.version, standing.validation, standing.golden, (Note("confirmed", text),))
    reason = f"after activation of version {active.version}: {'; '.join(broken)}"
    change = _roll_back(context, active, reason)
    if change is None:
        return standing  # the policy authorises no rollback beforehand: the version stays unconfirmed, a person is told
    return _measured(context, change.version)  # the rollback has written its journal entry itself


def _measured(context: StepContext, version: int) -> Standing:
    return Standing(
        version=version,
        validation=monitor(context, split="validation", version=version),
        golden=monitor(context, split="golden", version=version),
    )


def _roll_back(context: StepContext, active: ParameterVersion, reason: str) -> AppliedChange | None:
    return rollback_protect(reason=reason, expected_active=active.version, campaign=context.campaign, actor=MANAGER)
