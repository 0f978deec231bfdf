"""What is said for company: greetings, thanks, partings; and remarks of the moment on weather, mood and what was said.

Closed lists of set phrases and of words, in both languages: sure and narrow. A sentence with any word outside them is
neither; `telling.py` weighs it.
"""

from __future__ import annotations

import re
from functools import lru_cache

from llm.offline import set_phrases
from llm.text import content_words, stem

_START = r"(?:^|(?<=[,.!;–—] )|(?<=\band ))"
_END = r"(?=\s*(?:[,.!?;…)]|$|[-–—]\s))"


def _compiled(*lists: str) -> re.Pattern[str]:
    phrases = [line.strip() for text in lists for line in text.splitlines() if line.strip()]
    whole = rf"\b(?:{'|'.join(phrases)})(?!\w)".replace("{START}", _START).replace("{END}", _END)
    return re.compile(whole, re.IGNORECASE)


_PHRASES = _compiled(set_phrases.GREETINGS, set_phrases.PARTINGS, set_phrases.POLITENESS, set_phrases.ASSENTS)


def _stems(text: str) -> frozenset[str]:
    return frozenset(stem(word) for word in text.split())


_SMALL = _stems("""
    hello hi hey hiya heya greetings bye goodbye cheers ok okay yeah yep yup nope sure great good nice cool fine
    alright right perfect awesome wonderful thanks thank thx lol haha hahaha wow hmm aha welcome dear friend lot
    much understood agreed congrats aww yay whoa woohoo phew ugh oops ouch gosh exactly absolutely definitely
    totally indeed gotcha noted
    привет приветик здравствуй здравствуйте здорово пока ага угу ок окей ладно понятно ясно отлично прекрасно супер
    класс круто замечательно хорошо спасибо благодарю пожалуйста прощай договорились понял поняла согласен согласна
    дорогой друг ого хм ура ой эх ух ах уф упс ха хаха точно именно верно правильно разумеется безусловно
""")
_CALLS = _stems("hello hi hey hiya bye wow whoa yay woohoo congrats aww привет здравствуй здравствуйте приветствую")

_WEATHER = _stems("""
    weather rain rains rained raining rainy drizzle drizzling pouring snow snows snowed snowing snowy sun sunny
    sunshine wind windy cloud clouds cloudy fog foggy mist misty cold freezing frost frosty icy hot heat warm chilly
    storm stormy thunderstorm humid grey gray gloomy damp sky dark
    погода погодка дождь дождик дождливо ливень льет моросит снег снежно снегопад метель солнце солнышко солнечно
    ветер ветрено туман туманно пасмурно облачно холод холодно холодина мороз морозно жара жарко тепло прохладно
    сыро слякоть гроза душно небо темно темнеет светло тает капель лужи
""")
_MOOD = _stems("""
    tired sleepy exhausted drained hungry thirsty happy sad bored excited glad proud thankful grateful relieved
    upset annoyed nervous worried lonely overwhelmed grumpy mood ready thrilled delighted busy hectic
    slept stressful
    устал устала уставший уставшая сонный сонная голодный голодная грустно весело скучно тоскливо радостно тревожно
    рад рада доволен довольна счастлив счастлива настроение выспался выспалась вымотался вымоталась волнуюсь лень
    спать спал спала суматошный суматошно тяжелый тяжело денек легко спокойно
""")
_OPINION = _stems("""
    great good nice lovely amazing awesome cool fantastic wonderful brilliant excellent incredible interesting fun
    funny sweet beautiful gorgeous terrible awful horrible bad crazy weird strange impressive inspiring helpful
    useful kind thoughtful true right wrong fair hard tough easy exciting perfect neat adorable cute hilarious
    boring scary rough pity shame relief surprise fascinating encouraging touching stunning superb unbelievable
    отлично здорово круто классно прекрасно замечательно чудесно ужасно ужас кошмар плохо жаль жалко обидно смешно
    забавно интересно красиво мило приятно полезно верно правильно странно удивительно невероятно потрясающе супер
    класс молодец умница красота прелесть впечатляет радует печально трогательно
""")
_MOMENT = _stems("""
    today tonight yesterday now moment morning afternoon evening night day week weekend again finally bit little
    pretty super extremely totally absolutely definitely just long whole outside feel feeling sound sounds look
    looks seem seems such rather know mean means better worse much well badly first spring autumn winter tough rough
    сегодня вчера сейчас утро утром вечер вечером день днем ночь ночью неделя опять снова немного чуток наконец
    прямо целый улице окном дворе звучит выглядит идет идут светит такой такая такое какой какая какое первый весна
    осень зима хочу хочется плохо выдался был душе
""")
_LASTS = re.compile(
    r"\b(?:always|never|usually|often|every|since|for (?:years|months|weeks)|a cold|my|our|his|her|their|he|she|they|"
    r"всегда|постоянно|часто|обычно|никогда|кажд\w+|мой|моя|мое|мои|моей|моего|моем|наш\w*|его|ее|их|он|она|они)\b",
    re.IGNORECASE,
)
"""Marks of what holds for longer than today, or of somebody's: then a word of weather or mood tells something."""


_LONGEST = 300
"""Characters of a sentence that may be small talk: a longer one tells something, and is not searched for phrases."""
_MARK = "\x00"
"""Stands where a phrase was taken out."""


def _plain(text: str) -> str:
    return " ".join(text.replace("’", "'").replace("ё", "е").replace("Ё", "Е").split())


def without_phrases(sentence: str) -> str:
    """The sentence without its set phrases, in plain spelling."""
    return _PHRASES.sub(" ", _plain(sentence))


_OF_OTHERS = re.compile(r"\b(?:he|she|they|он|она|они)\b", re.IGNORECASE)
"""What somebody else thought good or agreed to is told."""


@lru_cache(maxsize=16_384)
def is_phatic(sentence: str) -> bool:
    """Whether nothing but set phrases, assents and a name that is addressed ("Hi Anna!") is said."""
    if len(sentence) > _LONGEST:
        return False
    plain = _plain(sentence)
    rest = _PHRASES.sub(_MARK, plain)
    if _OF_OTHERS.search(rest):
        return False
    said = content_words(rest)
    left = [word for word in said if stem(word) not in _SMALL]
    if len(left) != 1:
        return not left
    greets = _MARK in rest or stem(said[0]) in _CALLS
    return greets and left[0][0].isupper() and _is_addressed(left[0], rest)


def _is_addressed(name: str, rest: str) -> bool:
    """Whether a name stands where one is called: before a comma, or behind one, a phrase or a greeting."""
    before, _, after = rest.partition(name)
    before = before.rstrip()
    if not before:
        return after.startswith(",")
    last = content_words(before.rpartition(" ")[2])
    return before.endswith((",", _MARK)) or (bool(last) and stem(last[0]) in _SMALL)


_CALLED = re.compile(r", [A-ZА-Я]\w+(?=[,.!…]|$)")


def _holds_only(sentence: str, needed: frozenset[str], allowed: frozenset[str]) -> bool:
    if len(sentence) > _LONGEST or "?" in sentence or _LASTS.search(_plain(sentence)):
        return False
    said = {stem(word) for word in content_words(_CALLED.sub(" ", without_phrases(sentence)))}
    return bool(said & needed) and said <= allowed


_NOW = _WEATHER | _MOOD
_OF_NO_SUBJECT = _SMALL | _MOMENT | _OPINION


@lru_cache(maxsize=16_384)
def is_of_the_moment(sentence: str) -> bool:
    """Whether it remarks on weather or mood and nothing else: true today, and nobody will ask."""
    return _holds_only(sentence, _NOW, _NOW | _OF_NO_SUBJECT)


@lru_cache(maxsize=16_384)
def is_reaction(sentence: str) -> bool:
    """Whether it says what one thinks of something just said: without that it tells nothing."""
    return _holds_only(sentence, _OPINION, _OF_NO_SUBJECT)
