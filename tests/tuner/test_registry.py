from __future__ import annotations

import pytest

from contracts.parameters import FactorDefinition
from kernel.errors import NotFound
from tuner.domain.content import GROUPS, content_hash, diff, flat, grouped
from tuner.domain.values import beyond_auto_range, value_violation
from tuner.registry import DEFAULTS, FACTORS, factor
from tuner.registry_docs import factors_markdown, factors_path


@pytest.mark.parametrize("definition", FACTORS.values(), ids=lambda f: f.key)
def test_registry__each_default__is_allowed_without_a_human(definition: FactorDefinition) -> None:
    assert value_violation(definition, definition.default) is None
    assert not beyond_auto_range(definition, definition.default)
    assert definition.group in GROUPS


@pytest.mark.parametrize("definition", FACTORS.values(), ids=lambda f: f.key)
def test_registry__each_factor__says_what_it_does_and_why_it_is_bounded(definition: FactorDefinition) -> None:
    assert definition.doc
    assert definition.reason
    if definition.type in ("int", "float"):
        bounds = (definition.low, definition.auto_low, definition.auto_high, definition.high)
        assert None not in bounds
        assert list(bounds) == sorted(bounds)  # type: ignore[type-var]  # None was excluded above
        assert definition.step is not None


def test_registry__aliases__are_unique_and_hide_no_key() -> None:
    aliases = [alias for definition in FACTORS.values() for alias in definition.aliases]
    assert len(aliases) == len(set(aliases))
    assert not set(aliases) & set(FACTORS)


def test_factor__name_of_the_mission__is_found() -> None:
    assert factor("top_k").key == "retrieval.top_k"
    assert factor("system_prompt_version").key == "prompts.responder"


def test_factor__unknown__names_what_there_is() -> None:
    with pytest.raises(NotFound) as caught:
        factor("retrieval.nonsense")
    assert "retrieval.top_k" in caught.value.details["known"]


def test_factors_doc__in_the_repository__is_up_to_date() -> None:
    assert factors_path().read_text(encoding="utf-8") == factors_markdown(), "run: python manage.py factors_doc"


def test_content__grouped_and_flat__are_inverse() -> None:
    assert flat(grouped(DEFAULTS)) == dict(DEFAULTS)


def test_content_hash__order_of_values__does_not_matter() -> None:
    turned = dict(reversed(list(DEFAULTS.items())))
    assert content_hash(grouped(turned)) == content_hash(grouped(DEFAULTS))


def test_diff__one_value_changed__names_it_alone() -> None:
    (only,) = diff(DEFAULTS, {**DEFAULTS, "retrieval.top_k": 4})
    assert (only.param, only.from_value, only.to_value) == ("retrieval.top_k", 3, 4)
