"""The offline judge: rules over the answer, the context that it was given, and what is known to be right.

Hallucination: a claim that no memory in the context supports, a claim that contradicts what holds now (a forbidden,
stale value), or any claim where nothing was ever told. Saying that one does not know is never a hallucination.
Context used: a claim of the answer comes from a memory of the context (recent exchanges support a claim, but are no
memories). Saying that one does not know is right when the context holds nothing that was expected; the question
whether context was used then does not apply. Whether finds are relevant it does not say: words that question and memory
share are what the search went by, and no second opinion.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from llm.offline.phrases import is_abstention
from llm.text import sentences, stems
from teacher.judges.protocol import Case, Marks

SUPPORT = 0.6
"""Share of a claim's content stems that one memory must hold to support it."""

_MEMORY_LINE = re.compile(r"^\[\d+\]\s*(.*)$")
_TURN = re.compile(r"^(?:User|Assistant):\s*")


class OfflineJudge:
    """Implements `teacher.judges.protocol.Judge`. Costs nothing and judges everything."""

    version = "offline-3"
    samples = False

    def judge(self, cases: Sequence[Case]) -> list[Marks]:
        return [judge(case) for case in cases]


def judge(case: Case) -> Marks:
    """Judge one answer. Pure and deterministic."""
    claims = [] if is_abstention(case.answer) else _claims(case.answer)
    memories, exchanges = context_texts(case.context)
    remembered = [frozenset(stems(text)) for text in memories]
    evidence = remembered + [frozenset(stems(text)) for text in exchanges]
    supported = [_supported(claim, evidence) for claim in claims]
    reasons = []
    if not all(supported):
        reasons.append(f"no memory supports: {claims[supported.index(False)]}")
    stale = _stale(case)
    if claims and stale:
        reasons.append(f"says what no longer holds: {stale}")
    if claims and case.should_retrieve is False:
        reasons.append("claims something that was never told")
    from_memory = case.found > 0 and any(_supported(claim, remembered) for claim in claims)
    used = None if not claims and not case.hits else from_memory
    return Marks(context_utilized=used, hallucination=bool(reasons), reasons=tuple(reasons))


def _claims(answer: str) -> list[str]:
    return [text for text in sentences(answer) if stems(text) and not is_abstention(text)]


def context_texts(context: str) -> tuple[list[str], list[str]]:
    """Memories and recent exchanges of a context payload, a text each, without numbering and headings.

    A memory keeps its date and speaker: an answer may say when it was said and by whom, and both are evidence.
    """
    memories: list[str] = []
    exchanges: list[str] = []
    for line in context.splitlines():
        if line.startswith("## Question"):
            break
        if line.startswith("##") or not line.strip():
            continue
        match = _MEMORY_LINE.match(line)
        if match:
            memories.append(match[1].strip())
        else:
            exchanges.append(_TURN.sub("", line).strip())
    return memories, exchanges


def _supported(claim: str, evidence: list[frozenset[str]]) -> bool:
    words = frozenset(stems(claim))
    return any(len(words & held) >= SUPPORT * len(words) for held in evidence)


def _stale(case: Case) -> str | None:
    """The forbidden value that the answer states, unless it also states what holds now (a correct correction)."""
    if says_any(case.answer, case.key_facts):
        return None
    answer = _folded(case.answer)
    return next((value for value in case.forbidden if _says(answer, value)), None)


def says_any(answer: str, values: Sequence[str]) -> bool:
    """Whether the answer states one of the values."""
    folded = _folded(answer)
    return any(_says(folded, value) for value in values)


def _says(answer: str, value: str) -> bool:
    """Whether the value begins at a word of the answer; endings may follow, but not further digits ("20", "2025")."""
    wanted = _folded(value)
    end = r"(?!\d)" if wanted[-1:].isdigit() else ""
    return bool(wanted) and re.search(rf"(?<!\w){re.escape(wanted)}{end}", answer) is not None


def _folded(text: str) -> str:
    return " ".join(text.casefold().replace("ё", "е").split())
