"""One experiment by itself: planned from a hypothesis, started, followed."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass
from typing import Any

from contracts.actor import Actor
from experiments.domain.lifecycle import ExperimentStatus
from experiments.models import EvaluationPass, Experiment
from experiments.selectors import experiment_by_slug, result_of
from experiments.spec_text import mapping_write
from goals.domain.lifecycle import CampaignStatus
from hypotheses.domain.lifecycle import HypothesisStatus
from hypotheses.models import Hypothesis
from hypotheses.selectors import hypothesis as hypothesis_get
from kernel.errors import Conflict, IllegalTransition
from manager.domain.lifecycle import ApprovalStatus
from manager.models import Approval
from manager.services.decisions import approval_decide
from manager.services.importing import Draft, Imported, spec_check, spec_import
from teacher.services import Replay, verdict_replay

_OPEN = (CampaignStatus.RUNNING, CampaignStatus.PAUSED)


def hypothesis_check(*, hypothesis_id: uuid.UUID, actor: Actor, campaign: int | None = None) -> Draft:
    """What `hypothesis_plan` would plan; changes nothing. Raises what it raises."""
    found = _to_try(hypothesis_id)
    return spec_check(text=_spec_of(found), actor=actor, campaign=campaign or _own_campaign(found))


def hypothesis_plan(
    *, hypothesis_id: uuid.UUID, actor: Actor, campaign: int | None = None, because: str = ""
) -> Imported:
    """Plan the experiment that tries a registered hypothesis, as `spec_import` plans one that was written.

    In `campaign` (its number), else its own while that is open, else the newest open one. Raises what `spec_import`
    raises, `IllegalTransition` for a hypothesis that is decided or under way, `Conflict` when an experiment waits to
    try it already.
    """
    found = _to_try(hypothesis_id)
    told = because or found.rationale
    return spec_import(text=_spec_of(found), actor=actor, campaign=campaign or _own_campaign(found), because=told)


def _to_try(hypothesis_id: uuid.UUID) -> Hypothesis:
    found = hypothesis_get(hypothesis_id)
    if found.status not in (HypothesisStatus.PLANNED, HypothesisStatus.INCONCLUSIVE):
        raise IllegalTransition(
            f"the hypothesis is {found.status}: only a planned or inconclusive one is tried",
            details={"hypothesis": str(hypothesis_id), "from": found.status},
        )
    open_ = (ExperimentStatus.PLANNED, ExperimentStatus.RUNNING, ExperimentStatus.COMPLETED)
    waits = Experiment.objects.filter(hypothesis=found, status__in=open_).first()
    if waits is not None:
        raise Conflict(
            f"experiment {waits.slug} is to try it already", details={"experiment": waits.slug, "status": waits.status}
        )
    return found


def _own_campaign(found: Hypothesis) -> int | None:
    campaign = found.campaign
    return campaign.number if campaign is not None and campaign.status in _OPEN else None


def _spec_of(found: Hypothesis) -> str:
    """The least that says what it says; guards, sizes and seed are added as for any other spec."""
    place = f"{found.factor}-{found.to_value}"
    slug = f"h-{str(found.pk)[:8]}-{re.sub(r'[^A-Za-z0-9_-]+', '-', place)}"[:100].strip("-")
    tries = len(found.related_experiments)
    spec: dict[str, Any] = {
        "type": "experiment_spec",
        "experiment_id": f"{slug}-{tries + 1}" if tries else slug,
        "variants": [
            {"name": "baseline", "params": {found.factor: found.from_value}},
            {"name": "variant", "params": {found.factor: found.to_value}},
        ],
        "success_criteria": [{"metric": found.metric, "direction": found.direction}],
    }
    return mapping_write(spec, form="json")


def experiment_begin(*, slug: str, actor: Actor, comment: str = "") -> Experiment:
    """Let a planned experiment start: its request to start is approved, and the campaign's next cycle runs it.

    Raises what `approval_decide` raises (`NotAuthorised` below meta-user), `IllegalTransition` for one that is not
    planned any more, `Conflict` when its start is decided already or it starts without being asked for.
    """
    experiment = experiment_by_slug(slug)
    if experiment.status != ExperimentStatus.PLANNED:
        raise IllegalTransition(
            f"experiment {slug} is {experiment.status}: only a planned one starts", details={"from": experiment.status}
        )
    asked = Approval.objects.filter(experiment=experiment, kind="start").first()
    if asked is None:
        raise Conflict(f"experiment {slug} starts by itself in the cycle that planned it", details={"experiment": slug})
    approval_decide(approval_id=asked.id, actor=actor, comment=comment)
    return experiment_by_slug(slug)


def experiment_evaluate(*, slug: str) -> Replay:
    """The verdict, computed again from its stored samples; identical, or where they part. Changes nothing.

    Raises `IllegalTransition` while there is no verdict: looking in between would spend what the planned looks may.
    """
    experiment = experiment_by_slug(slug)
    if result_of(slug) is None:
        raise IllegalTransition(
            f"experiment {slug} is {experiment.status} and has no verdict yet; it is evaluated at its planned looks "
            "and its end, not in between",
            details={"from": experiment.status},
        )
    return verdict_replay(slug=slug)


@dataclass(frozen=True, slots=True)
class Following:
    """How far an experiment is. `runs_done` of `runs_planned` over both arms; `label`, `rate` (runs a second) and
    `left_seconds` as its worker shows them, absent while nobody works on it. `waits_for`: why it does not go on."""

    experiment: Experiment
    runs_done: int
    runs_planned: int
    label: str
    rate: float | None
    left_seconds: float | None
    waits_for: str
    verdict: str


def experiment_follow(*, slug: str) -> Following:
    """How far an experiment is, by its slug. Raises `NotFound`."""
    experiment = experiment_by_slug(slug)
    passes = EvaluationPass.objects.filter(experiment=slug, purpose="experiment").first()
    shown = _shown(experiment)
    result = result_of(slug)
    done, planned = (passes.done, passes.planned) if passes else (0, 2 * experiment.planned_n)
    if experiment.status == ExperimentStatus.RUNNING and shown.get("planned"):
        done = max(done, min(int(shown.get("done", 0)), planned))
    return Following(
        experiment=experiment,
        runs_done=done,
        runs_planned=planned,
        label=str(shown.get("label", "")),
        rate=shown.get("rate"),
        left_seconds=shown.get("left_s"),
        waits_for=_waits_for(experiment, str(shown.get("label", ""))),
        verdict=result.verdict if result else "",
    )


def _shown(experiment: Experiment) -> dict[str, Any]:
    """What the cycle that is at it shows of its progress."""
    if experiment.status not in (ExperimentStatus.PLANNED, ExperimentStatus.RUNNING, ExperimentStatus.COMPLETED):
        return {}
    if experiment.campaign is None:
        return {}
    cycle = experiment.campaign.cycles.filter(finished_at__isnull=True, data__experiment=experiment.slug).first()
    return dict(cycle.progress) if cycle is not None else {}


def _waits_for(experiment: Experiment, label: str) -> str:
    if experiment.status not in (ExperimentStatus.PLANNED, ExperimentStatus.RUNNING):
        return ""
    campaign = experiment.campaign
    if campaign is not None and campaign.status != CampaignStatus.RUNNING:
        return f"campaign {campaign.number} is {campaign.status}"
    if experiment.status == ExperimentStatus.RUNNING:
        return ""
    asked = Approval.objects.filter(experiment=experiment, kind="start").first()
    if asked is not None and asked.status == ApprovalStatus.PENDING:
        return "a person has to approve its start"
    if label.startswith("waits for its turn: "):
        return label.removeprefix("waits for its turn: ")
    return "the campaign's next cycle"
