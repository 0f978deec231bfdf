"""The life of a batch: made from a plan, run, stopped, gone on with."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence

from django.db import transaction
from django.utils import timezone

from contracts.actor import Actor, Role
from emulator.domain.lifecycle import BATCH, BatchStatus
from emulator.domain.script import DialogueScript, EmulationPlan, ScriptTurn, limited, turn_run_id
from emulator.domain.user import turn_limit
from emulator.models import EmulationBatch, EmulationDialogue, EmulationTurn
from emulator.scripts import scenario_scripts
from emulator.services.users import truth_write
from kernel.canonical import derive_uuid
from kernel.errors import Conflict, InvalidInput, NotFound


def emulation_start(*, plan: EmulationPlan, actor: Actor) -> EmulationBatch:
    """Write the batch and what its users are going to say; plays nothing yet.

    Users of the driver "script" say their rows as they stand. Others get their script as an agenda, and their turns
    are decided while they are played.

    Idempotent by `plan.batch`: the same plan again returns the batch there is, in whatever state it is.
    Raises `Conflict` when the name is taken by another plan, `InvalidInput` for scripts that cannot be played.
    """
    actor.require(Role.OPERATOR)
    found = EmulationBatch.objects.filter(batch=plan.batch).first()
    if found is None:
        whole = _scripts(plan)
        scripts = limited(whole, turns=plan.turns)
        _check(scripts)
        agendas = {script.dialogue: script.turns for script in whole} if plan.played_by != "script" else {}
        found = _write(plan, scripts, agendas, actor)
    stored = EmulationPlan.model_validate(found.plan)
    free = {"parallel"} | ({"driver"} if stored.driver is None else set())  # written before there were drivers
    if stored.model_dump(exclude=free) != _stored_plan(plan).model_dump(exclude=free):
        raise Conflict(f"emulation {plan.batch} exists with another plan", details={"batch": plan.batch})
    return found


def emulation_stop(*, batch_id: uuid.UUID, actor: Actor) -> EmulationBatch:
    """Ask a running batch to stop after the turns it is at; one that has not begun is stopped at once."""
    actor.require(Role.OPERATOR)
    hit = EmulationBatch.objects.filter(pk=batch_id, status=BatchStatus.PENDING).update(
        status=BatchStatus.STOPPED, finished_at=timezone.now()
    )
    if not hit:
        EmulationBatch.objects.filter(pk=batch_id, status=BatchStatus.RUNNING).update(stop_requested=True)
    return batch_get(batch_id)


def batch_get(batch_id: uuid.UUID) -> EmulationBatch:
    """Raises `NotFound`."""
    try:
        return EmulationBatch.objects.get(pk=batch_id)
    except EmulationBatch.DoesNotExist as error:
        raise NotFound(f"there is no emulation {batch_id}") from error


def batch_move(*, batch_id: uuid.UUID, target: BatchStatus, error: str = "") -> bool:
    """Compare-and-swap into `target` from any state that may precede it. False when another process was first."""
    now = timezone.now()
    changes: dict[str, object] = {"status": target, "error": error}
    if target is BatchStatus.RUNNING:
        changes |= {"stop_requested": False, "finished_at": None}
    else:
        changes["finished_at"] = now
    rows = EmulationBatch.objects.filter(pk=batch_id, status__in=BATCH.sources(target))
    hit = bool(rows.update(**changes))
    if hit and target is BatchStatus.RUNNING:
        EmulationBatch.objects.filter(pk=batch_id, started_at__isnull=True).update(started_at=now)
    return hit


def _scripts(plan: EmulationPlan) -> tuple[DialogueScript, ...]:
    if plan.scripts is not None:
        return plan.scripts[: plan.dialogues]
    return tuple(
        scenario_scripts(
            dialogues=plan.dialogues,
            seed=plan.seed,
            user_salt=plan.salt,
            split=plan.split,
            scenarios=plan.scenarios,
        )
    )


def _stored_plan(plan: EmulationPlan) -> EmulationPlan:
    """The plan without explicit scripts: their words are in the rows."""
    return plan.model_copy(update={"scripts": None, "loaded": plan.scripts is not None, "driver": plan.played_by})


def _check(scripts: Sequence[DialogueScript]) -> None:
    if not scripts:
        raise InvalidInput("the plan holds no dialogue", details={"field": "scripts"})
    names = [script.dialogue for script in scripts]
    if len(set(names)) < len(names):
        raise InvalidInput("two dialogues of the plan have the same name", details={"field": "scripts"})


@transaction.atomic
def _write(
    plan: EmulationPlan,
    scripts: Sequence[DialogueScript],
    agendas: Mapping[str, tuple[ScriptTurn, ...]],
    actor: Actor,
) -> EmulationBatch:
    batch_id = derive_uuid("emulation", plan.batch)
    turns = [turn for script in scripts for turn in script.turns]
    batch, created = EmulationBatch.objects.get_or_create(
        id=batch_id,
        defaults={
            "batch": plan.batch,
            "plan": _stored_plan(plan).model_dump(mode="json"),
            "dataset": scripts[0].dataset,
            "split": scripts[0].split,
            "experiment": plan.experiment or "",
            "variant": plan.variant or "",
            "dialogues_total": len(scripts),
            "turns_total": len(turns),
            "turns_limit": sum(turn_limit(len(agenda), turns=plan.turns) for agenda in agendas.values()),
            "queries_total": sum(1 for turn in turns if turn.query),
            "created_by": actor.label,
        },
    )
    if not created:  # another process wrote it since we looked
        return batch
    EmulationDialogue.objects.bulk_create(
        [
            _dialogue_row(batch, ordinal, script, agendas.get(script.dialogue, ()), plan.turns)
            for ordinal, script in enumerate(scripts)
        ],
        batch_size=500,
    )
    EmulationTurn.objects.bulk_create(
        [
            _turn_row(batch, script, position, turn)
            for script in scripts
            if script.dialogue not in agendas
            for position, turn in enumerate(script.turns)
        ],
        batch_size=500,
    )
    return batch


def _dialogue_id(batch: EmulationBatch, script: DialogueScript) -> uuid.UUID:
    return derive_uuid("emulated-dialogue", batch.batch, script.dialogue)


def _dialogue_row(
    batch: EmulationBatch, order: int, script: DialogueScript, agenda: Sequence[ScriptTurn], turns: int | None
) -> EmulationDialogue:
    return EmulationDialogue(
        id=_dialogue_id(batch, script),
        batch=batch,
        dialogue=script.dialogue,
        example=script.example,
        user_id=script.user_id,
        thread_id=script.thread_id,
        scenario=script.scenario,
        scenario_variant=script.variant,
        cluster=script.cluster,
        split=script.split,
        dataset=script.dataset,
        language=script.language,
        persona=script.persona,
        goal=script.goal,
        agenda=[item.model_dump(mode="json", exclude_defaults=True) for item in agenda],
        turn_limit=turn_limit(len(agenda), turns=turns) if agenda else 0,
        turns_expected=len(script.turns),
        ordinal=order,
    )


def _turn_row(batch: EmulationBatch, script: DialogueScript, position: int, turn: ScriptTurn) -> EmulationTurn:
    row = EmulationTurn(
        id=turn_run_id(batch=batch.batch, dialogue=script.dialogue, position=position),
        batch=batch,
        dialogue_id=_dialogue_id(batch, script),
        position=position,
        text=turn.text,
        simulated_at=turn.simulated_at,
        event_ids=list(turn.event_ids),
    )
    if turn.query:
        truth_write(row, turn.query)
    return row
