"""What is believed of steps: the starting knowledge, what results make of it, and how much depends on it."""

from __future__ import annotations

import math
from datetime import timedelta
from statistics import mean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.parameters import ParameterChange
from teacher.designer.knowledge import (
    BEFORE_DEVIATION,
    BETWEEN_OCCASIONS,
    MEDIUM,
    STARTING,
    STRONG,
    UNKNOWN,
    Knowledge,
    Observation,
    gain_of,
    move_of,
    starting_shuffled,
)
from teacher.designer.screening import Difference
from teacher.knowledge import Occasion, knowledge_read, known_list, observations_record, steps_seen
from teacher.models import StepObservation
from tests.teacher.landscape import FACTORS_OPEN, Loop

PRECISION, TOP_K = "retrieval_precision", "retrieval.top_k"


def seen(gain: float, error: float = 0.01, *, metric: str = PRECISION, move: str = "down") -> Observation:
    return Observation(metric, TOP_K, move, gain, error)


# --- belief -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "after", "move"),
    [
        (3, 4, "up"),
        (0.5, 0.4, "down"),
        ("v1", "v2", "to v2"),
        (False, True, "to true"),
        ("tags", "hybrid", "to hybrid"),
    ],
)
def test_move__of_values__is_a_direction_or_the_value_itself(before: object, after: object, move: str) -> None:
    assert move_of(before, after) == move


@pytest.mark.parametrize(
    ("factor", "move", "expected"),
    [
        (TOP_K, "down", STRONG),
        (TOP_K, "up", UNKNOWN / 2),
        ("retrieval.min_score", "up", MEDIUM),
        ("no.such", "up", UNKNOWN),
        ("prompts.responder", "to v2", UNKNOWN),
    ],
)
def test_belief__of_what_nobody_has_seen__is_the_starting_knowledge(factor: str, move: str, expected: float) -> None:
    found = Knowledge().belief(PRECISION, factor, move)

    assert found.mean == pytest.approx(expected)
    assert found.deviation == pytest.approx(BEFORE_DEVIATION)
    assert (found.seen, found.observed) == (0, None)


def test_belief__of_a_prompt__counts_for_each_of_its_versions() -> None:
    assert Knowledge().belief("hallucination_rate", "prompts.responder", "to v3").mean == pytest.approx(MEDIUM)


def test_belief__after_two_occasions__is_the_formula_of_the_docstring() -> None:
    found = Knowledge([seen(-0.05, 0.01), seen(0.01, 0.03)]).belief(PRECISION, TOP_K, "down")

    first, second = (1 / (error**2 + BETWEEN_OCCASIONS**2) for error in (0.01, 0.03))
    precision = 1 / BEFORE_DEVIATION**2 + first + second
    assert found.mean == pytest.approx((STRONG / BEFORE_DEVIATION**2 - 0.05 * first + 0.01 * second) / precision)
    assert found.deviation == pytest.approx(math.sqrt(1 / precision))
    assert found.observed == pytest.approx((-0.05 * first + 0.01 * second) / (first + second))
    assert found.seen == 2


@given(
    gains=st.lists(st.floats(-0.3, 0.3), min_size=1, max_size=6),
    errors=st.lists(st.floats(0, 0.2), min_size=6, max_size=6),
)
def test_belief__whatever_was_seen__lies_between_what_was_believed_and_what_was_seen(
    gains: list[float], errors: list[float]
) -> None:
    found = Knowledge([seen(gain, error) for gain, error in zip(gains, errors, strict=False)]).belief(
        PRECISION, TOP_K, "down"
    )

    assert found.observed is not None
    assert min(found.before, found.observed) - 1e-12 <= found.mean <= max(found.before, found.observed) + 1e-12
    assert found.deviation < BEFORE_DEVIATION


def test_belief__seen_again_and_again__forgets_what_was_believed_before() -> None:
    assert Knowledge([seen(-0.04)] * 60).belief(PRECISION, TOP_K, "down").mean == pytest.approx(-0.04, abs=0.001)


def test_belief__of_another_move_or_metric__is_not_touched() -> None:
    known = Knowledge([seen(-0.2)])

    assert known.belief(PRECISION, TOP_K, "up").seen == 0
    assert known.belief("retrieval_recall", TOP_K, "down").seen == 0


def test_belief__of_a_percentile__is_refined_by_the_mean_latency() -> None:
    known = Knowledge([seen(0.2, metric="latency_ms")])

    assert known.belief("latency_p95", TOP_K, "down").seen == 1


@pytest.mark.parametrize(
    ("metric", "mean_", "base", "gain"),
    [
        ("retrieval_precision", 0.1, 0.4, (0.1, 0.02)),
        ("hallucination_rate", 0.1, 0.4, (-0.1, 0.02)),
        ("token_cost", -0.001, 0.002, (0.5, 10.0)),
        ("token_cost", -0.001, 0.0, None),
        ("token_cost", -0.001, None, None),
    ],
)
def test_gain__of_a_difference__is_an_improvement_and_a_share_of_the_base_for_ratios(
    metric: str, mean_: float, base: float | None, gain: tuple[float, float] | None
) -> None:
    found = gain_of(metric, mean_, 0.02, base)

    assert found == (None if gain is None else pytest.approx(gain))


# --- kept -------------------------------------------------------------------------------------------------------------

STEP = ParameterChange(param=TOP_K, from_value=3, to_value=2)


def difference(value: float, base: float = 0.5) -> Difference:
    return Difference(mean=value, error=0.01, deviation=0.1, n=100, clusters=100, base=base)


def occasion(reference: str = "c1-k1-screening", source: str = "screening", version: int = 1) -> Occasion:
    return Occasion(source=source, reference=reference, dataset="made-up", base_version=version)


@pytest.mark.django_db
def test_observations__of_one_occasion__are_recorded_once_and_refine_the_belief() -> None:
    for _ in range(2):
        observations_record(occasion=occasion(), seen=[(STEP, {PRECISION: difference(-0.1), "mrr": difference(0.1)})])

    assert StepObservation.objects.count() == 1  # mrr only describes
    belief = knowledge_read().belief(PRECISION, TOP_K, "down")
    assert belief.seen == 1
    assert belief.observed == pytest.approx(-0.1)
    assert belief.mean < STRONG


@pytest.mark.django_db
def test_knowledge__summed_up_by_the_database__is_what_the_observations_say_one_by_one() -> None:
    gains = [(-0.1, 1), (0.05, 2), (0.02, 3)]
    for gain, number in gains:
        observations_record(occasion=occasion(f"c1-k{number}-screening"), seen=[(STEP, {PRECISION: difference(gain)})])

    kept = knowledge_read().belief(PRECISION, TOP_K, "down")

    one_by_one = Knowledge([seen(gain) for gain, _ in gains]).belief(PRECISION, TOP_K, "down")
    assert (kept.mean, kept.deviation, kept.observed) == pytest.approx(
        (one_by_one.mean, one_by_one.deviation, one_by_one.observed)
    )
    assert kept.seen == 3


@pytest.mark.django_db
def test_observations__of_a_descriptive_metric_that_is_asked_for__are_recorded() -> None:
    observations_record(occasion=occasion(), seen=[(STEP, {"mrr": difference(0.1)})], also=["mrr"])

    assert knowledge_read().belief("mrr", TOP_K, "down").seen == 1


@pytest.mark.django_db
def test_knowledge__of_a_moment__knows_nothing_that_came_later() -> None:
    observations_record(occasion=occasion(), seen=[(STEP, {PRECISION: difference(-0.1)})])
    at = StepObservation.objects.get().observed_at

    assert knowledge_read(until=at - timedelta(seconds=1)).belief(PRECISION, TOP_K, "down").seen == 0
    assert knowledge_read(until=at).belief(PRECISION, TOP_K, "down").seen == 1


@pytest.mark.django_db
def test_steps_seen__by_screenings_of_another_base__do_not_count() -> None:
    observations_record(occasion=occasion(), seen=[(STEP, {PRECISION: difference(-0.1)})])

    assert steps_seen(references=["c1-k1-screening"], base_version=1) == {(TOP_K, "2")}
    assert steps_seen(references=["c1-k1-screening"], base_version=2) == set()
    assert steps_seen(references=["c2-k1-screening"], base_version=1) == set()


@pytest.mark.django_db
def test_known_list__tells_what_is_believed_and_where_it_was_seen() -> None:
    observations_record(occasion=occasion(), seen=[(STEP, {PRECISION: difference(0.1)})])
    observations_record(occasion=occasion("an-experiment", "experiment"), seen=[(STEP, {PRECISION: difference(0.2)})])

    (line,) = (item for item in known_list(metric=PRECISION, factor=TOP_K) if item.move == "down")

    assert (line.screenings, line.experiments, line.belief.seen) == (1, 1, 2)
    assert line.belief.mean > STRONG


# --- how much learning depends on it ----------------------------------------------------------------------------------

CYCLES, SEEDS = 24, range(8)
MOVES = [(factor, move) for factor in FACTORS_OPEN for move in ("up", "down", "other")]


def test_knowledge__shuffled__deals_the_same_strengths_to_other_moves() -> None:
    wrong = starting_shuffled(MOVES, seed=3)

    assert sorted(wrong.values()) == sorted(STARTING.values())
    assert set(wrong) != set(STARTING)
    assert starting_shuffled(MOVES, seed=3) == wrong


def test_campaign__with_the_starting_knowledge_shuffled__reaches_most_of_the_gain_only_later() -> None:
    right = [Loop(seed, STARTING).run(CYCLES).cycles_to(0.8) for seed in SEEDS]
    wrong = [Loop(seed, starting_shuffled(MOVES, seed)).run(CYCLES).cycles_to(0.8) for seed in SEEDS]

    reached_right = [cycles for cycles in right if cycles is not None]
    reached_wrong = [cycles for cycles in wrong if cycles is not None]
    assert len(reached_right) == len(reached_wrong) == len(SEEDS), (right, wrong)
    assert mean(reached_wrong) > mean(reached_right), (right, wrong)


@pytest.mark.parametrize("seed", [1, 2])
def test_campaign__on_a_planted_landscape__never_tests_a_decided_step_twice(seed: int) -> None:
    tested = Loop(seed, starting_shuffled(MOVES, seed)).run(CYCLES).tested

    decided = [(item.param, item.from_value, item.to_value) for item in tested if item.outcome != "inconclusive"]
    assert len(decided) == len(set(decided))
    again = [(item.param, item.from_value, item.to_value, item.base_version) for item in tested]
    assert len(again) == len(set(again))
