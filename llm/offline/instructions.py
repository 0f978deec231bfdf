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


_MEMORY = r"(?:memor|context|facts|known facts|notes|what you (?:remember|know))"
_RU_MEMORY = r"(?:воспоминани|памят|контекст|факт|запис)"

_GROUNDED = re.compile(
    rf"\bonly\b[^.\n]{{0,50}}\b{_MEMORY}|\bsolely\b[^.\n]{{0,40}}\b{_MEMORY}|\b{_MEMORY}\w* (?:only|alone)\b|"
    rf"\bif (?:the |your |these )?{_MEMORY}\w*[^.\n]{{0,60}}(?:do not|does not|don't|doesn't)\b|"
    rf"\bif [^.\n]{{0,50}}(?:is not|are not|isn't|aren't|not found|nothing) [^.\n]{{0,20}}\b{_MEMORY}|"
    r"\b(?:do not|don't|never|must not|without) (?:invent|guess|"
    r"mak(?:e|ing) (?:things|anything|it|facts|something) ?(?:up)?|"
    r"fabricat|speculat|hallucinat|add facts|assum)|"
    r"\bsay (?:that |so|plainly )*(?:you )?(?:do not|don't) (?:know|remember)|\badmit (?:that )?you (?:do not|don't)|"
    rf"\bтолько\b[^.\n]{{0,50}}{_RU_MEMORY}|\bисключительно\b[^.\n]{{0,40}}{_RU_MEMORY}|"
    rf"\bне (?:выдум|придум|додум|сочиня|гада|угадыва|фантазир|домысл)\w*|\bничего не (?:выдум|придум|сочиня)\w*|"
    rf"\bесли\b[^.\n]{{0,40}}{_RU_MEMORY}\w*[^.\n]{{0,40}}\b(?:нет|не )|"
    rf"\bесли (?:ответа |этого |там )?нет\b[^.\n]{{0,30}}{_RU_MEMORY}|"
    r"\bскажи\w*[^.\n]{0,30}(?:не знаешь|не помнишь|нет в памяти)|\bпризнай\w*",
    re.IGNORECASE,
)
_STRICT = re.compile(
    r"\bunless\b[^.\n]{0,50}\b(?:clearly|explicitly|directly)\b|"
    r"\b(?:clearly|explicitly|directly) (?:answer|stat|say|said|contain|support|mention)|"
    r"\bonly (?:if|when) (?:you are )?(?:absolutely |completely |quite )?(?:certain|sure)\b|"
    r"\b(?:when|if) (?:in|there is any|you have any) doubt\b|"
    r"\bif (?:you are )?(?:not (?:certain|sure)|unsure|uncertain)\b|"
    r"\b(?:absolute|complete) certainty\b|"
    r"\b(?:прямо|явно|однозначно|дословно|чётко|четко|ясно) (?:отвеча|указан|сказан|содерж|говор|написан|подтвержд)|"
    r"\bтолько если\b[^.\n]{0,30}увер|\b(?:точно|полностью|абсолютно) уверен|\bесли (?:ты |вы )?не уверен|"
    r"\b(?:при|если есть) (?:малейш\w+ |любо\w+ )?сомнени",
    re.IGNORECASE,
)
_USES = re.compile(
    rf"\b(?:use|using|refer to|rely on|draw on|build on|bring up|consult|cite) "
    rf"(?:the |your |these |their |relevant )*{_MEMORY}|"
    rf"\b(?:использу|опира|обраща|ссыла|учитыва|упомина|цитиру)\w*[^.\n]{{0,40}}{_RU_MEMORY}",
    re.IGNORECASE,
)


@lru_cache(maxsize=256)
def read_instructions(system_prompt: str) -> Instructions:
    """What the prompt demands. Strict wording counts as strict only beside, or as, a demand for grounding."""
    if _STRICT.search(system_prompt):
        grounding = Grounding.STRICT
    elif _GROUNDED.search(system_prompt):
        grounding = Grounding.GROUNDED
    else:
        grounding = Grounding.FREE
    return Instructions(grounding, bool(_USES.search(system_prompt)))
