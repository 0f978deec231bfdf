"""An experiment that a person wrote: checked against registry, goal and history, planned, and put before a person.

It goes the way of every other one: the same statistics, the golden gate, the Tuner's guards, the same approvals. Only
its start always waits for a meta-user, since nobody has screened it.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction

from contracts.actor import Actor, Role
from contracts.experiment_spec import Assignment, ExperimentSpec, SuccessCriterion, VariantSpec
from contracts.goal import Constraint, Target
from contracts.metric import METRICS
from contracts.parameters import ParameterChange
from experiments.domain.lifecycle import ExperimentStatus
from experiments.models import Experiment
from experiments.selectors import split_sizes
from experiments.services import experiment_register
from experiments.spec_text import SpecError, refuse, spec_read
from goals.domain.lifecycle import CampaignStatus
from goals.models import Campaign
from hypotheses.domain.lifecycle import HypothesisStatus
from hypotheses.models import Hypothesis
from hypotheses.selectors import tried
from hypotheses.services import hypothesis_link_experiment, hypothesis_register
from kernel.canonical import derive_seed
from kernel.errors import Conflict, InvalidInput, NotFound
from manager.models import Approval
from manager.services.approval_requests import approval_request
from manager.services.imported_spec import change_read, criteria_errors
from manager.services.journal import journal_write
from teacher.designer import StepHistory
from teacher.designer.candidates import approval_reasons, step_spent
from teacher.designer.guards import guard_criteria
from teacher.domain.gaps import Measured
from tuner.factors import factors_now
from tuner.selectors import active_version, version_values

_OPEN = (CampaignStatus.RUNNING, CampaignStatus.PAUSED)


@dataclass(frozen=True, slots=True)
class Imported:
    """The planned experiment, the request that its start waits for, and what was read otherwise than it was written."""

    experiment: Experiment
    approval: Approval
    notes: tuple[str, ...]


def step_history(campaign: Campaign, metric: str, *, base_version: int) -> list[StepHistory]:
    """What was tried and need not be again.

    Of this campaign: what it tried for this metric; for others what is under way, was confirmed, or failed from this
    very base. Of other campaigns on its data set: what failed for this metric from this very base, which would be the
    same comparison on the same questions; and what won from it and was rolled back since, whatever it was to move:
    to win the same comparison again would be no new evidence, and to apply it again an oscillation.
    """
    same = Hypothesis.objects.filter(
        campaign__dataset=campaign.dataset, metric=metric, base_version=base_version, status=HypothesisStatus.REJECTED
    )
    undone = Hypothesis.objects.filter(
        campaign__dataset=campaign.dataset,
        base_version=base_version,
        status=HypothesisStatus.CONFIRMED,
        experiments__status=ExperimentStatus.ROLLED_BACK,
    ).distinct()
    found = [*tried(campaign), *same.exclude(campaign=campaign), *undone.exclude(campaign=campaign)]
    return [
        StepHistory(
            param=item.factor,
            from_value=item.from_value,
            to_value=item.to_value,
            base_version=item.base_version,
            outcome=item.status,
        )
        for item in found
        if item.metric == metric
        or item.status in ("planned", "running", "confirmed")
        or (item.status == "rejected" and item.base_version == base_version)
    ]


@dataclass(frozen=True, slots=True)
class Draft:
    """A spec that was read, checked and completed, and not planned yet. `base`: the version that is in force."""

    spec: ExperimentSpec
    change: ParameterChange
    metric: str
    campaign: Campaign
    base: int
    notes: tuple[str, ...]

    @property
    def needs_approval(self) -> list[str]:
        """Why applying it would need a person too; empty when it would not."""
        return list(approval_reasons(factors_now()[self.change.param], self.change.from_value, self.change.to_value))


def spec_check(*, text: str, actor: Actor, campaign: int | None = None) -> Draft:
    """What `spec_import` would plan; changes nothing. Raises what it raises, but asks for no more than a viewer."""
    actor.require(Role.VIEWER)
    spec = spec_read(text)
    within = _campaign(campaign, spec.dataset)
    if Experiment.objects.filter(slug=spec.experiment_id).exists():
        raise Conflict(f"there is an experiment {spec.experiment_id!r} already", details={"field": "experiment_id"})
    base = active_version().version
    change, errors = change_read(spec, within, version_values(base))
    errors += criteria_errors(spec)
    if change is None or errors:
        raise refuse(errors)
    metric = next(item.metric for item in spec.success_criteria if not item.is_guard)
    if step_spent(change, step_history(within, metric, base_version=base), base_version=base):
        raise refuse(
            [SpecError("variants", f"{_told(change)} was tested in this campaign before, and is not repeated")]
        )
    spec, notes = _completed(spec, change, metric, within)
    return Draft(spec, change, metric, within, base, notes)


@transaction.atomic
def spec_import(*, text: str, actor: Actor, campaign: int | None = None, because: str = "") -> Imported:
    """Plan the experiment that `text` (YAML or JSON) describes, inside an open campaign.

    `campaign`: its number; without one, the newest that runs or is paused. `because`: why its author expects it.
    Raises `InvalidInput` with every error by its path, `NotFound` without a campaign, `Conflict` for a name that is
    taken.
    """
    actor.require(Role.OPERATOR)
    return _planned(spec_check(text=text, actor=actor, campaign=campaign), actor, because.strip())


def _campaign(number: int | None, dataset: str | None) -> Campaign:
    rows = Campaign.objects.select_related("goal").order_by("-number")
    if number is not None:
        found = rows.filter(number=number).first()
        if found is None:
            raise NotFound(f"there is no campaign {number}")
    else:
        wanted = rows.filter(status__in=_OPEN)
        found = (wanted.filter(dataset=dataset) if dataset else wanted).first()
        if found is None:
            raise NotFound("no campaign is open that could run it: start one first, or resume one")
    if found.status not in _OPEN:
        raise InvalidInput(f"campaign {found.number} is {found.status}: only an open one runs experiments")
    if dataset is not None and dataset != found.dataset:
        raise refuse([SpecError("dataset", f"campaign {found.number} learns on {found.dataset}, not on {dataset}")])
    if found.metrics_before is None:
        raise InvalidInput(f"campaign {found.number} has measured nothing yet, so guards cannot be set; try again soon")
    return found


def _completed(
    spec: ExperimentSpec, change: ParameterChange, metric: str, campaign: Campaign
) -> tuple[ExperimentSpec, tuple[str, ...]]:
    """The spec as it is run: arms of one factor, each question under both, the standing guards beside its own."""
    notes: list[str] = []
    if spec.assignment.mode != "paired":
        notes.append(f"each question is asked under both arms (paired), not {spec.assignment.mode}")
    start = Measured.from_json(campaign.metrics_before or {})
    current = Measured.from_json(campaign.metrics_after or campaign.metrics_before or {})
    standing = guard_criteria(
        focus=metric,
        constraints=[Constraint.model_validate(item) for item in campaign.goal.constraints],
        start=start,
        current=current,
        targets=[Target.model_validate(item) for item in campaign.goal.targets],
    )
    criteria = {(item.metric, item.is_guard): item for item in spec.success_criteria}
    aims = {item.metric for item in spec.success_criteria if not item.is_guard}
    for guard in standing:
        own = criteria.get((guard.metric, True))
        if guard.metric in aims or (own and abs(own.max_delta or 0.0) <= abs(guard.max_delta or 0.0)):
            continue
        criteria[guard.metric, True] = guard
        notes.append(f"{'its margin was too wide, so it is held' if own else 'also held'}: {_guard_told(guard)}")
    size = split_sizes(dataset=campaign.dataset)["validation"]
    seed = spec.seed if spec.seed is not None else derive_seed(campaign.seed, "imported", spec.experiment_id)
    whole = spec.model_copy(
        update={
            "variants": (
                VariantSpec(name="baseline", params={change.param: change.from_value}),
                VariantSpec(name="variant", params={change.param: change.to_value}),
            ),
            "assignment": Assignment(),
            "success_criteria": tuple(criteria.values()),
            "expected_n": size,
            "dataset": campaign.dataset,
            "seed": seed,
        }
    )
    return whole, tuple(notes)


def _guard_told(guard: SuccessCriterion) -> str:
    margin = abs(guard.max_delta or 0.0)
    return f"{METRICS[guard.metric].title.lower()}, {guard.direction.replace('_', ' ')} beyond {margin:g}"


def _told(change: ParameterChange) -> str:
    return f"{change.param} {change.from_value} → {change.to_value}"


def _planned(draft: Draft, actor: Actor, because: str) -> Imported:
    spec, change, metric, campaign, base = draft.spec, draft.change, draft.metric, draft.campaign, draft.base
    aim = next(item for item in spec.success_criteria if not item.is_guard)
    reasons = draft.needs_approval
    verb = "rises" if aim.direction == "increase" else "falls"
    sentence = (
        f"If {change.param} goes from {change.from_value} to {change.to_value}, then {METRICS[metric].title.lower()} "
        f"{verb} on {campaign.dataset} with all else as in version {base}, because "
        f"{because or 'its author expects it'}."
    )
    hypothesis = hypothesis_register(
        campaign=campaign,
        factor=change.param,
        from_value=change.from_value,
        to_value=change.to_value,
        base_version=base,
        metric=metric,
        direction="increase" if aim.direction == "increase" else "decrease",
        actor=actor,
        rationale=because,
        needs_approval=bool(reasons),
        name=_told(change),
        description=sentence,
        tags=[metric, change.param, "imported"],
    )
    experiment = experiment_register(
        spec=spec,
        change=change,
        metric=metric,
        dataset=campaign.dataset,
        base_version=base,
        planned_n=spec.expected_n,
        seed=spec.seed or 0,
        actor=actor,
        campaign_id=campaign.id,
        hypothesis_id=hypothesis.id,
        needs_approval=reasons,
    )
    hypothesis_link_experiment(hypothesis_id=hypothesis.id, experiment=experiment.slug)
    approval = approval_request(
        experiment=experiment,
        kind="start",
        reasons=[f"written by hand by {actor.label}: starting it waits for a person", *reasons],
        evidence={"hypothesis": sentence, "notes": list(draft.notes)},
        proposed_by=actor.label,
    )
    journal_write(
        campaign=campaign,
        key=f"import-{experiment.slug}",
        kind="imported",
        text=f"{sentence} It was written by hand and waits for its start",
        reason="; ".join(draft.notes),
        experiment=experiment.slug,
    )
    return Imported(experiment, approval, draft.notes)
