"""ANALYZING: gaps, candidate steps screened on train data, and one experiment worth running."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from contracts.metric import METRICS
from experiments.selectors import split_sizes
from goals.models import Campaign
from kernel.canonical import derive_seed
from manager.domain.lifecycle import CycleState
from manager.engine.context import Note, Step, StepContext
from manager.engine.planning import Work, plan_write
from manager.engine.prompting import FACTOR, prompt_wanted
from manager.engine.screening import chosen_for_screening, screen, screening_name
from manager.models import Approval
from manager.services.importing import step_history
from manager.services.turns import factors_elsewhere
from teacher.designer import (
    Candidate,
    DesignRequest,
    NoPlan,
    Screened,
    candidates_list,
    plan_explain,
    plan_list,
)
from teacher.designer.candidates import PROMPT_VARIANTS_ABOVE, is_prompt, prompts_first
from teacher.designer.knowledge import STARTING
from teacher.domain.gaps import Measured, MetricGap, focus_order, gaps_compute, targets_met
from teacher.domain.wording import amount
from teacher.knowledge import Occasion, knowledge_read, observations_record
from tuner.factors import factors_now, offered
from tuner.selectors import version_values

_PATIENCE = 2
"""Cycles in a row without a promising step before the campaign ends: one looks at single steps, the next at wider."""


def step(context: StepContext) -> Step:
    """Targets met → the campaign ends. Else find the step with the best promise and plan its experiment.

    The first gap in order of importance for which screening promises something is worked on; a critical gap comes
    before the goal. Without any promise the cycle ends, and the next one also looks at wider steps.
    """
    data = context.cycle.data
    start = Measured.from_json(context.campaign.metrics_before or data["validation"])
    validation, train = Measured.from_json(data["validation"]), Measured.from_json(data["train"])
    reached = gaps_compute(current=validation, start=start, targets=context.targets)
    unmeasured = _unmeasured(context, reached)
    if targets_met(reached) and not unmeasured and _answers_enough(validation):
        text = "; ".join(
            f"{METRICS[gap.metric].title} is {amount(gap.metric, gap.current)}" for gap in reached if gap.of_goal
        )
        return _end(reached, "targets met", f"the targets are met on validation: {text}")
    approved = Approval.objects.filter(campaign=context.campaign, kind="start", experiment__status="planned").filter(
        status="approved"
    )
    waiting = approved.order_by("decided_at").select_related("experiment").first()
    if waiting is not None:
        return Step(
            state=CycleState.TUNING,
            data={
                "experiment": waiting.experiment.slug,
                "focus": _focus_of(context, waiting.experiment.cycle),
                "gaps": [gap.to_json() for gap in reached],
            },
            notes=(Note("approved", f"the approved experiment {waiting.experiment.slug} starts"),),
        )
    seen = gaps_compute(current=train, start=start, targets=context.targets)
    focus = focus_order(seen) or focus_order(reached)
    if not focus and unmeasured:
        titles = ", ".join(METRICS[name].title.lower() for name in unmeasured)
        text = f"all that can be measured is reached; {titles} cannot be measured on {context.campaign.dataset}"
        return _end(reached, "not measured", text)
    return _design(context, focus, reached, start, validation)


def _answers_enough(validation: Measured) -> bool:
    """Averages are over runs that succeeded: while more fail than is usual, nothing counts as reached."""
    usual = METRICS["error_rate"].target or 0.0
    return (validation.value("error_rate") or 0.0) <= usual


def _focus_of(context: StepContext, number: int | None) -> dict[str, Any]:
    """What the cycle that planned an experiment was working on; its category decides which questions are tested."""
    planned = context.campaign.cycles.filter(number=number or 0).first()
    return dict(planned.data.get("focus", {})) if planned is not None else {}


def _unmeasured(context: StepContext, gaps: Sequence[MetricGap]) -> list[str]:
    """Metrics that the goal names and that no run of this data set has a value for."""
    measured = {gap.metric for gap in gaps if gap.of_goal}
    return [target.metric for target in context.targets if target.metric not in measured]


def _end(gaps: Sequence[MetricGap], reason: str, text: str, *, within: Callable[[], None] | None = None) -> Step:
    return Step(
        state=CycleState.IDLE,
        data={"gaps": [gap.to_json() for gap in gaps]},
        notes=(Note("ended", text),),
        finish="no_gap" if reason == "targets met" else "no_candidate",
        finish_text=text,
        end_campaign=text,
        within=within,
    )


def _design(
    context: StepContext, focus: Sequence[MetricGap], gaps: Sequence[MetricGap], start: Measured, current: Measured
) -> Step:
    version = context.cycle.data["version"]
    stalled = _before(context, "stalled")
    lists, prompts = steps_offered(context, focus, version, invented=current.value("hallucination_rate"))
    union, left_out = chosen_for_screening(
        context, list(lists.values()), version, again=_before(context, "left_out") > 0
    )
    notes = list(prompts)
    record: Callable[[], None] | None = None
    if union:
        screened_runs = screen(context, union, version, focus)
        record = partial(_remember, context, screened_runs(None), focus, version)
        for explore in (False, True):
            for gap in focus:
                wanted = {item.arm for item in lists[_focus_key(gap)]}
                screened = [item for item in screened_runs(gap.category) if item.candidate.arm in wanted]
                request = _request(context, gap, start, current, version, screened)
                plans = plan_list(request, screened, explore=explore)
                if not isinstance(plans, NoPlan):
                    considered = plan_explain(request, screened, plans[0].change)
                    return plan_write(context, plans, considered, Work(gap, gaps, screened, notes, record))
                if not explore:
                    notes.append(_no_plan_note(gap, plans))
    text = "; ".join(note.text for note in notes[len(prompts) :]) or "every allowed step was tested before"
    if left_out:
        return Step(
            state=CycleState.IDLE,
            data={"gaps": [gap.to_json() for gap in gaps], "stalled": stalled, "left_out": left_out},
            notes=tuple(notes),
            finish="no_candidate",
            finish_text=f"{text}; {left_out} more steps wait to be screened in the next cycle",
            within=record,
        )
    if stalled + 1 >= _PATIENCE or not focus:
        return _end(gaps, "no candidate", f"nothing left that promises an improvement: {text}", within=record)
    return Step(
        state=CycleState.IDLE,
        data={"gaps": [gap.to_json() for gap in gaps], "stalled": stalled + 1},
        notes=tuple(notes),
        finish="no_candidate",
        finish_text=f"{text}; the next cycle looks at wider steps, which need approval",
        within=record,
    )


def steps_offered(
    context: StepContext, focus: Sequence[MetricGap], version: int, *, invented: float | None
) -> tuple[dict[tuple[str, str | None], list[Candidate]], list[Note]]:
    """The steps worth screening for each gap, most promising first, and what to note of them.

    After a cycle without a promising step wider steps are offered too. With more answers that make something up than
    `PROMPT_VARIANTS_ABOVE` (`invented`: their share), versions of the responder's prompt come first, and a model, if
    there is one, writes another.
    """
    known = knowledge_read(until=context.cycle.created_at, starting=STARTING)
    elsewhere = factors_elsewhere(context.campaign)
    taken = set(elsewhere) | factors_waiting(context.campaign)
    factors = offered(factors_now())
    free = [key for key in context.allowed if key not in taken and key in factors]
    lists = {
        _focus_key(gap): candidates_list(
            factors=factors,
            allowed=free,
            current=version_values(version),
            metric=gap.metric,
            base_version=version,
            history=step_history(context.campaign, gap.metric, base_version=version),
            wider=_before(context, "stalled") > 0,
            knowledge=known,
        )
        for gap in focus
    }
    notes = [
        Note("left_out", f"{key} is left out: {who} is testing it now", "a parameter is under one experiment at a time")
        for key, who in sorted(elsewhere.items())
        if key in context.allowed
    ]
    if invented is None or invented <= PROMPT_VARIANTS_ABOVE:
        return lists, notes
    lists = {key: prompts_first(items) for key, items in lists.items()}
    versions = sorted({str(item.change.to_value) for items in lists.values() for item in items if is_prompt(item)})
    if FACTOR in free:
        notes += prompt_wanted(context, version=version, invented=invented, untested=set(versions))
    if not versions:
        return lists, notes
    why = f"hallucination is {amount('hallucination_rate', invented)}, above {PROMPT_VARIANTS_ABOVE:g}"
    text = f"{why}: {', '.join(versions)} of the responder's prompts are screened first"
    return lists, [*notes, Note("prompts", text, "a stricter prompt is what lowers it most often")]


def _remember(context: StepContext, screened: Sequence[Screened], focus: Sequence[MetricGap], version: int) -> None:
    """What was screened refines what is known; written in the transaction that commits the step."""
    observations_record(
        occasion=Occasion("screening", screening_name(context), context.campaign.dataset, version),
        seen=[(item.candidate.change, item.differences) for item in screened],
        also=[METRICS[gap.metric].source or gap.metric for gap in focus],
    )


def factors_waiting(campaign: Campaign) -> set[str]:
    """Factors on which a person has yet to decide: a second proposal on one of them would only contradict the first."""
    waiting = Approval.objects.filter(campaign=campaign, status="pending")
    return set(waiting.values_list("experiment__factor", flat=True))


def _focus_key(gap: MetricGap) -> tuple[str, str | None]:
    return gap.metric, gap.category


def _before(context: StepContext, name: str) -> int:
    """A count that the cycle before left behind; 0 when it left none."""
    previous = context.campaign.cycles.filter(number=context.cycle.number - 1).first()
    return int(previous.data.get(name, 0)) if previous is not None else 0


def _request(
    context: StepContext,
    gap: MetricGap,
    start: Measured,
    current: Measured,
    version: int,
    screened: Sequence[Screened],
) -> DesignRequest:
    promising = screened[0].candidate.change.param if screened else "none"
    return DesignRequest(
        name=f"{context.name}-{promising}",
        dataset=context.campaign.dataset,
        gap=gap,
        constraints=context.constraints,
        start=start,
        current=current,
        base_version=version,
        n=split_sizes(dataset=context.campaign.dataset)["validation"],
        seed=derive_seed(context.campaign.seed, "experiment", context.cycle.number),
        targets=context.targets,
    )


def _no_plan_note(gap: MetricGap, plan: NoPlan) -> Note:
    return Note("no_plan", f"{METRICS[gap.metric].title}: {plan.reason}")
