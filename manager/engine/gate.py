"""A deciding look at the golden set: baseline and variant of an experiment, once, counted against the budget."""

from __future__ import annotations

from collections.abc import Mapping

from contracts.parameters import ParameterChange
from experiments.domain.examples import seal_hash
from experiments.golden import golden_examples
from experiments.models import EvaluationPass, Experiment
from experiments.runner import PassPlan, pass_run
from experiments.selectors import golden_looks
from kernel.errors import Conflict
from maas.client import MaasClient
from manager.domain.golden import CategoryValues, GateDecision, failures_priced, gate, mode_for
from manager.engine.context import MANAGER, StepContext
from manager.engine.passes import examples_of, judged, judging_of, judging_shown, recorded, run_pass
from manager.engine.spending import Metered
from manager.models import Cycle
from manager.services.judging import judge_distrusted, judging_current
from manager.services.policy import policy_current
from teacher.aggregator import Aggregate
from teacher.judges import batch_judge
from teacher.services import batch_measure
from tuner.selectors import factor_moved
from tuner.services import experiment_prepare


def golden_gate(context: StepContext, experiment: Experiment) -> GateDecision:
    """Run both arms on golden and decide. Ask `looks_spent` before.

    Raises `Conflict` when the golden set is not the one that was sealed.
    """
    batch = _batch(experiment, experiment.base_version)
    over = examples_of(context, "golden")
    run_pass(
        context,
        batch=batch,
        split="golden",
        purpose="gate",
        arms=experiment.arm_versions,
        over=over,
        label=f"golden gate for {experiment.factor} → {experiment.to_value}",
        experiment=experiment.slug,
    )
    judging = judging_of(context, batch)
    batch_judge(batch=batch, judging=judging, on_progress=judging_shown(context))
    judged(context, batch, judging)
    return _decided(experiment, batch, policy_current().golden_mode, len(over))


def _name(experiment: Experiment, base: int) -> str:
    return experiment.slug if base == experiment.base_version else f"{experiment.slug}-on-v{base}"


def _batch(experiment: Experiment, base: int) -> str:
    return f"{_name(experiment, base)}-golden"


def gate_look(
    *, experiment: str | None, base: int
) -> list[tuple[Mapping[str, float | None], Mapping[str, float | None]]]:
    """What the gate measured of a change on this base, before and after; empty when it never looked."""
    found = Experiment.objects.filter(slug=experiment).first() if experiment else None
    if found is None:
        return []
    batch = _batch(found, base)
    if not EvaluationPass.objects.filter(batch=batch, finished_at__isnull=False).exists():
        return []
    judging = judging_current()
    before = batch_measure(batch=batch, variant="baseline", judging=judging)
    after = batch_measure(batch=batch, variant="variant", judging=judging)
    return [(before.metrics, failures_priced(after.metrics, after.counts))]


def _decided(experiment: Experiment, batch: str, mode: str, examples: int) -> GateDecision:
    """The gate over a finished look. Raises `Conflict` unless each example was recorded under both arms, and some of
    the answers of each were judged: what no judge looked at has not passed."""
    judging = judging_current()
    before = batch_measure(batch=batch, variant="baseline", judging=judging)
    after = batch_measure(batch=batch, variant="variant", judging=judging)
    if (before.n, after.n) != (examples, examples):
        raise Conflict(
            f"{before.n} and {after.n} of {examples} golden runs were recorded: without the others nothing is decided"
        )
    if _unjudged(before) or _unjudged(after):
        raise Conflict("no golden answer was judged: without that nothing is decided (see what the judge may spend)")
    return gate(
        before=before.metrics,
        after=failures_priced(after.metrics, after.counts),
        metric=experiment.metric,
        mode=mode_for(experiment.metric, mode),
        category=_category_values(experiment, before, after),
        distrusted=judge_distrusted(batch=batch),
    )


def _unjudged(arm: Aggregate) -> bool:
    """Whether there were answers, and no judge said anything of them."""
    return arm.metrics["error_rate"] != 1.0 and not arm.counts["hallucination_rate"]


def _category_values(experiment: Experiment, before: Aggregate, after: Aggregate) -> CategoryValues | None:
    """The goal's metric in the category that the experiment was planned for; None when it was planned for all, or
    when golden has no such questions (then the metric is measured as a whole, as everywhere)."""
    cycles = (
        experiment.campaign.cycles.filter(number=experiment.cycle or 0) if experiment.campaign else Cycle.objects.none()
    )
    planned = cycles.first()
    name = (planned.data.get("focus") or {}).get("category") if planned is not None else None
    if name is None or name not in before.by_category or name not in after.by_category:
        return None
    first, last = before.by_category[name], after.by_category[name]
    metric = experiment.metric
    return CategoryValues(name, first.metrics.get(metric), failures_priced(last.metrics, last.counts).get(metric))


def looks_spent(experiment: Experiment, *, base: int) -> str:
    """Why golden may not decide on this change any more, so that a person must; empty when it may, or when this very
    look was begun before. Looks are budgeted by data set, and by campaign: monitoring passes are not looks."""
    if EvaluationPass.objects.filter(batch=_batch(experiment, base)).exists():
        return ""
    policy, dataset = policy_current(), experiment.dataset
    looks = golden_looks(dataset=dataset)
    if looks >= policy.golden_budget:
        return f"the golden set of {dataset} was looked at {looks} times: its budget is spent, renew it"
    if experiment.campaign_id is None:
        return ""
    looks = golden_looks(dataset=dataset, campaign_id=experiment.campaign_id)
    if looks >= policy.golden_looks_per_campaign:
        return (
            f"this campaign looked at the golden set of {dataset} {looks} times, which is all it may: a further look "
            "would teach it what the set holds"
        )
    return ""


def refusal_on(experiment: Experiment, change: ParameterChange, *, base: int, client: MaasClient, parallel: int) -> str:
    """Why a change that was tested on another base must not be applied on `base`; empty when it may.

    The factor must still have the value that the test started from. Then golden decides between "active now" and
    "active now with the change": evidence from another base is not carried over.
    """
    refusal = factor_moved(change, base=base)
    if refusal or base == experiment.base_version:
        return refusal
    spent = looks_spent(experiment, base=base)
    if spent:
        return spent
    name, batch = _name(experiment, base), _batch(experiment, base)
    began = experiment.campaign.started_at if experiment.campaign else None
    over = golden_examples(dataset=experiment.dataset, at=began)
    arms = experiment_prepare(
        experiment=name,
        arms={"baseline": {}, "variant": {change.param: change.to_value}},
        base_version=base,
        actor=MANAGER,
    )
    truths = pass_run(
        PassPlan(
            batch=batch,
            dataset=experiment.dataset,
            split="golden",
            purpose="gate",
            arms=arms,
            examples=over,
            seed=experiment.seed,
            experiment=name,
            parallel=parallel,
            golden_hash=seal_hash(over),
            campaign_id=experiment.campaign_id,
        ),
        client=client,
    )
    recorded(truths)
    if isinstance(client, Metered):
        client.owe([truth.run_id for truth in truths])
    decision = _decided(experiment, batch, policy_current().golden_mode, len(over))
    return "" if decision.passed else f"on top of version {base}: {decision.reason}"
