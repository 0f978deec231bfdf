"""How good the Teacher itself is, and the Manager: their measures, by the formulas of reference.md. Pure.

Each figure carries what it was counted from; without that it is None, never a made-up zero.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import Any

from contracts.metric import METRICS
from contracts.parameters import ParameterValue
from kernel.canonical import canonical_json

REVERSAL_WITHIN = 10
"""Cycles within which going back on a factor counts as swinging."""


@dataclass(frozen=True, slots=True)
class Share:
    """`part` of `whole`; None when there is nothing to take a share of."""

    part: int
    whole: int

    @property
    def value(self) -> float | None:
        return self.part / self.whole if self.whole else None


@dataclass(frozen=True, slots=True)
class Typical:
    """The median of `n` times; None of none."""

    value: timedelta | None
    n: int


@dataclass(frozen=True, slots=True)
class FinishedExperiment:
    """An experiment with its verdict. `golden`: the gate's rows, metric → difference; empty when it was not asked."""

    verdict: str
    refused: bool
    rolled_back: bool
    golden_passed: bool | None
    golden: Mapping[str, float | None]
    completed_at: datetime | None = None
    decided_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class FactorMove:
    """A factor that changed in production. `cycle`: how many cycles had begun by then, of all campaigns.

    `permitted`: a person did it or agreed to it. `rollback`: it went back because of what was measured.
    """

    factor: str
    before: ParameterValue
    after: ParameterValue
    cycle: int
    permitted: bool = False
    rollback: bool = False


@dataclass(frozen=True, slots=True)
class TeacherMeasures:
    """`experiment_yield`: winners among finished experiments. `decided`: those with a verdict other than
    inconclusive. `catch_rate`: harmful changes stopped by verdict or gate, among these and those that were found only
    after activation. `resolution`: from planned to confirmed or rejected. `stability`: changes of factors that did not
    go back on an earlier one within ten cycles."""

    experiment_yield: Share
    decided: Share
    catch_rate: Share
    resolution: Typical
    stability: Share


@dataclass(frozen=True, slots=True)
class ManagerMeasures:
    """`to_experiment`: from a goal to its first experiment. `to_decision`: from a complete sample to the decision.
    `coverage`: active goals with an experiment. `conflicts`, `outside_policy`, `disorder`: must be 0."""

    to_experiment: Typical
    to_decision: Typical
    coverage: Share
    conflicts: int
    outside_policy: int
    disorder: int

    @property
    def sound(self) -> bool:
        return not (self.conflicts or self.outside_policy or self.disorder)


def experiment_yield(finished: Sequence[FinishedExperiment]) -> Share:
    return Share(sum(item.verdict == "winner" for item in finished), len(finished))


def decided(finished: Sequence[FinishedExperiment]) -> Share:
    return Share(sum(item.verdict != "inconclusive" for item in finished), len(finished))


def is_harmful(item: FinishedExperiment) -> bool:
    """A loser, or a winner that the golden gate refused while a metric there got worse."""
    if item.verdict == "loser":
        return True
    return item.golden_passed is False and any(_worse(name, value) for name, value in item.golden.items())


def _worse(metric: str, difference: float | None) -> bool:
    if difference is None or metric not in METRICS:
        return False
    return difference < -1e-9 if METRICS[metric].higher_is_better else difference > 1e-9


def catch_rate(finished: Sequence[FinishedExperiment]) -> Share:
    stopped = sum(is_harmful(item) and item.refused for item in finished)
    late = sum(item.rolled_back for item in finished)
    return Share(stopped, stopped + late)


def typical(times: Iterable[timedelta]) -> Typical:
    """The median; times that run backwards (a clock that was set) count as none at all."""
    seconds = [item.total_seconds() for item in times if item >= timedelta(0)]
    return Typical(timedelta(seconds=median(seconds)) if seconds else None, len(seconds))


def reversals(moves: Sequence[FactorMove], *, within: int = REVERSAL_WITHIN) -> list[FactorMove]:
    """Moves that go back on the last move of the same factor, within so many cycles. `moves`: oldest first."""
    found = []
    last: dict[str, FactorMove] = {}
    for move in moves:
        before = last.get(move.factor)
        if before is not None and move.cycle - before.cycle <= within and _goes_back(before, move):
            found.append(move)
        last[move.factor] = move
    return found


def _goes_back(before: FactorMove, now: FactorMove) -> bool:
    """Numbers: the other direction. Everything else: to the very value that was left."""
    first, second = _direction(before), _direction(now)
    if first is not None and second is not None:
        return first * second < 0
    return canonical_json(now.after) == canonical_json(before.before)


def _direction(move: FactorMove) -> int | None:
    before, after = move.before, move.after
    if isinstance(before, bool | str) or isinstance(after, bool | str):
        return None
    return (after > before) - (after < before)


def stability(moves: Sequence[FactorMove]) -> Share:
    return Share(len(moves) - len(reversals(moves)), len(moves))


def conflicts(moves: Sequence[FactorMove]) -> list[FactorMove]:
    """Moves of a program that undo an earlier move, though nobody permitted it and nothing measured asked for it."""
    return [move for move in reversals(moves) if not move.permitted and not move.rollback]


def teacher_measures(
    *, finished: Sequence[FinishedExperiment], resolved: Iterable[timedelta], moves: Sequence[FactorMove]
) -> TeacherMeasures:
    return TeacherMeasures(
        experiment_yield=experiment_yield(finished),
        decided=decided(finished),
        catch_rate=catch_rate(finished),
        resolution=typical(resolved),
        stability=stability(moves),
    )


def measures_json(found: TeacherMeasures | ManagerMeasures) -> dict[str, Any]:
    """Shares as {part, whole, value}, times as {seconds, n}."""
    return {name: _json(getattr(found, name)) for name in found.__dataclass_fields__}


def _json(value: Share | Typical | int) -> Any:
    if isinstance(value, Share):
        return {"part": value.part, "whole": value.whole, "value": value.value}
    if isinstance(value, Typical):
        return {"seconds": None if value.value is None else value.value.total_seconds(), "n": value.n}
    return value
