"""How a simulated user reads an answer: shallowly, as people do. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from enum import StrEnum

from contracts.base import Part
from emulator.domain.script import QueryTruth
from emulator.domain.words import carriers, holds_word, plain, sentences_of

_ABSTAINS = re.compile(
    r"\b(?:(?:do|can|could|did|does)(?:n't| not|not) (?:remember|recall|know|find|have (?:any|that|this))|"
    r"no (?:memory|memories|record|records|information|idea)\b|not (?:in|part of) (?:my|the) memor|"
    r"(?:never|not) (?:told|mentioned|said)|nothing about (?:that|this|it)|not sure|"
    r"не (?:помню|знаю|припомню|наш\w+|могу вспомнить|уверен\w*)|ничего (?:не |об этом)|памяти (?:\w+ )?(?:\w+ )?нет|"
    r"нет (?:в (?:моей )?памяти|данных|сведений|информации|записей|воспоминаний)|не (?:говорил\w*|упоминал\w*|было)\b)"
)
_ENOUGH = 0.5
"""Share of a sentence's words from which it counts as told again."""


class HeardKind(StrEnum):
    HELPED = "helped"
    PARTLY = "partly"
    WRONG = "wrong"
    FORGOT = "forgot"
    ASKED_BACK = "asked back"
    REMINDED = "reminded"
    ACKNOWLEDGED = "acknowledged"
    NOTHING = "nothing"


UNHELPFUL = frozenset({HeardKind.WRONG, HeardKind.FORGOT, HeardKind.ASKED_BACK})
"""What wears the patience of somebody who has asked something."""


class Heard(Part):
    """What the user took from one answer. `missing`: key facts it lacked; `stale`: it held a value that is wrong now;
    `recalls`: events told earlier that it brought up."""

    kind: HeardKind
    missing: tuple[str, ...] = ()
    stale: bool = False
    recalls: tuple[str, ...] = ()


def read_answer(
    *, answer: str | None, question: QueryTruth | None, told: Mapping[str, str], just_said: Iterable[str] = ()
) -> Heard:
    """What a user who asked `question` (None: asked nothing) makes of the answer. `told`: event → its statement."""
    if not (answer or "").strip():
        return Heard(kind=HeardKind.NOTHING)
    text = plain(answer or "")
    if question is not None:
        return _of_question(text, question, told)
    said = set(just_said)
    recalls = tuple(name for name, statement in told.items() if name not in said and _covers(text, statement))[:3]
    if _asks(text):
        return Heard(kind=HeardKind.ASKED_BACK, recalls=recalls)
    if recalls:
        return Heard(kind=HeardKind.REMINDED, recalls=recalls)
    # Told something, and answered as if asked: noticed, but no reason to lose patience.
    return Heard(kind=HeardKind.FORGOT if _ABSTAINS.search(text) else HeardKind.ACKNOWLEDGED)


def _of_question(text: str, question: QueryTruth, told: Mapping[str, str]) -> Heard:
    abstains = bool(_ABSTAINS.search(text))
    if not question.should_retrieve:
        return Heard(kind=HeardKind.HELPED if abstains else HeardKind.WRONG)
    missing = tuple(fact for fact in question.key_facts if plain(fact) not in text)
    known = {name: told[name] for name in question.expects if name in told}
    recalls = tuple(name for name, statement in known.items() if _covers(text, statement))
    stale = any(plain(value) in text for value in question.forbidden)
    if stale and (missing or not question.key_facts):
        kind = HeardKind.WRONG
    elif _satisfies(question, missing, known, recalls):
        kind = HeardKind.HELPED
    elif abstains:
        kind = HeardKind.FORGOT
    elif not known and not question.key_facts:  # about memories that were there before: nobody here can judge
        kind = HeardKind.ACKNOWLEDGED
    elif recalls or len(missing) < len(question.key_facts):
        kind = HeardKind.PARTLY
    else:
        kind = HeardKind.ASKED_BACK if _asks(text) else HeardKind.WRONG
    return Heard(kind=kind, missing=missing, stale=stale, recalls=recalls)


def _satisfies(
    question: QueryTruth, missing: tuple[str, ...], known: Mapping[str, str], recalls: tuple[str, ...]
) -> bool:
    """All key facts; without such, a statement that was expected, and two where two have to be linked."""
    if question.key_facts:
        return not missing
    needed = min(2 if question.category == "multi-hop" else 1, len(set(known.values())))
    return bool(recalls) and len({known[name] for name in recalls}) >= needed


def gives_away(question: QueryTruth, asked: str, wording: str) -> bool:
    """Whether a wording of a question holds a key fact of its answer that the question itself does not name."""
    known, said = plain(asked), plain(wording)
    return any(plain(fact) in said and plain(fact) not in known for fact in question.key_facts)


def _asks(text: str) -> bool:
    return text.rstrip("\"'» ").endswith("?")


def _covers(text: str, statement: str) -> bool:
    for sentence in sentences_of(statement):
        words = carriers(sentence)
        held = sum(holds_word(text, word) for word in words)
        if held >= 2 and held >= _ENOUGH * len(words):
            return True
    return False
