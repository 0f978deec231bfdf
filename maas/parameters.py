"""The parameters of a run: where they come from, and their typed form.

`settings.MAAS_PARAMETER_PROVIDER` names a callable `(ParameterContext) -> EffectiveParameters`. Without one the
student works alone on the defaults below, as version 0.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from functools import cache
from typing import Any, Literal

import structlog
from django.conf import settings
from django.utils.module_loading import import_string

from contracts.parameters import EffectiveParameters, ParameterContext
from kernel.errors import DomainError, Unavailable

log = structlog.get_logger(__name__)

Provider = Callable[[ParameterContext], EffectiveParameters]


@dataclass(frozen=True, slots=True)
class RunParameters:
    """What a run uses. Field `retrieval_top_k` is the factor `retrieval.top_k`, and so on."""

    version: int = 0
    retrieval_strategy: str = "tags"
    retrieval_top_k: int = 3
    retrieval_keyword_count: int = 5
    retrieval_relevance_weight: float = 0.5
    retrieval_recency_weight: float = 0.5
    retrieval_min_tag_overlap: int = 1
    retrieval_min_score: float = 0.0
    retrieval_person_boost: float = 0.0
    retrieval_date_boost: float = 0.0
    retrieval_neighbor_weight: float = 0.0
    context_max_tokens: int = 4000
    context_recent_exchanges: int = 3
    context_memory_order: Literal["relevance", "recency"] = "relevance"
    context_include_metadata: bool = True
    llm_model: str = ""
    llm_temperature: float = 0.7
    archivist_max_tags: int = 5
    archivist_summary_length: str = "medium"
    prompts_responder: str = "v1"
    prompts_analyzer: str = "v1"
    prompts_archivist: str = "v1"

    @classmethod
    def from_values(cls, values: Mapping[str, Any], *, version: int) -> RunParameters:
        """From flat values such as `{"retrieval.top_k": 3}`. Absent keys keep their defaults, others are ignored."""
        given = {name: values[key] for name, key in _KEYS if values.get(key) is not None}
        return cls(version=version, **given)

    def as_values(self) -> dict[str, Any]:
        """The flat values again, for the run's row: a stage that is taken over goes on with the same parameters."""
        return {key: getattr(self, name) for name, key in _KEYS}


_KEYS = [(f.name, f.name.replace("_", ".", 1)) for f in fields(RunParameters) if f.name != "version"]
DEFAULTS = RunParameters()

_last_good: RunParameters | None = None
_bound: dict[ParameterContext, RunParameters] = {}
_lock = threading.Lock()
_BOUND_LIMIT = 1000


@cache
def _provider(path: str) -> Provider:
    provider: Provider = import_string(path)
    return provider


def resolve(context: ParameterContext) -> RunParameters:
    """The parameters for `context`.

    When the provider fails, production goes on with the last good values; an arm of an experiment or a pinned version
    must not silently get others, so there `Unavailable` is raised. A refusal (`NotFound`, …) is passed on.
    """
    path: str = getattr(settings, "MAAS_PARAMETER_PROVIDER", "")
    if not path:
        return DEFAULTS
    is_production = context.experiment is None and context.version is None
    # What is bound to an arm or a version never changes, so it is asked for once.
    key = context if is_production else context.model_copy(update={"user_id": None})
    if not is_production and (known := _bound.get(key)) is not None:
        return known
    try:
        effective = _provider(path)(context)
    except Unavailable as error:
        return _fall_back(is_production, error)
    except DomainError:
        raise
    except Exception as error:
        return _fall_back(is_production, error)
    parameters = RunParameters.from_values(effective.values, version=effective.version)
    _remember(key, parameters, is_production=is_production)
    return parameters


def _remember(key: ParameterContext, parameters: RunParameters, *, is_production: bool) -> None:
    global _last_good  # noqa: PLW0603  one process-wide memory of what worked last
    with _lock:
        if is_production:
            _last_good = parameters
        else:
            if len(_bound) >= _BOUND_LIMIT:
                _bound.clear()
            _bound[key] = parameters


def _fall_back(is_production: bool, error: Exception) -> RunParameters:
    if is_production and _last_good is not None:
        log.warning("parameter_provider_failed", error=str(error), using_version=_last_good.version)
        return _last_good
    raise Unavailable(f"the parameters of this run cannot be had now: {error}") from error


def forget() -> None:
    """Drop what is remembered; for tests, whose databases come and go in one process."""
    global _last_good  # noqa: PLW0603
    with _lock:
        _last_good = None
        _bound.clear()
