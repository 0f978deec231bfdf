"""A new version of the responder's prompt, written by a model when one is configured and answers make too much up.

It becomes a prompt like any other (`manager.services.prompts`), and is offered to the loop once the registry of
factors names it; the same guards and the same A/B test decide on it. Without a model, or when it fails, the bundled
library is what is offered.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal

from django.conf import settings

from contracts.metric import METRICS
from experiments.domain.examples import ExampleValue
from experiments.golden import golden_examples
from experiments.selectors import examples
from goals.services import Spend, campaign_spend_record
from kernel.canonical import derive_seed
from kernel.errors import Conflict, InvalidInput, RuleViolated
from llm.errors import ModelRefused
from llm.factory import get_chat_model
from maas.client import prompt_texts
from manager.engine.context import TEACHER, Note, StepContext
from manager.services.prompts import prompt_add
from sensor.selectors import events
from teacher.designer.prompting import NotWritten, prompt_write
from teacher.domain.wording import amount
from tuner.factors import factors_now
from tuner.selectors import version_values

ROLE, FACTOR = "responder", "prompts.responder"
WRITTEN_AT_MOST = 3
"""Prompts that a model writes for one campaign; each costs an experiment to find out about."""


def prompt_wanted(context: StepContext, *, version: int, invented: float, untested: set[str]) -> list[Note]:
    """Have a model write one more prompt, if there is a model and none that it wrote waits to be tested.

    `untested`: versions that the loop is offered already. A repeated step finds the prompt that is there. Returns what
    to tell of it; nothing without a model.
    """
    if getattr(settings, "SELFLEARN_LLM", "offline") == "offline":
        return []
    try:
        texts = prompt_texts(role=ROLE)
        own = [name for name in texts if name.startswith(f"w-c{context.campaign.number}-")]
        offered_now = factors_now()[FACTOR].choices
        waiting = any(name in untested or name not in offered_now for name in own)
        if f"w-{context.name}" in own or waiting or len(own) >= WRITTEN_AT_MOST:
            return []
        return _written(context, texts, present=str(version_values(version)[FACTOR]), invented=invented)
    except Conflict:  # another worker at the same step was first
        return []
    except (ModelRefused, InvalidInput, RuleViolated) as error:  # no key, a student elsewhere: no reason to stop
        return [_failed(error.message)]


def _written(context: StepContext, texts: Mapping[str, str], *, present: str, invented: float) -> list[Note]:
    name = f"w-{context.name}"
    written = prompt_write(
        model=get_chat_model(),
        present=texts.get(present, ""),
        others=[text for one, text in texts.items() if one != present],
        invented=invented,
        allowed=METRICS["hallucination_rate"].target or 0.0,
        private=_private(context),
        seed=derive_seed(context.campaign.seed, "prompt", context.cycle.number),
    )
    spend = Spend(
        f"prompt:{context.campaign.pk}:{name}", written.bill.tokens, Decimal(str(round(written.bill.cost_usd, 8)))
    )
    campaign_spend_record(campaign_id=context.campaign.pk, spends=[spend])
    if isinstance(written, NotWritten):
        return [_failed(written.reason)]
    prompt_add(
        role=ROLE,
        version=name,
        template=written.text,
        description=f"Written by {written.model} from {present}: {written.idea}",
        actor=TEACHER,
    )
    why = f"{amount('hallucination_rate', invented)} of the answers make something up"
    return [Note("prompt_written", f"{written.model} wrote {name} of the responder's prompt: {written.idea}", why)]


def _failed(reason: str) -> Note:
    return Note("prompt_written", "no prompt was written: the bundled versions are what is offered", reason)


def _private(context: StepContext) -> Iterator[str]:
    """What must not stand in a prompt: questions, facts and forbidden content of every split, and what was asked in
    this campaign's dialogues."""
    dataset = context.campaign.dataset
    held: list[ExampleValue] = [
        *examples(dataset=dataset, split="train"),
        *examples(dataset=dataset, split="validation"),
        *golden_examples(dataset=dataset, at=context.campaign.started_at),
    ]
    for example in held:
        yield from (example.query, *example.key_facts, *example.forbidden)
    if batch := context.cycle.data.get("train_batch"):
        for row in events(batch=batch):
            yield from (row.query, *(row.key_facts or ()), *(row.forbidden or ()))
