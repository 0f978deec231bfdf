# ruff: noqa: ARG001 - ninja calls every route with `request`
"""Impact factors over HTTP: what holds for each, and what a meta-user changes of it."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from ninja import Field, Router, Schema
from ninja.pagination import paginate
from pydantic import AwareDatetime

from audit.services import chain_lock
from contracts.doors import actor_of
from contracts.etags import TAGGED, TAKES_IF_MATCH, tagged, unchanged
from tuner.domain.values import allowed_text
from tuner.factor_services import factor_change, factor_reset
from tuner.factors import FactorState, factor_state, factor_states

router = Router(tags=["parameters"])


class FactorOut(Schema):
    """One impact factor as it holds now."""

    key: str
    title: str
    type: Literal["int", "float", "bool", "choice", "prompt"]
    default: Any
    possible: list[Any]
    """The hard range `[low, high]`, or the values that there are. Nothing widens it."""
    auto_low: float | None
    auto_high: float | None
    auto: bool
    """Whether it may be tuned without a person at all."""
    manual: bool
    """Each change waits for a person."""
    needs_ab_test: bool
    step: float | None
    """The largest change at once; a share of the value when `step_relative`."""
    step_relative: bool
    cooldown_cycles: int
    frozen: bool
    frozen_until: datetime | None
    """When the freeze ends by itself; null: when somebody thaws it."""
    acts_on: Literal["answer", "memory"]
    aliases: list[str]
    doc: str
    reason: str
    """Why its limits are as they are."""
    changed: list[str]
    """Which fields a meta-user has set; the others are as the registry has them."""
    changed_by: str
    changed_at: datetime | None
    changed_reason: str


class FactorIn(Schema, extra="forbid"):
    """What is left out stays; null is as the registry has it."""

    auto_low: float | None = None
    auto_high: float | None = None
    step: float | None = None
    cooldown_cycles: int | None = Field(None, ge=0, le=1000)
    manual: bool | None = None
    frozen: bool | None = None
    frozen_until: AwareDatetime | None = None
    reason: str = Field(max_length=2000, examples=["answers grew long"])


class ResetIn(Schema, extra="forbid"):
    reason: str = Field(max_length=2000)


@router.get("/parameters/factors", response=list[FactorOut], summary="Impact factors and their limits")
@paginate(key="key")
def factors(request: HttpRequest) -> list[dict[str, Any]]:
    """In the registry's order, as they hold now."""
    return [_out(state) for state in factor_states().values()]


@router.get("/parameters/factors/{key}", response=FactorOut, summary="One impact factor", openapi_extra=TAGGED)
def factor_detail(request: HttpRequest, response: HttpResponse, key: str) -> FactorOut:
    """By key or alias."""
    return tagged(response, _shown(key))


@router.patch(
    "/parameters/factors/{key}",
    response=FactorOut,
    summary="Change a factor's limits, freeze or thaw it",
    openapi_extra=TAKES_IF_MATCH,
)
def factor_patch(request: HttpRequest, response: HttpResponse, key: str, body: FactorIn) -> FactorOut:
    """Needs the role meta-user and a reason. 422 with `details.fields` for what is beyond the hard limits.

    `{"frozen": true, "frozen_until": "2026-12-24T12:00:00Z", "reason": "…"}` freezes; `{"frozen": null, "reason": "…"}`
    thaws.
    """
    given = body.model_dump(exclude_unset=True, exclude={"reason"})
    with unchanged(request, lambda: _shown(key), inside=transaction.atomic, lock=chain_lock):
        factor_change(key=key, values=given, reason=body.reason, actor=actor_of(request))
    return tagged(response, _shown(key))


@router.post(
    "/parameters/factors/{key}/reset",
    response=FactorOut,
    summary="A factor as the registry has it",
    openapi_extra=TAKES_IF_MATCH,
)
def factor_undo(request: HttpRequest, response: HttpResponse, key: str, body: ResetIn) -> FactorOut:
    """Takes back every change of its limits, its freeze too. Needs the role meta-user and a reason."""
    with unchanged(request, lambda: _shown(key), inside=transaction.atomic, lock=chain_lock):
        factor_reset(key=key, reason=body.reason, actor=actor_of(request))
    return tagged(response, _shown(key))


def _shown(key: str) -> FactorOut:
    return FactorOut.model_validate(_out(factor_state(key)))


def _out(state: FactorState) -> dict[str, Any]:
    return {
        **state.now.model_dump(),
        "possible": allowed_text(state.now),
        "changed": list(state.changed),
        "changed_by": state.changed_by,
        "changed_at": state.changed_at,
        "changed_reason": state.reason,
    }
