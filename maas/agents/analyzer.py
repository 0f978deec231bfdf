"""ANALYZER: from a query to the words worth searching for."""

from __future__ import annotations

import json
from typing import Any

from kernel.errors import DomainError
from maas.agents.asking import Cost, ask
from maas.claims import Run
from maas.parameters import RunParameters
from maas.prompts import template
from maas.retrieval.rarity import document_frequency

_FREQUENCY = "document_frequency"
"""A prompt that names it is told how rare each word of the query is among the person's memories."""
_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"keywords": {"type": "array", "items": {"type": "string"}}},
    "required": ["keywords"],
    "additionalProperties": False,
}


class NoKeywords(DomainError):
    """The model's answer is not a list of keywords."""

    code = "NO_KEYWORDS"


def find_keywords(run: Run, parameters: RunParameters) -> tuple[list[str], Cost]:
    """Up to `keyword_count` words or short names, most informative first; none for a query that says nothing.

    Raises what `ChatModel.complete` raises, and `NoKeywords`.
    """
    count = parameters.retrieval_keyword_count
    request: dict[str, Any] = {"query": run.query, "keyword_count": count}
    if _FREQUENCY in template("analyzer", parameters.prompts_analyzer):
        request[_FREQUENCY] = document_frequency(user_id=run.user_id, query=run.query, until=run.simulated_at)
    result = ask(
        run=run,
        parameters=parameters,
        role="analyzer",
        version=parameters.prompts_analyzer,
        task="keywords",
        content=json.dumps(request, ensure_ascii=False),
        schema=_SCHEMA,
    )
    given = (result.data or {}).get("keywords")
    if not isinstance(given, list):
        raise NoKeywords("the analyzer's model gave no list of keywords")
    keywords = list(dict.fromkeys(word.strip() for word in given if isinstance(word, str) and word.strip()))
    return keywords[:count], Cost.of(result)
