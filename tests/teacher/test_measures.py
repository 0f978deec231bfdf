"""The measures of Teacher and Manager themselves, by their formulas."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from teacher.measures import (
    FactorMove,
    FinishedExperiment,
    ManagerMeasures,
    Share,
    Typical,
    catch_rate,
    conflicts,
    decided,
    experiment_yield,
    measures_json,
    reversals,
    stability,
    typical,
)


def finished(verdict: str = "winner", **changes: Any) -> FinishedExperiment:
    usual: dict[str, Any] = {"refused": False, "rolled_back": False, "golden_passed": None, "golden": {}}
    return FinishedExperiment(verdict=verdict, **(usual | changes))


def move(before: Any, after: Any, cycle: int = 1, factor: str = "retrieval.top_k", **changes: Any) -> FactorMove:
    return FactorMove(factor=factor, before=before, after=after, cycle=cycle, **changes)


def test_experiment_yield__winners_among_finished__and_decided_beside_it() -> None:
    rows = [finished("winner"), finished("loser"), finished("inconclusive"), finished("inconclusive")]
    assert (experiment_yield(rows), decided(rows)) == (Share(1, 4), Share(2, 4))
    assert experiment_yield(rows).value == 0.25


def test_share__of_nothing__is_absent_and_not_zero() -> None:
    assert experiment_yield([]).value is None
    assert measures_json(ManagerMeasures(Typical(None, 0), Typical(timedelta(minutes=2), 3), Share(0, 0), 0, 0, 0)) == {
        "to_experiment": {"seconds": None, "n": 0},
        "to_decision": {"seconds": 120.0, "n": 3},
        "coverage": {"part": 0, "whole": 0, "value": None},
        "conflicts": 0,
        "outside_policy": 0,
        "disorder": 0,
    }


def test_catch_rate__stopped_by_verdict_and_gate_and_found_late__counts_each_once() -> None:
    rows = [
        finished("loser", refused=True),
        finished(refused=True, golden_passed=False, golden={"retrieval_recall": -0.1, "hallucination_rate": 0.0}),
        finished(rolled_back=True, golden_passed=True),
        finished(golden_passed=True, golden={"retrieval_recall": -0.01}),
    ]
    assert catch_rate(rows) == Share(2, 3)


@pytest.mark.parametrize(
    ("golden", "harmful"),
    [
        ({"retrieval_recall": -0.1}, True),
        ({"hallucination_rate": 0.1}, True),
        ({"hallucination_rate": -0.1, "retrieval_recall": 0.0}, False),
        ({"retrieval_recall": None}, False),
    ],
)
def test_catch_rate__refused_by_golden__is_harmful_when_something_got_worse_there(
    golden: dict[str, float | None], harmful: bool
) -> None:
    rows = [finished(refused=True, golden_passed=False, golden=golden)]
    assert catch_rate(rows) == Share(int(harmful), int(harmful))


def test_catch_rate__inconclusive_and_refused__is_not_called_harmful() -> None:
    assert catch_rate([finished("inconclusive", refused=True)]).value is None


def test_typical__some_times__is_their_median() -> None:
    times = [timedelta(seconds=n) for n in (1, 100, 3)]
    assert typical(times) == Typical(timedelta(seconds=3), 3)


def test_typical__time_that_runs_backwards__counts_as_none() -> None:
    assert typical([timedelta(seconds=-5)]) == Typical(None, 0)


def test_reversals__there_and_back_within_ten_cycles__is_one() -> None:
    there, back = move(3, 4, 1), move(4, 3, 11)
    assert reversals([there, back]) == [back]
    assert stability([there, back]) == Share(1, 2)


def test_reversals__back_after_more_than_ten_cycles__is_none() -> None:
    assert reversals([move(3, 4, 1), move(4, 3, 12)]) == []


@pytest.mark.parametrize(
    "moves",
    [
        [move(3, 4), move(4, 5)],
        [move(3, 4), move(0.5, 0.4, factor="retrieval.recency_weight")],
        [move("tags", "lexical"), move("lexical", "hybrid")],
    ],
)
def test_reversals__further_or_elsewhere__is_none(moves: list[FactorMove]) -> None:
    assert reversals(moves) == []


@pytest.mark.parametrize(
    "moves", [[move("tags", "lexical"), move("lexical", "tags")], [move(True, False), move(False, True)]]
)
def test_reversals__choice_back_to_what_was_left__is_one(moves: list[FactorMove]) -> None:
    assert len(reversals(moves)) == 1


def test_conflicts__permitted_or_rolled_back__are_none() -> None:
    there = move(3, 4)
    assert conflicts([there, move(4, 3, permitted=True)]) == []
    assert conflicts([there, move(4, 3, rollback=True)]) == []
    assert len(conflicts([there, move(4, 3)])) == 1


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5), st.integers(0, 30)), max_size=20))
def test_stability__whatever_moved__is_a_share(steps: list[tuple[int, int, int]]) -> None:
    moves = [move(before, after, cycle) for before, after, cycle in sorted(steps, key=lambda item: item[2])]
    value = stability(moves).value
    assert value is None if not moves else 0.0 <= (value or 0.0) <= 1.0
