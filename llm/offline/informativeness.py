"""How much a word tells, without a corpus: names, numbers and dates first, then long and uncommon words."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from functools import lru_cache

from llm.text import Word, stem, words

# Content words that almost every conversation holds; they point nowhere.
_COMMON = """
    thing things time times people person way lot kind sort bit stuff something day today go goes went gone going come
    came get make made making take took taken give gave know knew known think thought say said says tell told telling
    talk talked ask asked see saw seen look looked looking want wanted like liked love need needed feel felt try tried
    use used using find found work help helped start started let keep put good great nice new old big small little long
    better best well really actually basically sure remember recall remind mention mentioned know wonder question
    answer last first next many back around different same right able year month week morning evening
    вещь вещи время раз человек люди день сегодня идти пойти прийти сделать делать делал дать взять знать знаю знал
    думать думаю думал сказать сказал сказала говорить говорил говорила рассказать рассказывал рассказывала спросить
    видеть видел смотреть хотеть хочу хотел хотела нравится нравиться любить люблю нужен нужна нужно найти нашел
    работать помочь начать начал начала хороший хорошая новый новая старый большой маленький лучше лучший
    действительно помнить помнишь помню напомни напомнить упоминал упоминала вопрос ответ последний первый следующий
    год месяц неделя утро вечер расскажи скажи подскажи узнать интересно называется
    заниматься занимаюсь занимается работаю работаешь живу
""".split()  # noqa: SIM905 - a list of words reads better as text
_YEAR = re.compile(r"^(?:19|20)\d\d$")
_DATE = re.compile(r"\d[.:/\-]\d")


@lru_cache(maxsize=1)
def _common_stems() -> frozenset[str]:
    return frozenset(stem(word) for word in _COMMON)


def is_common(stemmed: str) -> bool:
    """Whether a stem is one of the content words that almost every conversation holds."""
    return stemmed in _common_stems()


def _starts_sentence(text: str, start: int) -> bool:
    before = text[max(0, start - 8) : start].rstrip(" \t\"'«“‘(*-—")
    return not before or before[-1] in ".!?…:\n"


def word_weight(word: Word, text: str) -> float:
    """A weight from about 0.1 (common, short) to about 2 (a long name)."""
    surface = word.surface
    if surface[0].isdigit():
        if _YEAR.match(surface) or _DATE.search(surface):
            return 1.2
        return 0.9 if len(surface) > 1 else 0.6
    weight = 0.2 + min(len(word.stem), 10) / 10
    if is_common(word.stem):
        return weight * 0.35
    if any(char.isdigit() for char in surface) or (len(surface) > 1 and surface[1:].lower() != surface[1:]):
        return weight + (0.8 if not text.isupper() else 0.0)  # a code, an acronym, an inner capital
    if surface[0].isupper():
        weight += 0.2 if _starts_sentence(text, word.start) else 0.8
    return weight


def ranked_words(text: str, document_frequency: Mapping[str, float] | None = None) -> list[Word]:
    """Distinct content words (by stem), the most informative first; equals keep the order of the text.

    `document_frequency` maps a stem to the share (0–1) of the searched texts that hold it: rarer goes first, share 0
    last, since such a word finds nothing. A stem that is not in the map is left as it is.
    """
    best: dict[str, tuple[float, Word]] = {}
    for word in words(text):
        weight = word_weight(word, text)
        share = document_frequency.get(word.stem) if document_frequency else None
        if share is not None:
            weight *= 0.01 if share <= 0 else 0.4 + 1.2 * -math.log10(max(share, 1e-3)) / 3
        if word.stem not in best or best[word.stem][0] < weight:
            best[word.stem] = (weight, word)
    return [word for _, word in sorted(best.values(), key=lambda pair: (-pair[0], pair[1].start))]
