"""What the Tuner is asked to do, and what its guards answer."""

from __future__ import annotations

import uuid
from datetime import datetime
from enum import StrEnum
from typing import Any

from contracts.base import Message, Part
from contracts.parameters import ParameterChange, ParameterValue


class GuardCode(StrEnum):
    UNKNOWN_PARAM = "UNKNOWN_PARAM"
    WRONG_TYPE = "WRONG_TYPE"
    OUT_OF_RANGE = "OUT_OF_RANGE"
    STEP_TOO_LARGE = "STEP_TOO_LARGE"
    MANUAL_ONLY = "MANUAL_ONLY"
    NEEDS_APPROVAL = "NEEDS_APPROVAL"
    FROZEN = "FROZEN"
    COOLDOWN = "COOLDOWN"
    CONFLICT = "CONFLICT"
    STALE_FROM = "STALE_FROM"
    TOO_MANY_CHANGES = "TOO_MANY_CHANGES"
    UNTESTED_PROMPT = "UNTESTED_PROMPT"


LIFTED_BY_APPROVAL = frozenset(
    {GuardCode.STEP_TOO_LARGE, GuardCode.MANUAL_ONLY, GuardCode.NEEDS_APPROVAL, GuardCode.COOLDOWN}
)
"""What a meta-user's approval lifts. Nothing lifts the others."""

GUARD_MEANINGS: dict[GuardCode, str] = {
    GuardCode.UNKNOWN_PARAM: "there is no such factor; `allowed` lists all",
    GuardCode.WRONG_TYPE: "the value has not the factor's type; `limit` is the type",
    GuardCode.OUT_OF_RANGE: "outside what is possible at all; `limit` is the hard range or the choices",
    GuardCode.STEP_TOO_LARGE: "more than one step at once; `allowed` is how far one step reaches",
    GuardCode.MANUAL_ONLY: "a person alone changes this factor",
    GuardCode.NEEDS_APPROVAL: "possible, and outside the automatic range; `allowed` is that range",
    GuardCode.FROZEN: "changes, or this factor, are frozen; a rollback still works",
    GuardCode.COOLDOWN: "the factor was rolled back lately; or this value was, and the proposal has no newer verdict; "
    "or it was taken and left again lately",
    GuardCode.CONFLICT: "another experiment tests this factor now; `limit` is its name",
    GuardCode.STALE_FROM: "the value is no longer what the proposal says; `allowed` is what it is",
    GuardCode.TOO_MANY_CHANGES: "more than one factor at once",
    GuardCode.UNTESTED_PROMPT: "this version of the prompt has won no A/B test",
}
"""What each code says, for people."""


class GuardViolation(Part):
    """One broken rule: the value, the limit, and what would be allowed, as a sentence and as data."""

    code: GuardCode
    param: str
    value: ParameterValue | None
    limit: Any = None
    allowed: Any = None
    message: str

    @property
    def lifted_by_approval(self) -> bool:
        return self.code in LIFTED_BY_APPROVAL


class ChangeProposal(Message):
    """A change of parameters with its evidence. `approved_by` is set only by a decided approval.

    `evidence_at`: when the verdict that it rests on was given; None for a change that rests on none.
    """

    changes: tuple[ParameterChange, ...]
    reason: str
    experiment: str | None = None
    base_version: int
    tested: bool = False
    evidence_at: datetime | None = None
    approval_id: uuid.UUID | None = None
    approved_by: str | None = None


class AppliedChange(Message):
    """What the Tuner did: the version that was active before and the one that is active now.

    `passed_over`: stable versions that a rollback did not go to, since a value of theirs is impossible today.
    """

    previous_version: int
    version: int
    changes: tuple[ParameterChange, ...]
    action: str
    reason: str
    passed_over: tuple[int, ...] = ()
