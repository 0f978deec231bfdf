"""The same samples give the same bytes: fingerprints of what went in, and a comparison of what came out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from contracts.evaluation import Evaluation, HealthCheck, Sample
from contracts.experiment_spec import ExperimentSpec
from kernel.canonical import canonical_json, stable_hash
from teacher.statistics import ENGINE_VERSION, evaluate_variant


@dataclass(frozen=True)
class ReplayReport:
    """`identical`: the same bytes. `engine_changed`: the stored evaluation came from another engine version.

    `differences` names the paths that differ, with both values; both evaluations are there to be shown.
    """

    identical: bool
    engine_changed: bool
    differences: tuple[str, ...]
    stored: Evaluation
    recomputed: Evaluation


def evaluation_bytes(evaluation: Evaluation) -> bytes:
    """The canonical bytes of an evaluation."""
    return canonical_json(evaluation.model_dump(mode="json")).encode()


def samples_hash(samples: Sequence[Sample]) -> str:
    """SHA-256 of the samples, whatever their order."""
    return stable_hash(sorted(canonical_json(sample.model_dump(mode="json")) for sample in samples))


def replay(
    stored: Evaluation,
    spec: ExperimentSpec,
    samples: Sequence[Sample],
    *,
    looks: Sequence[int] = (),
    horizon: int | None = None,
    health: Sequence[HealthCheck] = (),
) -> ReplayReport:
    """Computes the evaluation again and says whether, and where, it differs."""
    again = evaluate_variant(spec, samples, stored.variant, looks=looks, horizon=horizon, health=health)
    found = tuple(_differences("", stored.model_dump(mode="json"), again.model_dump(mode="json")))
    return ReplayReport(
        identical=evaluation_bytes(stored) == evaluation_bytes(again),
        engine_changed=stored.engine_version != ENGINE_VERSION,
        differences=found,
        stored=stored,
        recomputed=again,
    )


def _differences(path: str, before: Any, after: Any) -> list[str]:
    if isinstance(before, dict) and isinstance(after, dict):
        keys = sorted({*before, *after})
        return [line for key in keys for line in _differences(f"{path}.{key}", before.get(key), after.get(key))]
    if isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        pairs = enumerate(zip(before, after, strict=True))
        return [line for place, (old, new) in pairs for line in _differences(f"{path}[{place}]", old, new)]
    return [] if before == after else [f"{path.lstrip('.')}: {before} → {after}"]
