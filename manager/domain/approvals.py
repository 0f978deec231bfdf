"""What an approval is an approval of. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kernel.canonical import stable_hash


def proposal_hash(
    *,
    kind: str,
    experiment: str,
    change: Mapping[str, Any],
    evidence: Mapping[str, Any],
    reasons: Sequence[str],
    base_version: int,
) -> str:
    """SHA-256 over all that a person is shown and agrees to: the change, its evidence, why a person is asked, and the
    version that it was tested on. Of values as the database gives them back, so that the same row has the same hash."""
    return stable_hash(kind, experiment, dict(change), dict(evidence), list(reasons), base_version)
