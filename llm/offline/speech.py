"""What kind of utterance a sentence is: small talk, a question or a statement. Shallow cues only, no parsing.

Small talk is what the closed lists hold (`small_talk.py`) and what by its signs tells nothing that lasts
(`telling.py`).
"""

from __future__ import annotations

import re

from llm.offline.small_talk import is_of_the_moment, is_phatic, is_reaction, without_phrases
from llm.offline.telling import AT_LENGTH, tells
from llm.text import sentences

_QUESTION_WORD = (
    r"(?:what|when|where|which|who|whom|whose|why|how|do|does|did|is|are|was|were|am|have|has|had|can|could|will|"
    r"would|should|что|чего|чем|когда|где|куда|откуда|который|которая|которое|какой|какая|какое|какие|каком|какую|"
    r"каким|кто|кого|кому|кем|чей|чья|чьё|чье|почему|зачем|как|сколько|ли)"
)
_OPENING = r"^\W*(?:(?:and|but|so|well|please|also|ok|okay|hey|hi|а|и|но|ну|так|пожалуйста|скажи|скажите)\b[\s,]*)*"
_SUBORDINATE = re.compile(
    r"^\W*(?:when|while|where|как только|когда|чем|how(?:ever)?|what(?:ever)? a|как раз|что касается|as)\b"
    r"(?!\s+(?:did|do|does|is|are|was|were|has|have|had|can|could|will|would|should)\b)[^?,]*,",
    re.IGNORECASE,
)
_ASKS = re.compile(_OPENING + _QUESTION_WORD + r"\b", re.IGNORECASE)
_WHAT = (
    r"(?:what|when|where|which|who|whose|why|how|что|чего|чем|когда|где|куда|откуда|кто|кого|кому|как|как\w{1,3}|"
    r"сколько|почему|зачем|чей|чья)\b"
)
_INFINITIVE = r"\w+(?:ть|ти|чь)(?:ся|сь)?\b"
_REQUEST = re.compile(
    _OPENING + r"(?:(?:can|could|would|will) you (?:please )?)?(?:"
    # "Remind me to call" and "Напомни позвонить" ask for something to be kept.
    r"remind (?:me|us)\b(?! to\b)|tell (?:me|us|the|about|again|everything)\b|refresh my memory|i wonder\b|"
    r"do you (?:remember|know|recall)|let me know|(?:show|give) me\b|(?:compare|describe|explain|recap|summari[sz]e)\b|"
    r"(?:list|name|show|repeat) (?:me|all|the|my|every|each|what|which|one|two|three)\b|"
    r"i(?:'d| would) (?:like|love) to (?:know|hear|ask)|i want to (?:know|ask)|"
    rf"i (?:have |'ve )?(?:forgot|forgotten|(?:do not|don't|cannot|can't) (?:remember|recall)) {_WHAT}|"
    rf"напомни(?:те)?(?:-ка)?\b(?!(?:,? (?:мне|пожалуйста|ещё раз|еще раз))*,? {_INFINITIVE})|"
    r"(?:расскажи|подскажи|покажи|перечисли|назови|опиши|объясни|повтори|поясни|уточни|сравни|вспомни|подытожь)"
    r"(?:те)?(?:-ка)?\b|дай(?:те)? (?:мне )?(?:список|сводку|перечень|знать)|интересно,|помнишь|помните|знаешь ли|"
    r"(?:я )?(?:хочу|хотел бы|хотела бы|хотелось бы) (?:узнать|спросить|уточнить)|"
    rf"(?:я )?(?:не помню|забыла?|не могу вспомнить),? {_WHAT})",
    re.IGNORECASE,
)


def is_question(sentence: str) -> bool:
    """Whether the sentence asks: by its mark, its opening word, or an imperative that asks to be told."""
    if sentence.rstrip("\"'»”’) ").endswith("?"):
        return True
    if _REQUEST.match(sentence):
        return True
    # Without the mark, an opening "when" or "как" may as well begin a clause of a statement.
    return (
        bool(_ASKS.match(sentence)) and not _SUBORDINATE.match(sentence) and not sentence.rstrip().endswith((".", "!"))
    )


def is_empty_talk(sentence: str) -> bool:
    """Whether the sentence greets, thanks, assents or takes leave, and asks and tells nothing."""
    return is_phatic(sentence) and not _ASKS.match(without_phrases(sentence))


def _is_told(sentence: str, *, at_length: bool) -> bool:
    """Whether the sentence, which asks nothing, is worth remembering by itself."""
    told_nothing = is_empty_talk(sentence) or is_of_the_moment(sentence) or is_reaction(sentence)
    return not told_nothing and tells(sentence, lenient=at_length)


def _is_at_length(text: str) -> bool:
    """Who writes much tells something: it is judged more leniently."""
    return len(text.split()) >= AT_LENGTH


def is_small_talk(text: str) -> bool:
    """Whether nothing is asked, and nothing told that is worth remembering."""
    at_length = _is_at_length(text)
    return all(
        is_empty_talk(sentence) or not (is_question(sentence) or _is_told(sentence, at_length=at_length))
        for sentence in sentences(text)
    )


def statements(text: str) -> list[str]:
    """Sentences that tell something, in order: no questions, no empty talk, nothing of the moment.

    A reaction belongs to what it is said of: alone it tells nothing, beside something told it stays, and so does a
    sentence of which it is not certain that it tells nothing.
    """
    at_length = _is_at_length(text)
    said = [sentence for sentence in sentences(text) if not is_question(sentence) and not is_empty_talk(sentence)]
    if not any(_is_told(sentence, at_length=at_length) for sentence in said):
        return []
    return [
        sentence
        for sentence in said
        if not is_of_the_moment(sentence) and (is_reaction(sentence) or tells(sentence, lenient=True))
    ]
