"""The offline driver: the scenario's own words, and what people say around them from pools. No model, no network.

What it says around them leaves no memory: statements are then remembered as they were written (a test holds that).
"""

from __future__ import annotations

import random

from emulator.domain.hearing import UNHELPFUL
from emulator.domain.policy import Act
from emulator.domain.user import FROM_AGENDA, ActKind
from emulator.drivers.base import Scene, Worded
from emulator.drivers.pools import Phrases, one_of, phrases


class OfflineDriver:
    """Implements `Driver`. Same act and scene, same words."""

    def word(self, act: Act, scene: Scene) -> Worded | None:
        rng = random.Random(scene.seed)  # noqa: S311 - variety, not secrecy
        source = phrases(scene.language)
        manner = source.manner_of(scene.persona.style) if scene.persona else "plain"
        return Worded(text=_said(act, source, manner, rng, scene.said))

    def heard(self, *, said: str, answer: str, scene: Scene) -> None:
        """Keeps no memory: all it needs is in the user's state."""


def _said(act: Act, source: Phrases, manner: str, rng: random.Random, worn: tuple[str, ...]) -> str:
    match act.kind:
        case ActKind.LEAVE:
            return one_of([*source.leave["plain"], *source.leave.get(manner, ())], rng)
        case ActKind.SUM_UP:
            return one_of(source.sum_up, rng)
        case ActKind.TEST_MEMORY:
            return f"{one_of(source.test_memory, rng)} {act.text}"
        case ActKind.CORRECT:
            opening, closing = source.quotes
            return f"{one_of(source.correct, rng)} {opening}{act.text}{closing}"
        case ActKind.ASK_SIMPLER | ActKind.CLARIFY:
            lead = one_of(source.clarify if act.kind is ActKind.CLARIFY else source.ask_simpler, rng, worn=worn)
            return " ".join(part for part in (lead, act.text, _hint(act, source, rng)) if part)
    reaction = _reaction(act, source, manner, rng, worn) if act.kind in FROM_AGENDA else ""
    return f"{reaction} {act.text}" if reaction else act.text


def _reaction(act: Act, source: Phrases, manner: str, rng: random.Random, worn: tuple[str, ...]) -> str:
    """What is said to the last answer in front of what comes next."""
    if act.heard is None or rng.random() < source.silence.get(act.heard.kind, 0.0):
        return ""
    if act.is_small_talk and act.heard.kind not in UNHELPFUL:  # thanks and goodbyes say it themselves
        return ""
    pool = (source.weary.get(act.heard.kind) if act.weary else None) or source.reactions.get(act.heard.kind) or {}
    options = [*pool.get("plain", ()), *(pool.get(manner, ()) if manner != "plain" else ())]
    return one_of(options, rng, worn=worn) if options else ""


def _hint(act: Act, source: Phrases, rng: random.Random) -> str:
    if not act.hint:
        return ""
    opening, closing = source.quotes
    return one_of(source.hint, rng).replace("{hint}", ", ".join(f"{opening}{word}{closing}" for word in act.hint))
