"""What a system prompt demands, read from a small documented set of phrasings (docs/decisions/0004-offline-engine.md).

A real model reads the whole prompt; this engine reads these phrasings only, and a prompt that says the same in other
words does not move it.
"""

from __future__ import annotations

import re
from enum import IntEnum
from functools import lru_cache
from typing import NamedTuple


class Grounding(IntEnum):
    """How near a sentence must be before the engine answers from it."""

    FREE = 0
    GROUNDED = 1
    STRICT = 2


class Instructions(NamedTuple):
    grounding: Grounding
    uses_memories: bool
    """Memories are to be brought up with statements too, not with questions alone."""
    prefers_newest: bool


_MEMORY = r"(?:memor|context|facts|known facts|notes|what you (?:remember|know))"
_RU_MEMORY = r"(?:воспоминани|памят|контекст|факт|запис)"

_GROUNDED = re.compile(
    rf"\bonly\b[^.]{{0,50}}\b{_MEMORY}|\bsolely\b[^.]{{0,40}}\b{_MEMORY}|\b{_MEMORY}\w* (?:only|alone)\b|"
    rf"\bif (?:the |your |these )?{_MEMORY}\w*[^.]{{0,60}}(?:do not|does not|don't|doesn't)\b|"
    rf"\bif [^.]{{0,50}}(?:is not|are not|isn't|aren't|not found|nothing) [^.]{{0,20}}\b{_MEMORY}|"
    r"\b(?:do not|don't|never|must not|without) (?:invent|guess|"
    r"mak(?:e|ing) (?:things|anything|it|facts|something) ?(?:up)?|"
    r"fabricat|speculat|hallucinat|add facts|assum)|"
    r"\bsay (?:that |so|plainly )*(?:you )?(?:do not|don't) (?:know|remember)|\badmit (?:that )?you (?:do not|don't)|"
    rf"\bтолько\b[^.]{{0,50}}{_RU_MEMORY}|\bисключительно\b[^.]{{0,40}}{_RU_MEMORY}|"
    rf"\bне (?:выдум|придум|додум|сочиня|гада|угадыва|фантазир|домысл)\w*|\bничего не (?:выдум|придум|сочиня)\w*|"
    rf"\bесли\b[^.]{{0,40}}{_RU_MEMORY}\w*[^.]{{0,40}}\b(?:нет|не )|"
    rf"\bесли (?:ответа |этого |там )?нет\b[^.]{{0,30}}{_RU_MEMORY}|"
    r"\bскажи\w*[^.]{0,30}(?:не знаешь|не помнишь|нет в памяти)|\bпризнай\w*",
    re.IGNORECASE,
)
_STRICT = re.compile(
    r"\bunless\b[^.]{0,50}\b(?:clearly|explicitly|directly)\b|"
    r"\b(?:clearly|explicitly|directly) (?:answer|stat|say|said|contain|support|mention)|"
    r"\bonly (?:if|when) (?:you are )?(?:absolutely |completely |quite )?(?:certain|sure)\b|"
    r"\b(?:when|if) (?:in|there is any|you have any) doubt\b|"
    r"\bif (?:you are )?(?:not (?:certain|sure)|unsure|uncertain)\b|"
    r"\b(?:absolute|complete) certainty\b|"
    r"\b(?:прямо|явно|однозначно|дословно|чётко|четко|ясно) (?:отвеча|указан|сказан|содерж|говор|написан|подтвержд)|"
    r"\bтолько если\b[^.]{0,30}увер|\b(?:точно|полностью|абсолютно) уверен|\bесли (?:ты |вы )?не уверен|"
    r"\b(?:при|если есть) (?:малейш\w+ |любо\w+ )?сомнени",
    re.IGNORECASE,
)
_USES = re.compile(
    rf"\b(?:use|using|refer to|rely on|draw on|build on|bring up|consult|cite) "
    rf"(?:the |your |these |their |relevant )*{_MEMORY}|"
    rf"\b(?:использу|опира|обраща|ссыла|учитыва|упомина|цитиру)\w*[^.]{{0,40}}{_RU_MEMORY}",
    re.IGNORECASE,
)

_NEWEST = re.compile(
    r"\b(?:prefer|trust|go by|rely on)\b[^.]{0,20}\b(?:newest|newer|latest|most recent|more recent)\b|"
    r"\b(?:newest|newer|latest|most recent) (?:note|memory|one|fact)s? (?:wins?|holds?|counts?|prevails?)\b|"
    r"\b(?:предпочита|доверя|верь)\w*[^.]{0,20}\b(?:нов|свеж|последн|поздн)\w+",
    re.IGNORECASE,
)


@lru_cache(maxsize=256)
def read_instructions(system_prompt: str) -> Instructions:
    """What the prompt demands. Strict wording counts as strict only beside, or as, a demand for grounding."""
    prompt = " ".join(system_prompt.split())  # a prompt wraps its lines where it likes
    if _STRICT.search(prompt):
        grounding = Grounding.STRICT
    elif _GROUNDED.search(prompt):
        grounding = Grounding.GROUNDED
    else:
        grounding = Grounding.FREE
    return Instructions(grounding, bool(_USES.search(prompt)), bool(_NEWEST.search(prompt)))
