"""Every impact factor: one entry each. Guards, forms and docs/FACTORS.md follow from this table.

Source: `shared/spec/reference.md`, "Impact factors". A factor is listed once something in the student obeys it. To
add one: an entry here, then `python manage.py factors_doc`.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from django.conf import settings

from contracts.parameters import FactorDefinition
from kernel.errors import NotFound

_COOLDOWN = 2


def _models() -> tuple[str, ...]:
    """The models that this installation may use; the first is the default."""
    if getattr(settings, "SELFLEARN_LLM", "offline") == "offline":
        return ("offline",)
    names = (settings.SELFLEARN_MODEL, getattr(settings, "SELFLEARN_MODEL_COMPLEX", ""))
    return tuple(dict.fromkeys(name for name in names if name))


def _catalogue(*definitions: FactorDefinition) -> Mapping[str, FactorDefinition]:
    return MappingProxyType({definition.key: definition for definition in definitions})


def _boost(*, key: str, title: str, alias: str, high: float, auto_high: float, doc: str) -> FactorDefinition:
    """A factor that is off at 0 and adds to the score of some memories above it."""
    return FactorDefinition(
        key=key,
        title=title,
        type="float",
        default=0.0,
        low=0,
        high=high,
        auto_low=0,
        auto_high=auto_high,
        step=0.2,
        cooldown_cycles=_COOLDOWN,
        aliases=(alias,),
        reason="Beyond its automatic range it outweighs what the memory says.",
        doc=doc,
    )


_RETRIEVAL = (
    FactorDefinition(
        key="retrieval.top_k",
        title="Memories per query",
        type="int",
        default=3,
        low=1,
        high=20,
        auto_low=1,
        auto_high=5,
        auto_ceiling=5,
        step=1,
        cooldown_cycles=_COOLDOWN,
        aliases=("top_k", "retrieval_top_k"),
        reason="Above 5 the context fills with weak memories and each request costs more: a person decides.",
        doc="How many memories at most reach the context. Fewer raises precision and may lower recall.",
    ),
    FactorDefinition(
        key="retrieval.keyword_count",
        title="Keywords per query",
        type="int",
        default=5,
        low=1,
        high=15,
        auto_low=3,
        auto_high=7,
        step=2,
        cooldown_cycles=_COOLDOWN,
        aliases=("keyword_count",),
        reason="Few keywords miss memories, many match by chance.",
        doc="How many keywords of the query the Analyzer searches with. More raises recall.",
    ),
    FactorDefinition(
        key="retrieval.relevance_weight",
        title="Weight of relevance",
        type="float",
        default=0.5,
        low=0,
        high=1,
        auto_low=0.3,
        auto_high=0.7,
        step=0.2,
        step_relative=True,
        cooldown_cycles=_COOLDOWN,
        aliases=("relevance_weight",),
        reason="Moved by a fifth at most, so that one change cannot turn the ranking over.",
        doc="How much the match with the query counts in a memory's score.",
    ),
    FactorDefinition(
        key="retrieval.recency_weight",
        title="Weight of recency",
        type="float",
        default=0.5,
        low=0,
        high=1,
        auto_low=0.3,
        auto_high=0.7,
        step=0.2,
        step_relative=True,
        cooldown_cycles=_COOLDOWN,
        aliases=("recency_weight",),
        reason="Moved by a fifth at most, so that one change cannot turn the ranking over.",
        doc="How much the age of a memory counts in its score.",
    ),
    FactorDefinition(
        key="retrieval.min_tag_overlap",
        title="Least shared tags",
        type="int",
        default=1,
        low=0,
        high=5,
        auto_low=0,
        auto_high=3,
        step=1,
        cooldown_cycles=_COOLDOWN,
        aliases=("min_tag_overlap",),
        reason="Above 3 nearly nothing is found.",
        doc="How many tags a memory must share with the query's keywords to be considered (strategy tags).",
    ),
    FactorDefinition(
        key="retrieval.min_score",
        title="Least score",
        type="float",
        default=0.0,
        low=0,
        high=1,
        auto_low=0,
        auto_high=0.6,
        step=0.1,
        cooldown_cycles=_COOLDOWN,
        aliases=("min_score",),
        reason="Above 0.6 good memories are cut as well.",
        doc="Memories that score below this are left out. Higher raises precision, lower raises recall.",
    ),
    FactorDefinition(
        key="retrieval.strategy",
        title="Retrieval strategy",
        type="choice",
        default="tags",
        choices=("tags", "lexical", "semantic", "hybrid"),
        auto=False,
        manual=True,
        cooldown_cycles=_COOLDOWN,
        aliases=("strategy", "retrieval_strategy"),
        reason="Architectural: it changes what every other retrieval factor means.",
        doc="How memories are searched: by tags, by words (BM25), by meaning (vectors), or by words and meaning.",
    ),
    _boost(
        key="retrieval.person_boost",
        title="Weight of a named person",
        alias="person_boost",
        high=2,
        auto_high=1,
        doc="A memory said by somebody whom the query names counts 1 + this many times.",
    ),
    _boost(
        key="retrieval.date_boost",
        title="Weight of a named time",
        alias="date_boost",
        high=2,
        auto_high=1,
        doc="A memory of the time that the query names (a month, a year, last week) counts 1 + this many times.",
    ),
    _boost(
        key="retrieval.neighbor_weight",
        title="Weight of neighbours",
        alias="neighbor_weight",
        high=1,
        auto_high=0.6,
        doc="How much of the match of the memory just before it (and a third of the one just after) a memory gets, "
        "within one conversation: an answer seldom repeats the words of its question.",
    ),
)

_CONTEXT = (
    FactorDefinition(
        key="context.max_tokens",
        title="Context budget",
        type="int",
        default=4000,
        low=500,
        high=32000,
        auto_low=1000,
        auto_high=8000,
        step=0.2,
        step_relative=True,
        cooldown_cycles=_COOLDOWN,
        aliases=("max_tokens", "context_max_tokens"),
        reason="Cost and latency grow with it, so they are watched.",
        doc="Token limit of the assembled context.",
    ),
    FactorDefinition(
        key="context.recent_exchanges",
        title="Recent exchanges",
        type="int",
        default=3,
        low=0,
        high=10,
        auto_low=0,
        auto_high=5,
        step=1,
        cooldown_cycles=_COOLDOWN,
        aliases=("recent_exchanges",),
        reason="Beyond 5 the thread crowds out what memory found.",
        doc="How many of the thread's last exchanges are added to the context.",
    ),
    FactorDefinition(
        key="context.memory_order",
        title="Order of memories",
        type="choice",
        default="relevance",
        choices=("relevance", "recency"),
        cooldown_cycles=_COOLDOWN,
        aliases=("memory_order",),
        reason="Harmless either way; what stands first is kept when the budget is short.",
        doc="Which memories stand first in the context.",
    ),
    FactorDefinition(
        key="context.include_metadata",
        title="Dates and tags in the context",
        type="bool",
        default=True,
        cooldown_cycles=_COOLDOWN,
        aliases=("include_metadata",),
        reason="Costs a few tokens per memory.",
        doc="Whether each memory is shown with its date and tags.",
    ),
)

_PROMPT_CHOICES = ("v1", "v2", "v3", "v4")


def _llm() -> tuple[FactorDefinition, ...]:
    return (
        FactorDefinition(
            key="llm.model",
            title="Model",
            type="choice",
            default=_models()[0],
            choices=_models(),
            auto=False,
            manual=True,
            cooldown_cycles=_COOLDOWN,
            aliases=("model",),
            reason="A larger model may cost ten times as much: a person decides.",
            doc="The model that answers; default and choices come from the settings SELFLEARN_LLM and SELFLEARN_MODEL.",
        ),
        FactorDefinition(
            key="llm.temperature",
            title="Temperature",
            type="float",
            default=0.7,
            low=0,
            high=1,
            auto_low=0.5,
            auto_high=0.9,
            step=0.2,
            step_relative=True,
            cooldown_cycles=_COOLDOWN,
            aliases=("temperature",),
            reason="Low values make answers stiff, high ones invent.",
            doc="How freely the model words its answer. Lower lowers hallucination.",
        ),
    )


_MEMORY = (
    FactorDefinition(
        key="archivist.max_tags",
        title="Tags per memory",
        type="int",
        default=5,
        low=1,
        high=15,
        auto_low=3,
        auto_high=8,
        step=2,
        cooldown_cycles=_COOLDOWN,
        acts_on="memory",
        aliases=("max_tags",),
        reason="Few tags hide a memory, many blur it.",
        doc="How many tags at most the Archivist gives a memory.",
    ),
    FactorDefinition(
        key="archivist.summary_length",
        title="Length of summaries",
        type="choice",
        default="medium",
        choices=("short", "medium", "long"),
        cooldown_cycles=_COOLDOWN,
        acts_on="memory",
        aliases=("summary_length",),
        reason="Tested by archiving the same histories anew; old memories stay as they are.",
        doc="How long the summary is that becomes a memory.",
    ),
)

_PROMPTS = (
    FactorDefinition(
        key="prompts.responder",
        title="Responder prompt",
        type="prompt",
        default="v1",
        choices=_PROMPT_CHOICES,
        needs_ab_test=True,
        cooldown_cycles=_COOLDOWN,
        aliases=("system_prompt_version", "responder_prompt"),
        reason="Wording works in ways that nobody foresees: only after an A/B test.",
        doc="Version of the prompt that answers from the context.",
    ),
    FactorDefinition(
        key="prompts.analyzer",
        title="Analyzer prompt",
        type="prompt",
        default="v1",
        choices=("v1", "v2", "v3"),
        needs_ab_test=True,
        cooldown_cycles=_COOLDOWN,
        aliases=("analyzer_prompt",),
        reason="Wording works in ways that nobody foresees: only after an A/B test.",
        doc="Version of the prompt that finds the keywords of a query.",
    ),
    FactorDefinition(
        key="prompts.archivist",
        title="Archivist prompt",
        type="prompt",
        default="v1",
        choices=("v1",),
        auto=False,
        manual=True,
        cooldown_cycles=_COOLDOWN,
        acts_on="memory",
        aliases=("archivist_prompt",),
        reason="It writes long-term memory, which no rollback rewrites: a person decides.",
        doc="Version of the prompt that turns an exchange into a memory.",
    ),
)

FACTORS: Mapping[str, FactorDefinition] = _catalogue(*_RETRIEVAL, *_CONTEXT, *_llm(), *_MEMORY, *_PROMPTS)

_KEY_BY_ALIAS: Mapping[str, str] = MappingProxyType(
    {alias: definition.key for definition in FACTORS.values() for alias in definition.aliases}
)

DEFAULTS: Mapping[str, int | float | bool | str] = MappingProxyType({key: f.default for key, f in FACTORS.items()})

FROM_SETTINGS = frozenset({"llm.model"})
"""Factors whose default may differ between installations; the seed leaves them to the registry."""


def factor(key_or_alias: str) -> FactorDefinition:
    """Raises `NotFound` with the known keys when no factor has this key or alias."""
    found = FACTORS.get(key_or_alias) or FACTORS.get(_KEY_BY_ALIAS.get(key_or_alias, ""))
    if found is None:
        raise NotFound(f"there is no impact factor {key_or_alias!r}", details={"known": sorted(FACTORS)})
    return found


def canonical_key(key_or_alias: str) -> str:
    """The key of an alias; an unknown name as it is, for the guards to refuse."""
    return _KEY_BY_ALIAS.get(key_or_alias, key_or_alias)
