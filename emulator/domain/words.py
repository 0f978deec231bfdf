"""What of a sentence must not get lost: numbers, names and the words that carry it. Shallow, for both languages."""

from __future__ import annotations

import re
from functools import lru_cache

_TOKEN = re.compile(r"\d+(?:[.,:/\-]\d+)*|[^\W\d_]+(?:['’][^\W\d_]+)*")
_SENTENCE = re.compile(r"(?<=[.!?…])[\"»”’)]*\s+")
_CYRILLIC = re.compile(r"[А-Яа-яЁё]")
_LATIN = re.compile(r"[A-Za-zÀ-ɏ]")
_COMMON = frozenset(
    """
    about after again also been before being could does doing done down each ever from have having here into
    just like made make more most much must need only other over same should since some such than that their
    them then there these they this those through very want well were what when where which while will with
    would your yours mine который которая которые которое которого когда чтобы потому только после перед было
    была были если этого этой этот этом сейчас тоже также очень будет буду есть меня мною тебя тебе свой свою
    своей себя себе него неё ними чего такой такая такое здесь теперь потом между через можно нужно надо ещё уже
    """.split()  # noqa: SIM905 - a list of words is read as words
)
_SHORTEST, _SHARE, _BEGINNING = 4, 0.6, 3
"""Letters from which a word carries meaning; share of the longer word that two forms of one word begin with alike, and
letters that they always do."""


def plain(text: str) -> str:
    """Lower case, without ё and curly marks: what is compared."""
    return text.casefold().replace("ё", "е").replace("’", "'")


def sentences_of(text: str) -> list[str]:
    return [part for part in _SENTENCE.split(text.strip()) if part]


def language_of(text: str) -> str | None:
    """ "ru", "en", or None when there are too few letters to tell."""
    cyrillic, latin = len(_CYRILLIC.findall(text)), len(_LATIN.findall(text))
    if cyrillic + latin < 12:
        return None
    return "ru" if cyrillic >= 0.3 * (cyrillic + latin) else "en"


@lru_cache(maxsize=4096)
def marks(text: str) -> tuple[str, ...]:
    """Numbers, and names: words with a capital that begin no sentence."""
    found = []
    for sentence in sentences_of(text):
        for place, token in enumerate(_TOKEN.findall(sentence)):
            if token[0].isdigit() or (place and token[0].isupper() and len(token) > 2):
                found.append(plain(token))
    return tuple(dict.fromkeys(found))


@lru_cache(maxsize=4096)
def carriers(text: str) -> tuple[str, ...]:
    """The words and numbers that carry the text, each once, in order."""
    found = (plain(token) for token in _TOKEN.findall(text))
    return tuple(
        dict.fromkeys(word for word in found if word[0].isdigit() or (len(word) >= _SHORTEST and word not in _COMMON))
    )


@lru_cache(maxsize=4096)
def carriers_as_written(text: str) -> tuple[str, ...]:
    """As `carriers`, without numbers, with the capitals of the text."""
    kept = set(carriers(text))
    found = (token for token in _TOKEN.findall(text) if not token[0].isdigit() and plain(token) in kept)
    return tuple(dict.fromkeys(found))


def same_word(one: str, other: str) -> bool:
    """Whether two words are forms of one: they begin alike. Numbers and short words must be equal."""
    if one == other:
        return True
    if one[0].isdigit() or other[0].isdigit() or min(len(one), len(other)) < _SHORTEST:
        return False
    needed = max(_BEGINNING, round(_SHARE * max(len(one), len(other))))
    return one[:needed] == other[:needed]


@lru_cache(maxsize=4096)
def _words_of(text: str) -> dict[str, frozenset[str]]:
    """The text's words by how they begin: forms of one word begin alike."""
    found: dict[str, set[str]] = {}
    for token in _TOKEN.findall(text):
        word = plain(token)
        found.setdefault(word[:_BEGINNING], set()).add(word)
    return {begin: frozenset(words) for begin, words in found.items()}


def holds_word(text: str, word: str) -> bool:
    words = _words_of(text).get(word[:_BEGINNING], frozenset())
    return word in words or any(same_word(word, other) for other in words)


def share_kept(original: str, wording: str) -> float:
    """Share of the original's carrying words that the wording holds; 1 when it has none."""
    wanted = carriers(original)
    return sum(holds_word(wording, word) for word in wanted) / len(wanted) if wanted else 1.0


def lost_words(original: str, wording: str) -> tuple[str, ...]:
    """What a wording of `original` fails to say: numbers and names, and other words if more than half are gone."""
    if original in wording:
        return ()
    lost = [word for word in marks(original) if not holds_word(wording, word)]
    if share_kept(original, wording) < 0.5:
        lost += [word for word in carriers(original) if word not in lost and not holds_word(wording, word)]
    return tuple(lost)
