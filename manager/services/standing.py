"""Standing A/A: two identical arms through the parts that every experiment goes through, to count false verdicts.

Prepared arms, both over the validation examples, captured, judged, evaluated with the policy's looks; golden is not
touched, nothing can be applied, and the ledger of false discoveries is not spent. The arms' runs get different seeds
(in an experiment they share them), so what the arms differ in is the student's own variation, and time.
"""

from __future__ import annotations

from collections.abc import Callable

from django.db.models import F
from django.utils import timezone

from contracts.actor import Actor, component
from contracts.evaluation import Evaluation
from contracts.recommendation import Recommendation
from experiments.domain.looks import decided_early, look_row, look_sizes, looking_order, sizes_spent
from experiments.models import Experiment, StandingTest
from experiments.runner import PassPlan, PassProgress, pass_close, pass_run
from experiments.selectors import dataset_by_name, examples
from experiments.services import result_record
from incidents.services import incident_open
from kernel.canonical import derive_seed
from kernel.errors import InvalidInput
from maas.client import MaasClient
from manager.domain.standing import LIMIT, Share, spec_of, target
from manager.engine.passes import recorded
from manager.services.campaigns import parallel
from manager.services.judging import judging_current
from manager.services.policy import policy_current
from teacher.evaluated import Evaluated, Looks, evaluated
from teacher.judges import OnProgress, judging_begin
from teacher.statistics import MIN_SAMPLES_PER_VARIANT
from teacher.statistics.shares import exact_interval
from tuner.selectors import active_version
from tuner.services import experiment_prepare

MANAGER: Actor = component("manager")
INCIDENT = "standing_aa"


def standing_run(
    *,
    dataset: str,
    client: MaasClient,
    on_progress: Callable[[PassProgress], None] | None = None,
    on_judged: OnProgress | None = None,
) -> StandingTest:
    """Run one A/A experiment to its verdict; one that was begun and not finished is gone on with.

    Opens an incident when so many verdicts were false that chance does not explain it. Raises `NotFound` for an
    unknown data set, `InvalidInput` when it has too few validation questions for a verdict.
    """
    dataset_by_name(dataset)
    over = examples(dataset=dataset, split="validation")
    if len(over) < MIN_SAMPLES_PER_VARIANT:
        raise InvalidInput(
            f"{dataset!r} has {len(over)} validation questions; a verdict needs {MIN_SAMPLES_PER_VARIANT}"
        )
    test = _begun(dataset, len(over))
    arms = experiment_prepare(
        experiment=f"standing-aa-v{test.base_version}",
        arms={"baseline": {}, "variant": {}},
        base_version=test.base_version,
        actor=MANAGER,
    )
    judging_begin(batch=test.slug, judging=judging_current())
    seed = derive_seed(test.slug)
    experiment = Experiment(
        slug=test.slug,
        spec=spec_of(test.slug, number=test.number, dataset=dataset, seed=seed, n=len(over)).to_mission_json(),
        metric=test.metric,
        arm_versions=arms,
    )
    plan = PassPlan(
        batch=test.slug,
        dataset=dataset,
        split="validation",
        purpose="experiment",
        arms=arms,
        examples=looking_order(over, seed=seed),
        seed=seed,
        arm_seeds={arm: derive_seed(test.slug, arm) for arm in arms},
        experiment=test.slug,
        parallel=parallel(),
    )
    looks = list(test.looks)
    for size in test.look_sizes[len(looks) : -1]:
        if decided_early(looks):
            break
        recorded(pass_run(plan.until(size), client=client, on_progress=on_progress))
        sizes = (*(row["n"] for row in looks), size)
        found = _evaluated(experiment, Looks(sizes, test.look_sizes[-1]), on_judged).evaluation
        looks.append(
            look_row(
                n=size,
                verdict=str(found.verdict),
                p_value=found.criteria[0].p_value,
                level=found.criteria[0].level,
            )
        )
        StandingTest.objects.filter(id=test.id, verdict="").update(looks=looks)
    if decided_early(looks):
        pass_close(batch=test.slug)
    else:
        recorded(pass_run(plan, client=client, on_progress=on_progress))
    sizes = sizes_spent(test.look_sizes, looks, complete=True)
    _finish(test, _evaluated(experiment, Looks(sizes, (sizes and test.look_sizes[-1]) or None), on_judged), sizes)
    _watch(dataset)
    test.refresh_from_db()
    return test


def standing_share(*, dataset: str) -> Share:
    """How many of the A/A experiments on a data set that could have found it found what is not there."""
    finished = StandingTest.objects.filter(dataset=dataset).exclude(verdict="")
    tests = list(finished.filter(alike__lt=F("n")).values_list("verdict", flat=True))
    alike = finished.count() - len(tests)
    false = sum(verdict != "inconclusive" for verdict in tests)
    if not tests:
        return Share(0, 0, alike, None, None, None)
    return Share(len(tests), false, alike, false / len(tests), *exact_interval(false, len(tests)))


def _begun(dataset: str, total: int) -> StandingTest:
    """The test that was not finished, or the next one."""
    open_one = StandingTest.objects.filter(dataset=dataset, verdict="").order_by("number").first()
    if open_one is not None:
        return open_one
    last = StandingTest.objects.filter(dataset=dataset).order_by("-number").first()
    number = last.number + 1 if last else 1
    test, _ = StandingTest.objects.get_or_create(
        dataset=dataset,
        number=number,
        defaults={
            "slug": f"standing-aa-{dataset}-{number}",
            "metric": target(number)[0],
            "base_version": active_version().version,
            "look_sizes": look_sizes(total, looks=policy_current().looks_per_experiment, floor=MIN_SAMPLES_PER_VARIANT),
        },
    )
    return test


def _evaluated(experiment: Experiment, looks: Looks, on_judged: OnProgress | None) -> Evaluated:
    """Agreement of judges is not asked for: a mark that people would not share is the same in both arms."""
    return evaluated(
        experiment,
        experiment.slug,
        looks=looks,
        category=None,
        judging=judging_current(),
        rule=None,
        on_progress=on_judged,
    )


def _finish(test: StandingTest, found: Evaluated, sizes: tuple[int, ...]) -> None:
    """Store the verdict with its samples, for replay, and close the test."""
    evaluation: Evaluation = found.evaluation
    result_record(
        evaluation=evaluation,
        spec=found.spec,
        samples=found.samples,
        recommendation=Recommendation(
            action="keep",
            experiment_id=test.slug,
            reason=f"{evaluation.verdict} of two identical arms: nothing to apply",
        ),
        judge_version=found.judge_version,
        by_category={},
        looks=sizes,
        horizon=test.look_sizes[-1] if sizes else None,
    )
    values: dict[str, list[float]] = {}
    for sample in found.samples:
        value = sample.metrics.get(test.metric)
        if value is not None:
            values.setdefault(sample.example_id, []).append(value)
    StandingTest.objects.filter(id=test.id, verdict="").update(
        verdict=str(evaluation.verdict),
        p_value=evaluation.criteria[0].p_value,
        n=evaluation.n,
        alike=sum(len(pair) == 2 and pair[0] == pair[1] for pair in values.values()),
        finished_at=timezone.now(),
    )


def _watch(dataset: str) -> None:
    share = standing_share(dataset=dataset)
    if share.too_many:
        incident_open(
            kind=INCIDENT,
            severity="critical",
            title="Experiments find differences that are not there",
            detail=f"{share.false} of {share.tests} experiments of two identical arms on {dataset} ended with a "
            f"verdict: at least {share.low:.1%} would, where {LIMIT:.1%} is the limit. Verdicts on this data set are "
            "in doubt.",
            subject=f"dataset:{dataset}",
            actor=MANAGER,
        )
