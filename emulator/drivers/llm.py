"""The LLM driver: a model speaks as the user. What it must say is checked; what it heard it keeps in MaaS."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from contracts.maas import RunRequest
from emulator.domain.hearing import gives_away
from emulator.domain.policy import Act
from emulator.domain.scenario import Persona
from emulator.domain.script import own_memory_user
from emulator.domain.user import FROM_AGENDA, ActKind
from emulator.domain.words import language_of, lost_words
from emulator.drivers.base import Driver, Scene, Worded
from emulator.drivers.offline import OfflineDriver
from kernel.canonical import derive_seed, derive_uuid
from kernel.errors import InvalidInput
from llm.factory import get_chat_model
from llm.protocol import ChatMessage, ChatModel

if TYPE_CHECKING:
    from maas.client import MaasClient

PROMPTS_VERSION = "v1"
_PROMPTS = Path(__file__).parent / "prompts" / PROMPTS_VERSION
ROLES: dict[str, tuple[str, ...]] = {
    "novice": ("student",),
    "practised": ("peer", "coach"),
    "expert": ("expert", "mentor"),
}
"""Roles by the persona's knowledge; which of them a user has depends on who it is."""

TEMPERATURE = 0.7
_ATTEMPTS = 2
_LONGEST = 200
_RECALLED = 3
_REPEATED = 4
_LANGUAGES = {"ru": "Russian", "en": "English"}
_TASKS = {
    ActKind.SAY: "React to the last answer in a few words if it is natural, then say what stands in MESSAGE.",
    ActKind.SHIFT: "Let the last question be, and go on to what stands in MESSAGE.",
    ActKind.ASK_SIMPLER: "The answer did not help. Ask MESSAGE again in simpler words, and mention the words in HINT.",
    ActKind.CLARIFY: "The answer missed a part. Make clear what MESSAGE asks for; mention the words in HINT.",
    ActKind.CORRECT: "The answer was wrong. Say so, and repeat MESSAGE as what you have told before.",
    ActKind.SUM_UP: "Ask the assistant to sum up what you have told it today. State no facts.",
    ActKind.TEST_MEMORY: "Test whether the assistant still knows it: ask MESSAGE.",
    ActKind.LEAVE: "You have lost patience. Say a short goodbye. State no facts, ask nothing.",
}


class LlmDriver:
    """Implements `Driver`.

    Two agents talk: the student, and this user. The user has a memory in MaaS too, under an id of its own: it recalls
    before it speaks and keeps what it heard, through the same public client. Its runs have ids that depend on the
    turn, so that playing a turn again asks and keeps nothing twice.
    """

    def __init__(self, *, client: MaasClient, model: ChatModel | None = None, pinned_version: int | None = None):
        """Raises `InvalidInput` when no model is set up: the offline engine words nothing by itself."""
        self._model = model or get_chat_model()
        if self._model.is_offline:
            raise InvalidInput(
                "the driver llm needs a model: set SELFLEARN_LLM=openai, or use the driver offline",
                details={"field": "driver"},
            )
        self._client, self._version = client, pinned_version
        self._plain: Driver = OfflineDriver()

    def word(self, act: Act, scene: Scene) -> Worded | None:
        """Ask the model once, once more when facts got lost, and else say it as the offline driver does."""
        messages = [
            ChatMessage(role="system", content=prompt(scene)),
            ChatMessage(role="user", content=_brief(act, scene, self._recalled(act, scene))),
        ]
        tokens, cost = 0, 0.0
        for attempt in range(_ATTEMPTS):
            result = self._model.complete(
                messages=messages,
                task="text",
                temperature=TEMPERATURE,
                seed=derive_seed("llm-user", scene.seed, attempt) % 2**31,
                max_tokens=_LONGEST,
            )
            tokens += result.usage.prompt_tokens + result.usage.completion_tokens
            cost += result.cost_usd
            said = result.text.strip().strip('"')
            fault = _fault(act, scene, said)
            if not fault:
                return Worded(said, tokens=tokens, cost_usd=cost)
            messages += [
                ChatMessage(role="assistant", content=said or "(nothing)"),
                ChatMessage(role="user", content=f"{fault} Say it again, as one message of yours."),
            ]
        fallback = self._plain.word(act, scene)
        return None if fallback is None else Worded(fallback.text, tokens=tokens, cost_usd=cost)

    def heard(self, *, said: str, answer: str, scene: Scene) -> None:
        """Keep the exchange in the user's own memory."""
        name = "Ассистент ответил" if scene.language == "ru" else "The assistant answered"
        self._client.ask(self._request(scene, f"{said} {name}: {answer}", "kept"))

    def _recalled(self, act: Act, scene: Scene) -> list[str]:
        asked = act.text or scene.goal or scene.answer
        if not asked:
            return []
        request = self._request(scene, asked, "recalled").model_copy(update={"mode": "evaluation"})
        return [memory.text for memory in self._client.ask(request).found[:_RECALLED]]

    def _request(self, scene: Scene, text: str, purpose: str) -> RunRequest:
        return RunRequest(
            user_id=own_memory_user(scene.user_id),
            query=text,
            run_id=derive_uuid(purpose, scene.turn_id),
            thread_id=derive_uuid("simulated-users-own-thread", scene.thread_id),
            client_kind="emulator",
            simulated_at=scene.at,
            pinned_version=self._version,
            cycle_type="macro",
        )


def role_of(persona: Persona | None, user: object) -> str:
    """Which meta-prompt a user speaks by."""
    roles = ROLES[persona.knowledge] if persona else ROLES["practised"]
    return roles[derive_seed("role", user) % len(roles)]


def prompt(scene: Scene) -> str:
    """The system prompt of the scene's user: what all roles share, and the role's own."""
    persona = scene.persona
    known = {
        "name": persona.name if persona else "the user",
        "background": persona.background if persona else "an ordinary person",
        "style": persona.style if persona else "plain",
        "knowledge": persona.knowledge if persona else "practised",
        "goal": scene.goal or "get on with the project",
        "language": _LANGUAGES.get(scene.language, "the language of the messages"),
    }
    return f"{_text('common')}\n\n{_text(role_of(persona, scene.user_id))}".format_map(known)


@cache
def _text(name: str) -> str:
    return (_PROMPTS / f"{name}.md").read_text(encoding="utf-8").strip()


def _brief(act: Act, scene: Scene, recalled: list[str]) -> str:
    """What the model is told of the moment, as JSON: nothing in it can pass for an instruction of ours."""
    return json.dumps(
        {
            "TASK": _TASKS[act.kind],
            "WHY": act.reason,
            "MESSAGE": act.text,
            "HINT": list(act.hint),
            "LAST_ANSWER": scene.answer,
            "SAID_TODAY": list(scene.said[-_REPEATED:]),
            "YOU_RECALL": recalled,
            "WEARY": act.weary,
        },
        ensure_ascii=False,
    )


def _fault(act: Act, scene: Scene, said: str) -> str:
    """What is wrong with a wording, as a sentence to the model; empty when nothing is."""
    if not said:
        return "You said nothing."
    spoken = language_of(said)
    if scene.language in _LANGUAGES and spoken not in (scene.language, None):
        return f"You must speak {_LANGUAGES[scene.language]}."
    if act.kind in FROM_AGENDA or act.kind is ActKind.CORRECT:
        lost = lost_words(act.text, said)
        if lost:
            return f"Your message leaves out: {', '.join(lost)}."
    if act.truth is not None and gives_away(act.truth, act.text, said):
        return "You gave the answer away."
    return ""
