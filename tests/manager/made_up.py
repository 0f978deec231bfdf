"""Made-up steps, for tests of what the engine does around a step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from goals.models import Campaign
from maas.client import get_client
from manager.domain.lifecycle import CycleState
from manager.engine.advance import Worker, campaign_advance
from manager.engine.context import Note, Step, StepContext
from manager.models import Cycle

Action = Callable[[StepContext], Step]
NEXT = {
    CycleState.EMULATING: CycleState.EVALUATING,
    CycleState.EVALUATING: CycleState.ANALYZING,
    CycleState.ANALYZING: CycleState.TUNING,
}


def plain(context: StepContext) -> Step:
    """Goes on to the next state and says that it did."""
    state = CycleState(context.cycle.state)
    note = Note("did", f"did {state}")
    if state is CycleState.TUNING:
        return Step(state=CycleState.IDLE, notes=(note,), finish="done", finish_text="done")
    return Step(state=NEXT[state], data={str(state): "done"}, notes=(note,))


def worker(name: str = "w1") -> Worker:
    return Worker(name=name, client=get_client())


def step_on(campaign: Campaign, name: str = "w1") -> str:
    return campaign_advance(campaign_id=campaign.id, worker=worker(name))


def cycle_of(campaign: Campaign) -> Cycle:
    return campaign.cycles.get()


def stolen(context: StepContext) -> None:
    Cycle.objects.filter(id=context.cycle.id).update(lease_owner="thief")


def raising(error: Exception, *, before: Callable[[StepContext], Any] = lambda _: None) -> Action:
    def act(context: StepContext) -> Step:
        before(context)
        raise error

    return act
