"""One byte string per value: canonical JSON, stable hashes, and ids and seeds derived from them."""

from __future__ import annotations

import hashlib
import json
import math
import uuid
from datetime import date, datetime
from decimal import Decimal
from typing import Any

_NAMESPACE = uuid.UUID("5e1f1ea2-0000-4000-8000-5e1f1ea20000")


def _plain(value: object) -> Any:
    if isinstance(value, uuid.UUID | Decimal):
        return str(value)
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, set | frozenset):
        return sorted(value)
    raise TypeError(f"no canonical JSON for {type(value).__name__}")


def _reject_non_finite(value: object) -> None:
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError("canonical JSON has no NaN or infinity")
    if isinstance(value, dict):
        for item in value.values():
            _reject_non_finite(item)
    elif isinstance(value, list | tuple):
        for item in value:
            _reject_non_finite(item)


def canonical_json(value: object) -> str:
    """Sorted keys, no spaces, UTF-8 kept; the same value always gives the same text.

    Raises `ValueError` for NaN and infinity, `TypeError` for what JSON cannot hold.
    """
    _reject_non_finite(value)
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=_plain)


def stable_hash(*parts: object) -> str:
    """SHA-256 (hex, 64 characters) of the canonical JSON of `parts`."""
    return hashlib.sha256(canonical_json(list(parts)).encode()).hexdigest()


def stable_fraction(*parts: object) -> float:
    """A number in [0, 1) that depends on `parts` alone; for assignment and sampling."""
    return int(stable_hash(*parts)[:13], 16) / 16**13


def derive_seed(*parts: object) -> int:
    """A 63-bit seed that depends on `parts` alone."""
    return int(stable_hash(*parts)[:16], 16) >> 1


def derive_uuid(*parts: object) -> uuid.UUID:
    """A UUID that depends on `parts` alone, so that a repeated step finds what it made before."""
    return uuid.uuid5(_NAMESPACE, canonical_json(list(parts)))
