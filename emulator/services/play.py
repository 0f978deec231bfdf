"""Plays a batch: users in parallel, each user's threads in order, one turn at a time, through the public client."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import connections

from contracts.maas import NewMemory, RunAnswer, RunRequest
from emulator.domain.lifecycle import BatchStatus
from emulator.domain.scenario import Scenario
from emulator.domain.script import EmulationPlan, turn_seed
from emulator.drivers import Driver, driver_of
from emulator.everyday import background
from emulator.library import bundled_scenarios, load_personas
from emulator.models import EmulationBatch, EmulationDialogue, EmulationTurn
from emulator.services.batches import batch_get, batch_move
from emulator.services.turns import Told, dialogue_begin, dialogue_finish, told_so_far, turn_finish
from emulator.services.users import History, SimulatedUser, agenda_of
from kernel.errors import Conflict

if TYPE_CHECKING:
    from maas.client import MaasClient

_STOP_POLL_SECONDS = 0.5

MemoriesImport = Callable[[Sequence[NewMemory]], int]
"""As `maas.client.memories_import`: adds memories, once per id."""


@dataclass(frozen=True)
class Progress:
    """Where a batch is. `rate` in turns per second of this call; `eta_seconds` None until a rate is known."""

    turns_done: int
    turns_total: int
    dialogues_done: int
    dialogues_total: int
    turns_failed: int
    rate: float
    eta_seconds: float | None


def emulation_run(
    *,
    batch_id: uuid.UUID,
    client: MaasClient,
    on_progress: Callable[[Progress], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
    memories_import: MemoriesImport | None = None,
    driver: Driver | None = None,
    is_golden: Callable[[str], bool] = lambda _: False,
) -> EmulationBatch:
    """Play what is left of a batch; returns it completed or stopped.

    1. Take the batch: compare-and-swap to running (one that a killed process left running is taken as it is).
    2. In `plan.parallel` threads, one user each: import the everyday notes of a bundled scenario's user (through
       `memories_import`; None is the student's own), find what the user has told so far and which memories that became.
    3. For each unfinished turn: resolve what a question expects, ask, and write the turn and the counts together.
       The run's id depends on batch, dialogue and position, so a turn that was answered but not yet written when
       a process died is not answered twice.
    4. A user who listens reads each answer, decides what comes next, and has it worded by the plan's driver (`driver`
       replaces it); that turn is written together with the one it follows. A dialogue that is over is audited, with
       `is_golden` to tell whether a text is of the golden set, which nobody here can read.
    5. `should_stop`, or a stop that was asked for in the database, ends it after the turns at hand.

    A failed run makes its dialogue invalid and the batch goes on. What the client raises (no connection) marks the
    batch failed and is raised; running it again goes on from there. Raises `NotFound`; `Conflict` when the batch
    cannot be run from its state; `InvalidInput` when it needs a model and none is set up.
    """
    batch = batch_get(batch_id)
    if batch.status == BatchStatus.COMPLETED:
        return batch
    plan = EmulationPlan.model_validate(batch.plan)
    driver = driver or driver_of(plan, client)
    if not batch_move(batch_id=batch_id, target=BatchStatus.RUNNING):
        raise Conflict(f"emulation {batch.batch} cannot be run now")
    if memories_import is None:
        from maas.client import memories_import as students_own

        memories_import = students_own
    game = _Game(
        batch=batch,
        plan=plan,
        client=client,
        on_progress=on_progress,
        should_stop=should_stop,
        memories_import=memories_import,
        driver=driver,
        is_golden=is_golden,
    )
    try:
        game.play()
    except BaseException as error:
        batch_move(batch_id=batch_id, target=BatchStatus.FAILED, error=f"{type(error).__name__}: {error}")
        raise
    batch_move(batch_id=batch_id, target=BatchStatus.STOPPED if game.stopped else BatchStatus.COMPLETED)
    return batch_get(batch_id)


class _Game:
    """One call of `emulation_run`: what its threads share."""

    def __init__(
        self,
        *,
        batch: EmulationBatch,
        plan: EmulationPlan,
        client: MaasClient,
        on_progress: Callable[[Progress], None] | None,
        should_stop: Callable[[], bool] | None,
        memories_import: MemoriesImport,
        driver: Driver,
        is_golden: Callable[[str], bool],
    ):
        self._batch, self._plan, self._client = batch, plan, client
        self._memories_import, self._driver = memories_import, driver
        self._personas = load_personas()
        self._stories: Mapping[str, Scenario] = (
            {} if plan.loaded else {story.id: story for story in bundled_scenarios(plan.split)}
        )
        self._on_progress, self._should_stop = on_progress, should_stop
        self._lock = threading.Lock()
        self._began = time.monotonic()
        self._next_look = 0.0
        self._played = 0
        self._done, self._failed = batch.turns_done, batch.turns_failed
        self._total, self._dialogues_done = batch.turns_total, batch.dialogues_done
        self.stopped = False
        self._is_golden = is_golden

    def play(self) -> None:
        users: dict[uuid.UUID, list[EmulationDialogue]] = {}
        for dialogue in self._batch.dialogues.order_by("ordinal"):
            users.setdefault(dialogue.user_id, []).append(dialogue)
        unfinished = [d for d in users.values() if any(x.finished_at is None for x in d)]
        with ThreadPoolExecutor(max_workers=self._plan.parallel, thread_name_prefix="emulator") as pool:
            futures = [pool.submit(self._play_user, dialogues) for dialogues in unfinished]
            try:
                for future in futures:
                    future.result()
            except BaseException:
                self._halt()
                raise

    def _halt(self) -> None:
        with self._lock:
            self.stopped = True

    def _play_user(self, dialogues: Sequence[EmulationDialogue]) -> None:
        try:
            self._import_background(dialogues[0])
            told = told_so_far(batch=self._batch, user_id=dialogues[0].user_id)
            history = History()
            for dialogue in dialogues:
                if dialogue.finished_at is None and not self._play_dialogue(dialogue, told, history):
                    return
                if dialogue.agenda:
                    history.add(agenda_of(dialogue), dialogue.turns.order_by("position"))
        except BaseException:
            self._halt()
            raise
        finally:
            connections.close_all()

    def _import_background(self, first: EmulationDialogue) -> None:
        """Importing twice adds nothing, so a resumed batch needs no mark of what was imported."""
        story = self._stories.get(first.scenario)
        if story is not None:
            self._memories_import(background(user_id=first.user_id, story=story, number=first.scenario_variant))

    def _play_dialogue(self, dialogue: EmulationDialogue, told: Told, history: History) -> bool:
        """True when it was played to its end, False when the batch is to stop."""
        faults = self._converse(dialogue, told, history) if dialogue.agenda else self._recite(dialogue, told)
        if faults is None:
            return False
        if dialogue_finish(dialogue=dialogue, faults=faults):
            with self._lock:
                self._dialogues_done += 1
        self._report()
        return True

    def _recite(self, dialogue: EmulationDialogue, told: Told) -> list[str] | None:
        """Play turns that were fixed beforehand. None: the batch is to stop."""
        for turn in dialogue.turns.filter(finished_at__isnull=True).order_by("position"):
            if self._stop_now():
                return None
            self._finished(turn_finish(turn=turn, answer=self._ask(dialogue, turn), told=told))
        return []

    def _converse(self, dialogue: EmulationDialogue, told: Told, history: History) -> list[str] | None:
        """Play a user who listens; what the audit finds wrong with it. None: the batch is to stop."""
        user = SimulatedUser(
            dialogue=dialogue,
            plan=self._plan,
            driver=self._driver,
            persona=self._personas.get(dialogue.persona),
            history=history,
        )
        turns = _as_written(dialogue)
        while not dialogue.ending:
            if self._stop_now():
                return None
            before = dialogue.turns_expected
            if not turns:
                step = user.next(turns)
                dialogue_begin(dialogue=dialogue, step=step)
                turns = _as_written(dialogue)
                self._grown(dialogue.turns_expected - before)
            else:
                turn = turns[-1]
                answer = self._ask(dialogue, turn)
                turn.heard = user.hear(turns, answer).model_dump(mode="json", exclude_defaults=True)
                step = user.next(turns, answer=answer.answer or "")
                turn.dialogue = dialogue
                failed = turn_finish(turn=turn, answer=answer, told=told, step=step)
                if failed is None:  # another process plays it too, and was first
                    turns = _as_written(dialogue)
                elif step.following is not None:
                    turns.append(step.following)
                self._grown(dialogue.turns_expected - before)
                self._finished(failed)
        # Read anew: another player may have ended it between our look at the turns and our look at the ending.
        turns = list(dialogue.turns.order_by("position"))
        return user.faults(turns, ending=dialogue.ending, is_golden=self._is_golden)

    def _ask(self, dialogue: EmulationDialogue, turn: EmulationTurn) -> RunAnswer:
        plan = self._plan
        return self._client.ask(
            RunRequest(
                user_id=dialogue.user_id,
                query=turn.text,
                run_id=turn.id,
                thread_id=dialogue.thread_id,
                client_kind="emulator",
                mode=plan.mode,
                simulated_at=turn.simulated_at,
                experiment=plan.experiment,
                variant=plan.variant,
                pinned_version=plan.pinned_version,
                cycle_type=plan.cycle_type,
                seed=turn_seed(seed=plan.seed, example=dialogue.example, position=turn.position),
            )
        )

    def _grown(self, turns: int) -> None:
        with self._lock:
            self._total += turns

    def _finished(self, failed: bool | None) -> None:
        with self._lock:
            self._played += 1
            self._done += 1
            self._failed += bool(failed)
        self._report()

    def _stop_now(self) -> bool:
        with self._lock:
            if not self.stopped and self._should_stop is not None:
                self.stopped = self._should_stop()
            if not self.stopped and time.monotonic() >= self._next_look:
                self._next_look = time.monotonic() + _STOP_POLL_SECONDS
                self.stopped = EmulationBatch.objects.filter(pk=self._batch.pk, stop_requested=True).exists()
            return self.stopped

    def _report(self) -> None:
        if self._on_progress is None:
            return
        with self._lock:
            passed = time.monotonic() - self._began
            rate = self._played / passed if passed > 0 else 0.0
            left = self._total - self._done
            self._on_progress(
                Progress(
                    turns_done=self._done,
                    turns_total=self._total,
                    dialogues_done=self._dialogues_done,
                    dialogues_total=self._batch.dialogues_total,
                    turns_failed=self._failed,
                    rate=rate,
                    eta_seconds=left / rate if rate else None,
                )
            )


def _as_written(dialogue: EmulationDialogue) -> list[EmulationTurn]:
    """The dialogue's turns, and itself anew, in this order: its counts are then never older than the turns."""
    turns = list(dialogue.turns.order_by("position"))
    dialogue.refresh_from_db(fields=["turns_expected", "ending"])
    return turns
