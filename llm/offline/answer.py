"""The answer task: one or two sentences of the context, or an admission, or a guess.

Wrong answers come from this mechanism alone: a distractor that shares the question's words, a fact that has since
changed, a neighbour drawn at a high temperature, an answer from what is not near when nothing forbids it.
"""

from __future__ import annotations

import random
from typing import NamedTuple

from llm.offline import phrases
from llm.offline.instructions import Grounding, Instructions, read_instructions
from llm.offline.layout import Context, parse_context
from llm.offline.nearness import Candidate, candidates, sampled
from llm.offline.question import Question, has_cue, read_question
from llm.offline.speech import is_question, is_small_talk
from llm.text import Language, detect_language, sentences

THRESHOLDS = {Grounding.FREE: 0.0, Grounding.GROUNDED: 0.15, Grounding.STRICT: 0.5}
"""Nearness below which the engine does not answer from a sentence."""
DRAWN_AMONG = 5
SOFTMAX_SCALE = 0.3
"""Score difference per unit of temperature that makes a candidate e times less likely."""
SECOND_SAME_MEMORY = 0.55
SECOND_OTHER_MEMORY = 0.6
"""Share of the first sentence's score from which a second one is added."""


class Answer(NamedTuple):
    text: str
    used: tuple[int, ...]
    """Numbers of the memories whose sentences the text holds, in the order of the text."""


def _second(first: Candidate, others: list[Candidate], threshold: float) -> Candidate | None:
    """A sentence to go with the first: the next of its memory, or one that holds words of the question it lacks.

    Of two memories that match the same words (an old fact and a newer one) only one is told.
    """
    ranked = sorted(others, key=lambda candidate: (-candidate.score, candidate.order))
    for candidate in ranked:
        same = candidate.memory is not None and candidate.memory == first.memory
        needed = SECOND_SAME_MEMORY if same else SECOND_OTHER_MEMORY
        adds = same or bool(candidate.matched - first.matched)
        near = candidate.nearness > 0 and candidate.nearness >= threshold
        if adds and near and candidate.score >= needed * first.score and candidate.text != first.text:
            return candidate
    return None


_NAMELESS = frozenset({"user", "assistant"})


def _wording(chosen: list[Candidate], question: Question) -> str:
    """The sentences as they stand, under the name of who spoke if it is a name.

    One that answers "when" without a time of its own gets the date of its memory in front.
    """
    parts = []
    told: set[int | None] = set()
    for candidate in chosen:
        heads = []
        if question.kind == "when" and candidate.noted and not has_cue("when", candidate.text):
            heads.append(candidate.noted.isoformat())
        if candidate.speaker and candidate.speaker.lower() not in _NAMELESS:
            heads.append(candidate.speaker)
        head = "" if not heads or candidate.memory in told else f"{', '.join(heads)}: "
        told.add(candidate.memory)
        parts.append(f"{head}{candidate.text}")
    return " ".join(parts)


def _guess(question: Question, language: Language, draw: random.Random, temperature: float) -> str:
    options = phrases.GUESSES[language][question.kind]
    return options[draw.randrange(len(options))] if temperature > 0 else options[0]


def _from_context(context: Context, instructions: Instructions, temperature: float, draw: random.Random) -> Answer:
    language = detect_language(context.question)
    question = read_question(context.question)
    threshold = THRESHOLDS[instructions.grounding]
    found = candidates(question, context, newest=instructions.prefers_newest)
    near = [candidate for candidate in found if candidate.nearness >= threshold]
    if not near:
        if instructions.grounding is Grounding.FREE:
            return Answer(_guess(question, language, draw, temperature), ())
        return Answer(phrases.ABSTENTION[language], ())
    best = sorted(near, key=lambda candidate: (-candidate.score, candidate.order))[:DRAWN_AMONG]
    first = sampled(best, temperature=temperature, fraction=draw.random(), scale=SOFTMAX_SCALE)
    second = _second(first, [candidate for candidate in best if candidate is not first], threshold)
    chosen = sorted([first] if second is None else [first, second], key=lambda candidate: candidate.order)
    used = tuple(dict.fromkeys(candidate.memory for candidate in chosen if candidate.memory is not None))
    return Answer(_wording(chosen, question), used)


def _to_statement(context: Context, instructions: Instructions) -> Answer:
    """A person who tells something is acknowledged; a prompt that asks for it adds the nearest memory, if near."""
    language = detect_language(context.question)
    question = read_question(context.question)
    acknowledged = phrases.ACKNOWLEDGEMENT[language]
    if not instructions.uses_memories:
        return Answer(acknowledged, ())
    found = [
        candidate
        for candidate in candidates(question, context, newest=instructions.prefers_newest)
        if candidate.memory is not None and candidate.nearness >= THRESHOLDS[Grounding.GROUNDED]
    ]
    if not found:
        return Answer(acknowledged, ())
    best = sampled(found, temperature=0.0, fraction=0.0, scale=SOFTMAX_SCALE)
    return Answer(f"{acknowledged} {phrases.REMINDER[language]} {_wording([best], question)}", (best.memory or 0,))


def answer(*, system_prompt: str, message: str, temperature: float, seed: int) -> Answer:
    """Answer `message`, laid out as `llm.offline.layout` says, under what `system_prompt` demands."""
    context = parse_context(message)
    instructions = read_instructions(system_prompt)
    if not context.question or is_small_talk(context.question):
        return Answer(phrases.GREETING[detect_language(context.question)], ())
    if not any(is_question(sentence) for sentence in sentences(context.question)):
        return _to_statement(context, instructions)
    draw = random.Random(seed)  # noqa: S311 - repeatable variation is the point; nothing is secret
    return _from_context(context, instructions, temperature, draw)
