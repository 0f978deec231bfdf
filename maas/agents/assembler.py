"""ASSEMBLER: from found memories and recent exchanges to the payload, within a hard limit of tokens.

What matters most is taken first: the question, then memories by score, then exchanges from the newest back. What does
not fit is left out whole. The order in which memories are shown is a parameter of its own.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from llm.text import count_tokens
from maas.access import Statement, act_for
from maas.claims import Run
from maas.parameters import RunParameters
from maas.retrieval.found import Found

MEMORIES, EXCHANGES, QUESTION = "## Memories", "## Recent exchanges", "## Question"


@dataclass(frozen=True, slots=True)
class Payload:
    """`memory_ids`: those that got in, in the order of their numbers `[1]`, `[2]`, …"""

    text: str
    tokens: int
    memory_ids: tuple[uuid.UUID, ...]


_EXCHANGES = """
SELECT user_query, final_answer FROM pipeline_runs
WHERE thread_id = %s AND answered_at IS NOT NULL AND status = 'COMPLETED' AND mode = 'dialogue' AND id <> %s
  AND (%s::timestamptz IS NULL OR coalesce(simulated_at, created_at) <= %s)
ORDER BY answered_at DESC, id LIMIT %s
"""


def recent_exchanges(run: Run, *, limit: int) -> list[tuple[str, str]]:
    """The last (query, answer) pairs of the same thread, oldest first. Evaluation leaves none behind."""
    if run.thread_id is None or limit <= 0:
        return []
    values = [run.thread_id, run.id, run.simulated_at, run.simulated_at, limit]
    (outcome,) = act_for(run.user_id, Statement(_EXCHANGES, values))
    return [(query, answer) for query, answer in reversed(outcome.rows)]


def assemble(
    query: str, found: Sequence[Found], exchanges: Sequence[tuple[str, str]], parameters: RunParameters
) -> Payload:
    """`found` is best first, `exchanges` oldest first. Pure."""
    budget = parameters.context_max_tokens - count_tokens(f"{MEMORIES}\n{EXCHANGES}\n{QUESTION}\n{query}")
    taken: list[Found] = []
    for memory in found:
        cost = count_tokens(_line(99, memory, parameters))
        if cost <= budget:
            budget -= cost
            taken.append(memory)
    kept: list[str] = []
    for user, assistant in reversed(exchanges):
        lines = f"User: {_one_line(user)}\nAssistant: {_one_line(assistant)}"
        if (cost := count_tokens(lines)) > budget:
            break  # an older exchange without the newer one would mislead
        budget -= cost
        kept.insert(0, lines)
    if parameters.context_memory_order == "recency":
        taken.sort(key=lambda memory: (memory.simulated_at, memory.memory_id), reverse=True)
    parts = [
        "\n".join([MEMORIES, *(_line(number, memory, parameters) for number, memory in enumerate(taken, start=1))]),
        "\n".join([EXCHANGES, *kept]),
        f"{QUESTION}\n{query}",
    ]
    text = "\n\n".join(part for part in parts if part not in (MEMORIES, EXCHANGES))
    return Payload(text=text, tokens=count_tokens(text), memory_ids=tuple(memory.memory_id for memory in taken))


def _line(number: int, memory: Found, parameters: RunParameters) -> str:
    text = _one_line(memory.text)
    if not parameters.context_include_metadata:
        return f"[{number}] {text}"
    speaker = f"{memory.speaker}: " if memory.speaker else ""
    return f"[{number}] {memory.simulated_at:%Y-%m-%d} | {speaker}{text}"


def _one_line(text: str) -> str:
    return " ".join(text.split())
