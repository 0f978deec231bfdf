"""What a campaign pays, counted as it pays, and the end of it when its budget is spent.

Every question to the student goes through `Metered`: past the budget nothing more is asked. What was answered is stored
and counted once, whoever asks again (`goals.services.campaign_spend_record`).
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from django.utils import timezone

from contracts.maas import RunAnswer, RunRequest
from experiments.models import EvaluationPass
from goals.domain.budget import Taken, budget_exceeded, budget_spent
from goals.models import Campaign
from goals.selectors import campaign_taken, goal_budget, run_typical, runs_unbilled
from goals.services import Spend, campaign_spend_record
from kernel.errors import DomainError
from maas.client import MaasClient
from sensor.selectors import runs_usage
from sensor.services import runs_capture
from teacher.judges import Judging, judging_cut_short, judging_spent

_AT_ONCE, _AT_ONCE_WITHIN_BUDGET = 200, 20
"""Runs after which a campaign looks at what it took; fewer where the budget nears its end, each single one at last, so
that what is paid beyond it is an answer of each thread."""


class BudgetSpent(DomainError):
    """The campaign's budget allows no more; what was done is kept."""

    code = "BUDGET_SPENT"


class Meter:
    """Counts for one campaign. Safe for threads; what a killed worker had answered and not counted, `owe` finds."""

    def __init__(self, campaign: Campaign, *, clock: Callable[[], datetime] = timezone.now):
        self.campaign_id = campaign.pk
        self.budget = goal_budget(campaign.goal)
        self.taken: Taken = campaign_taken(campaign)
        self.typical: Taken | None = run_typical(campaign) if self.limited else None
        self._clock, self._lock = clock, threading.RLock()
        self._asked: set[uuid.UUID] = set()

    @property
    def limited(self) -> bool:
        return self.budget.tokens is not None or self.budget.usd is not None

    def check(self) -> None:
        """Raises `BudgetSpent`."""
        reason = budget_spent(self.budget, self.taken, now=self._clock())
        if reason:
            raise BudgetSpent(reason)

    def foresee(self, runs: int) -> None:
        """Raises `BudgetSpent` when so many runs, at what a run took so far, would go beyond the budget."""
        self.count()
        if runs == 0:
            return
        self.check()
        if self.typical is not None and (
            reason := budget_exceeded(self.budget, self.taken, runs=runs, each=self.typical)
        ):
            raise BudgetSpent(reason)

    def asked(self, run_id: uuid.UUID) -> None:
        with self._lock:
            self._asked.add(run_id)
            if len(self._asked) >= self._patience():
                self.count()

    def owe(self, run_ids: Sequence[uuid.UUID]) -> None:
        """Count these runs too, whoever asked for them, unless they are on a bill already.

        A worker that is killed between its last answer and its count leaves nothing to ask again, only to pay.
        """
        with self._lock:
            self._asked |= runs_unbilled(run_ids=run_ids)
            self.count()

    def count(self) -> None:
        """Have what was asked recorded, and count it. A run whose memory is not written yet is counted next time."""
        with self._lock:
            if not self._asked:
                return
            runs_capture(run_ids=sorted(self._asked))
            found = runs_usage(run_ids=sorted(self._asked))
            spends = [Spend(f"run:{item.run_id}", item.tokens, item.cost_usd) for item in found]
            self._asked -= {item.run_id for item in found}
            self._record(spends)
            if self.limited and found:
                self.typical = Taken(
                    tokens=round(sum(item.tokens for item in found) / len(found)),
                    usd=float(sum(item.cost_usd for item in found)) / len(found),
                )

    def _patience(self) -> int:
        """Runs to be asked before counting: at most half of what is left pays for."""
        if not self.limited:
            return _AT_ONCE
        if self.typical is None:
            return 1
        left = [
            (limit - taken) / each
            for limit, taken, each in (
                (self.budget.tokens, self.taken.tokens, self.typical.tokens),
                (self.budget.usd, self.taken.usd, self.typical.usd),
            )
            if limit is not None and each > 0
        ]
        return max(1, min(_AT_ONCE_WITHIN_BUDGET, int(min(left, default=_AT_ONCE_WITHIN_BUDGET) / 2)))

    def judging(self, batch: str, judging: Judging) -> Judging:
        """The judge's own limit, or what is left for this batch, whichever is less. The offline judge costs nothing."""
        if self.budget.usd is None or judging.judge == "offline":
            return judging
        self.count()
        left = self.budget.usd - self.taken.usd + float(judging_spent(batches=[batch]))
        return replace(judging, usd_per_batch=min(judging.usd_per_batch, max(left, 0.0)))

    def judged(self, batch: str, judging: Judging, policy: Judging) -> None:
        """Count what judging took. Raises `BudgetSpent` when it ended early for want of the campaign's money."""
        spent = judging_spent(batches=[batch])
        if spent:
            self._record([Spend(f"judge:{batch}", 0, spent)])
        if judging.usd_per_batch < policy.usd_per_batch and judging_cut_short(batch):
            raise BudgetSpent(f"budget spent: judging {batch} takes more than the ${judging.usd_per_batch:.4f} left")

    def _record(self, spends: list[Spend]) -> None:
        if spends:
            self.taken = campaign_taken(campaign_spend_record(campaign_id=self.campaign_id, spends=spends))


class Metered:
    """The student, whose answers are paid for by a campaign. Raises `BudgetSpent` instead of asking beyond it."""

    def __init__(self, client: MaasClient, meter: Meter):
        self._client, self._meter = client, meter
        self.wait, self.feedback, self.owe = client.wait, client.feedback, meter.owe

    def submit(self, request: RunRequest) -> uuid.UUID:
        self._meter.check()
        run_id = self._client.submit(request)
        self._meter.asked(run_id)
        return run_id

    def ask(self, request: RunRequest) -> RunAnswer:
        self._meter.check()
        answer = self._client.ask(request)
        self._meter.asked(answer.run_id)
        return answer


def runs_ahead(*, batch: str, planned: int) -> int:
    """Runs of a pass that are still to be asked."""
    row = EvaluationPass.objects.filter(batch=batch).values("done", "finished_at").first()
    if row is None:
        return planned
    return 0 if row["finished_at"] is not None else max(0, planned - int(row["done"]))
