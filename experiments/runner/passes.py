"""One pass: every example under every arm, interleaved in time, each exactly once.

Killed at any point, the pass is simply run again: run ids derive from (batch, example, arm), and MaaS answers a
run id that it has already answered with what it stored.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Literal

from django.db import connections
from django.utils import timezone

from contracts.dialogue import GroundTruth
from contracts.maas import RunRequest
from experiments.domain.examples import ExampleValue
from experiments.models import EvaluationPass
from kernel.canonical import derive_seed, stable_fraction
from kernel.errors import Conflict
from maas.client import MaasClient


@dataclass(frozen=True, slots=True)
class PassPlan:
    """What to run. `arms`: arm name → parameter version; `seed` is shared by the arms, so that they differ only
    in their parameters (common random numbers)."""

    batch: str
    dataset: str
    split: str
    purpose: str
    arms: Mapping[str, int]
    examples: Sequence[ExampleValue]
    seed: int
    experiment: str | None = None
    parallel: int = 2
    golden_hash: str = ""
    campaign_id: uuid.UUID | None = None
    upto: int | None = None
    """So many of the examples only, from the first on; the pass stays open and is gone on with later."""

    cycle_type: Literal["micro", "macro", "deep"] = "macro"
    """Of the telemetry rows that the pass leaves."""

    arm_seeds: Mapping[str, int] | None = None
    """Seeds of the arms, where they are not to share one: then the student's own variation lies between them."""

    def until(self, size: int) -> PassPlan:
        """The same pass up to its first `size` examples."""
        return replace(self, upto=size)

    @property
    def part(self) -> Sequence[ExampleValue]:
        return self.examples[: self.upto]

    @property
    def planned(self) -> int:
        return len(self.examples) * len(self.arms)


@dataclass(frozen=True, slots=True)
class PassProgress:
    """Runs done of runs planned, and runs per second so far."""

    done: int
    planned: int
    rate: float


class PassStopped(Conflict):
    """The pass was told to stop before its end."""


ProgressCallback = Callable[[PassProgress], None]


def pass_run(
    plan: PassPlan,
    *,
    client: MaasClient,
    on_progress: ProgressCallback | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> list[GroundTruth]:
    """Run `plan` to its end and return the ground truth of its runs, as messages for the Sensor.

    Raises `Conflict` when the batch was started with other arms, `PassStopped` when `should_stop` said so; what was
    run stays and is not run again.
    """
    row, _ = EvaluationPass.objects.get_or_create(
        batch=plan.batch,
        defaults={
            "dataset": plan.dataset,
            "split": plan.split,
            "purpose": plan.purpose,
            "experiment": plan.experiment,
            "arms": dict(plan.arms),
            "planned": plan.planned,
            "golden_hash": plan.golden_hash,
            "campaign_id": plan.campaign_id,
        },
    )
    if row.arms != dict(plan.arms):
        raise Conflict(f"pass {plan.batch} was started with other arms: {row.arms}")
    truths = [
        example.truth(batch=plan.batch, arm=arm, dataset=plan.dataset, split=plan.split)
        for example in plan.part
        for arm in plan.arms
    ]
    runs = len(plan.part) * len(plan.arms)
    if row.finished_at is not None or row.done >= runs > 0:
        return truths
    fresh = plan.part[row.done // max(1, len(plan.arms)) :]
    _drive(replace(plan, examples=fresh, upto=None), client=client, on_progress=on_progress, should_stop=should_stop)
    EvaluationPass.objects.filter(batch=plan.batch, finished_at=None).update(
        done=runs, finished_at=timezone.now() if runs == plan.planned else None
    )
    return truths


def pass_close(*, batch: str) -> None:
    """No more of this pass will be run; `done` tells how much of it was."""
    EvaluationPass.objects.filter(batch=batch, finished_at=None).update(finished_at=timezone.now())


def passes_close(*, experiment: str) -> None:
    """No pass of this experiment goes on."""
    EvaluationPass.objects.filter(experiment=experiment, finished_at=None).update(finished_at=timezone.now())


def _drive(
    plan: PassPlan,
    *,
    client: MaasClient,
    on_progress: ProgressCallback | None,
    should_stop: Callable[[], bool] | None,
) -> None:
    """Ask every question; a stop or a failure of one ends the others after the question that they are at."""
    started, lock, stopped = time.monotonic(), threading.Lock(), threading.Event()
    done = 0

    def one(example: ExampleValue) -> None:
        nonlocal done
        if stopped.is_set():
            return
        for arm in _order(plan, example):
            client.ask(_request(plan, example, arm))
        with lock:
            done += len(plan.arms)
            if on_progress is not None:
                elapsed = max(time.monotonic() - started, 1e-6)
                on_progress(PassProgress(done=done, planned=plan.planned, rate=done / elapsed))
            if should_stop is not None and should_stop():
                stopped.set()

    shares = _shares(plan)
    if len(shares) <= 1:
        for example in plan.part:
            one(example)
    else:
        with ThreadPoolExecutor(max_workers=len(shares), thread_name_prefix="pass") as pool:
            try:
                for share in [pool.submit(_share, one, examples) for examples in shares]:
                    share.result()
            except BaseException:
                stopped.set()
                raise
    if stopped.is_set():
        raise PassStopped(f"pass {plan.batch} was stopped; it goes on where it was")


def _shares(plan: PassPlan) -> list[list[ExampleValue]]:
    """The examples in at most `parallel` shares of about the same size. A user's questions stay together, because
    MaaS answers each user in order: two threads on one user would only wait for each other."""
    by_user: dict[uuid.UUID, list[ExampleValue]] = {}
    for example in plan.part:
        by_user.setdefault(example.user_id, []).append(example)
    shares: list[list[ExampleValue]] = [[] for _ in range(max(1, min(plan.parallel, len(by_user))))]
    for examples in sorted(by_user.values(), key=len, reverse=True):
        min(shares, key=len).extend(examples)
    return shares


def _share(one: Callable[[ExampleValue], None], examples: Sequence[ExampleValue]) -> None:
    try:
        for example in examples:
            one(example)
    finally:
        connections.close_all()


def _order(plan: PassPlan, example: ExampleValue) -> list[str]:
    """The arms in an order that a hash decides, so that neither is always the one that runs on a warm cache."""
    return sorted(plan.arms, key=lambda arm: stable_fraction(plan.batch, example.external_id, arm))


def _request(plan: PassPlan, example: ExampleValue, arm: str) -> RunRequest:
    return RunRequest(
        user_id=example.user_id,
        query=example.query,
        run_id=example.run_id(plan.batch, arm),
        client_kind="emulator",
        mode="evaluation",
        simulated_at=example.asked_at,
        experiment=plan.experiment,
        variant=arm if plan.experiment else None,
        pinned_version=plan.arms[arm],
        cycle_type=plan.cycle_type,
        seed=derive_seed((plan.arm_seeds or {}).get(arm, plan.seed), example.external_id),
    )
