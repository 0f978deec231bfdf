"""Whether a sentence tells something that lasts, or passes the time: signs counted, weighed and added up.

A sign is a class of words (`telling_words.py`: kin, dates, decisions against kettles, yawns, thanks), a form (person,
past, a name inside the sentence, "on Mondays") or a length. The weights are a logistic regression's, fitted by
`benchmarks/small_talk.py` on lines written for it; no line and no word is remembered or forgotten by itself.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from pathlib import Path
from typing import Final

from llm.offline.informativeness import is_common
from llm.offline.telling_words import FORMS, PASSING, STEMS, TOLD
from llm.text import is_stopword, stem

WEIGHTS_FILE: Final = Path(__file__).with_name("telling_weights.json")
LONGEST = 300
"""Characters of a sentence that are weighed: a longer one tells something."""
DOUBT = -1.2
"""A sentence of this score or more tells something. Below 0: what was told must not be lost (decision 0004)."""
LENIENT = -2.2
"""The same in a message of `AT_LENGTH` words, and beside a sentence that tells."""
AT_LENGTH = 14

_TOKEN = re.compile(r"[^\W\d_]+(?:['-][^\W\d_]+)*|\d+(?:[.,:/-]\d+)*")
_NAME = re.compile(r"(?<=[^\W_][\s,«\"(])[«\"(]?(?!I\b)[A-ZА-Я][^\W\d_]+")
_CYRILLIC = re.compile(r"[а-я]")
_ENDINGS: Final = (
    ("past", re.compile(r"\w{2,}(?:л|ла|ло|ли|лся|лась|лось|лись)$")),
    ("infinitive", re.compile(r"\w{2,}(?:ть|ти|чь)(?:ся|сь)?$")),
)
_ENGLISH_ENDINGS: Final = (
    ("past", re.compile(r"[a-z]{2,}ed$")),
    ("progressive", re.compile(r"[a-z]{3,}ing$")),
)
_FIRST_PERSON = re.compile(r"\w{2,}[ую](?:сь)?$")
_DAY = "mon|tues|wednes|thurs|fri|satur|sun"
_SHAPES: Final = (
    # What holds for long: "on Mondays", "по утрам", "from now on", "twice a week".
    (
        "lasting",
        re.compile(
            rf"\b(?:mornings|evenings|afternoons|nights|weekends|(?:{_DAY})days|from now on|for good|after all|"
            r"no longer|any ?more|all the time|so far|as well|по [а-я]{3,}(?:ам|ям)|насовсем|не больше|"
            r"не меньше|раза? в|на (?:две|[а-я]+[ьие]) (?:недел|месяц|дн|лет|час)[а-я]*|в (?:день|неделю|месяц|год))\b"
        ),
    ),
    # What somebody does not do or cannot: "don't eat", "не пью".
    (
        "abstains",
        re.compile(
            r"\bне (?:пью|ем|сплю|ношу|вожу|беру|держу|хожу|курю|люблю|работаю|езжу|летаю|терплю|переношу|слышу|вижу|"
            r"умею)\b|\b(?:do not|don'?t|never|can'?t|cannot) (?:eat|drink|do|sleep|have|use|take|drive|work|stand|"
            r"afford|lift|hear|see|speak|like|fly|wear|own|swim|follow)\b"
        ),
    ),
    # What somebody does, likes or did: "I sing", "we often cook", not "I think", "I must".
    (
        "does",
        re.compile(
            r"\b(?:i|we|he|she|they) (?:(?:really|also|always|only|often|usually|don't|do not) )*"
            r"(?!am\b|are\b|was\b|were\b|think|guess|hope|know|see\b|feel|mean|must|need|will|shall|wish|bet\b|swear|say\b|"
            r"said|suppose|remember|hear\b|can|could|should|would|deserve|have\b|had\b|just\b|wonder|beg\b|apologi|promise)"
            r"[a-z]{3,}(?<!ing)\b"
        ),
    ),
    ("has", re.compile(r"\b(?:i|we|he|she|they)(?:'ve)? (?:have|has|had|own) (?:a|an|two|three|my|no|the|good|old)\b")),
    (
        "is_good_at",
        re.compile(r"\b(?:am|i'm|is|are) (?:really |very )?(?:good|bad|great|terrible|hopeless) (?:at|with)\b"),
    ),
    ("compares", re.compile(r"\blike an?\b|\bas if\b|\bas \w+ as\b|\b(?:как|словно|будто) [а-я]{4,}(?:[.!,]|$)")),
    (
        "greets",
        re.compile(
            r"\W*(?:hello|hi|hiya|hey|(?:good )?(?:morning|evening|afternoon)|good (?:day|night)|greetings|привет\w*|"
            r"здравствуй\w*|добр\w+ (?:день|вечер|утро)|приветствую|вечер|утро)\b"
        ),
    ),
    ("is_doing", re.compile(r"\b(?:is|are|'s|'re) (?:\w+ )?\w{2,}ing\b")),
    ("i_am_doing", re.compile(r"\b(?:i'?m|i am|we're|we are) (?:\w+ )?\w+ing\b")),
    ("opens_bare", re.compile(r"\W*(?:[a-z]+ing|off|back|gone|time|done|on my way)\b")),
    ("exclaims", re.compile(r"!\W*$")),
    ("trails_off", re.compile(r"…|\.\.\.")),
    ("marks", re.compile(r"[:;«\"—]")),
)
_SIGNS_IN = re.compile(
    r"(?:^|[.!] )(?:[Ii]t is|[Ii]t's|[Jj]ust|[Oo]nly|[Tt]his is|[Ээ]то|[Сс]нова|[Оо]пять) (?:[A-ZА-Я]\w+|me|я)\b"
    r"(?: again| here)?[,.]|\b[A-Z]\w+ here\b|на связи"
)
"""Who is there: "It is Hal, …", "Tess here", "Антон на связи"."""
_NAMES_SELF = re.compile(r"\b(?:I'm|I am|[Яя]) [A-ZА-Я]\w+|[Mm]y name|[Зз]овите|[Cc]all me [A-Z]")
_MATCHED_AT_START = frozenset({"greets", "opens_bare"})


def signs(sentence: str) -> dict[str, float]:
    """Sign → how much of it there is (0–4; most are 0 or 1, classes of words 0–2)."""
    plain = " ".join(sentence.replace("’", "'").replace("ё", "е").replace("Ё", "Е").split())
    lowered = plain.lower()
    tokens = _TOKEN.findall(lowered)
    found: dict[str, float] = {"bias": 1.0}
    told = passing = unknown = 0
    for position, token in enumerate(tokens):
        if token[0].isdigit():
            _more(found, "digits")
            continue
        stemmed = stem(token)
        forms, classes = FORMS.get(token, ()), STEMS.get(stemmed, ())
        for name in (*forms, *classes):
            _more(found, name)
        if not PASSING.isdisjoint(classes):
            passing += 1
        elif not TOLD.isdisjoint(classes) or not TOLD.isdisjoint(forms):
            told += 1
        function = is_stopword(token)
        unknown += not (forms or classes or function or is_common(stemmed))
        if not function or not _CYRILLIC.search(token):
            _endings(found, token, opens=position == 0)
    told += "digits" in found
    passing += not _NOW.isdisjoint(found)
    _lengths(found, len(tokens), told=told, passing=passing, unknown=unknown)
    _shapes(found, plain, lowered)
    if tokens and "i" in FORMS.get(tokens[0], ()):
        found["opens_me"] = 1.0
    return found


_NOW = frozenset({"now", "you", "doing_now", "soon"})
_OF_THE_MOMENT = (
    PASSING
    | _NOW
    | {"greets", "signs_in", "compares", "exclaiming", "exclaims", "trails_off", "tone", "opens_bare"}
    | {"is_doing", "i_am_doing"}
)
"""Signs of which talk of the moment has at least one."""


def is_weighed(sentence: str) -> bool:
    """Whether a sentence could be talk of the moment: a long one, and one without any sign of it, tells something."""
    return len(sentence) <= LONGEST and _is_of_the_moment(signs(sentence))


def _is_of_the_moment(found: dict[str, float]) -> bool:
    marks = _OF_THE_MOMENT.intersection(found)
    return bool(marks) and not (marks == {"now"} and "words<=2" in found)  # "Lisbon today" may be asked for


def _more(found: dict[str, float], name: str) -> None:
    found[name] = min(found.get(name, 0.0) + 1.0, 2.0)


def _endings(found: dict[str, float], token: str, *, opens: bool) -> None:
    russian = bool(_CYRILLIC.search(token))
    for name, pattern in _ENDINGS if russian else _ENGLISH_ENDINGS:
        if pattern.match(token):
            _more(found, name)
            return
    if russian and opens and _FIRST_PERSON.match(token):
        found["opens_verb"] = 1.0


def _shapes(found: dict[str, float], plain: str, lowered: str) -> None:
    for name, pattern in _SHAPES:
        if pattern.match(lowered) if name in _MATCHED_AT_START else pattern.search(lowered):
            found[name] = 1.0
    if _SIGNS_IN.search(plain):
        found["signs_in"] = 1.0
    if _NAMES_SELF.search(plain):
        found["names_self"] = 1.0
    if names := len(_NAME.findall(plain)):
        found["name"] = min(names, 2)
    if commas := plain.count(","):
        found["commas"] = min(commas, 2) / 2


def _lengths(found: dict[str, float], length: int, *, told: int, passing: int, unknown: int) -> None:
    for limit in (2, 4, 7):
        if length <= limit:
            found[f"words<={limit}"] = 1.0
    for limit in (10, 14, 20):
        if length >= limit:
            found[f"words>={limit}"] = 1.0
    for limit in (2, 3, 5):
        if told >= limit:
            found[f"told>={limit}"] = 1.0
    if not told:
        found["none_told"] = 1.0
    if not passing:
        found["none_passing"] = 1.0
    found["told_share"] = 3.0 * told / max(length, 6)
    found["passing_share"] = 3.0 * passing / max(length, 3)
    found["uncommon"] = min(unknown, 3) / 2
    found["uncommon_more"] = max(0, min(unknown, 8) - 3) / 2


@lru_cache(maxsize=1)
def _weights() -> dict[str, float]:
    return {name: float(weight) for name, weight in json.loads(WEIGHTS_FILE.read_text(encoding="utf-8")).items()}


@lru_cache(maxsize=16_384)
def telling_score(sentence: str) -> float:
    """Log-odds, by the fitted lines, that the sentence tells something.

    Infinite for a long sentence and for one without any sign of the moment.
    """
    if len(sentence) > LONGEST:
        return float("inf")
    found = signs(sentence)
    if not _is_of_the_moment(found):
        return float("inf")
    weights = _weights()
    return sum(weights.get(name, 0.0) * amount for name, amount in found.items())


def tells(sentence: str, *, lenient: bool = False) -> bool:
    """Whether a statement is worth remembering."""
    return telling_score(sentence) >= (LENIENT if lenient else DOUBT)
