"""The parts of an upkeep cycle, each committed by itself, and the scheduler's tick."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any, Literal, cast

import structlog
from django.db import InterfaceError, OperationalError
from django.db.models import F
from django.utils import timezone

from experiments.domain.examples import seal_hash
from experiments.golden import golden_examples
from experiments.runner import PassPlan, PassProgress, pass_run
from experiments.selectors import examples, split_sizes
from kernel.canonical import derive_seed, stable_fraction
from kernel.errors import Conflict, DomainError, InvalidInput
from maas.client import MaasClient, memories_embed, memories_quality, safety_checks
from manager.domain.lifecycle import UpkeepState
from manager.domain.scheduling import CycleType, Decision, decide, traffic
from manager.engine.context import MANAGER
from manager.engine.lease import Lease, LeaseLost, leased
from manager.engine.passes import monitor_seed, recorded
from manager.engine.upkeep_memories import consolidation, memory_review
from manager.models import UpkeepCycle
from manager.services.campaigns import parallel
from manager.services.checks import safety_run
from manager.services.degradation import degradation_act, offline_signals
from manager.services.judging import judging_current
from manager.services.standing import standing_run, standing_share
from manager.services.upkeep import (
    facts,
    last_request,
    schedule_of,
    schedule_row,
    upkeep_begin,
    upkeep_enqueue,
    upkeep_get,
    upkeep_move,
)
from teacher.services import batch_measure
from tuner.selectors import active_version

log = structlog.get_logger(__name__)
Outcome = Literal["completed", "stopped", "paused", "busy", "ended"]
Show = Callable[[str, int, int], None]
MOST_ATTEMPTS = 5
"""Of one part. More kills or lost databases in a row than that mean a defect, not bad luck."""


class _Stand(DomainError):
    """The part stops where it is: for a real user, or because somebody said so. It goes on where it was."""

    def __init__(self, state: UpkeepState):
        super().__init__(f"the cycle is {state}")
        self.state = state


class _Work:
    """One holder of the lease at one cycle."""

    def __init__(self, cycle: UpkeepCycle, lease: Lease, client: MaasClient, *, yields: bool, show: Show | None):
        self.cycle, self.lease, self.client, self.show = cycle, lease, client, show
        self.yields = yields
        self._last = timezone.now()

    def look(self) -> None:
        """Raise when the cycle has to stand back."""
        if UpkeepCycle.objects.filter(id=self.cycle.id, stop_requested=True).exists():
            raise _Stand(UpkeepState.STOPPED)
        if self.yields and traffic(schedule_of(schedule_row()), now=timezone.now(), last_request=last_request()):
            raise _Stand(UpkeepState.PAUSED)

    def progress(self, label: str, done: int, planned: int) -> None:
        self.lease.beat({"label": label, "done": done, "planned": planned})
        if self.show is not None:
            self.show(label, done, planned)
        if (timezone.now() - self._last).total_seconds() >= 1.0:
            self._last = timezone.now()
            self.look()


def _passed(work: _Work, *, split: str, label: str, upto: int | None = None) -> dict[str, Any]:
    """Questions of one split under the cycle's version, in a pass of this cycle alone.

    Micro cycles ask train questions: their small samples must not pass for a monitoring pass of validation.
    """
    cycle = work.cycle
    over = golden_examples(dataset=cycle.dataset) if split == "golden" else examples(dataset=cycle.dataset, split=split)
    if upto is not None:
        over = sorted(over, key=lambda item: stable_fraction(str(cycle.id), item.external_id))[:upto]
    if not over:
        return {"left_out": f"the data set {cycle.dataset!r} has no {split} questions"}
    batch = f"upkeep-{cycle.id}-{split}"

    def show(progress: PassProgress) -> None:
        work.progress(label, progress.done, progress.planned)

    truths = pass_run(
        PassPlan(
            batch=batch,
            dataset=cycle.dataset,
            split=split,
            purpose="screening" if split == "train" else "monitor",
            arms={"active": cycle.version},
            examples=over,
            seed=derive_seed(str(cycle.id)) if split == "train" else monitor_seed(dataset=cycle.dataset, split=split),
            parallel=parallel(),
            golden_hash=seal_hash(over) if split == "golden" else "",
            cycle_type=cast("CycleType", cycle.type),
        ),
        client=work.client,
        on_progress=show,
    )
    recorded(truths)
    found = batch_measure(batch=batch, judging=judging_current()).to_json()
    return {"batch": batch, "n": found["n"], "metrics": found["metrics"]}


def _quick(work: _Work) -> dict[str, Any]:
    return _passed(work, split="train", label="quick evaluation", upto=schedule_row().micro_questions)


def _validation(work: _Work) -> dict[str, Any]:
    return _passed(work, split="validation", label="validation")


def _golden(work: _Work) -> dict[str, Any]:
    if not split_sizes(dataset=work.cycle.dataset)["golden"]:
        return {"left_out": f"the data set {work.cycle.dataset!r} has no golden questions"}
    return _passed(work, split="golden", label="golden, monitored")


def _safety(work: _Work) -> dict[str, Any]:
    """What fails is a critical incident, and does not hold up the other parts."""
    work.progress("safety checks", 0, 1)
    try:
        found = safety_run(actor=MANAGER, student=safety_checks)
    except Conflict as error:  # somebody has asked for them this minute
        return {"left_out": error.message, "failed": 0}
    return {
        "checks": [{"name": item.name, "ok": item.ok, "detail": item.detail} for item in found],
        "failed": sum(item.ok is False for item in found),
    }


def _degradation(work: _Work) -> dict[str, Any]:
    """Hold the version to the degradation rules over its cycles so far; a broken one rolls it back."""
    work.progress("degradation rules", 0, 1)
    version = active_version()
    if version.version != work.cycle.version:
        return {"left_out": f"version {version.version} is active now, and this cycle measured {work.cycle.version}"}
    signals = offline_signals(version, dataset=work.cycle.dataset)
    undone = degradation_act(version=version, signals=signals, where="degradation over its cycles")
    return {"broken": [signal.message for signal in signals], "active": undone.version if undone else version.version}


def _embed(work: _Work) -> dict[str, Any]:
    work.progress("embedding memories", 0, 1)
    return {"embedded": memories_embed()}


def _quality(work: _Work) -> dict[str, Any]:
    work.progress("scoring memories", 0, 1)
    return memories_quality().model_dump()


def _standing(work: _Work) -> dict[str, Any]:
    """One experiment of two identical arms: what the engine finds there is false. Left out where a verdict could not be
    given anyway; one that stood back for real users is gone on with."""

    def show(progress: PassProgress) -> None:
        work.progress("standing A/A", progress.done, progress.planned)

    try:
        test = standing_run(dataset=work.cycle.dataset, client=work.client, on_progress=show)
    except InvalidInput as error:
        return {"left_out": error.message}
    share = standing_share(dataset=work.cycle.dataset)
    return {"test": test.slug, "verdict": test.verdict, "false": share.false, "tests": share.tests}


PARTS: dict[str, dict[str, Callable[[_Work], dict[str, Any]]]] = {
    "micro": {"quick evaluation": _quick},
    "macro": {
        "validation": _validation,
        "golden": _golden,
        "degradation": _degradation,
        "consolidation": consolidation,
        "safety": _safety,
    },
    "deep": {
        "embedding": _embed,
        "memory quality": _quality,
        "review": memory_review,
        "standing A/A": _standing,
    },
}


def upkeep_work(
    *, cycle_id: uuid.UUID, worker: str, client: MaasClient, yields: bool = True, show: Show | None = None
) -> Outcome:
    """Do what is left of a cycle. Returns what became of it; `busy`: another worker holds it.

    A part that is repeated after a kill asks no question twice. A part that fails ends the cycle with its reason, and
    raises. With `yields` false a person has asked for it now, and it goes on beside real users.
    """
    if upkeep_get(cycle_id).finished_at is not None:
        return "ended"
    with leased(cycle_id, worker, UpkeepCycle) as lease:
        if lease is None:
            return "busy"
        cycle = upkeep_get(cycle_id)
        work = _Work(cycle, lease, client, yields=yields, show=show)
        try:
            return _parts(work)
        except _Stand as stand:
            if cycle.state != stand.state:
                upkeep_move(cycle, stand.state)
            return "paused" if stand.state == UpkeepState.PAUSED else "stopped"
        except LeaseLost:
            return "busy"
        except (OperationalError, InterfaceError):
            raise  # without a database nothing can be marked; the lease runs out and the part is taken up again
        except DomainError as error:
            upkeep_move(cycle, UpkeepState.FAILED, error=error.message)
            raise
        except Exception as error:
            upkeep_move(cycle, UpkeepState.FAILED, error=f"unexpected {type(error).__name__}: {error}")
            raise


def _parts(work: _Work) -> Outcome:
    cycle = work.cycle
    work.look()
    if cycle.state == UpkeepState.PAUSED:
        upkeep_move(cycle, UpkeepState.RUNNING)
    for name, part in PARTS[cycle.type].items():
        if name in cycle.findings:
            continue
        work.look()
        _attempt(work, name)
        try:
            found = part(work)
        except _Stand:
            UpkeepCycle.objects.filter(id=cycle.id).update(attempts=0)  # it stood back; nothing is wrong with it
            raise
        cycle.findings = {**cycle.findings, name: found}
        held = UpkeepCycle.objects.filter(id=cycle.id, lease_owner=work.lease.owner)
        if held.update(findings=cycle.findings, attempts=0) != 1:
            raise LeaseLost("another worker has taken this cycle over")
        cycle.attempts = 0
    upkeep_move(cycle, UpkeepState.COMPLETED)
    return "completed"


def _attempt(work: _Work, name: str) -> None:
    """Counted before the part begins: a worker that dies in it can count nothing afterwards."""
    if work.cycle.attempts >= MOST_ATTEMPTS:
        raise Conflict(f"{name} was begun {work.cycle.attempts} times and never came to its end")
    held = UpkeepCycle.objects.filter(id=work.cycle.id, lease_owner=work.lease.owner)
    if held.update(attempts=F("attempts") + 1) != 1:
        raise LeaseLost("another worker has taken this cycle over")
    work.cycle.attempts += 1


def upkeep_tick() -> Decision:
    """Ask the scheduler, and do as it says. Also queues an open cycle whose worker died."""
    found = decide(schedule_of(schedule_row()), facts())
    if found.kind == "start" and found.type is not None:
        try:
            cycle = upkeep_begin(kind=found.type, actor=MANAGER, reason=found.reason)
        except Conflict as error:
            log.info("upkeep not started", reason=error.message)
            return Decision("nothing", error.message)
        upkeep_enqueue(cycle.id)
        return found
    if found.kind != "pause":
        _pick_up(resumed=found.kind == "resume")
    return found


def _pick_up(*, resumed: bool) -> None:
    cycle = UpkeepCycle.objects.filter(finished_at__isnull=True).first()
    if cycle is None or (cycle.lease_until is not None and cycle.lease_until > timezone.now()):
        return
    if resumed or cycle.state == UpkeepState.RUNNING:
        upkeep_enqueue(cycle.id)
