"""One leased step of a cycle, and what comes after a cycle."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import structlog
from django.db import InterfaceError, OperationalError, transaction
from django.utils import timezone

from audit.services import chain_lock
from goals.domain.lifecycle import CampaignStatus
from goals.models import Campaign
from goals.services import campaign_transition
from kernel.canonical import stable_hash
from kernel.errors import Conflict, DomainError
from maas.client import MaasClient
from manager.domain.lifecycle import CYCLE, CycleState
from manager.engine import analyzing, closing, emulating, evaluating, tuning
from manager.engine.context import MANAGER, Courtesy, Held, Show, Step, StepContext, Yielded
from manager.engine.courtesy import stand_back, yielded_tell
from manager.engine.lease import Lease, LeaseLost, leased
from manager.engine.spending import BudgetSpent, Meter, Metered
from manager.models import Cycle
from manager.reports.content import report_write
from manager.services.campaigns import cycle_rest, dataset_refuse_empty
from manager.services.journal import journal_write
from manager.services.policy import policy_current
from manager.services.telling import tell_failed

log = structlog.get_logger(__name__)

STEPS: dict[CycleState, Callable[[StepContext], Step]] = {
    CycleState.EMULATING: emulating.step,
    CycleState.EVALUATING: evaluating.step,
    CycleState.ANALYZING: analyzing.step,
    CycleState.TUNING: tuning.step,
}

MOST_REPEATS = 5
"""Repetitions of steps in one cycle before it is given up: more means a defect, not bad luck."""

Advance = Literal["moved", "busy", "held", "ended", "waiting"]


@dataclass(frozen=True, slots=True)
class Worker:
    """Who advances: a name that no other has, a client of MaaS, and how many users run side by side.

    `yields`: stands back for real users, as background workers do; one that a person waits for does not.
    """

    name: str
    client: MaasClient
    parallel: int = 2
    show: Show | None = None
    yields: bool = False


def campaign_advance(*, campaign_id: uuid.UUID, worker: Worker) -> Advance:
    """Bring a running campaign one step further.

    Returns `moved` (a step was committed), `busy` (another worker holds the cycle), `held`
    (another campaign's experiment comes first, or a real user), `ended` (the campaign is over)
    or `waiting` (it is paused or planned). A step that fails marks cycle and campaign as failed, with the reason,
    and raises; resuming goes on from the last committed step.
    """
    campaign = Campaign.objects.select_related("goal").get(id=campaign_id)
    if campaign.status in (CampaignStatus.COMPLETED, CampaignStatus.STOPPED, CampaignStatus.FAILED):
        return "ended"
    if campaign.status != CampaignStatus.RUNNING:
        return "waiting"
    cycle, over = _cycle_at_hand(campaign)
    if cycle is None:
        _close(campaign, worker, over)
        return "ended"
    return _advance(campaign, cycle, worker)


def _cycle_at_hand(campaign: Campaign) -> tuple[Cycle | None, str]:
    """The open cycle, or the next one; without one, why the campaign is over."""
    cycle = campaign.cycles.filter(finished_at__isnull=True).first()
    if cycle is not None:
        return cycle, ""
    try:
        Meter(campaign).check()
    except BudgetSpent as spent:
        return None, spent.message
    most = policy_current().most_cycles
    if campaign.max_cycles > most:
        return _next_cycle(campaign, most), f"the policy allows a campaign {most} cycles"
    return _next_cycle(campaign, campaign.max_cycles), f"all {campaign.max_cycles} cycles are spent"


def _advance(campaign: Campaign, cycle: Cycle, worker: Worker) -> Advance:
    with leased(cycle.id, worker.name) as lease:
        if lease is None:
            return "busy"
        cycle.refresh_from_db()
        try:
            _one_step(campaign, cycle, lease, worker)
        except LeaseLost:
            return "busy"  # another worker goes on with this cycle; this one has committed nothing
        except Yielded as yielded:
            yielded_tell(campaign, cycle, yielded.message)
            return "held"
        except Held as held:
            _tell_held(campaign, cycle, held.message)
            return "held"
        except BudgetSpent as spent:
            lease.beat(force=True)
            _close(campaign, worker, spent.message)
            return "ended"
        cycle_rest(cycle=cycle)
    return "moved"


def _tell_held(campaign: Campaign, cycle: Cycle, reason: str) -> None:
    """Shown on the cycle; written down once for each reason."""
    Cycle.objects.filter(id=cycle.id).update(progress={"label": f"waits for its turn: {reason}"})
    text = f"the experiment of cycle {cycle.number} waits for its turn"
    key = f"k{cycle.number}-held-{stable_hash(reason)[:12]}"
    journal_write(campaign=campaign, key=key, kind="held", text=text, reason=reason, cycle=cycle.number)


def _close(campaign: Campaign, worker: Worker, reason: str) -> None:
    """End a campaign whose cycles or budget are spent; what goes wrong on the way is its reason to have failed."""
    campaign.refresh_from_db()
    try:
        closing.close(campaign, worker.client, worker.parallel, reason)
    except DomainError as error:
        _campaign_failed(campaign, f"at its end, {reason}: {error.message}")
        raise


@transaction.atomic
def _campaign_failed(campaign: Campaign, reason: str) -> None:
    campaign_transition(
        campaign_id=campaign.id,
        source=CampaignStatus.RUNNING,
        target=CampaignStatus.FAILED,
        actor=MANAGER,
        reason=reason,
    )
    tell_failed(campaign, reason=reason)


def _next_cycle(campaign: Campaign, most: int) -> Cycle | None:
    """The next cycle, or None when they are spent. Two workers make one: the unique number and the constraint on
    open cycles decide."""
    done = campaign.cycles.count()
    if done >= most:
        return None
    cycle, _ = Cycle.objects.get_or_create(campaign=campaign, number=done + 1, defaults={"state": CycleState.EMULATING})
    return cycle


def _one_step(campaign: Campaign, cycle: Cycle, lease: Lease, worker: Worker) -> None:
    state = CycleState(cycle.state)
    if state in (CycleState.PAUSED, CycleState.FAILED) and cycle.resume_state:
        state = _resumed(cycle, state)
    meter = Meter(campaign)
    context = StepContext(
        cycle=cycle,
        campaign=campaign,
        client=Metered(worker.client, meter),
        meter=meter,
        lease=lease,
        parallel=worker.parallel,
        show=worker.show,
        courtesy=Courtesy() if worker.yields else None,
    )
    log.debug("cycle step", campaign=campaign.number, cycle=cycle.number, state=str(state))
    try:
        stand_back(context)
        if state == CycleState.EMULATING:
            dataset_refuse_empty(campaign.dataset)
        meter.check()
        step = STEPS[state](context)
        meter.count()
        lease.beat(force=True)
    except (BudgetSpent, Held):
        meter.count()
        raise  # no failure: the campaign ends, with all that was done kept
    except (LeaseLost, OperationalError, InterfaceError):
        raise  # without a database nothing can be marked; the lease runs out and the step is taken up again
    except DomainError as error:
        _fail(context, state, error.message)
        raise
    except Exception as error:
        _fail(context, state, f"unexpected {type(error).__name__}: {error}")
        raise
    try:
        _commit(context, state, step)
    except (LeaseLost, OperationalError, InterfaceError):
        raise
    except DomainError as error:
        # The world moved while the step ran (a person activated another version or froze changes, say): it is
        # repeated against what holds now. Its runs and verdicts are stored, so the repetition is cheap.
        log.info("cycle step repeated", cycle=cycle.number, state=str(state), reason=error.message)
        if not _repeat_later(cycle):
            _fail(context, state, error.message)
            raise
        return
    except Exception as error:
        _fail(context, state, f"unexpected {type(error).__name__}: {error}")
        raise
    if step.end_campaign or step.finish:
        campaign.refresh_from_db()
        report_write(campaign=campaign)


def _repeat_later(cycle: Cycle) -> bool:
    """Count a repetition of the step; False when there were too many of them in this cycle."""
    cycle.refresh_from_db()
    repeats = int(cycle.data.get("repeats", 0)) + 1
    Cycle.objects.filter(id=cycle.id).update(data={**cycle.data, "repeats": repeats})
    return repeats <= MOST_REPEATS


def _resumed(cycle: Cycle, state: CycleState) -> CycleState:
    target = CycleState(cycle.resume_state)
    CYCLE.check(state, target)
    Cycle.objects.filter(id=cycle.id, state=state).update(state=target, resume_state="", error="")
    cycle.refresh_from_db()
    return target


def _commit(context: StepContext, source: CycleState, step: Step) -> None:
    """The step's writes, its journal and the new state, together or not at all.

    The compare-and-swap on state and lease makes a worker that lost its lease change nothing.
    """
    campaign, cycle = context.campaign, context.cycle
    CYCLE.check(source, step.state)
    with transaction.atomic():
        chain_lock()  # before any row: writers of parameters take the change log's lock first too
        values: dict[str, Any] = {"state": step.state, "data": {**cycle.data, **step.data}, "progress": {}}
        if step.finish:
            values |= {"finished_at": timezone.now(), "outcome": step.finish, "outcome_text": step.finish_text}
            values["data"]["spent"] = _spent(campaign)
        moved = Cycle.objects.filter(id=cycle.id, state=source, lease_owner=context.lease.owner).update(**values)
        if moved != 1:
            raise LeaseLost("another worker has taken this cycle over")
        if step.within is not None:
            step.within()
        for index, note in enumerate(step.notes):
            journal_write(
                campaign=campaign,
                key=f"k{cycle.number}-{source}-{index}",
                kind=note.kind,
                text=note.text,
                reason=note.reason,
                cycle=cycle.number,
                experiment=note.experiment,
                data=note.data,
            )
        if step.end_campaign:
            closing.end(campaign, step.end_campaign)


def _spent(campaign: Campaign) -> dict[str, Any]:
    """What the campaign has paid until now; a cycle's cost is the difference to the cycle before."""
    tokens, usd = Campaign.objects.filter(pk=campaign.pk).values_list("tokens", "cost_usd").get()
    return {"tokens": tokens, "usd": float(usd)}


@transaction.atomic
def _fail(context: StepContext, state: CycleState, reason: str) -> None:
    """Keep what was committed, say what went wrong, and where a resumed campaign goes on.

    Raises `LeaseLost` when another worker has the cycle by now: it may well succeed, so nothing is marked.
    """
    campaign, cycle = context.campaign, context.cycle
    chain_lock()
    held = Cycle.objects.filter(id=cycle.id, state=state, lease_owner=context.lease.owner)
    if held.update(state=CycleState.FAILED, resume_state=state, error=reason) != 1:
        raise LeaseLost("another worker has taken this cycle over")
    try:
        _campaign_failed(campaign, f"cycle {cycle.number}, {state}: {reason}")
    except Conflict:
        log.info("campaign not running any more", campaign=campaign.number)  # a person paused it meanwhile
    journal_write(
        campaign=campaign,
        key=f"k{cycle.number}-{state}-failed-{timezone.now():%H%M%S%f}",
        kind="failed",
        text=f"cycle {cycle.number} failed while {state.lower()}",
        reason=reason,
        cycle=cycle.number,
    )
