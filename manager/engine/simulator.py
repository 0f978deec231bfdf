"""Whether simulated users can be believed: too many invalid dialogues, and nothing is learnt from the batch."""

from __future__ import annotations

from functools import cache

from emulator.domain.lifecycle import BatchStatus
from emulator.domain.words import carriers, sentences_of
from emulator.models import EmulationBatch
from experiments.bundled import golden_stories
from incidents.services import incident_open
from kernel.canonical import stable_hash
from kernel.errors import RuleViolated
from manager.engine.context import MANAGER, StepContext
from manager.services.policy import policy_current

INCIDENT = "simulator"
_SHOWN = 3
_TELLING_WORDS = 5


def batch_to_play(context: StepContext) -> str:
    """The name of this cycle's batch of dialogues. A batch that was refused is kept, and a new one played instead."""
    name = first = f"{context.name}-train"
    attempt = 1
    while _refused(name):
        attempt += 1
        name = f"{first}-{attempt}"
    return name


def refuse_unsound(batch: EmulationBatch, context: StepContext) -> None:
    """Raises `RuleViolated`, and opens an incident, when more dialogues are invalid than the policy allows."""
    reason = _too_many(batch)
    if not reason:
        return
    examples = batch.dialogues.filter(is_valid=False).order_by("ordinal")[:_SHOWN]
    incident_open(
        kind=INCIDENT,
        severity="critical",
        title=f"simulated users of cycle {context.cycle.number} cannot be believed",
        detail="; ".join([reason, *(f"{item.dialogue}: {item.invalid_reason}" for item in examples)]),
        subject=batch.batch,
        actor=MANAGER,
    )
    raise RuleViolated(f"{reason}; resuming plays them anew", details={"batch": batch.batch}, code="SIMULATOR_UNSOUND")


def is_golden(text: str) -> bool:
    """Whether a message holds a sentence of the golden stories; short ones, which anybody may say, aside.

    The emulator itself never reads them: it is given this predicate, and asks it in its audit.
    """
    return any(mark in _golden_marks() for sentence in sentences_of(text) if (mark := _mark(sentence)))


@cache
def _golden_marks() -> frozenset[str]:
    texts = [turn.text for story in golden_stories() for thread in story.threads for turn in thread.turns]
    return frozenset(mark for text in texts for sentence in sentences_of(text) if (mark := _mark(sentence)))


def _mark(sentence: str) -> str:
    words = carriers(sentence)
    return stable_hash(*words) if len(words) >= _TELLING_WORDS else ""


def _refused(name: str) -> bool:
    found = EmulationBatch.objects.filter(batch=name, status=BatchStatus.COMPLETED).first()
    return found is not None and bool(_too_many(found))


def _too_many(batch: EmulationBatch) -> str:
    limit, rate = policy_current().max_invalid_dialogues, batch.invalid_rate
    if rate is None or rate <= limit:
        return ""
    return (
        f"{batch.dialogues_invalid} of {batch.dialogues_done} dialogues of simulated users are invalid ({rate:.0%}), "
        f"the policy allows {limit:.0%}"
    )
