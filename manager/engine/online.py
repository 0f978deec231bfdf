"""Questions of real users who agreed, asked again beside the dialogues (decision 0013).

Nothing is known of what they should find or say. They count where no truth is needed (use of context, claims that no
memory supports, latency, cost, errors), never in recall or precision, and screening leaves them out: it compares steps
by metrics that need truth, and a person's words are asked no more often than they must be.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from contracts.maas import RunAnswer, RunRequest
from emulator.domain.script import DialogueScript, EmulationPlan, ScriptTurn
from emulator.models import EmulationBatch
from emulator.selectors import batch_by_name, run_ids
from emulator.services import Progress, emulation_run, emulation_start
from experiments.golden import golden_sources
from kernel.canonical import derive_uuid
from kernel.errors import NotFound
from llm.offline.speech import is_question
from llm.text import sentences
from maas.client import MaasClient
from manager.engine.context import MANAGER, StepContext
from manager.services.policy import policy_current
from sensor.domain.masking import mask
from sensor.selectors import ConsentedQuestion, consented_questions
from sensor.services import batch_label, catch_up, runs_capture

DATASET = "online"
RECENT = timedelta(days=30)
"""Older questions are about memories that have moved on."""
_JUST_BEFORE = timedelta(microseconds=1)
"""The memory that the exchange itself left may carry the moment of asking; it is not to be found."""


@dataclass(frozen=True, slots=True)
class OnlineBatch:
    batch: str
    questions: int

    @property
    def words(self) -> str:
        """The end of a sentence in the journal."""
        return f", and {self.questions} question{'s' if self.questions > 1 else ''} of real users who agreed"


def online_ask(context: StepContext, *, version: int, seed: int) -> OnlineBatch | None:
    """Ask this cycle's share of consented questions again under `version`. None: there are none, and nothing was done.

    1. Learn what settled and what was withdrawn until now, then draw from what was answered before this cycle began:
       a killed worker's successor draws the same. Once the batch is written, it is the batch that is gone on with.
    2. Ask in evaluation mode, as the same person at the same time: no memory is left, no use counted.
    3. Have the runs recorded and named as this batch, so that they can be judged.
    """
    batch = f"{context.name}-online"
    row = _begun(batch) or _begin(context, batch=batch, version=version, seed=seed)
    if row is None:
        return None

    def show(progress: Progress) -> None:
        context.progress("questions of real users", progress.turns_done, progress.turns_total, progress.rate)

    emulation_run(batch_id=row.id, client=_Masked(context.client), on_progress=show)
    asked = run_ids(batch=batch)
    catch_up()
    runs_capture(run_ids=asked)
    batch_label(run_ids=asked, batch=batch, dataset=DATASET, split="train")
    if context.meter is not None:
        context.meter.owe(asked)
    return OnlineBatch(batch=batch, questions=len(asked))


class _Masked:
    """The student, whose answers to a real person's questions nobody reads in clear: the emulator keeps excerpts."""

    def __init__(self, client: MaasClient):
        self._client = client
        self.submit, self.feedback = client.submit, client.feedback

    def ask(self, request: RunRequest) -> RunAnswer:
        return _hidden(self._client.ask(request))

    def wait(self, run_id: uuid.UUID, *, user_id: uuid.UUID, timeout: float) -> RunAnswer:
        return _hidden(self._client.wait(run_id, user_id=user_id, timeout=timeout))


def _hidden(answer: RunAnswer) -> RunAnswer:
    kept = {name: mask(text).text for name in ("answer", "error") if (text := getattr(answer, name))}
    return answer.model_copy(update=kept)


def _begun(batch: str) -> EmulationBatch | None:
    try:
        return batch_by_name(batch)
    except NotFound:
        return None


def _begin(context: StepContext, *, batch: str, version: int, seed: int) -> EmulationBatch | None:
    limit = policy_current().online_questions_per_cycle
    if not limit:
        return None
    catch_up()
    began = context.cycle.created_at
    questions = consented_questions(
        since=began - RECENT, until=began, limit=limit, seed=seed, asks=_asks, without=golden_sources()
    )
    if not questions:
        return None
    plan = EmulationPlan(
        batch=batch,
        dialogues=len(questions),
        seed=seed,
        parallel=context.parallel,
        pinned_version=version,
        mode="evaluation",
        scripts=_scripts(questions, batch),
    )
    return emulation_start(plan=plan, actor=MANAGER)


def _asks(text: str) -> bool:
    """What the person merely told is no question: its answer is an acknowledgement, which is not judged elsewhere."""
    return any(is_question(sentence) for sentence in sentences(text))


def _scripts(questions: Sequence[ConsentedQuestion], batch: str) -> tuple[DialogueScript, ...]:
    """A thread of its own for each, so that no other exchange of the person is looked at. No truth is known."""
    return tuple(
        DialogueScript(
            dialogue=f"{batch}-{item.run_id}",
            example=f"online-{item.run_id}",
            user_id=item.user_id,
            thread_id=_thread(batch, item.run_id),
            scenario=DATASET,
            cluster=str(item.user_id),
            split="train",
            dataset=DATASET,
            ordinal=number,
            turns=(ScriptTurn(text=item.query, simulated_at=item.asked_at - _JUST_BEFORE),),
        )
        for number, item in enumerate(questions)
    )


def _thread(batch: str, run_id: uuid.UUID) -> uuid.UUID:
    return derive_uuid("online-thread", batch, run_id)
