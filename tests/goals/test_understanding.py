"""Rules first, a model for the rest: it adds what is in the registries, and never takes back what rules read."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import pytest

from contracts.goal import GoalTranslation
from contracts.metric import METRICS
from goals.translation.model import schema
from goals.translation.understanding import understand
from kernel.errors import InvalidInput
from llm.errors import MalformedOutput, ModelTimeout
from llm.protocol import ChatMessage, ChatResult, Usage
from tuner.registry import FACTORS

TEXT = "Raise recall to 60 %, and mind the frobnication"
NOTHING: dict[str, Any] = {
    "targets": [],
    "constraints": [],
    "forbidden_impacts": [],
    "autonomy": None,
    "budget": {"tokens": None, "usd": None, "hours": None, "cycles": None},
    "read": [],
}


@dataclasses.dataclass
class Model:
    """Says what it is told to say, in the shape of a real one."""

    says: dict[str, Any] | None = None
    error: Exception | None = None
    name: str = "m-1"
    is_offline: bool = False
    asked: int = 0

    def complete(self, *, messages: Sequence[ChatMessage], **_: Any) -> ChatResult:
        self.asked += 1
        assert messages[-1].role == "user"
        if self.error is not None:
            raise self.error
        return ChatResult(
            text="",
            data={**NOTHING, **(self.says or {})},
            usage=Usage(prompt_tokens=1, completion_tokens=1),
            cost_usd=0.0,
            model=self.name,
        )


def target(metric: str, *, value: float | None = None, category: str | None = None) -> dict[str, Any]:
    direction = "increase" if metric in METRICS and METRICS[metric].higher_is_better else "decrease"
    return {
        "metric": metric, "direction": direction, "value": value, "delta": None, "relative": False,
        "category": category,
    }  # fmt: skip


def read(text: str = TEXT, **says: Any) -> GoalTranslation:
    return understand(text, metrics=METRICS, factors=FACTORS, model=Model(says))


def test_understand__all_read_by_rules__asks_no_model() -> None:
    model = Model()
    understand("Raise recall to 60 %", metrics=METRICS, factors=FACTORS, model=model)
    assert model.asked == 0


def test_understand__unread_fragment__is_read_by_the_model_and_said_to_be() -> None:
    rules = understand(TEXT, metrics=METRICS, factors=FACTORS)
    assert rules.unread
    got = read(targets=[target("mrr", value=0.5)], read=list(rules.unread), budget={**NOTHING["budget"], "usd": 3})
    assert [item.metric for item in got.targets] == ["retrieval_recall", "mrr"]
    assert (got.unread, got.budget.usd) == ((), 3)
    assert "Read by the model m-1, not by rules: mrr increase." in got.assumptions


def test_understand__model_on_what_rules_read__changes_nothing_of_it() -> None:
    rules = understand(TEXT + ", manual mode, $5", metrics=METRICS, factors=FACTORS)
    got = read(
        TEXT + ", manual mode, $5",
        targets=[target("retrieval_recall", value=0.9)],
        constraints=[{"metric": "retrieval_recall", "kind": "max", "value": 0.2}],
        autonomy="full_auto",
        budget={**NOTHING["budget"], "usd": 500},
    )
    assert got == rules


@pytest.mark.parametrize(
    "says",
    [
        {"targets": [target("frobnication")]},
        {"targets": [target("mrr", category="astral")]},
        {"targets": [{**target("mrr", value=0.4), "delta": 0.1}]},
        {"constraints": [{"metric": "frobnication", "kind": "max", "value": 1}]},
        {"forbidden_impacts": ["llm.soul"]},
        {"budget": {**NOTHING["budget"], "hours": -3}},
    ],
)
def test_understand__model_outside_the_registries__is_left_out_and_said(says: dict[str, Any]) -> None:
    rules, got = understand(TEXT, metrics=METRICS, factors=FACTORS), read(**says)
    assert got.model_copy(update={"assumptions": rules.assumptions}) == rules
    assert "was left out" in got.assumptions[-1]


def test_understand__model_out_of_range__is_a_conflict() -> None:
    assert "Retrieval precision cannot be 700 %." in read(targets=[target("retrieval_precision", value=7)]).conflicts


def test_understand__forbidden_by_the_model__may_not_move() -> None:
    got = read(forbidden_impacts=["llm.model"])
    assert "llm.model" in got.forbidden_impacts
    assert "llm.model" not in got.allowed_impacts


@pytest.mark.parametrize("error", [ModelTimeout("no answer in 20 s"), MalformedOutput("no JSON")])
def test_understand__model_fails__rules_count_and_it_is_said(error: Exception) -> None:
    rules = understand(TEXT, metrics=METRICS, factors=FACTORS)
    got = understand(TEXT, metrics=METRICS, factors=FACTORS, model=Model(error=error))
    assert got.targets == rules.targets
    assert str(error) in got.assumptions[-1]
    assert "read by rules alone" in got.assumptions[-1]


def test_understand__nothing_for_rules__is_what_the_model_reads() -> None:
    got = read("Mind the frobnication", targets=[target("mrr")])
    assert [item.metric for item in got.targets] == ["mrr"]


@pytest.mark.parametrize("model", [Model(), Model(error=ModelTimeout("no answer")), None])
def test_understand__nothing_for_anybody__is_refused(model: Model | None) -> None:
    with pytest.raises(InvalidInput, match="No metric"):
        understand("Mind the frobnication", metrics=METRICS, factors=FACTORS, model=model)


def test_schema__for_a_strict_endpoint__has_no_references_and_requires_everything() -> None:
    shape = schema()
    assert "$ref" not in str(shape)
    assert set(shape["required"]) == set(shape["properties"])
    assert shape["additionalProperties"] is False
