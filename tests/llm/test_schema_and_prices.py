from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel

from kernel.errors import InvalidInput
from llm import schema
from llm.errors import MalformedOutput
from llm.prices import PRICES, UNKNOWN, Price, cost_usd, price_of, prices_from


class _Inner(BaseModel):
    name: str
    share: float | None = None


class _Outer(BaseModel):
    items: list[_Inner]


def test_check__schema_of_a_pydantic_model__is_understood() -> None:
    value = {"items": [{"name": "a", "share": None}, {"name": "b", "share": 1}]}
    assert schema.check(value, _Outer.model_json_schema()) == value


@pytest.mark.parametrize(
    ("value", "part"),
    [
        ({"n": "1"}, {"type": "integer"}),
        ({"n": True}, {"type": "integer"}),
        ({"n": 3}, {"type": "integer", "maximum": 2}),
        ({"n": "c"}, {"enum": ["a", "b"]}),
        ({"n": "c"}, {"const": "a"}),
        ({"n": []}, {"type": "array", "minItems": 1}),
        ({"n": [1, "x"]}, {"type": "array", "items": {"type": "integer"}}),
        ({"n": ""}, {"type": "string", "minLength": 1}),
        ({"n": {}}, {"anyOf": [{"type": "string"}, {"type": "null"}]}),
        ({}, {"type": "string"}),
    ],
)
def test_check__value_breaks_the_schema__is_malformed(value: Any, part: dict[str, Any]) -> None:
    with pytest.raises(MalformedOutput):
        schema.check(value, {"type": "object", "required": ["n"], "properties": {"n": part}})


def test_check__unknown_field_of_a_closed_object__is_malformed() -> None:
    with pytest.raises(MalformedOutput):
        schema.check({"extra": 1}, {"type": "object", "properties": {}, "additionalProperties": False})


@pytest.mark.parametrize("text", ["", "no json", "[1]", '{"a": 1', "[" * 100_000])
def test_parse__no_object_in_the_text__is_malformed(text: str) -> None:
    with pytest.raises(MalformedOutput):
        schema.parse(text, {"type": "object"})


def test_price_of__dated_version__is_its_familys_by_the_longest_name() -> None:
    assert price_of("gpt-4o-mini-2024-07-18") == PRICES["gpt-4o-mini"]
    assert price_of("gpt-4o-2024-08-06") == PRICES["gpt-4o"]


def test_price_of__unknown_model__is_never_free() -> None:
    assert price_of("house-model") == UNKNOWN


def test_cost_usd__tokens__are_priced_per_million() -> None:
    table = {"m": Price(1.0, 2.0)}
    assert cost_usd("m", prompt_tokens=500_000, completion_tokens=1_000_000, prices=table) == 2.5


def test_prices_from__settings__override_the_table() -> None:
    table = prices_from('{"offline": [1, 2]}')
    assert table["offline"] == Price(1, 2)
    assert table["gpt-4o"] == PRICES["gpt-4o"]


@pytest.mark.parametrize("override", ["nonsense", '{"m": 1}', "[1]", '{"m": ["a", "b"]}'])
def test_prices_from__no_price_table__is_invalid_input(override: str) -> None:
    with pytest.raises(InvalidInput):
        prices_from(override)
