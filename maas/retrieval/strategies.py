"""How relevant a memory is to a query, before it is mixed with recency: one SQL fragment per strategy.

A strategy says which memories match (`where`) and how well (`raw`, any non-negative scale), over the columns of
`lsm_storage AS m`, with named parameters made from the query's terms. The search normalises `raw` per query.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kernel.errors import InvalidInput
from llm.text import stems
from maas.parameters import RunParameters


@dataclass(frozen=True, slots=True)
class Strategy:
    name: str
    raw: str
    where: str
    terms: Callable[[Sequence[str], RunParameters], Mapping[str, Any] | None]
    """Parameters of the two fragments from the keywords; None when the query has nothing to search with."""


def stemmed(keywords: Sequence[str]) -> list[str]:
    """The distinct stems of all words in `keywords`, in order."""
    result: dict[str, None] = {}
    for keyword in keywords:
        result.update(dict.fromkeys(stems(keyword)))
    return list(result)


def _tag_terms(keywords: Sequence[str], parameters: RunParameters) -> Mapping[str, Any] | None:
    tags = stemmed(keywords)
    if not tags and parameters.retrieval_min_tag_overlap > 0:
        return None
    return {"tags": tags, "min_overlap": parameters.retrieval_min_tag_overlap}


_OVERLAP = "(SELECT count(*) FROM unnest(m.semantic_tags) AS t(tag) WHERE t.tag = ANY(%(tags)s))"

TAGS = Strategy(
    name="tags",
    raw=f"{_OVERLAP}::float8",
    # `&&` lets the index answer when at least one tag must be shared; with 0 every memory is a candidate.
    where=f"(%(min_overlap)s = 0 OR (m.semantic_tags && %(tags)s::text[] AND {_OVERLAP} >= %(min_overlap)s))",
    terms=_tag_terms,
)


def _lexical_terms(keywords: Sequence[str], _parameters: RunParameters) -> Mapping[str, Any] | None:
    words = [word for keyword in keywords for word in keyword.split()]
    quoted = ["'" + word.replace("\\", "").replace("'", "''") + "'" for word in words if any(map(str.isalnum, word))]
    return {"tsquery": " | ".join(quoted)} if quoted else None


# Terms are OR-ed: a question and the memory that answers it rarely share every word. The configuration is that of
# `lsm_storage.tsv`, which stems both languages.
_QUERY = "to_tsquery('pg_catalog.russian'::regconfig, %(tsquery)s)"

LEXICAL = Strategy(
    name="lexical", raw=f"ts_rank(m.tsv, {_QUERY})::float8", where=f"m.tsv @@ {_QUERY}", terms=_lexical_terms
)

STRATEGIES: Mapping[str, Strategy] = {strategy.name: strategy for strategy in (TAGS, LEXICAL)}


def strategy_named(name: str) -> Strategy:
    """Raises `InvalidInput` for a strategy that this student does not have."""
    try:
        return STRATEGIES[name]
    except KeyError:
        raise InvalidInput(
            f"retrieval strategy {name!r} is not one of {', '.join(sorted(STRATEGIES))}",
            details={"retrieval.strategy": name},
        ) from None
