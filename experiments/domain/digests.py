"""Fingerprints of single samples, kept beside the hash of all: a replay says which row is not what it was."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kernel.canonical import stable_hash

DIGITS = 16
"""Of SHA-256: enough to tell rows apart; that nothing was altered is for the hash of all samples to say."""


def row_digest(row: Mapping[str, Any]) -> str:
    return stable_hash(row)[:DIGITS]


def row_digests(rows: Sequence[Mapping[str, Any]]) -> list[list[str]]:
    """[example, arm, fingerprint] of each sample, in their order."""
    return [[row["example_id"], row["variant"], row_digest(row)] for row in rows]
