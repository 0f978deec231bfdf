"""EMULATING: dialogues of simulated users on train data, and questions of real users who agreed, under the active
version."""

from __future__ import annotations

from collections.abc import Sequence

from contracts.dialogue import GroundTruth
from emulator.domain.script import DialogueScript, EmulationPlan, QueryTruth, ScriptTurn
from emulator.selectors import batch_by_name, ground_truths, run_ids
from emulator.services import Progress, emulation_run, emulation_start
from experiments.bundled import BUNDLED
from experiments.domain.examples import ExampleValue
from experiments.selectors import examples
from kernel.canonical import derive_seed, derive_uuid, stable_fraction
from kernel.errors import InvalidInput, NotFound
from manager.domain.lifecycle import CycleState
from manager.engine.context import MANAGER, Note, Step, StepContext
from manager.engine.online import online_ask
from manager.engine.passes import recorded
from manager.engine.simulator import batch_to_play, is_golden, refuse_unsound
from tuner.selectors import active_version

QUESTIONS_PER_DIALOGUE = 5


def step(context: StepContext) -> Step:
    """Play this cycle's dialogues, resuming where a killed worker stopped, and hand their truth to the Sensor.

    Raises `RuleViolated` when too many of them are invalid: then nothing is learnt from any.
    """
    campaign, batch = context.campaign, batch_to_play(context)
    seed = derive_seed(campaign.seed, context.cycle.number)
    version = _begun_under(batch) or active_version().version
    scripts = None
    if campaign.dataset != BUNDLED:
        scripts = dialogue_scripts(
            examples(dataset=campaign.dataset, split="train"),
            dataset=campaign.dataset,
            batch=batch,
            dialogues=campaign.dialogues_per_cycle,
            seed=seed,
        )
    plan = EmulationPlan(
        batch=batch,
        dialogues=len(scripts) if scripts is not None else campaign.dialogues_per_cycle,
        seed=seed,
        parallel=context.parallel,
        pinned_version=version,
        mode="dialogue" if scripts is None else "evaluation",
        scripts=None if scripts is None else tuple(scripts),
    )
    row = emulation_start(plan=plan, actor=MANAGER)

    def show(progress: Progress) -> None:
        context.progress("dialogues of simulated users", progress.turns_done, progress.turns_total, progress.rate)

    played = emulation_run(batch_id=row.id, client=context.client, on_progress=show, is_golden=is_golden)
    refuse_unsound(played, context)
    truths: list[GroundTruth] = ground_truths(batch=batch)
    recorded(truths)
    if context.meter is not None:
        context.meter.owe(run_ids(batch=batch))
    online = online_ask(context, version=version, seed=seed)
    text = f"{plan.dialogues} dialogues played under version {version}, {len(truths)} questions with truth"
    return Step(
        state=CycleState.EVALUATING,
        data={"train_batch": batch, "version": version} | ({"online_batch": online.batch} if online else {}),
        notes=(Note(kind="emulated", text=f"{text}{online.words}" if online else text),),
    )


def _begun_under(batch: str) -> int | None:
    """The version under which a killed worker began these dialogues; another may be active by now."""
    try:
        return EmulationPlan.model_validate(batch_by_name(batch).plan).pinned_version
    except NotFound:
        return None


def dialogue_scripts(
    values: Sequence[ExampleValue], *, dataset: str, batch: str, dialogues: int, seed: int
) -> list[DialogueScript]:
    """Questions of a loaded data set as dialogues: up to five questions of one person, a sample that `seed` draws.

    The memories exist already, so the truth names them directly.
    """
    if not values:
        raise InvalidInput(f"the data set {dataset!r} has no train questions; load it with --train")
    by_user: dict[str, list[ExampleValue]] = {}
    for value in sorted(values, key=lambda item: stable_fraction(seed, item.external_id)):
        by_user.setdefault(str(value.user_id), []).append(value)
    threads = [
        items[start : start + QUESTIONS_PER_DIALOGUE]
        for items in by_user.values()
        for start in range(0, len(items), QUESTIONS_PER_DIALOGUE)
    ]
    chosen = sorted(threads, key=lambda items: stable_fraction(seed, "thread", items[0].external_id))[:dialogues]
    return [_script(items, dataset, batch, number) for number, items in enumerate(chosen)]


def _script(items: Sequence[ExampleValue], dataset: str, batch: str, number: int) -> DialogueScript:
    name = f"{batch}-d{number:03d}"
    return DialogueScript(
        dialogue=name,
        example=dataset,
        user_id=items[0].user_id,
        thread_id=derive_uuid("thread", name),
        scenario=dataset,
        cluster=items[0].cluster,
        split="train",
        dataset=dataset,
        ordinal=number,
        turns=tuple(
            ScriptTurn(
                text=item.query,
                simulated_at=item.asked_at,
                query=QueryTruth(
                    id=item.external_id.replace("/", "."),
                    category=item.category,
                    difficulty=item.difficulty,
                    should_retrieve=item.should_retrieve,
                    expected_memory_ids=item.expected_memory_ids,
                    key_facts=item.key_facts,
                    forbidden=item.forbidden,
                ),
            )
            for item in items
        ),
    )
