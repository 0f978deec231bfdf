"""Answers that a judge's model gave, kept by content, so that the same question is paid for once."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from django.utils import timezone

from teacher.models import JudgeAnswer

KEPT = timedelta(days=180)
"""An answer quotes the case. What nobody has needed for so long is deleted."""
_TOUCHED_EVERY = timedelta(days=1)


class Key(NamedTuple):
    """`content`: hash of what the model was shown. `prompt`: hash of prompt, form and code."""

    content: str
    prompt: str


class Kept(NamedTuple):
    answer: dict[str, Any]
    cost_usd: float


class Answers:
    """Answers of one model at one repeat. Another repeat asks anew: that is how steadiness is measured."""

    def __init__(self, *, model: str, repeat: int):
        self._model = model
        self._repeat = repeat

    def find(self, keys: Collection[Key]) -> dict[Key, dict[str, Any]]:
        rows = JudgeAnswer.objects.filter(
            model=self._model,
            repeat=self._repeat,
            content_hash__in={key.content for key in keys},
            prompt_hash__in={key.prompt for key in keys},
        )
        found = {Key(row.content_hash, row.prompt_hash): row for row in rows}
        now = timezone.now()
        rested = [row.pk for row in found.values() if row.used_at < now - _TOUCHED_EVERY]
        if rested:
            JudgeAnswer.objects.filter(pk__in=rested).update(used_at=now)
        return {key: row.answer for key, row in found.items() if key in keys}

    def keep(self, answers: Mapping[Key, Kept]) -> None:
        """The first answer to a question stays."""
        JudgeAnswer.objects.bulk_create(
            [
                JudgeAnswer(
                    content_hash=key.content,
                    prompt_hash=key.prompt,
                    model=self._model,
                    repeat=self._repeat,
                    answer=kept.answer,
                    cost_usd=Decimal(str(round(kept.cost_usd, 8))),
                )
                for key, kept in answers.items()
            ],
            ignore_conflicts=True,
        )


def answers_prune() -> int:
    """Delete what nobody has needed for `KEPT`. Returns how many."""
    return JudgeAnswer.objects.filter(used_at__lt=timezone.now() - KEPT).delete()[0]
