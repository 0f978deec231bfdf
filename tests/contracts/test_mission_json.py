"""Messages between roles speak the mission's JSON (TEACHER.md §2) field for field, and refuse what is not in it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from contracts.evaluation import CriterionResult, Evaluation, Verdict
from contracts.experiment_spec import ExperimentRequest, ExperimentSpec
from contracts.parameters import ParameterChange
from contracts.recommendation import Recommendation
from contracts.text import parse_mapping
from kernel.errors import InvalidInput

REQUEST = """
{
  "experiment_id": "top_k_precision_recall_v1",
  "goal": {
    "primary_metrics": ["retrieval_precision", "retrieval_recall"],
    "constraints": ["latency_p95", "token_cost"],
    "targets": {
      "retrieval_precision": { "direction": "increase", "min_delta": 0.05 },
      "retrieval_recall": { "direction": "no_large_drop", "max_delta": -0.03 }
    }
  },
  "allowed_impacts": ["retrieval.top_k", "llm.temperature", "system_prompt_version"]
}
"""
SPEC = """
{
  "type": "experiment_spec",
  "experiment_id": "top_k_3_vs_2_temp_0_7",
  "variants": [
    { "name": "baseline", "params": { "retrieval.top_k": 3, "llm.temperature": 0.7 } },
    { "name": "variant",  "params": { "retrieval.top_k": 2, "llm.temperature": 0.7 } }
  ],
  "assignment": {
    "mode": "by_example",
    "split": [0.5, 0.5]
  },
  "success_criteria": [
    {
      "metric": "retrieval_precision",
      "direction": "increase",
      "min_delta": 0.05,
      "p_value_threshold": 0.05
    },
    {
      "metric": "retrieval_recall",
      "direction": "no_large_drop",
      "max_delta": -0.03
    }
  ]
}
"""
RESULT = """
{
  "experiment_id": "top_k_3_vs_2_temp_0_7",
  "status": "completed",
  "verdict": "winner",
  "metrics": {
    "baseline": {
      "retrieval_precision": 0.68,
      "retrieval_recall": 0.72,
      "latency_p95": 4800
    },
    "variant": {
      "retrieval_precision": 0.77,
      "retrieval_recall": 0.70,
      "latency_p95": 4900
    }
  },
  "p_values": {
    "retrieval_precision": 0.01,
    "retrieval_recall": 0.20
  },
  "notes": "precision вырос на 9 п.п. при статистически незначимом падении recall"
}
"""
# As the mission writes it: `+0.05` is no JSON, but it is YAML.
RECOMMENDATION = """
{
  "action": "update_params",
  "experiment_id": "top_k_3_vs_2_temp_0_7",
  "reason": "precision↑ на 9 п.п., падение recall в пределах допусков",
  "changes": [
    { "param": "retrieval.top_k", "from": 3, "to": 2 }
  ],
  "rollback_conditions": {
    "retrieval_precision": { "delta_threshold": -0.10, "cycles": 3 },
    "hallucination_rate": { "delta_threshold": +0.05, "cycles": 2 }
  }
}
"""
EXAMPLES: dict[str, tuple[type[Any], str]] = {
    "request": (ExperimentRequest, REQUEST),
    "spec": (ExperimentSpec, SPEC),
    "result": (Evaluation, RESULT),
    "recommendation": (Recommendation, RECOMMENDATION),
}
each_example = pytest.mark.parametrize(("message", "text"), EXAMPLES.values(), ids=EXAMPLES.keys())


def holds(written: Any, wanted: Any) -> bool:
    """Every field of `wanted` is in `written` with the same value; `written` may have more fields."""
    if isinstance(wanted, dict):
        return all(name in written and holds(written[name], value) for name, value in wanted.items())
    if isinstance(wanted, list):
        return len(written) == len(wanted) and all(map(holds, written, wanted))
    return bool(written == wanted)


@each_example
def test_mission_example__read_and_written__keeps_each_field(message: type[Any], text: str) -> None:
    written = message.from_mission_json(text).to_mission_json()

    assert holds(written, yaml.safe_load(text))


@each_example
@pytest.mark.parametrize("form", [lambda data: data, json.dumps, yaml.safe_dump], ids=["mapping", "json", "yaml"])
def test_mission_json__in_each_form__gives_the_same_message(
    message: type[Any], text: str, form: Callable[[Any], Any]
) -> None:
    first = message.from_mission_json(text)

    assert message.from_mission_json(form(first.to_mission_json())) == first


@each_example
def test_mission_json__unknown_field__is_refused_by_name(message: type[Any], text: str) -> None:
    with pytest.raises(ValidationError, match="surprise"):
        message.from_mission_json({**yaml.safe_load(text), "surprise": 1})


@each_example
def test_mission_json__field_missing__is_named(message: type[Any], text: str) -> None:
    data = yaml.safe_load(text)
    del data["experiment_id"]

    with pytest.raises(ValidationError, match="experiment_id"):
        message.from_mission_json(data)


@pytest.mark.parametrize("text", ["[1, 2]", "just words", "{unclosed: [", ""])
@pytest.mark.parametrize("message", [item[0] for item in EXAMPLES.values()])
def test_mission_json__text_that_is_no_mapping__is_refused_in_words(message: type[Any], text: str) -> None:
    with pytest.raises(InvalidInput, match=r"JSON|YAML"):
        message.from_mission_json(text)


def test_parse_mapping__small_number_in_json__stays_a_number() -> None:
    assert parse_mapping(json.dumps({"value": 0.00001})) == {"value": 0.00001}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"variants": [{"name": "baseline"}]}, "two or more variants"),
        ({"variants": [{"name": "same"}, {"name": "same"}]}, "different names"),
        ({"success_criteria": []}, "at least one success criterion"),
        ({"success_criteria": [{"metric": "mrr", "direction": "no_large_drop"}]}, "needs max_delta"),
        ({"success_criteria": [{"metric": "mrr", "direction": "increase", "p_value_threshold": 1}]}, "p_value"),
        ({"success_criteria": [{"metric": "mrr", "direction": "sideways"}]}, "direction"),
        ({"assignment": {"mode": "by_mood"}}, r"assignment\.mode"),
    ],
)
def test_spec__that_cannot_be_run__is_refused_with_the_reason(change: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        ExperimentSpec.from_mission_json({**json.loads(SPEC), **change})


def test_spec__fields_left_out__have_the_missions_defaults() -> None:
    spec = ExperimentSpec.from_mission_json(SPEC)

    assert spec.success_criteria[1].p_value_threshold == 0.05
    assert spec.baseline == "baseline"


def test_spec__without_a_variant_of_that_name__takes_the_first_as_baseline() -> None:
    named = {**json.loads(SPEC), "variants": [{"name": "three"}, {"name": "two"}]}

    assert ExperimentSpec.from_mission_json(named).baseline == "three"


def test_result__of_the_missions_fields_alone__tells_values_and_differences() -> None:
    evaluation = Evaluation.from_mission_json(RESULT)

    assert (evaluation.verdict, evaluation.variant, evaluation.n) == (Verdict.WINNER, "variant", 0)
    precision = evaluation.criteria[0]
    assert precision.estimate == pytest.approx(0.09)
    assert (precision.baseline_value, precision.variant_value, precision.p_two_sided) == (0.68, 0.77, 0.01)


def test_result__of_our_own__brings_the_whole_evaluation_back() -> None:
    criterion = CriterionResult(
        metric="mrr", direction="increase", estimate=0.1, low=0.02, high=None, p_value=0.004, passes=True,
        method="t", reason="", n=80, p_two_sided=0.008,
    )  # fmt: skip
    evaluation = Evaluation(
        experiment_id="e", variant="variant", verdict=Verdict.WINNER, criteria=(criterion,), health=(), n=80,
        needs_n=60, notes=("one", "two"), metrics={"baseline": {"mrr": None}, "variant": {"mrr": 0.5}},
    )  # fmt: skip
    written = evaluation.to_mission_json()

    assert (written["p_values"], written["notes"], written["status"]) == ({"mrr": 0.008}, "one; two", "completed")
    assert Evaluation.from_mission_json(json.dumps(written)) == evaluation


@pytest.mark.parametrize("missing", ["param", "from", "to"])
def test_change__field_missing__is_refused(missing: str) -> None:
    data = {"param": "retrieval.top_k", "from": 3, "to": 2}
    del data[missing]

    with pytest.raises(ValidationError, match=missing):
        ParameterChange.from_mission_json(data)


def test_change__field_of_ours_that_the_mission_lacks__is_refused() -> None:
    with pytest.raises(ValidationError, match="why"):
        ParameterChange.from_mission_json({"param": "retrieval.top_k", "from": 3, "to": 2, "why": "so"})


@pytest.mark.parametrize("value", [3, 0.7, True, False, "hybrid"])
def test_change__value_of_each_type__comes_back_as_it_was(value: Any) -> None:
    change = ParameterChange(param="p", from_value=value, to_value=value)
    back = ParameterChange.from_mission_json(json.loads(json.dumps(change.to_mission_json())))

    assert back == change
    assert type(back.to_value) is type(value)


@pytest.mark.parametrize("changes", ["top_k", [3], {"param": "x"}])
def test_recommendation__changes_that_are_no_list_of_changes__are_refused(changes: Any) -> None:
    with pytest.raises(ValidationError, match="changes"):
        Recommendation.from_mission_json({"action": "keep", "experiment_id": "e", "reason": "r", "changes": changes})


def test_message__once_made__cannot_be_changed() -> None:
    spec = ExperimentSpec.from_mission_json(SPEC)

    with pytest.raises(ValidationError, match="frozen"):
        spec.experiment_id = "other"  # type: ignore[misc]  # that is the point
