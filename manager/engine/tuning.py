"""TUNING: the experiment runs paired on validation, gets its verdict, passes the golden gate, and policy decides.

Each part is one status of the experiment, so a killed worker's successor goes on where the status says.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from django.db import transaction

from audit.services import chain_lock
from contracts.change import ChangeProposal
from contracts.evaluation import Verdict
from contracts.parameters import ParameterChange
from contracts.recommendation import Recommendation
from experiments.domain.lifecycle import ExperimentStatus
from experiments.models import Experiment, ExperimentResult
from experiments.selectors import experiment_by_slug, result_of
from experiments.services import experiment_transition, golden_record
from hypotheses.domain.lifecycle import HypothesisStatus
from hypotheses.selectors import hypothesis as hypothesis_get
from hypotheses.services import hypothesis_next_steps, hypothesis_transition
from manager.domain.lifecycle import CycleState
from manager.domain.policy import Decision, decide, decide_start, factor_asked
from manager.engine.context import MANAGER, TEACHER, Held, Note, Step, StepContext
from manager.engine.gate import golden_gate, looks_spent, refusal_on
from manager.engine.passes import judged, judging_of, judging_shown
from manager.engine.running import batch_of, run, start
from manager.models import Approval
from manager.services.approval_requests import approval_request
from manager.services.daily import enough_today
from manager.services.policy import agreement_rule, policy_current
from manager.services.telling import tell_applied, tell_golden_refused
from manager.services.turns import factors_elsewhere, waits_for
from teacher.discoveries import above_level, discovery_enter
from teacher.services import OUTCOMES, experiment_analyze
from tuner.selectors import active_version, factor_moved
from tuner.services import change_apply, change_check

REFUSED_NEXT = {
    "golden": "it was not applied: try another factor",
    "guard": "it was not applied: try a smaller step, or another factor",
}
"""What to try after a winner that was not applied; after a verdict the recommendation says it."""


def step(context: StepContext) -> Step:
    """Bring the cycle's experiment to its decision."""
    experiment = experiment_by_slug(context.cycle.data["experiment"])
    if experiment.status == ExperimentStatus.PLANNED:
        start_decision = decide_start(context.leeway)
        if start_decision.kind == "ask" and not _start_approved(experiment):
            return _ask_to_start(experiment, start_decision)
    if experiment.status == ExperimentStatus.PLANNED:
        taken = factors_elsewhere(context.campaign).get(experiment.factor)
        if taken is not None:
            reason = f"{taken} is testing {experiment.factor} now: a parameter is under one experiment at a time"
            return _rejected(experiment, reason, "conflict")
    experiment = _run(context, experiment)
    if experiment.status == ExperimentStatus.REJECTED:
        return _finished(experiment, experiment.decision_reason)
    result = _analyzed(context, experiment)
    experiment = experiment_by_slug(experiment.slug)
    decided = _decided(context, experiment, result)
    if not experiment.ended_early:
        return decided
    early = Note("ended_early", f"{experiment.slug} ended early", experiment.ended_early, experiment.slug)
    return replace(decided, notes=(early, *decided.notes))


def _decided(context: StepContext, experiment: Experiment, result: ExperimentResult) -> Step:
    if experiment.status != ExperimentStatus.ANALYZED:
        return _finished(experiment, f"decided before: {experiment.decision or experiment.status}")
    if result.verdict != Verdict.WINNER:
        reason = result.recommendation["reason"]
        return _rejected(experiment, f"verdict {result.verdict}: {reason}", "verdict")
    spent = looks_spent(experiment, base=experiment.base_version)
    if spent:
        golden_record(slug=experiment.slug, golden={"passed": None, "reason": spent, "rows": {}})
        return _decide(context, experiment, result, f"golden was not asked: {spent}")
    decision = golden_gate(context, experiment)
    golden_record(slug=experiment.slug, golden=decision.to_json())
    if not decision.passed:
        return _rejected(experiment, f"the golden gate refuses: {decision.reason}", "golden")
    return _decide(context, experiment, result, decision.reason)


def _start_approved(experiment: Experiment) -> bool:
    return Approval.objects.filter(experiment=experiment, kind="start", status="approved").exists()


def _ask_to_start(experiment: Experiment, decision: Decision) -> Step:
    text = f"{experiment.factor} {experiment.from_value} → {experiment.to_value}: the start waits for a person"

    def write() -> None:
        approval_request(
            experiment=experiment,
            kind="start",
            reasons=list(decision.reasons),
            evidence={"hypothesis": experiment.hypothesis.description if experiment.hypothesis else ""},
            proposed_by=TEACHER.label,
        )

    return Step(
        state=CycleState.IDLE,
        notes=(Note("waits", text, experiment=experiment.slug),),
        finish="waits",
        finish_text=text,
        within=write,
    )


def _run(context: StepContext, experiment: Experiment) -> Experiment:
    """Planned → running → completed: both arms over the validation examples, interleaved."""
    if experiment.status == ExperimentStatus.PLANNED:
        experiment = _start_in_turn(context, experiment)
    if experiment.status == ExperimentStatus.RUNNING:
        _hypothesis(experiment, HypothesisStatus.RUNNING, "its experiment started")
        experiment = run(context, experiment)
    return experiment


def _start_in_turn(context: StepContext, experiment: Experiment) -> Experiment:
    """Raises `Held` while others come first. Of two that start at once the second sees the first."""
    with transaction.atomic():
        chain_lock()
        taken = factors_elsewhere(context.campaign).get(experiment.factor)
        reason = f"{taken} has just begun with it" if taken else waits_for(experiment, context.campaign)
        if reason:
            raise Held(reason)
        return start(context, experiment)


def _analyzed(context: StepContext, experiment: Experiment) -> ExperimentResult:
    if experiment.status == ExperimentStatus.COMPLETED:
        focus = context.cycle.data.get("focus", {})
        judging = judging_of(context, batch_of(experiment))
        result = experiment_analyze(
            slug=experiment.slug,
            batch=batch_of(experiment),
            category=focus.get("category"),
            judging=judging,
            rule=agreement_rule(),
            on_progress=judging_shown(context),
        )
        judged(context, batch_of(experiment), judging)
        discovery_enter(slug=experiment.slug)
        # The hypothesis first: a worker killed in between finds the experiment completed and comes here again.
        told = result.recommendation
        _hypothesis(experiment, OUTCOMES[Verdict(result.verdict)], told["reason"], next_steps=told["next_steps"])
        experiment_transition(
            slug=experiment.slug,
            target=ExperimentStatus.ANALYZED,
            actor=TEACHER,
            reason=f"{result.verdict}: {result.recommendation['reason']}",
        )
        return result
    stored = result_of(experiment.slug)
    assert stored is not None  # noqa: S101 - analyzed means that the result was stored before
    return stored


def _hypothesis(
    experiment: Experiment, target: HypothesisStatus, reason: str, *, next_steps: Sequence[str] | None = None
) -> None:
    """Move the hypothesis along; already there, or resolved by an earlier try, is fine."""
    if experiment.hypothesis_id is None:
        return
    source = HypothesisStatus(hypothesis_get(experiment.hypothesis_id).status)
    if source == target or (target is HypothesisStatus.RUNNING and source is not HypothesisStatus.PLANNED):
        return
    hypothesis_transition(
        hypothesis_id=experiment.hypothesis_id,
        source=source,
        target=target,
        actor=TEACHER,
        reason=reason,
        next_steps=next_steps,
    )


def proposal_of(experiment: Experiment, result: ExperimentResult, base_version: int) -> ChangeProposal:
    """The Teacher's recommendation as the Tuner takes it."""
    recommendation = Recommendation.from_mission_json(result.recommendation)
    return ChangeProposal(
        changes=recommendation.changes,
        reason=recommendation.reason,
        experiment=experiment.slug,
        base_version=base_version,
        tested=True,
        evidence_at=result.created_at,
    )


def _decide(context: StepContext, experiment: Experiment, result: ExperimentResult, golden: str) -> Step:
    base, policy = active_version().version, policy_current()
    change = Recommendation.from_mission_json(result.recommendation).changes[0]
    unasked = looks_spent(experiment, base=base)
    refusal = (
        factor_moved(change, base=base)
        if unasked
        else refusal_on(experiment, change, base=base, client=context.client, parallel=context.parallel)
    )
    if refusal:
        return _rejected(experiment, refusal, "golden", told=not factor_moved(change, base=base))
    proposal = proposal_of(experiment, result, base)
    decision = decide(
        leeway=context.leeway,
        violations=change_check(proposal=proposal),
        unasked=unasked,
        above_level=above_level(discovery_enter(slug=experiment.slug)),
        enough_today=enough_today(),
        asked=factor_asked(experiment.factor, policy.asked_factors),
    )
    if decision.kind == "refuse":
        return _rejected(experiment, f"a guard refuses: {'; '.join(decision.reasons)}", "guard")
    if decision.kind == "ask":
        return _ask(experiment, result, decision, golden)
    text = _told(change, result)

    def write() -> None:
        applied = change_apply(proposal=proposal, actor=MANAGER)
        tell_applied(experiment, applied, reason=result.recommendation["reason"])
        experiment_transition(
            slug=experiment.slug,
            target=ExperimentStatus.APPLIED,
            actor=MANAGER,
            reason=f"{'; '.join(decision.reasons)}; {golden}",
            decision="applied",
            decision_reason=f"applied as version {applied.version}: {'; '.join(decision.reasons)}; {golden}",
            policy_version=policy.version,
        )

    return Step(
        state=CycleState.IDLE,
        notes=(Note("applied", text, f"{'; '.join(decision.reasons)}; {golden}", experiment.slug),),
        finish="applied",
        finish_text=text,
        within=write,
    )


def _told(change: ParameterChange, result: ExperimentResult) -> str:
    return f"{change.param} {change.from_value} → {change.to_value}: {result.recommendation['reason']}"


def _ask(experiment: Experiment, result: ExperimentResult, decision: Decision, golden: str) -> Step:
    text = _told(Recommendation.from_mission_json(result.recommendation).changes[0], result)
    evidence: dict[str, Any] = {
        "verdict": result.verdict,
        "reason": result.recommendation["reason"],
        "gained": result.recommendation["gained"],
        "given_up": result.recommendation["given_up"],
        "acceptable_because": result.recommendation["acceptable_because"],
        "golden": golden,
        "golden_rows": (result_of(experiment.slug) or result).golden.get("rows", {}),
        "criteria": result.evaluation["criteria"],
    }

    def write() -> None:
        approval_request(
            experiment=experiment,
            kind="apply",
            reasons=list(decision.reasons),
            evidence=evidence,
            proposed_by=TEACHER.label,
        )

    return Step(
        state=CycleState.IDLE,
        notes=(Note("waits", text, "; ".join(decision.reasons), experiment.slug),),
        finish="waits",
        finish_text=text,
        within=write,
    )


def _rejected(experiment: Experiment, reason: str, by: str, *, told: bool = True) -> Step:
    """`told`: whether people outside are told, when it is the golden set that refuses."""
    text = f"{experiment.factor} {experiment.from_value} → {experiment.to_value} refused"

    def write() -> None:
        experiment_transition(
            slug=experiment.slug,
            target=ExperimentStatus.REJECTED,
            actor=MANAGER,
            reason=reason,
            decision=f"refused:{by}",
            decision_reason=reason,
            policy_version=policy_current().version,
        )
        if told and by == "golden":
            tell_golden_refused(experiment, reason=reason)
        if experiment.hypothesis_id is not None and by in REFUSED_NEXT:
            hypothesis_next_steps(hypothesis_id=experiment.hypothesis_id, next_steps=[REFUSED_NEXT[by]])

    return Step(
        state=CycleState.IDLE,
        notes=(Note("refused", text, reason, experiment.slug),),
        finish="refused",
        finish_text=f"{text}: {reason}",
        within=write,
    )


def _finished(experiment: Experiment, text: str) -> Step:
    return Step(state=CycleState.IDLE, finish=str(experiment.status), finish_text=text)
