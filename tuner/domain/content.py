"""A version's content: flat values, their groups (the JSON columns), and their hash. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from contracts.parameters import ParameterChange
from kernel.canonical import stable_hash
from tuner.domain.values import same_value

GROUPS = ("retrieval", "context", "llm", "archivist", "prompts")
"""The JSON columns of a version; factor `retrieval.top_k` is key `top_k` of column `retrieval`."""


def grouped(values: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """`{"retrieval.top_k": 3}` to `{"retrieval": {"top_k": 3}, "context": {}, …}`. Raises KeyError for no group."""
    groups: dict[str, dict[str, Any]] = {group: {} for group in GROUPS}
    for key, value in values.items():
        group, name = key.split(".", 1)
        groups[group][name] = value
    return groups


def flat(groups: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    return {f"{group}.{name}": value for group in GROUPS for name, value in groups[group].items()}


def content_hash(groups: Mapping[str, Mapping[str, Any]]) -> str:
    """SHA-256 of the canonical JSON of all groups."""
    return stable_hash({group: groups[group] for group in GROUPS})


def diff(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[ParameterChange, ...]:
    """What differs, by key. Both sides are merged with defaults, so each key is on both."""
    return tuple(
        ParameterChange(param=key, from_value=before[key], to_value=after[key])
        for key in sorted(before.keys() & after.keys())
        if not same_value(before[key], after[key])
    )
