"""What a question asks for: which words must be near, which kind of answer, and of what time."""

from __future__ import annotations

import re
from datetime import date
from functools import lru_cache
from typing import Literal, NamedTuple

from llm.offline.informativeness import is_common, word_weight
from llm.offline.speech import is_question
from llm.text import sentences, words

Kind = Literal["when", "count", "who", "where", "other"]

# The word that names the kind of answer wanted ("name", "city", "дата") seldom stands in the sentence that answers.
FRAME_SHARE = 0.25
# What is told beside the question ("I met Anna. Where does she live?") says what it is about.
ASIDE_SHARE = 0.4

_FRAME = frozenset(
    # Stems, so that the table is read without stemming.
    """
    name call date number amount citi countri place town person color colour kind type exact
    зовут назва имен им дат числ количеств город стран мест цвет тип точн
    """.split()  # noqa: SIM905 - a list of words reads better as text
)
_MONTHS = (
    ("january", "январ"),
    ("february", "феврал"),
    ("march", "март"),
    ("april", "апрел"),
    ("may", "ма[йяе]"),
    ("june", "июн"),
    ("july", "июл"),
    ("august", "август"),
    ("september", "сентябр"),
    ("october", "октябр"),
    ("november", "ноябр"),
    ("december", "декабр"),
)
# "may" is a month only with its capital letter or after a preposition that fits no verb.
_MONTH = [
    re.compile(rf"\b(?:{en.capitalize()}\b|(?i:in {en}\b)|(?i:{ru}\w{{0,3}}\b))")
    if en == "may"
    else re.compile(rf"\b(?:{en}\b|{ru}\w{{0,3}}\b)", re.IGNORECASE)
    for en, ru in _MONTHS
]
_ANY_MONTH = re.compile("|".join(re.escape(ru) if ru.isalpha() else "ма[йяе]" for _, ru in _MONTHS), re.IGNORECASE)
_YEAR = re.compile(r"\b(?:19|20)\d\d\b")

_KINDS: tuple[tuple[Kind, re.Pattern[str]], ...] = (
    (
        "when",
        re.compile(
            r"\b(?:when|what (?:day|date|month|year|time)|how long ago|since when|когда|как давно|"
            r"(?:в )?как(?:ой|ого|ом|ое) (?:день|дня|числа|число|месяц|месяце|год|году|дату|время))\b",
            re.I,
        ),
    ),
    (
        "count",
        re.compile(
            r"\b(?:how (?:many|much|old|long|often|tall|far|big)|what (?:number|amount|price|budget)|"
            r"сколько|как часто|как долго|какова? (?:цена|сумма|бюджет))\b",
            re.I,
        ),
    ),
    (
        "who",
        re.compile(
            r"\b(?:who|whom|whose|what(?: is|'s| was)?\b[^?.]{0,40}\bnames?|кто|кого|кому|кем|чей|чья|"
            r"как зовут|зовут|имя)\b",
            re.I,
        ),
    ),
    (
        "where",
        re.compile(
            r"\b(?:where|(?:what|which) (?:city|country|place|town)|где|куда|откуда|"
            r"в как(?:ом|ой) (?:городе|стране|месте))\b",
            re.I,
        ),
    ),
)
_TIME = (
    r"\b(?:\d{1,2}[:.]\d{2}|(?:19|20)\d\d|\d+ ?(?:числа|г\.|году)|(?:mon|tues|wednes|thurs|fri|satur|sun)days?\b|"
    r"(?:yesterday|today|tomorrow|tonight|ago)\b|"
    r"(?:last|next|this) (?:week|month|year|spring|summer|autumn|fall|winter|night)|"
    r"(?:january|february|march|april|june|july|august|september|october|november|december)\b|"
    r"(?:вчера|сегодня|завтра|назад)\b|(?:прошл|следующ)\w+ (?:недел|месяц|год|лет|весн|осен|зим)|"
    r"(?:понедельник|вторник|сред[уы]|четверг|пятниц|суббот|воскресень)|"
    r"(?:январ|феврал|март|апрел|ма[йяе]\b|июн|июл|август|сентябр|октябр|ноябр|декабр))"
)
_CUES: dict[Kind, re.Pattern[str]] = {
    "when": re.compile(f"(?i:{_TIME})|\\bMay\\b"),
    "count": re.compile(
        r"\d|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|twelve|twenty|hundred|thousand|once|twice|daily|weekly|"
        r"дв[ае]|двух|трое|двое|три|трёх|трех|четыре|пять|шесть|семь|восемь|девять|десять|сто|тысяч\w*|дважды|ежедневно)\b",
        re.I,
    ),
    "who": re.compile(r"(?<=[^\W_][\s,«\"(])[«\"(]?[A-ZА-ЯЁ][a-zа-яё]+"),
    "where": re.compile(
        r"\b(?:in|at|to|from|near|into|on) (?:the )?[A-Z]\w+|\b(?:в|во|на|из|под|около|возле) [А-ЯЁ]\w+"
    ),
}
_CURRENT = re.compile(
    r"\b(?:now|currently?|these days|at the moment|latest|most recent(?:ly)?|still|today|any ?more|so far|up to date|"
    r"сейчас|теперь|ныне|нынешн\w+|текущ\w+|последн\w+|актуальн\w+|по-прежнему|все еще|всё ещё|на данный момент)\b",
    re.I,
)
_PAST = re.compile(
    r"\b(?:originally|initially|at first|first(?:ly)?|used to|previously|earlier|in the beginning|before|"
    r"изначально|сначала|вначале|поначалу|первоначальн\w+|раньше|ранее|прежде|прежн\w+)\b",
    re.I,
)


class Question(NamedTuple):
    weights: dict[str, float]
    """Stem → how much of the question it carries (informativeness, frame words lessened)."""
    kind: Kind
    recency: float
    """+1: asks for what holds now; -1: for what held first; 0: says nothing of it."""
    months: frozenset[int]
    years: frozenset[int]
    period: frozenset[str]
    """Stems of the words that name the period: a memory noted in it has them, as it were."""

    def is_of_time(self, noted: date) -> bool | None:
        """Whether a date lies in the period that the question names; None when it names none."""
        if not self.months and not self.years:
            return None
        return (not self.months or noted.month in self.months) and (not self.years or noted.year in self.years)


@lru_cache(maxsize=16_384)
def has_cue(kind: Kind, sentence: str) -> bool:
    """Whether a sentence holds something of the kind asked for (a time, a number, a name, a place)."""
    pattern = _CUES.get(kind)
    return pattern is not None and pattern.search(sentence) is not None


def months_in(text: str) -> frozenset[int]:
    if not any(en in (lowered := text.lower()) for en, _ in _MONTHS) and not _ANY_MONTH.search(lowered):
        return frozenset()
    return frozenset(number for number, pattern in enumerate(_MONTH, start=1) if pattern.search(text))


def read_question(text: str) -> Question:
    weights: dict[str, float] = {}
    spoken = sentences(text)
    asked = [is_question(sentence) for sentence in spoken]
    for sentence, asks in zip(spoken, asked, strict=True):
        share = 1.0 if asks or not any(asked) else ASIDE_SHARE
        about = _PAST.sub(" ", _CURRENT.sub(" ", sentence))  # "latest" says which, and is in no memory
        for word in words(about):
            weight = word_weight(word, about) * share
            if word.stem in _FRAME or is_common(word.stem):
                weight *= FRAME_SHARE
            weights[word.stem] = max(weight, weights.get(word.stem, 0.0))
    kind: Kind = next((name for name, pattern in _KINDS if pattern.search(text)), "other")
    recency = 1.0 if _CURRENT.search(text) else -1.0 if _PAST.search(text) else 0.0
    months, years = months_in(text), frozenset(int(year) for year in _YEAR.findall(text))
    period = {str(year) for year in years} | {
        stemmed for stemmed in weights if months and months_in(stemmed.capitalize())
    }
    return Question(weights, kind, recency, months, years, frozenset(period))
