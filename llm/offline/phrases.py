"""Sentences that the engine says of itself, so that whoever reads its answers can tell them from extracted ones."""

from __future__ import annotations

import re
from typing import Final

from llm.text import Language, sentences

ABSTENTION: Final[dict[Language, str]] = {
    "en": "I have no memory of that.",
    "ru": "В моей памяти этого нет.",
}

# Remarks hold function words alone, so that no reader of claims finds one in them.
GREETING: Final[dict[Language, str]] = {
    "en": "I am here for you.",
    "ru": "Я здесь.",
}

ACKNOWLEDGEMENT: Final[dict[Language, str]] = {
    "en": "Yes, I have that now.",
    "ru": "Теперь это и у меня есть.",
}

REMINDER: Final[dict[Language, str]] = {
    "en": "From before:",
    "ru": "Вот что было:",
}

# What a model says that has nothing to go by and was not told to admit it: plausible, and supported by nothing.
GUESSES: Final[dict[Language, dict[str, tuple[str, ...]]]] = {
    "en": {
        "when": ("I believe it was last month.", "It was about a year ago.", "That was last spring."),
        "count": ("I think there were three.", "About ten, I believe.", "It was two."),
        "who": ("It was a close friend of yours.", "I believe it was a colleague.", "It was a relative of yours."),
        "where": ("It was not far from your home.", "I believe it was in the city centre.", "It was abroad."),
        "other": ("Yes, you told me so.", "You decided to keep it as it was.", "You said that you liked it."),
    },
    "ru": {
        "when": ("Кажется, это было в прошлом месяце.", "Это было около года назад.", "Это было прошлой весной."),
        "count": ("Кажется, их было три.", "Думаю, около десяти.", "Их было два."),
        "who": ("Это был ваш близкий друг.", "Кажется, это был коллега.", "Это был ваш родственник."),
        "where": ("Это было недалеко от вашего дома.", "Кажется, это было в центре города.", "Это было за границей."),
        "other": ("Да, вы так и говорили.", "Вы решили оставить всё как есть.", "Вы сказали, что вам понравилось."),
    },
}

_ABSTAINS = re.compile(
    r"^(?:sorry[,.]? |unfortunately[,.]? |i am afraid )?(?:that |this |it )?(?:"
    r"i (?:have|hold|find) no (?:memor|information|record)|"
    r"i (?:do not|don't) have (?:any )?(?:memor|information|record)|"
    r"(?:is |there is )?(?:not|nothing) (?:about (?:that|this|it) )?in (?:my|the|your) memor|"
    r"(?:my|the|your) memor\w+ (?:do not|does not|don't|doesn't) (?:contain|hold|say|mention|include|answer))"
    r"|^(?:к сожалению[,.]? |увы[,.]? |извините[,.]? )?(?:"
    r"в (?:моей |вашей )?памяти (?:этого |об этом |такого )?(?:ничего )?нет|"
    r"в (?:моих |ваших )?воспоминаниях (?:этого |об этом |такого )?(?:ничего )?нет|"
    r"(?:этого |такого )?нет в (?:моей |вашей )?памяти|"
    r"у меня нет (?:воспоминаний|информации|сведений|данных|записей))"
)
_LONGEST_ABSTENTION = 30
_REMARKS = frozenset(
    [*ACKNOWLEDGEMENT.values(), *REMINDER.values()] + [piece for text in GREETING.values() for piece in sentences(text)]
)


def is_abstention(text: str) -> bool:
    """Whether a short answer says that memory does not hold what was asked, and no more.

    The engine's own sentences are recognised exactly; of other models' answers, the usual openings that name memory.
    A person's "I don't know" inside an extracted sentence is not an abstention.
    """
    plain = " ".join(text.lower().replace("ё", "е").replace("’", "'").split())
    return len(plain.split()) <= _LONGEST_ABSTENTION and _ABSTAINS.match(plain) is not None


def is_own_remark(text: str) -> bool:
    """Whether a sentence of an earlier answer tells nothing: an abstention, an acknowledgement, a greeting."""
    return text in _REMARKS or is_abstention(text)


def is_guess(text: str) -> bool:
    """Whether the answer is one of the engine's unsupported guesses."""
    return any(text.strip() in options for kinds in GUESSES.values() for options in kinds.values())
