"""Proposals as the Manager would send them."""

from __future__ import annotations

from typing import Any

from contracts.change import ChangeProposal
from contracts.parameters import ParameterChange, ParameterValue
from tuner import selectors


def change(param: str, from_value: ParameterValue, to_value: ParameterValue) -> ParameterChange:
    return ParameterChange(param=param, from_value=from_value, to_value=to_value)


def proposal(*changes: ParameterChange, base_version: int = 1, **fields: Any) -> ChangeProposal:
    return ChangeProposal(changes=changes, reason="test", base_version=base_version, **fields)


def next_step(param: str = "retrieval.top_k", to_value: ParameterValue = 4, **fields: Any) -> ChangeProposal:
    """From what is active now to `to_value`."""
    active = selectors.active_version().version
    current = selectors.version_values(active)[param]
    return proposal(change(param, current, to_value), base_version=active, **fields)
