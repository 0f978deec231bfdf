"""What kind of utterance a sentence is: small talk, a question or a statement. Shallow cues only, no parsing."""

from __future__ import annotations

import re

from llm.text import content_words, sentences, stem

_PHRASES = re.compile(
    r"\b(?:how are you(?: (?:doing|today))*|how(?:'s| is) it going|what'?s up|nice to (?:meet|see|hear from) you|"
    r"good (?:morning|afternoon|evening|night|day)|thank you|thanks|many thanks|you'?re welcome|no problem|"
    r"see you(?: (?:later|soon|tomorrow))?|talk (?:to you )?(?:later|soon)|take care|have a (?:nice|good|great) \w+|"
    r"that'?s all(?: for (?:now|today))?|sounds (?:good|great)|got it|i see|"
    r"как (?:у (?:тебя|вас) )?дела|как (?:ты|вы|поживаешь|поживаете|жизнь)|доброе утро|добрый (?:день|вечер)|"
    r"доброй ночи|спокойной ночи|(?:большое |огромное )?спасибо(?: (?:большое|огромное))?|"
    r"до (?:свидания|встречи|завтра)|"
    r"рад(?:а)? (?:знакомству|(?:тебя|вас) (?:видеть|слышать))|не за что|всего (?:доброго|хорошего)|хорошего \w+|"
    r"на (?:этом|сегодня) (?:всё|все))(?=\W|$)",
    re.IGNORECASE,
)
_SMALL = frozenset(
    stem(word)
    for word in """
    hello hi hey hiya greetings bye goodbye cheers ok okay yeah yep yup nope sure great good nice cool fine alright
    right perfect awesome wonderful thanks thank thx lol haha wow hmm welcome dear friend lot much understood agreed
    привет приветик здравствуй здравствуйте здорово пока ага угу ок окей ладно понятно ясно отлично прекрасно супер
    класс круто замечательно хорошо спасибо благодарю пожалуйста прощай договорились понял поняла согласен согласна
    дорогой друг ого хм
    """.split()  # noqa: SIM905 - a list of words reads better as text
)
_GREETS = frozenset(stem(word) for word in ("hello", "hi", "hey", "bye", "привет", "здравствуй", "здравствуйте"))
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
_REQUEST = re.compile(
    _OPENING + r"(?:(?:can|could|would) you )?(?:tell me|remind me|i wonder|do you (?:remember|know|recall)|"
    r"let me know|list\b|show me|"
    r"напомни|расскажи|подскажи|покажи|перечисли|назови|интересно,|помнишь|помните|знаешь ли|хочу (?:узнать|спросить))",
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


def is_small_talk(text: str) -> bool:
    """Whether nothing is left of the text once greetings, thanks and assents are taken out."""
    rest = _PHRASES.sub(" ", text)
    said = content_words(rest)
    left = [word for word in said if stem(word) not in _SMALL]
    greets = rest != text or (said and stem(said[0]) in _GREETS)
    if left and not (greets and len(left) == 1 and left[0] == said[-1] and left[0][0].isupper()):  # "Hi Anna!"
        return False
    return not any(_ASKS.match(sentence) for sentence in sentences(rest))


def statements(text: str) -> list[str]:
    """Sentences that tell something: neither questions nor small talk, in order."""
    return [sentence for sentence in sentences(text) if not is_question(sentence) and not is_small_talk(sentence)]
