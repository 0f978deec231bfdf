# ruff: noqa: ARG001 - ninja calls every route with `request`
"""How good Teacher and Manager are by their own measures, and what versions promised against what was seen."""

from datetime import datetime
from typing import Any, Literal

from django.http import HttpRequest
from ninja import Router, Schema

from manager.measures import Standing
from teacher.measures import measures_json
from teacher.versions import version_stories

router = Router(tags=["measures"])


class ShareOut(Schema):
    part: int
    whole: int
    value: float | None
    """None: there was nothing to take a share of."""


class TypicalOut(Schema):
    seconds: float | None
    n: int


class TeacherOut(Schema):
    experiment_yield: ShareOut
    decided: ShareOut
    catch_rate: ShareOut
    resolution: TypicalOut
    stability: ShareOut


class ManagerOut(Schema):
    to_experiment: TypicalOut
    to_decision: TypicalOut
    coverage: ShareOut
    conflicts: int
    outside_policy: int
    disorder: int


class TrendOut(Schema):
    name: str
    """A campaign's number, or a month as 2026-11."""
    when: datetime
    finished: int
    measures: TeacherOut


class MeasuresOut(Schema):
    teacher: TeacherOut
    manager: ManagerOut
    trend: list[TrendOut]


class SeenOut(Schema):
    n: int
    mean: float
    low: float
    high: float
    change: float | None
    """From the version before, in the same place, with its interval; None where that was not seen."""
    change_low: float | None
    change_high: float | None


class PromiseOut(Schema):
    experiment: str
    metric: str
    estimate: float | None
    low: float | None
    high: float | None
    n: int
    golden: float | None


class VersionStoryOut(Schema):
    version: int
    before: int | None
    at: datetime
    reason: str
    active: bool
    rolled_back: bool
    promise: PromiseOut | None
    rows: dict[str, dict[str, SeenOut]]
    """Metric → source (validation, golden, train, online) → what was seen there."""
    warnings: list[str]


@router.get("/teacher/measures", response=MeasuresOut, summary="The Teacher's and the Manager's own measures")
def measures(request: HttpRequest, by: Literal["campaign", "month"] = "campaign") -> dict[str, Any]:
    standing = Standing()
    return {
        "teacher": measures_json(standing.teacher()),
        "manager": measures_json(standing.manager()),
        "trend": [
            {"name": row.name, "when": row.when, "finished": row.finished, "measures": measures_json(row.measures)}
            for row in standing.trend(by)
        ],
    }


@router.get(
    "/teacher/versions", response=list[VersionStoryOut], summary="Each active version: promised, and seen since"
)
def versions(request: HttpRequest) -> list[Any]:
    return list(version_stories())
