"""How relevant a memory is to a query, before it is mixed with recency: SQL fragments, one or two per strategy.

A fragment is a chain of CTEs over `own` (this user's memories that the query may see) that ends in
`{name} AS (id, raw)`: the memories that match, and how well, on any non-negative scale. The search normalises `raw` per
query. Values come as named parameters, made from the query by `terms`.

Lexical: BM25 (Robertson & Zaragoza 2009) with the idf of Lucene, which is never negative, over the user's own memories.
Semantic: cosine similarity after the user's mean vector is taken away from both sides (Mu & Viswanath 2018): what all
memories of one person share says nothing, and 0 then means "no nearer than any other".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from kernel.errors import InvalidInput
from llm.text import stems
from maas.embedding import embed_query
from maas.parameters import RunParameters

BM25_K1: Final = 0.9
BM25_B: Final = 0.4
"""Saturation of term frequency and weight of length: the defaults of Anserini (Yang et al. 2017)."""
NEAREST: Final = 30
"""How many memories at most are candidates for their meaning alone: every memory is a little similar to every query."""
CENTRE_PRIOR: Final = 10
"""Memories of a person from which their mean counts for more than nothing (shrinkage n / (n + 10))."""
HYBRID_MEANING: Final = 0.3
"""Share of meaning beside words in `hybrid`."""


@dataclass(frozen=True, slots=True)
class Query:
    """What is searched for: the Analyzer's keywords, best first, and the person's own words."""

    text: str
    keywords: tuple[str, ...]

    @property
    def words(self) -> str:
        """The keywords as one text, for PostgreSQL to stem."""
        return " ".join(self.keywords)


@dataclass(frozen=True, slots=True)
class Strategy:
    """`columns`: what of `lsm_storage AS m` the fragment reads, beside id and simulated_at. `narrow`: a condition on
    `m` without which nothing matches; left out where neighbours, who may match nothing themselves, count."""

    name: str
    ctes: str
    columns: tuple[str, ...] = ()
    narrow: str = "true"
    reads_tags: bool = False
    reads_words: bool = False
    reads_meaning: bool = False

    def terms(self, query: Query, parameters: RunParameters) -> Mapping[str, Any] | None:
        """Parameters of the fragment; None when the query has nothing to search with. Raises as the embedder does."""
        found: dict[str, Any] = {}
        if self.reads_tags:
            tags = stemmed(query.keywords)
            if not tags and parameters.retrieval_min_tag_overlap > 0:
                return None
            found |= {"tags": tags, "min_overlap": parameters.retrieval_min_tag_overlap}
        if self.reads_words:
            found["words"] = query.words
        if self.reads_meaning:
            model, vector = embed_query(query.text) if query.keywords else ("", None)
            found |= {"embedding_model": model, "query_vector": vector}
        has_words = self.reads_words and any(map(str.isalnum, query.words))
        has_meaning = self.reads_meaning and found.get("query_vector") is not None
        return found if self.reads_tags or has_words or has_meaning else None


def stemmed(keywords: Sequence[str]) -> list[str]:
    """The distinct stems of all words in `keywords`, in order."""
    result: dict[str, None] = {}
    for keyword in keywords:
        result.update(dict.fromkeys(stems(keyword)))
    return list(result)


TAGS = Strategy(
    name="tags",
    columns=("semantic_tags",),
    narrow="(%(min_overlap)s = 0 OR m.semantic_tags && %(tags)s::text[])",
    reads_tags=True,
    ctes="""
shared AS MATERIALIZED (
  SELECT o.id, (SELECT count(*) FROM unnest(o.semantic_tags) AS t(tag) WHERE t.tag = ANY(%(tags)s))::float8 AS raw
  FROM own AS o
), tags AS (
  SELECT id, raw FROM shared WHERE raw >= %(min_overlap)s
)""",
)

# The configuration is that of `lsm_storage.tsv`, which stems both languages. Terms are OR-ed: a question and the memory
# that answers it rarely share every word.
LEXEMES = "tsvector_to_array(to_tsvector('pg_catalog.russian'::regconfig, %(words)s))"


def any_of(lexemes: str, label: str = "") -> str:
    """A tsquery of the lexemes joined by OR; `label` (":A") asks for words of that weight alone."""
    quoted = r"'''' || replace(replace(w, '\', '\\'), '''', '''''') || '''" + label + "'"
    return f"(SELECT coalesce(string_agg({quoted}, ' | '), '')::tsquery FROM unnest({lexemes}) AS w)"


LEXICAL = Strategy(
    name="lexical",
    columns=("tsv",),
    reads_words=True,
    ctes=f"""
postings AS (
  SELECT o.id, t.lexeme, cardinality(t.positions)::float8 AS tf, length(o.tsv)::float8 AS size
  FROM own AS o CROSS JOIN LATERAL unnest(o.tsv) AS t
  WHERE o.tsv @@ {any_of(LEXEMES)} AND t.lexeme = ANY({LEXEMES})
), rarity AS (
  SELECT lexeme, ln(1 + ((SELECT count(*) FROM own) - count(*) + 0.5) / (count(*) + 0.5))::float8 AS idf
  FROM postings GROUP BY lexeme
), lexical AS (
  SELECT id, sum(idf * tf * {BM25_K1 + 1}
    / (tf + {BM25_K1} * ({1 - BM25_B} + {BM25_B} * postings.size / usual.size))) AS raw
  FROM postings JOIN rarity USING (lexeme)
  CROSS JOIN (SELECT greatest(avg(length(tsv)), 1)::float8 AS size FROM own) AS usual
  GROUP BY id
)""",
)

SEMANTIC = Strategy(
    name="semantic",
    columns=("embedding", "embedding_model"),
    reads_meaning=True,
    ctes=f"""
embedded AS (
  SELECT id, embedding FROM own WHERE embedding_model = %(embedding_model)s
), centre AS (
  SELECT avg(embedding) * array_fill((count(*) / (count(*) + {CENTRE_PRIOR}.0))::real,
    ARRAY[vector_dims(%(query_vector)s::vector)])::vector AS mean FROM embedded
), semantic AS (
  SELECT * FROM (
    SELECT e.id, 1 - ((e.embedding - c.mean) <=> (%(query_vector)s::vector - c.mean)) AS raw
    FROM embedded AS e CROSS JOIN centre AS c
    ORDER BY raw DESC, id LIMIT {NEAREST}) AS nearest
  WHERE raw > 0
)""",
)

HYBRID = Strategy(
    name="hybrid",
    columns=(*LEXICAL.columns, *SEMANTIC.columns),
    reads_words=True,
    reads_meaning=True,
    ctes=f"""{LEXICAL.ctes},{SEMANTIC.ctes}, hybrid AS (
  SELECT id, {1 - HYBRID_MEANING} * coalesce(l.raw / nullif((SELECT max(raw) FROM lexical), 0), 0)
    + {HYBRID_MEANING} * coalesce(s.raw / nullif((SELECT max(raw) FROM semantic), 0), 0) AS raw
  FROM lexical AS l FULL JOIN semantic AS s USING (id)
)""",
)

STRATEGIES: Mapping[str, Strategy] = {item.name: item for item in (TAGS, LEXICAL, SEMANTIC, HYBRID)}


def strategy_named(name: str) -> Strategy:
    """Raises `InvalidInput` for a strategy that this student does not have."""
    try:
        return STRATEGIES[name]
    except KeyError:
        raise InvalidInput(
            f"retrieval strategy {name!r} is not one of {', '.join(sorted(STRATEGIES))}",
            details={"retrieval.strategy": name},
        ) from None
